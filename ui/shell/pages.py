"""What the window needs of its engine and of its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ui.widgets import Page


@dataclass(frozen=True)
class EngineState:
    """The two lines at the foot of the rail. `tone`: "ok", "idle" or "warn" colours the dot; the words say it too."""

    tone: str
    line: str
    next_line: str = ""


@dataclass(frozen=True)
class Recent:
    """A workspace that was open lately."""

    name: str
    folder: str


class ShellEngine(Protocol):
    """What the shell asks of whatever stands for the engine. All but `subscribe` are called off the UI thread."""

    @property
    def workspace_name(self) -> str:
        """The name in the switcher."""

    @property
    def workspace_place(self) -> str:
        """Where the workspace lies, in words: "On this computer"."""

    def counts(self) -> Mapping[str, int | str]:
        """What stands beside the pages' names, by page key; a missing key or 0 shows nothing."""

    def state(self) -> EngineState:
        """What the engine is doing and when it next runs something."""

    def recent_workspaces(self) -> Sequence[Recent]:
        """Other workspaces, newest first."""

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have `callback` called after any change, in any thread; returns what ends it."""


class Shell(Protocol):
    """What a page may ask of the window."""

    def navigate(self, key: str, /, **args: Any) -> None:
        """Go to a page; `args` go to its `open`."""

    def back(self) -> None:
        """Go to where the user was before."""

    def forget(self, key: str) -> None:
        """Throw a made page away, with its visits: what it showed is over, and going back must not lead into it."""


@dataclass(frozen=True)
class PageSpec:
    """One page of the window, made when it is first visited.

    `PageSpec("jobs", "Jobs", "workflow", lambda shell: JobsPage(engine, shell), group=0)` stands in the rail;
    `PageSpec("job", "Job", build=..., under="jobs")` does not, and marks "jobs" in the rail while it is shown.
    """

    key: str
    title: str
    icon: str = ""
    build: Callable[[Shell], Page] = lambda shell: Page("")
    group: int = 0
    under: str = ""
