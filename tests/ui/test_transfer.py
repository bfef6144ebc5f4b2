"""The page of quick transfers, used as a person uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from peers.sshd import Sshd
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.authorizations import add_authorization, list_authorizations
from app.engine import Engine
from app.transfer.model import Column, End, Transfer, Writing
from app.transfer.recipes import recipe_of, recipe_text
from app.transfer.saved import list_transfers, save_transfer
from ui.pages.new_job.host_key import HostKeyDialog
from ui.pages.transfer.columns import TAKEN, TO
from ui.pages.transfer.dialogs import AuthorizationsDialog, NameDialog
from ui.pages.transfer.ends import dropped_path
from ui.pages.transfer.page import TransferPage
from ui.theme import current_theme

MEMBERS = "email,first,last,city,points\n" + "".join(
    f"member{number}@shop.example,Maja{number},Łindholm,Malmö,{1000 + number}\n" for number in range(400)
)


@pytest.fixture
def members(tmp_path: Path) -> Path:
    folder = tmp_path / "outgoing"
    folder.mkdir()
    file = folder / "members.csv"
    file.write_text(MEMBERS)
    return file


@pytest.fixture
def page(running: Engine, shell: Any, qtbot: QtBot) -> TransferPage:
    shown = TransferPage(running, shell)
    qtbot.addWidget(shown)
    shown.resize(1068, 760)
    shown.show()
    shown.open()
    return shown


def picture(widget: QWidget, pictures: Path | None, name: str) -> None:
    if pictures:
        for theme in ("light", "dark"):
            current_theme().choose(theme)
            widget.grab().save(str(pictures / f"transfer-{name}-{theme}.png"))
        current_theme().choose("light")


def titles(table: Any) -> list[str]:
    model = table.model()
    return [model.headerData(at, Qt.Orientation.Horizontal) for at in range(model.columnCount())]


def test_a_file_is_changed_on_its_way_and_its_transfer_made_again(
    page: TransferPage, running: Engine, members: Path, qtbot: QtBot, pictures: Path | None
) -> None:
    target = members.parent / "for-partner.csv"
    picture(page, pictures, "empty")
    assert not page.run_button.isEnabled()
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(members))])
    page.source.take(dropped_path(dropped))
    page.target.path.setText(str(target))
    qtbot.waitUntil(lambda: page.after.columns() == 5)
    assert page.sentence.text() == "The file is copied as it is, byte by byte."
    model = page.columns.model
    model.setData(model.index(1, TAKEN), None)
    model.setData(model.index(3, TO), "TOWN")
    page.columns.table.setCurrentIndex(model.index(4, TO))
    qtbot.keyClick(page.columns.table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: titles(page.after) == ["email", "last", "points", "TOWN"])
    assert titles(page.before) == ["email", "first", "last", "city", "points"]
    page.target.encoding.set_value("cp1252")
    page.target.delimiter.set_value(";")
    qtbot.waitUntil(lambda: not page.run_button.isEnabled() or page.notes.count() > 1)
    picture(page, pictures, "rejected")
    page.target.encoding.set_value("")
    qtbot.waitUntil(lambda: page.after.model().rowCount() == 100)
    picture(page, pictures, "preview")
    page.target.encoding.set_value("")
    page.tabs.choose("columns")
    picture(page, pictures, "columns")
    page.tabs.choose("writing")
    picture(page, pictures, "writing")
    page.tabs.choose("reading")
    picture(page, pictures, "reading")
    page.tabs.choose("after")
    qtbot.mouseClick(page.run_button, Qt.MouseButton.LeftButton)
    assert not page.run_button.isEnabled()
    qtbot.waitUntil(page.result.isVisible, timeout=15_000)
    assert page.result.headline.text().startswith("Transferred in ")
    assert "400 rows" in page.result.headline.text()
    picture(page, pictures, "result")
    page.resize(812, 660)
    picture(page, pictures, "narrow")
    page.resize(1068, 760)
    text = target.read_text()
    assert text.startswith("email;last;points;TOWN\nmember0@shop.example;Łindholm;1000;Malmö\n")
    target.unlink()
    page.clear()
    assert (page.source.path.text(), page.target.path.text()) == ("", "")
    page.tabs.choose("recent")
    qtbot.waitUntil(lambda: page.recent.model.rowCount() == 1)
    page.recent.table.select(0)
    picture(page, pictures, "recent")
    qtbot.mouseClick(page.recent.run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.result.isVisible, timeout=15_000)
    assert target.read_text() == text
    [saved] = list_transfers(running)
    assert (saved.name, saved.rows, saved.transfer.columns[3]) == (
        "members.csv to for-partner.csv", 400, Column("city", "TOWN"),
    )  # fmt: skip


def test_what_goes_wrong_is_a_sentence(page: TransferPage, members: Path, qtbot: QtBot, pictures: Path | None) -> None:
    page.source.path.setText(str(members.parent / "missing.csv"))
    page.target.path.setText(str(members.parent / "out.csv.pgp"))
    assert page.sentence.text().startswith("By its name, out.csv.pgp would be encrypted, but there is no key")
    assert not page.run_button.isEnabled()
    page.target.path.setText(str(members.parent / "out.csv"))
    qtbot.waitUntil(page.banner.isVisible)
    assert "missing.csv is not there." in page.banner.text()
    picture(page, pictures, "missing")
    page.source.path.setText(str(members))
    qtbot.waitUntil(lambda: page.after.columns() == 5)
    qtbot.waitUntil(lambda: not page.banner.isVisible())
    page.target.encoding.set_value("cp1252")
    qtbot.waitUntil(lambda: page.notes.count() > 1)
    note = page.notes.itemAt(0).widget()
    assert note is not None
    assert "100 of these rows can't be taken over" in note._label.text()
    qtbot.mouseClick(page.run_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.banner.isVisible, timeout=15_000)
    assert "None of the 400 rows of members.csv could be taken over." in page.banner.text()
    assert not (members.parent / "out.csv").exists()
    page.target.path.setText(str(members))
    assert page.sentence.text().startswith("The file would replace itself.")
    page.target.path.setText(str(members.parent / "out.csv"))
    page.columns.none.click()
    assert page.sentence.text().startswith("No column is taken over.")


def test_a_transfer_from_a_place_is_kept_and_handed_on(
    page: TransferPage, running: Engine, members: Path, qtbot: QtBot, pictures: Path | None
) -> None:
    [files] = list_authorizations(running)
    qtbot.waitUntil(lambda: page.source.place.findText("Files") > 0)
    page.source.place.set_value(files.id)
    page.source.browse()
    assert page.source.dialog is not None
    dialog = page.source.dialog
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 2)
    dialog.take.click()
    assert page.source.path.text() == "members.csv"
    page.target.path.setText(f"{members.parent}/")
    qtbot.waitUntil(lambda: page.after.columns() == 7)
    qtbot.waitUntil(lambda: "members.csv is there already" in page.target.path_field._note.text())
    page.target.form.set_value("json")
    qtbot.waitUntil(lambda: titles(page.after) == ["JSON, one record a line"])
    qtbot.waitUntil(lambda: page.target.path_field._note.text() == "It will be called members.jsonl.")
    page.ask_name()
    [ask] = page.findChildren(NameDialog)
    ask.name.setText("Members as JSON")
    ask.go.click()
    qtbot.waitUntil(lambda: [one.name for one in list_transfers(running)] == ["Members as JSON"])
    [saved] = list_transfers(running)
    assert saved.transfer.source == End("members.csv", files.id)
    text = recipe_text(running, saved.transfer).replace("Files", "Their folder")
    recipe = members.parent / "x.causeway-transfer.yaml"
    recipe.write_text(text)
    page.clear()
    page.open_recipe_file(recipe)
    qtbot.waitUntil(lambda: bool(page.findChildren(AuthorizationsDialog)))
    [which] = page.findChildren(AuthorizationsDialog)
    picture(which, pictures, "which")
    which.go.click()
    qtbot.waitUntil(lambda: page.source.path.text() == "members.csv")
    assert page.target.form.value() == "json"
    assert page.source.place.value() == files.id


def test_a_running_transfer_is_stopped(page: TransferPage, members: Path, qtbot: QtBot, pictures: Path | None) -> None:
    with members.open("a") as file:
        for _ in range(500):
            file.write(MEMBERS.split("\n", 1)[1])
    page.source.path.setText(str(members))
    page.target.path.setText(str(members.parent / "out.csv.gz"))
    page.target.form.set_value("csv")
    page.target.delimiter.set_value(";")
    page.run()
    qtbot.waitUntil(lambda: "Rewriting" in page.progress.label.text(), timeout=15_000)
    picture(page, pictures, "running")
    page.progress.stop.click()
    qtbot.waitUntil(page.banner.isVisible, timeout=15_000)
    assert page.banner.text().startswith("The transfer was stopped.")
    assert [path.name for path in members.parent.iterdir()] == ["members.csv"]
    qtbot.waitUntil(page.run_button.isEnabled)


def test_a_kept_transfer_fills_the_whole_form(page: TransferPage, running: Engine, members: Path, qtbot: QtBot) -> None:
    transfer = Transfer(
        End(str(members)),
        End(str(members.parent / "out.csv.gz")),
        name="For the partner",
        columns=(Column("points", "SCORE"), Column("email")),
        writing=Writing(form="csv", encoding="utf-16", line_end="crlf", header=False, quote="none"),
        split_rows=150,
        unpack=True,
        pack="gz",
    )
    save_transfer(running, transfer)
    page.show_transfer(transfer)
    qtbot.waitUntil(lambda: page.columns.model.rowCount() == 5)
    assert page.transfer() == transfer
    recipe = recipe_of(running, recipe_text(running, transfer), "x")
    page.show_transfer(recipe.transfer({}))
    assert page.transfer() == transfer


def test_a_server_is_trusted_where_it_is_asked_for(
    page: TransferPage, running: Engine, sshd: Sshd, tmp_path: Path, qtbot: QtBot
) -> None:
    running.vault.create_file("four words of mine")
    sshd.put("remote.csv", MEMBERS.encode())
    values = {"host": sshd.host, "port": str(sshd.port), "user": sshd.user, "privatekey": sshd.private_key}
    server = add_authorization(running, "file-service-sftp", "Agency SFTP", values | {"folder": str(sshd.files)})
    page.refresh()
    qtbot.waitUntil(lambda: page.source.place.findText("Agency SFTP") > 0)
    page.source.place.set_value(server)
    page.source.path.setText("remote.csv")
    page.target.path.setText(str(tmp_path / "here.csv"))
    qtbot.waitUntil(lambda: bool(page.findChildren(HostKeyDialog)), timeout=10_000)
    assert page.banner.isVisible()
    [ask] = page.findChildren(HostKeyDialog)
    ask.trust.click()
    qtbot.waitUntil(lambda: page.after.columns() == 5, timeout=10_000)
    assert not page.banner.isVisible()
    page.run()
    qtbot.waitUntil(page.result.isVisible, timeout=20_000)
    assert (tmp_path / "here.csv").read_text() == MEMBERS
    assert "the same bytes" in page.result.headline.text()
