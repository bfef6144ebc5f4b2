"""The raw events of one stream: newest first, older ones as the user scrolls, from a day on, filtered by text."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.engine import Engine
from app.streams import EventInfo, stream_events
from ui.pages.events import EventsView
from ui.pages.values import as_of, one_line
from ui.shell.background import run_query
from ui.widgets import Banner, Column, EmptyState, FormField, LinkButton, RowsModel, SearchField, set_kind, words

PAGE = 100


class StreamEvents(QWidget):
    """`show_stream(id)`; `refresh()` when events came in."""

    loaded = Signal()
    """A page of events arrived."""

    def __init__(self, engine: Engine, banner: Banner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine, self._banner = engine, banner
        self._stream_id: int | None = None
        self._events: list[EventInfo] = []
        self._all_loaded = self._asking = False
        self._asked = 0
        self._from: int | None = None
        self.filter = SearchField("Filter the events shown", width=220)
        self.filter.searched.connect(lambda _: self._show())
        self.day = QLineEdit()
        self.day.setPlaceholderText("Jump to a day: 2026-11-14")
        self.day.setAccessibleName("Jump to a day")
        self.day.setClearButtonEnabled(True)
        self.day.setFixedWidth(210)
        self.day.returnPressed.connect(self.jump)
        self.day.textChanged.connect(self._day_changed)
        self.day_field = FormField("", self.day, required=True)
        self.newest = LinkButton("Newest", clicked=self.show_newest)
        self.note = set_kind(QLabel(), "secondary")
        bar = QHBoxLayout()
        bar.setContentsMargins(14, 10, 14, 10)
        bar.setSpacing(10)
        bar.addWidget(self.filter)
        bar.addWidget(self.day_field)
        bar.addWidget(self.newest)
        bar.addStretch(1)
        bar.addWidget(self.note)
        self.model = RowsModel(
            [
                Column(
                    "at",
                    "Time",
                    lambda row: as_of(row.at),
                    sort=lambda row: row.at,
                    tip=lambda row: words.exact(row.at, seconds=True),
                    width=170,
                    fixed=True,
                ),
                Column("data", "What came", lambda row: one_line(row.data), width=470),
            ],
            key=lambda row: row.id,
        )
        self.view = EventsView(self.model, "stream-events")
        self.table = self.view.table
        self.empty = EmptyState("inbox", "", "")
        self.table.set_empty(self.empty)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.view, 1)
        self.newest.hide()

    def show_stream(self, stream_id: int) -> None:
        """The newest events of this stream; those shown of it already stay where they are."""
        if stream_id != self._stream_id:
            self._stream_id = stream_id
            self.filter.clear()
            self.day.clear()
            self._start(None)
        elif self._from is None and self.table.verticalScrollBar().value() == 0:
            # Whoever reads further down is not disturbed by what arrives at the top.
            self._ask(None, self._begin)

    def show_newest(self) -> None:
        """Back from a day to the newest event."""
        self.day.clear()
        self._start(None)

    def jump(self) -> None:
        """To the last event of the day that was typed, in the user's zone; an empty text goes to the newest."""
        text = self.day.text().strip()
        if not text:
            self._start(None)
            return
        until = end_of_day(text)
        if until is None:
            self.day_field.set_error("Write the day as 2026-11-14.")
            return
        self._start(until)

    def _day_changed(self) -> None:
        self.day_field.set_error("")

    def _start(self, until: int | None) -> None:
        self.view.forget()
        self._from, self._events, self._all_loaded = until, [], False
        self.newest.setVisible(until is not None)
        self.model.set_rows([])
        self._ask(None if until is None else (until, 0), self._begin)

    def _scrolled(self, value: int) -> None:
        bar = self.table.verticalScrollBar()
        near = value >= bar.maximum() - 10 * self.table.rowHeight(0)
        if near and self._events and not self._all_loaded and not self._asking:
            self._ask((self._events[-1].at, self._events[-1].id), self._go_on)

    def _ask(self, before: tuple[int, int] | None, arrived: Callable[[list[EventInfo]], None]) -> None:
        stream_id, engine = self._stream_id, self._engine
        if stream_id is None:
            return
        self._asking = True
        self._asked += 1
        number = self._asked

        def failed(error: BaseException) -> None:
            self._asking = False
            self._banner.tell_error(error)

        def done(events: list[EventInfo]) -> None:
            if number == self._asked:
                self._asking = False
                arrived(events)
                self._show()
                self.loaded.emit()

        run_query(
            functools.partial(stream_events, engine, stream_id, before=before, limit=PAGE),
            done=done,
            failed=failed,
            owner=self,
        )

    def _begin(self, events: list[EventInfo]) -> None:
        self._events, self._all_loaded = events, len(events) < PAGE

    def _go_on(self, events: list[EventInfo]) -> None:
        self._events = self._events + events
        self._all_loaded = len(events) < PAGE

    def _show(self) -> None:
        wanted = self.filter.text().strip().casefold()
        shown = [event for event in self._events if not wanted or wanted in one_line(event.data).casefold()]
        self.model.set_rows(shown)
        self.note.setText(f"{len(shown):,} of {words.count_of(len(self._events), 'event')} read" if wanted else "")
        if wanted:
            self.empty.set_text(
                f"Nothing with “{self.filter.text().strip()}” here",
                f"None of the {words.count_of(len(self._events), 'event')} read so far holds this text. Clear the "
                "filter and scroll to read on, or jump to a date.",
            )
        elif self._from is not None:
            self.empty.set_text("No events", "Nothing is as old as this day. Choose a later one.")
        else:
            self.empty.set_text("No events", "Nothing has arrived in this stream so far.")


def end_of_day(text: str) -> int | None:
    """The end of a day ("2026-11-14" or "14 Nov 2026") in the user's zone, in microseconds since 1970, or None."""
    for form in ("%Y-%m-%d", "%d %b %Y", "%d %B %Y"):
        try:
            day = datetime.strptime(text, form)  # noqa: DTZ007 - the day is one of the user's own zone
        except ValueError:
            continue
        return int((day + timedelta(days=1)).astimezone().timestamp() * 1_000_000)
    return None
