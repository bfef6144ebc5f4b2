"""Who is told when something changed: pages subscribe, operations and the supervisor announce."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

What = Literal[
    "jobs",
    "runs",
    "progress",
    "authorizations",
    "profiles",
    "streams",
    "schema",
    "rebuild",
    "notifications",
    "index",
    "workspace",
    "settings",
    "transfers",
]


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed; `id` is the job, authorization … it is about, None for many or all."""

    what: What
    id: int | None = None


class Changes:
    """The list of subscribers. Callbacks run in the thread that announces, so a window must hand them over."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[Change], None]] = []
        self._lock = threading.Lock()

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` for every change from now on; the answer ends that."""
        with self._lock:
            self._subscribers.append(callback)

        def unsubscribe() -> None:
            with self._lock:
                if callback in self._subscribers:
                    self._subscribers.remove(callback)

        return unsubscribe

    def announce(self, change: Change) -> None:
        """Tell every subscriber."""
        with self._lock:
            subscribers = list(self._subscribers)
        for callback in subscribers:
            callback(change)
