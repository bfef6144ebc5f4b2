"""An editor for code: colours, line numbers, marks under what is wrong with their sentence below, completion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QStandardItem,
    QStandardItemModel,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QLabel,
    QListView,
    QPlainTextEdit,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from ui.theme import current_theme, font, mono_font
from ui.widgets.buttons import LinkButton
from ui.widgets.feedback import Icon
from ui.widgets.lql_colors import LqlColors, units

REST_MS = 250
MOST_OFFERED = 200
_NOTE = Qt.ItemDataRole.UserRole + 1
_SUGGESTION = Qt.ItemDataRole.UserRole + 2
_WORD = re.compile(r"`?[\w.]*$")


class Problem(Protocol):
    """What is wrong at a place of the text; lines and columns count from 1, the end is not included."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end_line(self) -> int: ...
    @property
    def end_column(self) -> int: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What completion offers: `label` is looked for, `insert` written, and the cursor goes `back` signs to the left."""

    label: str
    insert: str
    note: str = ""
    back: int = 0


class _Gutter(QWidget):
    """The line numbers at the left of the text."""

    def __init__(self, edit: CodeEdit) -> None:
        super().__init__(edit)
        self._edit = edit

    def paintEvent(self, event: QPaintEvent) -> None:
        self._edit.paint_numbers(QPainter(self), event.rect())


class _Offer(QStyledItemDelegate):
    """A line of the completion: what is written, and what it is for."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme = current_theme()
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, theme.color("accent_weak"))
        rect = QRectF(option.rect).adjusted(10, 0, -10, 0)
        label = str(index.data() or "")
        face, small = mono_font(12), font(11.5)
        painter.setFont(face)
        painter.setPen(theme.color("text"))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), label)
        rect.setLeft(rect.left() + max(150.0, QFontMetricsF(face).horizontalAdvance(label) + 18))
        note = QFontMetricsF(small).elidedText(str(index.data(_NOTE) or ""), Qt.TextElideMode.ElideRight, rect.width())
        painter.setFont(small)
        painter.setPen(theme.color("muted"))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), note)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(420, 27)


class CodeEdit(QPlainTextEdit):
    """`CodeEdit("Expression", lines=3)`; the mapping language unless `colors` says otherwise.

    `rested()` follows when typing rests, to have the text checked; `set_problems` marks what was found and
    `problem_at_cursor` says which of it the cursor is in. Words are completed while they are typed and on
    Ctrl+Space; Tab moves on to the next field, as in any form.
    """

    rested = Signal()

    def __init__(
        self,
        name: str,
        *,
        lines: int = 8,
        numbers: bool = True,
        colors: Callable[[QTextDocument], QSyntaxHighlighter] = LqlColors,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setProperty("kind", "code")
        self.setFont(mono_font(12.5))
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap if numbers else QPlainTextEdit.LineWrapMode.WidgetWidth)
        # Qt leaves the corner between two scroll bars in the colour of buttons.
        self.setCornerWidget(QWidget())
        self.setMinimumHeight(lines * self.fontMetrics().lineSpacing() + 26)
        if not numbers:
            self.setMaximumHeight(self.minimumHeight())
        self._colors = colors(self.document())
        self._problems: list[Problem] = []
        self._suggestions: list[Suggestion] = []
        self._gutter = _Gutter(self) if numbers else None
        self._offered = QStandardItemModel(self)
        self._popup = QListView()
        self._completer = self._make_completer()
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.rested)
        self.textChanged.connect(self._rest.start)
        self.blockCountChanged.connect(lambda _: self._make_room())
        self.updateRequest.connect(self._scrolled)
        self.cursorPositionChanged.connect(self._redraw_numbers)
        current_theme().changed.connect(self._mark)
        self._make_room()

    # text

    def text(self) -> str:
        """The whole text."""
        return self.toPlainText()

    def set_text(self, text: str) -> None:
        """Another text, without any history of edits; where the cursor is does not matter any more."""
        if text != self.toPlainText():
            self.setPlainText(text)

    def go_to(self, line: int, column: int) -> None:
        """Put the cursor at a place and show it."""
        cursor = self.textCursor()
        cursor.setPosition(self._position(line, column))
        self.setTextCursor(cursor)
        self.ensureCursorVisible()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _position(self, line: int, column: int) -> int:
        block = self.document().findBlockByNumber(min(max(line, 1), self.blockCount()) - 1)
        text = block.text()
        return block.position() + units(text[: max(0, column - 1)])

    # problems

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Mark these places in red; an empty list takes the marks away."""
        self._problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        self._mark()

    def problems(self) -> list[Problem]:
        """What is marked, from top to bottom."""
        return list(self._problems)

    def problem_at_cursor(self) -> Problem | None:
        """The problem that the cursor is in or right behind, else the first one in its line."""
        at, line = self.textCursor().position(), self.textCursor().blockNumber() + 1
        inside = [p for p in self._problems if self._span(p)[0] <= at <= self._span(p)[1]]
        return next(iter([*inside, *(p for p in self._problems if p.line == line)]), None)

    def _span(self, problem: Problem) -> tuple[int, int]:
        """From where to where a problem is marked: at least one sign, be it the last one of the text."""
        start = self._position(problem.line, problem.column)
        end = max(start, self._position(problem.end_line, problem.end_column))
        if start == end:
            last = self.document().characterCount() - 1
            start, end = (start, start + 1) if start < last else (max(0, start - 1), start)
        return start, end

    def _mark(self) -> None:
        form = QTextCharFormat()
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        form.setUnderlineColor(current_theme().color("failed"))
        marks = []
        for problem in self._problems:
            mark = QTextEdit.ExtraSelection()
            start, end = self._span(problem)
            cursor = QTextCursor(self.document())
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            form.setToolTip(problem.message)
            mark.cursor, mark.format = cursor, form
            marks.append(mark)
        self.setExtraSelections(marks)
        self._redraw_numbers()

    # line numbers

    def _gutter_width(self) -> int:
        digits = len(str(max(99, self.blockCount())))
        return round(QFontMetricsF(mono_font(11)).horizontalAdvance("9") * digits) + 26

    def _make_room(self) -> None:
        self.setViewportMargins(self._gutter_width() if self._gutter is not None else 0, 0, 0, 0)

    def _redraw_numbers(self) -> None:
        if self._gutter is not None:
            self._gutter.update()

    def _scrolled(self, rect: QRect, by: int) -> None:
        if self._gutter is not None:
            if by:
                self._gutter.scroll(0, by)
            else:
                self._gutter.update(0, rect.y(), self._gutter.width(), rect.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._gutter is not None:
            inside = self.viewport().geometry()
            self._gutter.setGeometry(2, inside.y(), inside.x() - 4, inside.height())

    def paint_numbers(self, painter: QPainter, rect: QRect) -> None:
        """Paint the numbers of the lines that `rect` of the gutter covers."""
        theme = current_theme()
        wrong = {problem.line for problem in self._problems}
        here = self.textCursor().blockNumber() + 1
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(mono_font(11))
        assert self._gutter is not None
        width = self._gutter.width()
        block = self.firstVisibleBlock()
        while block.isValid():
            box = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if box.top() > rect.bottom():
                break
            number = block.blockNumber() + 1
            if box.bottom() >= rect.top() and block.isVisible():
                painter.setPen(theme.color("failed" if number in wrong else "text" if number == here else "muted"))
                place = QRectF(0, box.top(), width - 12, box.height())
                painter.drawText(place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), str(number))
                if number in wrong:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(theme.color("failed"))
                    painter.drawEllipse(QRectF(4, box.center().y() - 2.5, 5, 5))
            block = block.next()

    # completion

    def set_suggestions(self, suggestions: Iterable[Suggestion]) -> None:
        """What completion offers from now on."""
        self._suggestions = list(suggestions)

    def offered(self) -> list[str]:
        """The labels that completion shows now."""
        if not self._popup.isVisible():
            return []
        return [self._offered.item(row).text() for row in range(self._offered.rowCount())]

    def _make_completer(self) -> QCompleter:
        completer = QCompleter(self._offered, self)
        completer.setWidget(self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setMaxVisibleItems(9)
        self._popup.setAccessibleName("Completions")
        completer.setPopup(self._popup)
        # A completer gives its popup a delegate of its own.
        self._popup.setItemDelegate(_Offer(self._popup))
        # Of the two signals of this name, the one that brings the chosen line; Qt's stubs know one only.
        completer.activated[QModelIndex].connect(self._complete)  # type: ignore[index]
        return completer

    def _word_before(self) -> str:
        """What is being typed: the word before the cursor, with the backtick that it began with."""
        cursor = self.textCursor()
        before = cursor.block().text()
        # The column of the cursor counts UTF-16 units.
        line = before.encode("utf-16-le")[: 2 * cursor.positionInBlock()].decode("utf-16-le", "ignore")
        found = _WORD.search(line)
        return found.group() if found is not None else ""

    def _offer(self, *, at_once: bool) -> None:
        """Show what fits the word before the cursor; without `at_once` only once something was typed."""
        word = self._word_before()
        sought = word.removeprefix("`").casefold()
        popup = self._popup
        if (not word and not at_once) or self._in_text():
            popup.hide()
            return
        first, then = [], []
        for one in self._suggestions:
            label = one.label.casefold()
            if label.startswith(sought):
                first.append(one)
            elif len(sought) > 1 and sought in label:
                then.append(one)
        fitting = [*first, *then][:MOST_OFFERED]
        if not fitting or (len(fitting) == 1 and fitting[0].label == word and not at_once):
            popup.hide()
            return
        self._offered.clear()
        for one in fitting:
            item = QStandardItem(one.label)
            item.setData(one.note, _NOTE)
            item.setData(one, _SUGGESTION)
            item.setData(f"{one.label}: {one.note}", Qt.ItemDataRole.AccessibleTextRole)
            self._offered.appendRow(item)
        place = self.cursorRect()
        place.translate(self.viewport().geometry().topLeft())
        place.setWidth(460)
        self._completer.complete(place)
        popup.setCurrentIndex(self._offered.index(0, 0))

    def _in_text(self) -> bool:
        """Whether the cursor is inside a text or a comment, where nothing is completed."""
        cursor = self.textCursor()
        line = cursor.block().text()[: cursor.positionInBlock()]
        return line.count('"') % 2 == 1 or "--" in line

    def _complete(self, index: QModelIndex) -> None:
        chosen = index.data(_SUGGESTION)
        if not isinstance(chosen, Suggestion):
            return
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, units(self._word_before()))
        cursor.insertText(chosen.insert)
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.MoveAnchor, chosen.back)
        self.setTextCursor(cursor)

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab takes what completion shows, as Return does.
        return not self._popup.isVisible() and super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, popup = event.key(), self._popup
        if popup.isVisible() and key in (
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Tab,
            Qt.Key.Key_Escape,
            Qt.Key.Key_Backtab,
        ):
            # These belong to the list, which takes them when they come back to it.
            event.ignore()
            return
        if key == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self._offer(at_once=True)
            return
        super().keyPressEvent(event)
        typed = event.text()
        if typed and (typed.isalnum() or typed in "_.`" or (popup.isVisible() and key == Qt.Key.Key_Backspace)):
            self._offer(at_once=False)
        elif typed:
            popup.hide()


class CodeField(QWidget):
    """A CodeEdit with a strip below that says what is wrong where the cursor is, or how many things are.

    `field.set_problems(problems)`; `field.set_note("Brings a date", "success")` is what the strip says while nothing
    is wrong; "" leaves it empty.
    """

    def __init__(
        self,
        name: str,
        *,
        lines: int = 8,
        numbers: bool = True,
        colors: Callable[[QTextDocument], QSyntaxHighlighter] = LqlColors,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.edit = CodeEdit(name, lines=lines, numbers=numbers, colors=colors)
        self.setFocusProxy(self.edit)
        self._name = name
        self._note, self._tone = "", "info"
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self.edit, 1)
        strip = QWidget()
        row = QHBoxLayout(strip)
        row.setContentsMargins(1, 0, 1, 0)
        row.setSpacing(7)
        self._icon = Icon("info", "muted", 14)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        self.said = QLabel()
        self.said.setProperty("kind", "secondary")
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setMinimumHeight(17)
        row.addWidget(self.said, 1)
        self.next = LinkButton("Next error", clicked=self.go_to_next)
        row.addWidget(self.next, 0, Qt.AlignmentFlag.AlignTop)
        strip.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout.addWidget(strip)
        self.edit.cursorPositionChanged.connect(self._say)
        self._say()

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Mark these and say them."""
        self.edit.set_problems(problems)
        self._say()

    def set_note(self, text: str, tone: str = "info") -> None:
        """What stands below while nothing is wrong: tone "info" or "success"."""
        self._note, self._tone = text, tone
        self._say()

    def go_to_next(self) -> None:
        """Put the cursor on the next problem, after the last one on the first."""
        problems = self.edit.problems()
        if not problems:
            return
        cursor = self.edit.textCursor()
        here = (cursor.blockNumber() + 1, cursor.positionInBlock() + 1)
        following = next((p for p in problems if (p.line, p.column) > here), problems[0])
        self.edit.go_to(following.line, following.column)

    def _say(self) -> None:
        problems = self.edit.problems()
        here = self.edit.problem_at_cursor()
        self.next.setVisible(len(problems) > 1 or (bool(problems) and here is None))
        self._icon.setVisible(bool(problems or self._note))
        if not problems:
            self._icon.set_icon(
                "circle-check" if self._tone == "success" else "info",
                "completed" if self._tone == "success" else "muted",
            )
            text = self._note
        else:
            self._icon.set_icon("circle-alert", "failed")
            shown = here if here is not None else problems[0]
            text = f"Line {shown.line}, column {shown.column}: {shown.message}"
            if len(problems) > 1:
                text += f" ({len(problems)} errors in all)"
        self.said.setText(text)
        self.edit.setAccessibleDescription(text)
