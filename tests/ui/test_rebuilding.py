"""Undoing an import from its run, and what pages and the rail say while people are rebuilt."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.engine import Engine
from app.jobs import get_job, job_log, job_runs, list_jobs
from app.jobs.rebuilding import Rebuilder, RebuildProgress, start_rebuild
from app.profiles import count_profiles, search_profiles
from app.profiles.rebuild import RebuildState, rebuild, rebuild_state
from app.schema.model import FieldDefinition, MappingDefinition
from app.schema.operations import put_field, put_mapping
from app.store.database import open_connection
from ui.application import Session
from ui.pages.jobs.summary import JobPage
from ui.pages.profiles.page import ProfilesPage
from ui.pages.rebuilding import RebuildNotice
from ui.pages.schema.page import SchemaPage
from ui.shell.engine_view import EngineView
from ui.theme import current_theme

LONG = 30_000
"""Milliseconds that a rebuild may take on a busy machine."""


@pytest.fixture
def loop(qapp: QApplication) -> Iterator[qasync.QEventLoop]:
    """Qt's loop as asyncio's, turned by `waitUntil`."""
    made = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(made)
    yield made
    asyncio._set_running_loop(None)
    made.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def running(shop: Engine, loop: qasync.QEventLoop) -> Iterator[Engine]:
    """The engine with its supervisor at work in Qt's loop, as in the program."""
    loop.run_until_complete(shop.start())
    asyncio._set_running_loop(loop)
    yield shop
    asyncio._set_running_loop(None)
    assert shop.supervisor is not None
    loop.run_until_complete(shop.supervisor.stop())


def rebuilds(engine: Engine) -> Rebuilder:
    assert engine.supervisor is not None
    return engine.supervisor.rebuilds


def unfinished(engine: Engine) -> RebuildState | None:
    with engine.workspace.database.read() as connection:
        return rebuild_state(connection)


def cut_short(engine: Engine) -> None:
    """Leave a rebuild behind that was interrupted after 100 events."""

    def cut(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.profiles.reread.EVENTS_PER_CHUNK", 100)
        with closing(open_connection(engine.workspace.database.path)) as connection, pytest.raises(KeyboardInterrupt):
            rebuild(connection, (), cut)


@contextmanager
def held_up(engine: Engine) -> Iterator[None]:
    """Nobody else can write meanwhile, so a rebuild waits at its beginning."""
    with closing(open_connection(engine.workspace.database.path)) as connection:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")


def shown(made: Any, qtbot: QtBot) -> Any:
    """A page as the window shows it."""
    qtbot.addWidget(made)
    made.resize(1068, 800)
    made.show()
    made.open()
    return made


def press(qtbot: QtBot, parent: QWidget, text: str) -> None:
    """Click the button with this text that is seen."""
    qtbot.waitUntil(lambda: any(one.text() == text and one.isVisible() for one in parent.findChildren(QPushButton)))
    button = next(one for one in parent.findChildren(QPushButton) if one.text() == text and one.isVisible())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def dialog_of(page: QWidget, qtbot: QtBot) -> QDialog:
    qtbot.waitUntil(lambda: any(dialog.isVisible() for dialog in page.findChildren(QDialog)))
    return next(dialog for dialog in page.findChildren(QDialog) if dialog.isVisible())


def keep(picture: Path | None, widget: QWidget, name: str) -> None:
    """Keep pictures of a widget in both themes, when they are asked for."""
    if picture is not None:
        for theme in ("light", "dark"):
            current_theme().choose(theme)  # type: ignore[arg-type]
            QApplication.processEvents()
            widget.grab().save(str(picture / f"{name}-{theme}.png"))
        current_theme().choose("light")


def test_an_import_is_undone_from_its_run(running: Engine, shell: Any, qtbot: QtBot, pictures: Path | None) -> None:
    job = next(job for job in list_jobs(running) if job.name == "Web shop")
    page = JobPage(running, shell)
    qtbot.addWidget(page)
    page.resize(1068, 800)
    page.show()
    page.open(job_id=job.id)
    page.tabs.choose("runs")
    qtbot.waitUntil(lambda: page.runs.model.rowCount() == 1)
    assert not page.runs.undo.isEnabled()
    assert page.runs.hint.text() == "Choose a run to undo what it imported."
    page.runs.table.select(0)
    keep(pictures, page, "runs")
    menu = page.runs._menu(page.runs.table.selected())
    assert menu is not None
    assert "Undo import…" in [action.text() for action in menu.actions() if action.isEnabled()]
    press(qtbot, page, "Undo import…")
    dialog = dialog_of(page, qtbot)
    expected = "Takes away 3 events. 2 people lose what these rows gave them."
    qtbot.waitUntil(lambda: expected in [label.text() for label in dialog.findChildren(QLabel)])
    keep(pictures, dialog, "undo")
    press(qtbot, dialog, "Undo import")

    qtbot.waitUntil(lambda: job_runs(running, job.id)[0].status == "undone", timeout=LONG)
    qtbot.waitUntil(lambda: page.runs.model.index(0, 1).data() == "Undone", timeout=LONG)
    assert page.runs.hint.text() == "This import was undone."
    assert not page.runs.undo.isEnabled()
    keep(pictures, page, "undone")
    assert job_log(running, job.id)[0].message.startswith("The import of run 2 was undone: 3 events were taken away")
    assert get_job(running, job.id).status == "paused"
    assert count_profiles(running) == 250


def test_a_run_that_cannot_be_undone_any_more_says_why(running: Engine, shell: Any, qtbot: QtBot) -> None:
    job = list_jobs(running)[0]
    page = shown(JobPage(running, shell), qtbot)
    page.open(job_id=job.id)
    qtbot.waitUntil(lambda: page.runs.model.rowCount() == 1)
    run = job_runs(running, job.id)[0]
    with running.workspace.database.write() as connection:
        connection.execute("update runs set status = 'undone'")
    dialog = page.runs.ask_undo([run])
    qtbot.waitUntil(lambda: "undone already" in dialog.banner.text())
    assert not dialog.go.isEnabled()


@pytest.mark.parametrize("make", [ProfilesPage, SchemaPage], ids=["profiles", "schema"])
def test_a_stopped_rebuild_goes_on_or_is_given_up(
    running: Engine, shell: Any, qtbot: QtBot, make: Any, pictures: Path | None
) -> None:
    cut_short(running)
    page = shown(make(running, shell), qtbot)
    notice: RebuildNotice = page.rebuild
    qtbot.waitUntil(notice.banner.isVisible)
    assert notice.banner.text().startswith("Rebuilding people was stopped after 100 events.")
    keep(pictures, page, f"{type(page).__name__}-stopped")
    press(qtbot, notice.banner, "Go on")
    qtbot.waitUntil(lambda: unfinished(running) is None, timeout=LONG)
    qtbot.waitUntil(lambda: not notice.banner.isVisible() and not notice.card.isVisible(), timeout=LONG)

    cut_short(running)
    notice.refresh()
    qtbot.waitUntil(notice.banner.isVisible)
    press(qtbot, notice.banner, "Give up…")
    press(qtbot, dialog_of(page, qtbot), "Give up")
    qtbot.waitUntil(lambda: unfinished(running) is None, timeout=LONG)
    qtbot.waitUntil(lambda: not notice.banner.isVisible(), timeout=LONG)
    assert count_profiles(running) == 250


def test_a_rebuild_is_seen_and_stopped_on_a_page(
    running: Engine, loop: qasync.QEventLoop, shell: Any, qtbot: QtBot, pictures: Path | None
) -> None:
    page = shown(ProfilesPage(running, shell), qtbot)
    notice = page.rebuild
    assert not notice.card.isVisible()
    with held_up(running):
        loop.create_task(start_rebuild(running))
        qtbot.waitUntil(notice.card.isVisible, timeout=LONG)
        assert notice.label.text() == "Rebuilding people…"
        assert notice.figures.text() == ""
        notice._show_progress(RebuildProgress(1_240_000, 3_000_000, (), 41_200, 42.7))
        assert notice.figures.text() == "1,240,000 of 3,000,000 events · 41,200/s · 43 s left"
        keep(pictures, page, "rebuilding")
        press(qtbot, notice.card, "Stop")
        assert notice.label.text() == "Stopping…"
        qtbot.waitUntil(lambda: not notice.card.isVisible(), timeout=LONG)
    assert (rebuilds(running).error, notice.banner.isVisible()) == (None, False)


def test_people_are_rebuilt_after_publishing(running: Engine, shell: Any, qtbot: QtBot, pictures: Path | None) -> None:
    page = shown(SchemaPage(running, shell), qtbot)
    put_field(running, FieldDefinition("shout", label="Shout"))
    put_mapping(running, MappingDefinition("", "loyalty_members", "shout", "toupper(`city`)"))
    qtbot.waitUntil(lambda: page.contents is not None and len(page.contents.changes) == 2, timeout=LONG)
    keep(pictures, page, "schema")
    dialog = page.ask_publish()
    keep(pictures, dialog, "publish")
    assert dialog.rebuild.isVisible()
    press(qtbot, dialog, "Publish")
    qtbot.waitUntil(lambda: rebuilds(running).undone == () and rebuilds(running)._work is not None, timeout=LONG)
    qtbot.waitUntil(lambda: not rebuilds(running).busy, timeout=LONG)
    assert search_profiles(running, "member7@example.com")[0].fields["shout"] == "BERLIN"


def test_people_are_rebuilt_from_the_schema_page(running: Engine, shell: Any, qtbot: QtBot) -> None:
    page = shown(SchemaPage(running, shell), qtbot)
    with running.workspace.database.write() as connection:
        connection.execute("update profiles set city = 'Nowhere'")
    page.rebuild_people.click()
    press(qtbot, dialog_of(page, qtbot), "Rebuild people")
    qtbot.waitUntil(lambda: search_profiles(running, "member7@example.com")[0].fields["city"] == "Berlin", timeout=LONG)


def test_a_failed_rebuild_is_told_and_gone_on_from(
    running: Engine, loop: qasync.QEventLoop, shell: Any, qtbot: QtBot, pictures: Path | None
) -> None:
    page = shown(ProfilesPage(running, shell), qtbot)
    with running.workspace.database.write() as connection:
        (text,) = connection.execute("select data from events where id = 2").fetchone()
        connection.execute("update events set data = 'no JSON' where id = 2")
    loop.create_task(start_rebuild(running))
    qtbot.waitUntil(page.rebuild.banner.isVisible, timeout=LONG)
    assert page.rebuild.banner.text().startswith("Rebuilding people failed. ")
    assert EngineView(running).state().next_line == "Rebuilding people failed"
    keep(pictures, page, "failed")
    with running.workspace.database.write() as connection:
        connection.execute("update events set data = ? where id = 2", (text,))
    press(qtbot, page.rebuild.banner, "Go on")
    qtbot.waitUntil(lambda: rebuilds(running).error is None and not rebuilds(running).busy, timeout=LONG)
    qtbot.waitUntil(lambda: not page.rebuild.banner.isVisible(), timeout=LONG)
    assert EngineView(running).state().next_line == "Nothing is scheduled"


def test_the_rail_says_how_far_a_rebuild_is(running: Engine) -> None:
    view, heard = EngineView(running), []
    end = view.subscribe(lambda: heard.append(view.state().next_line))
    for done in (0, 420, 421, 1000):
        rebuilds(running)._received(RebuildProgress(done, 1000, ()))
    assert heard == ["Rebuilding people, 0 %", "Rebuilding people, 42 %", "Rebuilding people, 100 %"]
    assert view.state().tone == "ok"
    end()
    rebuilds(running).progress = None


def test_opening_the_window_goes_on_with_a_rebuild(shop: Engine, loop: qasync.QEventLoop, qtbot: QtBot) -> None:
    cut_short(shop)
    folder = shop.workspace.folder
    shop.close()
    asyncio._set_running_loop(loop)
    engine = Engine.open(folder)
    session = Session(engine, current_theme())
    task = loop.create_task(session.run())
    qtbot.waitUntil(lambda: unfinished(engine) is None, timeout=LONG)
    session.end()
    qtbot.waitUntil(task.done, timeout=LONG)
    task.result()
