"""A place that is opened when it is needed, and let go while something else takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable

from connectors.kit.places.base import Place

IDLE_SECONDS = 30
"""Servers drop who is silent for long; a connection that rested longer is opened anew."""
LARGE = 4 * 1024 * 1024
"""Bytes of a file from which on reading it takes so long that nobody should wait for it with a connection."""


class Connection:
    """Opens a place on first use, and again after it was let go."""

    def __init__(self, open_place: Callable[[], Place]) -> None:
        self._open = open_place
        self._used = time.monotonic()
        self.held: Place | None = None
        self.label = ""

    @property
    def place(self) -> Place:
        if self.held is not None and time.monotonic() - self._used > IDLE_SECONDS:
            self.close()
        if self.held is None:
            self.held = self._open()
            self.label = self.held.label
        self._used = time.monotonic()
        return self.held

    def rest(self, size: int) -> None:
        """A file of this size is read now, without the place."""
        if size >= LARGE:
            self.close()

    def close(self) -> None:
        held, self.held = self.held, None
        if held is not None:
            held.close()
