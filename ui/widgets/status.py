"""A status is a word in a coloured pill with a dot: as a widget, and painted in tables."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme import current_theme, font

PILL_HEIGHT = 20.0
_TONES = {
    "running": "running",
    "started": "running",
    "info": "running",
    "sleeping": "sleeping",
    "completed": "completed",
    "synced": "completed",
    "ok": "completed",
    "paused": "paused",
    "interrupted": "paused",
    "warn": "paused",
    "warning": "paused",
    "failed": "failed",
    "error": "failed",
    "bad": "failed",
}


def tone_of(status: str) -> str:
    """The token of a status; what has no colour of its own (`untested`, `resumed`, `edited`, …) is neutral."""
    return _TONES.get(status, "neutral")


def pill_width(word: str) -> float:
    """How wide the pill of a word is, in logical pixels."""
    return QFontMetricsF(font(11.5, 600)).horizontalAdvance(word) + 31


def paint_pill(painter: QPainter, at: QPointF, status: str, word: str, limit: float | None = None) -> QRectF:
    """Paint the pill with its left top corner at `at`, no wider than `limit`; returns what it covers."""
    theme, tone = current_theme(), tone_of(status)
    width = pill_width(word) if limit is None else min(pill_width(word), limit)
    rect = QRectF(at.x(), at.y(), width, PILL_HEIGHT)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(f"{tone}_weak"))
    painter.drawRoundedRect(rect, PILL_HEIGHT / 2, PILL_HEIGHT / 2)
    painter.setBrush(theme.color(tone))
    painter.drawEllipse(QPointF(rect.x() + 12, rect.center().y()), 3, 3)
    painter.setPen(theme.color(tone))
    small = font(11.5, 600)
    painter.setFont(small)
    room = rect.adjusted(21, 0, -8, 0)
    text = QFontMetricsF(small).elidedText(word, Qt.TextElideMode.ElideRight, room.width() + 1)
    painter.drawText(room.adjusted(0, 0, 8, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    painter.restore()
    return rect


class StatusPill(QWidget):
    """The pill as a widget: `StatusPill("running", "Running")`; `set_status("failed", "Failing since 21 Nov")`."""

    def __init__(self, status: str = "", word: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.status, self.word = "", ""
        self.set_status(status, word)

    def set_status(self, status: str, word: str) -> None:
        """Show another status; an empty word hides the pill."""
        self.status, self.word = status, word
        self.setAccessibleName(word)
        # Showing a widget without a parent would open it as a window of its own.
        if not word or self.parentWidget() is not None:
            self.setVisible(bool(word))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(pill_width(self.word) + 0.5), round(PILL_HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_pill(QPainter(self), QPointF(0, 0), self.status, self.word, self.width())
