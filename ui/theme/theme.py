"""The theme of the application: which tokens hold now, and the palette and style sheet made of them."""

from __future__ import annotations

import json
from typing import Literal, cast

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from ui.theme.files import resource
from ui.theme.fonts import font, load_fonts
from ui.theme.style import style_sheet

Choice = Literal["system", "light", "dark"]
_SETTING = "appearance/theme"
_PROPERTY = "causewayTheme"


class Theme(QObject):
    """The look of the whole application, changed as one.

    `changed` is emitted after palette and style sheet have been replaced.
    """

    changed = Signal()

    def __init__(self, choice: Choice | None = None, parent: QObject | None = None) -> None:
        """`choice` None takes what the user chose last time, or the system's scheme."""
        super().__init__(parent)
        self._sets: dict[str, dict[str, str]] = json.loads(
            resource("themes", "tokens.json").read_text(encoding="utf-8")
        )
        self._kept = choice is None
        if choice is None:
            stored = str(QSettings().value(_SETTING, "system"))
            choice = cast(Choice, stored) if stored in ("system", "light", "dark") else "system"
        self._choice: Choice = choice
        self._mode: Literal["light", "dark"] = "light"
        self._application: QApplication | None = None
        self._colors: dict[str, QColor] = {}
        self._settle()

    @property
    def choice(self) -> Choice:
        """What the user chose: "system", "light" or "dark"."""
        return self._choice

    @property
    def mode(self) -> Literal["light", "dark"]:
        """The scheme shown now."""
        return self._mode

    @property
    def tokens(self) -> dict[str, str]:
        """Colour by token name, as #RRGGBB."""
        return self._sets[self._mode]

    def color(self, token: str) -> QColor:
        """The colour of a token. A KeyError is a misspelt token."""
        return self._colors[token]

    def apply(self, application: QApplication) -> None:
        """Load the fonts and dress the application; from now on the theme follows the system if so chosen."""
        self._application = application
        self.setParent(application)
        application.setProperty(_PROPERTY, self)
        load_fonts()
        application.setStyle("Fusion")
        application.setFont(font(13))
        self._tell_qt()
        application.styleHints().colorSchemeChanged.connect(self._system_changed)
        self._settle()
        self._dress(application)

    def choose(self, choice: Choice) -> None:
        """Take and keep the user's choice."""
        self._choice = choice
        if self._kept:
            QSettings().setValue(_SETTING, choice)
        self._tell_qt()
        self._system_changed()

    def _tell_qt(self) -> None:
        """Title bars and the system's own dialogs follow the choice too, where the system can."""
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "system": Qt.ColorScheme.Unknown}
        if self._application is not None:
            self._application.styleHints().setColorScheme(schemes[self._choice])

    def _system_changed(self) -> None:
        before = self._mode
        self._settle()
        if self._mode != before and self._application is not None:
            self._dress(self._application)
            self.changed.emit()

    def _settle(self) -> None:
        if self._choice == "system" and self._application is not None:
            dark = self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark
            self._mode = "dark" if dark else "light"
        elif self._choice != "system":
            self._mode = self._choice
        self._use_tokens()

    def _use_tokens(self) -> None:
        self._colors = {name: QColor(value) for name, value in self.tokens.items()}

    def _dress(self, application: QApplication) -> None:
        application.setPalette(self._palette())
        application.setStyleSheet(style_sheet(self.tokens, resource("themes", self._mode)))

    def _palette(self) -> QPalette:
        roles = QPalette.ColorRole
        palette = QPalette()
        for role, token in (
            (roles.Window, "window"),
            (roles.WindowText, "text"),
            (roles.Base, "surface"),
            (roles.AlternateBase, "sunken"),
            (roles.Text, "text"),
            (roles.PlaceholderText, "placeholder"),
            (roles.Button, "surface"),
            (roles.ButtonText, "text"),
            (roles.BrightText, "failed"),
            (roles.Highlight, "accent"),
            (roles.HighlightedText, "on_accent"),
            (roles.ToolTipBase, "surface"),
            (roles.ToolTipText, "text"),
            (roles.Link, "accent"),
            (roles.LinkVisited, "accent"),
            (roles.Light, "surface"),
            (roles.Midlight, "row_line"),
            (roles.Mid, "line"),
            (roles.Dark, "line"),
            (roles.Shadow, "line"),
            (roles.Accent, "accent"),
        ):
            palette.setColor(role, self.color(token))
        for role in (roles.WindowText, roles.Text, roles.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.color("disabled"))
        return palette


def current_theme() -> Theme:
    """The theme that dresses the running application, as Qt itself holds style, palette and font there.

    Raises RuntimeError when none was applied: `Theme.apply` comes before the first widget.
    """
    application = QApplication.instance()
    theme = application.property(_PROPERTY) if application is not None else None
    if not isinstance(theme, Theme):
        raise RuntimeError("no theme has been applied to the application")
    return theme
