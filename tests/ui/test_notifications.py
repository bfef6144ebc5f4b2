"""Notifications: the page, the rail's figure, what the desktop shows, and the forms of alerts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.alerts import list_notifications, unread_notifications
from app.alerts.notifications import Popping
from app.authorizations import add_authorization, check_authorization
from app.changes import Change
from app.engine import Engine
from app.jobs import delete_job, list_jobs
from app.jobs.wizard import load_wizard
from ui.forms.choices import ChoicesField
from ui.forms.fields import FieldsForm
from ui.pages.jobs.page import JobsPage
from ui.pages.new_job.configure import ConfigurePane
from ui.pages.notifications.page import NotificationsPage
from ui.pages.settings.page import SettingsPage
from ui.shell.desktop import Desktop, message
from ui.shell.engine_view import EngineView
from ui.widgets import Banner, ComboBox


def break_folder(engine: Engine, tmp_path: Path) -> int:
    """An authorization that works, then fails."""
    place = tmp_path / "place"
    place.mkdir()
    added = add_authorization(engine, "file-service-folder", "Partner folder", {"folder": str(place)})
    check_authorization(engine, added)
    place.rmdir()
    with pytest.raises(Exception, match="place"):
        check_authorization(engine, added)
    place.mkdir()
    check_authorization(engine, added)
    place.rmdir()
    with pytest.raises(Exception, match="place"):
        check_authorization(engine, added)
    return added


def fail_job(engine: Engine, name: str) -> int:
    [job] = [job for job in list_jobs(engine) if job.name == name]
    with engine.workspace.database.write() as connection:
        connection.execute(
            "update jobs set status = 'failed', errors = 1, reason = 'members.csv is not there any more.' where id = ?",
            (job.id,),
        )
    return job.id


def shown(page: NotificationsPage) -> list[str]:
    return [page.model.index(row, 0).data() for row in range(page.model.rowCount())]


def test_what_happened_is_listed_opened_and_read(
    shop: Engine, shell: Any, qtbot: QtBot, tmp_path: Path, pictures: Path | None
) -> None:
    break_folder(shop, tmp_path)
    job = fail_job(shop, "Loyalty members")
    page = NotificationsPage(shop, shell)
    qtbot.addWidget(page)
    page.resize(1068, 700)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.model.rowCount() > 2)
    assert shown(page)[:3] == [
        "Job “Loyalty members” failed",
        "Authorization “Partner folder” fails",
        "Authorization “Partner folder” works again",
    ]
    unread = unread_notifications(shop)
    assert EngineView(shop).counts()["notifications"] == unread
    if pictures:
        page.grab().save(str(pictures / "notifications.png"))
    newest = list_notifications(shop)[0]
    page.table.opened.emit(newest)
    qtbot.waitUntil(lambda: unread_notifications(shop) == unread - 1)
    qtbot.waitUntil(lambda: shell.went == [("job", {"job_id": job})])
    page.filter.changed.emit("unread")
    qtbot.waitUntil(lambda: "Job “Loyalty members” failed" not in shown(page))
    qtbot.mouseClick(page.read_all, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: unread_notifications(shop) == 0)
    qtbot.waitUntil(lambda: page.model.rowCount() == 0)
    delete_job(shop, job)
    page.table.opened.emit(newest)
    qtbot.waitUntil(page.banner.isVisible)


def test_the_desktop_shows_what_is_new_of_the_chosen_kinds(shop: Engine, qtbot: QtBot, tmp_path: Path) -> None:
    told: list[tuple[str, str, bool]] = []
    desktop = Desktop(shop, lambda *what: told.append(what))
    break_folder(shop, tmp_path)
    fail_job(shop, "Loyalty members")
    shop.changes.announce(Change("jobs"))
    qtbot.waitUntil(lambda: bool(told), timeout=5_000)
    assert told == [
        (
            "4 notifications",
            "\n".join(
                (
                    "Job “Loyalty members” failed",
                    "Authorization “Partner folder” fails",
                    "Authorization “Partner folder” works again",
                    "and 1 more",
                )
            ),
            True,
        )
    ]
    popping = Popping(shop)
    assert popping.new() == []
    shop.workspace.change_setting("notify_failed", False)
    fail_job(shop, "Web shop")
    assert popping.new() == []
    shop.workspace.change_setting("notify_failed", True)
    assert popping.new() == []
    assert message([one.event for one in list_notifications(shop)] * 2)[1].endswith("more")
    desktop.deleteLater()


def test_kinds_of_notifications_and_the_proxy_are_settings(
    shop: Engine, shell: Any, qtbot: QtBot, pictures: Path | None
) -> None:
    page = SettingsPage(shop, shell)
    qtbot.addWidget(page)
    page.resize(1068, 900)
    page.show()
    page.open()
    box = page.desktop.boxes["notify_completed"]
    qtbot.waitUntil(lambda: page.desktop.boxes["notify_failed"].isChecked() and not box.isChecked())
    box.click()
    qtbot.waitUntil(lambda: shop.workspace.setting("notify_completed") is True)
    page.network.proxy.setText(" http://proxy.shop.example:3128 ")
    page.network.proxy.editingFinished.emit()
    qtbot.waitUntil(lambda: shop.workspace.setting("proxy") == "http://proxy.shop.example:3128")
    if pictures:
        page.desktop.grab().save(str(pictures / "settings-desktop.png"))
        page.network.grab().save(str(pictures / "settings-network.png"))


def test_an_authorization_can_ask_for_one_of_several(shop: Engine, qtbot: QtBot, pictures: Path | None) -> None:
    form = FieldsForm(shop.catalog.method("monitoring-smtp").fields)
    qtbot.addWidget(form)
    encryption = form.control("encryption")
    assert isinstance(encryption, ComboBox)
    assert form.values() == {"port": "587", "encryption": "starttls"}
    encryption.set_value("tls")
    host = form.control("host")
    assert isinstance(host, QLineEdit)
    host.setText("smtp.shop.example")
    assert form.values()["encryption"] == "tls"
    if pictures:
        form.resize(560, 620)
        form.grab().save(str(pictures / "smtp.png"))


def test_an_alert_is_set_up_for_chosen_jobs(shop: Engine, qtbot: QtBot, pictures: Path | None) -> None:
    shop.vault.create_file("four words of mine")
    slack = add_authorization(shop, "slack-webhook", "Channel", {"webhook_url": "https://hooks.slack.com/services/x"})
    wizard = load_wizard(shop)
    wizard.choose_provider("slack")
    wizard.choose_job_type("slack-alerts")
    wizard.choose_authorization(slack)
    pane = ConfigurePane(shop, Banner())
    qtbot.addWidget(pane)
    pane.resize(1068, 700)
    pane.show_wizard(wizard)
    pane.show()
    assert pane.form is not None
    only = pane.form.control("system_event_single_source_ids")
    assert isinstance(only, ChoicesField)
    qtbot.waitUntil(lambda: only.model.rowCount() == 2)
    assert not pane.preview.isVisible()
    types = pane.form.control("system_event_multiple_types")
    assert isinstance(types, ChoicesField)
    assert (types.model.rowCount(), types.text()) == (11, "Failed")
    if pictures:
        pane.grab().save(str(pictures / "alert.png"))
    ids = {job.name: str(job.id) for job in list_jobs(shop)}
    only.set_value([ids["Web shop"]])
    only.changed.emit(only.value())
    assert only.text() == "Web shop"
    wizard.set_name("Tell us")
    assert wizard.draft().options["system_event_single_source_ids"] == [ids["Web shop"]]
    source = pane.form.control("system_event_single_source")
    assert isinstance(source, ComboBox)
    source.set_value("auth")
    qtbot.waitUntil(
        lambda: {only.model.item(row).text() for row in range(only.model.rowCount())} == {"Channel", "Files"}
    )
    assert (types.model.rowCount(), types.text(), only.text()) == (2, "None", "All")
    assert set(pane.form.fields) >= set(wizard.missing()) == {"system_event_multiple_types"}


def test_a_job_says_that_its_authorization_fails(shop: Engine, shell: Any, qtbot: QtBot, tmp_path: Path) -> None:
    with shop.workspace.database.write() as connection:
        connection.execute("update authorizations set state = 'failing', state_since = '2026-11-21T09:00:00.000000Z'")
    page = JobsPage(shop, shell)
    qtbot.addWidget(page)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.model.rowCount() == 2)
    index = page.model.index(0, 3)
    assert index.data() == "Files fails"
    assert "Files, failing since" in index.data(Qt.ItemDataRole.ToolTipRole)
