"""Streams: which there are, which fields were seen in them, and their raw events."""

from __future__ import annotations

import functools
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.engine import Engine
from app.streams import StreamField, StreamInfo, list_streams, stream_fields
from ui.pages.live import Live
from ui.pages.streams.events import StreamEvents
from ui.pages.streams.map_field import MapFieldDialog
from ui.pages.values import TYPE_WORDS
from ui.shell.background import run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Button,
    Card,
    Column,
    DataTable,
    EmptyState,
    LinkButton,
    Page,
    PrimaryButton,
    RowsModel,
    Tabs,
    TwoLineDelegate,
    set_kind,
    words,
)


class StreamsPage(Page):
    """The streams at the left, the chosen one at the right; `open(stream="loyalty_members")` chooses one by name."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Streams")
        self._engine, self._shell = engine, shell
        self.stream: StreamInfo | None = None
        self._wanted = ""
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
            Column("name", "Stream", lambda row: row.name, second=_contents, tip=_rate, width=176, fixed=True),
            Column(
                "week",
                "7 days",
                lambda row: f"{row.last_week:,}",
                sort=lambda row: row.last_week,
                tip=_rate,
                tone=lambda row: "text" if row.last_week else "muted",
                width=66,
                right=True,
                spare=True,
            ),
            Column(
                "last",
                "Last event",
                lambda row: words.when(row.last_event_at),
                sort=lambda row: row.last_event_at,
                tip=lambda row: words.exact(row.last_event_at),
                tone=lambda row: "muted",
                width=88,
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
        frame.setMinimumWidth(270)
        return frame

    def _chosen_card(self) -> Card:
        columns = [
            Column(
                "name",
                "Field and type",
                lambda row: row.name,
                second=type_words,
                tip=_type_tip,
                width=136,
                fixed=True,
            ),
            Column("samples", "Samples", _samples, tip=lambda row: "\n".join(row.samples), width=150),
            Column("seen", "Seen", self._seen, sort=lambda row: row.seen, tip=self._seen_exact, width=80),
            Column("distinct", "Unique", _distinct, sort=_distinct_order, tip=_distinct_tip, width=72, spare=True),
            Column(
                "mapped",
                "Fills",
                _fills_in_short,
                tip=_fills,
                tone=lambda row: "accent" if row.mapped_to or row.unpublished else "muted",
                width=120,
            ),
            Column(
                "last",
                "Last seen",
                lambda row: words.when(row.last_seen),
                sort=lambda row: row.last_seen,
                tip=lambda row: words.exact(row.last_seen),
                tone=lambda row: "muted",
                width=86,
                spare=True,
            ),
            Column(
                "first",
                "First seen",
                lambda row: words.when(row.first_seen),
                sort=lambda row: row.first_seen,
                tip=lambda row: words.exact(row.first_seen),
                tone=lambda row: "muted",
                width=96,
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
            many=False,
            accessible_name="Fields seen",
        )
        self.fields.set_empty(EmptyState("table", "No fields yet", "Nothing has arrived in this stream so far."))
        self.fields.chosen.connect(self._field_chosen)
        self.fields.opened.connect(self.map_field)
        self.fields.set_menu(self._field_menu)
        self.about = set_kind(QLabel(), "muted")
        self.map_button = Button("Map this field", icon="workflow", clicked=self._map_chosen)
        bar = QHBoxLayout()
        bar.setContentsMargins(14, 10, 14, 10)
        bar.addWidget(self.about, 1)
        bar.addWidget(self.map_button)
        seen = QWidget()
        column = QVBoxLayout(seen)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.fields, 1)
        self.events = StreamEvents(self._engine, self.banner)
        self.tabs = Tabs()
        self.tabs.add("fields", "Fields seen", seen)
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
            self._field_chosen([])
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
        self.events.show_stream(stream.id)

    def _fields_read(self, stream_id: int, fields: list[StreamField]) -> None:
        if self.stream is None or self.stream.id != stream_id:
            return
        self.fields_model.set_rows(fields)
        mapped = sum(bool(field.mapped_to) for field in fields)
        self.about.setText(f"{mapped} of {words.count_of(len(fields), 'field')} fill profile fields")

    # mapping a field

    def _field_chosen(self, rows: list[StreamField]) -> None:
        self.map_button.setEnabled(bool(rows) and self._engine.in_charge_elsewhere is None)

    def _field_menu(self, rows: list[StreamField]) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Map this field…", lambda: self.map_field(rows[0]))
        return menu

    def _map_chosen(self) -> None:
        chosen = self.fields.selected()
        if chosen:
            self.map_field(chosen[0])

    def map_field(self, field: StreamField) -> MapFieldDialog | None:
        """Ask which profile field this one fills, with what suggests itself filled in."""
        if self.stream is None or self._engine.in_charge_elsewhere is not None:
            return None
        dialog = MapFieldDialog(self, self._engine, self.stream, field, functools.partial(self._mapped, field.name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        return dialog

    def _mapped(self, name: str, target: str, changes: int) -> None:
        link = LinkButton("Open the schema", clicked=lambda: self._shell.navigate("schema"))
        self.banner.tell(
            "success",
            f"“{name}” fills {target} once that is published.",
            f"There {'is' if changes == 1 else 'are'} {words.count_of(changes, 'unpublished change')} in the schema.",
            action=link,
        )
        self.refresh()

    # what the columns say

    def _seen(self, field: StreamField) -> str:
        total = self.stream.events if self.stream is not None else 0
        return percent(field.seen / total) if total else f"{field.seen:,}"

    def _seen_exact(self, field: StreamField) -> str:
        total = self.stream.events if self.stream is not None else 0
        return f"In {field.seen:,} of {words.count_of(total, 'event')}"


def percent(share: float) -> str:
    """A share of 1 as "98%": neither "100%" for almost all nor "0%" for a few."""
    share = min(1.0, share)
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return "> 99%" if share > 0.99 else "< 1%" if share < 0.01 else f"{share:.0%}"


def type_words(field: StreamField) -> str:
    """The type, and what part of the values is something else: "Number 98%, text 2%"."""
    word = TYPE_WORDS.get(field.type, field.type)
    if not field.kinds or (len(field.kinds) == 1 and field.kinds[0][0] == field.type):
        return word
    shares = dict(field.kinds)
    own = shares.pop(field.type, 0.0)
    if field.type == "number":
        # Whole numbers are numbers too.
        own += shares.pop("integer", 0.0)
    others = ", ".join(f"{TYPE_WORDS.get(kind, kind).lower()} {percent(share)}" for kind, share in shares.items())
    if not own:
        return f"{word}; looks like {others}"
    return f"{word} {percent(own)}, {others}" if others else word


def _type_tip(field: StreamField) -> str:
    lines = [f"{TYPE_WORDS.get(kind, kind)}: {percent(share)}" for kind, share in field.kinds]
    return "\n".join([field.name, *(["What sampled values look like:", *lines] if lines else [])])


def _contents(stream: StreamInfo) -> str:
    return f"{words.count_of(stream.events, 'event')} · {stream.last_day:,} in 24 h"


def _rate(stream: StreamInfo) -> str:
    return f"{words.count_of(stream.last_day, 'event')} of the last 24 hours, {stream.last_week:,} of the last 7 days"


def _samples(field: StreamField) -> str:
    return ", ".join(sample for sample in field.samples if sample)


def _fills_in_short(field: StreamField) -> str:
    return ", ".join([*field.mapped_to, *(f"{target} (unpublished)" for target in field.unpublished)]) or "not mapped"


def _fills(field: StreamField) -> str:
    lines = [*field.mapped_to, *(f"{target} (not published yet)" for target in field.unpublished)]
    return "\n".join(lines) or "No profile field is filled from here"


def _distinct(field: StreamField) -> str:
    if not field.kinds:
        return ""
    return "> 50" if field.distinct is None else str(field.distinct)


def _distinct_order(field: StreamField) -> int:
    return 51 if field.distinct is None else field.distinct


def _distinct_tip(field: StreamField) -> str:
    if not field.kinds:
        return "Not known: it was imported before values were counted"
    return "Different values among those that were sampled while importing; more than 50 are not told apart"
