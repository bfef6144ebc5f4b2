"""The left rail: workspace, pages, and what the engine is doing."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QMenu, QVBoxLayout, QWidget

from ui.shell.pages import EngineState, PageSpec, Recent
from ui.theme import current_theme, font, paint_icon
from ui.widgets import initials

RAIL_WIDTH = 212
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class _RailButton(QAbstractButton):
    """A painted button of the rail with a ring when it has the keyboard."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def ring(self, painter: QPainter, radius: float) -> None:
        if self.hasFocus():
            painter.setPen(QPen(current_theme().color("rail_focus"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)


class NavItem(_RailButton):
    """A page's icon, name and count."""

    def __init__(self, spec: PageSpec, number: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.spec = spec
        self.count = ""
        self.setCheckable(True)
        self.setText(spec.title)
        self.setAccessibleName(spec.title)
        shortcut = QKeySequence(f"Ctrl+{number}").toString(QKeySequence.SequenceFormat.NativeText)
        self.setToolTip(f"{spec.title} ({shortcut})")
        self.setFixedHeight(33)

    def set_count(self, count: int | str) -> None:
        """Show a number or a few words; 0 and an empty text show nothing."""
        self.count = f"{count:,}" if isinstance(count, int) and count else str(count or "")
        self.setAccessibleName(f"{self.spec.title} {self.count}".strip())
        self.update()

    def nextCheckState(self) -> None:
        """The window decides which item is on."""

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = current_theme(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        back = "rail_active" if self.isChecked() else "rail_hover" if self.underMouse() else ""
        if back:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(back))
            painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        color = "rail_strong" if self.isChecked() else "rail_text"
        paint_icon(painter, QRectF(10, (self.height() - 16) / 2, 16, 16), self.spec.icon, color)
        small = font(11, tabular=True)
        width = QFontMetrics(small).horizontalAdvance(self.count)
        painter.setFont(font(13, 500))
        painter.setPen(theme.color(color))
        painter.drawText(QRectF(36, 0, self.width() - 56 - width, self.height()), int(_LEFT), self.spec.title)
        painter.setFont(small)
        painter.setPen(theme.color("rail_text" if self.isChecked() else "rail_muted"))
        painter.drawText(QRectF(0, 0, self.width() - 10, self.height()), int(_RIGHT), self.count)
        self.ring(painter, 7)


class WorkspaceCard(_RailButton):
    """The open workspace; a click shows the others."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.name, self.place = "", ""
        self.setFixedHeight(56)

    def set_workspace(self, name: str, place: str) -> None:
        """Show the name and where it lies."""
        self.name, self.place = name, place
        self.setAccessibleName(f"Workspace {name}, {place}. Opens the list of workspaces.")
        self.setToolTip(name)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = current_theme(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("rail_active" if self.underMouse() else "rail_card"))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        frame = QRectF(10, 15, 26, 26)
        painter.setBrush(theme.color("monogram"))
        painter.drawRoundedRect(frame, 6, 6)
        painter.setFont(font(11, 700))
        painter.setPen(theme.color("monogram_text"))
        painter.drawText(frame, int(Qt.AlignmentFlag.AlignCenter), initials(self.name))
        room = self.width() - 45 - 26
        for text, face, color, top in (
            (self.name, font(13, 600), "rail_strong", 9),
            (self.place, font(11), "rail_muted", 29),
        ):
            painter.setFont(face)
            painter.setPen(theme.color(color))
            shown = QFontMetrics(face).elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRectF(45, top, room + 2, 19), int(_LEFT), shown)
        paint_icon(painter, QRectF(self.width() - 22, 21, 14, 14), "chevrons-up-down", "rail_muted")
        self.ring(painter, 8)


class EngineFoot(QWidget):
    """A dot and two lines: what the engine is doing, and when it next runs something."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.state = EngineState("idle", "")
        self.setFixedHeight(50)

    def set_state(self, state: EngineState) -> None:
        """Show another state."""
        self.state = state
        self.setAccessibleName(f"{state.line}. {state.next_line}".strip(". "))
        self.setToolTip(state.line)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = current_theme(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(0, 0, self.width(), 1, theme.color("rail_line"))
        if not self.state.line:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(f"engine_{self.state.tone}"))
        painter.drawEllipse(QPointF(13.5, 17), 3.5, 3.5)
        small = font(11, tabular=True)
        painter.setFont(small)
        painter.setPen(theme.color("rail_muted"))
        room = self.width() - 24
        for at, text in enumerate((self.state.line, self.state.next_line)):
            shown = QFontMetrics(small).elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRectF(24, 9 + at * 16, room, 16), int(_LEFT), shown)


class Rail(QFrame):
    """The whole rail. `chosen(key)`; `workspace_chosen(folder)`, `open_asked`, `new_asked` from the switcher's menu."""

    chosen = Signal(str)
    workspace_chosen = Signal(str)
    open_asked = Signal()
    new_asked = Signal()

    def __init__(self, specs: Sequence[PageSpec], parent: QWidget | None = None) -> None:
        """`specs`: the pages with a place in the rail, in their order; a new group starts after some room."""
        super().__init__(parent)
        self.setProperty("kind", "rail")
        self.setFixedWidth(RAIL_WIDTH)
        self.setAccessibleName("Pages")
        self._recent: Sequence[Recent] = ()
        self.items: dict[str, NavItem] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 14, 12, 14)
        column.setSpacing(2)
        self.card = WorkspaceCard(self)
        self.card.clicked.connect(self._show_menu)
        column.addWidget(self.card)
        column.addSpacing(14)
        group = specs[0].group if specs else 0
        for number, spec in enumerate(specs, 1):
            if spec.group != group:
                column.addSpacing(11)
                group = spec.group
            item = NavItem(spec, number, self)
            item.clicked.connect(lambda _=False, key=spec.key: self.chosen.emit(key))
            self.items[spec.key] = item
            column.addWidget(item)
        column.addStretch(1)
        self.foot = EngineFoot(self)
        column.addWidget(self.foot)

    def sizeHint(self) -> QSize:
        return QSize(RAIL_WIDTH, 600)

    def mark(self, key: str) -> None:
        """Show which page is open."""
        for name, item in self.items.items():
            item.setChecked(name == key)

    def set_counts(self, counts: Mapping[str, int | str]) -> None:
        """Show the counts by page key; items without one show nothing."""
        for key, item in self.items.items():
            item.set_count(counts.get(key, 0))

    def set_recent(self, recent: Sequence[Recent]) -> None:
        """The workspaces on offer in the switcher."""
        self._recent = recent

    def workspace_menu(self) -> QMenu:
        """The switcher's menu, made anew each time."""
        menu = QMenu(self)
        for one in self._recent:
            entry = menu.addAction(one.name, functools.partial(self.workspace_chosen.emit, one.folder))
            entry.setToolTip(one.folder)
        if self._recent:
            menu.addSeparator()
        menu.addAction("Open…", self.open_asked.emit)
        menu.addAction("New workspace…", self.new_asked.emit)
        menu.setToolTipsVisible(True)
        return menu

    def keyPressEvent(self, event: QKeyEvent) -> None:
        items = [self.card, *self.items.values()]
        focus = self.focusWidget()
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()), 0)
        if step and focus in items:
            items[(items.index(focus) + step) % len(items)].setFocus(Qt.FocusReason.TabFocusReason)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focus, QAbstractButton):
            focus.click()
        else:
            super().keyPressEvent(event)

    def _show_menu(self) -> None:
        menu = self.workspace_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setMinimumWidth(self.card.width())
        menu.popup(self.card.mapToGlobal(self.card.rect().bottomLeft()))
