"""Differences of schemas in words, as a list that holds any number of them: each with its sign, and with Undo."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPalette,
    QResizeEvent,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QMenu,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from app.schema.differences import Difference
from ui.pages.schema.reading import ADDED, CHANGED, MARK_TOKENS, REMOVED, SIGNS, Contents
from ui.theme import current_theme, font, mono_font, paint_icon
from ui.theme.fonts import MONO

Index = QModelIndex | QPersistentModelIndex
LEFT, TOP, UNDO = 38, 8, 38
TALLER_THAN_ANY_WINDOW = 1_600
LAID_OUT_AT_ONCE = 15
"""Lines; the rest follows in the next turns of the event loop."""
_VERBS = {ADDED: "New", CHANGED: "Changed", REMOVED: "Deleted"}
_CHANGE, _HTML = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2


def rich(text: str, codes: Sequence[str] = (), *, strong: str = "") -> str:
    """A sentence as HTML, with pieces of code in the monospaced face and one name in bold."""
    head, colon, rest = text.partition(": ") if codes else ("", "", text)
    shown = html.escape(rest)
    pieces = sorted({code for code in codes if code}, key=len, reverse=True)
    # The longest first and each behind a mark of its own: one piece may be a part of another.
    for at, code in enumerate(pieces):
        shown = shown.replace(html.escape(code), f"\x00{at}\x00")
    for at, code in enumerate(pieces):
        span = f"<span style=\"font-family:'{MONO}'; font-size:12px\">{html.escape(code)}</span>"
        shown = shown.replace(f"\x00{at}\x00", span)
    if strong:
        shown = shown.replace(html.escape(strong), f"<b>{html.escape(strong)}</b>", 1)
    return f"{html.escape(head)}{colon}{shown}"


def codes_of(contents: Contents, subject: str) -> list[str]:
    """The expressions and conditions that the words of a change may hold."""
    key = subject.removeprefix("mapping:")
    both = (contents.published.mapping(key), contents.draft.mapping(key))
    return [code for one in both if one is not None for code in (one.expression, one.condition)]


def lines_of(change: Difference) -> list[str]:
    """What to say: a mapping's words name its field, anything else begins with its title."""
    if change.subject.startswith("mapping:"):
        return list(change.words) if change.verb != REMOVED else [f"No longer {word}" for word in change.words]
    if change.subject.startswith("field:") and change.verb == ADDED and change.words:
        first, *others = change.words
        return [f"{change.title}, {first[:1].lower()}{first[1:].rstrip('.')}", *others]
    return [change.title, *change.words]


@dataclass(frozen=True, slots=True)
class Told:
    """A difference as it is shown: `codes` are pieces of its words that are code, `note` stands below in grey."""

    change: Difference
    codes: tuple[str, ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        """All of it without looks, for screen readers and searches."""
        return " ".join((_VERBS.get(self.change.verb, ""), *lines_of(self.change), self.note)).strip()

    def markup(self, muted: str) -> str:
        """All of it as HTML; `muted` is the colour of the note."""
        name = self.change.title.removeprefix("Field ") if self.change.subject.startswith("field:") else ""
        shown = [
            rich(line, self.codes if ": " in line else (), strong=name if at == 0 else "")
            for at, line in enumerate(lines_of(self.change))
        ]
        if self.note:
            shown.append(f'<span style="color:{muted}">{html.escape(self.note)}</span>')
        return "".join(f'<p style="margin:0 0 2px 0">{line}</p>' for line in shown)


class _Model(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.told: list[Told] = []

    def set_told(self, told: list[Told]) -> None:
        if [one.change.subject for one in told] == [one.change.subject for one in self.told] and told:
            self.told = told
            self.dataChanged.emit(self.index(0), self.index(len(told) - 1))
            return
        self.beginResetModel()
        self.told = told
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(self.told)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        one = self.told[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return one.text
        if role == _CHANGE:
            return one.change
        if role == _HTML:
            return one.markup(current_theme().color("muted").name())
        return None


class _Delegate(QStyledItemDelegate):
    """Lays out and paints one difference."""

    def __init__(self, view: DifferenceList) -> None:
        super().__init__(view)
        self._view = view
        self._laid_out: dict[tuple[str, int], QTextDocument] = {}

    def forget(self) -> None:
        """Lay everything out anew, in other colours or for other words."""
        self._laid_out.clear()

    def _document(self, index: Index, width: int) -> QTextDocument:
        key = (str(index.data(_HTML)), max(60, width))
        document = self._laid_out.get(key)
        if document is None:
            if len(self._laid_out) > 500:
                self._laid_out.clear()
            document = QTextDocument()
            document.setDocumentMargin(0)
            document.setDefaultFont(font(13))
            document.setHtml(key[0])
            document.setTextWidth(key[1])
            self._laid_out[key] = document
        return document

    def _room(self, width: int) -> int:
        return width - LEFT - (UNDO if self._view.can_undo else 12)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        # Before it is shown, a list is as wide as it has to be at least.
        width = max(self._view.viewport().width(), self._view.minimumWidth())
        return QSize(width, round(self._document(index, self._room(width)).size().height()) + 2 * TOP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, rect, view = current_theme(), option.rect, self._view
        change = index.data(_CHANGE)
        painter.save()
        here = view.currentIndex().row() == index.row() and view.hasFocus()
        if here:
            painter.fillRect(rect, theme.color("selected"))
            painter.fillRect(rect.x(), rect.y(), 3, rect.height(), theme.color("accent"))
        if index.row():
            painter.fillRect(rect.x(), rect.y(), rect.width(), 1, theme.color("line"))
        painter.setFont(mono_font(13, 600))
        painter.setPen(theme.color(MARK_TOKENS.get(change.verb, "paused")))
        sign = QRectF(rect.x() + 14, rect.y() + TOP, 18, 18)
        painter.drawText(sign, int(Qt.AlignmentFlag.AlignVCenter), SIGNS.get(change.verb, "~"))
        if view.can_undo:
            role = "text" if view.pointed == index.row() else "muted"
            paint_icon(painter, QRectF(view.undo_rect(rect).adjusted(5, 5, -5, -5)), "rotate-ccw", role)
        context = QAbstractTextDocumentLayout.PaintContext()
        palette = QPalette(view.palette())
        palette.setColor(QPalette.ColorRole.Text, theme.color("text"))
        context.palette = palette
        painter.translate(rect.x() + LEFT, rect.y() + TOP)
        self._document(index, self._room(rect.width())).documentLayout().draw(painter, context)
        painter.restore()


class DifferenceList(QListView):
    """As high as its lines where there is room, else scrolled; with `scrolls` False always as high as its lines.

    `undo(subject)`: the arrow of a line was clicked, or Delete pressed on it.
    """

    undo = Signal(str)

    def __init__(self, name: str, *, undo: bool = False, scrolls: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.can_undo = undo
        self.pointed = -1
        self._model = _Model(self)
        self._delegate = _Delegate(self)
        self.setAccessibleName(name)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("QListView { border: none; background: transparent; }")
        self.setMouseTracking(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(LAID_OUT_AT_ONCE)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        if scrolls:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
            self.setMinimumHeight(40)
        else:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        current_theme().changed.connect(self._recolour)

    def show_differences(self, told: Iterable[Told]) -> None:
        """Show these."""
        self._delegate.forget()
        self._model.set_told(list(told))
        self.scheduleDelayedItemsLayout()
        self.updateGeometry()

    def told(self) -> list[Told]:
        """What is shown."""
        return list(self._model.told)

    def text(self) -> str:
        """All that it says, a line for each difference."""
        return "\n".join(one.text for one in self._model.told)

    def undo_rect(self, rect: QRect) -> QRect:
        """Where the arrow of a line is."""
        return QRect(rect.right() - 33, rect.y() + TOP - 3, 26, 26)

    def _recolour(self) -> None:
        self._delegate.forget()
        self.viewport().update()

    # size

    def sizeHint(self) -> QSize:
        option, height = QStyleOptionViewItem(), 2
        for row in range(self._model.rowCount()):
            height += self._delegate.sizeHint(option, self._model.index(row)).height()
            if height > TALLER_THAN_ANY_WINDOW:
                break
        return QSize(super().sizeHint().width(), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._delegate.forget()
            self.scheduleDelayedItemsLayout()
            self.updateGeometry()

    # mouse and keys

    def _undo_at(self, place: QPoint) -> QModelIndex:
        index = self.indexAt(place)
        there = self.can_undo and index.isValid() and self.undo_rect(self.visualRect(index)).contains(place)
        return index if there else QModelIndex()

    def _ask_undo(self, index: QModelIndex) -> None:
        if self.can_undo and index.isValid():
            self.undo.emit(index.data(_CHANGE).subject)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self._undo_at(event.position().toPoint()).row())
        super().mouseMoveEvent(event)

    def _point(self, row: int) -> None:
        if row != self.pointed:
            self.pointed = row
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if row >= 0 else Qt.CursorShape.ArrowCursor)
            self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._point(-1)
        elif event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._undo_at(event.pos())
            QToolTip.showText(event.globalPos(), "Undo this change" if index.isValid() else "", self)
            return True
        return super().viewportEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            self._ask_undo(self._undo_at(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete):
            self._ask_undo(self.currentIndex())
            return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if not self.can_undo or not index.isValid():
            return
        chosen = QPersistentModelIndex(index)
        keys = QKeySequence(QKeySequence.StandardKey.Delete).toString(QKeySequence.SequenceFormat.NativeText)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(f"Undo\t{keys}", lambda: self._ask_undo(self._model.index(chosen.row())))
        at = self.visualRect(index).bottomLeft() + QPoint(40, 0) if by_key else event.pos()
        menu.popup(self.viewport().mapToGlobal(at))
