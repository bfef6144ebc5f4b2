"""The table of the window: any model, painted by delegates, its columns kept as the user left them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QSettings,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from ui.widgets.delegates import Cell
from ui.widgets.models import Column, PagedTableModel, Role, RowsModel
from ui.widgets.page import RoundedCorners

HEADER_HEIGHT = 36
_LEAST_WIDTH = 56
_TITLE_PADDING = 26
# Below this part of the widths that the columns were given, spare columns step aside.
_COMFORT = 0.9
_TALL_EXTRA = 9
_MOST_TALL_ROWS = 2000


class DataTable(QTableView):
    """A table in a rounded frame: `DataTable(model, "jobs", delegates={"name": TwoLineDelegate})`.

    `opened(row)`: Enter or a double click on a row. `chosen(rows)`: the selection changed. Rows are the model's own
    objects. `set_menu(lambda rows: QMenu)` gives rows a context menu (right click, Menu key). `set_empty(widget)` is
    shown when there are no rows. A right click on the header chooses columns. Widths, order, hidden columns and sort
    order are kept in QSettings under `tables/<name>`.
    """

    opened = Signal(object)
    chosen = Signal(list)

    def __init__(
        self,
        model: RowsModel | PagedTableModel,
        name: str = "",
        *,
        delegates: Mapping[str, Callable[[QWidget], Cell]] | None = None,
        row_height: int = 57,
        framed: bool = True,
        fit: bool = False,
        many: bool = True,
        sort: tuple[str, Qt.SortOrder] | None = None,
        accessible_name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """`row_height`: 57 for two lines, 38 to 40 for one. `framed` False inside a flush Card.
        `fit`: no higher than its rows (follow it with `page.add_spring()`). `many`: several rows can be selected.
        `sort`: the first order, until the user chooses another."""
        super().__init__(parent)
        self._name, self._row_height, self._fit = name, row_height, fit
        self._columns: Sequence[Column] = model.columns
        self._shares: dict[str, float] = {column.key: float(column.width) for column in self._columns}
        self._hidden: set[str] = set()
        self._away: set[str] = set()
        self._filling = False
        self._menu: Callable[[list[Any]], QMenu | None] | None = None
        self._empty: QWidget | None = None
        self._loaded = False
        self.hovered_row = -1
        self.setAccessibleName(accessible_name or name)
        self.setProperty("kind", "framed" if framed else "plain")
        self._save_soon = QTimer(self, singleShot=True, interval=400)
        self._save_soon.timeout.connect(self.save_columns)
        self._look()
        self.setModel(model)
        model.setParent(self)
        self._plain = Cell(self)
        self.setItemDelegate(self._plain)
        self._kept_delegates = []
        for at, column in enumerate(self._columns):
            if delegates and column.key in delegates:
                delegate = delegates[column.key](self)
                self._kept_delegates.append(delegate)
                self.setItemDelegateForColumn(at, delegate)
        # Asking a paged model about every row would fetch them all.
        self._tall = isinstance(model, RowsModel) and any(column.progress for column in self._columns)
        self._listen(model)
        self._restore_columns(sort, sortable=isinstance(model, RowsModel))
        if framed:
            RoundedCorners(self)

    # what pages use

    def set_menu(self, build: Callable[[list[Any]], QMenu | None]) -> None:
        """`build` gets the selected rows and returns the menu to show, or None."""
        self._menu = build

    def set_empty(self, widget: QWidget) -> None:
        """Show this (an EmptyState) instead of rows while there are none."""
        self._empty = widget
        widget.setParent(self.viewport())
        self._place_empty()

    def selected(self) -> list[Any]:
        """The selected rows, from top to bottom."""
        indexes = sorted(self.selectionModel().selectedRows(), key=lambda index: index.row())
        rows = (index.data(Role.ROW) for index in indexes)
        return [row for row in rows if row is not None]

    def select(self, row_number: int) -> None:
        """Select one row and bring it into view."""
        index = self.model().index(row_number, 0)
        flags = QItemSelectionModel.SelectionFlag
        # Not selectRow: while somebody holds Ctrl it would add to what is selected.
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)

    @property
    def keyboard_row(self) -> int:
        """The row that keys act on, or -1 while the focus is elsewhere."""
        return self.currentIndex().row() if self.hasFocus() else -1

    # look

    def _look(self) -> None:
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setCornerButtonEnabled(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(20)
        rows.setDefaultSectionSize(self._row_height)
        header = self.horizontalHeader()
        header.setFixedHeight(HEADER_HEIGHT)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(_LEAST_WIDTH)
        header.setSectionsMovable(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._choose_columns)
        header.sectionResized.connect(self._resized)
        header.sectionMoved.connect(lambda *_: self._save_soon.start())

    def _listen(self, model: QAbstractItemModel) -> None:
        for signal in (model.modelReset, model.layoutChanged):
            signal.connect(self._rows_changed)
        if isinstance(model, PagedTableModel):
            # A RowsModel ends each change with `layoutChanged`; looking at each step would take too long.
            model.rowsInserted.connect(self._rows_changed)
            model.rowsRemoved.connect(self._rows_changed)
        model.dataChanged.connect(self._data_changed)
        if isinstance(model, RowsModel | PagedTableModel):
            model.loaded.connect(self._has_loaded)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit(self.selected()))
        self.doubleClicked.connect(self._open)
        self._rows_changed()

    def _rows_changed(self, *_: object) -> None:
        if self._tall:
            self._set_heights(0, min(self.model().rowCount(), _MOST_TALL_ROWS) - 1)
        self._loaded = self._loaded or self.model().rowCount() > 0
        if self._fit:
            self._fit_height()
        self._place_empty()

    def _has_loaded(self) -> None:
        self._loaded = True
        self._place_empty()
        if self._fit:
            self._fit_height()

    def _data_changed(self, first: QModelIndex, last: QModelIndex, *_: object) -> None:
        if self._tall:
            self._set_heights(first.row(), min(last.row(), _MOST_TALL_ROWS - 1))

    def _set_heights(self, first: int, last: int) -> None:
        """A row with a progress bar is a little higher than the others."""
        model, at = self.model(), next(i for i, column in enumerate(self._columns) if column.progress)
        changed = False
        for row in range(first, last + 1):
            working = model.index(row, at).data(Role.PROGRESS) is not None
            height = self._row_height + (_TALL_EXTRA if working else 0)
            if self.rowHeight(row) != height:
                self.setRowHeight(row, height)
                changed = True
        if changed and self._fit:
            self._fit_height()

    def _fit_height(self) -> None:
        rows = self.verticalHeader().length() if self.model().rowCount() else 0
        wanted = HEADER_HEIGHT + rows + 2
        if not rows and self._empty is not None:
            wanted = max(wanted, HEADER_HEIGHT + 330)
        self.setMaximumHeight(max(wanted, HEADER_HEIGHT + self._row_height))

    def _place_empty(self) -> None:
        if self._empty is not None:
            self._empty.setGeometry(self.viewport().rect())
            self._empty.setVisible(self._loaded and self.model().rowCount() == 0)

    def sizeHint(self) -> QSize:
        return QSize(600, 3000 if self._fit else 400)

    # columns

    def _at(self, key: str) -> int:
        return next((i for i, column in enumerate(self._columns) if column.key == key), -1)

    def _visible(self) -> list[int]:
        header = self.horizontalHeader()
        order = [header.logicalIndex(at) for at in range(header.count())]
        return [at for at in order if not header.isSectionHidden(at)]

    def _least(self, at: int) -> int:
        """A column is never narrower than its own title."""
        title = self.horizontalHeader().fontMetrics().horizontalAdvance(self._columns[at].title)
        return max(_LEAST_WIDTH, title + _TITLE_PADDING)

    def _fill(self) -> None:
        """Share the width of the table out among the columns; spare ones step aside where it is too narrow."""
        room = self.viewport().width()
        if room <= 0 or self._filling:
            return
        self._filling = True
        shown = [at for at, column in enumerate(self._columns) if column.key not in self._hidden | self._away]
        spare = [at for at in shown if self._columns[at].spare]
        while spare and room < _COMFORT * sum(self._columns[at].width for at in shown):
            shown.remove(spare.pop())
        for at in range(len(self._columns)):
            self.setColumnHidden(at, at not in shown)
        visible = self._visible()
        for at, width in zip(visible, self._shared_out(visible, room), strict=True):
            self.setColumnWidth(at, width)
        self._filling = False

    def _shared_out(self, visible: list[int], room: int) -> list[int]:
        """Widths of the columns in proportion to their shares, none below its least, `room` in all if possible."""
        widths = dict.fromkeys(visible, 0)
        open_ones, left = list(visible), room
        while open_ones:
            total = sum(self._shares[self._columns[at].key] for at in open_ones)
            tight = [at for at in open_ones if left * self._shares[self._columns[at].key] / total < self._least(at)]
            if not tight:
                break
            for at in tight:
                widths[at] = self._least(at)
                left -= widths[at]
                open_ones.remove(at)
        for at in open_ones:
            widths[at] = int(left * self._shares[self._columns[at].key] / total)
        if open_ones:
            widths[open_ones[-1]] += left - sum(widths[at] for at in open_ones)
        return [widths[at] for at in visible]

    def _resized(self, section: int, before: int, after: int) -> None:
        if self._filling or not before or not after:
            return
        visible = self._visible()
        behind = visible[visible.index(section) + 1 :] if section in visible else []
        # What one column takes, the columns behind it give.
        self._filling = True
        rest = after - before
        for at in behind:
            width = max(self._least(at), self.columnWidth(at) - rest)
            rest -= self.columnWidth(at) - width
            self.setColumnWidth(at, width)
            if not rest:
                break
        self._filling = False
        for at in visible:
            self._shares[self._columns[at].key] = float(self.columnWidth(at))
        self._save_soon.start()

    def set_column_shown(self, key: str, shown: bool) -> None:
        """Show or hide a column; a fixed one stays."""
        at = self._at(key)
        if at >= 0 and not (self._columns[at].fixed and not shown):
            (self._hidden.discard if shown else self._hidden.add)(key)
            self._fill()
            self._save_soon.start()

    def set_columns_away(self, keys: Collection[str]) -> None:
        """Leave out columns that mean nothing for what is shown now, whatever the user chose."""
        if self._away != set(keys):
            self._away = set(keys)
            self._fill()

    def column_menu(self) -> QMenu:
        """The menu that chooses columns, as the header shows it."""
        menu = QMenu(self)
        for column in (one for one in self._columns if one.key not in self._away):
            action = QAction(column.title or column.key, menu)
            action.setCheckable(True)
            action.setChecked(column.key not in self._hidden)
            action.setEnabled(not column.fixed)
            action.toggled.connect(lambda on, key=column.key: self.set_column_shown(key, on))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction("Reset columns", self.reset_columns)
        return menu

    def _choose_columns(self, at: QPoint) -> None:
        menu = self.column_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.horizontalHeader().mapToGlobal(at))

    def reset_columns(self) -> None:
        """All columns as they were at first."""
        header = self.horizontalHeader()
        for at, column in enumerate(self._columns):
            header.moveSection(header.visualIndex(at), at)
            self._shares[column.key] = float(column.width)
        self._hidden = {column.key for column in self._columns if column.hidden}
        self._fill()
        self._save_soon.start()

    def save_columns(self) -> None:
        """Keep order, widths, hidden columns and sort order now."""
        if not self._name:
            return
        header = self.horizontalHeader()
        keys = [column.key for column in self._columns]
        sorted_by = header.sortIndicatorSection() if self.isSortingEnabled() else -1
        state = {
            "order": [keys[header.logicalIndex(at)] for at in range(header.count())],
            "hidden": sorted(self._hidden),
            "shares": self._shares,
            "sort": [keys[sorted_by], header.sortIndicatorOrder().value] if 0 <= sorted_by < len(keys) else None,
        }
        QSettings().setValue(f"tables/{self._name}", json.dumps(state))

    def _kept(self) -> dict[str, Any]:
        if self._name:
            try:
                state = json.loads(str(QSettings().value(f"tables/{self._name}", "")))
            except ValueError:
                return {}
            if isinstance(state, dict):
                return state
        return {}

    def _restore_columns(self, sort: tuple[str, Qt.SortOrder] | None, *, sortable: bool) -> None:
        header, state = self.horizontalHeader(), self._kept()
        order = [key for key in state.get("order", []) if self._at(key) >= 0]
        for place, key in enumerate(order):
            header.moveSection(header.visualIndex(self._at(key)), place)
        hidden = state.get("hidden", [column.key for column in self._columns if column.hidden])
        self._hidden = {column.key for column in self._columns if column.key in hidden and not column.fixed}
        for column in self._columns:
            share = state.get("shares", {}).get(column.key)
            if isinstance(share, int | float) and share > 0:
                self._shares[column.key] = float(share)
        self._fill()
        if not sortable:
            return
        kept = state.get("sort")
        at, direction = -1, Qt.SortOrder.AscendingOrder
        if isinstance(kept, list) and len(kept) == 2:
            at, direction = self._at(str(kept[0])), Qt.SortOrder(kept[1])
        elif sort is not None and not state:
            at, direction = self._at(sort[0]), sort[1]
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(at, direction)
        self.setSortingEnabled(True)
        header.sortIndicatorChanged.connect(lambda *_: self._save_soon.start())

    # mouse and keys

    def _open(self, index: QModelIndex) -> None:
        row = index.data(Role.ROW)
        if row is not None:
            self.opened.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._menu is None:
            return
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        if not by_key:
            index = self.indexAt(event.pos())
            if not index.isValid():
                return
        rows = self.selected()
        menu = self._menu(rows) if rows else None
        if menu is None:
            return
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        at = self.visualRect(self.currentIndex()).bottomLeft() + QPoint(40, 0) if by_key else event.pos()
        menu.popup(self.viewport().mapToGlobal(at))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.indexAt(event.position().toPoint()).row())
        super().mouseMoveEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(-1)
        return super().viewportEvent(event)

    def _hover(self, row: int) -> None:
        if row == self.hovered_row:
            return
        before, self.hovered_row = self.hovered_row, row
        for at in (before, row):
            if at >= 0:
                self.viewport().update(0, self.rowViewportPosition(at), self.viewport().width(), self.rowHeight(at))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if (
            not self.currentIndex().isValid()
            and self.model().rowCount()
            and event.reason()
            in (
                Qt.FocusReason.TabFocusReason,
                Qt.FocusReason.BacktabFocusReason,
            )
        ):
            first = self.model().index(0, self._visible()[0])
            self.selectionModel().setCurrentIndex(first, self.selectionModel().SelectionFlag.NoUpdate)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fill()
        self._place_empty()
