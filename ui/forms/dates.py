"""A day, typed or chosen in a calendar."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import QDate, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCalendarWidget, QFrame, QLineEdit, QVBoxLayout, QWidget

from ui.theme import set_icon


class DateField(QLineEdit):
    """`value()` is the day as 2026-11-22, "" for none, else what was typed; `chosen(value)` follows each edit."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText("Year-month-day")
        action = QAction("Choose in a calendar", self)
        set_icon(action, "chevron-down", "muted")
        action.setShortcut("Alt+Down")
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(self.open)
        self.addAction(action, QLineEdit.ActionPosition.TrailingPosition)
        self.popup = QFrame(self, Qt.WindowType.Popup)
        self.popup.setProperty("kind", "card")
        self.calendar = QCalendarWidget()
        self.calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self.calendar.setAccessibleName("Calendar")
        self.calendar.clicked.connect(self._picked)
        self.calendar.activated.connect(self._picked)
        column = QVBoxLayout(self.popup)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.calendar)
        self.textChanged.connect(lambda _: self.chosen.emit(self.value()))

    def value(self) -> str:
        """The day; slashes and dots are read as well."""
        text = self.text().strip()
        day = _day(text)
        return text if day is None else day.isoformat()

    def open(self) -> None:
        """Show the calendar below the field."""
        day = _day(self.text().strip())
        self.calendar.setSelectedDate(QDate.currentDate() if day is None else QDate(day.year, day.month, day.day))
        self.popup.move(self.mapToGlobal(QPoint(0, self.height() + 4)))
        self.popup.show()
        self.calendar.setFocus()

    def _picked(self, day: QDate) -> None:
        self.setText(day.toString(Qt.DateFormat.ISODate))
        self.popup.hide()
        self.setFocus()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.replace("/", "-").replace(".", "-"))
    except ValueError:
        return None
