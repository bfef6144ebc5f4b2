"""The Schema page over a workspace that a real import filled."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from PySide6.QtCore import QModelIndex, QPointF, QSettings, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.clock import now_text
from app.engine import Engine
from app.profiles import find_profile, get_profile
from app.schema.model import FieldDefinition, field_document
from app.schema.operations import publish_schema, put_field, put_mapping, remove_field
from app.schema.queries import draft_schema, list_offers, list_versions, published_schema, unpublished_changes
from app.workspace import create_workspace
from ui.pages.schema.difference_list import DifferenceList
from ui.pages.schema.field_dialog import FieldDialog
from ui.pages.schema.mapping_dialog import MappingDialog
from ui.pages.schema.page import SchemaPage
from ui.shell.engine_view import EngineView
from ui.widgets import Button, ConfirmDialog, DataTable

LONG = 30_000
"""Milliseconds that a rebuild may take on a busy machine."""


@pytest.fixture
def page(qtbot: QtBot, shop: Engine, shell: Any) -> SchemaPage:
    return opened(qtbot, shop, shell)


def opened(qtbot: QtBot, engine: Engine, shell: Any) -> SchemaPage:
    page = SchemaPage(engine, shell)
    qtbot.addWidget(page)
    page.resize(1016, 750)
    page.show()
    page.open()
    qtbot.waitUntil(lambda: page.contents is not None)
    qtbot.waitUntil(lambda: page._use != {} or not published_schema(engine).fields)
    return page


def shown(table: DataTable) -> dict[str, list[str]]:
    """What a table says, by the first cell of each row."""
    model = table.model()
    rows = [[model.index(at, column).data() for column in range(model.columnCount())] for at in range(model.rowCount())]
    return {row[0]: row[1:] for row in rows}


def choose(table: DataTable, name: str) -> None:
    """Select the row whose first cell says this."""
    table.select(list(shown(table)).index(name))


def said(widget: QWidget) -> str:
    """All that labels below a widget say, without markup."""
    return " ".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def unpublished(engine: Engine) -> list[tuple[str, str]]:
    return [(change.verb, change.subject.partition(":")[0]) for change in unpublished_changes(engine)]


def test_fields_with_type_rank_share_and_mapping(page: SchemaPage) -> None:
    rows = shown(page.fields)
    assert rows["email"] == ["Text", "One value", "Identifier 1", "100%", "email(`email`)  +1 more"]
    assert rows["points"][:2] == ["Whole number", "Newest"]
    assert rows["total"][3] == "< 1%", "two of 250 people bought something"
    assert [page.chips.chip(key).text() for key in ("fields", "identifiers")] == [
        f"Fields {len(rows)}",
        "Identifiers 2",
    ]
    assert page.pill.word.startswith("Version ")
    assert page.publish.isHidden(), "there is nothing to publish"
    assert page.panel.empty.isVisible()


def test_a_new_field_waits_to_be_published(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    page.new.click()
    dialog = page.findChild(FieldDialog)
    assert dialog is not None
    dialog.go.click()
    assert dialog.name_field.error == "The field needs a name. Enter one."
    dialog.name.setText("Email")
    dialog.go.click()
    assert "already" in dialog.name_field.error
    dialog.name.setText("stores_visited")
    dialog.kind.set_value("[]string")
    assert [dialog.merge.itemText(at) for at in range(2)] == ["Union", "Newest"]
    dialog.capacity.setText("20")
    with qtbot.waitSignal(dialog.accepted):
        dialog.go.click()
    qtbot.waitUntil(lambda: "stores_visited" in shown(page.fields))
    assert shown(page.fields)["stores_visited"][:2] == ["Set", "Union"]
    assert page.publish.text() == "Publish 1 change"
    assert page.panel.changes.text().startswith("New Field stores_visited, set, union, at most 20 by you, ")
    assert published_schema(shop).field("stores_visited") is None
    assert EngineView(shop).counts()["schema"] == "1 new"


def test_what_a_provider_brought_says_so(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    with shop.workspace.database.write() as connection:
        connection.execute("update fields set managed_by = 'file-service' where name = 'city'")
    before = page.contents
    page.refresh()
    qtbot.waitUntil(lambda: page.contents is not before)
    dialog = page.edit_field("city")
    assert dialog is not None
    assert "File Service brought this field." in said(dialog)
    dialog.reject()


def test_an_identifier_is_one_text_or_several(page: SchemaPage) -> None:
    dialog = page.edit_field("city")
    assert dialog is not None
    assert dialog.name.isReadOnly()
    dialog.identifier.setChecked(True)
    assert [dialog.kind.itemData(at) for at in range(dialog.kind.count())] == ["string", "[]string"]
    assert dialog.merge_field.isHidden()
    assert dialog.definition().merge == ""
    dialog.identifier.setChecked(False)
    assert dialog.definition().merge == "latest"


def test_a_mapping_is_checked_and_tried_on_real_events(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    page.choose_view("mappings")
    dialog = page.add_new()
    assert isinstance(dialog, MappingDialog)
    dialog.stream.set_value("shop_orders")
    dialog.target.set_value("city")
    dialog.expression.edit.set_text("string.uppercas(order_no)")
    qtbot.waitUntil(lambda: bool(dialog.expression.edit.problems()))
    assert "uppercas" in dialog.expression.said.text()
    dialog.expression.edit.set_text('join("order", order_no, "-")')
    dialog.condition.edit.set_text("toint(total) > 10")
    qtbot.waitUntil(lambda: dialog.trials_model.rowCount() == 3 and not dialog.expression.edit.problems())
    tried = [(row.keys, row.value) for row in dialog.trials_model.rows()]
    assert tried[0] == ("order_no: W-3 · total: 7", "no value")
    assert [value for _, value in tried[1:]] == ["order-W-2", "order-W-1"]
    with qtbot.waitSignal(dialog.accepted):
        dialog.go.click()
    qtbot.waitUntil(lambda: page.publish.text() == "Publish 1 change")
    made = next(mapping for mapping in draft_schema(shop).mappings if mapping.field == "city" and mapping.condition)
    assert (made.stream, made.condition) == ("shop_orders", "toint(total) > 10")
    assert page.panel.changes.text().startswith('New city: join("order", order_no, "-") if toint(total) > 10')


def test_a_mapping_that_is_refused_stays_open(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    page.choose_view("mappings")
    dialog = page.add_new()
    assert isinstance(dialog, MappingDialog)
    dialog.go.click()
    assert dialog.stream_field.error
    dialog.stream.set_value("shop_orders")
    dialog.expression.edit.set_text("nothing(")
    dialog.go.click()
    qtbot.waitUntil(lambda: not dialog.banner.isHidden())
    assert dialog.isVisible()
    assert unpublished(shop) == []
    dialog.reject()


def test_a_fields_mappings_are_saved_with_it(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    dialog = page.edit_field("email")
    assert dialog is not None
    assert [row.mapping.stream for row in dialog.table.model().rows()] == ["loyalty_members", "shop_orders"]  # type: ignore[attr-defined]
    dialog.table.select(1)
    dialog.remove.click()
    inner = dialog.edit_mapping(None)
    inner.stream.set_value("loyalty_members")
    inner.expression.edit.set_text("email(member_id)")
    with qtbot.waitSignal(inner.accepted):
        inner.go.click()
    assert unpublished(shop) == [], "nothing is kept before the field is saved"
    with qtbot.waitSignal(dialog.accepted):
        dialog.go.click()
    assert sorted(unpublished(shop)) == [("added", "mapping"), ("removed", "mapping")]


def test_changes_can_be_undone_one_by_one_and_all(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    for name in ("one", "two", "three"):
        put_field(shop, FieldDefinition(name))
    qtbot.waitUntil(lambda: len(page.panel.changes.told()) == 3)
    changes = page.panel.changes
    arrow = changes.undo_rect(changes.visualRect(changes.model().index(2, 0)))
    assert "two" in changes.told()[2].text
    QTest.mouseClick(changes.viewport(), Qt.MouseButton.LeftButton, pos=arrow.center())
    qtbot.waitUntil(lambda: [one.change.subject for one in changes.told()] == ["field:one", "field:three"])
    put_field(shop, FieldDefinition("four"))
    qtbot.waitUntil(lambda: len(changes.told()) == 3)
    changes.setCurrentIndex(changes.model().index(0, 0))
    QTest.keyClick(changes, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(changes.told()) == 2)
    page.panel.discard.click()
    dialog = page.findChild(ConfirmDialog)
    assert dialog is not None
    assert "2 unpublished changes will be lost" in said(dialog)
    dialog.go.click()
    qtbot.waitUntil(page.panel.empty.isVisible)
    assert unpublished(shop) == []


def test_publishing_asks_for_a_comment_and_makes_a_version(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    before = list_versions(shop)[0].number
    put_field(shop, FieldDefinition("loyalty_tier"))
    qtbot.waitUntil(page.publish.isVisible)
    dialog = page.ask_publish()
    assert dialog is not None
    assert dialog.comment.text() == "Adds loyalty_tier"
    dialog.comment.setText(" ")
    dialog.go.click()
    assert "needs a comment" in dialog.comment_field.error
    dialog.comment.setText("Tiers of the programme")
    with qtbot.waitSignal(dialog.accepted):
        dialog.go.click()
    newest = list_versions(shop)[0]
    assert (newest.number, newest.comment) == (before + 1, "Tiers of the programme")
    qtbot.waitUntil(lambda: page.pill.word.startswith(f"Version {before + 1} published"))
    assert page.publish.isHidden()


def test_what_keeps_it_from_being_published_is_said(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    put_field(shop, FieldDefinition("loyalty_tier"))
    qtbot.waitUntil(page.publish.isVisible)
    dialog = page.ask_publish()
    assert dialog is not None
    publish_schema(shop, "by somebody else meanwhile")
    dialog.go.click()
    qtbot.waitUntil(lambda: not dialog.banner.isHidden())
    assert "There are no unpublished changes." in dialog.banner.text()
    dialog.reject()


def test_deleting_a_field_names_what_is_lost(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    page.activateWindow()
    page.fields.setFocus()
    qtbot.waitUntil(page.fields.hasFocus)
    choose(page.fields, "city")
    QTest.keyClick(page.fields, Qt.Key.Key_Delete)
    dialog = page.findChild(ConfirmDialog)
    assert dialog is not None
    assert "Its values of 250 people and 1 mapping go once this is published." in said(dialog)
    dialog.go.click()
    qtbot.waitUntil(lambda: unpublished(shop) == [("removed", "field"), ("removed", "mapping")])
    qtbot.waitUntil(lambda: page.publish.text() == "Publish 2 changes")
    assert "city" in shown(page.fields), "it stays in the table, to be had back"
    assert page.edit_field("city") is None
    choose(page.fields, "city")
    menu = page.fields_menu(page.fields.selected())
    assert menu is not None
    assert [action.text() for action in menu.actions()] == ["Undo 1 change"]


def test_a_search_looks_at_fields_and_at_what_fills_them(qtbot: QtBot, page: SchemaPage) -> None:
    assert page.search is not None
    QTest.keyClicks(page.search, "shop_orders total")
    qtbot.waitUntil(lambda: list(shown(page.fields)) == ["total"])
    page.search.clear()
    QTest.keyClicks(page.search, "no such thing")
    qtbot.waitUntil(page.no_fields.isVisible)
    assert page.no_fields.title.text() == "Nothing found for “no such thing”"


def test_identifiers_are_ranked_by_keys_and_by_dragging(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    page.choose_view("identifiers")
    view = page.identifiers
    qtbot.waitUntil(lambda: all(row.use is not None for row in view.model.rows()))
    assert shown(view.table)["1"] == ["email", "One", "250", "0", "0"]
    view.table.setFocus()
    view.table.select(0)
    assert not view.up.isEnabled()
    view.down.click()
    qtbot.waitUntil(lambda: draft_schema(shop).ranking() == ("member_id", "email"))
    qtbot.waitUntil(lambda: [row.field.name for row in view.model.rows()] == ["member_id", "email"])
    view.table.select(1)
    place = QPointF(view.table.visualRect(view.model.index(0, 0)).center())
    data = view.model.mimeData([view.model.index(1, 0)])
    assert view.model.canDropMimeData(data, Qt.DropAction.MoveAction, 0, 0, QModelIndex())
    drop = QDropEvent(place, Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    view.table.dropEvent(drop)
    assert [row.field.name for row in view.model.rows()] == ["email", "member_id"], "shown at once"
    qtbot.waitUntil(lambda: unpublished(shop) == [])
    assert draft_schema(shop).ranking() == ("email", "member_id")


def test_the_limit_of_sharing_is_an_unpublished_change(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    page.choose_view("identifiers")
    assert page.identifiers.keep_limit.isHidden()
    page.identifiers.limit.setValue(7)
    page.identifiers.keep_limit.click()
    qtbot.waitUntil(lambda: draft_schema(shop).shared_limit == 7)
    qtbot.waitUntil(page.identifiers.keep_limit.isHidden)
    assert unpublished(shop) == [("changed", "setting")]


def test_values_held_back_and_people_not_joined_are_listed(
    qtbot: QtBot, page: SchemaPage, shop: Engine, shell: Any
) -> None:
    person = find_profile(shop, "member7@example.com")
    with shop.workspace.database.write() as connection:
        ids = dict(connection.execute("select name, id from fields where is_identifier"))
        event = connection.execute("select max(id) from events").fetchone()[0]
        connection.execute(
            "insert into shared_values (field_id, value, others, other_field_id, event_id) values (?, ?, ?, ?, ?)",
            (ids["email"], "info@example.com", 73, ids["member_id"], event),
        )
        connection.execute(
            "insert into conflicts (event_id, profile_id, field_id, value) values (?, ?, ?, ?)",
            (event, person, ids["member_id"], "NB-0042"),
        )
    page.choose_view("identifiers")
    view = page.identifiers
    qtbot.waitUntil(lambda: view.held_model.rowCount() == 1)
    assert shown(view.held) == {"email": ["info@example.com", "73 × member_id"]}
    assert shown(view.table)["1"][3:] == ["1", "0"]
    view.tabs.choose("conflicts")
    view.conflicts.select(0)
    QTest.keyClick(view.conflicts, Qt.Key.Key_Return)
    assert shell.went == [("profile", {"profile_id": person})]


def test_the_text_of_a_stream_becomes_unpublished_changes(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    page.open(view="lql", stream="shop_orders")
    view = page.lql
    qtbot.waitUntil(lambda: "shop_orders_user" in view.code.edit.text())
    before = view.code.edit.text()
    view.code.edit.set_text(before.replace("SELECT", "SELEKT"))
    qtbot.waitUntil(lambda: bool(view.code.edit.problems()))
    assert view.code.edit.problems()[0].line == 1
    view.apply.click()
    qtbot.waitUntil(view.apply.isEnabled)
    assert unpublished(shop) == []
    view.code.edit.set_text(before.replace("order_no ", "string.uppercase(order_no) ", 1))
    page.choose_view("fields")
    page.choose_view("lql")
    view.choose("loyalty_members")
    view.choose("shop_orders")
    assert "string.uppercase(order_no)" in view.code.edit.text(), "what is typed stays until it is applied"
    qtbot.waitUntil(lambda: view.code.said.text() == "No errors; not applied yet")
    page.activateWindow()
    view.code.edit.setFocus()
    qtbot.waitUntil(view.code.edit.hasFocus)
    QTest.keyClick(view.code.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: unpublished(shop) == [("changed", "mapping")])
    qtbot.waitUntil(lambda: view.code.said.text() == "No errors")
    assert page.banner.text() == "1 change made of the text."


def test_texts_go_to_files_and_come_back(qtbot: QtBot, page: SchemaPage, shop: Engine, tmp_path: Path) -> None:
    page.open(view="lql", stream="shop_orders")
    view = page.lql
    qtbot.waitUntil(lambda: "shop_orders_user" in view.code.edit.text())
    view.export_all(tmp_path)
    qtbot.waitUntil(lambda: page.banner.text() == f"2 files exported to {tmp_path}")
    file = tmp_path / "shop_orders.lql"
    assert file.read_text("utf-8") == view.code.edit.text()
    file.write_text(file.read_text("utf-8").replace("order_no ", "bad( ", 1), "utf-8")
    view.ask_import()
    dialog = view.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit(str(file))
    dialog.reject()
    qtbot.waitUntil(lambda: "was not imported" in page.banner.text())
    assert unpublished(shop) == []
    file.write_text(view.code.edit.text().replace("order_no ", "string.uppercase(order_no) ", 1), "utf-8")
    view.import_file(file)
    qtbot.waitUntil(lambda: page.banner.text() == "shop_orders.lql imported: 1 change to publish.")
    assert unpublished_changes(shop)[0].origin == "from shop_orders.lql"


def test_versions_are_compared_in_words_and_had_back(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    first = list_versions(shop)[0].number
    put_field(shop, FieldDefinition("loyalty_tier"))
    publish_schema(shop, "Adds tiers")
    remove_field(shop, "loyalty_tier")
    publish_schema(shop, "Takes them away")
    page.choose_view("versions")
    view = page.versions
    qtbot.waitUntil(lambda: view.model.rowCount() == first + 2)
    assert shown(view.table)[str(first + 1)][2:] == ["Adds tiers", "1"]
    view.table.select(0)
    qtbot.waitUntil(lambda: "loyalty_tier" in view.differences.text())
    assert view.heading.text() == f"What version {first + 2} changed"
    assert view.load.isHidden(), "it is in force"
    view.table.select(1)
    assert not view.load.isHidden()
    view.load.click()
    qtbot.waitUntil(lambda: unpublished(shop) == [("added", "field")])
    qtbot.waitUntil(lambda: f"Version {first + 1} is loaded" in page.banner.text())
    view.table.selectAll()
    assert view.heading.text() == f"From version 1 to version {first + 2}"


def test_a_providers_change_is_offered_not_forced(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    with shop.workspace.database.write() as connection:
        for name, kind in (("city", "[]string"), ("points", "number")):
            after = field_document(FieldDefinition(name, type=kind, merge="latest"))
            connection.execute(
                "insert into schema_offers (provider, subject, after, at) values ('file-service', ?, ?, ?)",
                (f"field:{name}", orjson.dumps(after).decode(), now_text()),
            )
    page.refresh()
    qtbot.waitUntil(page.panel.offers.isVisible)
    offered = page.panel.offers.findChild(DifferenceList)
    assert offered is not None
    assert "File Service changed what was edited here" in offered.text()
    buttons = [button for button in page.panel.offers.findChildren(QPushButton) if button.text() == "Accept"]
    buttons[0].click()
    qtbot.waitUntil(lambda: len(list_offers(shop)) == 1)
    assert unpublished_changes(shop)[0].subject == "field:city"
    qtbot.waitUntil(lambda: len(page.panel.offers.findChildren(QPushButton)) == 2)
    keep = [button for button in page.panel.offers.findChildren(QPushButton) if button.text() == "Keep mine"]
    keep[0].click()
    qtbot.waitUntil(page.panel.offers.isHidden)
    assert len(unpublished_changes(shop)) == 1


def test_the_effect_is_estimated_and_said(qtbot: QtBot, page: SchemaPage, shop: Engine) -> None:
    mapping = next(one for one in draft_schema(shop).mappings if one.field == "city")
    put_mapping(shop, replace(mapping, expression="string.uppercase(city)"))
    qtbot.waitUntil(lambda: "250 people after a rebuild" in page.panel.effect.text())
    assert page.panel.effect.text() == "Changes 250 of 250 people after a rebuild."
    dialog = page.ask_publish()
    assert dialog is not None
    assert "Changes 250 of 250 people" in said(dialog)
    assert re.search(r"Maja\d+ Lindholm, city: Malmö → MALMÖ|Berlin → BERLIN|Porto → PORTO", dialog.examples.text())
    dialog.reject()
    assert page.panel.changes.told()[0].note.endswith("changes 250 people")
    page.panel.stop_asked.emit()
    assert page.panel.stop.text() == "Estimate"
    page.panel.stop.click()
    qtbot.waitUntil(lambda: "250 of 250" in page.panel.effect.text())


def test_people_are_rebuilt_once_it_is_published(qtbot: QtBot, running: Engine, shell: Any) -> None:
    page = opened(qtbot, running, shell)
    mapping = next(one for one in draft_schema(running).mappings if one.field == "city")
    put_mapping(running, replace(mapping, expression="string.uppercase(city)"))
    qtbot.waitUntil(page.publish.isVisible)
    dialog = page.ask_publish()
    assert dialog is not None
    assert dialog.rebuild.isChecked()
    person = find_profile(running, "member7@example.com")
    assert person is not None
    with qtbot.waitSignal(dialog.accepted):
        dialog.go.click()

    def city() -> Any:
        return next(field.value for field in get_profile(running, person).fields if field.name == "city")

    qtbot.waitUntil(lambda: city() == "BERLIN", timeout=LONG)
    put_field(running, FieldDefinition("note"))
    qtbot.waitUntil(page.publish.isVisible)
    dialog = page.ask_publish()
    assert dialog is not None
    assert dialog.rebuild.isHidden(), "a new field alone changes nobody"
    dialog.reject()


def test_the_view_is_kept(qtbot: QtBot, page: SchemaPage, shop: Engine, shell: Any) -> None:
    page.choose_view("versions")
    again = opened(qtbot, shop, shell)
    assert again.chips.chosen() == "versions"
    assert again.stack.currentWidget() is again.versions
    QSettings().setValue("schema/view", "gone")
    assert opened(qtbot, shop, shell).chips.chosen() == "fields"


def test_an_empty_workspace_says_what_fields_are(qtbot: QtBot, tmp_path: Path, shell: Any) -> None:
    create_workspace(tmp_path / "new", "New").close()
    with Engine.open(tmp_path / "new") as engine:
        page = opened(qtbot, engine, shell)
        qtbot.waitUntil(page.no_fields.isVisible)
        assert page.no_fields.title.text() == "No fields yet"
        assert page.pill.isHidden()
        page.choose_view("mappings")
        assert page.add_new() is None
        assert page.banner.text().startswith("A mapping needs a field to fill.")
        assert page.chips.chosen() == "fields"
        button = page.no_fields.findChild(Button)
        assert button is not None
        button.click()
        assert page.findChild(FieldDialog) is not None
