"""Deleting a person: first what goes and what can't be reached, then the deed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.engine import Engine
from app.profiles import ErasurePlan, plan_erasure
from ui.shell.background import Task, run_operation
from ui.widgets import Banner, Button, CheckBox, ProgressLine, Scroll, set_kind, words

WIDTH, MOST_HEIGHT = 580, 320
NAMED = 3


class EraseDialog(QDialog):
    """Looks for everything that would go and shows it; `erase(others)` is called when the user agrees.

    `others`: whether those whom conflicts tie to the person go too.
    """

    def __init__(
        self, parent: QWidget, engine: Engine, profile_id: int, title: str, erase: Callable[[bool], object]
    ) -> None:
        super().__init__(parent)
        self._engine, self._id, self._erase = engine, profile_id, erase
        self._task: Task | None = None
        self._round = 0
        self.plan: ErasurePlan | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Delete “{title}”?")
        self.setModal(True)
        self.setMinimumWidth(WIDTH)
        heading = set_kind(QLabel(self.windowTitle()), "title")
        heading.setWordWrap(True)
        self.banner = Banner()
        self.looking = set_kind(QLabel("Looking for everything that is known…"), "muted")
        self.progress = ProgressLine()
        self.lists = QWidget()
        self._lines = QVBoxLayout(self.lists)
        self._lines.setContentsMargins(0, 0, 8, 0)
        self._lines.setSpacing(6)
        self.area = Scroll(self.lists)
        self.others = CheckBox("")
        self.others.hide()
        self.others.toggled.connect(lambda _: self._look())
        self.cancel = Button("Cancel", clicked=self.reject)
        self.go = Button("Delete for good", "danger-primary", clicked=self._agreed)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(0, 8, 0, 0)
        buttons.setSpacing(10)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.go)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(10)
        for widget in (heading, self.banner, self.looking, self.progress, self.area, self.others):
            layout.addWidget(widget, 1 if widget is self.area else 0)
        layout.addLayout(buttons)
        # Return must not delete by accident: the harmless answer has the focus.
        self.cancel.setDefault(True)
        self.cancel.setFocus()
        self.finished.connect(lambda _: self._stop())
        self._look()

    def _look(self) -> None:
        self._stop()
        self._round += 1
        engine, wanted, others = self._engine, self._id, self.others.isChecked()
        self.go.setEnabled(False)
        self.looking.show()
        self.progress.set_progress(None)
        self.progress.show()
        self.area.hide()
        self._task = run_operation(
            lambda task: plan_erasure(engine, wanted, others=others, progress=task.report),
            done=functools.partial(self._found, self._round),
            failed=functools.partial(self._not_found, self._round),
            progress=lambda done, total: self.progress.set_progress(done / total if total else None),
            owner=self,
        )

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _found(self, number: int, plan: ErasurePlan) -> None:
        if number != self._round:
            return
        self._task, self.plan = None, plan
        self.looking.hide()
        self.progress.hide()
        self._show(plan.goes, plan.stays)
        if plan.others and not self.others.isChecked():
            named = ", ".join(one.title for one in plan.others[:NAMED])
            more = len(plan.others) - NAMED
            count = words.count_of(len(plan.others), "other person", "other people")
            rest = f" and {more} more" if more > 0 else ""
            self.others.setText(f"Also delete {count} whom an event names too: {named}{rest}")
            self.others.show()
        self.go.setEnabled(True)

    def _not_found(self, number: int, error: BaseException) -> None:
        if number == self._round:
            self._task = None
            self.looking.hide()
            self.progress.hide()
            self.banner.tell_error(error)

    def _show(self, goes: Sequence[str], stays: Sequence[str]) -> None:
        while (old := self._lines.takeAt(0)) is not None:
            widget = old.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for title, lines, kind in (("What goes", goes, ""), ("What you have to see to", stays, "muted")):
            if lines:
                self._lines.addWidget(set_kind(QLabel(title), "heading"))
            for line in lines:
                label = QLabel(line)
                label.setTextFormat(Qt.TextFormat.PlainText)
                label.setWordWrap(True)
                self._lines.addWidget(set_kind(label, kind) if kind else label)
        self._lines.addStretch(1)
        self.area.show()
        wanted = self._lines.totalHeightForWidth(WIDTH - 64)
        self.area.setMinimumHeight(min(MOST_HEIGHT, max(60, wanted)))
        self.adjustSize()

    def _agreed(self) -> None:
        others = self.others.isChecked()
        self.accept()
        self._erase(others)
