"""Identifiers by rank: which is stronger, how many people each ties, what is held back, what was not joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.engine import Engine
from app.identity.queries import (
    Conflict,
    HeldBack,
    IdentifierUse,
    held_back_values,
    identifier_use,
    identity_conflicts,
)
from app.schema.model import FieldDefinition
from ui.pages.schema.reading import Contents
from ui.pages.schema.tables import ROW_HEIGHT, MarkedCell, on_key
from ui.pages.values import as_of
from ui.shell.background import run_query
from ui.widgets import (
    Banner,
    Button,
    Card,
    Column,
    DataTable,
    EmptyState,
    MonoDelegate,
    NumberField,
    RowsModel,
    Tabs,
    set_kind,
    words,
)

LISTED = 1_000
RANK_MIME = "application/x-causeway-rank"
UP_KEYS, DOWN_KEYS = "Alt+Up", "Alt+Down"


@dataclass(frozen=True, slots=True)
class IdentifierRow:
    """An identifier with its figures, None while they are counted or for one that is not published."""

    field: FieldDefinition
    mark: str
    use: IdentifierUse | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted."""

    use: dict[str, IdentifierUse]
    held: list[HeldBack]
    conflicts: list[Conflict]


class RankModel(RowsModel):
    """Rows that can be dragged to another place."""

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:
        return [RANK_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        # Which row it is the table knows; Qt's own way would try to write down Python's objects.
        data = QMimeData()
        data.setData(RANK_MIME, b"row")
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction


class RankTable(DataTable):
    """A table whose one order is the rank; `moved(from, to)` when a row was dragged to another place."""

    moved = Signal(int, int)

    def __init__(self, model: RankModel) -> None:
        super().__init__(
            model,
            "schema-identifiers",
            delegates={"name": MarkedCell},
            row_height=ROW_HEIGHT,
            fit=True,
            many=False,
            accessible_name="Identifiers, the strongest first",
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSortingEnabled(False)
        self.horizontalHeader().setSectionsClickable(False)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setDropIndicatorShown(True)

    def dropEvent(self, event: QDropEvent) -> None:
        source = self.currentIndex().row()
        index = self.indexAt(event.position().toPoint())
        target = index.row() if index.isValid() else self.model().rowCount() - 1
        # The page puts the rows in order; the view must not take the old one away.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if source >= 0 and source != target:
            self.moved.emit(source, target)


class IdentifiersView(QWidget):
    """`ranked(names)` and `limit_chosen(n)` are the user's wishes; `opened(row)` an identifier, `person_asked(id)`."""

    ranked = Signal(list)
    limit_chosen = Signal(int)
    opened = Signal(object)
    person_asked = Signal(int)

    def __init__(self, engine: Engine, banner: Banner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine, self._banner = engine, banner
        self._figures = Figures({}, [], [])
        self._rows: list[tuple[FieldDefinition, str]] = []
        self._in_all: dict[str, int] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self.model = RankModel(self._columns(), key=lambda row: row.field.name)
        self.table = RankTable(self.model)
        self.table.set_empty(
            EmptyState(
                "key-round",
                "No identifiers yet",
                "An identifier says who somebody is: events with the same value belong to one person.",
            )
        )
        self.table.moved.connect(self.put_at)
        self.table.opened.connect(self.opened)
        self.table.chosen.connect(lambda _: self._show_buttons())
        on_key(self.table, UP_KEYS, lambda: self._step(-1))
        on_key(self.table, DOWN_KEYS, lambda: self._step(1))
        column.addWidget(self.table, 1)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.up = Button("Stronger", icon="chevron-up", clicked=lambda: self._step(-1))
        self.up.setToolTip(f"Move it up ({UP_KEYS})")
        self.down = Button("Weaker", icon="chevron-down", clicked=lambda: self._step(1))
        self.down.setToolTip(f"Move it down ({DOWN_KEYS})")
        line.addWidget(self.up)
        line.addWidget(self.down)
        line.addStretch(1)
        column.addLayout(line)
        column.addWidget(self._limit_card())
        column.addWidget(self._trace_card(), 1)
        self._show_buttons()

    def _columns(self) -> list[Column]:
        def figure(row: IdentifierRow, name: str) -> str:
            return f"{getattr(row.use, name):,}" if row.use is not None else "—"

        return [
            Column("rank", "Rank", lambda row: str(row.field.rank or ""), width=50, fixed=True),
            Column(
                "name",
                "Identifier",
                lambda row: row.field.name,
                status=lambda row: row.mark,
                tip=lambda row: row.field.description,
                width=170,
                fixed=True,
            ),
            Column(
                "values",
                "A person has",
                lambda row: "Several" if row.field.type.startswith("[]") else "One",
                width=110,
            ),
            Column("people", "People", lambda row: figure(row, "people"), width=80),
            Column("held", "Held back", lambda row: figure(row, "held_back"), width=84),
            Column("conflicts", "Not joined", lambda row: figure(row, "conflicts"), width=90),
        ]

    def _limit_card(self) -> Card:
        card = Card()
        card.body.setContentsMargins(14, 10, 14, 10)
        row = QHBoxLayout()
        row.setSpacing(8)
        said = QLabel("A value is held back once it came with more than")
        self.limit = NumberField(50, 1, 1_000_000)
        self.limit.setFixedWidth(84)
        self.limit.setAccessibleName("Most other values that an identifier value may come with")
        rest = QLabel("values of another identifier")
        for label in (said, rest):
            label.setWordWrap(True)
            # Wrapping, it would claim more than its one line needs.
            label.setMaximumWidth(label.fontMetrics().horizontalAdvance(label.text()) + 6)
            label.setToolTip("A mailbox such as info@ names many people; held back, it ties nobody together.")
        self.keep_limit = Button("Change", clicked=lambda: self.limit_chosen.emit(self.limit.value()))
        self.limit.valueChanged.connect(lambda _: self._show_buttons())
        row.addWidget(said, 100)
        row.addWidget(self.limit)
        row.addWidget(rest, 60)
        row.addStretch(1)
        row.addWidget(self.keep_limit)
        card.add(row)
        self._limit_now = 50
        return card

    def _trace_card(self) -> Card:
        self.held_model = RowsModel(
            [
                Column("field", "Identifier", lambda row: row.field, width=120, fixed=True),
                Column("value", "Value", lambda row: row.value, tip=lambda row: row.value, width=230, fixed=True),
                Column(
                    "others",
                    "Came with",
                    lambda row: f"{row.others:,} × {row.other}",
                    sort=lambda row: row.others,
                    width=160,
                ),
            ],
            key=lambda row: (row.field, row.value),
        )
        self.held = DataTable(
            self.held_model,
            "schema-held-back",
            delegates={"value": MonoDelegate},
            row_height=34,
            framed=False,
            accessible_name="Values held back",
        )
        self.held.set_empty(EmptyState("circle-check", "Nothing is held back", "No value is shared by too many."))
        self.conflicts_model = RowsModel(
            [
                Column("field", "Identifier", lambda row: row.field, width=120, fixed=True),
                Column("value", "Value", lambda row: row.value, tip=lambda row: row.value, width=230, fixed=True),
                Column(
                    "at",
                    "Event of",
                    lambda row: as_of(row.at) if row.at is not None else "gone",
                    sort=lambda row: row.at,
                    tip=lambda row: words.exact(row.at, seconds=True) if row.at is not None else "",
                    width=160,
                ),
            ],
            key=lambda row: (row.field, row.value, row.event_id, row.profile_id),
        )
        self.conflicts = DataTable(
            self.conflicts_model,
            "schema-conflicts",
            delegates={"value": MonoDelegate},
            row_height=34,
            framed=False,
            many=False,
            accessible_name="People who were not joined",
        )
        self.conflicts.opened.connect(lambda row: self.person_asked.emit(row.profile_id))
        self.conflicts.set_empty(
            EmptyState("circle-check", "No conflicts", "No event named two different people as one.")
        )
        self.tabs = Tabs()
        self.tabs.add("held", "Held back", self.held)
        self.tabs.add("conflicts", "Not joined", self.conflicts)
        self.more = set_kind(QLabel(f"The first {LISTED:,} are listed."), "muted")
        self.more.setContentsMargins(14, 6, 14, 8)
        self.tabs.changed.connect(lambda _: self._show_more())
        card = Card(flush=True)
        card.add(self.tabs, 1)
        card.add(self.more)
        card.setMinimumHeight(150)
        return card

    # showing

    def show_contents(self, contents: Contents) -> None:
        """Show the identifiers of the draft."""
        verbs = {change.subject: change.verb for change in contents.changes}
        published = {field.name: field for field in contents.published.fields}
        rows = []
        for field in contents.draft.fields:
            if not field.is_identifier:
                continue
            mark = verbs.get(f"field:{field.name}", "")
            was = published.get(field.name)
            if not mark and was is not None and was.rank != field.rank:
                mark = "changed"
            rows.append((field, mark))
        self._rows = rows
        if self._limit_now != contents.draft.shared_limit:
            self._limit_now = contents.draft.shared_limit
            self.limit.setValue(self._limit_now)
        self._show()

    def count(self) -> None:
        """Count people, values held back and conflicts, off the UI thread."""
        engine = self._engine
        run_query(
            lambda: Figures(
                identifier_use(engine), held_back_values(engine, limit=LISTED), identity_conflicts(engine, limit=LISTED)
            ),
            done=self._counted,
            failed=self._banner.tell_error,
            owner=self,
        )

    def _counted(self, figures: Figures) -> None:
        self._figures = figures
        self._show()

    def _show(self) -> None:
        use = self._figures.use
        self.model.set_rows(IdentifierRow(field, mark, use.get(field.name)) for field, mark in self._rows)
        self.held_model.set_rows(self._figures.held)
        self.conflicts_model.set_rows(self._figures.conflicts)
        self._in_all = {
            "held": sum(one.held_back for one in use.values()),
            "conflicts": sum(one.conflicts for one in use.values()),
        }
        for tab, count in self._in_all.items():
            self.tabs.set_count(tab, count)
        self._show_more()
        self._show_buttons()

    def _show_more(self) -> None:
        self.more.setVisible(self._in_all.get(self.tabs.chosen(), 0) > LISTED)

    def _show_buttons(self) -> None:
        chosen = self._chosen()
        self.up.setEnabled(chosen > 0)
        self.down.setEnabled(0 <= chosen < self.model.rowCount() - 1)
        self.keep_limit.setVisible(self.limit.value() != self._limit_now)

    def _chosen(self) -> int:
        rows = self.table.selected()
        names = [row.field.name for row in self.model.rows()]
        return names.index(rows[0].field.name) if rows else -1

    # ordering

    def _step(self, by: int) -> None:
        here = self._chosen()
        if here >= 0 and 0 <= here + by < self.model.rowCount():
            self.put_at(here, here + by)

    def put_at(self, source: int, target: int) -> None:
        """Put one identifier at another rank; shown at once, and told to `ranked`."""
        rows = list(self._rows)
        rows.insert(target, rows.pop(source))
        self._rows = rows
        self._show()
        self.table.select(target)
        self.ranked.emit([field.name for field, _ in rows])
