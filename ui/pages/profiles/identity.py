"""The picture of a person's identifiers: the person in the middle, what they are known by around them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui.theme import current_theme, font
from ui.widgets import initials

MOST_NODES = 12
_CENTRE, _NODE = 26.0, 8.0
_LABEL_HEIGHT = 15.0


class IdentityPicture(QWidget):
    """`set_person("Maja Lindholm", (("email", "maja@example.com"), …))`; more than 12 are drawn as 11 and "+ 5"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self._identifiers: tuple[tuple[str, str], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(200)
        self.setAccessibleName("Identity")

    def set_person(self, title: str, identifiers: Sequence[tuple[str, str]]) -> None:
        """Show this person; `identifiers` are (field, value) pairs."""
        self._title, self._identifiers = title, tuple(identifiers)
        known = ", ".join(f"{name} {value}" for name, value in identifiers)
        self.setAccessibleDescription(f"{title} is known by {known}" if known else f"{title} has no identifier")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        count = len(self.nodes())
        return QSize(298, 140 if count <= 2 else 186 if count <= 5 else 230 if count <= 8 else 290)

    def nodes(self) -> list[tuple[str, str]]:
        """What is drawn around the person: (label, value)."""
        if len(self._identifiers) <= MOST_NODES:
            return list(self._identifiers)
        rest = self._identifiers[MOST_NODES - 1 :]
        more = "\n".join(f"{name}: {value}" for name, value in rest)
        return [*self._identifiers[: MOST_NODES - 1], (f"+ {len(rest)} more", more)]

    def places(self) -> list[QPointF]:
        """The middles of the nodes: on an ellipse, in even steps, four of them in the corners."""
        count = len(self.nodes())
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

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter, middle = current_theme(), QPainter(self), self._middle()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places = self.places()
        painter.setPen(QPen(theme.color("accent_line"), 1.5))
        for place in places:
            painter.drawLine(middle, place)
        face = font(11)
        metrics = QFontMetricsF(face)
        for (label, _), place in zip(self.nodes(), places, strict=True):
            painter.setPen(QPen(theme.color("accent"), 1.75))
            painter.setBrush(theme.color("surface"))
            painter.drawEllipse(place, _NODE, _NODE)
            room = self._label_room(place, places)
            shown = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room)
            width = metrics.horizontalAdvance(shown) + 2
            left = max(0.0, min(self.width() - width, place.x() - width / 2))
            box = QRectF(left, place.y() + _NODE + 3, width, _LABEL_HEIGHT)
            painter.fillRect(box, theme.color("surface"))
            painter.setFont(face)
            painter.setPen(theme.color("muted"))
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), shown)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawEllipse(middle, _CENTRE, _CENTRE)
        painter.setFont(font(11, 700))
        painter.setPen(theme.color("on_accent"))
        around = QRectF(middle.x() - _CENTRE, middle.y() - _CENTRE, 2 * _CENTRE, 2 * _CENTRE)
        painter.drawText(around, int(Qt.AlignmentFlag.AlignCenter), initials(self._title))

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
        edge = 2 * min(place.x(), self.width() - place.x())
        return max(34.0, min([118.0, max(edge, 84.0), *(distance - 8 for distance in near)]))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for (label, value), place in zip(self.nodes(), self.places(), strict=True):
                if (event.pos() - place.toPoint()).manhattanLength() < 3 * _NODE:
                    QToolTip.showText(event.globalPos(), f"{label}: {value}", self)
                    return True
            QToolTip.hideText()
            return True
        return super().event(event)
