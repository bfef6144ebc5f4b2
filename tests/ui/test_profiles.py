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
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.engine import Engine
from app.errors import NotFound
from app.profiles import (
    Identifier,
    count_matches,
    count_profiles,
    erase_person,
    export_profiles,
    find_profile,
    get_profile,
    index_everybody,
    search_profiles,
)
from app.streams import list_streams
from app.workspace import create_workspace
from ui.pages.profiles.identity import MOST_NODES, IdentityPicture, group
from ui.pages.profiles.page import ProfilesPage
from ui.pages.profiles.person import PersonPage
from ui.pages.profiles.value import ValueDialog
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


def known(field: str, value: str, rank: int = 1, stream: str = "loyalty_members") -> Identifier:
    return Identifier(field, value, rank, stream, "Loyalty members", 1_795_000_000_000_000, 1, 1)


def newest(engine: Engine, text: str = "", place: int = 0) -> str:
    """What the newest person is called, of those that a search finds."""
    return search_profiles(engine, text)[place].title


def shown(page: ProfilesPage, row: int) -> list[str]:
    assert page.model is not None
    return [page.model.index(row, at).data() for at in range(page.model.columnCount())]


def test_everybody_is_listed_newest_first_with_identifiers_before_other_fields(
    people: ProfilesPage, shop: Engine
) -> None:
    assert people.model is not None
    assert people.note_label.text() == "250 people"
    assert people.model.total == 250
    titles = [people.model.headerData(at, Qt.Orientation.Horizontal) for at in range(people.model.columnCount())]
    assert titles == ["Person", "Email", "Member id", "City", "Points", "Order no", "Updated"]
    first = search_profiles(shop)[0].fields
    assert shown(people, 0)[:5] == [
        f"{first['first_name']} Lindholm", first["email"], first["member_id"], first["city"], f"{first['points']:,}",
    ]  # fmt: skip


def test_a_search_finds_by_identifier_and_by_words_and_says_how_many(
    qtbot: QtBot, people: ProfilesPage, shop: Engine
) -> None:
    assert people.search is not None
    for text, count, note in (
        ("NB-0042", 1, "1 match among 250 people"),
        ("lindholm porto", 83, "83 matches among 250 people"),
        ("lindholm", 250, "250 matches among 250 people"),
    ):
        QTest.keyClicks(people.search, text)
        qtbot.waitUntil(lambda note=note: people.note_label.text() == note)
        assert people.model is not None
        assert people.model.total == count
        assert shown(people, 0)[0] == newest(shop, text)
        people.search.clear()
    QTest.keyClicks(people.search, "nobody like that")
    qtbot.waitUntil(lambda: people.note_label.text() == "0 matches among 250 people")
    assert people.empty.isVisible()
    assert people.empty.title.text() == "Nobody found for “nobody like that”"


def test_a_search_says_how_many_are_still_being_indexed(
    qtbot: QtBot, people: ProfilesPage, shop: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.profiles.search_index.LITTLE", 50)
    monkeypatch.setattr("app.profiles.search.LITTLE", 50)
    people.refresh()
    assert people.search is not None
    left = "250 people are still being indexed"
    QTest.keyClicks(people.search, "lindholm")
    qtbot.waitUntil(lambda: people.note_label.text() == f"50 matches among 250 people; {left}")
    people.search.clear()
    oldest = search_profiles(shop, "", 249)[0].fields["first_name"]
    QTest.keyClicks(people.search, oldest)
    qtbot.waitUntil(lambda: people.empty.isVisible() is True)
    assert people.empty.sentence.text() == f"{left}. They come up as soon as they are."
    index_everybody(shop, lambda done, total: None)
    people.refresh()
    qtbot.waitUntil(lambda: people.note_label.text() == f"{count_matches(shop, oldest)} match among 250 people")
    assert shown(people, 0)[0] == f"{oldest} Lindholm"


def test_enter_opens_the_person(people: ProfilesPage, shop: Engine, shell: Any) -> None:
    assert people.table is not None
    people.table.select(0)
    QTest.keyClick(people.table, Qt.Key.Key_Return)
    assert shell.went == [("profile", {"profile_id": search_profiles(shop)[0].id})]


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
    assert {row["email"]: row["order_no"] for row in rows}["member7@example.com"] == "W-2"


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
    first, second = search_profiles(shop)[:2]
    erase_person(shop, first.id)
    qtbot.waitUntil(lambda: people.note_label.text() == "249 people")
    qtbot.waitUntil(lambda: shown(people, 0)[0] == second.title)


def test_reading_anew_keeps_the_old_rows_until_the_new_ones_come(
    qtbot: QtBot, people: ProfilesPage, shop: Engine
) -> None:
    model = people.model
    assert model is not None
    with qtbot.waitSignal(model.loaded):
        model.refresh(keep=True)
        assert shown(people, 0)[0] == newest(shop)
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
    assert [entry.value.text() for entry in person.known_by.entries] == ["member7@example.com", "NB-0007"]


def test_the_picture_is_walked_by_keys_and_stresses_what_it_points_at(qtbot: QtBot, person: PersonPage) -> None:
    picture = person.picture
    assert [(node.label, node.rank) for node in picture.nodes] == [("email", 1), ("member_id", 2)]
    assert picture.current is None
    picture.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(picture.hasFocus)
    assert "member7@example.com, since " in picture.accessibleName()
    assert "from Loyalty members · loyalty_members" in picture.accessibleName()
    QTest.keyClick(picture, Qt.Key.Key_Right)
    stressed = [entry.value.text() for entry in person.known_by.entries if entry.value.property("kind") == "heading"]
    assert stressed == ["NB-0007"]
    QTest.keyClick(picture, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "NB-0007"
    QTest.mouseMove(picture, picture.places()[0].toPoint())
    qtbot.waitUntil(lambda: picture.current is picture.nodes[0])


def test_several_values_of_one_identifier_are_one_circle(qtbot: QtBot) -> None:
    nodes = group([known("email", "a@x.com"), known("cookie", "c1", 2, "web"), known("cookie", "c2", 2, "phone")])
    assert [(node.label, node.streams) for node in nodes] == [
        ("email", ("loyalty_members",)),
        ("cookie × 2", ("web", "phone")),
    ]
    assert nodes[1].words().startswith("cookie × 2, identifier 2\nc1, since ")


def test_a_value_is_shown_and_copied_in_full(qtbot: QtBot, person: PersonPage) -> None:
    row = next(at for at, field in enumerate(person.fields_model.rows()) if field.name == "city")
    person.fields.select(row)
    QTest.keyClick(person.fields, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "Berlin"
    QTest.keyClick(person.fields, Qt.Key.Key_Return)
    dialog = person.findChild(ValueDialog)
    assert dialog is not None
    assert dialog.text.toPlainText() == "Berlin"
    dialog.copy.click()
    assert dialog.copy.text() == "Copied"


def test_what_happened_to_a_person(qtbot: QtBot, person: PersonPage) -> None:
    person.tabs.choose("history")
    model = person.history.model
    qtbot.waitUntil(lambda: model.row(0) is not None)
    said = {model.index(at, 1).data(): model.row(at).words for at in range(model.total)}
    assert said["First known"].startswith("First known from ")
    assert said["Changed"].startswith(("1 event came from ", "2 events came from "))


def test_the_events_of_a_person_newest_first_with_json_on_demand(qtbot: QtBot, person: PersonPage) -> None:
    person.tabs.choose("events")
    assert person.events_model.total == 3
    assert [person.events_model.row(at).stream for at in range(3)] == ["loyalty_members", "shop_orders", "shop_orders"]
    assert person.events.below.isHidden()
    person.events.table.select(1)
    assert not person.events.below.isHidden()
    assert json.loads(person.events.json.toPlainText())["order_no"] == "W-2"
    given = person.events.note.text().removeprefix("Gave ").split(", ")
    assert set(given) == {"order_no", "total", "ordered"}
    person.events.table.select(2)
    assert person.events.note.text() == "Newer events have replaced what this one gave"


def test_the_export_asks_for_a_page_data_or_both(qtbot: QtBot, person: PersonPage, tmp_path: Path) -> None:
    menu = person.export.menu()
    assert [action.text() for action in menu.actions()] == ["As a page to read…", "As data…", "Both in one file…"]
    menu.actions()[0].trigger()
    dialog = person.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.defaultSuffix() == "html"
    assert Path(dialog.selectedFiles()[0]).name == "maja7-lindholm.html"
    dialog.reject()
    person.export_to(tmp_path / "maja.html")
    qtbot.waitUntil(lambda: not person.banner.isHidden())
    assert "member7@example.com" in (tmp_path / "maja.html").read_text("utf-8")


def test_who_is_tied_by_a_conflict_is_deleted_only_when_that_is_asked_for(
    qtbot: QtBot, person: PersonPage, shop: Engine, shell: Any
) -> None:
    assert person.person is not None
    with shop.workspace.database.write() as connection:
        connection.execute(
            "insert into conflicts (event_id, profile_id, field_id, value) "
            "select 8, ?, field_id, value from identifiers where value = 'NB-0008'",
            (person.person.id,),
        )
    dialog = person.ask_delete()
    assert dialog is not None
    qtbot.waitUntil(dialog.others.isVisible)
    assert dialog.others.text() == "Also delete 1 other person whom an event names too: Maja8 Lindholm"
    dialog.others.setChecked(True)
    assert not dialog.go.isEnabled(), "what goes then is being looked for"
    qtbot.waitUntil(dialog.go.isEnabled)
    assert dialog.plan is not None
    assert dialog.plan.people == 2
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(shell.went))
    assert shell.went[0][1]["told"].startswith("“Maja7 Lindholm” was deleted with 1 other person, and ")
    assert count_profiles(shop) == 248


def test_a_deletion_that_is_refused_leaves_everything(qtbot: QtBot, person: PersonPage, shop: Engine) -> None:
    dialog = person.ask_delete()
    assert dialog is not None
    qtbot.waitUntil(dialog.go.isEnabled)
    with shop.workspace.database.write() as connection:
        connection.execute("create trigger kept before delete on profiles begin select raise(abort, 'kept'); end")
    dialog.go.click()
    qtbot.waitUntil(lambda: not person.banner.isHidden())
    assert person.delete.isEnabled()
    assert count_profiles(shop) == 250


def test_export_of_one_person_holds_everything_with_events(qtbot: QtBot, person: PersonPage, tmp_path: Path) -> None:
    person.export_to(tmp_path / "maja.json")
    qtbot.waitUntil(lambda: not person.banner.isHidden())
    assert person.banner.text().startswith("Maja7 Lindholm exported with 9 fields and 3 events to ")
    kept = json.loads((tmp_path / "maja.json").read_text("utf-8"))
    assert [(one["field"], one["value"], one["rank"]) for one in kept["identifiers"]] == [
        ("email", "member7@example.com", 1),
        ("member_id", "NB-0007", 2),
    ]
    assert [event["data"].get("order_no") for event in kept["events"]] == [None, "W-2", "W-1"]
    total = next(field for field in kept["fields"] if field["name"] == "total")
    assert (total["value"], total["job"], total["as_of"]) == (19.9, "Web shop", "2026-11-15T09:41:00.000000Z")


def test_deleting_shows_first_what_goes_and_then_takes_it(
    qtbot: QtBot, person: PersonPage, shop: Engine, shell: Any
) -> None:
    assert person.person is not None
    number = person.person.id
    dialog = person.ask_delete()
    assert dialog is not None
    assert not dialog.go.isEnabled()
    qtbot.waitUntil(dialog.go.isEnabled)
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "Delete “Maja7 Lindholm”?" in said
    assert "9 fields, 2 identifiers and 3 raw events are erased." in said
    assert dialog.others.isHidden(), "nobody is tied to this person"
    dialog.go.click()
    qtbot.waitUntil(lambda: bool(shell.went))
    key, told = shell.went[0]
    assert (key, told["told"]) == ("profiles", "“Maja7 Lindholm” was deleted, and 3 events.")
    assert shell.forgotten == ["profile"]
    assert count_profiles(shop) == 249
    assert {stream.name: stream.events for stream in list_streams(shop)} == {"loyalty_members": 249, "shop_orders": 1}
    with pytest.raises(NotFound):
        get_profile(shop, number)


def test_a_person_who_is_gone_is_told(qtbot: QtBot, person: PersonPage, shop: Engine) -> None:
    assert person.person is not None
    erase_person(shop, person.person.id)
    qtbot.waitUntil(lambda: not person.banner.isHidden())
    assert person.banner.text() == "That person is not in this workspace (any more)."
    assert not person.body.isVisible()
    assert not person.delete.isEnabled()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, MOST_NODES, MOST_NODES + 3])
def test_the_picture_has_room_for_any_number_of_identifiers(qtbot: QtBot, count: int) -> None:
    picture = IdentityPicture()
    qtbot.addWidget(picture)
    picture.set_person("Maja Lindholm", [known(f"field_{at}", f"value {at}", at + 1) for at in range(count)])
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
    assert value_text(["Berlin", "Malmö"], "[]string") == "Berlin, Malmö"
    assert value_text({"Product news": 3, "Weekly": 14}, "map[string]intsum") == "Weekly 14, Product news 3"
    assert value_text({"plan": "gold", "city": "Gent"}, "map[string]string") == "city: Gent, plan: gold"
    assert value_text({"2026-11-20": 1, "2026-11-22": 1200}, "[]timebucket") == "22 Nov 2026: 1,200, 20 Nov 2026: 1"
    assert value_text(["2026-11-14T00:00:00.000000Z"], "[]time") == "14 Nov 2026"
