"""What nobody foresaw: told in a sentence with the details to copy, instead of a silent window."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from ui.shell.background import into_ui
from ui.widgets import Banner, Button

_log = logging.getLogger(__name__)


class MishapDialog(QDialog):
    """Says that the program made a mistake; what happened is behind Details, and Copy takes all of it."""

    def __init__(self, error: BaseException, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        self.banner = Banner(self)
        self.banner.setMinimumWidth(460)
        layout.addWidget(self.banner)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(Button("Close", "primary", clicked=self.close))
        layout.addLayout(row)
        message = getattr(error, "message", "")
        if message:
            self.banner.tell_error(error)
        else:
            self.banner.tell(
                "error",
                "Something went wrong in the program.",
                "You can go on working. If it happens again, copy the details and send them to the developers.",
                "".join(traceback.format_exception(error)[-6:]).strip(),
            )
        self.banner.closed.connect(self.close)


class Mishaps(QObject):
    """Catches what no page caught. One dialog at a time: a mistake that repeats must not bury the window."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._open: MishapDialog | None = None
        self._show = into_ui(self.show, self)
        self._before = sys.excepthook

    def install(self) -> None:
        """Take the place of Python's own report of uncaught errors, in slots and at large."""
        sys.excepthook = self.caught

    def uninstall(self) -> None:
        """Give the place back."""
        sys.excepthook = self._before

    def caught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log the error and show it; may be called in any thread."""
        if issubclass(kind, KeyboardInterrupt):
            self._before(kind, error, trace)
            return
        _log.error("uncaught error", exc_info=(kind, error, trace))
        self._show(error)

    def show(self, error: BaseException) -> None:
        """Show the dialog, unless one is open already."""
        if self._open is None:
            self._open = MishapDialog(error, QApplication.activeWindow())
            self._open.finished.connect(self._closed)
            self._open.open()

    def _closed(self) -> None:
        self._open = None
