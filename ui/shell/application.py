"""The application object, dressed and named, before any window is made."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from ui.theme import Theme
from ui.theme.files import resource

NAME = "Causeway"


def make_application(argv: Sequence[str]) -> tuple[QApplication, Theme]:
    """Make the QApplication with name, icon and theme; keep both for as long as the window lives."""
    application = QApplication(list(argv))
    application.setOrganizationName(NAME)
    application.setApplicationName(NAME)
    application.setApplicationDisplayName(NAME)
    application.setWindowIcon(QIcon(str(resource("icons", "causeway.svg"))))
    theme = Theme()
    theme.apply(application)
    return application, theme
