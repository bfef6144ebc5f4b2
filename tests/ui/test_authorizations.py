"""The authorizations page on a real workspace, its secrets in a real secrets file, over a real SSH server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from peers.sshd import Sshd
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from app.authorizations import (
    HOST_KEY,
    add_authorization,
    check_authorization,
    edit_authorization,
    get_authorization,
    list_authorizations,
    scan_for_secrets,
)
from app.catalog import Field
from app.engine import Engine
from app.jobs import list_jobs
from app.workspace import create_workspace
from ui.forms.fields import FieldsForm
from ui.pages.authorizations.dialogs import HowCheckedDialog, RenameDialog
from ui.pages.authorizations.form import AuthorizationDialog
from ui.pages.authorizations.page import AuthorizationsPage
from ui.pages.authorizations.vault import PassphraseDialog
from ui.pages.new_job.host_key import HostKeyDialog
from ui.widgets import Banner, ConfirmDialog, LinkButton
from ui.widgets.models import Role

PASSPHRASE = "correct horse battery"
SFTP, FOLDER = "file-service-sftp", "file-service-folder"
MakePage = Callable[[Engine], AuthorizationsPage]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on a new workspace; this computer has no keyring."""
    create_workspace(tmp_path / "workspace", "Test").close()
    with Engine.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def values(sshd: Sshd) -> dict[str, str]:
    """What a person enters for the test server."""
    return {"host": sshd.host, "port": str(sshd.port), "user": sshd.user, "privatekey": sshd.private_key}


@pytest.fixture
def make_page(qtbot: QtBot, shell: Any) -> MakePage:
    def make(engine: Engine) -> AuthorizationsPage:
        page = AuthorizationsPage(engine, shell)
        qtbot.addWidget(page)
        page.resize(1068, 800)
        page.show()
        page.open()
        count = len(list_authorizations(engine))
        qtbot.waitUntil(lambda: page.model.rowCount() == count)
        return page

    return make


def cell(page: AuthorizationsPage, row: int, key: str, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
    keys = [column.key for column in page.model.columns]
    return page.model.index(row, keys.index(key)).data(role)


def dialog_of(qtbot: QtBot, kind: type[QDialog]) -> Any:
    """The dialog of this kind that is open, once it is."""
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), kind))
    return QApplication.activeModalWidget()


def link_in(qtbot: QtBot, banner: Banner, text: str) -> LinkButton:
    """The link under a banner's message, once it is there."""
    qtbot.waitUntil(lambda: any(link.text() == text for link in banner.findChildren(LinkButton) if link.isVisible()))
    return next(link for link in banner.findChildren(LinkButton) if link.text() == text and link.isVisible())


def test_from_nothing_to_a_server_that_works(
    qtbot: QtBot, engine: Engine, make_page: MakePage, values: dict[str, str], sshd: Sshd
) -> None:
    page = make_page(engine)
    qtbot.waitUntil(page.start.isVisible)
    assert not page.check_all.isEnabled()
    qtbot.waitUntil(page.vault_banner.isVisible)
    assert page.vault_banner.text().startswith(engine.vault.state().sentence)

    page.start.click()
    form: AuthorizationDialog = dialog_of(qtbot, AuthorizationDialog)
    form.method.set_value(SFTP)
    form.go.click()
    assert form.name_field.error
    assert [name for name, field in form.form.fields.items() if field.error] == ["host", "user"]
    form.name.setText("Agency SFTP")
    for name, value in values.items():
        form.form.set_value(name, value)
    assert not any(field.error for field in form.form.fields.values())

    form.test.click()
    asked: HostKeyDialog = dialog_of(qtbot, HostKeyDialog)
    assert sshd.fingerprint in [label.text() for label in asked.findChildren(type(page.promise))]
    asked.trust.click()
    qtbot.waitUntil(form.banner.isVisible)
    assert form.banner.text().startswith("It works: ")
    assert list_authorizations(engine) == []

    # Without a keyring the secret needs a file, made on the way; then it is saved without asking again.
    form.go.click()
    link_in(qtbot, form.banner, "Create secrets file…").click()
    file: PassphraseDialog = dialog_of(qtbot, PassphraseDialog)
    file.passphrase.setText("short")
    file.go.click()
    assert "8 characters" in file.first.error
    file.passphrase.setText(PASSPHRASE)
    file.again.setText(PASSPHRASE + "!")
    file.go.click()
    assert "differs" in file.second.error
    file.again.setText(PASSPHRASE)
    file.go.click()

    qtbot.waitUntil(lambda: page.model.rowCount() == 1 and cell(page, 0, "state") == "Works")
    assert (cell(page, 0, "name"), cell(page, 0, "name", Role.SECONDARY)) == ("Agency SFTP", "SFTP server")
    assert cell(page, 0, "state", Role.SECONDARY) == "checked just now"
    assert (cell(page, 0, "used"), cell(page, 0, "where")) == ("No job", "Private key: encrypted secrets file")
    qtbot.waitUntil(lambda: "hold no secret of this authorization" in page.promise.text())
    assert page.vault_banner.isHidden()
    assert get_authorization(engine, 1).settings[HOST_KEY] == sshd.host_key


def test_an_unknown_key_is_asked_about_and_a_wrong_password_is_told(
    qtbot: QtBot, engine: Engine, make_page: MakePage, values: dict[str, str], sshd: Sshd
) -> None:
    engine.vault.create_file(PASSPHRASE)
    del values["privatekey"]
    added = add_authorization(engine, SFTP, "Agency SFTP", values | {"password": "not-the-password"})
    page = make_page(engine)
    assert (cell(page, 0, "state"), cell(page, 0, "state", Role.SECONDARY)) == ("Not checked yet", "")
    page.table.select(0)
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert cell(page, 0, "state") == "Checking…"
    dialog_of(qtbot, HostKeyDialog).cancel.click()
    qtbot.waitUntil(lambda: cell(page, 0, "state") == "Not checked yet")

    page.check_all.click()
    dialog_of(qtbot, HostKeyDialog).trust.click()
    qtbot.waitUntil(lambda: str(cell(page, 0, "state")).startswith("Failing since "))
    info = get_authorization(engine, added)
    assert sshd.user in info.state_message
    assert cell(page, 0, "state", Role.SECONDARY) == info.state_message
    assert page.banner.text().startswith(info.state_message)

    # The secret that works now is entered; what stays blank stays as it is.
    page.activateWindow()
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    form: AuthorizationDialog = dialog_of(qtbot, AuthorizationDialog)
    assert form.form.values()["host"] == sshd.host
    assert "password" not in form.form.values()
    form.form.read_file("privatekey", sshd.key_file)
    form.go.click()
    qtbot.waitUntil(lambda: cell(page, 0, "state") == "Works")
    assert get_authorization(engine, added).secret_names == ("password", "privatekey")
    assert engine.vault.load(added, ["password"]) == {"password": "not-the-password"}


def test_another_key_is_told_before_it_is_trusted(
    qtbot: QtBot, engine: Engine, make_page: MakePage, values: dict[str, str], sshd: Sshd
) -> None:
    engine.vault.create_file(PASSPHRASE)
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm3ArZXk3bM5Wv4U0d3kz1yqfJxZk2mZ5dYQ0e2m5aS"
    added = add_authorization(engine, SFTP, "Agency", values | {HOST_KEY: other})
    page = make_page(engine)
    page.check(list_authorizations(engine))
    dialog_of(qtbot, HostKeyDialog).trust.click()
    qtbot.waitUntil(lambda: cell(page, 0, "state") == "Works")
    assert get_authorization(engine, added).settings[HOST_KEY] == sshd.host_key

    # The key is the server's: with another host it is forgotten.
    form = page.re_authorize(get_authorization(engine, added))
    assert form.form.values()[HOST_KEY] == sshd.host_key
    form.form.set_value("host", "localhost")
    assert HOST_KEY not in form.form.values()
    form.reject()


def test_renaming_and_deleting_name_what_stops(qtbot: QtBot, shop: Engine, make_page: MakePage) -> None:
    page = make_page(shop)
    assert cell(page, 0, "used") == "2 jobs"
    page.table.select(0)
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_F2)
    rename: RenameDialog = dialog_of(qtbot, RenameDialog)
    rename.name.clear()
    rename.go.click()
    assert rename.field.error
    QTest.keyClicks(rename.name, "Export files\r")
    qtbot.waitUntil(lambda: cell(page, 0, "name") == "Export files")

    menu = page.menu(page.table.selected())
    assert menu is not None
    said = [action.text().split("\t")[0] for action in menu.actions() if action.text()]
    assert said == ["Check", "Re-authorize…", "Rename…", "Delete…"]
    page.activateWindow()
    page.table.setFocus()
    qtbot.waitUntil(page.table.hasFocus)
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    question: ConfirmDialog = dialog_of(qtbot, ConfirmDialog)
    shown = " ".join(label.text() for label in question.findChildren(type(page.promise)))
    assert "“Export files”" in shown
    assert "“Loyalty members” and “Web shop” can't run without it." in shown
    question.go.click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 0 and page.start.isVisible())
    assert [job.authorization_id for job in list_jobs(shop)] == [None, None]


def test_search_and_changes_from_elsewhere(qtbot: QtBot, engine: Engine, make_page: MakePage, tmp_path: Path) -> None:
    for name in ("Agency", "Shop"):
        add_authorization(engine, FOLDER, name, {"folder": str(tmp_path)})
    page = make_page(engine)
    assert page.search is not None
    QTest.keyClicks(page.search, "aGen\r")
    assert [row.info.name for row in page.model.rows()] == ["Agency"]
    QTest.keyClicks(page.search, "x\r")
    assert page.empty.title.text() == "Nothing found for “aGenx”"
    assert not page.start.isVisible()
    QTest.keyClick(page.search, Qt.Key.Key_Escape)
    edit_authorization(engine, 1, name="Other agency")
    qtbot.waitUntil(lambda: cell(page, 0, "name") == "Other agency")
    check_authorization(engine, 1)
    (tmp_path / "workspace" / "logs").mkdir(exist_ok=True)
    edit_authorization(engine, 2, values={"folder": str(tmp_path / "missing")})
    page.check_all.click()
    qtbot.waitUntil(page.banner.isVisible)
    assert page.banner.text().startswith("1 of 2 authorizations did not work: “Shop”.")


def test_a_secret_in_plain_text_is_told(
    qtbot: QtBot, engine: Engine, make_page: MakePage, values: dict[str, str]
) -> None:
    engine.vault.create_file(PASSPHRASE)
    add_authorization(engine, SFTP, "Agency", values | {"password": "sesame-open"})
    page = make_page(engine)
    qtbot.waitUntil(lambda: page.promise.text().startswith("Checked just now: the workspace file and logs hold no"))
    page.how.click()
    dialog_of(qtbot, HowCheckedDialog).close_button.click()
    (engine.workspace.folder / "note.txt").write_text("the password is sesame-open")
    assert scan_for_secrets(engine) == ["note.txt"]
    page.open()
    qtbot.waitUntil(page.banner.isVisible)
    assert "note.txt" in page.banner.text()
    assert "A secret stands in plain text" in page.promise.text()
    assert page.promise.property("kind") == "error"


def test_a_locked_secrets_file_is_unlocked(
    qtbot: QtBot, engine: Engine, make_page: MakePage, values: dict[str, str], sshd: Sshd
) -> None:
    engine.vault.create_file(PASSPHRASE)
    add_authorization(engine, SFTP, "Agency", values | {HOST_KEY: sshd.host_key})
    folder = engine.workspace.folder
    engine.close()
    with Engine.open(folder) as again:
        page = make_page(again)
        qtbot.waitUntil(page.vault_banner.isVisible)
        qtbot.waitUntil(lambda: "was not checked" in page.promise.text())
        page.check_all.click()
        qtbot.waitUntil(page.banner.isVisible)
        qtbot.waitUntil(lambda: cell(page, 0, "state") == "Not checked yet")
        link_in(qtbot, page.vault_banner, "Unlock…").click()
        dialog_of(qtbot, PassphraseDialog).cancel.click()
        form = page.re_authorize(get_authorization(again, 1))
        form.test.click()
        link_in(qtbot, form.banner, "Unlock…").click()
        asked: PassphraseDialog = dialog_of(qtbot, PassphraseDialog)
        asked.passphrase.setText("something else")
        asked.go.click()
        qtbot.waitUntil(lambda: "does not open" in asked.first.error)
        asked.passphrase.setText(PASSPHRASE)
        asked.go.click()
        qtbot.waitUntil(lambda: form.banner.text().startswith("It works: "))
        form.reject()
        qtbot.waitUntil(lambda: "hold no secret" in page.promise.text() and page.vault_banner.isHidden())
        page.check_all.click()
        qtbot.waitUntil(lambda: cell(page, 0, "state") == "Works")


def test_a_form_of_fields(qtbot: QtBot, tmp_path: Path) -> None:
    fields = (
        Field("host", "Host", "text", required=True),
        Field("port", "Port", "number", default="22"),
        Field("token", "Token", "password", required=True, secret=True),
        Field("key", "Key", "multiline", secret=True),
        Field("proxy", "Proxy", "text", required=True, advanced=True),
        Field("host_key", "Host key", "hidden"),
    )
    form = FieldsForm(fields, {"host": "a.example"}, kept_secrets=["token"])
    qtbot.addWidget(form)
    form.show()
    assert form.values() == {"host": "a.example", "port": "22"}
    assert not form.control("proxy").isVisible()
    assert not form.complete()
    assert form.control("proxy").isVisible()
    assert [name for name, field in form.fields.items() if field.error] == ["proxy"]
    QTest.keyClicks(form.control("proxy"), "p")
    QTest.keyClicks(form.control("port"), "x1")
    form.set_value("host_key", "ssh-ed25519 AAAA")
    assert form.complete()
    assert form.values() == {"host": "a.example", "port": "221", "proxy": "p", "host_key": "ssh-ed25519 AAAA"}
    picture = tmp_path / "key.png"
    picture.write_bytes(b"\x89PNG\xff")
    form.read_file("key", picture)
    assert "key.png" in form.fields["key"].error
