"""The picture of a person's identifiers: the person in the middle, what they are known by around them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.profiles import Identifier
from ui.pages.values import as_of
from ui.theme import current_theme, font
from ui.widgets import initials, words

MOST_NODES = 12
_CENTRE, _NODE = 26.0, 9.0
_LINE = 14.0
_LABEL_HEIGHT = 2 * _LINE
_VALUES_SAID = 8


@dataclass(frozen=True, slots=True)
class Node:
    """One circle: a field with its rank and all values of it; or what had no room, with rank None."""

    label: str
    rank: int | None
    streams: tuple[str, ...]
    identifiers: tuple[Identifier, ...]

    def words(self) -> str:
        """All that is to be said of it, a line for each value."""
        head = self.label if self.rank is None else f"{self.label}, identifier {self.rank}"
        lines = [f"{_named(one, self.rank is None)}{since(one)}" for one in self.identifiers[:_VALUES_SAID]]
        more = len(self.identifiers) - _VALUES_SAID
        return "\n".join((head, *lines, *([f"and {more} more"] if more > 0 else [])))


def _named(identifier: Identifier, with_field: bool) -> str:
    return f"{identifier.field}: {identifier.value}" if with_field else identifier.value


def since(identifier: Identifier) -> str:
    """ ", since 14 Nov 09:40 from Web shop"; as far as it is known."""
    said = f", since {as_of(identifier.at)}" if identifier.at is not None else ""
    origin = " · ".join(part for part in (identifier.job, identifier.stream) if part)
    return f"{said} from {origin}" if origin else said


def group(identifiers: Sequence[Identifier]) -> list[Node]:
    """One node for each field, the strongest first; of too many the rest in one."""
    fields: dict[str, list[Identifier]] = {}
    for one in identifiers:
        fields.setdefault(one.field, []).append(one)
    nodes = []
    for name, members in fields.items():
        label = name if len(members) == 1 else f"{name} × {len(members)}"
        streams = tuple(dict.fromkeys(one.stream for one in members if one.stream))
        nodes.append(Node(label, members[0].rank, streams, tuple(members)))
    if len(nodes) <= MOST_NODES:
        return nodes
    rest = nodes[MOST_NODES - 1 :]
    others = tuple(one for node in rest for one in node.identifiers)
    return [*nodes[: MOST_NODES - 1], Node(f"+ {words.count_of(len(rest), 'field')}", None, (), others)]


class IdentityPicture(QWidget):
    """`set_person("Maja Lindholm", person.known_by)`. The arrow keys go around, Ctrl+C copies.

    `shown(node)` tells which one is pointed at or focused, None for none.
    """

    shown = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self.nodes: list[Node] = []
        self._at = -1
        self._hovered = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(200)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Identity")

    def set_person(self, title: str, identifiers: Sequence[Identifier]) -> None:
        """Show this person."""
        nodes = group(identifiers)
        if (title, nodes) == (self._title, self.nodes):
            return
        self._title, self.nodes = title, nodes
        self._at = self._hovered = -1
        known = ", ".join(f"{one.field} {one.value}" for one in identifiers)
        self.setAccessibleDescription(f"{title} is known by {known}" if known else f"{title} has no identifier")
        self._tell()
        self.updateGeometry()
        self.update()

    @property
    def current(self) -> Node | None:
        """What is pointed at, else what the keyboard is at."""
        at = self._hovered if self._hovered >= 0 else self._at if self.hasFocus() else -1
        return self.nodes[at] if 0 <= at < len(self.nodes) else None

    def sizeHint(self) -> QSize:
        count = len(self.nodes)
        return QSize(298, 150 if count <= 2 else 200 if count <= 5 else 250 if count <= 8 else 320)

    def places(self) -> list[QPointF]:
        """The middles of the nodes: on an ellipse, in even steps, four of them in the corners."""
        count = len(self.nodes)
        middle = self._middle()
        across = min(130.0, self.width() / 2 - 42)
        down = self.height() / 2 - _NODE - _LABEL_HEIGHT / 2 - 6
        # Four in the corners reach out further than an ellipse would let them.
        reach = 1.2 if 3 <= count <= 4 else 1.0
        start = 0.0 if count <= 1 else -90.0 if count == 3 or count > 4 else -90 - 180 / count
        found = []
        for at in range(count):
            angle = math.radians(start + 360 * at / count)
            x = max(-across, min(across, reach * across * math.cos(angle)))
            y = max(-down, min(down, reach * down * math.sin(angle)))
            found.append(QPointF(middle.x() + x, middle.y() + y))
        return found

    def _middle(self) -> QPointF:
        return QPointF(self.width() / 2, self.height() / 2 - _LABEL_HEIGHT / 2)

    # painting

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter, middle = current_theme(), QPainter(self), self._middle()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places = self.places()
        current = self.current
        for node, place in zip(self.nodes, places, strict=True):
            strong = node is current
            painter.setPen(QPen(theme.color("accent" if strong else "accent_line"), 2 if strong else 1.5))
            painter.drawLine(middle, place)
        for node, place in zip(self.nodes, places, strict=True):
            self._paint_node(painter, node, place, node is current)
            self._paint_label(painter, node, place, self._label_room(place, places))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawEllipse(middle, _CENTRE, _CENTRE)
        painter.setFont(font(11, 700))
        painter.setPen(theme.color("on_accent"))
        around = QRectF(middle.x() - _CENTRE, middle.y() - _CENTRE, 2 * _CENTRE, 2 * _CENTRE)
        painter.drawText(around, int(Qt.AlignmentFlag.AlignCenter), initials(self._title))

    def _paint_node(self, painter: QPainter, node: Node, place: QPointF, strong: bool) -> None:
        theme = current_theme()
        if strong and self.hasFocus():
            painter.setPen(QPen(theme.color("accent_line"), 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(place, _NODE + 3.5, _NODE + 3.5)
        painter.setPen(QPen(theme.color("accent"), 1.75))
        painter.setBrush(theme.color("accent" if strong else "surface"))
        painter.drawEllipse(place, _NODE, _NODE)
        if node.rank is not None:
            painter.setFont(font(10, 600, tabular=True))
            painter.setPen(theme.color("on_accent" if strong else "accent"))
            inside = QRectF(place.x() - _NODE, place.y() - _NODE, 2 * _NODE, 2 * _NODE)
            painter.drawText(inside, int(Qt.AlignmentFlag.AlignCenter), str(node.rank))

    def _paint_label(self, painter: QPainter, node: Node, place: QPointF, room: float) -> None:
        theme = current_theme()
        below = ", ".join(node.streams)
        for line, (text, face, color) in enumerate(((node.label, font(11.5), "text"), (below, font(10.5), "muted"))):
            if not text:
                continue
            metrics = QFontMetricsF(face)
            said = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            width = metrics.horizontalAdvance(said) + 2
            left = max(0.0, min(self.width() - width, place.x() - width / 2))
            box = QRectF(left, place.y() + _NODE + 3 + line * _LINE, width, _LINE)
            painter.fillRect(box, theme.color("surface"))
            painter.setFont(face)
            painter.setPen(theme.color(color))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), said)

    def _label_room(self, place: QPointF, places: Sequence[QPointF]) -> float:
        """How wide a label may be before it meets the one of a neighbour at the same height."""
        near = [
            abs(other.x() - place.x())
            for other in places
            if other is not place and abs(other.y() - place.y()) < _LABEL_HEIGHT + 2
        ]
        # Nor may it lie over a node that stands just below.
        near += [
            2 * (abs(other.x() - place.x()) - _NODE)
            for other in places
            if 0 < other.y() - place.y() < 2 * _NODE + _LABEL_HEIGHT
        ]
        # Nor over the person.
        middle = self._middle()
        top = place.y() + _NODE + 3
        if top < middle.y() + _CENTRE and top + _LABEL_HEIGHT > middle.y() - _CENTRE and place.x() != middle.x():
            near.append(2 * (abs(place.x() - middle.x()) - _CENTRE) + 4)
        edge = 2 * min(place.x(), self.width() - place.x())
        return max(34.0, min([118.0, max(edge, 84.0), *(distance - 8 for distance in near)]))

    # pointing and keys

    def _node_at(self, point: QPoint) -> int:
        places = self.places()
        near = [at for at, place in enumerate(places) if (point - place.toPoint()).manhattanLength() < 3 * _NODE]
        return near[0] if near else -1

    def _tell(self) -> None:
        node = self.current
        self.setAccessibleName(f"Identity: {node.words()}" if node is not None else "Identity")
        self.shown.emit(node)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._node_at(event.position().toPoint())
        if at != self._hovered:
            self._hovered = at
            self._tell()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self._node_at(event.position().toPoint())
        if at >= 0:
            self._at = at
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._tell()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self._tell()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._at = max(0, self._at) if self.nodes else -1
        self._tell()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._tell()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        forth = event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Down)
        if self.nodes and (forth or event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Up)):
            self._at = (self._at + (1 if forth else -1)) % len(self.nodes)
            self._tell()
        elif event.matches(QKeySequence.StandardKey.Copy) and 0 <= self._at < len(self.nodes):
            values = [one.value for one in self.nodes[self._at].identifiers]
            QGuiApplication.clipboard().setText("\n".join(values))
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self._node_at(event.pos())
            if at >= 0:
                QToolTip.showText(event.globalPos(), self.nodes[at].words(), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)
