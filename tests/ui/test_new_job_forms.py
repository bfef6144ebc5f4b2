"""The parts of a job's form that exports brought: people, fields, names of fields, days, live choices."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QDate, QModelIndex, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.catalog import Catalog, Option, OptionChoice
from app.schema.fields import Field
from ui.forms.audience import AudienceField, AudiencesField
from ui.forms.choices import ChoicesField
from ui.forms.dates import DateField
from ui.forms.options import OptionsForm
from ui.forms.people_fields import FieldChoice, FieldMap, FieldsField
from ui.widgets import ComboBox

FIELDS = [
    Field(1, "email", "Email", "string", True),
    Field(2, "first_name", "Name", "string", False),
    Field(3, "name", "Name", "string", False),
    Field(4, "tags", "Tags", "[]string", False),
]


class Told:
    """A form with what it told."""

    def __init__(self, qtbot: QtBot, *options: Option, **values: Any) -> None:
        self.values: dict[str, Any] = {}
        self.counted: list[str] = []
        self.form = OptionsForm(options, {option.name: option.default for option in options} | values)
        qtbot.addWidget(self.form)
        self.form.changed.connect(lambda name, value: self.values.update({name: value}))
        self.form.count_wanted.connect(self.counted.append)
        self.form.set_fields(FIELDS)
        self.form.resize(400, 600)
        self.form.show()


def test_everybody_or_whom_a_search_finds(qtbot: QtBot) -> None:
    told = Told(qtbot, Option("segment_id", "People", "audience", required=True))
    field = told.form.control("segment_id")
    assert isinstance(field, AudienceField)
    assert (field.value(), field.search.isVisible(), field.count.isVisible()) == ("", False, False)
    field.choice.set_value("all")
    assert (told.values, told.counted) == ({"segment_id": "all"}, ["all"])
    told.form.show_count("all", 48_213)
    assert field.count.text() == "48,213 people"
    field.choice.set_value("search:")
    assert told.values["segment_id"] == "", "a search for nothing names nobody"
    field.search.setText("malmö")
    assert told.values["segment_id"] == "search:malmö"
    qtbot.waitUntil(lambda: told.counted[-1] == "search:malmö")
    told.form.show_count("all", 48_213)
    assert field.count.text() == "Counting…", "an answer about others is no answer"
    told.form.show_count("search:malmö", 0)
    assert field.count.text() == "Nobody is found."
    told.form.set_values({"segment_id": "all"})
    assert (field.choice.value(), field.search.isVisible()) == ("all", False)


def test_several_audiences(qtbot: QtBot) -> None:
    told = Told(qtbot, Option("segments", "Also mark", "audiences"), segments=["all", "search:berlin"])
    field = told.form.control("segments")
    assert isinstance(field, AudiencesField)
    assert field.value() == ["all", "search:berlin"]
    assert told.values == {}, "what the form begins with was not entered"
    field.add_button.click()
    field.rows[2].choice.set_value("search:")
    field.rows[2].search.setText("porto")
    assert told.values["segments"] == ["all", "search:berlin", "search:porto"]
    field._remove(field.rows[0])
    assert told.values["segments"] == ["search:berlin", "search:porto"]


def test_fields_in_an_order_by_the_keyboard(qtbot: QtBot) -> None:
    told = Told(qtbot, Option("fields", "Fields", "fields"))
    field = told.form.control("fields")
    assert isinstance(field, FieldsField)
    assert field.none.text() == "All 4 fields"
    offered = [field.add_choice.itemText(at) for at in range(field.add_choice.count())]
    assert offered == ["Email · Text", "Name (first_name) · Text", "Name (name) · Text", "Tags · Set"]
    for name in ("tags", "email", "name"):
        field.add_choice.set_value(name)
        edit = field.add_choice.lineEdit()
        assert edit is not None
        QTest.keyClick(edit, Qt.Key.Key_Return)
    assert told.values["fields"] == ["tags", "email", "name"]
    field.list.setCurrentIndex(field.model.index(2, 0))
    QTest.keyClick(field.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert told.values["fields"] == ["tags", "name", "email"]
    assert field.list.currentIndex().row() == 1
    assert (field.up.isEnabled(), field.down.isEnabled()) == (True, True)
    QTest.keyClick(field.list, Qt.Key.Key_Delete)
    assert told.values["fields"] == ["tags", "email"]
    # What a drag of the second above the first does: Qt puts it there, then takes it from its old place.
    dragged = field.model.mimeData([field.model.index(1, 0)])
    field.model.dropMimeData(dragged, Qt.DropAction.MoveAction, 0, 0, QModelIndex())
    field.model.removeRow(2)
    assert told.values["fields"] == ["email", "tags"]
    field.every.click()
    assert told.values["fields"] == []
    assert field.none.isVisible()


def test_names_for_fields(qtbot: QtBot) -> None:
    told = Told(qtbot, Option("names", "Names", "field-map"), names={"email": "E-Mail"})
    field = told.form.control("names")
    assert isinstance(field, FieldMap)
    assert field.value() == {"email": "E-Mail"}
    field.add_button.click()
    second, called = field.rows[1]
    second.set_value("tags")
    assert not isinstance(called, ComboBox)
    called.setText("Labels")
    assert told.values["names"] == {"email": "E-Mail", "tags": "Labels"}
    second.set_value("email")
    assert field.note.text() == "email is there twice; the first one counts."
    assert told.values["names"] == {"email": "E-Mail"}


def test_fixed_names_for_fields(qtbot: QtBot) -> None:
    choices = (OptionChoice("EMAIL", "E-mail address"), OptionChoice("MOBILE", "Mobile number"))
    told = Told(qtbot, Option("names", "Names", "field-map", choices=choices))
    field = told.form.control("names")
    assert isinstance(field, FieldMap)
    field.add_button.click()
    profile_field, target = field.rows[0]
    profile_field.set_value("email")
    assert isinstance(target, ComboBox)
    assert not told.values["names"], "half a row is none"
    target.set_value("EMAIL")
    assert told.values["names"] == {"email": "EMAIL"}


def test_one_field_is_found_by_a_part_of_its_label(qtbot: QtBot) -> None:
    told = Told(qtbot, Option("id_field", "Identifier", "field"), id_field="email")
    field = told.form.control("id_field")
    assert isinstance(field, FieldChoice)
    assert (field.currentText(), field.value()) == ("Email · Text", "email")
    field.setEditText("Tags · Set")
    assert told.values["id_field"] == "tags"


@pytest.mark.parametrize(
    ("typed", "value"), [("2026/11/22", "2026-11-22"), ("2026-11-22", "2026-11-22"), ("soon", "soon"), ("", "")]
)
def test_a_day_as_it_is_typed(qtbot: QtBot, typed: str, value: str) -> None:
    field = DateField()
    qtbot.addWidget(field)
    field.setText(typed)
    assert field.value() == value


def test_a_day_from_the_calendar(qtbot: QtBot) -> None:
    told = Told(qtbot, Option("since", "Since", "date"), since="2026-11-20")
    field = told.form.control("since")
    assert isinstance(field, DateField)
    field.open()
    assert field.calendar.selectedDate() == QDate(2026, 11, 20)
    field.calendar.clicked.emit(QDate(2026, 11, 21))
    assert told.values == {"since": "2026-11-21"}
    assert not field.popup.isVisible()


def test_choices_that_the_provider_has_can_be_typed_as_well(qtbot: QtBot) -> None:
    told = Told(
        qtbot,
        Option("bucket", "Bucket", "select", choices_from="list_buckets", help="Where it goes"),
        Option("streams", "Streams", "streams"),
    )
    wanted: list[str] = []
    told.form.choices_wanted.connect(wanted.append)
    assert told.form.listed() == ["bucket"]
    told.form.say_choices("bucket", "Looking what there is…")
    told.form.set_choices("bucket", [("Northbeam", "northbeam"), ("Agency", "agency")])
    combo, streams = told.form.control("bucket"), told.form.control("streams")
    assert isinstance(combo, ComboBox)
    assert isinstance(streams, ChoicesField)
    assert told.values == {}, "what is on offer was not chosen"
    combo.setEditText("Agency")
    assert told.values["bucket"] == "agency"
    combo.setEditText("another")
    assert told.values["bucket"] == "another"
    told.form.set_streams(["orders", "members"])
    assert streams.text() == "All streams"


def test_every_job_type_has_a_form_that_shows_its_defaults(qtbot: QtBot) -> None:
    for provider in Catalog.load().providers:
        for job_type in provider.jobs:
            defaults = {option.name: option.default for option in job_type.options}
            told = Told(qtbot, *job_type.options)
            told.form.set_streams(["orders"])
            told.form.set_columns(["email", "total"])
            told.form.set_values(defaults)
            told.form.show_advanced()
            assert told.values == {}, f"{job_type.slug}: nobody has entered anything"
            shown = {name for name, field in told.form.fields.items() if field.isVisibleTo(told.form)}
            assert shown == {
                option.name for option in job_type.options if option.type != "mapping" and option.applies(defaults)
            }
