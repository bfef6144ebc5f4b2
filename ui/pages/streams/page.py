"""Streams: which there are, which fields were seen in them, and their raw events."""

from __future__ import annotations

import functools
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.engine import Engine
from app.streams import EventInfo, StreamField, StreamInfo, list_streams, stream_events, stream_fields
from ui.pages.events import EventsView
from ui.pages.live import Live
from ui.pages.values import as_of, one_line
from ui.shell.background import run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Card,
    Column,
    DataTable,
    EmptyState,
    Page,
    PrimaryButton,
    RowsModel,
    Tabs,
    TwoLineDelegate,
    words,
)

PAGE = 100


class StreamsPage(Page):
    """The streams at the left, the chosen one at the right; `open(stream="loyalty_members")` chooses one by name."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Streams")
        self._engine, self._shell = engine, shell
        self.stream: StreamInfo | None = None
        self._wanted = ""
        self._oldest: int | None = None
        self._all_loaded = False
        self._asking = False
        self.banner = Banner()
        self.add(self.banner)
        self.stack = QStackedWidget()
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(14)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self._list())
        self.split.addWidget(self._chosen_card())
        self.split.setStretchFactor(0, 1)
        self.split.setStretchFactor(1, 2)
        self.split.setSizes([330, 672])
        self.stack.addWidget(self.split)
        start = PrimaryButton("New job", icon="plus", clicked=lambda: shell.navigate("new_job"))
        none = Card(flush=True)
        none.add(
            EmptyState(
                "waves",
                "No streams yet",
                "A stream keeps everything that an import read, exactly as it came. Each import job names its own.",
                [start],
            ),
            1,
        )
        self.stack.addWidget(none)
        self.add(self.stack, 1)
        Live(self, engine, ("streams", "schema", "progress"), self.refresh)

    def _list(self) -> QWidget:
        columns = [
            Column("name", "Stream", lambda row: row.name, second=_contents, width=200, fixed=True),
            Column(
                "last",
                "Last event",
                lambda row: words.when(row.last_event_at),
                sort=lambda row: row.last_event_at,
                tip=lambda row: words.exact(row.last_event_at),
                tone=lambda row: "muted",
                width=100,
            ),
        ]
        self.streams_model = RowsModel(columns, key=lambda row: row.id)
        self.streams = DataTable(
            self.streams_model,
            "streams",
            delegates={"name": TwoLineDelegate},
            row_height=53,
            fit=True,
            many=False,
            accessible_name="Streams",
        )
        self.streams.chosen.connect(self._stream_chosen)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.streams, 1)
        column.addStretch(0)
        frame = QWidget()
        frame.setLayout(column)
        frame.setMinimumWidth(240)
        return frame

    def _chosen_card(self) -> Card:
        columns = [
            Column(
                "name",
                "Field and type",
                lambda row: row.name,
                second=lambda row: row.type,
                tip=lambda row: row.name,
                width=128,
                fixed=True,
            ),
            Column("samples", "Samples", _samples, tip=lambda row: "\n".join(row.samples), width=160),
            Column("seen", "Seen", self._seen, sort=lambda row: row.seen, tip=self._seen_exact, width=82),
            Column(
                "mapped",
                "Fills",
                lambda row: ", ".join(row.mapped_to) or "not mapped",
                tone=lambda row: "text" if row.mapped_to else "muted",
                width=124,
            ),
            Column(
                "last",
                "Last seen",
                lambda row: words.when(row.last_seen),
                sort=lambda row: row.last_seen,
                tip=lambda row: words.exact(row.last_seen),
                tone=lambda row: "muted",
                width=90,
            ),
            Column(
                "first",
                "First seen",
                lambda row: words.when(row.first_seen),
                sort=lambda row: row.first_seen,
                tip=lambda row: words.exact(row.first_seen),
                tone=lambda row: "muted",
                width=104,
                spare=True,
            ),
        ]
        self.fields_model = RowsModel(columns, key=lambda row: row.name)
        self.fields = DataTable(
            self.fields_model,
            "stream-fields",
            delegates={"name": TwoLineDelegate},
            row_height=50,
            framed=False,
            accessible_name="Fields seen",
        )
        self.fields.set_empty(EmptyState("table", "No fields yet", "Nothing has arrived in this stream so far."))
        self.events_model = RowsModel(
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
        self.events = EventsView(self.events_model, "stream-events")
        self.events.table.set_empty(EmptyState("inbox", "No events", "Nothing has arrived in this stream so far."))
        self.events.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.tabs = Tabs()
        self.tabs.add("fields", "Fields seen", self.fields)
        self.tabs.add("events", "Events", self.events)
        card = Card(flush=True)
        card.add(self.tabs, 1)
        return card

    def open(self, **args: Any) -> None:
        self._wanted = str(args.get("stream", ""))
        self.refresh()

    def refresh(self) -> None:
        engine = self._engine
        run_query(lambda: list_streams(engine), done=self._listed, failed=self.banner.tell_error, owner=self)

    def _listed(self, streams: list[StreamInfo]) -> None:
        self.streams_model.set_rows(streams)
        self.stack.setCurrentIndex(0 if streams else 1)
        if not streams:
            self.stream = None
            return
        shown = self.streams_model.rows()
        here = next((at for at, row in enumerate(shown) if self._wanted and row.name == self._wanted), None)
        if here is None and self.stream is not None:
            here = next((at for at, row in enumerate(shown) if row.id == self.stream.id), None)
        self._wanted = ""
        here = here or 0
        if not self.streams.selected() or self.streams.selected()[0].id != shown[here].id:
            self.streams.select(here)
        else:
            self._stream_chosen([shown[here]])

    def _stream_chosen(self, rows: list[StreamInfo]) -> None:
        if not rows:
            return
        stream = rows[0]
        if self.stream is None or self.stream.id != stream.id:
            self.fields_model.set_rows([])
            self._start_events()
        self.stream = stream
        self.tabs.set_count("fields", stream.fields)
        self.tabs.set_count("events", stream.events)
        engine = self._engine
        run_query(
            lambda: stream_fields(engine, stream.id),
            done=functools.partial(self._fields_read, stream.id),
            failed=self.banner.tell_error,
            owner=self,
        )
        # Whoever reads further down is not disturbed by what arrives at the top.
        if self.events.table.verticalScrollBar().value() == 0:
            self._ask_events(None)

    def _fields_read(self, stream_id: int, fields: list[StreamField]) -> None:
        if self.stream is not None and self.stream.id == stream_id:
            self.fields_model.set_rows(fields)

    # events, newest first, older ones as the user scrolls

    def _start_events(self) -> None:
        self.events.forget()
        self.events_model.set_rows([])
        self._oldest, self._all_loaded, self._asking = None, False, False

    def _scrolled(self, value: int) -> None:
        bar = self.events.table.verticalScrollBar()
        near = value >= bar.maximum() - 10 * self.events.table.rowHeight(0)
        if near and self._oldest is not None and not self._all_loaded and not self._asking:
            self._ask_events(self._oldest)

    def _ask_events(self, before_id: int | None) -> None:
        stream, engine = self.stream, self._engine
        if stream is None:
            return
        self._asking = True

        def failed(error: BaseException) -> None:
            self._asking = False
            self.banner.tell_error(error)

        run_query(
            lambda: stream_events(engine, stream.id, before_id=before_id, limit=PAGE),
            done=functools.partial(self._events_read, stream.id, before_id),
            failed=failed,
            owner=self,
        )

    def _events_read(self, stream_id: int, before_id: int | None, events: list[EventInfo]) -> None:
        if self.stream is None or self.stream.id != stream_id:
            return
        self._asking = False
        held = self.events_model.rows() if before_id is not None else []
        known = {event.id for event in held}
        self.events_model.set_rows([*held, *(event for event in events if event.id not in known)])
        self._oldest = events[-1].id if events else self._oldest
        self._all_loaded = len(events) < PAGE

    # what the columns say

    def _seen(self, field: StreamField) -> str:
        total = self.stream.events if self.stream is not None else 0
        if not total:
            return f"{field.seen:,}"
        share = min(1.0, field.seen / total)
        if share == 1 or share == 0:
            return f"{share:.0%}"
        # Neither "100 %" for almost all nor "0 %" for a few.
        return "> 99%" if share > 0.99 else "< 1%" if share < 0.01 else f"{share:.0%}"

    def _seen_exact(self, field: StreamField) -> str:
        total = self.stream.events if self.stream is not None else 0
        return f"In {field.seen:,} of {words.count_of(total, 'event')}"


def _contents(stream: StreamInfo) -> str:
    return f"{words.count_of(stream.events, 'event')} · {words.count_of(stream.fields, 'field')}"


def _samples(field: StreamField) -> str:
    return ", ".join(sample for sample in field.samples if sample)
