"""The form of a job, made from the options of its type."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QRegularExpression, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.catalog import Option
from app.schema.fields import Field
from ui.forms.audience import AudienceField, AudiencesField
from ui.forms.choices import ChoicesField
from ui.forms.dates import DateField
from ui.forms.people_fields import FieldChoice, FieldMap, FieldsField
from ui.widgets import CheckBox, ComboBox, FormField, LinkButton, PasswordField, TextArea

_GAP = 14
BROWSED = ("file", "folder")
"""Types of options whose choices are looked at in a place, folder by folder; those of others come as one list."""
EMPTY_MEANS = {"objects": "All", "streams": "All streams"}
ALL_COLUMNS = "fields"
"""The option in which no column means all of them; in others it means none."""
NEVER_EMPTY = ("select", "columns", "multiselect", "column", "objects", "streams", "fields")
"""Types of options in which what looks empty is an answer, so that "optional" would only puzzle."""


class OptionsForm(QWidget):
    """Asks for the values of `options`, the required ones first and the advanced ones folded.

    `changed(name, value)` follows each edit by the user, `browse(name)` a wish to choose from what the provider has,
    `choices_wanted(name)` a wish for the choices that the provider has, and `count_wanted(audience)` for how many
    people an audience has. Options whose `when` does not hold are hidden. Options of the type `mapping` are left to
    the page.
    """

    changed = Signal(str, object)
    browse = Signal(str)
    choices_wanted = Signal(str)
    count_wanted = Signal(str)

    def __init__(
        self,
        options: Sequence[Option],
        values: Mapping[str, Any],
        *,
        browse_text: str = "Browse",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._options = {option.name: option for option in options if option.type != "mapping"}
        self._values = dict(values)
        self._browse_text = browse_text
        self._filling = False
        self.fields: dict[str, FormField] = {}
        self._read: dict[str, Callable[[], Any]] = {}
        self._write: dict[str, Callable[[Any], None]] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        self._advanced = QWidget()
        advanced = QVBoxLayout(self._advanced)
        advanced.setContentsMargins(0, 0, 0, 0)
        advanced.setSpacing(_GAP)
        for option in sorted(self._options.values(), key=lambda option: not option.required):
            field = self._make(option)
            self.fields[option.name] = field
            (advanced if option.advanced else layout).addWidget(field)
            self._set(option.name, self._values.get(option.name))
        self.disclose = LinkButton("Show advanced options", clicked=self._toggle_advanced)
        layout.addWidget(self.disclose)
        layout.addWidget(self._advanced)
        self._advanced.hide()
        self.disclose.setVisible(advanced.count() > 0)
        self._apply_when()

    def control(self, name: str) -> QWidget:
        """What an option is entered into."""
        return self.fields[name].control

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show these values, without telling `changed`."""
        for name in self._options:
            value = values.get(name)
            if self._values.get(name) != value:
                self._values[name] = value
                self._set(name, value)
        self._apply_when()

    def set_columns(self, names: Sequence[str]) -> None:
        """The columns that can be chosen."""
        for name, option in self._options.items():
            control = self.control(name)
            if option.type == "column" and isinstance(control, ComboBox):
                self._offer(name, control, [("None", ""), *((column, column) for column in names)])
            elif option.type == "columns" and isinstance(control, ChoicesField):
                control.set_choices([(column, column) for column in names])

    def set_streams(self, names: Iterable[str]) -> None:
        """The streams that can be added to, or taken from."""
        streams = [(stream, stream) for stream in names]
        for name, option in self._options.items():
            control = self.control(name)
            if option.type == "stream" and isinstance(control, ComboBox):
                self._offer(name, control, list(streams))
            elif option.type == "streams" and isinstance(control, ChoicesField):
                control.set_choices(streams)

    def set_fields(self, fields: Sequence[Field]) -> None:
        """The profile fields that can be chosen."""
        for name in self._options:
            control = self.control(name)
            if isinstance(control, FieldChoice | FieldsField | FieldMap):
                self._filling = True
                control.set_fields(fields)
                self._write[name](self._values.get(name))
                self._filling = False

    def show_count(self, audience: str, count: int | None, why: str = "") -> None:
        """Say how many people an audience has, or why that is not known."""
        for name in self._options:
            control = self.control(name)
            if isinstance(control, AudienceField | AudiencesField):
                control.show_count(audience, count, why)

    def count_again(self) -> None:
        """Ask anew how many people the chosen audiences have."""
        for name in self._options:
            control = self.control(name)
            if isinstance(control, AudienceField | AudiencesField):
                control.ask_again()

    def listed(self) -> list[str]:
        """The options whose choices the provider has as one list."""
        return [name for name, option in self._options.items() if option.choices_from and option.type not in BROWSED]

    def set_choices(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        """The (label, value) pairs that the provider has for an option; those of its description stay before them."""
        control, option = self.control(name), self._options[name]
        offered: list[tuple[str, str]] = [(choice.label, choice.value) for choice in option.choices]
        offered += [pair for pair in choices if pair not in offered]
        if isinstance(control, ComboBox):
            self._offer(name, control, list(offered))
            edit = control.lineEdit()
            if edit is not None and len(offered) == 1 and not option.required:
                # What is meant when nothing is entered.
                edit.setPlaceholderText(offered[0][0])
        elif isinstance(control, ChoicesField):
            control.set_choices(offered)
        self.fields[name].set_help(option.help)

    def say_choices(self, name: str, sentence: str) -> None:
        """Say in place of an option's help how it stands with the choices that the provider has."""
        self.fields[name].set_help(sentence)

    def limit_choices(self, name: str, values: Collection[str]) -> None:
        """Offer only these of the choices of an option with several values."""
        control = self.control(name)
        if isinstance(control, ChoicesField):
            choices = self._options[name].choices
            control.set_choices([(choice.label, choice.value) for choice in choices if choice.value in values])

    def set_objects(self, choices: Sequence[tuple[str, str]]) -> None:
        """The (name, number) pairs of things in the workspace that can be chosen."""
        for name, option in self._options.items():
            control = self.control(name)
            if option.type == "objects" and isinstance(control, ChoicesField):
                control.set_choices(choices)

    def set_errors(self, errors: Mapping[str, str]) -> None:
        """Say at each option what is wrong with it; the first one gets the focus."""
        first = None
        for name, field in self.fields.items():
            field.set_error(errors.get(name, ""))
            if name in errors and first is None:
                first = field
                if self._options[name].advanced:
                    self.show_advanced()
        if first is not None:
            first.control.setFocus()

    def add_above_advanced(self, widget: QWidget) -> None:
        """Put something of the page's own between the options and the advanced ones."""
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.indexOf(self.disclose), widget)

    def add_advanced(self, widget: QWidget) -> None:
        """Put something of the page's own below the advanced options."""
        layout = self._advanced.layout()
        assert layout is not None
        layout.addWidget(widget)
        self.disclose.show()

    def show_advanced(self) -> None:
        """Unfold the advanced options."""
        self._advanced.show()
        self.disclose.setText("Hide advanced options")

    def _toggle_advanced(self) -> None:
        if self._advanced.isHidden():
            self.show_advanced()
        else:
            self._advanced.hide()
            self.disclose.setText("Show advanced options")

    def _make(self, option: Option) -> FormField:
        action = None
        if option.choices_from and option.type in BROWSED:
            action = (self._browse_text, functools.partial(self.browse.emit, option.name))
        elif option.choices_from:
            action = ("Load again", functools.partial(self.choices_wanted.emit, option.name))
        label = "" if option.type == "checkbox" else option.label
        control = self._control(option)
        # Of a control with several parts, the one that takes the focus is the one that is read out.
        for part in (control, control.focusProxy()):
            if part is not None and not part.accessibleName():
                part.setAccessibleName(option.label)
        # A choice that is never empty is not "optional" to the user.
        settled = option.required or option.type in NEVER_EMPTY
        return FormField(label, control, help=option.help, required=settled, action=action)

    def _control(self, option: Option) -> QWidget:
        name = option.name
        edited = functools.partial(self._edited, name)
        if option.type == "checkbox":
            check = CheckBox(option.label)
            check.toggled.connect(edited)
            self._read[name] = check.isChecked
            self._write[name] = lambda value: check.setChecked(bool(value))
            return check
        if option.type in ("columns", "multiselect", "objects", "streams"):
            empty = "All columns" if option.name == ALL_COLUMNS else EMPTY_MEANS.get(option.type, "None")
            several = ChoicesField([(choice.label, choice.value) for choice in option.choices], empty=empty)
            several.changed.connect(edited)
            self._read[name] = several.value
            self._write[name] = lambda value: several.set_value(value or [])
            return several
        if option.type in ("select", "column", "stream") or (option.type == "text" and option.choices_from):
            combo = ComboBox(editable=option.type != "select" or bool(option.choices_from))
            combo.add_choices((choice.label, choice.value) for choice in option.choices)
            if option.type == "column":
                combo.add_choices([("None", "")])
            combo.value_changed.connect(edited)
            self._read[name] = combo.value
            self._write[name] = lambda value: combo.set_value("" if value is None else value)
            return combo
        if option.type == "multiline":
            area = TextArea()
            area.textChanged.connect(edited)
            self._read[name] = area.toPlainText
            self._write[name] = lambda value: area.setPlainText("" if value is None else str(value))
            return area
        if option.type in ("audience", "audiences", "field", "fields", "field-map", "date"):
            return self._people_control(option)
        line = PasswordField() if option.type == "password" else QLineEdit()
        line.textChanged.connect(edited)
        self._read[name] = lambda: line.text().strip() if option.type != "password" else line.text()
        self._write[name] = lambda value: line.setText("" if value is None else str(value))
        if option.type == "number":
            line.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]*"), line))
            self._read[name] = lambda: int(line.text()) if line.text() else None
        return line

    def _people_control(self, option: Option) -> QWidget:
        """What an export is about: who, which of their fields, and from which day on."""
        name = option.name
        edited = functools.partial(self._edited, name)
        control: AudienceField | AudiencesField | FieldsField | FieldMap
        if option.type == "date":
            day = DateField()
            day.chosen.connect(edited)
            self._read[name] = day.value
            self._write[name] = lambda value: day.setText("" if value is None else str(value))
            return day
        if option.type == "field":
            field = FieldChoice()
            field.value_changed.connect(edited)
            self._read[name] = field.value
            self._write[name] = lambda value: field.set_value(value or None)
            return field
        if option.type in ("audience", "audiences"):
            control = AudienceField() if option.type == "audience" else AudiencesField()
            control.count_wanted.connect(self.count_wanted)
        elif option.type == "fields":
            control = FieldsField()
        else:
            control = FieldMap(option.choices)
        control.changed.connect(edited)
        self._read[name] = control.value
        self._write[name] = control.set_value
        return control

    def _offer(self, name: str, combo: ComboBox, choices: list[tuple[str, object]]) -> None:
        self._filling = True
        combo.set_choices(choices)
        self._write[name](self._values.get(name))
        self._filling = False

    def _set(self, name: str, value: Any) -> None:
        self._filling = True
        self._write[name](value)
        self._filling = False

    def _edited(self, name: str, *_: object) -> None:
        if self._filling:
            return
        value = self._read[name]()
        if value == self._values.get(name):
            return
        self._values[name] = value
        self.fields[name].set_error("")
        self._apply_when()
        self.changed.emit(name, value)

    def _apply_when(self) -> None:
        for name, option in self._options.items():
            self.fields[name].setVisible(option.applies(self._values))
