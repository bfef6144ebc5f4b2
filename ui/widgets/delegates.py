"""How table cells are painted. Everything a row shows is laid out here, never by item widgets."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ui.theme import current_theme, font, mono_font, paint_icon
from ui.widgets.feedback import paint_progress
from ui.widgets.marks import paint_mark
from ui.widgets.models import Role
from ui.widgets.status import PILL_HEIGHT, paint_pill, pill_width

Index = QModelIndex | QPersistentModelIndex
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_PAD = 12.0


def draw_text(
    painter: QPainter, rect: QRectF, text: str, face: QFont, color: QColor, align: Qt.AlignmentFlag = _LEFT
) -> None:
    """One line of text, shortened with … where it does not fit."""
    painter.setFont(face)
    painter.setPen(color)
    line = text.replace("\n", " ↵ ")[:600]
    shown = QFontMetricsF(face).elidedText(line, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, int(align | Qt.TextFlag.TextSingleLine), shown)


class Cell(QStyledItemDelegate):
    """A cell with one line of text; the base of the others. `weight` 600 makes it a name."""

    def __init__(self, parent: QWidget | None = None, *, weight: int = 400, size: float = 13) -> None:
        super().__init__(parent)
        self._weight, self._size = weight, size

    def face(self, text: str = "") -> QFont:
        """The font of a text; figures without letters get equally wide digits."""
        return font(self._size, self._weight, tabular=not any(map(str.isalpha, text)))

    def color(self, index: Index) -> QColor:
        """The colour of the text: the model's tone, else plain."""
        return current_theme().color(index.data(Role.TONE) or "text")

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        self._background(painter, option, index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(option.rect)
        align = index.data(Qt.ItemDataRole.TextAlignmentRole)
        right = _PAD if align is not None and align & Qt.AlignmentFlag.AlignRight else _PAD - 4
        self.content(painter, QRectF(option.rect).adjusted(_PAD, 0, -right, -1), index)
        painter.restore()

    def content(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        """Paint what the cell says into `rect`; override in other kinds of cells."""
        align = index.data(Qt.ItemDataRole.TextAlignmentRole) or _LEFT
        text = str(index.data() or "")
        draw_text(painter, rect, text, self.face(text), self.color(index), align)

    def wanted_width(self, index: Index) -> float:
        """How much room the content would like, without the padding."""
        text = str(index.data() or "")
        return QFontMetricsF(self.face(text)).horizontalAdvance(text)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(round(self.wanted_width(index) + 2 * _PAD + 1), 38)

    def _background(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = current_theme()
        rect = option.rect
        view = option.widget
        hovered = index.row() == getattr(view, "hovered_row", -1)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color("selected"))
        elif hovered:
            painter.fillRect(rect, theme.color("hover"))
        painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, theme.color("row_line"))
        # The row that the keyboard is at has a bar at its left end, as long as the table has the focus.
        if getattr(view, "keyboard_row", -1) == index.row() and rect.x() <= 0:
            painter.fillRect(rect.x(), rect.y(), 3, rect.height() - 1, theme.color("accent"))


class TwoLineDelegate(Cell):
    """A bold name over a muted line (Role.SECONDARY)."""

    def content(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        theme = current_theme()
        second = index.data(Role.SECONDARY)
        name = str(index.data() or "")
        if not second:
            draw_text(painter, rect, name, font(13, 600), self.color(index))
            return
        middle = rect.center().y()
        draw_text(painter, QRectF(rect.x(), middle - 18, rect.width(), 19), name, font(13, 600), self.color(index))
        low = QRectF(rect.x(), middle + 1, rect.width(), 16)
        draw_text(painter, low, str(second), font(11.5), theme.color("muted"))

    def wanted_width(self, index: Index) -> float:
        first = QFontMetricsF(font(13, 600)).horizontalAdvance(str(index.data() or ""))
        second = QFontMetricsF(font(11.5)).horizontalAdvance(str(index.data(Role.SECONDARY) or ""))
        return max(first, second)


class ProviderDelegate(Cell):
    """A provider's mark (Role.MARK) and its name."""

    def content(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        name = str(index.data() or "")
        if not name:
            return
        paint_mark(painter, QRectF(rect.x(), rect.center().y() - 12, 24, 24), name, str(index.data(Role.MARK) or ""))
        draw_text(painter, rect.adjusted(33, 0, 0, 0), name, self.face(name), self.color(index))

    def wanted_width(self, index: Index) -> float:
        return super().wanted_width(index) + 33


class StatusDelegate(Cell):
    """A status pill, with one line of meaning (Role.SECONDARY) and a bar (Role.PROGRESS) under it."""

    def content(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        word = str(index.data() or "")
        if not word:
            return
        second, progress = index.data(Role.SECONDARY), index.data(Role.PROGRESS)
        height = PILL_HEIGHT + (16 if second else 0) + (8 if progress is not None else 0)
        top = rect.y() + (rect.height() - height) / 2
        paint_pill(painter, QPointF(rect.x(), top), str(index.data(Role.STATUS) or ""), word, rect.width())
        top += PILL_HEIGHT + 0.5
        if second:
            line = QRectF(rect.x(), top, rect.width(), 16)
            draw_text(painter, line, str(second), font(11.5), current_theme().color("muted"))
            top += 16
        if progress is not None:
            bar = QRectF(rect.x(), top + 4, min(150.0, rect.width()), 4)
            paint_progress(painter, bar, None if progress < 0 else min(1.0, float(progress)))

    def wanted_width(self, index: Index) -> float:
        second = QFontMetricsF(font(11.5)).horizontalAdvance(str(index.data(Role.SECONDARY) or ""))
        return max(pill_width(str(index.data() or "")), second)


class MonoDelegate(Cell):
    """A cell in the monospaced face, muted unless the model says otherwise: times, samples, raw values."""

    def face(self, text: str = "") -> QFont:
        return mono_font(12)

    def color(self, index: Index) -> QColor:
        return current_theme().color(index.data(Role.TONE) or "muted")


class CheckCell(Cell):
    """A box to tick; the whole cell is its target, and Space ticks it."""

    def content(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        theme = current_theme()
        on = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        box = QRectF(round(rect.left()) + 0.5, round(rect.center().y() - 8) + 0.5, 15, 15)
        painter.setPen(QPen(theme.color("accent" if on else "muted"), 1))
        painter.setBrush(theme.color("accent" if on else "surface"))
        painter.drawRoundedRect(box, 4, 4)
        if on:
            paint_icon(painter, box.adjusted(1.5, 1.5, -1.5, -1.5), "check", "on_accent")

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        clicked = isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease
        space = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space
        if clicked or space:
            return model.setData(index, None, Qt.ItemDataRole.CheckStateRole)
        return False
