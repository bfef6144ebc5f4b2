"""Fields for times of day and time zones, and the quiet hours that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimeZone, Signal
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.jobs.schedule import MOST_QUIET_HOURS
from ui.widgets import CheckBox, ComboBox, FormField, NumberField

USUAL_START, USUAL_HOURS = "22:00", 8
EXPLAINED = (
    "Nothing starts from this time of day on, for so many hours. What falls due in them comes at their end, once."
)


def time_box(placeholder: str = "") -> ComboBox:
    """A time of day, typed or chosen from the half hours of a day."""
    box = ComboBox(editable=True, placeholder=placeholder)
    box.add_choices((f"{hour:02}:{minute:02}", f"{hour:02}:{minute:02}") for hour in range(24) for minute in (0, 30))
    return _no_wider(box)


def zone_box() -> ComboBox:
    """A time zone, found by any part of its name."""
    box = ComboBox(editable=True)
    names = [name for name in map(_name, QTimeZone.availableTimeZoneIds()) if "/" in name and "Etc/" not in name]
    box.add_choices((name, name) for name in ["UTC", *sorted(set(names))])
    completer = box.completer()
    if completer is not None:
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
    return _no_wider(box)


def zone_here() -> str:
    """The zone of this computer's clock."""
    return _name(QTimeZone.systemTimeZoneId()).replace("Etc/UTC", "UTC") or "UTC"


class QuietHours(QWidget):
    """Hours of each day in which nothing starts; `changed` follows each edit by the user."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filling = False
        self.on = CheckBox("Quiet hours")
        self.on.toggled.connect(self._edited)
        self.start, self.zone = time_box(), zone_box()
        self.hours = NumberField(USUAL_HOURS, 1, MOST_QUIET_HOURS)
        for box in (self.start, self.zone):
            box.value_changed.connect(self._edited)
        self.hours.valueChanged.connect(self._edited)
        row = QHBoxLayout()
        row.setSpacing(12)
        for label, control, share in (
            ("Quiet from", self.start, 9),
            ("Hours", self.hours, 6),
            ("Time zone", self.zone, 12),
        ):
            row.addWidget(FormField(label, control, required=True), share)
        # Beside the time of day of the schedule, "Time zone" alone would be heard twice.
        self.zone.setAccessibleName("Time zone of the quiet hours")
        self._fields = QWidget()
        self._fields.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        self._frame = FormField("", self._fields, help=EXPLAINED, required=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.on)
        layout.addWidget(self._frame)
        self.set_document(None, "")

    def set_document(self, document: Mapping[str, Any] | None, zone: str) -> None:
        """Show quiet hours as app.jobs.schedule writes them, None for none; `zone` is that of the schedule."""
        found = document or {}
        self._filling = True
        self.on.setChecked(document is not None)
        self.start.set_value(found.get("start", USUAL_START))
        self.hours.setValue(found.get("hours", USUAL_HOURS))
        self.zone.set_value(found.get("zone") or zone or zone_here())
        self._filling = False
        self._frame.setVisible(self.on.isChecked())

    def document(self) -> dict[str, Any] | None:
        """The quiet hours as they stand, None for none."""
        if not self.on.isChecked():
            return None
        start, zone = str(self.start.value()).strip(), str(self.zone.value()).strip()
        return {"start": start, "zone": zone, "hours": self.hours.value()}

    def _edited(self, *_: object) -> None:
        if not self._filling:
            self._frame.setVisible(self.on.isChecked())
            self.changed.emit()


def _no_wider(box: ComboBox) -> ComboBox:
    # Long names of zones must not make the form wider than its column.
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return box


def _name(zone: Any) -> str:
    return bytes(zone.data()).decode()
