"""The streams' page over a workspace that a real import filled."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.engine import Engine
from app.profiles import erase_person, find_profile
from app.schema.queries import draft_schema
from app.workspace import create_workspace
from ui.pages.streams.map_field import MapFieldDialog
from ui.pages.streams.page import StreamsPage
from ui.widgets import Button, LinkButton


@pytest.fixture
def streams(qtbot: QtBot, shop: Engine, shell: Any) -> StreamsPage:
    page = StreamsPage(shop, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.fields_model.rowCount() > 0 and page.events.model.rowCount() > 0)
    return page


def test_the_streams_and_the_fields_seen_in_the_first(streams: StreamsPage) -> None:
    model = streams.streams_model
    assert [row.name for row in model.rows()] == ["loyalty_members", "shop_orders"]
    assert streams.streams.selected()[0].name == "loyalty_members"
    fields = {
        row.name: [streams.fields_model.index(at, column).data() for column in (2, 3, 4)]
        for at, row in enumerate(streams.fields_model.rows())
    }
    assert fields["points"] == ["100%", "> 50", "points"]
    assert fields["updated"] == ["100%", "1", "not mapped"]
    assert fields["city"] == ["100%", "3", "city"]
    city = next(row for row in streams.fields_model.rows() if row.name == "city")
    assert "Berlin" in city.samples


def test_older_events_come_as_the_user_scrolls(qtbot: QtBot, streams: StreamsPage) -> None:
    streams.tabs.choose("events")
    table, model = streams.events.table, streams.events.model
    qtbot.waitUntil(lambda: table.verticalScrollBar().maximum() > 0)
    assert model.rowCount() == 100
    for wanted in (200, 250):
        table.scrollToBottom()
        qtbot.waitUntil(lambda wanted=wanted: model.rowCount() == wanted)
    numbers = [row.id for row in model.rows()]
    assert numbers == sorted(numbers, reverse=True), "newest first, none twice"
    assert len(set(numbers)) == 250


def test_the_chosen_event_is_shown_as_it_came(streams: StreamsPage) -> None:
    streams.tabs.choose("events")
    assert streams.events.view.below.isHidden()
    streams.events.table.select(0)
    assert json.loads(streams.events.view.json.toPlainText())["email"] == "member249@example.com"


def test_another_stream_can_be_asked_for_by_name(qtbot: QtBot, streams: StreamsPage) -> None:
    streams.open(stream="shop_orders")
    qtbot.waitUntil(lambda: streams.events.model.rowCount() == 3)
    assert streams.stream is not None
    assert streams.stream.name == "shop_orders"
    qtbot.waitUntil(
        lambda: {row.name for row in streams.fields_model.rows()} == {"email", "order_no", "total", "ordered"}
    )


def test_the_page_follows_the_engine(qtbot: QtBot, streams: StreamsPage, shop: Engine) -> None:
    newest = streams.events.model.rows()[0].data["email"]
    member = find_profile(shop, newest)
    assert member is not None
    erase_person(shop, member)
    qtbot.waitUntil(lambda: streams.streams_model.rows()[0].events == 249)
    qtbot.waitUntil(lambda: streams.events.model.rows()[0].data["email"] != newest)


def test_a_jump_to_a_day_and_back_to_the_newest(qtbot: QtBot, streams: StreamsPage) -> None:
    streams.open(stream="shop_orders")
    qtbot.waitUntil(lambda: streams.events.model.rowCount() == 3)
    streams.tabs.choose("events")
    events = streams.events
    qtbot.keyClicks(events.day, "2026-11-14")
    qtbot.keyClick(events.day, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: [row.data["order_no"] for row in events.model.rows()] == ["W-1"])
    assert events.newest.isVisible()
    events.newest.click()
    qtbot.waitUntil(lambda: events.model.rowCount() == 3)
    assert events.day.text() == ""
    events.day.setText("tomorrow")
    qtbot.keyClick(events.day, Qt.Key.Key_Return)
    assert events.day_field.error == "Write the day as 2026-11-14."


def test_events_are_filtered_by_text(qtbot: QtBot, streams: StreamsPage) -> None:
    events = streams.events
    qtbot.keyClicks(events.filter, "member249@")
    qtbot.waitUntil(lambda: events.model.rowCount() == 1)
    assert events.note.text() == "1 of 100 events read"
    events.filter.setText("nowhere")
    qtbot.waitUntil(lambda: events.model.rowCount() == 0)
    assert events.empty.title.text() == "Nothing with “nowhere” here"


def test_map_this_field_makes_an_unpublished_change(
    qtbot: QtBot, streams: StreamsPage, shop: Engine, shell: Any
) -> None:
    row = next(at for at, field in enumerate(streams.fields_model.rows()) if field.name == "updated")
    assert not streams.map_button.isEnabled()
    streams.fields.select(row)
    streams.map_button.click()
    dialog = streams.findChild(MapFieldDialog)
    assert dialog is not None
    assert dialog.expression.edit.text() == "todate(`updated`)"
    qtbot.waitUntil(lambda: dialog.go.isEnabled() and dialog.table.rows_model.rowCount() == 1)
    assert dialog.table.rows_model.index(0, 0).data() == "2026-11-21T18:02:00Z"
    dialog.expression.edit.set_text("todat(`updated`)")
    qtbot.waitUntil(lambda: bool(dialog.expression.edit.problems()))
    assert not dialog.go.isEnabled()
    dialog.expression.edit.set_text("yy(`updated`)")
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.table.rows_model.index(0, 1).data() == "26"
    dialog.target.set_value("first_name")
    qtbot.waitUntil(
        lambda: "first_name is text, the expression brings whole number" in dialog.note.findChild(QLabel).text()
    )
    assert not dialog.kind_field.isEnabled(), "a field that is there has its type"
    dialog.target.set_value("last year")
    assert not dialog.go.isEnabled(), "no name of a field"
    dialog.target.set_value("changed_in")
    dialog.go.click()
    qtbot.waitUntil(streams.banner.isVisible)
    assert "“updated” fills changed_in once that is published." in streams.banner.text()
    draft = draft_schema(shop)
    field = draft.field("changed_in")
    assert field is not None
    assert (field.type, field.is_identifier) == ("int", False)
    assert [one.expression for one in draft.mappings if one.field == "changed_in"] == ["yy(`updated`)"]
    qtbot.waitUntil(lambda: streams.fields_model.index(row, 4).data() == "changed_in (unpublished)")
    next(link for link in streams.banner.findChildren(LinkButton) if link.text() == "Open the schema").click()
    assert shell.went[-1] == ("schema", {})


def test_without_streams_the_page_leads_to_a_new_job(qtbot: QtBot, tmp_path: Any, shell: Any) -> None:
    create_workspace(tmp_path / "new", "New").close()
    with Engine.open(tmp_path / "new") as engine:
        page = StreamsPage(engine, shell)
        qtbot.addWidget(page)
        page.show()
        page.open()
        qtbot.waitUntil(lambda: page.stack.currentIndex() == 1)
        page.stack.currentWidget().findChild(Button).click()
        assert shell.went == [("new_job", {})]
