"""The last step: what is going to be done, in facts and as the JSON that is kept."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.jobs.schedule import describe
from app.jobs.wizard import Wizard
from ui.widgets import Button, Card, FactsStrip, FormField, InlineEdit, JsonView, set_kind


class ReviewPane(QWidget):
    """Shows a complete wizard."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(14)
        self.facts = FactsStrip([])
        self._layout.addWidget(self.facts)
        self._wizard: Wizard | None = None
        self.description = InlineEdit("", name="Description", placeholder="Add a description")
        self.description.edited.connect(self._described)
        self._layout.addWidget(FormField("Description", self.description))
        self.steps = set_kind(QLabel(), "muted")
        self.steps.setWordWrap(True)
        happens = Card("What it does")
        happens.add(self.steps)
        self._layout.addWidget(happens)
        card = Card("Configuration")
        self.json = JsonView()
        card.header.addWidget(Button("Copy", icon="copy", clicked=self.json.copy_all))
        card.add(self.json, 1)
        self._layout.addWidget(card, 1)

    def show_wizard(self, wizard: Wizard, authorization: str) -> None:
        """Show the job as it will be; the wizard has no problems any more."""
        self._wizard = wizard
        assert wizard.job_type is not None
        assert wizard.provider is not None
        draft = wizard.draft()
        columns = [column for column in wizard.columns() if column.imported]
        facts = [
            ("Job", draft.name),
            ("Provider", wizard.provider.name),
            ("Type", wizard.job_type.name),
            ("Authorization", authorization),
        ]
        if wizard.may_run_again():
            facts.append(("Runs", describe(draft.schedule)))
        if wizard.exports and wizard.preview is not None:
            total = wizard.preview.total
            facts += [("People", f"{total:,}")] if total is not None else []
            facts += [("File", wizard.preview.file)] if wizard.preview.file else []
        if columns:
            facts.append(("Columns", f"{len(columns)} of {len(wizard.columns())}"))
            facts.append(("Identifiers", ", ".join(column.name for column in columns if column.identifier) or "none"))
        self.facts.set_facts(facts)
        self.description.set_text(draft.description)
        self.steps.setText("\n".join(f"{at}. {step}" for at, step in enumerate(wizard.job_type.steps, 1)))
        document: dict[str, object] = {"type": draft.job_type, "name": draft.name, "options": draft.options}
        if draft.schedule.again:
            document["schedule"] = draft.schedule.document()
        self.json.set_document(document)

    def _described(self, text: str) -> None:
        if self._wizard is not None:
            self._wizard.description = text
