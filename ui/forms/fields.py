"""The form of an authorization, made from the fields of its method."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QRegularExpression, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.catalog import Field
from ui.pages.files import ask_folder, ask_open
from ui.widgets import ComboBox, FormField, LinkButton, PasswordField, TextArea

LONGEST_KEY_FILE = 65_536
"""Bytes. Key files have a few thousand; what is larger was chosen by mistake."""
KEPT = "Leave it empty to keep what is saved"


class FieldsForm(QWidget):
    """Asks for the values of `fields`: `FieldsForm(method.fields)`, then `.values()`.

    `values` are what it starts with. `kept_secrets` are names of secrets that are saved already: these may stay
    blank. Hidden fields are not shown; `set_value` gives them one. `changed(name)` follows each edit by the user.
    """

    changed = Signal(str)

    def __init__(
        self,
        fields: Sequence[Field],
        values: Mapping[str, str] | None = None,
        kept_secrets: Collection[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._asked = tuple(fields)
        self._kept = frozenset(kept_secrets)
        self._hidden: dict[str, str] = {}
        self._controls: dict[str, QLineEdit | TextArea | ComboBox] = {}
        self.fields: dict[str, FormField] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        self._more = QWidget()
        more = QVBoxLayout(self._more)
        more.setContentsMargins(0, 0, 0, 0)
        more.setSpacing(14)
        given = values or {}
        for field in self._asked:
            value = given.get(field.name, field.default)
            if field.type == "hidden":
                self._hidden[field.name] = value
                continue
            form_field = self._make(field)
            (more if field.advanced else layout).addWidget(form_field)
            self.fields[field.name] = form_field
            self.set_value(field.name, value)
        if more.count():
            self._disclose = LinkButton("More settings", clicked=self._show_more)
            layout.addWidget(self._disclose)
            layout.addWidget(self._more)
        self._more.setVisible(False)

    def _make(self, field: Field) -> FormField:
        kept = field.name in self._kept
        control: QLineEdit | TextArea | ComboBox
        action = None
        if field.type == "select":
            control = ComboBox()
            control.add_choices((choice.label, choice.value) for choice in field.choices)
            control.value_changed.connect(functools.partial(self._edited, field.name))
        elif field.type == "multiline":
            control = TextArea(code=True, lines=4)
            control.textChanged.connect(functools.partial(self._edited, field.name))
            if field.secret:
                action = ("Read from a file…", functools.partial(self._ask_file, field))
        else:
            control = PasswordField() if field.secret or field.type == "password" else QLineEdit()
            control.textChanged.connect(functools.partial(self._edited, field.name))
            if field.type == "number":
                control.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]*"), control))
            elif field.type == "folder":
                action = ("Choose…", functools.partial(self._ask_folder, field))
        self._controls[field.name] = control
        return FormField(
            field.label,
            control,
            help=KEPT if kept else field.help,
            required=field.required and not kept,
            action=action,
        )

    def control(self, name: str) -> QLineEdit | TextArea | ComboBox:
        """What a shown field is typed into."""
        return self._controls[name]

    def values(self) -> dict[str, str]:
        """What was entered, by name; fields that are empty are left out."""
        found = dict(self._hidden)
        for name, control in self._controls.items():
            found[name] = _text_of(control)
        return {name: value for name, value in found.items() if value}

    def set_value(self, name: str, value: str) -> None:
        """Enter a value for the user, or for a hidden field."""
        control = self._controls.get(name)
        if control is None:
            self._hidden[name] = value
        elif isinstance(control, TextArea):
            control.setPlainText(value)
        elif isinstance(control, ComboBox):
            control.set_value(value)
        else:
            control.setText(value)

    def complete(self) -> bool:
        """Whether every required field has a value; those that have none say so, and the first gets the focus."""
        values = self.values()
        missing = [
            field
            for field in self._asked
            if field.required
            and field.type != "hidden"
            and field.name not in self._kept
            and not values.get(field.name, "").strip()
        ]
        for field in missing:
            self.fields[field.name].set_error(f"“{field.label}” is missing. Fill it in.")
        if missing:
            if any(field.advanced for field in missing):
                self._show_more()
            self._controls[missing[0].name].setFocus()
        return not missing

    def _edited(self, name: str, *_: object) -> None:
        if name in self.fields:
            self.fields[name].set_error("")
            self.changed.emit(name)

    def _show_more(self) -> None:
        self._more.show()
        self._disclose.hide()

    def _ask_folder(self, field: Field) -> None:
        ask_folder(self, field.label, lambda folder: self.set_value(field.name, str(folder)))

    def _ask_file(self, field: Field) -> None:
        ask_open(self, field.label, "All files (*)", functools.partial(self.read_file, field.name))

    def read_file(self, name: str, file: Path) -> None:
        """Enter the content of a key file; says so at the field when it is none."""
        try:
            with file.open("rb") as opened:
                data = opened.read(LONGEST_KEY_FILE + 1)
            if len(data) > LONGEST_KEY_FILE:
                raise ValueError("too large")
            self.set_value(name, data.decode())
        except OSError as error:
            self.fields[name].set_error(f"{file.name} can't be read: {error.strerror}. Choose another file.")
        except ValueError:
            self.fields[name].set_error(f"{file.name} is no key in OpenSSH or PEM form. Choose another file.")


def _text_of(control: QLineEdit | TextArea | ComboBox) -> str:
    if isinstance(control, TextArea):
        return control.toPlainText()
    return str(control.value() or "") if isinstance(control, ComboBox) else control.text()
