"""The line that stands on a page while long work goes on: how far, how fast, how long still, and Cancel."""

from __future__ import annotations

import time

from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.shell.background import Cancelled, Task
from ui.widgets import Banner, Button, Card, ProgressLine, set_kind, words


class WorkCard(Card):
    """What is done now, its figures and a line that fills; hidden until something begins."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.body.setContentsMargins(14, 10, 10, 10)
        self.label = QLabel()
        self.figures = set_kind(QLabel(), "muted")
        self.line = ProgressLine()
        text = QHBoxLayout()
        text.setSpacing(10)
        text.addWidget(self.label)
        text.addWidget(self.figures)
        text.addStretch(1)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addLayout(text)
        left.addWidget(self.line)
        self._row = QHBoxLayout()
        self._row.setSpacing(14)
        self._row.addLayout(left, 1)
        self.add(self._row)
        self.hide()

    def add_button(self, button: Button) -> None:
        """Put what ends the work at the right."""
        self._row.addWidget(button)


class WorkLine(WorkCard):
    """`begin("Exporting people")`, `set_task(task)` for what can be cancelled, `progress(done, total)`, `end()`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cancel = Button("Cancel", clicked=self._cancel)
        self.add_button(self.cancel)
        self._what = ""
        self._since = 0.0
        self._task: Task | None = None

    def begin(self, what: str) -> None:
        """Show that `what` has begun; its end is unknown until the first progress."""
        self._what, self._since = what, time.monotonic()
        self.label.setText(f"{what}…")
        self.setAccessibleName(what)
        self.figures.setText("")
        self.line.set_progress(None)
        self.set_task(None)
        self.show()

    def set_task(self, task: Task | None) -> None:
        """What Cancel cancels; without one there is no Cancel."""
        self._task = task
        self.cancel.setEnabled(True)
        self.cancel.setVisible(task is not None)

    def progress(self, done: int, total: int) -> None:
        """Show how far it is."""
        passed = time.monotonic() - self._since
        said = f"{done:,} of {total:,}"
        if passed > 1 and done:
            rate = done / passed
            said += f" · {rate:,.0f}/s · {words.lasting((total - done) / rate)} left"
        self.figures.setText(said)
        self.line.set_progress(done / total if total else None)

    def end(self) -> None:
        """The work is over."""
        self._task = None
        self.hide()

    def _cancel(self) -> None:
        if self._task is not None:
            self.cancel.setEnabled(False)
            self.label.setText("Stopping…")
            self._task.cancel()


def tell_no_export(banner: Banner, error: BaseException) -> None:
    """Say why an export wrote no file: the user cancelled it, or something failed."""
    if isinstance(error, Cancelled):
        banner.tell("info", "The export was cancelled; no file was written.")
    else:
        banner.tell_error(error)
