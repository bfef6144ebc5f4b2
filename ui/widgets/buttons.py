"""Buttons of every kind the window has."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton, QWidget

from ui.theme import set_icon


class Button(QPushButton):
    """A push button. `kind`: "secondary", "primary" (one a page at most), "danger", "danger-primary" or "link"."""

    def __init__(
        self,
        text: str,
        kind: str = "secondary",
        *,
        icon: str = "",
        clicked: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setProperty("kind", kind)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor if kind == "link" else Qt.CursorShape.ArrowCursor)
        if icon:
            # Qt leaves room between picture and words only in text that stands at the left.
            self.setProperty("pictured", "true")
            role = {"primary": "on_accent", "danger": "failed", "link": "accent", "danger-primary": "surface"}
            set_icon(self, icon, role.get(kind, "text"))
        if clicked is not None:
            # The button's own `checked` argument is of no use to an action.
            self.clicked.connect(lambda: clicked())  # noqa: PLW0108


class PrimaryButton(Button):
    """The one action the page is there for."""

    def __init__(
        self, text: str, *, icon: str = "", clicked: Callable[[], object] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, "primary", icon=icon, clicked=clicked, parent=parent)


class DangerButton(Button):
    """An action that takes something away; ask with `confirm` before doing it."""

    def __init__(
        self, text: str, *, icon: str = "", clicked: Callable[[], object] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, "danger", icon=icon, clicked=clicked, parent=parent)


class LinkButton(Button):
    """A small action inside text or a form, in the accent colour."""

    def __init__(
        self, text: str, *, icon: str = "", clicked: Callable[[], object] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, "link", icon=icon, clicked=clicked, parent=parent)


class MenuButton(Button):
    """A button that opens a menu: `MenuButton("More", menu)`."""

    def __init__(self, text: str, menu: QMenu | None = None, parent: QWidget | None = None) -> None:
        super().__init__(f"{text} ▾", parent=parent)
        self.setAccessibleName(text)
        if menu is not None:
            self.setMenu(menu)


class IconButton(QToolButton):
    """A button with a picture only; `name` is what it does, for the tooltip and for screen readers."""

    def __init__(
        self,
        icon: str,
        name: str,
        *,
        role: str = "muted",
        clicked: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        set_icon(self, icon, role)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if clicked is not None:
            self.clicked.connect(lambda: clicked())  # noqa: PLW0108
