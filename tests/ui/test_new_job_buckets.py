"""The wizard over an object store: buckets are offered, folders and files browsed, the first rows of one shown."""

from __future__ import annotations

from functools import partial
from typing import Any

from peers.s3 import ACCESS_KEY, S3, SECRET_KEY
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.authorizations import add_authorization
from app.engine import Engine
from ui.pages.new_job.browse import BrowseDialog
from ui.pages.new_job.page import NewJobPage
from ui.widgets import ComboBox

LONG = 20_000


def shows(dialog: BrowseDialog, name: str) -> bool:
    return [row.label for row in dialog.model.rows()] == [name]


def test_a_file_of_a_bucket(qtbot: QtBot, shop: Engine, shell: Any, s3: S3) -> None:
    bucket = s3.bucket()
    s3.put(bucket, "outgoing/loyalty-20261122.csv", b"email,points\nmaja@example.com,12\nann@example.com,7\n")
    shop.vault.create_file("correct horse battery")
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "api_address": s3.address, "region": "us-east-1"}
    add_authorization(shop, "aws-keys", "Agency S3", keys)
    page = NewJobPage(shop, shell)
    qtbot.addWidget(page)
    page.resize(1068, 800)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.wizard is not None)
    page.providers.grid._go_on("amazon-s3")
    page.types.grid._go_on("s3-import")
    qtbot.waitUntil(page.next_button.isEnabled)
    page.next_button.click()
    form = page.configure.form
    assert form is not None
    buckets, file = form.control("bucket"), form.control("filename")
    assert isinstance(buckets, ComboBox)
    assert isinstance(file, QLineEdit)
    qtbot.waitUntil(lambda: buckets.findText(bucket) >= 0, timeout=LONG)
    buckets.set_value(bucket)
    form.browse.emit("filename")
    dialog = page.configure.dialog
    assert dialog is not None
    for name in ("outgoing", "loyalty-20261122.csv"):
        qtbot.waitUntil(partial(shows, dialog, name), timeout=LONG)
        QTest.keyClick(dialog.table, Qt.Key.Key_Return)
    assert file.text().endswith("outgoing/loyalty-20261122.csv")
    qtbot.waitUntil(lambda: page.configure.preview.columns_model.rowCount() == 2, timeout=LONG)
    assert page.wizard is not None
    assert [column.name for column in page.wizard.columns()] == ["email", "points"]
    assert (page.wizard.name, page.test_button.text()) == ("Loyalty", "Test run, 2 rows")
