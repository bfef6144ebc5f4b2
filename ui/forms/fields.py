"""The form of an authorization, made from the fields of its method."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QRegularExpression, Qt, QTimer, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from app.authorizations import PGP_KEYS, PGP_PASSPHRASE, BadKey, GpgMissing, KeyInfo, check_key
from app.catalog import Field
from ui.pages.authorizations.words import key_line
from ui.pages.files import ask_folder, ask_open
from ui.shell.background import run_query
from ui.widgets import ComboBox, FormField, LinkButton, PasswordField, TextArea

LONGEST_KEY_FILE = 65_536
"""Bytes. Key files have a few thousand; what is larger was chosen by mistake."""
KEPT = "Leave it empty to keep what is saved"


class FieldsForm(QWidget):
    """Asks for the values of `fields`: `FieldsForm(method.fields)`, then `.values()`.

    `values` are what it starts with. `kept_secrets` are names of secrets that are saved already: these may stay
    blank. Hidden fields are not shown; `set_value` gives them one. `changed(name)` follows each edit by the user. A PGP
    key is looked at when its field is left: what it is, or what is wrong with it, then stands below it.
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
        self._looked_at: dict[str, tuple[str, str]] = {}
        """By field, the PGP key and passphrase that were looked at last."""
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
        elif field.type == "multiline" or field.type in PGP_KEYS:
            control = TextArea(code=True, lines=4)
            control.textChanged.connect(functools.partial(self._edited, field.name))
            if field.type in PGP_KEYS:
                action = ("Choose file…", functools.partial(self._ask_file, field))
                control.setPlaceholderText(f"-----BEGIN PGP {field.type.split('-')[1].upper()} KEY BLOCK-----")
                # A key is nothing to be read: its lines may end at the edge, but not be broken there.
                control.setLineWrapMode(TextArea.LineWrapMode.NoWrap)
                control.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
                control.installEventFilter(self)
            elif field.secret:
                action = ("Read from a file…", functools.partial(self._ask_file, field))
        else:
            control = PasswordField() if field.secret or field.type == "password" else QLineEdit()
            control.textChanged.connect(functools.partial(self._edited, field.name))
            if field.type == "number":
                control.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]*"), control))
            elif field.name == PGP_PASSPHRASE:
                control.editingFinished.connect(self.look_at_keys)
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

    def show_error(self, error: BaseException) -> bool:
        """Say at its field what is wrong with a key; False for an error about something else."""
        if not isinstance(error, BadKey) or error.field not in self.fields:
            return False
        self.fields[error.field].set_error(f"{error.message} {error.advice}".strip())
        self._controls[error.field].setFocus()
        return True

    def look_at_keys(self) -> None:
        """Have the PGP keys checked that were entered and not looked at yet."""
        values = self.values()
        passphrase = values.get(PGP_PASSPHRASE, "")
        for field in self._asked:
            text = values.get(field.name, "").strip()
            if field.type not in PGP_KEYS or not text or self._looked_at.get(field.name) == (text, passphrase):
                continue
            self._looked_at[field.name] = (text, passphrase)
            self.fields[field.name].set_error("")
            self.fields[field.name].set_help("Looking at the key…")
            run_query(
                functools.partial(check_key, field, text, passphrase),
                done=functools.partial(self._key_fits, field.name, (text, passphrase)),
                failed=functools.partial(self._key_does_not_fit, field, (text, passphrase)),
                owner=self,
            )

    def _key_fits(self, name: str, entered: tuple[str, str], info: KeyInfo) -> None:
        if self._looked_at.get(name) == entered:
            self.fields[name].set_help(key_line(info))

    def _key_does_not_fit(self, field: Field, entered: tuple[str, str], error: BaseException) -> None:
        if self._looked_at.get(field.name) != entered:
            return
        self.fields[field.name].set_help(field.help)
        sentence = f"{getattr(error, 'message', error)} {getattr(error, 'advice', '')}".strip()
        if isinstance(error, GpgMissing):
            # Nothing is wrong with the key: it can be kept, and used once GnuPG is there.
            self.fields[field.name].set_help(f"The key was not checked. {sentence}")
        else:
            self.fields[field.name].set_error(sentence)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            QTimer.singleShot(0, self, self._key_left)
        return super().eventFilter(watched, event)

    def _key_left(self) -> None:
        """A key's field was left; where its passphrase or its file comes next, it is looked at after that."""
        focused = QApplication.focusWidget()
        around = [self.fields[field.name] for field in self._asked if field.type in PGP_KEYS]
        if focused is None or not (
            focused is self._controls.get(PGP_PASSPHRASE) or any(frame.isAncestorOf(focused) for frame in around)
        ):
            self.look_at_keys()

    def _edited(self, name: str, *_: object) -> None:
        if name not in self.fields:
            return
        self.fields[name].set_error("")
        for field in self._asked:
            if field.type in PGP_KEYS and name in (field.name, PGP_PASSPHRASE) and field.name in self._looked_at:
                del self._looked_at[field.name]
                self.fields[field.name].set_error("")
                self.fields[field.name].set_help(KEPT if field.name in self._kept else field.help)
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
            self.look_at_keys()
        except OSError as error:
            self.fields[name].set_error(f"{file.name} can't be read: {error.strerror}. Choose another file.")
        except ValueError:
            pgp = next(field.type for field in self._asked if field.name == name) in PGP_KEYS
            form = "armored PGP form (text that begins with -----BEGIN PGP)" if pgp else "OpenSSH or PEM form"
            self.fields[name].set_error(f"{file.name} is no key in {form}. Choose another file.")


def _text_of(control: QLineEdit | TextArea | ComboBox) -> str:
    if isinstance(control, TextArea):
        return control.toPlainText()
    return str(control.value() or "") if isinstance(control, ComboBox) else control.text()
