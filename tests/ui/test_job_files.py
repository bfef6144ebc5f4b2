"""The Files tab of a job: what was read and what was sent, by real runs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from pytestqt.qtbot import QtBot

from app.authorizations import list_authorizations
from app.engine import Engine
from app.errors import Refused
from app.jobs import JobDraft, create_job, job_runs
from app.jobs.rebuilding import plan_undo
from ui.pages.jobs.summary import JobPage

LONG = 20_000


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that the desktop was asked to show."""
    found: list[str] = []

    def open_url(url: QUrl) -> bool:
        found.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    return found


def shown(qtbot: QtBot, engine: Engine, shell: Any, job: int) -> JobPage:
    page = JobPage(engine, shell)
    qtbot.addWidget(page)
    page.resize(1068, 800)
    page.show()
    page.open(job_id=job)
    page.tabs.choose("files")
    qtbot.waitUntil(lambda: page.files.model.rowCount() > 0)
    return page


def test_a_file_that_was_read_lies_in_the_folder_of_the_authorization(
    qtbot: QtBot, shop: Engine, shell: Any, opened: list[str]
) -> None:
    page = shown(qtbot, shop, shell, 1)
    (file,) = page.files.model.rows()
    folder = Path(list_authorizations(shop)[0].settings["folder"])
    content = (folder / "members.csv").read_bytes()
    assert (file.sent, file.path, file.size) == (False, "members.csv", len(content))
    page.files.table.select(0)
    page.files.copy.click()
    assert QGuiApplication.clipboard().text() == hashlib.sha256(content).hexdigest()
    page.files.folder.click()
    assert opened == [str(folder)]
    page.files.show_in_folder(file)
    assert len(opened) == 2


def test_a_file_that_was_sent_and_a_folder_that_is_gone(
    qtbot: QtBot, running: Engine, shell: Any, opened: list[str], tmp_path: Path
) -> None:
    place = list_authorizations(running)[0].id
    options = {"segment_id": "all", "filename": "out/everybody.csv"}
    job = create_job(running, JobDraft("Everybody", "file-service-sftp-csv-export", place, options))
    page = JobPage(running, shell)
    qtbot.addWidget(page)
    page.resize(1068, 800)
    page.show()
    page.open(job_id=job)
    page.tabs.choose("files")
    qtbot.waitUntil(lambda: page.title == "Everybody")
    page.run_button.click()
    qtbot.waitUntil(lambda: page.files.model.rowCount() == 1, timeout=LONG)
    qtbot.waitUntil(lambda: job_runs(running, job)[0].status == "completed", timeout=LONG)
    # An export adds and updates nobody, so its runs do not count that.
    titles = [action.text() for action in page.runs.table.column_menu().actions()]
    assert "Rows" in titles
    assert not {"Added", "Updated", "Omitted", "Rejected"} & set(titles)
    (file,) = page.files.model.rows()
    assert (file.sent, file.rows) == (True, 250)
    sent = Path(file.local)
    assert hashlib.sha256(sent.read_bytes()).hexdigest() == file.sha256
    assert not page.runs.undo.isVisibleTo(page.runs), "what was sent can't be taken back"
    with pytest.raises(Refused, match="has sent files"):
        plan_undo(running, job_runs(running, job)[0].id)
    assert [one.name for one in page.chart.chart.series] == ["sent"]
    sent.unlink()
    sent.parent.rmdir()
    page.files.show_in_folder(file)
    assert opened == []
    assert "is not there any more" in page.banner.text()
