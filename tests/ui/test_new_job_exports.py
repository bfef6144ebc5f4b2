"""Exports in the wizard, from people to a file; folders that are browsed; the test run of an import."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.authorizations import list_authorizations
from app.engine import Engine
from app.jobs import get_job, job_runs, list_jobs
from app.jobs.wizard import Choice
from app.profiles import count_profiles
from ui.forms.audience import AudienceField
from ui.forms.people_fields import FieldsField
from ui.pages.new_job.browse import BrowseDialog
from ui.pages.new_job.page import NewJobPage
from ui.widgets import Button, ElidedLabel

LONG = 20_000
"""Milliseconds that a run may take on a busy machine."""
MakePage = Callable[[Engine], NewJobPage]


@pytest.fixture
def make_page(qtbot: QtBot, shell: Any) -> MakePage:
    def make(engine: Engine) -> NewJobPage:
        page = NewJobPage(engine, shell)
        qtbot.addWidget(page)
        page.resize(1068, 800)
        page.show()
        page.open()
        qtbot.waitUntil(lambda: page.wizard is not None)
        return page

    return make


def to_configure(qtbot: QtBot, page: NewJobPage, job_type: str) -> None:
    """With the authorization that is there."""
    page.providers.grid._go_on("file-service")
    page.types.grid._go_on(job_type)
    qtbot.waitUntil(page.next_button.isEnabled)
    page.next_button.click()
    assert page.wizard is not None
    assert page.wizard.step == "configure"


def columns_shown(page: NewJobPage) -> list[str]:
    model = page.configure.preview.rows.model()
    return [model.headerData(at, Qt.Orientation.Horizontal) for at in range(model.columnCount())]


def test_an_export_from_people_to_a_file(qtbot: QtBot, running: Engine, make_page: MakePage, shell: Any) -> None:
    page = make_page(running)
    to_configure(qtbot, page, "file-service-sftp-csv-export")
    assert not page.test_button.isVisible(), "a test run is one of an import"
    form, preview = page.configure.form, page.configure.preview
    assert form is not None
    page.next_button.click()
    assert "is missing" in form.fields["segment_id"].error
    who, fields = form.control("segment_id"), form.control("fields")
    assert isinstance(who, AudienceField)
    assert isinstance(fields, FieldsField)
    who.choice.set_value("search:")
    who.search.setText("berlin")
    qtbot.waitUntil(lambda: who.count.text() == "83 people")
    assert page.configure.name.text() == "Search “berlin” to File Service"
    qtbot.waitUntil(lambda: preview.about.text().startswith("83 people"), timeout=LONG)
    assert preview.stack.currentWidget() is preview.rows
    for name in ("city", "email"):
        fields.add_choice.set_value(name)
        fields._add()
    qtbot.waitUntil(lambda: columns_shown(page) == ["city", "email"], timeout=LONG)
    assert page.wizard is not None
    assert page.wizard.preview is not None
    assert page.wizard.preview.file.startswith("search_berlin_")
    page.next_button.click()
    assert page.wizard.step == "review"
    page.next_button.click()
    qtbot.waitUntil(lambda: bool(shell.went), timeout=LONG)
    job = max(job.id for job in list_jobs(running))
    qtbot.waitUntil(lambda: job_runs(running, job)[0].status != "running", timeout=LONG)
    assert job_runs(running, job)[0].status == "completed", job_runs(running, job)[0].message
    assert get_job(running, job).options["fields"] == ["city", "email"]
    folder = Path(next(info.settings["folder"] for info in list_authorizations(running)))
    (file,) = folder.glob("search_berlin_*.csv")
    with file.open(newline="", encoding="utf-8-sig") as opened:
        header, *rows = csv.reader(opened)
    assert header == ["city", "email"]
    assert len(rows) == 83
    assert {row[0] for row in rows} == {"Berlin"}

    page.open(job_id=job)
    qtbot.waitUntil(lambda: page.wizard is not None and page.wizard.editing == job)
    assert page.configure.form is not None
    kept_who, kept_fields = page.configure.form.control("segment_id"), page.configure.form.control("fields")
    assert isinstance(kept_who, AudienceField)
    assert isinstance(kept_fields, FieldsField)
    assert (kept_who.search.text(), kept_fields.value()) == ("berlin", ["city", "email"])
    qtbot.waitUntil(lambda: columns_shown(page) == ["city", "email"], timeout=LONG)


def test_a_test_run_shows_people_and_keeps_nothing(qtbot: QtBot, shop: Engine, make_page: MakePage) -> None:
    page = make_page(shop)
    to_configure(qtbot, page, "file-service-csv-import")
    assert not page.test_button.isEnabled()
    before = count_profiles(shop)
    assert page.configure.form is not None
    name = page.configure.form.control("filename")
    assert isinstance(name, QLineEdit)
    name.setText("members.csv")
    qtbot.waitUntil(page.test_button.isEnabled)
    assert page.test_button.text() == "Test run, 100 rows"
    page.test_button.click()
    dialog = page.trial
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.people_model.rowCount() == 100)
    facts = [label.accessibleName() for label in dialog.facts.findChildren(ElidedLabel)]
    assert facts[:4] == ["Rows read: 100", "People: 100", "New here: 0", "Here already: 100"]
    shown = {row.field: row.text for row in dialog.values_model.rows()}
    assert shown["email"] == "member0@example.com"
    assert dialog.fields_model.rowCount() == len(dialog.trial.fields if dialog.trial else ()) > 4
    dialog.accept()
    assert count_profiles(shop) == before


def test_folders_are_walked_by_keys_and_by_the_way_back(qtbot: QtBot, shop: Engine) -> None:
    tree = {
        "": [Choice("northbeam", "northbeam", folder=True)],
        "northbeam": [Choice("northbeam/out", "out", folder=True), Choice("northbeam/in", "in", folder=True)],
        "northbeam/out": [],
    }
    taken: list[str] = []
    parent = Button("")
    qtbot.addWidget(parent)
    dialog = BrowseDialog(
        parent, shop, "Folder", lambda path: tree[path], taken.append, start="Agency S3", folders=True
    )
    dialog.open()
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 1)
    assert not dialog.take.isEnabled(), "the place itself is no folder"
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 2)
    assert dialog.count.text() == "2 entries"
    QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.count.text() == "0 entries")
    crumbs = [crumb for crumb in dialog.place.findChildren(Button) if crumb.isVisible()]
    assert [crumb.text() for crumb in crumbs] == ["Agency S3 ›", "northbeam ›"]
    crumbs[1].click()
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 2)
    dialog.take.click()
    assert taken == ["northbeam"]


def test_ten_thousand_files_are_filtered_at_once(qtbot: QtBot, shop: Engine) -> None:
    files = [Choice(f"out/orders-{at:05}.csv", f"orders-{at:05}.csv", size=at) for at in range(10_000)]
    taken: list[str] = []
    parent = Button("")
    qtbot.addWidget(parent)
    dialog = BrowseDialog(parent, shop, "File", lambda path: files, taken.append)
    dialog.open()
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 10_000)
    dialog.filter.setText("-09999")
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 1)
    assert dialog.count.text() == "1 of 10,000 entries"
    dialog.take.click()
    assert taken == ["out/orders-09999.csv"]
