"""Keeps a page in step with the engine: it is read anew when changes rest, while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.changes import Change
from app.engine import Engine
from ui.shell.background import into_ui

REST_MS = 600
PROGRESS_REST_MS = 2_000


class Live(QObject):
    """Calls `refresh` in the UI thread after changes of the kinds in `about`.

    Changes come in showers, so they are answered once, `REST_MS` after the first of them, and the ceaseless
    "progress" of running jobs and of the index every `PROGRESS_REST_MS`. A page that is not shown reads anew at its
    next visit anyway and is left alone.
    """

    def __init__(self, page: QWidget, engine: Engine, about: Collection[str], refresh: Callable[[], object]) -> None:
        super().__init__(page)
        self._page, self._about, self._refresh = page, frozenset(about), refresh
        self._rest = QTimer(self, singleShot=True)
        self._rest.timeout.connect(self._rested)
        self.destroyed.connect(engine.changes.subscribe(into_ui(self._changed, self)))

    def _changed(self, change: Change) -> None:
        if change.what not in self._about:
            return
        wait = PROGRESS_REST_MS if change.what in ("progress", "index") else REST_MS
        if not self._rest.isActive() or self._rest.remainingTime() > wait:
            self._rest.start(wait)

    def _rested(self) -> None:
        if self._page.isVisible():
            self._refresh()
