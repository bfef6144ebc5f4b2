"""Icons from bundled SVG files, drawn in a token's colour at whatever resolution the screen has."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton

from ui.theme.files import resource

_SIZES = (16, 20, 24, 32, 48, 64)


@lru_cache(maxsize=256)
def _source(name: str) -> bytes:
    path = resource("icons", "ui", f"{name}.svg")
    return path.read_bytes()


@lru_cache(maxsize=1024)
def _pixmap(source: bytes, color: str, pixels: int) -> QPixmap:
    """The SVG drawn `pixels` wide and high; `currentColor` (and marks without a fill) become `color`."""
    drawn = source.replace(b"currentColor", color.encode())
    if b"fill=" not in drawn.split(b">", 1)[0]:
        drawn = drawn.replace(b"<svg ", b'<svg fill="' + color.encode() + b'" ', 1)
    renderer = QSvgRenderer(QByteArray(drawn))
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    return pixmap


def _color(role: str | QColor) -> QColor:
    from ui.theme.theme import current_theme

    return role if isinstance(role, QColor) else current_theme().color(role)


def icon_pixmap(name: str, role: str | QColor = "text", size: float = 16, ratio: float = 1.0) -> QPixmap:
    """The icon as a pixmap of `size` logical pixels for a screen of that device pixel ratio."""
    pixmap = QPixmap(_pixmap(_source(name), _color(role).name(), max(1, round(size * ratio))))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def paint_icon(painter: QPainter, rect: QRectF, name: str, role: str | QColor = "text") -> None:
    """Draw the icon into `rect`, sharp at the painter's own resolution."""
    ratio = painter.device().devicePixelRatioF()
    painter.drawPixmap(rect.topLeft(), icon_pixmap(name, role, rect.width(), ratio))


def paint_svg(painter: QPainter, rect: QRectF, path: Path, role: str | QColor = "text") -> None:
    """Draw a one-colour SVG file, such as a provider's mark, into `rect`."""
    ratio = painter.device().devicePixelRatioF()
    pixmap = QPixmap(_pixmap(_file(path), _color(role).name(), max(1, round(rect.width() * ratio))))
    pixmap.setDevicePixelRatio(ratio)
    painter.drawPixmap(rect.topLeft(), pixmap)


@lru_cache(maxsize=256)
def _file(path: Path) -> bytes:
    return path.read_bytes()


def icon(name: str, role: str = "text") -> QIcon:
    """A QIcon of a bundled Lucide icon in the colour of a token; greyed when disabled.

    It keeps the colours of the moment: use `set_icon` for what outlives a change of theme.
    """
    made = QIcon()
    normal, disabled = _color(role).name(), _color("disabled").name()
    for size in _SIZES:
        made.addPixmap(_pixmap(_source(name), normal, size), QIcon.Mode.Normal)
        made.addPixmap(_pixmap(_source(name), disabled, size), QIcon.Mode.Disabled)
    return made


class _IconKeeper(QObject):
    """Lives inside the button or action and draws its icon anew when the theme changes."""

    def __init__(self, target: QAbstractButton | QAction) -> None:
        super().__init__(target)
        from ui.theme.theme import current_theme

        self.target = target
        self.name, self.role = "", "text"
        current_theme().changed.connect(self.draw)

    def draw(self) -> None:
        self.target.setIcon(icon(self.name, self.role))


def set_icon(target: QAbstractButton | QAction, name: str, role: str = "text", size: int = 16) -> None:
    """Give a button or action a bundled icon that follows the theme."""
    keeper = target.findChild(_IconKeeper, options=Qt.FindChildOption.FindDirectChildrenOnly)
    if keeper is None:
        keeper = _IconKeeper(target)
    keeper.name, keeper.role = name, role
    keeper.draw()
    if isinstance(target, QAbstractButton):
        target.setIconSize(QSize(size, size))


def provider_mark_path(mark: str) -> Path | None:
    """The bundled mark of a provider by its icon name, or None where a monogram must do."""
    if not mark or not mark.replace("-", "").replace("_", "").isalnum():
        return None
    path = resource("icons", "providers", f"{mark}.svg")
    return path if path.is_file() else None
