"""The streams' page over a workspace that a real import filled."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.engine import Engine
from app.profiles import delete_profile, find_profile
from app.workspace import create_workspace
from ui.pages.streams.page import StreamsPage
from ui.widgets import Button


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
    member = find_profile(shop, "member249@example.com")
    assert member is not None
    delete_profile(shop, member)
    qtbot.waitUntil(lambda: streams.streams_model.rows()[0].events == 249)
    qtbot.waitUntil(lambda: streams.events.model.rows()[0].data["email"] == "member248@example.com")


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
