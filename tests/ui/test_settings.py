"""The settings page on a real workspace: what it changes is changed, what it writes can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.engine import Engine
from app.login_start import DesktopEntry, start_at_login, starts_at_login
from app.profiles import count_profiles
from app.workspace import open_workspace, recent_workspaces
from app.workspace.settings import SETTINGS
from ui.pages.settings.page import SettingsPage
from ui.shell.engine_view import EngineView
from ui.shell.pages import PageSpec
from ui.shell.window import MainWindow
from ui.theme import current_theme


@pytest.fixture
def settings(qtbot: QtBot, shop: Engine, shell: Any, monkeypatch: pytest.MonkeyPatch) -> SettingsPage:
    # No test writes to where the developer's own desktop looks.
    monkeypatch.delenv("XDG_CURRENT_DESKTOP", raising=False)
    page = SettingsPage(shop, shell)
    qtbot.addWidget(page)
    page.resize(1000, 900)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.numbers["workers"].value() == 4 and not page.rename.isEnabled())
    return page


def test_what_there_is_to_set_is_said_in_the_settings_own_sentences(settings: SettingsPage, shop: Engine) -> None:
    said = [label.text() for label in settings.findChildren(QLabel)]
    assert [name for name, setting in SETTINGS.items() if setting.sentence not in said] == []
    assert shop.vault.state().sentence in said


def test_the_theme_changes_at_once_and_is_kept(qtbot: QtBot, settings: SettingsPage, shop: Engine) -> None:
    settings.theme_button("dark").click()
    assert current_theme().mode == "dark"
    qtbot.waitUntil(lambda: shop.workspace.setting("theme") == "dark")


def test_the_number_of_jobs_at_once_is_kept_within_its_limits(
    qtbot: QtBot, settings: SettingsPage, shop: Engine
) -> None:
    settings.numbers["workers"].selectAll()
    QTest.keyClicks(settings.numbers["workers"], "12")
    QTest.keyClick(settings.numbers["workers"], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shop.workspace.setting("workers") == 12)
    assert (settings.numbers["workers"].minimum(), settings.numbers["workers"].maximum()) == (1, 16)
    assert settings.numbers["workers"].lineEdit().width() > 30, "the number is seen"
    settings.numbers["keep_ended_days"].setValue(30)
    qtbot.waitUntil(lambda: shop.workspace.setting("keep_ended_days") == 30)


def test_a_new_name_reaches_the_workspace_and_the_rail(qtbot: QtBot, shop: Engine) -> None:
    window = MainWindow(
        EngineView(shop), [PageSpec("settings", "Settings", "settings", lambda shell: SettingsPage(shop, shell))]
    )
    qtbot.addWidget(window)
    window.show()
    window.start()
    page = window.page()
    assert isinstance(page, SettingsPage)
    page.name.selectAll()
    QTest.keyClicks(page.name, "Harbour Books\r")
    qtbot.waitUntil(lambda: window.rail.card.name == "Harbour Books")
    assert shop.workspace.name == "Harbour Books"
    assert not page.rename.isEnabled()
    page.name.selectAll()
    QTest.keyClicks(page.name, " ")
    assert not page.rename.isEnabled()
    assert page.name_field.error == "The workspace needs a name."


def test_the_folder_is_shown_in_the_file_manager(
    settings: SettingsPage, shop: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: bool(opened.append(url)) or len(opened) == 1)
    settings.show_folder.click()
    assert [Path(url.toLocalFile()) for url in opened] == [shop.workspace.folder]
    assert settings.banner.isHidden()
    settings.show_folder.click()
    assert str(shop.workspace.folder) in settings.banner.text(), "where there is no file manager, the folder is named"


def test_starting_at_login_is_what_the_desktop_finds(
    qtbot: QtBot, shop: Engine, shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ui.pages.settings.login.login_start", lambda: DesktopEntry(tmp_path / "on" / "causeway.desktop")
    )
    page = SettingsPage(shop, shell)
    qtbot.addWidget(page)
    page.show()
    page.open()
    box, keeper = page.login.box, DesktopEntry(tmp_path / "on" / "causeway.desktop")
    assert not box.isChecked()
    box.click()
    qtbot.waitUntil(lambda: starts_at_login(keeper))
    assert str(keeper.file) in page.login.said.text()
    start_at_login(keeper, False)
    page.refresh()
    qtbot.waitUntil(lambda: not box.isChecked())
    (tmp_path / "on").rmdir()
    (tmp_path / "on").write_text("no folder")
    box.click()
    qtbot.waitUntil(lambda: not page.banner.isHidden() and not box.isChecked())
    assert str(tmp_path / "on") in page.banner.text()


def test_a_session_without_a_desktop_says_so(qtbot: QtBot, settings: SettingsPage) -> None:
    assert not settings.login.box.isEnabled()
    assert settings.login.said.text().startswith("This session has no desktop")


def test_a_backup_is_written_and_restored_beside(
    qtbot: QtBot, settings: SettingsPage, shop: Engine, tmp_path: Path
) -> None:
    settings.back_up.click()
    dialog = settings.findChild(QFileDialog)
    assert dialog is not None
    target = tmp_path / "kept.zip"
    dialog.fileSelected.emit(str(target))
    dialog.reject()
    qtbot.waitUntil(lambda: not settings.banner.isHidden())
    assert settings.banner.text() == f"The workspace was backed up to {target}"
    settings.restore_from(target, tmp_path / "second")
    qtbot.waitUntil(settings.restore.isEnabled)
    assert settings.banner.text().startswith(f"“Northbeam Coffee” was restored into {tmp_path / 'second'}")
    assert tmp_path / "second" in [recent.folder for recent in recent_workspaces()]
    open_workspace(tmp_path / "second").close()
    with Engine.open(tmp_path / "second") as second:
        assert count_profiles(second) == 250


def test_a_file_that_is_no_backup_is_told(qtbot: QtBot, settings: SettingsPage, tmp_path: Path) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"no zip at all")
    settings.restore_from(tmp_path / "holiday.zip", tmp_path / "second")
    qtbot.waitUntil(lambda: not settings.banner.isHidden())
    assert "holiday.zip" in settings.banner.text()
    assert settings.back_up.isEnabled()
    assert settings.work.isHidden()
