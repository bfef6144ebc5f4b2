"""Tiles to choose one thing from many: providers, job types, authorizations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextLayout,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ui.theme import current_theme, font
from ui.widgets.marks import paint_mark
from ui.widgets.status import paint_pill

_GAP = 10
_LINE = 18


@dataclass(frozen=True)
class TileData:
    """What a tile shows; `status` is (key, word) of a pill at its right top."""

    key: str
    name: str
    summary: str = ""
    mark: str = ""
    mark_name: str = ""
    status: tuple[str, str] | None = None


class Tile(QAbstractButton):
    """One tile with mark, name and summary. Space or a click chooses it, Enter or a double click also goes on."""

    went_on = Signal()

    def __init__(self, data: TileData, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.data = data
        self.setCheckable(True)
        self.setText(data.name)
        self.setAccessibleName(f"{data.name}. {data.summary}" if data.summary else data.name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        return QSize(195, 129)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()

    def nextCheckState(self) -> None:
        self.setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Qt's own arrow keys go to the next button in the order of the layout; the grid knows its columns.
        if event.key() == Qt.Key.Key_Space:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.setChecked(True)
        self.went_on.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = current_theme(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.color("accent" if self.isChecked() else "line"), 1))
        painter.setBrush(theme.color("hover" if self.underMouse() and not self.isChecked() else "surface"))
        painter.drawRoundedRect(rect, 10, 10)
        if self.isChecked() or self.hasFocus():
            painter.setPen(QPen(theme.color("accent" if self.hasFocus() else "accent_weak"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(1.5, 1.5, -1.5, -1.5), 8.5, 8.5)
        left, width = 13, self.width() - 26
        paint_mark(painter, QRectF(left, 17, 34, 34), self.data.mark_name or self.data.name, self.data.mark)
        if self.data.status is not None:
            status, word = self.data.status
            where = QRectF(left + 46, 24, width - 46, 20)
            paint_pill(painter, where.topLeft(), status, word, where.width())
        bold, small = font(13, 600), font(11.5)
        painter.setFont(bold)
        painter.setPen(theme.color("text"))
        name = QFontMetrics(bold).elidedText(self.data.name, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, 58, width, 20), int(Qt.AlignmentFlag.AlignVCenter), name)
        painter.setPen(theme.color("muted"))
        self._summary(painter, QRectF(left, 78, width, self.height() - 78 - 10), small)

    def _summary(self, painter: QPainter, room: QRectF, face: QFont) -> None:
        """The summary in as many lines as there is room for, the last one shortened with … if it must be."""
        layout = QTextLayout(self.data.summary, face)
        layout.beginLayout()
        top, lines = room.top(), max(1, int(room.height() // _LINE))
        for number in range(lines):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(room.width())
            start = line.textStart()
            last = number == lines - 1 and start + line.textLength() < len(self.data.summary)
            text = self.data.summary[start:] if last else self.data.summary[start : start + line.textLength()]
            painter.setFont(face)
            shown = QFontMetrics(face).elidedText(text.strip(), Qt.TextElideMode.ElideRight, round(room.width()))
            painter.drawText(
                QRectF(room.left(), top, room.width() + 2, _LINE), int(Qt.AlignmentFlag.AlignVCenter), shown
            )
            top += _LINE
        layout.endLayout()


class TileGrid(QWidget):
    """Tiles in as many columns as fit; arrow keys move, `chosen(key)` and `went_on(key)` tell.

    Put it in a `Scroll`. `set_tiles` replaces what is shown, the choice stays where it is still there.
    """

    chosen = Signal(str)
    went_on = Signal(str)

    def __init__(
        self,
        tiles: Iterable[TileData] = (),
        *,
        least_width: int = 186,
        tile_height: int = 129,
        name: str = "Choices",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._least, self._height = least_width, tile_height
        self._tiles: list[Tile] = []
        self._key = ""
        self._columns = 1
        self.setAccessibleName(name)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_tiles(tiles)

    def set_tiles(self, tiles: Iterable[TileData]) -> None:
        """Show these tiles; those already there are kept."""
        before = {tile.data: tile for tile in self._tiles}
        self._tiles = []
        for data in tiles:
            tile = before.pop(data, None)
            if tile is None:
                tile = Tile(data, self)
                tile.clicked.connect(lambda _=False, key=data.key: self._clicked(key))
                tile.went_on.connect(lambda key=data.key: self._go_on(key))
                tile.show()
            self._tiles.append(tile)
        for tile in before.values():
            tile.hide()
            tile.deleteLater()
        self._mark()
        self._place()
        self.updateGeometry()

    def key(self) -> str:
        """The chosen key, or an empty text; a choice that a search hides is still the choice."""
        return self._key

    def choose(self, key: str) -> None:
        """Choose without telling `chosen`."""
        self._key = key
        self._mark()

    def _mark(self) -> None:
        for tile in self._tiles:
            tile.setChecked(tile.data.key == self._key)
            tile.update()

    def _clicked(self, key: str) -> None:
        self.choose(key)
        self.chosen.emit(key)

    def _go_on(self, key: str) -> None:
        self._clicked(key)
        self.went_on.emit(key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focus = self.focusWidget()
        at = self._tiles.index(focus) if isinstance(focus, Tile) and focus in self._tiles else -1
        key = Qt.Key(event.key())
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._columns,
            Qt.Key.Key_Down: self._columns,
        }
        if at >= 0 and key in steps:
            to = at + steps[key]
            if 0 <= to < len(self._tiles):
                self._tiles[to].setFocus(Qt.FocusReason.TabFocusReason)
        elif at >= 0 and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._go_on(self._tiles[at].data.key)
        else:
            super().keyPressEvent(event)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        columns = max(1, (width + _GAP) // (self._least + _GAP))
        rows = -(-len(self._tiles) // columns)
        return rows * (self._height + _GAP) - _GAP if rows else 0

    def sizeHint(self) -> QSize:
        return QSize(600, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least, self.heightForWidth(max(self.width(), self._least)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()
        self.updateGeometry()

    def _place(self) -> None:
        self._columns = max(1, (self.width() + _GAP) // (self._least + _GAP))
        width = (self.width() - _GAP * (self._columns - 1)) / self._columns
        for at, tile in enumerate(self._tiles):
            column, row = at % self._columns, at // self._columns
            left = round(column * (width + _GAP))
            tile.setGeometry(left, row * (self._height + _GAP), round(width), self._height)
