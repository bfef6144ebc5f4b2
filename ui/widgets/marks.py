"""A provider's mark in a rounded frame: its own where one is bundled, else two letters of its name."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.theme import current_theme, font, provider_mark_path
from ui.theme.icons import paint_svg


def monogram(name: str) -> str:
    """Two letters that stand for a provider: "Fi" for File Service."""
    letters = [sign for sign in name if sign.isalnum()]
    return "".join(letters[:2]).capitalize()


def initials(name: str) -> str:
    """Two capitals that stand for a workspace or a person: "NB" for Northbeam, "NC" for Northbeam Coffee."""
    words = [word for word in name.split() if word[0].isalnum()]
    if len(words) > 1:
        return (words[0][0] + words[1][0]).upper()
    return name.strip()[:2].upper()


def paint_mark(painter: QPainter, rect: QRectF, name: str, mark: str = "") -> None:
    """Paint the framed mark of a provider into a square."""
    theme = current_theme()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color("line"), 1))
    painter.setBrush(theme.color("mark"))
    radius = 6 if rect.width() <= 26 else 8
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    path = provider_mark_path(mark)
    if path is not None:
        inset = rect.width() * 0.2
        paint_svg(painter, rect.adjusted(inset, inset, -inset, -inset), path, "text")
    else:
        painter.setFont(font(11 if rect.width() <= 26 else 14, 600))
        painter.setPen(theme.color("text"))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), monogram(name))
    painter.restore()


class ProviderMark(QWidget):
    """The mark as a widget: `ProviderMark("File Service", "file-service", size=34)`."""

    def __init__(self, name: str = "", mark: str = "", size: int = 24, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(size, size)
        self.set_provider(name, mark)

    def set_provider(self, name: str, mark: str = "") -> None:
        """Show another provider."""
        self._name, self._mark = name, mark
        self.setAccessibleName(name)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._name:
            paint_mark(QPainter(self), QRectF(self.rect()), self._name, self._mark)
