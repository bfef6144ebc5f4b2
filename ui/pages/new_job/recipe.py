"""The dialog that makes the jobs of a recipe: what is made and added, and which authorizations are meant."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.engine import Engine
from app.jobs.recipe_files import ENDING, Recipe, read_recipe
from app.jobs.recipes import PlannedJob, RecipePlan, WantedAuthorization, import_recipe, plan_recipe
from ui.pages.authorizations.dialogs import FormDialog
from ui.pages.authorizations.form import AuthorizationDialog
from ui.pages.files import ask_open
from ui.pages.schema.difference_list import DifferenceList, Told
from ui.shell.background import run_operation, run_query
from ui.widgets import Banner, Card, ComboBox, FormField, InlineNote, Scroll, set_kind, words

WIDTH = 560
TALLEST = 460
TALLEST_LIST = 200
SHOWN_JOBS = 20
KIND = f"Recipes (*{ENDING} *.yaml *.yml)"
Imported = Callable[[list[int]], object]


def ask_recipe(owner: QWidget, engine: Engine, banner: Banner, imported: Imported) -> None:
    """Ask for a file, read it, and show what it would make; `imported` is called with the new jobs' numbers."""

    def read(file: Path) -> tuple[Recipe, RecipePlan]:
        recipe = read_recipe(file, engine.catalog)
        return recipe, plan_recipe(engine, recipe)

    def show(found: tuple[Recipe, RecipePlan]) -> None:
        RecipeDialog(owner, engine, *found, imported).open()

    def chosen(file: Path) -> None:
        banner.hide()
        run_query(lambda: read(file), done=show, failed=banner.tell_error, owner=owner)

    ask_open(owner, "Import a recipe", KIND, chosen)


class RecipeDialog(FormDialog):
    """Asks for the authorizations only; everything else is in the recipe and is shown."""

    def __init__(self, parent: QWidget, engine: Engine, recipe: Recipe, plan: RecipePlan, imported: Imported) -> None:
        super().__init__(parent, f"Import {words.count_of(len(plan.jobs), 'job')}", WIDTH)
        self._engine, self._recipe, self._plan, self._imported = engine, recipe, plan, imported
        self.choices: dict[str, ComboBox] = {}
        self.fields: dict[str, FormField] = {}
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(14)
        jobs = Card()
        for job in plan.jobs[:SHOWN_JOBS]:
            jobs.add(_job_label(job))
        if len(plan.jobs) > SHOWN_JOBS:
            jobs.add(set_kind(QLabel(f"and {words.count_of(len(plan.jobs) - SHOWN_JOBS, 'other job')}"), "muted"))
        column.addWidget(jobs)
        for wanted in plan.authorizations:
            if wanted.jobs:
                column.addWidget(self._authorization_field(wanted))
        self.changes = DifferenceList("What is added to the schema")
        if plan.additions:
            column.addWidget(set_kind(QLabel("Added to the schema"), "label"))
            card = Card(flush=True)
            self.changes.show_differences(Told(change) for change in plan.additions)
            self.changes.setFixedHeight(TALLEST_LIST)
            card.add(self.changes)
            column.addWidget(card)
        for note in plan.notes:
            column.addWidget(InlineNote(note))
        column.addStretch(1)
        scroll = Scroll(content)
        column.activate()
        scroll.setMinimumHeight(min(column.sizeHint().height(), TALLEST))
        self.add(scroll, 1)
        self.say("The jobs do nothing before you start them.")
        self.finish("Import")

    def _authorization_field(self, wanted: WantedAuthorization) -> FormField:
        choice = ComboBox(placeholder="Choose one")
        choice.setAccessibleName(f"Authorization for {wanted.name}")
        self.choices[wanted.name] = choice
        jobs = wanted.jobs[0] if len(wanted.jobs) == 1 else words.count_of(len(wanted.jobs), "job")
        field = FormField(
            f"{wanted.provider_name}: “{wanted.name}” in the recipe",
            choice,
            help=f"For {jobs}",
            required=True,
            action=("New authorization…", functools.partial(self.make_authorization, wanted)),
        )
        choice.value_changed.connect(lambda _: field.set_error(""))
        self.fields[wanted.name] = field
        self._offer(wanted)
        likeliest = wanted.fitting[0] if wanted.fitting else None
        if likeliest is not None and (likeliest.name == wanted.name or len(wanted.fitting) == 1):
            choice.set_value(likeliest.id)
        return field

    def _offer(self, wanted: WantedAuthorization) -> None:
        self.choices[wanted.name].set_choices((f"{info.name} ({info.method_name})", info.id) for info in wanted.fitting)

    def make_authorization(self, wanted: WantedAuthorization) -> AuthorizationDialog:
        """Ask for a new authorization of a kind that fits, and choose it."""
        dialog = AuthorizationDialog(self, self._engine, methods=wanted.methods)
        dialog.saved.connect(functools.partial(self._made, wanted.name))
        dialog.open()
        return dialog

    def _made(self, name: str, authorization_id: int) -> None:
        run_query(
            lambda: plan_recipe(self._engine, self._recipe),
            done=functools.partial(self._planned_anew, name, authorization_id),
            failed=self.banner.tell_error,
            owner=self,
        )

    def _planned_anew(self, name: str, authorization_id: int, plan: RecipePlan) -> None:
        for wanted in plan.authorizations:
            if wanted.name in self.choices:
                self._offer(wanted)
        self.choices[name].set_value(authorization_id)

    def act(self) -> None:
        """Make the jobs."""
        missing = [name for name, choice in self.choices.items() if choice.value() is None]
        for name in missing:
            self.fields[name].set_error("Choose the authorization that these jobs are to use, or make a new one.")
        if missing:
            self.choices[missing[0]].setFocus()
            return
        chosen = {name: int(str(choice.value())) for name, choice in self.choices.items()}
        self.set_busy(True)
        run_operation(
            lambda _: import_recipe(self._engine, self._recipe, chosen),
            done=self._done,
            failed=self._failed,
            owner=self,
        )

    def _done(self, made: list[int]) -> None:
        self.accept()
        self._imported(made)

    def _failed(self, error: BaseException) -> None:
        self.set_busy(False)
        self.banner.tell_error(error)


def _job_label(job: PlannedJob) -> QWidget:
    """A job in two lines: its name, and what it does when."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    name = QLabel(job.name)
    about = set_kind(QLabel(f"{job.provider_name} · {job.type_name} · {job.schedule}"), "muted")
    for label in (name, about):
        label.setWordWrap(True)
        column.addWidget(label)
    return holder
