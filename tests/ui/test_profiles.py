"""The list of people and the page of one, over a workspace that a real import filled."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.engine import Engine
from app.errors import NotFound
from app.profiles import count_profiles, delete_profile, export_profiles, find_profile, get_profile
from app.streams import list_streams
from app.workspace import create_workspace
from ui.pages.profiles.identity import MOST_NODES, IdentityPicture
from ui.pages.profiles.page import ProfilesPage
from ui.pages.profiles.person import PersonPage
from ui.pages.values import value_text
from ui.widgets import Button


@pytest.fixture
def people(qtbot: QtBot, shop: Engine, shell: Any) -> ProfilesPage:
    page = ProfilesPage(shop, shell)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.model is not None and page.model.row(0) is not None)
    return page


@pytest.fixture
def person(qtbot: QtBot, shop: Engine, shell: Any) -> PersonPage:
    """The page of member 7, who bought twice."""
    page = PersonPage(shop, shell)
    qtbot.addWidget(page)
    page.resize(1016, 700)
    page.show()
    page.open(profile_id=find_profile(shop, "member7@example.com"))
    qtbot.waitUntil(lambda: page.person is not None and page.events_model.row(0) is not None)
    return page


def shown(page: ProfilesPage, row: int) -> list[str]:
    assert page.model is not None
    return [page.model.index(row, at).data() for at in range(page.model.columnCount())]


def test_everybody_is_listed_newest_first_with_identifiers_before_other_fields(people: ProfilesPage) -> None:
    assert people.model is not None
    assert people.note_label.text() == "250 people"
    assert people.model.total == 250
    titles = [people.model.headerData(at, Qt.Orientation.Horizontal) for at in range(people.model.columnCount())]
    assert titles == ["Person", "Email", "Member id", "City", "Points", "Order no", "Updated"]
    assert shown(people, 0)[:5] == ["Maja249 Lindholm", "member249@example.com", "NB-0249", "Malmö", "1,249"]


def test_a_search_finds_by_identifier_and_by_words_and_says_how_many(qtbot: QtBot, people: ProfilesPage) -> None:
    assert people.search is not None
    for text, count, note, first in (
        ("NB-0042", 1, "1 match among 250 people", "Maja42 Lindholm"),
        ("lindholm porto", 83, "83 matches among 250 people", "Maja248 Lindholm"),
        ("lindholm", 250, "250 matches among 250 people", "Maja249 Lindholm"),
    ):
        QTest.keyClicks(people.search, text)
        qtbot.waitUntil(lambda note=note: people.note_label.text() == note)
        assert people.model is not None
        assert people.model.total == count
        assert shown(people, 0)[0] == first
        people.search.clear()
    QTest.keyClicks(people.search, "nobody like that")
    qtbot.waitUntil(lambda: people.note_label.text() == "0 matches among 250 people")
    assert people.empty.isVisible()
    assert people.empty.title.text() == "Nobody found for “nobody like that”"


def test_enter_opens_the_person(people: ProfilesPage, shop: Engine, shell: Any) -> None:
    assert people.table is not None
    people.table.select(0)
    QTest.keyClick(people.table, Qt.Key.Key_Return)
    assert shell.went == [("profile", {"profile_id": find_profile(shop, "member249@example.com")})]


def test_the_export_asks_where_and_says_how_many(qtbot: QtBot, people: ProfilesPage, tmp_path: Path) -> None:
    people.export.click()
    dialog = people.findChild(QFileDialog)
    assert dialog is not None
    target = tmp_path / "everybody.csv"
    dialog.selectFile(str(target))
    dialog.fileSelected.emit(str(target))
    dialog.reject()
    qtbot.waitUntil(lambda: not people.banner.isHidden())
    assert people.banner.text() == f"250 people exported to {target}"
    assert people.work.isHidden()
    with target.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 250
    assert rows[7]["order_no"] == "W-2"


def test_an_export_can_be_cancelled_and_leaves_nothing(
    qtbot: QtBot, people: ProfilesPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicked = threading.Event()

    def after_the_click(engine: Engine, target: Path, progress: Callable[[int, int], None]) -> int:
        def report(done: int, total: int) -> None:
            assert clicked.wait(10)
            progress(done, total)

        return export_profiles(engine, target, report)

    monkeypatch.setattr("ui.pages.profiles.page.export_profiles", after_the_click)
    people.export_to(tmp_path / "everybody.csv")
    assert not people.export.isEnabled()
    people.work.cancel.click()
    clicked.set()
    qtbot.waitUntil(lambda: not people.banner.isHidden())
    assert people.banner.text() == "The export was cancelled; no file was written."
    assert list(tmp_path.glob("*everybody*")) == []
    assert people.export.isEnabled()


def test_the_list_follows_the_engine(qtbot: QtBot, people: ProfilesPage, shop: Engine) -> None:
    newest = find_profile(shop, "member249@example.com")
    assert newest is not None
    delete_profile(shop, newest)
    qtbot.waitUntil(lambda: people.note_label.text() == "249 people")
    qtbot.waitUntil(lambda: shown(people, 0)[0] == "Maja248 Lindholm")


def test_reading_anew_keeps_the_old_rows_until_the_new_ones_come(qtbot: QtBot, people: ProfilesPage) -> None:
    model = people.model
    assert model is not None
    with qtbot.waitSignal(model.loaded):
        model.refresh(keep=True)
        assert shown(people, 0)[0] == "Maja249 Lindholm"
    with qtbot.waitSignal(model.loaded):
        model.refresh()
        assert shown(people, 0)[0] == "…"


def test_an_empty_workspace_leads_to_a_new_job(qtbot: QtBot, tmp_path: Path, shell: Any) -> None:
    create_workspace(tmp_path / "new", "New").close()
    with Engine.open(tmp_path / "new") as engine:
        page = ProfilesPage(engine, shell)
        qtbot.addWidget(page)
        page.show()
        page.open()
        qtbot.waitUntil(lambda: page.table is not None and page.empty.isVisible())
        assert not page.export.isEnabled()
        page.empty.findChild(Button).click()
        assert shell.went == [("new_job", {})]


def test_a_person_with_every_value_and_where_it_came_from(person: PersonPage) -> None:
    assert person.title == "Maja7 Lindholm"
    assert person.sentence.text().startswith("2 identifiers from 2 streams, known since ")
    rows = {row.name: at for at, row in enumerate(person.fields_model.rows())}
    assert [person.fields_model.index(rows["total"], at).data() for at in (1, 2)] == ["19.9", "Web shop · shop_orders"]
    assert [person.fields_model.index(rows["points"], at).data() for at in (1, 2)] == [
        "1,007",
        "Loyalty members · loyalty_members",
    ]
    known = [label.text() for label in person.side.findChildren(QLabel)]
    assert "member7@example.com" in known
    assert "NB-0007" in known


def test_the_events_of_a_person_newest_first_with_json_on_demand(qtbot: QtBot, person: PersonPage) -> None:
    person.tabs.choose("events")
    assert person.events_model.total == 3
    assert [person.events_model.row(at).stream for at in range(3)] == ["loyalty_members", "shop_orders", "shop_orders"]
    assert person.events.below.isHidden()
    person.events.table.select(1)
    assert not person.events.below.isHidden()
    assert json.loads(person.events.json.toPlainText())["order_no"] == "W-2"


def test_export_of_one_person_holds_everything_with_events(qtbot: QtBot, person: PersonPage, tmp_path: Path) -> None:
    person.export_to(tmp_path / "maja.json")
    qtbot.waitUntil(lambda: not person.banner.isHidden())
    assert person.banner.text().startswith("Maja7 Lindholm exported with 9 fields and 3 events to ")
    kept = json.loads((tmp_path / "maja.json").read_text("utf-8"))
    assert kept["identifiers"] == [
        {"field": "email", "value": "member7@example.com"},
        {"field": "member_id", "value": "NB-0007"},
    ]
    assert [event["data"].get("order_no") for event in kept["events"]] == [None, "W-2", "W-1"]
    total = next(field for field in kept["fields"] if field["name"] == "total")
    assert (total["value"], total["job"], total["as_of"]) == (19.9, "Web shop", "2026-11-15T09:41:00.000000Z")


def test_deleting_names_what_is_lost_and_takes_it(qtbot: QtBot, person: PersonPage, shop: Engine, shell: Any) -> None:
    assert person.person is not None
    number = person.person.id
    dialog = person.ask_delete()
    assert dialog is not None
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "Delete “Maja7 Lindholm”?" in said
    assert "9 fields, 2 identifiers and 3 events" in said
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(shell.went))
    assert shell.went == [("profiles", {"told": "“Maja7 Lindholm” was deleted."})]
    assert shell.forgotten == ["profile"]
    assert count_profiles(shop) == 249
    assert {stream.name: stream.events for stream in list_streams(shop)} == {"loyalty_members": 249, "shop_orders": 1}
    with pytest.raises(NotFound):
        get_profile(shop, number)


def test_a_person_who_is_gone_is_told(qtbot: QtBot, person: PersonPage, shop: Engine) -> None:
    assert person.person is not None
    delete_profile(shop, person.person.id)
    qtbot.waitUntil(lambda: not person.banner.isHidden())
    assert person.banner.text() == "That person is not in this workspace (any more)."
    assert not person.body.isVisible()
    assert not person.delete.isEnabled()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, MOST_NODES, MOST_NODES + 3])
def test_the_picture_has_room_for_any_number_of_identifiers(qtbot: QtBot, count: int) -> None:
    picture = IdentityPicture()
    qtbot.addWidget(picture)
    picture.set_person("Maja Lindholm", [(f"field_{at}", f"value {at}") for at in range(count)])
    picture.resize(224, picture.sizeHint().height())
    places = picture.places()
    assert len(places) == min(count, MOST_NODES)
    assert all(picture.rect().contains(place.toPoint()) for place in places)
    gaps = [(a - b).manhattanLength() for at, a in enumerate(places) for b in places[:at]]
    assert min(gaps, default=99) > 16, "no node lies over another"
    assert not picture.grab().isNull()
    last = f"field_{count - 1} value {count - 1}" if count else "has no identifier"
    assert last in picture.accessibleDescription(), "what is not drawn is still said"


def test_values_read_as_people_write_them() -> None:
    assert value_text(1840, "int") == "1,840"
    assert value_text(10482, "int", identifier=True) == "10482"
    assert value_text(False, "bool") == "No"
    assert value_text("2026-11-14T00:00:00.000000Z", "date") == "14 Nov 2026", "a day is that day in every zone"
    assert value_text("soon", "date") == "soon"
    assert value_text("1840", "string") == "1840"
