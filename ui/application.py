"""From an open engine to a window and back: the loop that Qt and asyncio share, the pages, the end."""

from __future__ import annotations

import asyncio
import functools
import signal
import sys
from pathlib import Path

import qasync
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QInputDialog

from app.alerts.listening import keep_listening
from app.engine import Engine
from app.errors import CausewayError
from app.health import keep_checking
from app.jobs import list_jobs
from app.jobs.retention import keep_within_days
from app.jobs.tidying import keep_history_small
from app.jobs.watching import keep_schedules
from app.workspace import create_workspace
from ui.pages.registry import page_specs
from ui.shell.application import make_application
from ui.shell.background import run_operation
from ui.shell.desktop import Desktop, Tray
from ui.shell.engine_view import EngineView
from ui.shell.mishap import MishapDialog, Mishaps
from ui.shell.window import MainWindow
from ui.theme import Theme
from ui.theme.theme import Choice
from ui.widgets import confirm


def run_window(engine: Engine, *, in_tray: bool = False) -> int:
    """Show the window on `engine`, which is not started yet, until it is closed; the exit code.

    `in_tray`: it is not seen before somebody opens it from the tray.
    """
    application, theme = make_application(sys.argv[:1])
    # The end of the last window is the beginning of an orderly stop, not the end of the loop.
    application.setQuitOnLastWindowClosed(False)
    mishaps = Mishaps(application)
    mishaps.install()
    loop = qasync.QEventLoop(application)
    asyncio.set_event_loop(loop)
    with loop:
        session = Session(engine, theme, in_tray=in_tray)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: session.end())
        # Python looks at signals between two steps of its own; without one, Ctrl-C would wait for the next event.
        heartbeat = QTimer()
        heartbeat.timeout.connect(lambda: None)
        heartbeat.start(250)
        loop.run_until_complete(session.run())
        heartbeat.stop()
    return 0


def chosen_theme(engine: Engine) -> Choice:
    """The theme that the workspace's user chose."""
    match engine.workspace.setting("theme"):
        case "light":
            return "light"
        case "dark":
            return "dark"
        case _:
            return "system"


class Session(QObject):
    """One window after the other: choosing another workspace closes the engine and opens the next."""

    def __init__(self, engine: Engine, theme: Theme, *, in_tray: bool = False) -> None:
        super().__init__()
        self._in_tray = in_tray
        self._engine = engine
        self._theme = theme
        self._window: MainWindow | None = None
        self._tray: Tray | None = None
        self._ended = asyncio.Event()
        self._next: Path | None = None

    async def run(self) -> None:
        """Until the last window is closed."""
        engine: Engine | None = self._engine
        while engine is not None:
            self._engine = engine
            self._ended.clear()
            self._next = None
            self._show()
            # The page is painted before workers are warmed up.
            await asyncio.sleep(0)
            engine.at_start(functools.partial(keep_within_days, engine))
            engine.at_start(functools.partial(keep_schedules, engine))
            engine.at_start(functools.partial(keep_history_small, engine))
            engine.at_start(functools.partial(keep_listening, engine))
            engine.at_start(functools.partial(keep_checking, engine))
            await engine.start()
            if engine.supervisor is not None:
                await engine.supervisor.rebuilds.resume()
            await self._ended.wait()
            await engine.stop()
            engine = self._open_next()

    def end(self) -> None:
        """Close without a question."""
        if self._window is not None:
            self._window.hide()
        self._ended.set()

    def _show(self) -> None:
        engine = self._engine
        self._theme.choose(chosen_theme(engine))
        window = MainWindow(EngineView(engine), page_specs(engine))
        window.workspace_chosen.connect(lambda folder: self._go_to(Path(folder)))
        window.open_asked.connect(self._ask_open)
        window.new_asked.connect(self._ask_new)
        window.closing.connect(self.end)
        window.may_close = self._may_close
        if self._window is not None:
            self._window.deleteLater()
        self._window = window
        self._tray = Tray(self._raise, self._open, self.end, window)
        Desktop(engine, self._tray.tell, window)
        window.start()
        if not self._in_tray:
            window.show()
        elif not self._tray.present:
            # Nobody could find a window that is hidden on a desktop without a tray.
            window.showMinimized()
        # The next workspace is one that somebody chose at the window.
        self._in_tray = False

    def _raise(self) -> None:
        """Bring the window to the front with what happened."""
        self._open()
        if self._window is not None:
            self._window.navigate("notifications")

    def _open(self) -> None:
        """Bring the window to the front."""
        window = self._window
        if window is not None:
            window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
            window.show()
            window.raise_()
            window.activateWindow()

    def _may_close(self) -> bool:
        """Ask first while something runs, or where jobs that wait for their time or listen could go on in the tray."""
        supervisor, window = self._engine.supervisor, self._window
        transfers = len(self._engine.transfers)
        if window is None or (supervisor is None and not transfers):
            return True
        running = supervisor.busy + supervisor.waiting if supervisor is not None else 0
        in_tray = self._tray is not None and self._tray.present
        jobs = list_jobs(self._engine) if in_tray else []
        due = sum(job.status == "sleeping" for job in jobs)
        listening = sum(job.status == "running" and job.kind == "alert" for job in jobs)
        if not running and not due and not listening and not transfers:
            return True
        if running:
            title = "1 job is running" if running == 1 else f"{running} jobs are running"
            lost = "Closing stops them after their present rows. What is done is saved; they go on at the next start."
        elif transfers:
            title = "A file is being transferred" if transfers == 1 else f"{transfers} files are being transferred"
            lost = "Closing stops that, and nothing half-written stays. Run again, it goes on where it was."
        else:
            title = _waiting(due, listening)
            lost = "Jobs run while Causeway is open. What is missed is caught up once, at the next start."
            if listening:
                lost += " Nobody is told of anything before that."
        keep = ("Keep running in the tray", window.hide) if in_tray else None
        confirm(window, title, lost, "Stop and close", self.end, other=keep)
        return False

    def _go_to(self, folder: Path) -> None:
        self._next = folder
        self.end()

    def _ask_open(self) -> None:
        folder = QFileDialog.getExistingDirectory(self._window, "Open a workspace")
        if folder:
            self._go_to(Path(folder))

    def _ask_new(self) -> None:
        name, accepted = QInputDialog.getText(self._window, "New workspace", "Name of the workspace")
        if not accepted or not name.strip():
            return
        parent = QFileDialog.getExistingDirectory(self._window, "Where to keep it")
        if not parent:
            return
        folder = Path(parent) / name.strip().replace("/", "-")
        run_operation(
            lambda _: create_workspace(folder, name).close(),
            done=lambda _: self._go_to(folder),
            failed=self._tell,
            owner=self,
        )

    def _open_next(self) -> Engine | None:
        """The engine of the chosen workspace; the one before where that can't be opened; None to end."""
        if self._next is None:
            return None
        try:
            return Engine.open(self._next)
        except CausewayError as error:
            before = Engine.open(self._engine.workspace.folder)
            QTimer.singleShot(0, functools.partial(self._tell, error))
            return before

    def _tell(self, error: BaseException) -> None:
        MishapDialog(error, self._window).open()


def _waiting(due: int, listening: int) -> str:
    """ "2 jobs are scheduled, 1 alert is listening" """
    said = []
    if due:
        said.append("1 job is scheduled" if due == 1 else f"{due} jobs are scheduled")
    if listening:
        said.append("1 alert is listening" if listening == 1 else f"{listening} alerts are listening")
    return ", ".join(said)
