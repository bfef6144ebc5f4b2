"""The whole value of a field, with where it came from."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from app.profiles import FieldValue
from app.schema.words import kind_word
from ui.pages.values import as_of, entries, value_text
from ui.widgets import Button, FactsStrip, PrimaryButton, set_kind


def origin(field: FieldValue) -> str:
    """The job and stream that a value came from."""
    return " · ".join(part for part in (field.job, field.stream) if part) or "No longer known"


def whole_text(field: FieldValue, *, identifier: bool) -> str:
    """A value in full: each member of a set and each entry of a map in a line of its own."""
    if isinstance(field.value, list | dict):
        return "\n".join(entries(field.value, field.type))
    return value_text(field.value, field.type, identifier=identifier)


class ValueDialog(QDialog):
    """Shows a value in full; Copy puts it on the clipboard."""

    def __init__(self, parent: QWidget, field: FieldValue, *, identifier: bool) -> None:
        super().__init__(parent)
        self.setWindowTitle(field.label or field.name)
        self.setModal(True)
        self.setMinimumWidth(620)
        self.text = QPlainTextEdit(whole_text(field, identifier=identifier))
        self.text.setReadOnly(True)
        self.text.setAccessibleName(f"Value of {field.name}")
        self.text.setMinimumHeight(150)
        facts = [
            ("Type", kind_word(field.type)),
            ("From", origin(field)),
            ("As of", as_of(field.at)),
            ("Event", f"{field.event_id:,}"),
        ]
        if isinstance(field.value, list | dict):
            facts.insert(1, ("Values", f"{len(field.value):,}"))
        self.copy = Button("Copy", icon="copy", clicked=self.copy_value)
        self.shut = PrimaryButton("Close", clicked=self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy)
        buttons.addStretch(1)
        buttons.addWidget(self.shut)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(set_kind(QLabel(field.label or field.name), "title"))
        layout.addWidget(set_kind(QLabel(field.name), "muted"))
        layout.addWidget(self.text, 1)
        layout.addWidget(FactsStrip(facts))
        layout.addLayout(buttons)

    def copy_value(self) -> None:
        """Put the value on the clipboard."""
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copy.setText("Copied")
