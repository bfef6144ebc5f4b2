"""The wizard driven by its widgets over a real engine and real files, to a job that has run."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import qasync
from peers.sshd import Sshd
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.authorizations import add_authorization, delete_authorization, list_authorizations
from app.engine import Engine
from app.jobs import JobDraft, create_job, get_job, job_runs, list_jobs
from app.jobs.columns import OWN_EXPRESSION
from app.jobs.schedule import read_schedule
from app.profiles import count_profiles, find_profile
from app.workspace import create_workspace
from connectors.kit.errors import HostKeyChanged, HostKeyUnknown
from ui.pages.authorizations.vault import PassphraseDialog
from ui.pages.new_job.columns import IDENTIFIER, TARGET, TYPE
from ui.pages.new_job.host_key import HostKeyDialog, ask_host_key
from ui.pages.new_job.page import NewJobPage
from ui.widgets import ComboBox, LinkButton, PrimaryButton

LONG = 20_000
"""Milliseconds that a run may take on a busy machine."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "archive").mkdir(parents=True)
    rows = [(f"member{n}@example.com", f"NB-{n:04}", 1000 + n, "2026-11-21T18:02:00Z") for n in range(150)]
    for name in ("loyalty-20261122.csv", "archive/loyalty-20261121.csv"):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("email", "member_id", "points", "updated"), *rows])
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    create_workspace(tmp_path / "workspace", "Northbeam Coffee").close()
    with Engine.open(tmp_path / "workspace") as engine:
        yield engine


@pytest.fixture
def running(engine: Engine, qapp: QApplication) -> Iterator[Engine]:
    """The engine with its supervisor at work in Qt's loop, as in the program."""
    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    loop.run_until_complete(engine.start())
    # `waitUntil` turns Qt's loop itself; without this the engine's coroutines would not know that they are in theirs.
    asyncio._set_running_loop(loop)
    yield engine
    asyncio._set_running_loop(None)
    assert engine.supervisor is not None
    loop.run_until_complete(engine.supervisor.stop())
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def page(qtbot: QtBot, engine: Engine, shell: Any) -> NewJobPage:
    page = NewJobPage(engine, shell)
    qtbot.addWidget(page)
    page.resize(1068, 800)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.wizard is not None)
    return page


def step(page: NewJobPage) -> str:
    assert page.wizard is not None
    return page.wizard.step


def links(page: NewJobPage, text: str) -> list[LinkButton]:
    """The links of these words that are shown under the page's message."""
    return [link for link in page.banner.findChildren(LinkButton) if link.text() == text and link.isVisible()]


def to_configure(qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path) -> None:
    """Through the first steps by the keyboard's way, with an authorization that is there already."""
    add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})
    page.providers.grid._go_on("file-service")
    assert step(page) == "job_type"
    page.types.grid._go_on("file-service-csv-import")
    qtbot.waitUntil(page.next_button.isEnabled)
    page.next_button.click()
    assert step(page) == "configure"


def enter_file(qtbot: QtBot, page: NewJobPage, name: str) -> None:
    form = page.configure.form
    assert form is not None
    control = form.control("filename")
    assert isinstance(control, QLineEdit)
    control.setText(name)
    qtbot.waitUntil(lambda: page.configure.preview.columns_model.rowCount() == 4)


def test_from_the_tile_to_people(qtbot: QtBot, running: Engine, page: NewJobPage, files: Path, shell: Any) -> None:
    assert not page.next_button.isEnabled()
    tiles = {tile.data.key: tile for tile in page.providers.grid._tiles}
    qtbot.mouseClick(tiles["file-service"], Qt.MouseButton.LeftButton)
    assert page.next_button.text() == "Continue with File Service"
    page.next_button.click()
    types = {tile.data.key: tile for tile in page.types.grid._tiles}
    qtbot.mouseClick(types["file-service-csv-import"], Qt.MouseButton.LeftButton)
    page.next_button.click()
    pane = page.authorizations
    qtbot.waitUntil(lambda: pane.asking)
    assert not page.next_button.isVisible(), "the form has a primary button of its own"
    pane.method.set_value("file-service-folder")
    assert pane.form is not None
    pane.save.click()
    assert pane.name_field.error == "The authorization needs a name."
    pane.name.setText("Downloads")
    pane.form.set_value("folder", str(files / "nowhere"))
    pane.test.click()
    qtbot.waitUntil(page.banner.isVisible)
    assert "There is no folder" in page.banner.text()
    pane.form.set_value("folder", str(files))
    pane.test.click()
    qtbot.waitUntil(lambda: page.banner.text().startswith("It works."))
    pane.save.click()
    qtbot.waitUntil(lambda: step(page) == "configure")
    assert [(info.name, info.state) for info in list_authorizations(running)] == [("Downloads", "works")]

    page.next_button.click()
    form = page.configure.form
    assert form is not None
    assert form.fields["filename"].error == "“File” is missing. Fill it in."
    form.browse.emit("filename")
    dialog = page.configure.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: [row.label for row in dialog.model.rows()] == ["archive", "loyalty-20261122.csv"])
    qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [row.label for row in dialog.model.rows()] == ["loyalty-20261121.csv"])
    qtbot.keyClick(dialog.table, Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 2)
    dialog.filter.setText("loyal")
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 1)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    columns = page.configure.preview.columns_model
    qtbot.waitUntil(lambda: columns.rowCount() == 4)
    assert page.configure.name.text() == "Loyalty"
    stream, time = form.control("stream"), form.control("timestamp_field")
    assert isinstance(stream, ComboBox)
    assert isinstance(time, ComboBox)
    assert (stream.value(), time.value()) == ("loyalty", "updated")
    assert [columns.index(at, TYPE).data() for at in range(4)] == ["Email", "Text", "Whole number", "Date"]

    columns.setData(columns.index(2, TYPE), "number")
    columns.setData(columns.index(2, TARGET), "loyalty_points")
    columns.setData(columns.index(3, TARGET), "")
    columns.setData(columns.index(1, IDENTIFIER), True)
    assert page.wizard is not None
    assert page.wizard.new_fields() == ["email", "member_id", "loyalty_points"]
    page.next_button.click()
    assert step(page) == "review"
    assert '"loyalty_points"' in page.review.json.toPlainText()

    page.next_button.click()
    qtbot.waitUntil(lambda: bool(shell.went), timeout=LONG)
    job = list_jobs(running)[0]
    assert shell.forgotten == ["new_job"]
    assert shell.went == [("job", {"job_id": job.id})]
    qtbot.waitUntil(lambda: list_jobs(running)[0].status == "completed", timeout=LONG)
    assert [(run.trigger, run.added, run.rejected) for run in job_runs(running, job.id)] == [("created", 150, 0)]
    assert count_profiles(running) == 150
    assert find_profile(running, "NB-0007") is not None, "the ticked column names people"


def test_a_file_that_cannot_be_read_is_said_beside_the_form(
    qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path
) -> None:
    to_configure(qtbot, page, engine, files)
    enter_file(qtbot, page, "loyalty-20261122.csv")
    form = page.configure.form
    assert form is not None
    control = form.control("filename")
    assert isinstance(control, QLineEdit)
    control.setText("loyalty.csv")
    qtbot.waitUntil(page.configure.preview.banner.isVisible)
    assert "loyalty.csv" in page.configure.preview.banner.text()
    assert page.wizard is not None
    assert page.wizard.preview is None
    enter_file(qtbot, page, "archive/loyalty-20261121.csv")
    qtbot.waitUntil(page.configure.preview.banner.isHidden)


def test_review_waits_for_what_the_file_holds(qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path) -> None:
    to_configure(qtbot, page, engine, files)
    form = page.configure.form
    assert form is not None
    control = form.control("filename")
    assert isinstance(control, QLineEdit)
    control.setText("loyalty-20261122.csv")
    page.next_button.click()
    assert step(page) == "configure"
    qtbot.waitUntil(lambda: step(page) == "review")
    assert '"timestamp_field": "updated"' in page.review.json.toPlainText()


def test_an_answer_that_is_out_of_date_is_dropped(qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path) -> None:
    to_configure(qtbot, page, engine, files)
    enter_file(qtbot, page, "loyalty-20261122.csv")
    assert page.wizard is not None
    old = page.wizard.preview
    assert old is not None
    asked = page.configure._asked
    page.configure.look_again()
    page.configure._looked(asked, old)
    assert page.configure.preview.spinner.isVisibleTo(page.configure), "the newer question is still open"
    qtbot.waitUntil(page.configure.preview.spinner.isHidden)


def test_going_back_loses_nothing(qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path) -> None:
    to_configure(qtbot, page, engine, files)
    enter_file(qtbot, page, "loyalty-20261122.csv")
    columns = page.configure.preview.columns_model
    columns.setData(columns.index(2, TYPE), "text")
    page.steps.asked.emit(0)
    assert step(page) == "provider"
    page.open()
    for _ in range(2):
        page.next_button.click()
    qtbot.waitUntil(page.next_button.isEnabled)
    page.next_button.click()
    assert step(page) == "configure"
    assert columns.index(2, TYPE).data() == "Text"
    assert page.configure.name.text() == "Loyalty"


def test_a_job_is_edited_and_saved(qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path, shell: Any) -> None:
    place = add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})
    options = {"filename": "loyalty-20261122.csv", "stream": "members", "identifiers": ["email"], "delimiter": ","}
    job_id = create_job(engine, JobDraft("Members", "file-service-csv-import", place, options))
    page.open(job_id=job_id)
    columns = page.configure.preview.columns_model
    qtbot.waitUntil(lambda: columns.rowCount() == 4)
    assert (page.title, page.configure.name.text(), page.back_button.text()) == ("Edit job", "Members", "Cancel")
    columns.setData(columns.index(2, TYPE), "number")
    schedule = page.configure.schedule
    assert schedule is not None
    assert schedule.note.text() == "It runs once."
    schedule.again.setChecked(True)
    schedule.zone.set_value("Europe/Berlin")
    schedule.time.set_value("soon")
    page.next_button.click()
    assert schedule.note.text() == "“soon” is no time of day. Write it as 06:00 or 6:00pm."
    schedule.time.set_value("6:30")
    assert schedule.note.text().count(" 06:30") == 2
    schedule.frequency.set_value("weekly")
    schedule.days[3].setChecked(True)
    page.next_button.click()
    assert page.next_button.text() == "Save"
    page.next_button.click()
    qtbot.waitUntil(lambda: shell.went == [("job", {"job_id": job_id})])
    saved = get_job(engine, job_id).options
    assert saved["types"]["points"] == "number"
    assert get_job(engine, job_id).schedule_text == "Every Monday and Thursday at 06:30 (Europe/Berlin)"
    assert (saved["stream"], saved["delimiter"]) == ("members", ",")
    assert len(list_jobs(engine)) == 1


def test_quiet_hours_are_set_under_advanced_and_shown_with_the_job(
    qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path, shell: Any
) -> None:
    place = add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})
    options = {"filename": "loyalty-20261122.csv", "stream": "members", "identifiers": ["email"], "delimiter": ","}
    schedule = read_schedule({"every": "hourly"})
    job_id = create_job(engine, JobDraft("Members", "file-service-csv-import", place, options, schedule=schedule))
    page.open(job_id=job_id)
    qtbot.waitUntil(lambda: page.configure.preview.columns_model.rowCount() == 4)
    form, edited = page.configure.form, page.configure.schedule
    assert form is not None
    assert edited is not None
    quiet = edited.quiet
    assert not quiet.isVisible()
    form.disclose.click()
    assert quiet.on.isVisible()
    assert not quiet.on.isChecked()
    assert not quiet.start.isVisible()
    quiet.on.click()
    quiet.start.set_value("late")
    form.disclose.click()
    page.next_button.click()
    assert edited.note.text() == "“late” is no time of day. Write it as 06:00 or 6:00pm."
    assert quiet.start.isVisible(), "what is to be mended is unfolded"
    quiet.start.set_value("22:00")
    quiet.zone.set_value("Europe/Berlin")
    quiet.hours.setValue(9)
    page.next_button.click()
    page.next_button.click()
    qtbot.waitUntil(lambda: shell.went == [("job", {"job_id": job_id})])
    assert get_job(engine, job_id).schedule["quiet"] == {"start": "22:00", "zone": "Europe/Berlin", "hours": 9}
    assert get_job(engine, job_id).schedule_text == "Every hour; quiet from 22:00 (Europe/Berlin) for 9 hours"
    page.open(job_id=job_id)
    qtbot.waitUntil(lambda: page.configure.preview.columns_model.rowCount() == 4)
    assert page.configure.schedule is not None
    shown = page.configure.schedule.quiet
    assert (shown.start.value(), shown.hours.value(), shown.zone.value()) == ("22:00", 9, "Europe/Berlin")
    page.configure.schedule.again.setChecked(False)
    assert page.configure.schedule.document() == {}, "what runs once has none"


def test_fields_to_import_are_ticked(qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path) -> None:
    to_configure(qtbot, page, engine, files)
    enter_file(qtbot, page, "loyalty-20261122.csv")
    form = page.configure.form
    assert form is not None
    several = form.control("fields")
    several.model.item(2).setCheckState(Qt.CheckState.Checked)
    columns = page.configure.preview.columns_model
    assert [row.imported for row in columns.rows] == [True, False, True, False], "the identifier comes along"
    assert several.text() == "points"


def test_an_authorization_that_is_gone_is_asked_for_anew(
    qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path
) -> None:
    to_configure(qtbot, page, engine, files)
    delete_authorization(engine, list_authorizations(engine)[0].id)
    page.back_button.click()
    qtbot.waitUntil(lambda: page.authorizations.asking)
    assert page.wizard is not None
    assert page.wizard.authorization_id is None


def test_a_job_without_its_authorization_can_still_be_edited(
    qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path, shell: Any
) -> None:
    place = add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})
    options = {"filename": "loyalty-20261122.csv", "stream": "members", "types": {"points": "number"}}
    job_id = create_job(engine, JobDraft("Members", "file-service-csv-import", place, options))
    delete_authorization(engine, place)
    page.open(job_id=job_id)
    qtbot.waitUntil(lambda: page.steps.step == 3)
    page.configure.name.setFocus()
    page.configure.name.selectAll()
    qtbot.keyClicks(page.configure.name, "Old members")
    page.next_button.click()
    page.next_button.click()
    qtbot.waitUntil(lambda: bool(shell.went))
    job = get_job(engine, job_id)
    assert (job.name, job.options) == ("Old members", options)


@pytest.mark.parametrize("changed", [False, True])
def test_a_servers_key_is_trusted_only_by_an_answer(qtbot: QtBot, page: NewJobPage, changed: bool) -> None:
    error: HostKeyUnknown | HostKeyChanged
    if changed:
        error = HostKeyChanged("sftp.agency.example", 22, "SHA256:old", "SHA256:new", "ssh-ed25519 AAAA")
    else:
        error = HostKeyUnknown("sftp.agency.example", 2222, "ssh-ed25519", "SHA256:new", "ssh-ed25519 AAAA")
    answers: list[str] = []
    dialog = ask_host_key(page, error, lambda: answers.append(error.key))
    assert dialog.focusWidget() is dialog.cancel
    dialog.cancel.click()
    assert answers == []
    dialog = ask_host_key(page, error, lambda: answers.append(error.key))
    dialog.trust.click()
    assert answers == ["ssh-ed25519 AAAA"]


def test_providers_are_found_by_what_they_do(qtbot: QtBot, page: NewJobPage) -> None:
    page.providers.search("slack")
    assert [tile.data.name for tile in page.providers.grid._tiles] == ["Slack"]
    page.providers.search("csv import")
    assert "File Service" in [tile.data.name for tile in page.providers.grid._tiles]
    assert "Slack" not in [tile.data.name for tile in page.providers.grid._tiles]
    page.providers.search("no such thing")
    assert page.providers.none.isVisible()
    page.providers.search("")
    assert isinstance(page.next_button, PrimaryButton)


def test_a_server_is_met_inside_the_wizard(qtbot: QtBot, page: NewJobPage, engine: Engine, sshd: Sshd) -> None:
    remote = sshd.put("wizard/loyalty.csv", b"email,points,updated,note\na@example.com,1,2026-11-21,x\n")
    page.providers.grid._go_on("file-service")
    page.types.grid._go_on("file-service-csv-import")
    pane = page.authorizations
    qtbot.waitUntil(lambda: pane.asking)
    pane.name.setText("Agency")
    assert pane.form is not None
    entered = {
        "host": sshd.host,
        "port": str(sshd.port),
        "user": sshd.user,
        "privatekey": sshd.private_key,
        "folder": str(Path(remote).parent),
    }
    for name, value in entered.items():
        pane.form.set_value(name, value)
    pane.save.click()
    qtbot.waitUntil(lambda: bool(pane.findChildren(HostKeyDialog)))
    assert list_authorizations(engine) == [], "nothing is kept before the key is trusted"
    pane.findChildren(HostKeyDialog)[0].trust.click()
    # There is no keyring here, so a secrets file is offered; then what was begun goes on.
    qtbot.waitUntil(lambda: bool(links(page, "Create secrets file…")), timeout=LONG)
    links(page, "Create secrets file…")[0].click()
    asked = pane.findChildren(PassphraseDialog)[0]
    for field in (asked.passphrase, asked.again):
        field.setText("a long passphrase")
    asked.act()
    qtbot.waitUntil(lambda: step(page) == "configure", timeout=LONG)
    assert [info.state for info in list_authorizations(engine)] == ["works"]
    assert pane.form is None, "the key is not kept in a form that nobody sees"
    form = page.configure.form
    assert form is not None
    form.browse.emit("filename")
    dialog = page.configure.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: [row.label for row in dialog.model.rows()] == ["loyalty.csv"], timeout=LONG)
    dialog.take.click()
    qtbot.waitUntil(lambda: page.configure.preview.columns_model.rowCount() == 4, timeout=LONG)


def test_columns_are_edited_where_they_stand(qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path) -> None:
    to_configure(qtbot, page, engine, files)
    enter_file(qtbot, page, "loyalty-20261122.csv")
    table, model = page.configure.preview.columns, page.configure.preview.columns_model
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(model.index(2, TYPE)).center())
    combo = table.viewport().findChild(ComboBox)
    assert combo is not None
    qtbot.waitUntil(combo.view().isVisible)
    combo.hidePopup()
    combo.set_value("number")
    combo.activated.emit(combo.currentIndex())
    qtbot.waitUntil(lambda: model.index(2, TYPE).data() == "Number")
    table.setCurrentIndex(model.index(2, TARGET))
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Return)
    edit = table.viewport().findChild(QLineEdit)
    assert edit is not None
    qtbot.keyClicks(edit, "score")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: model.index(2, TARGET).data() == "score")
    box = table.visualRect(model.index(1, IDENTIFIER)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=box)
    assert model.rows[1].identifier
    table.setCurrentIndex(model.index(1, IDENTIFIER))
    qtbot.keyClick(table, Qt.Key.Key_Space)
    assert not model.rows[1].identifier


def test_a_column_becomes_a_set_or_an_expression(qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path) -> None:
    to_configure(qtbot, page, engine, files)
    enter_file(qtbot, page, "loyalty-20261122.csv")
    model = page.configure.preview.columns_model
    model.setData(model.index(1, TYPE), "set:;")
    assert model.index(1, TYPE).data() == "Set"
    assert model.data(model.index(1, TYPE), Qt.ItemDataRole.ToolTipRole) == 'set(split(`member_id`, ";"))'
    model.setData(model.index(2, TYPE), OWN_EXPRESSION)
    dialog = page.configure.expression
    assert dialog is not None
    assert dialog.expression.edit.text() == "toint(`points`)"
    dialog.expression.edit.set_text("toint(`points`")
    qtbot.waitUntil(lambda: bool(dialog.expression.edit.problems()))
    dialog.go.click()
    assert dialog.isVisible(), "what can't be read is not taken"
    dialog.expression.edit.set_text("toint(`points`) * 2")
    qtbot.waitUntil(lambda: dialog.table.rows_model.index(0, 1).data() == "2,000")
    dialog.go.click()
    assert model.index(2, TYPE).data() == "toint(`points`) * 2"
    assert page.wizard is not None
    assert page.wizard.draft().options["expressions"] == {
        "member_id": 'set(split(`member_id`, ";"))',
        "points": "toint(`points`) * 2",
    }


def test_what_is_new_in_the_schema_is_said_below_the_columns(
    qtbot: QtBot, page: NewJobPage, engine: Engine, files: Path
) -> None:
    to_configure(qtbot, page, engine, files)
    enter_file(qtbot, page, "loyalty-20261122.csv")
    said = [label.accessibleName() for label in page.configure.preview.findChildren(QLabel)]
    assert "4 new profile fields will be added to the schema: email, member_id, points, updated" in said
