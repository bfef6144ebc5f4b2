"""The dialog that publishes: what changes, whom it reaches, and the comment of the new version."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from app.engine import Engine
from app.schema.differences import needs_rebuild, suggested_comment
from app.schema.effect import Effect
from app.schema.operations import publish_schema
from ui.pages.authorizations.dialogs import FormDialog
from ui.pages.schema.changes import effect_sentence, example_text
from ui.pages.schema.difference_list import DifferenceList, Told, codes_of
from ui.pages.schema.reading import Contents
from ui.shell.background import run_operation
from ui.widgets import Card, CheckBox, FormField, InlineNote, set_kind, words

WIDTH = 560
TALLEST_LIST = 280
MOST_EXAMPLES = 3
MARGIN = 24


class PublishDialog(FormDialog):
    """Asks for the comment and publishes all changes.

    `published(number, rebuild)` is called when it is done; `rebuild` says that people are to be rebuilt now.
    """

    def __init__(
        self,
        parent: QWidget,
        engine: Engine,
        contents: Contents,
        effect: Effect | None,
        published: Callable[[int, bool], object],
    ) -> None:
        count = words.count_of(len(contents.changes), "change")
        super().__init__(parent, f"Publish {count}", WIDTH)
        self._engine, self._published = engine, published
        supervisor = engine.supervisor
        rebuilding = supervisor is not None and supervisor.rebuilds.busy
        card = Card(flush=True)
        self.changes = DifferenceList("What is published")
        self.changes.show_differences(
            Told(change, tuple(codes_of(contents, change.subject))) for change in contents.changes
        )
        self.changes.setMaximumHeight(TALLEST_LIST)
        self.changes.setMinimumWidth(WIDTH - 2 * MARGIN - 2)
        card.add(self.changes)
        self.add(card, 1)
        deep = needs_rebuild(contents.changes)
        sentence = "Events that arrive from now on are mapped the new way."
        if deep and rebuilding:
            sentence += " The rebuild of people that is under way begins anew with it."
        elif deep:
            sentence += " People who are there already get it when a rebuild replays their events."
        if deep and effect is not None:
            sentence += f" {effect_sentence(effect)}"
        self.note = InlineNote(sentence)
        self.add(self.note)
        if deep and effect is not None and effect.examples:
            self.examples = set_kind(QLabel("\n".join(map(example_text, effect.examples[:MOST_EXAMPLES]))), "secondary")
            self.examples.setTextFormat(Qt.TextFormat.PlainText)
            self.examples.setWordWrap(True)
            self.examples.setContentsMargins(21, 0, 0, 0)
            self.add(self.examples)
        self.comment = QLineEdit(suggested_comment(contents.changes))
        self.comment.setMaxLength(500)
        self.comment_field = FormField(
            "Comment", self.comment, required=True, help="What changes and why; versions show it"
        )
        self.comment.textChanged.connect(lambda _: self.comment_field.set_error(""))
        self.add(self.comment_field)
        self.rebuild = CheckBox("Rebuild people afterwards, so that those who are there get it too", checked=True)
        self.add(self.rebuild)
        # Only the process that is in charge can rebuild; a rebuild under way begins anew by itself.
        self.rebuild.setVisible(deep and supervisor is not None and not rebuilding)
        self.finish("Publish")
        # From its end to its begin, so that a long one is seen from the begin.
        length = len(self.comment.text())
        self.comment.setSelection(length, -length)
        self.comment.setFocus()

    def act(self) -> None:
        """Put the changes in force."""
        comment = self.comment.text().strip()
        if not comment:
            self.comment_field.set_error("A version needs a comment. Say in a few words what changes and why.")
            self.comment.setFocus()
            return
        self.set_busy(True)
        engine = self._engine
        run_operation(
            lambda _: publish_schema(engine, comment), done=self._was_published, failed=self._not_published, owner=self
        )

    def _was_published(self, number: int) -> None:
        self._published(number, not self.rebuild.isHidden() and self.rebuild.isChecked())
        self.accept()

    def _not_published(self, error: BaseException) -> None:
        self.set_busy(False)
        self.banner.tell_error(error)
