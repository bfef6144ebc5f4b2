"""The Jobs page and a job's own page, with real jobs that real workers run."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.alerts.listening import listen
from app.authorizations import edit_authorization
from app.engine import Engine
from app.jobs import create_job, edit_job, get_job, job_runs, list_jobs
from app.jobs.model import JobDraft, JobInfo
from app.jobs.schedule import Quiet, Schedule
from ui.pages.jobs.page import JobsPage
from ui.pages.jobs.summary import JobPage
from ui.pages.jobs.words import meaning, second_line
from ui.widgets import ElidedLabel

LONG = 20_000
"""Milliseconds that a run may take on a busy machine."""


@pytest.fixture
def page(shop: Engine, shell: Any, qtbot: QtBot) -> JobsPage:
    """The Jobs page with its two jobs read."""
    made = JobsPage(shop, shell)
    qtbot.addWidget(made)
    made.resize(1068, 800)
    made.show()
    made.open()
    qtbot.waitUntil(lambda: made.model.rowCount() == 2)
    return made


def names(page: JobsPage) -> list[str]:
    """The names in the table, from top to bottom."""
    return [page.table.model().index(row, 0).data() for row in range(page.table.model().rowCount())]


def answer(qtbot: QtBot, page: Any, button: str) -> str:
    """Press a button of the open question; what it asked."""
    qtbot.waitUntil(lambda: any(dialog.isVisible() for dialog in page.findChildren(QDialog)))
    dialog = next(dialog for dialog in page.findChildren(QDialog) if dialog.isVisible())
    text = " ".join(label.text() for label in dialog.findChildren(type(page.note_label)))
    pressed = next(one for one in dialog.findChildren(QPushButton) if one.text() == button)
    qtbot.mouseClick(pressed, Qt.MouseButton.LeftButton)
    return text


def test_jobs_are_listed_with_what_they_did(page: JobsPage) -> None:
    assert sorted(names(page)) == ["Loyalty members", "Web shop"]
    row = names(page).index("Web shop")
    status = page.table.model().index(row, 4)
    assert status.data() == "Completed"
    assert page.statuses.chip("all").text() == "All 2"
    assert page.statuses.chip("completed").text() == "Completed 2"


def test_search_and_chips_narrow_the_list(page: JobsPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.search, "web")
    qtbot.waitUntil(lambda: names(page) == ["Web shop"])
    page.search.clear()
    qtbot.mouseClick(page.statuses.chip("failed"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: names(page) == [])
    assert page.empty.title.text() == "No job fits"
    everything = next(one for one in page.empty.findChildren(QPushButton) if one.isVisible())
    qtbot.mouseClick(everything, Qt.MouseButton.LeftButton)
    assert sorted(names(page)) == ["Loyalty members", "Web shop"]


def test_kinds_narrow_the_list_and_both_rows_of_chips_count_what_the_other_leaves(
    page: JobsPage, shop: Engine, shell: Any, qtbot: QtBot
) -> None:
    alert = create_job(shop, JobDraft("Tell us", "slack-alerts", None, {"system_event_multiple_types": ["failed"]}))
    listen(shop, alert, by_itself=False)
    qtbot.waitUntil(lambda: len(names(page)) == 3)
    index = page.table.model().index(names(page).index("Tell us"), 0)
    shown = [index.siblingAtColumn(column).data() for column in range(1, 7)]
    assert shown == ["Slack", "Alert", "—", "Running", "—", "Live"]
    qtbot.mouseClick(page.kinds.chip("alert"), Qt.MouseButton.LeftButton)
    assert names(page) == ["Tell us"]
    assert [page.statuses.chip(key).text() for key in ("all", "running", "completed")] == [
        "All 1",
        "Running 1",
        "Completed 0",
    ]
    qtbot.mouseClick(page.kinds.chip("import"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.statuses.chip("completed"), Qt.MouseButton.LeftButton)
    assert sorted(names(page)) == ["Loyalty members", "Web shop"]
    assert [page.kinds.chip(key).text() for key in ("import", "alert")] == ["Imports 2", "Alerts 0"]
    again = JobsPage(shop, shell)
    qtbot.addWidget(again)
    assert again.kinds.chosen() == {"import", "alert"}


def test_several_jobs_are_duplicated_at_once(page: JobsPage, shop: Engine, shell: Any, qtbot: QtBot) -> None:
    menu = page.acts.menu(list_jobs(shop))
    assert menu is not None
    next(action for action in menu.actions() if action.text() == "Duplicate").trigger()
    qtbot.waitUntil(lambda: len(names(page)) == 4)
    assert shell.went == []


def test_enter_opens_a_job(page: JobsPage, shell: Any, qtbot: QtBot) -> None:
    page.table.select(0)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    (went,) = shell.went
    assert went[0] == "job"
    assert get_job(page._engine, went[1]["job_id"]).name == names(page)[0]


def test_delete_names_what_is_lost_and_deletes(page: JobsPage, shop: Engine, qtbot: QtBot) -> None:
    page.activateWindow()
    page.table.setFocus()
    page.table.select(names(page).index("Web shop"))
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    asked = answer(qtbot, page, "Delete job")
    assert "“Web shop”" in asked
    assert "1 run with logs" in asked
    qtbot.waitUntil(lambda: names(page) == ["Loyalty members"])
    assert [job.name for job in list_jobs(shop)] == ["Loyalty members"]


def test_a_job_is_run_from_its_menu_and_its_row_follows(running: Engine, page: JobsPage, qtbot: QtBot) -> None:
    job = next(job for job in list_jobs(running) if job.name == "Web shop")
    menu = page.acts.menu([job])
    assert menu is not None
    next(action for action in menu.actions() if action.text() == "Run now").trigger()

    qtbot.waitUntil(lambda: len(job_runs(running, job.id)) == 2, timeout=LONG)
    again, first = job_runs(running, job.id)

    def row() -> JobInfo:
        return next(shown for shown in page.model.rows() if shown.id == job.id)

    assert again.started_at > first.started_at
    qtbot.waitUntil(lambda: (row().status, row().last_run_at) == ("completed", again.started_at), timeout=LONG)
    assert job_runs(running, job.id)[0].read == 3


def test_rejected_rows_are_read_again_from_their_tab(running: Engine, shell: Any, qtbot: QtBot) -> None:
    job = next(job for job in list_jobs(running) if job.name == "Web shop")
    page = JobPage(running, shell)
    qtbot.addWidget(page)
    page.show()
    page.open(job_id=job.id)
    qtbot.waitUntil(lambda: page.pill.word == "Completed")
    page.tabs.choose("rejected")
    assert not page.rejected.retry.isEnabled()
    with running.workspace.database.write() as connection:
        connection.execute(
            "insert into rejected_rows (run_id, line, reason, text) select max(id), 3, 'x', 'y' from runs"
        )
    page.refresh()
    qtbot.waitUntil(page.rejected.retry.isEnabled)
    qtbot.mouseClick(page.rejected.retry, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not page.rejected.retry.isEnabled(), timeout=LONG)
    again, first = job_runs(running, job.id)
    assert (again.retries, again.read, again.status) == (first.id, 1, "completed")


def test_a_job_is_paused_and_resumed_on_its_page(running: Engine, shell: Any, qtbot: QtBot) -> None:
    job = next(job for job in list_jobs(running) if job.name == "Web shop")
    page = JobPage(running, shell)
    qtbot.addWidget(page)
    page.show()
    page.open(job_id=job.id)
    qtbot.waitUntil(lambda: page.pill.word == "Completed")
    assert not page.hold_button.isVisible()
    edit_job(running, job.id, schedule=Schedule("daily", at=time(6), zone="Europe/Berlin"))
    qtbot.waitUntil(lambda: page.pill.word == "Sleeping")
    due = get_job(running, job.id).next_run_at
    assert meaning(get_job(running, job.id)).startswith("Runs again ")
    assert second_line(replace(job, description="", schedule={"every": "daily"}, schedule_text="Daily")) == "Daily"
    qtbot.mouseClick(page.hold_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: (page.pill.word, page.hold_button.text()) == ("Paused", "Resume"))
    qtbot.mouseClick(page.hold_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: (page.pill.word, page.hold_button.text()) == ("Sleeping", "Pause"))
    assert get_job(running, job.id).next_run_at == due


@pytest.fixture
def job_page(shop: Engine, shell: Any, qtbot: QtBot) -> JobPage:
    """The page of the job “Web shop”."""
    made = JobPage(shop, shell)
    qtbot.addWidget(made)
    made.resize(1068, 800)
    made.show()
    made.open(job_id=next(job.id for job in list_jobs(shop) if job.name == "Web shop"))
    qtbot.waitUntil(lambda: made.pill.word == "Completed" and made.logs.model.rowCount() > 0)
    return made


def test_a_jobs_page_shows_facts_logs_runs_and_configuration(job_page: JobPage, qtbot: QtBot) -> None:
    assert job_page.title == "Web shop"
    messages = [job_page.logs.model.index(row, 2).data() for row in range(job_page.logs.model.rowCount())]
    assert messages[-1] == "Run 2 started"
    job_page.tabs.choose("runs")
    qtbot.waitUntil(lambda: job_page.runs.model.rowCount() == 1)
    job_page.tabs.choose("configuration")
    assert '"filename": "orders.csv"' in job_page.configuration.view.toPlainText()


def test_quiet_hours_are_among_the_facts(job_page: JobPage, shop: Engine, qtbot: QtBot) -> None:
    def facts() -> list[str]:
        return [label.accessibleName() for label in job_page.facts.findChildren(ElidedLabel)]

    assert "Runs: Once" in facts()
    assert not [fact for fact in facts() if fact.startswith("Quiet")]
    job_id = next(job.id for job in list_jobs(shop) if job.name == "Web shop")
    quiet = Quiet(time(22), "Europe/Berlin", 8)
    edit_job(shop, job_id, schedule=Schedule("daily", at=time(6), zone="Europe/Berlin", quiet=quiet))
    qtbot.waitUntil(lambda: "Quiet from: 22:00 for 8 hours" in facts())
    assert "Runs: Every day at 06:00 (Europe/Berlin)" in facts()


def test_the_log_is_filtered_by_event(job_page: JobPage, qtbot: QtBot) -> None:
    job_page.logs.events.set_value("synced")
    qtbot.waitUntil(lambda: job_page.logs.model.rowCount() == 1)
    assert job_page.logs.model.index(0, 1).data() == "Synced"
    assert job_page.logs.model.index(0, 3).data() == "3"


def test_the_configuration_is_saved(job_page: JobPage, qtbot: QtBot, tmp_path: Path) -> None:
    job_page.configuration._save(tmp_path / "web-shop.json")
    qtbot.waitUntil(lambda: "is saved in" in job_page.banner.text())
    saved = json.loads((tmp_path / "web-shop.json").read_text("utf-8"))
    assert saved["configuration"]["stream"] == "shop_orders"


def test_the_log_is_searched_and_saved(job_page: JobPage, qtbot: QtBot, tmp_path: Path) -> None:
    qtbot.keyClicks(job_page.logs.search, "orders.csv")
    qtbot.waitUntil(lambda: job_page.logs.model.rowCount() == 1)
    job_page.logs._save(tmp_path / "log.txt")
    qtbot.waitUntil(lambda: "is saved in" in job_page.banner.text())
    lines = (tmp_path / "log.txt").read_text("utf-8").splitlines()
    assert "Run 2 started" in lines[0]
    assert "completed" in lines[-1]


def test_a_job_is_renamed_where_its_name_stands(job_page: JobPage, shop: Engine, qtbot: QtBot) -> None:
    edit = job_page.description
    edit.begin()
    qtbot.keyClicks(edit.edit, "Orders of this year")
    qtbot.keyClick(edit.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: get_job(shop, job_page._job_id).description == "Orders of this year")


def test_a_failed_run_says_why_once(running: Engine, shell: Any, qtbot: QtBot) -> None:
    shop = running
    web = next(job for job in list_jobs(shop) if job.name == "Web shop")
    missing = create_job(
        shop,
        JobDraft("Missing", web.job_type, web.authorization_id, {**web.options, "filename": "nowhere.csv"}),
    )
    page = JobPage(shop, shell)
    qtbot.addWidget(page)
    page.show()
    page.open(job_id=missing)
    qtbot.waitUntil(lambda: page.pill.word == "Paused")
    qtbot.mouseClick(page.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.pill.word == "Failed", timeout=LONG)
    assert "nowhere.csv is not there." in page.banner.text()
    assert "Check the name" in page.banner.text()
    assert "No such file" in page.banner.text()
    page.banner.dismiss()
    page.refresh()
    qtbot.waitUntil(lambda: page.runs.model.rowCount() == 1)
    assert not page.banner.isVisible(), "what was put away came back"


def test_rejected_rows_are_shown_and_downloaded(running: Engine, shell: Any, qtbot: QtBot, tmp_path: Path) -> None:
    web = next(job for job in list_jobs(running) if job.name == "Web shop")
    assert web.authorization_id is not None
    edit_authorization(running, web.authorization_id, values={"folder": str(tmp_path)})
    (tmp_path / "orders.csv").write_text("email,order_no\na@example.com,W-9\nb@example.com,W-10,too,many\n", "utf-8")
    edit_job(running, web.id, options={"filename": "orders.csv", "stream": "shop_orders", "identifiers": ["email"]})
    page = JobPage(running, shell)
    qtbot.addWidget(page)
    page.show()
    page.open(job_id=web.id)
    qtbot.waitUntil(lambda: page.pill.word == "Completed")
    qtbot.mouseClick(page.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.rejected.model.rowCount() == 1, timeout=LONG)
    assert [page.rejected.model.index(0, column).data() for column in (1, 3)] == ["3", "b@example.com,W-10,too,many"]
    page.rejected._save(tmp_path / "rejected.csv")
    qtbot.waitUntil(lambda: "1 rejected row saved" in page.banner.text(), timeout=LONG)
    assert "b@example.com,W-10,too,many" in (tmp_path / "rejected.csv").read_text("utf-8-sig")
