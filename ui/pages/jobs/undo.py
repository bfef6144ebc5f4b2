"""The dialog that undoes an import: what would change, counted first."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget

from app.engine import Engine
from app.jobs import RunInfo
from app.jobs.rebuilding import UndoPlan, plan_undo, undo_import
from ui.pages.authorizations.dialogs import FormDialog
from ui.shell.background import run_async, run_query
from ui.widgets import words
from ui.widgets.fields import restyle

WIDTH = 500


class UndoDialog(FormDialog):
    """Counts what undoing the import of a run would change, and begins it when the user agrees."""

    def __init__(self, parent: QWidget, engine: Engine, run: RunInfo) -> None:
        super().__init__(parent, f"Undo the import of {words.exact(run.started_at)}?", WIDTH)
        self._engine, self._run = engine, run
        self.effect = QLabel("Counting what would change…")
        self.effect.setWordWrap(True)
        self.effect.setMinimumHeight(2 * self.effect.fontMetrics().lineSpacing())
        self.add(self.effect)
        self.say(
            "Everybody is rebuilt without these rows. That goes on in the background; until it is done, people are as "
            "they are now. The rows can be imported again."
        )
        self.finish("Undo import")
        self.go.setProperty("kind", "danger-primary")
        restyle(self.go)
        # Return must not take rows away by accident.
        self.go.setDefault(False)
        self.cancel.setDefault(True)
        self.cancel.setFocus()
        self.set_busy(True)
        run_query(lambda: plan_undo(engine, run.id), done=self._planned, failed=self._not_planned, owner=self)

    def act(self) -> None:
        """Begin."""
        self.set_busy(True)
        run_async(
            undo_import(self._engine, self._run.id), done=lambda _: self.accept(), failed=self._refused, owner=self
        )

    def _planned(self, plan: UndoPlan) -> None:
        self.set_busy(False)
        self.effect.setText(plan.sentence())

    def _not_planned(self, error: BaseException) -> None:
        """Without figures nobody can agree."""
        self.spinner.stop()
        self.effect.hide()
        self.banner.tell_error(error)

    def _refused(self, error: BaseException) -> None:
        self.set_busy(False)
        self.banner.tell_error(error)
