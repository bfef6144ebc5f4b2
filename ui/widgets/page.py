"""The frame of a page and what stands in it: cards, tabs, facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ui.theme import current_theme
from ui.widgets.elided import ElidedLabel
from ui.widgets.fields import SearchField
from ui.widgets.inline_edit import InlineEdit
from ui.widgets.status import StatusPill

MARGIN = 26
CARD_RADIUS = 10


class RoundedCorners(QWidget):
    """Lies over a frame whose content is rectangular and paints the round corners and the line around it."""

    def __init__(self, owner: QWidget, outside: str = "window") -> None:
        super().__init__(owner)
        self._owner, self._outside = owner, outside
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        owner.installEventFilter(self)
        self.setGeometry(owner.rect())
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._owner.rect())
        elif event.type() in (QEvent.Type.ChildAdded, QEvent.Type.Show, QEvent.Type.LayoutRequest):
            self.raise_()
        elif event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        inside = rect.adjusted(0.5, 0.5, -0.5, -0.5)
        corners, shape = QPainterPath(), QPainterPath()
        corners.addRect(rect)
        shape.addRoundedRect(inside, CARD_RADIUS, CARD_RADIUS)
        painter.fillPath(corners.subtracted(shape), theme.color(self._outside))
        focused = self._owner.hasFocus()
        painter.setPen(QPen(theme.color("accent" if focused else "line"), 1))
        painter.drawPath(shape)


class Card(QFrame):
    """A white surface with a line around it.

    `Card("Identity")` has a heading and 16 px inside; `Card(flush=True)` lets tables and tabs reach its edges.
    Add with `card.add(widget, stretch)`; `card.header` takes what stands at the right of the heading.
    """

    def __init__(self, title: str = "", *, flush: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.body = QVBoxLayout(self)
        edge = 1 if flush else 16
        self.body.setContentsMargins(edge, edge, edge, edge)
        self.body.setSpacing(0 if flush else 10)
        self.header = QHBoxLayout()
        self.header.setSpacing(10)
        self.title = QLabel(title)
        self.title.setProperty("kind", "heading")
        if title:
            if flush:
                self.header.setContentsMargins(14, 12, 14, 12)
            self.header.addWidget(self.title)
            self.header.addStretch(1)
            self.body.addLayout(self.header)
            self.setAccessibleName(title)
        else:
            self.title.setParent(self)
            self.title.hide()
        if flush:
            RoundedCorners(self)

    def add(self, item: QWidget | QLayout, stretch: int = 0) -> None:
        """Append a widget or a layout."""
        if isinstance(item, QWidget):
            self.body.addWidget(item, stretch)
        else:
            self.body.addLayout(item, stretch)


class Line(QFrame):
    """A thin horizontal line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "line")


class Page(QWidget):
    """One page of the window: title left, actions right, content below, 26 px around.

    Subclass it; put content in with `add(widget, stretch)`. The window calls `open(**args)` at every visit,
    `refresh()` on F5 and `leave()` before it goes elsewhere; override what is needed. Set `search` to a SearchField
    and Ctrl+F finds it.
    """

    title_changed = Signal(str)

    def __init__(
        self, title: str, *, crumb: tuple[str, Callable[[], object]] | None = None, parent: QWidget | None = None
    ) -> None:
        """`crumb` is (name of the page above, what leads there) for pages below another one."""
        super().__init__(parent)
        self.setProperty("kind", "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        self.search: SearchField | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(MARGIN, 22, MARGIN, 22)
        self._layout.setSpacing(12)
        self.top = QHBoxLayout()
        self.top.setSpacing(12)
        self._lead = QHBoxLayout()
        self._lead.setSpacing(10)
        self.crumb_button: QPushButton | None = None
        if crumb is not None:
            self.crumb_button = QPushButton(f"{crumb[0]} ›")
            self.crumb_button.setProperty("kind", "crumb")
            self.crumb_button.setAccessibleName(f"Back to {crumb[0]}")
            self.crumb_button.setAutoDefault(False)
            leads_to = crumb[1]
            self.crumb_button.clicked.connect(lambda: leads_to())  # noqa: PLW0108
            self._lead.addWidget(self.crumb_button)
        self.title_label = ElidedLabel(title)
        self.title_label.setProperty("kind", "title")
        self._lead.addWidget(self.title_label)
        self.note_label = QLabel()
        self.note_label.setProperty("kind", "muted")
        self.note_label.hide()
        self._lead.addWidget(self.note_label)
        self.pill = StatusPill(parent=self)
        self._lead.addWidget(self.pill)
        self._lead.addStretch(1)
        self.top.addLayout(self._lead, 1)
        frame = QWidget()
        frame.setLayout(self.top)
        frame.setFixedHeight(35)
        self.top.setContentsMargins(0, 0, 0, 2)
        self._layout.addWidget(frame)

    @property
    def title(self) -> str:
        """The title as shown."""
        return self.title_label.text()

    def set_title(self, title: str, note: str = "") -> None:
        """Change the title; `note` stands beside it in grey."""
        self.title_label.setText(title)
        self.setAccessibleName(title)
        self.note_label.setText(note)
        self.note_label.setVisible(bool(note))
        self.title_changed.emit(title)

    def make_title_editable(self, name: str, edited: Callable[[str], object]) -> InlineEdit:
        """Let the user edit the title where it stands; `edited(text)` is called with each new one."""
        editor = InlineEdit(self.title, name=name, kind="title", required=True)
        self._lead.insertWidget(self._lead.indexOf(self.title_label), editor)
        self.title_label.hide()
        self.title_changed.connect(editor.set_text)
        editor.edited.connect(self.set_title)
        editor.edited.connect(edited)
        return editor

    def set_status(self, status: str, word: str) -> None:
        """Show a status pill beside the title; an empty word takes it away."""
        self.pill.set_status(status, word)

    def add_lead(self, widget: QWidget) -> None:
        """Put a widget (a provider mark) between the breadcrumb and the title."""
        self._lead.insertWidget(1 if self.crumb_button is not None else 0, widget)

    def add_action(self, *widgets: QWidget) -> None:
        """Append buttons or the search field at the right of the title; the primary button comes last."""
        for widget in widgets:
            self.top.addWidget(widget)
            if isinstance(widget, SearchField) and self.search is None:
                self.search = widget

    def add(self, item: QWidget | QLayout, stretch: int = 0) -> None:
        """Append content."""
        if isinstance(item, QWidget):
            self._layout.addWidget(item, stretch)
        else:
            self._layout.addLayout(item, stretch)

    def add_spring(self) -> None:
        """Append room that takes what the content leaves over."""
        self._layout.addStretch(0)

    def open(self, **args: Any) -> None:
        """The user came here; `args` are those of `navigate`."""

    def refresh(self) -> None:
        """The user asked for the newest (F5)."""

    def leave(self) -> bool:
        """The user goes elsewhere; False keeps them here (after asking, where work would be lost)."""
        return True

    def focus_search(self) -> None:
        """Put the cursor in the page's search field, if it has one."""
        if self.search is not None:
            self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.search.selectAll()


class TabBar(QWidget):
    """Words in a row, the chosen one underlined; left and right arrow move."""

    changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, QPushButton] = {}
        self._labels: dict[str, str] = {}
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 0, 16, 0)
        self._row.setSpacing(20)
        self._row.addStretch(1)
        self.setFixedHeight(40)

    def add(self, key: str, label: str, count: int | None = None) -> None:
        """Append a tab; the first one added is chosen."""
        button = QPushButton(self)
        button.setProperty("kind", "tab")
        button.setCheckable(True)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self.changed.emit(key))
        button.installEventFilter(self)
        self._group.addButton(button)
        self._buttons[key], self._labels[key] = button, label
        self._row.insertWidget(self._row.count() - 1, button, 0, Qt.AlignmentFlag.AlignBottom)
        self.set_count(key, count)
        if len(self._buttons) == 1:
            button.setChecked(True)

    def set_count(self, key: str, count: int | None) -> None:
        """Show a count beside the word of a tab; None takes it away."""
        self._buttons[key].setText(self._labels[key] if count is None else f"{self._labels[key]} {count:,}")

    def choose(self, key: str) -> None:
        """Choose a tab and tell `changed`."""
        self._buttons[key].setChecked(True)
        self.changed.emit(key)

    def chosen(self) -> str:
        """The key of the chosen tab."""
        return next((key for key, button in self._buttons.items() if button.isChecked()), "")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
            if step:
                keys = list(self._buttons)
                key = keys[(keys.index(self.chosen()) + step) % len(keys)]
                self.choose(key)
                self._buttons[key].setFocus(Qt.FocusReason.TabFocusReason)
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(0, self.height() - 1, self.width(), 1, current_theme().color("line"))


class Tabs(QWidget):
    """A TabBar over the content of its tabs. A content given as a function is made when first shown."""

    changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = TabBar(self)
        self.stack = QStackedWidget(self)
        self._pages: dict[str, QWidget | Callable[[], QWidget]] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.stack, 1)
        self.bar.changed.connect(self._show)

    def add(self, key: str, label: str, content: QWidget | Callable[[], QWidget], count: int | None = None) -> None:
        """Append a tab."""
        self._pages[key] = content
        self.bar.add(key, label, count)
        if len(self._pages) == 1:
            self._ensure(key)

    def set_count(self, key: str, count: int | None) -> None:
        """Show a count beside the word of a tab."""
        self.bar.set_count(key, count)

    def choose(self, key: str) -> None:
        """Show a tab."""
        self.bar.choose(key)

    def chosen(self) -> str:
        """The key of the tab shown."""
        return self.bar.chosen()

    def _ensure(self, key: str) -> QWidget:
        page = self._pages[key]
        if not isinstance(page, QWidget):
            page = page()
            self._pages[key] = page
        if self.stack.indexOf(page) < 0:
            self.stack.addWidget(page)
        self.stack.setCurrentWidget(page)
        return page

    def _show(self, key: str) -> None:
        self._ensure(key)
        self.changed.emit(key)


class FactsStrip(Card):
    """Facts side by side, a grey label over each value: `FactsStrip().set_facts([("Provider", "File Service"), …])`."""

    def __init__(self, facts: Sequence[tuple[str, str]] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.body.setContentsMargins(16, 12, 16, 12)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(4)
        self.body.addLayout(self._grid)
        self._values: list[tuple[QLabel, ElidedLabel]] = []
        self.set_facts(facts)

    def set_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Show these (label, value) pairs."""
        wanted = list(facts)
        if len(wanted) != len(self._values):
            for label, value in self._values:
                for widget in (label, value):
                    self._grid.removeWidget(widget)
                    widget.deleteLater()
            self._values = []
            for at in range(len(wanted)):
                label, value = QLabel(), ElidedLabel()
                label.setProperty("kind", "secondary")
                value.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
                self._grid.addWidget(label, 0, at)
                self._grid.addWidget(value, 1, at)
                self._values.append((label, value))
        for at, ((label, value), (name, text)) in enumerate(zip(self._values, wanted, strict=True)):
            room = max(label.fontMetrics().horizontalAdvance(shown) for shown in (name, text))
            self._grid.setColumnStretch(at, room)
            label.setText(name)
            value.setText(text or "—")
            value.setAccessibleName(f"{name}: {text}")
