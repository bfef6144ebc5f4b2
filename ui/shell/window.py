"""The main window: the rail, one page at a time, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from PySide6.QtCore import QEvent, QObject, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QMouseEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QWidget

from ui.shell.background import into_ui, run_query
from ui.shell.pages import EngineState, PageSpec, Recent, ShellEngine
from ui.shell.rail import Rail
from ui.widgets import Page

_REST_MS = 300
_CLOCK_MS = 30_000
_MOST_HISTORY = 100


@dataclass
class _Visit:
    key: str
    args: dict[str, Any] = field(default_factory=dict)


class MainWindow(QMainWindow):
    """The window over one engine.

    `navigate(key, **args)`, `back()`; pages are made at their first visit and kept. Alt+Left and the mouse's back
    button go back, Ctrl+1… open the pages of the rail, Ctrl+F finds, F5 refreshes, Ctrl+N goes to page `new_job`.
    `workspace_chosen(folder)`, `open_asked`, `new_asked` come from the switcher; `closing` before the window closes.
    """

    workspace_chosen = Signal(str)
    open_asked = Signal()
    new_asked = Signal()
    page_shown = Signal(str)
    closing = Signal()

    def __init__(self, engine: ShellEngine, pages: Sequence[PageSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "window")
        self._engine = engine
        self._specs = {spec.key: spec for spec in pages}
        self._made: dict[str, Page] = {}
        self._history: list[_Visit] = []
        self._ended = False
        self.may_close: Callable[[], bool] = lambda: True
        """Asked before the window closes; who says no may close it later."""
        self.rail = Rail([spec for spec in pages if not spec.under])
        self.rail.card.set_workspace(engine.workspace_name, engine.workspace_place)
        self.rail.chosen.connect(self.navigate)
        self.rail.workspace_chosen.connect(self.workspace_chosen)
        self.rail.open_asked.connect(self.open_asked)
        self.rail.new_asked.connect(self.new_asked)
        self.stack = QStackedWidget()
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self.stack, 1)
        self.setCentralWidget(frame)
        self.setMinimumSize(1000, 640)
        self._shortcuts()
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self.update_rail)
        self._clock = QTimer(self, interval=_CLOCK_MS)
        self._clock.timeout.connect(self.update_rail)
        self._clock.start()
        self._unsubscribe = engine.subscribe(into_ui(self._changed, self))
        self._restore()
        self.update_rail()

    # going places

    @property
    def page_key(self) -> str:
        """The key of the page shown, or an empty text before the first one."""
        return self._history[-1].key if self._history else ""

    def page(self) -> Page | None:
        """The page shown."""
        return self._made.get(self.page_key)

    def start(self) -> None:
        """Show the page of last time, or the first one."""
        kept = str(QSettings().value("window/page", ""))
        usable = kept in self._specs and not self._specs[kept].under
        self.navigate(kept if usable else next(iter(self._specs)))

    def navigate(self, key: str, /, **args: Any) -> None:
        """Go to a page. Unknown keys are a KeyError: a page that does not exist must not be offered."""
        spec = self._specs[key]
        shown = self.page()
        again = bool(self._history) and self._history[-1] == _Visit(key, args)
        if shown is not None and not again and not shown.leave():
            self.rail.mark(self._marked(self.page_key))
            return
        if not again:
            self._history.append(_Visit(key, args))
            del self._history[:-_MOST_HISTORY]
        self._show(spec, args)

    def back(self) -> None:
        """Go to where the user was before; nothing happens at the beginning."""
        shown = self.page()
        if len(self._history) < 2 or (shown is not None and not shown.leave()):
            return
        self._history.pop()
        visit = self._history[-1]
        self._show(self._specs[visit.key], visit.args)

    def forget(self, key: str) -> None:
        """Throw a made page away, for instance a wizard that has finished; its next visit starts afresh.

        Its visits leave the history too: going back must not lead into it.
        """
        page = self._made.pop(key, None)
        if self.page_key != key:
            self._history = [visit for visit in self._history if visit.key != key]
        if page is not None:
            self.stack.removeWidget(page)
            page.deleteLater()

    def _show(self, spec: PageSpec, args: Mapping[str, Any]) -> None:
        page = self._made.get(spec.key)
        if page is None:
            page = spec.build(self)
            self._made[spec.key] = page
            self.stack.addWidget(page)
            page.title_changed.connect(self._retitle)
        page.open(**args)
        # A field keeps the focus that it had or was given. Otherwise the page itself gets it, so that keys work at
        # once and nothing is lit without need: Qt would choose the first field.
        given = cast("QWidget | None", page.focusWidget())
        self.stack.setCurrentWidget(page)
        self.rail.mark(self._marked(spec.key))
        self._retitle()
        if given is None:
            page.setFocus(Qt.FocusReason.OtherFocusReason)
        if not spec.under:
            QSettings().setValue("window/page", spec.key)
        self.page_shown.emit(spec.key)

    def _marked(self, key: str) -> str:
        spec = self._specs.get(key)
        return "" if spec is None else spec.under or spec.key

    def _retitle(self) -> None:
        page = self.page()
        title = page.title if page is not None else ""
        self.setWindowTitle(f"{title} – {self._engine.workspace_name}" if title else self._engine.workspace_name)

    # keys and mouse

    def _shortcuts(self) -> None:
        def on(keys: QKeySequence | QKeySequence.StandardKey | str, act: Any) -> None:
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(act)

        for number, key in enumerate(self.rail.items, 1):
            if number < 10:
                on(f"Ctrl+{number}", lambda key=key: self.navigate(key))
        on("Alt+Left", self.back)
        on(QKeySequence.StandardKey.Find, self._find)
        on("F5", self._refresh)
        if "new_job" in self._specs:
            on(QKeySequence.StandardKey.New, lambda: self.navigate("new_job"))

    def _find(self) -> None:
        page = self.page()
        if page is not None:
            page.focus_search()

    def _refresh(self) -> None:
        page = self.page()
        if page is not None:
            page.refresh()
        self.update_rail()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # The back button must work over any widget, and most of them take mouse presses for themselves:
        # so it is heard where the system hands it to the window, before any widget.
        handle = self.windowHandle()
        if handle is not None:
            handle.removeEventFilter(self)
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.MouseButtonPress
            and isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.BackButton
        ):
            self.back()
            return True
        return False

    # the rail's figures

    def _changed(self, *_: object) -> None:
        # Changes come in showers; the rail asks once when they rest, and at the latest after one rest.
        if not self._rest.isActive():
            self._rest.start()

    def update_rail(self) -> None:
        """Ask for counts, state and recent workspaces, off the UI thread."""
        engine = self._engine

        def ask() -> tuple[Mapping[str, int | str], EngineState, Sequence[Recent]]:
            return engine.counts(), engine.state(), engine.recent_workspaces()

        run_query(ask, done=self._answered, failed=self._unanswered)

    def _answered(self, answer: tuple[Mapping[str, int | str], EngineState, Sequence[Recent]]) -> None:
        counts, state, recent = answer
        self.rail.card.set_workspace(self._engine.workspace_name, self._engine.workspace_place)
        self.rail.set_counts(counts)
        self.rail.foot.set_state(state)
        self.rail.set_recent(recent)

    def _unanswered(self, error: BaseException) -> None:
        message = getattr(error, "message", "") or "The workspace cannot be read"
        self.rail.foot.set_state(EngineState("warn", message))

    # what is kept

    def _restore(self) -> None:
        geometry = QSettings().value("window/geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1280, 800)

    def closeEvent(self, event: QCloseEvent) -> None:
        page = self.page()
        if (page is not None and not page.leave()) or not self.may_close():
            event.ignore()
            return
        QSettings().setValue("window/geometry", self.saveGeometry())
        if not self._ended:
            self._ended = True
            self._unsubscribe()
            self.closing.emit()
        event.accept()
