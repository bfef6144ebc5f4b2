"""The window from its opening to its end, over a real engine, in this process and in one of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import time
from pathlib import Path

import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.alerts.listening import listen
from app.authorizations import edit_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job, edit_job, get_job, list_jobs
from app.jobs.schedule import ONCE, Schedule
from app.transfer.model import End, Transfer, Writing
from app.transfer.running import TransferRun
from app.workspace import create_workspace
from ui.application import Session
from ui.pages.registry import page_specs
from ui.shell.desktop import Tray
from ui.shell.engine_view import EngineView
from ui.shell.window import MainWindow
from ui.theme import current_theme

ROWS = 300_000
LONG = 20_000

CHILD = """
import sys
from ui.main import main
from ui.shell.window import MainWindow

start = MainWindow.start

def tell(window):
    start(window)
    print("shown", flush=True)

MainWindow.start = tell

if __name__ == "__main__":
    sys.exit(main(["--workspace", sys.argv[1]]))
"""


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[asyncio.AbstractEventLoop]:
    """Qt's loop as asyncio's, turned by `waitUntil`."""
    made = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(made)
    asyncio._set_running_loop(made)
    keeps = qapp.quitOnLastWindowClosed()
    qapp.setQuitOnLastWindowClosed(False)
    yield made
    qapp.setQuitOnLastWindowClosed(keeps)
    asyncio._set_running_loop(None)
    made.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def workspace(shop: Engine, tmp_path: Path) -> Path:
    """A closed workspace whose job “Web shop” reads a file that takes a while."""
    folder = shop.workspace.folder
    job = next(job for job in list_jobs(shop) if job.name == "Web shop")
    assert job.authorization_id is not None
    edit_authorization(shop, job.authorization_id, values={"folder": str(tmp_path)})
    with (tmp_path / "orders.csv").open("w", encoding="utf-8") as file:
        file.write("email,order_no,total,ordered\n")
        file.writelines(f"p{n}@example.com,W-{n},{n}.50,2026-11-14T09:41:00Z\n" for n in range(ROWS))
    shop.close()
    return folder


def window_of(session: Session, qtbot: QtBot) -> MainWindow:
    """The window once its engine is at work."""
    qtbot.waitUntil(lambda: session._window is not None and session._engine.supervisor is not None, timeout=LONG)
    assert session._window is not None
    return session._window


def test_closing_while_a_job_runs_asks_and_what_was_done_is_kept(
    workspace: Path, loop: asyncio.AbstractEventLoop, qtbot: QtBot
) -> None:
    engine = Engine.open(workspace)
    session = Session(engine, current_theme())
    task = loop.create_task(session.run())
    window = window_of(session, qtbot)
    job = next(job for job in list_jobs(engine) if job.name == "Web shop")
    assert engine.supervisor is not None
    loop.create_task(engine.supervisor.run(job.id))
    qtbot.waitUntil(lambda: get_job(engine, job.id).progress is not None, timeout=LONG)

    assert not window.close()
    question = next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible())
    assert question.windowTitle() == "1 job is running"
    stop = next(one for one in question.findChildren(QPushButton) if one.text() == "Stop and close")
    qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(task.done, timeout=LONG)
    task.result()
    assert not window.isVisible()

    with Engine.open(workspace) as again:
        assert again.in_charge_elsewhere is None
        # It goes on by itself where a process is in charge again.
        assert get_job(again, job.id).status == "sleeping"


def test_with_jobs_that_wait_for_their_time_the_window_can_go_to_the_tray(
    workspace: Path, loop: asyncio.AbstractEventLoop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine.open(workspace)
    session = Session(engine, current_theme())
    task = loop.create_task(session.run())
    window = window_of(session, qtbot)
    job = next(job for job in list_jobs(engine) if job.name == "Web shop")
    edit_job(engine, job.id, schedule=Schedule("daily", at=time(6), zone="Europe/Berlin"))
    assert get_job(engine, job.id).status == "sleeping"
    # No desktop of a test has a tray.
    monkeypatch.setattr(Tray, "present", True)

    def answer(word: str, title: str) -> None:
        assert not window.close()
        question = next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible())
        assert question.windowTitle() == title
        pressed = next(one for one in question.findChildren(QPushButton) if one.text() == word)
        qtbot.mouseClick(pressed, Qt.MouseButton.LeftButton)

    answer("Keep running in the tray", "1 job is scheduled")
    assert not window.isVisible()
    assert not task.done()
    session._open()
    assert window.isVisible()
    alert = create_job(engine, JobDraft("Tell us", "slack-alerts", None, {"system_event_multiple_types": ["failed"]}))
    listen(engine, alert, by_itself=False)
    answer("Keep running in the tray", "1 job is scheduled, 1 alert is listening")
    session._open()
    edit_job(engine, job.id, schedule=ONCE)
    source, target = End(str(workspace.parent / "orders.csv")), End(str(workspace.parent / "out.csv"))
    loop.create_task(TransferRun.begin(engine, Transfer(source, target, writing=Writing(delimiter=";"))))
    qtbot.waitUntil(lambda: bool(engine.transfers), timeout=LONG)
    answer("Keep running in the tray", "A file is being transferred")
    session._open()
    qtbot.waitUntil(lambda: not engine.transfers, timeout=LONG)
    answer("Stop and close", "1 alert is listening")
    qtbot.waitUntil(task.done, timeout=LONG)
    task.result()


@pytest.mark.parametrize("tray", [True, False])
def test_at_login_the_window_is_in_the_tray_or_minimized(
    workspace: Path, loop: asyncio.AbstractEventLoop, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tray: bool
) -> None:
    monkeypatch.setattr(Tray, "present", tray)
    engine = Engine.open(workspace)
    session = Session(engine, current_theme(), in_tray=True)
    task = loop.create_task(session.run())
    qtbot.waitUntil(lambda: engine.supervisor is not None, timeout=LONG)
    window = session._window
    assert window is not None
    assert (window.isVisible(), window.isMinimized()) == ((False, False) if tray else (True, True))
    session._open()
    assert window.isVisible()
    assert not window.isMinimized()
    session.end()
    qtbot.waitUntil(task.done, timeout=LONG)
    task.result()


def test_another_workspace_takes_the_place_of_the_first(
    workspace: Path, tmp_path: Path, loop: asyncio.AbstractEventLoop, qtbot: QtBot
) -> None:
    other = tmp_path / "other"
    create_workspace(other, "Second Shop").close()
    session = Session(Engine.open(workspace), current_theme())
    task = loop.create_task(session.run())
    first = window_of(session, qtbot)
    first.workspace_chosen.emit(str(other))
    qtbot.waitUntil(lambda: session._window is not first and session._engine.supervisor is not None, timeout=LONG)
    window = window_of(session, qtbot)
    assert window.windowTitle().endswith("Second Shop")
    assert window.close()
    qtbot.waitUntil(task.done, timeout=LONG)
    task.result()


def test_every_page_can_be_visited_and_left(shop: Engine, loop: asyncio.AbstractEventLoop, qtbot: QtBot) -> None:
    window = MainWindow(EngineView(shop), page_specs(shop))
    qtbot.addWidget(window)
    window.start()
    window.show()
    needed = {"job": {"job_id": list_jobs(shop)[0].id}, "profile": {"profile_id": 1}}
    for spec in page_specs(shop):
        window.navigate(spec.key, **needed.get(spec.key, {}))
        assert window.page_key == spec.key
    window.back()
    assert window.page_key == page_specs(shop)[-2].key
    window.close()


def test_the_program_ends_in_order_when_it_is_told_to(workspace: Path, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(CHILD, "utf-8")
    root = Path(__file__).parents[2]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PYTHONPATH": str(root)}
    environment |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
    with subprocess.Popen(
        [sys.executable, str(script), str(workspace)], stdout=subprocess.PIPE, text=True, env=environment
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "shown\n"
        child.send_signal(signal.SIGTERM)
        rest, _ = child.communicate(timeout=LONG / 1000)
    assert child.returncode == 0
    assert rest == "", "a worker must not open a window of its own"
    with Engine.open(workspace) as again:
        assert again.in_charge_elsewhere is None
