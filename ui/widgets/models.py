"""Table models over rows of any kind: all rows in memory, or pages fetched in the background.

Both are described by `Column`s. A row is any object; the columns say how to show it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()


class Role(IntEnum):
    """What delegates ask a model for, besides Qt's own roles."""

    SECONDARY = Qt.ItemDataRole.UserRole + 1
    """The muted second line of a cell."""
    STATUS = Qt.ItemDataRole.UserRole + 2
    """The key of a status, such as "running"; the word itself is the display text."""
    PROGRESS = Qt.ItemDataRole.UserRole + 3
    """A share between 0 and 1, -1 for work whose end is unknown, None for no bar."""
    MARK = Qt.ItemDataRole.UserRole + 4
    """The icon name of a provider."""
    ROW = Qt.ItemDataRole.UserRole + 5
    """The row's own object."""
    SORT = Qt.ItemDataRole.UserRole + 6
    """What the column sorts by."""
    TONE = Qt.ItemDataRole.UserRole + 7
    """The colour token of the text, such as "accent" or "muted"."""


@dataclass(frozen=True)
class Column:
    """One column: `Column("name", "Name", lambda job: job.name, second=lambda job: job.description, width=244)`.

    `width` is a share: the columns fill the table. `fixed` columns cannot be hidden, `hidden` ones start hidden,
    `spare` ones step aside while the table is too narrow for all (the last one first).
    """

    key: str
    title: str
    text: Callable[[Any], str]
    second: Callable[[Any], str] | None = None
    status: Callable[[Any], str] | None = None
    progress: Callable[[Any], float | None] | None = None
    mark: Callable[[Any], str] | None = None
    tone: Callable[[Any], str] | None = None
    sort: Callable[[Any], Any] | None = None
    tip: Callable[[Any], str] | None = None
    width: int = 120
    right: bool = False
    fixed: bool = False
    hidden: bool = False
    spare: bool = False
    roles: Mapping[int, Callable[[Any], Any]] = field(default_factory=dict)

    def data(self, row: Any, role: int) -> Any:
        """What the column shows of a row in a Qt role; None where it has nothing."""
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(row)
        if role == Role.SECONDARY:
            return self.second(row) if self.second else None
        if role == Role.STATUS:
            return self.status(row) if self.status else None
        if role == Role.PROGRESS:
            return self.progress(row) if self.progress else None
        if role == Role.MARK:
            return self.mark(row) if self.mark else None
        if role == Role.TONE:
            return self.tone(row) if self.tone else None
        if role == Role.SORT:
            return self.sort(row) if self.sort else self.text(row).casefold()
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tip(row) if self.tip else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            second = self.second(row) if self.second else ""
            return f"{self.text(row)}, {second}" if second else self.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self.right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        found = self.roles.get(role)
        return found(row) if found else None


class _ColumnModel(QAbstractTableModel):
    """What both models share: headers and cells described by columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = tuple(columns)

    loaded = Signal()
    """Rows came in, be it none: from now on an empty table means that there is nothing."""

    def row(self, at: int) -> Any | None:
        """The object of a row, or None where there is none (yet)."""
        raise NotImplementedError

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return (
                Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            ) | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.row(index.row())
        if role == Role.ROW or row is None:
            return "…" if row is None and role == Qt.ItemDataRole.DisplayRole else row if role == Role.ROW else None
        return self.columns[index.column()].data(row, role)


class Named(Protocol):
    """A row that is known by its name."""

    @property
    def name(self) -> str: ...


NamedRow = TypeVar("NamedRow", bound=Named)


class NamedRowsModel(QAbstractTableModel, Generic[NamedRow]):
    """All rows in memory, under titles that stay; what the cells show and take is up to a class of its own."""

    titles: Sequence[str]

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[NamedRow] = []

    def set_rows(self, rows: list[NamedRow]) -> None:
        """Show these; rows of the same names are changed in place."""
        if [row.name for row in rows] == [row.name for row in self.rows]:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self.titles) - 1))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section]
        return None


class RowsModel(_ColumnModel):
    """All rows in memory: for hundreds, or some thousands. Sorts by a click on the header.

    `key` tells what stays the same thing over updates (an id): `set_rows` then changes rows in place, so that
    selection and scroll position survive.
    """

    def __init__(
        self, columns: Sequence[Column], key: Callable[[Any], Any] | None = None, rows: Iterable[Any] = ()
    ) -> None:
        super().__init__(columns)
        self._key = key
        self._sort: tuple[int, Qt.SortOrder] | None = None
        self._rows: list[Any] = []
        self.set_rows(rows)

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def row(self, at: int) -> Any | None:
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def rows(self) -> list[Any]:
        """All rows in the order shown."""
        return list(self._rows)

    def set_rows(self, rows: Iterable[Any]) -> None:
        """Show these rows, in the order the user sorted by."""
        self._show(self._sorted(list(rows)))
        self.loaded.emit()

    def _show(self, wanted: list[Any]) -> None:
        key = self._key
        if key is not None and [key(row) for row in wanted] == [key(row) for row in self._rows]:
            changed = [at for at, (old, new) in enumerate(zip(self._rows, wanted, strict=True)) if old != new]
            self._rows = wanted
            for at in changed:
                self.dataChanged.emit(self.index(at, 0), self.index(at, len(self.columns) - 1))
            return
        self._rearrange(wanted)

    def replace_row(self, row: Any) -> None:
        """Show a newer state of one row, found by its key; unknown rows are passed over."""
        assert self._key is not None
        for at, old in enumerate(self._rows):
            if self._key(old) == self._key(row):
                self._rows[at] = row
                self.dataChanged.emit(self.index(at, 0), self.index(at, len(self.columns) - 1))
                return

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sort = (column, order) if 0 <= column < len(self.columns) else None
        self._rearrange(self._sorted(self._rows))

    def _sorted(self, rows: list[Any]) -> list[Any]:
        if self._sort is None:
            return rows
        column, order = self.columns[self._sort[0]], self._sort[1]

        def by(row: Any) -> tuple[bool, Any]:
            value = column.data(row, Role.SORT)
            return (value is None, value if value is not None else 0)

        return sorted(rows, key=by, reverse=order == Qt.SortOrder.DescendingOrder)

    def _rearrange(self, wanted: list[Any]) -> None:
        if self._key is None:
            self.beginResetModel()
            self._rows = wanted
            self.endResetModel()
            return
        # Removed and new rows are told one by one, then the rest is put in order: so a selection survives.
        key = self._key
        places = {key(row): at for at, row in enumerate(wanted)}
        rows = list(self._rows)
        last = len(rows) - 1
        while last >= 0:
            first = last
            if key(rows[last]) not in places:
                while first > 0 and key(rows[first - 1]) not in places:
                    first -= 1
                self.beginRemoveRows(QModelIndex(), first, last)
                self._rows = self._rows[:first] + self._rows[last + 1 :]
                self.endRemoveRows()
            last = first - 1
        known = {key(row) for row in self._rows}
        new = [row for row in wanted if key(row) not in known]
        if new:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(new) - 1)
            self._rows = self._rows + new
            self.endInsertRows()
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        after = [self.index(places[key(self._rows[index.row()])], index.column()) for index in before]
        self._rows = wanted
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()


class Reply(Protocol):
    """What a fetch calls in the end, in the UI thread: rows of the page and how many there are in all."""

    def __call__(self, rows: Sequence[Any] | None, total: int = ...) -> None: ...


class PagedTableModel(_ColumnModel):
    """Rows by the million: only the pages looked at are held, fetched in the background.

    `fetch(offset, limit, reply)` starts the work and returns at once; later, in the UI thread, somebody calls
    `reply(rows, total)`, or `reply(None)` when it failed (the page is asked for again after `refresh`).

        def fetch(offset, limit, reply):
            run_query(lambda: (search(engine, text, offset, limit), count(engine, text)),
                      done=lambda found: reply(*found), failed=self.banner.tell_error, owner=self)
    """

    loading_changed = Signal(bool)
    total_changed = Signal(int)

    def __init__(
        self,
        fetch: Callable[[int, int, Reply], None],
        columns: Sequence[Column],
        *,
        page_size: int = 100,
        pages_held: int = 40,
    ) -> None:
        super().__init__(columns)
        self._fetch = fetch
        self._size, self._held = page_size, pages_held
        self._pages: OrderedDict[int, Sequence[Any]] = OrderedDict()
        self._asked: set[int] = set()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._stale: set[int] = set()
        self._total = 0
        self._round = 0
        # A fast scroll passes over pages that nobody looks at: what is wanted is asked for when the painting rests.
        self._soon = QTimer(self, singleShot=True, interval=15)
        self._soon.timeout.connect(self._ask)

    @property
    def loading(self) -> bool:
        """Whether an answer is outstanding."""
        return bool(self._asked)

    @property
    def total(self) -> int:
        """How many rows there are in all, as far as known."""
        return self._total

    def refresh(self, *, keep: bool = False) -> None:
        """Forget what is held and ask anew (another search text); `keep` shows the old rows until the new ones come."""
        self._round += 1
        if keep:
            self._stale = set(self._pages)
        else:
            self._stale.clear()
            self._pages.clear()
        self._asked.clear()
        self._wanted = OrderedDict({0: None})
        self._ask()

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else self._total

    def row(self, at: int) -> Any | None:
        number = at // self._size
        page = self._pages.get(number)
        if (page is None or number in self._stale) and number not in self._asked:
            self._wanted[number] = None
            self._wanted.move_to_end(number)
            self._soon.start()
        if page is None:
            return None
        self._pages.move_to_end(number)
        inside = at - number * self._size
        return page[inside] if inside < len(page) else None

    def _ask(self) -> None:
        # The newest wishes are what is on the screen now; older ones were scrolled past.
        wanted, self._wanted = list(self._wanted)[-6:], OrderedDict()
        was_loading = self.loading
        for number in wanted:
            if number in self._asked or (number in self._pages and number not in self._stale):
                continue
            self._asked.add(number)
            self._fetch(number * self._size, self._size, self._reply(number, self._round))
        if self.loading and not was_loading:
            self.loading_changed.emit(True)

    def _reply(self, number: int, asked_in: int) -> Reply:
        def reply(rows: Sequence[Any] | None, total: int = -1) -> None:
            if asked_in == self._round:
                self._arrived(number, rows, total)

        return reply

    def _arrived(self, number: int, rows: Sequence[Any] | None, total: int) -> None:
        if rows is not None:
            self._asked.discard(number)
            self._pages[number] = rows
            self._stale.discard(number)
            while len(self._pages) > self._held:
                self._pages.popitem(last=False)
            if total >= 0 and total != self._total:
                self._resize(total)
            first = number * self._size
            last = min(first + len(rows), self._total) - 1
            if last >= first:
                self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))
            self.loaded.emit()
        if not self._asked or rows is None:
            self.loading_changed.emit(False)

    def _resize(self, total: int) -> None:
        before = self._total
        if total > before:
            self.beginInsertRows(QModelIndex(), before, total - 1)
            self._total = total
            self.endInsertRows()
        else:
            self.beginRemoveRows(QModelIndex(), total, before - 1)
            self._total = total
            self.endRemoveRows()
        self.total_changed.emit(total)
