"""When a job runs: again or once, how often, at which time of day, in which zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.errors import Refused
from app.jobs.schedule import BY_THE_DAY, DAY_NAMES, next_runs, read_schedule
from ui.pages.new_job.times import QuietHours, time_box, zone_box, zone_here
from ui.widgets import CheckBox, ComboBox, FormField, set_kind

FREQUENCIES = (
    ("Every 15 minutes", "15 minutes"),
    ("Hourly", "hourly"),
    *((f"Every {hours} hours", f"hours {hours}") for hours in (2, 3, 4, 6, 8, 12)),
    ("Daily", "daily"),
    ("Weekly", "weekly"),
    ("Monthly", "monthly"),
)
"""Labels and values of the choice; "hours 6" is a frequency with its number."""
FIRST_TIME = "06:00"
SHOWN_RUNS = 2
DAYS_IN_ROW = 4
WIDE = 320
"""Pixels from which on all fields stand side by side."""


class ScheduleForm(QWidget):
    """`set_document` shows a schedule as app.jobs.schedule writes it; `changed(document)` follows each edit.

    `again` says what running again is. `quiet` is a form of its own, for the page to put beside its advanced options.
    """

    changed = Signal(object)

    def __init__(self, again: str = "Keep importing", *, new: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._new = new
        self._filling = False
        self.quiet = QuietHours()
        self.quiet.changed.connect(self._edited)
        self.again = CheckBox(again)
        self.again.toggled.connect(self._edited)
        self.note = set_kind(QLabel(), "secondary")
        self.note.setWordWrap(True)
        self.frequency = ComboBox()
        self.frequency.add_choices(FREQUENCIES)
        self.time, self.zone = time_box("Any"), zone_box()
        self.day = ComboBox()
        self.day.add_choices((str(day), day) for day in range(1, 31))
        self.day.add_choices([("Last", 31)])
        for box in (self.frequency, self.time, self.zone, self.day):
            box.value_changed.connect(self._edited)
        self.frequency_field = FormField("Frequency", self.frequency, required=True)
        self.time_field = FormField("Time of day", self.time, required=True)
        self.zone_field = FormField("Time zone", self.zone, required=True)
        self.day_field = FormField("Day", self.day, required=True)
        self.days = [CheckBox(name[:2]) for name in DAY_NAMES]
        for check, name in zip(self.days, DAY_NAMES, strict=True):
            check.setAccessibleName(name)
            check.setToolTip(name)
            check.toggled.connect(self._edited)
        self._days_row = QWidget()
        days = QGridLayout(self._days_row)
        days.setContentsMargins(0, 0, 0, 0)
        for at, check in enumerate(self.days):
            days.addWidget(check, *divmod(at, DAYS_IN_ROW))
        timed = QHBoxLayout()
        timed.setSpacing(12)
        for field, share in ((self.day_field, 6), (self.time_field, 9), (self.zone_field, 12)):
            timed.addWidget(field, share)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(12)
        self._row.addWidget(self.frequency_field, 10)
        self._row.addLayout(timed, 21)
        for box in (self.frequency, self.day):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._fields = QWidget()
        rows = QVBoxLayout(self._fields)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(10)
        rows.addLayout(self._row)
        rows.addWidget(self._days_row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.again)
        layout.addWidget(self._fields)
        layout.addWidget(self.note)
        self.set_document({})

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < WIDE
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def set_document(self, document: Mapping[str, Any]) -> None:
        """Show a schedule; what it does not say is filled with what most people want."""
        self._filling = True
        every = document.get("every", "once")
        self.again.setChecked(every != "once")
        hours = document.get("hours", 1)
        value = {"once": "daily", "hours": f"hours {hours}"}.get(every, every)
        if self.frequency.findData(value) < 0:
            self.frequency.add_choices([(f"Every {hours} hours", value)])
        self.frequency.set_value(value)
        self.time.set_value(document.get("at", FIRST_TIME if every not in BY_THE_DAY else ""))
        self.zone.set_value(document.get("zone") or zone_here())
        self.day.set_value(document.get("day", 1))
        chosen = document.get("days") or [0]
        for at, box in enumerate(self.days):
            box.setChecked(at in chosen)
        self.quiet.set_document(document.get("quiet"), document.get("zone", "") if every in BY_THE_DAY else "")
        self._filling = False
        self._arrange()
        self._tell()

    def document(self) -> dict[str, Any]:
        """The schedule as it stands."""
        if not self.again.isChecked():
            return {}
        every, _, hours = str(self.frequency.value()).partition("hours ")
        found: dict[str, Any] = {"every": every} if every else {"every": "hours", "hours": int(hours)}
        if every in BY_THE_DAY:
            found["zone"] = str(self.zone.value()).strip()
            time = str(self.time.value()).strip()
            if time:
                found["at"] = time
                if every == "weekly":
                    found["days"] = [at for at, box in enumerate(self.days) if box.isChecked()]
                if every == "monthly":
                    found["day"] = self.day.value()
        quiet = self.quiet.document()
        if quiet is not None:
            found["quiet"] = quiet
        return found

    def set_error(self, sentence: str) -> None:
        """Say what is wrong; "" takes it back."""
        if sentence:
            set_kind(self.note, "error").setText(sentence)
        else:
            self._tell()

    def _edited(self, *_: object) -> None:
        if self._filling:
            return
        self._arrange()
        self._tell()
        self.changed.emit(self.document())

    def _arrange(self) -> None:
        """Show the fields that the frequency has."""
        every = self.frequency.value()
        timed = bool(str(self.time.value()).strip())
        self._fields.setVisible(self.again.isChecked())
        # What runs once starts when it is told to.
        self.quiet.setVisible(self.again.isChecked())
        self.time_field.setVisible(every in BY_THE_DAY)
        self.zone_field.setVisible(every in BY_THE_DAY)
        self.day_field.setVisible(every == "monthly" and timed)
        self._days_row.setVisible(every == "weekly" and timed)

    def _tell(self) -> None:
        """Say when it runs, or what is wrong."""
        document = self.document()
        try:
            schedule = read_schedule(document)
        except Refused as error:
            set_kind(self.note, "error").setText(f"{error.message} {error.advice}".strip())
            return
        set_kind(self.note, "secondary")
        if not schedule.again:
            self.note.setText("It runs once.")
            return
        zone = ZoneInfo(schedule.zone) if schedule.every in BY_THE_DAY else None
        runs = [run.astimezone(zone) for run in next_runs(schedule, datetime.now(UTC), SHOWN_RUNS)]
        listed = ", ".join(map(_shown, runs))
        self.note.setText(f"It runs at once, then {listed} …" if self._new else f"It runs {listed} …")


def _shown(run: datetime) -> str:
    return f"{run.day} {run:%b %H:%M}"
