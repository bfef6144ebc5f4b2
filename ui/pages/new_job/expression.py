"""The expression of one column, written by the user and tried on the first rows."""

from __future__ import annotations

import functools
from collections.abc import Callable

from PySide6.QtWidgets import QLabel, QWidget

from app.jobs.columns import Attempt, ColumnChoice
from app.jobs.wizard import Wizard
from app.lql import LqlError
from app.schema.words import KIND_WORDS, kind_word
from ui.pages.authorizations.dialogs import FormDialog
from ui.pages.schema.reading import suggestions
from ui.pages.trial import TrialTable
from ui.shell.background import run_query
from ui.widgets import CodeField, ComboBox, FormField, set_kind

WIDTH = 600


class ExpressionDialog(FormDialog):
    """`changed()` follows when the wizard has the expression."""

    def __init__(self, parent: QWidget, wizard: Wizard, column: ColumnChoice, changed: Callable[[], object]) -> None:
        super().__init__(parent, f"What becomes of “{column.name}”", WIDTH)
        self._wizard, self._column, self._changed = wizard, column, changed
        self._round = 0
        self.expression = CodeField("Expression", lines=3, numbers=False)
        self.expression.edit.set_text(column.expression)
        columns = wizard.preview.columns if wizard.preview is not None else ()
        self.expression.edit.set_suggestions(suggestions([(known.name, known.type) for known in columns]))
        self.expression.edit.textChanged.connect(self._edited)
        self.expression.edit.rested.connect(self.check)
        self.add(
            FormField(
                "Expression",
                self.expression,
                help="In the mapping language: columns in backticks, functions, and IF. Ctrl+Space shows what there is",
                required=True,
            )
        )
        self.kind = ComboBox()
        self.kind.add_choices([("As it comes", ""), *((word, kind) for kind, word in KIND_WORDS.items())])
        self.kind.set_value(wizard.chosen_kind(column.name))
        self.kind.value_changed.connect(lambda _: self.check())
        self.kind_field = FormField("Type of the profile field, if it is new", self.kind, required=True)
        self.add(self.kind_field)
        self.add(set_kind(QLabel("On the first rows"), "label"))
        self.table = TrialTable("In the file", f"None of the first rows has a value of {column.name}.")
        self.add(self.table)
        self.finish("Use this expression")
        self.check()

    def _chosen_kind(self) -> str:
        return str(self.kind.value() or "")

    def _edited(self) -> None:
        # An answer that is still on its way was about another text.
        self._round += 1

    def check(self) -> None:
        """Try what stands there now, off the UI thread; only the newest answer counts."""
        self._round += 1
        run_query(
            functools.partial(
                self._wizard.try_expression, self._column.name, self.expression.edit.text(), self._chosen_kind()
            ),
            done=functools.partial(self._tried, self._round),
            failed=functools.partial(self._not_tried, self._round),
            owner=self,
        )

    def _tried(self, number: int, attempt: Attempt) -> None:
        if number == self._round:
            self.expression.set_problems([])
            self.expression.set_note(f"Brings {kind_word(attempt.kind).lower()}", "success")
            self.table.show_trial(attempt.kind, attempt.rows)

    def _not_tried(self, number: int, error: BaseException) -> None:
        if number != self._round:
            return
        if isinstance(error, LqlError):
            self.expression.set_problems(error.problems)
        else:
            self.banner.tell_error(error)
        self.table.clear_trial()

    def act(self) -> None:
        """Give the wizard the expression, unless it can't be read."""
        try:
            self._wizard.set_expression(self._column.name, self.expression.edit.text(), self._chosen_kind())
        except LqlError as error:
            self.expression.set_problems(error.problems)
            self.expression.edit.setFocus()
            return
        self._changed()
        self.accept()
