"""New job: the wizard as a page, from the choice of a provider to a job that runs; and a job's configuration."""

from __future__ import annotations

import functools
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget

from app.authorizations import get_authorization
from app.engine import Engine
from app.errors import NotFound
from app.jobs import create_job, edit_job
from app.jobs.wizard import STEPS, Wizard, load_wizard
from ui.pages.new_job.authorization import AuthorizationPane
from ui.pages.new_job.choose import JobTypePane, ProviderPane
from ui.pages.new_job.configure import ConfigurePane
from ui.pages.new_job.recipe import ask_recipe
from ui.pages.new_job.review import ReviewPane
from ui.pages.new_job.trial import TrialDialog
from ui.shell.background import run_async, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import Banner, Button, Page, PrimaryButton, SearchField, Spinner, StepBar, words

STEP_WORDS = ("Provider", "Job type", "Authorization", "Configure", "Review")


class NewJobPage(Page):
    """`open()` begins or goes on with a new job, `open(job_id=…)` changes the configuration of one."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("New job", crumb=("Jobs", lambda: shell.navigate("jobs")))
        self._engine, self._shell = engine, shell
        self.wizard: Wizard | None = None
        self._job_id: int | None = None
        self._created: int | None = None
        self._waiting = False
        types = sum(len(provider.jobs) for provider in engine.catalog.providers)
        providers = words.count_of(len(engine.catalog.providers), "provider")
        self.sought = SearchField(f"Search {providers} and {words.count_of(types, 'job type')}", width=300)
        self.recipe_button = Button("Import recipe…", clicked=self._import_recipe)
        self.add_action(self.sought, self.recipe_button)
        self.steps = StepBar(STEP_WORDS)
        self.steps.asked.connect(self._asked_for)
        self.add(self.steps)
        self.banner = Banner()
        self.add(self.banner)
        self.providers = ProviderPane(engine.catalog)
        self.providers.chosen.connect(self._provider_chosen)
        self.providers.went_on.connect(lambda _: self.go_on())
        self.sought.searched.connect(self.providers.search)
        self.types = JobTypePane()
        self.types.chosen.connect(self._type_chosen)
        self.types.went_on.connect(lambda _: self.go_on())
        self.authorizations = AuthorizationPane(engine, self.banner)
        self.authorizations.chosen.connect(self._authorization_chosen)
        self.authorizations.went_on.connect(self._authorization_taken)
        self.authorizations.lost.connect(self._authorization_lost)
        self.authorizations.form_shown.connect(lambda _: self._buttons())
        self.configure = ConfigurePane(engine, self.banner)
        self.configure.changed.connect(self._buttons)
        self.configure.settled.connect(self._settled)
        self.review = ReviewPane()
        self.stack = QStackedWidget()
        for pane in (self.providers, self.types, self.authorizations, self.configure, self.review):
            self.stack.addWidget(pane)
        self.add(self.stack, 1)
        self.back_button = Button("Cancel", clicked=self.go_back)
        self.spinner = Spinner()
        self.test_button = Button("Test run", clicked=self._test_run)
        self.trial: TrialDialog | None = None
        self.next_button = PrimaryButton("Continue", clicked=self.go_on)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 2, 0, 0)
        foot.addWidget(self.back_button)
        foot.addStretch(1)
        foot.setSpacing(12)
        foot.addWidget(self.spinner)
        foot.addWidget(self.test_button)
        foot.addWidget(self.next_button)
        self.add(foot)
        self.next_button.setEnabled(False)

    # coming and going

    def open(self, **args: Any) -> None:
        job_id = args.get("job_id")
        if self.wizard is not None and job_id == self._job_id:
            self._show_step()
            return
        self._job_id = None if job_id is None else int(job_id)
        self._created = None
        self.wizard = None
        self.stack.setEnabled(False)
        self.banner.hide()
        self.set_title("New job" if job_id is None else "Edit job")
        engine, wanted = self._engine, self._job_id
        run_query(
            lambda: load_wizard(engine, wanted),
            done=functools.partial(self._loaded, wanted),
            failed=self.banner.tell_error,
            owner=self,
        )

    def _loaded(self, job_id: int | None, wizard: Wizard) -> None:
        if job_id != self._job_id:
            return
        self.wizard = wizard
        self.stack.setEnabled(True)
        self._show_step()

    def refresh(self) -> None:
        if self.wizard is not None and self.wizard.step == "configure":
            self.configure.look_again()
        elif self.wizard is not None and self.wizard.step == "authorization":
            self._show_step()

    # the steps

    def go_on(self) -> None:
        """To the next step; at the last one, make the job."""
        wizard = self.wizard
        if wizard is None:
            return
        self.banner.hide()
        if wizard.step == "review":
            self._complete()
            return
        step = wizard.step
        if step == "configure" and not wizard.missing() and self.configure.pending():
            # What the columns hold belongs to the job: without it, it would be another one than the one shown.
            self._waiting = True
            self._busy(True)
            return
        problems = wizard.go_on()
        if problems:
            at_fields = step == "configure" and self.configure.show_problems()
            if not at_fields:
                self.banner.tell("error", problems[0])
            return
        self._show_step()

    def _settled(self, seen: bool) -> None:
        if self._waiting:
            self._waiting = False
            self._busy(False)
            if seen:
                self.go_on()

    def go_back(self) -> None:
        """To the step before; from the first one, away."""
        if self.authorizations.asking and self.wizard is not None and self.wizard.step == "authorization":
            self.authorizations.hide_form()
        self.banner.hide()
        if self.wizard is not None and self.wizard.go_back():
            self._show_step()
            return
        if self._job_id is not None:
            self._leave_to("job", job_id=self._job_id)
        else:
            self._leave_to("jobs")

    def _asked_for(self, at: int) -> None:
        self.banner.hide()
        if self.wizard is not None and self.wizard.go_to(STEPS[at]):
            self._show_step()

    def _show_step(self) -> None:
        wizard = self.wizard
        if wizard is None:
            return
        if self._waiting:
            self._waiting = False
            self._busy(False)
        at = STEPS.index(wizard.step)
        self.steps.set_step(at)
        self.sought.setVisible(wizard.step == "provider")
        self.recipe_button.setVisible(wizard.step == "provider")
        title = "New job" if wizard.editing is None else "Edit job"
        if wizard.provider is not None and wizard.job_type is not None and at > 0:
            self.set_title(title, f"{wizard.provider.name} · {wizard.job_type.name}")
        else:
            self.set_title(title)
        if wizard.step == "provider":
            self.providers.grid.choose(wizard.provider.slug if wizard.provider else "")
        elif wizard.step == "job_type" and wizard.provider is not None:
            self.types.show_types(wizard.provider, wizard.job_type.slug if wizard.job_type else "")
        elif wizard.step == "authorization" and wizard.provider is not None:
            self.authorizations.show_methods(wizard.provider, wizard.methods(), wizard.authorization_id)
        elif wizard.step == "configure":
            self.configure.show_wizard(wizard)
        elif wizard.step == "review":
            self.review.show_wizard(wizard, self._authorization_name())
        self.stack.setCurrentIndex(at)
        self._buttons()

    def _authorization_name(self) -> str:
        assert self.wizard is not None
        if self.wizard.authorization_id is None:
            return "—"
        try:
            return get_authorization(self._engine, self.wizard.authorization_id).name
        except NotFound:
            return "deleted"

    def _buttons(self) -> None:
        wizard = self.wizard
        if wizard is None:
            return
        first = wizard.step == "provider" or (wizard.editing is not None and wizard.step == "configure")
        self.back_button.setText("Cancel" if first else "Back")
        said = {"configure": "Review", "review": "Complete" if wizard.editing is None else "Save"}
        text = said.get(wizard.step, "Continue")
        if wizard.step == "provider" and wizard.provider is not None:
            text = f"Continue with {wizard.provider.name}"
        self.next_button.setText(text)
        chosen = wizard.step in ("configure", "review") or not wizard.problems(wizard.step)
        asking = wizard.step == "authorization" and self.authorizations.asking
        self.next_button.setEnabled(chosen)
        # One primary button at a time: the form for a new authorization has its own.
        self.next_button.setVisible(not asking)
        rows = len(wizard.preview.rows) if wizard.preview is not None else 0
        tries = wizard.step == "configure" and not wizard.exports and bool(wizard.job_type and wizard.job_type.preview)
        self.test_button.setVisible(tries)
        self.test_button.setEnabled(rows > 0)
        self.test_button.setText(f"Test run, {words.count_of(rows, 'row')}" if rows else "Test run")

    def _provider_chosen(self, slug: str) -> None:
        if self.wizard is not None:
            self.wizard.choose_provider(slug)
            self._buttons()

    def _type_chosen(self, slug: str) -> None:
        if self.wizard is not None:
            self.wizard.choose_job_type(slug)
            self._buttons()

    def _authorization_chosen(self, authorization_id: int) -> None:
        if self.wizard is not None:
            self.wizard.choose_authorization(authorization_id)
            self._buttons()

    def _authorization_lost(self) -> None:
        if self.wizard is not None:
            self.wizard.choose_authorization(None)
            self._buttons()

    def _authorization_taken(self, authorization_id: int) -> None:
        self._authorization_chosen(authorization_id)
        self.go_on()

    def _test_run(self) -> None:
        """Show what the first rows would become; where something is missing, say it at its field."""
        wizard = self.wizard
        if wizard is None or wizard.preview is None:
            return
        self.banner.hide()
        problems = wizard.problems("configure")
        if problems:
            if not self.configure.show_problems():
                self.banner.tell("error", problems[0])
            return
        self.trial = TrialDialog(self, self._engine, wizard)
        self.trial.finished.connect(self.trial.deleteLater)
        self.trial.open()

    # the end

    def _import_recipe(self) -> None:
        ask_recipe(self, self._engine, self.banner, self._recipe_imported)

    def _recipe_imported(self, made: list[int]) -> None:
        if len(made) == 1:
            self._leave_to("job", job_id=made[0])
        else:
            self._leave_to("jobs")

    def _complete(self) -> None:
        wizard, engine = self.wizard, self._engine
        if wizard is None:
            return
        if self._created is not None:
            self._start(self._created)
            return
        draft, editing = wizard.draft(), wizard.editing
        self._busy(True)
        if editing is None:
            run_operation(
                lambda task: create_job(engine, draft), done=self._start, failed=self._not_completed, owner=self
            )
            return

        def save(_: object) -> int:
            edit_job(
                engine,
                editing,
                name=draft.name,
                description=draft.description,
                options=draft.options,
                schedule=draft.schedule,
            )
            return editing

        run_operation(save, done=lambda job: self._leave_to("job", job_id=job), failed=self._not_completed, owner=self)

    def _start(self, job_id: int) -> None:
        # A second click after a failed start must not make a second job.
        self._created = job_id
        supervisor = self._engine.supervisor
        if supervisor is None:
            self._leave_to("job", job_id=job_id)
            return
        self._busy(True)
        run_async(
            supervisor.run(job_id, "created"),
            done=lambda _: self._leave_to("job", job_id=job_id),
            failed=self._not_completed,
            owner=self,
        )

    def _not_completed(self, error: BaseException) -> None:
        self._busy(False)
        self.banner.tell_error(error)

    def _busy(self, busy: bool) -> None:
        self.next_button.setEnabled(not busy)
        self.back_button.setEnabled(not busy)
        if busy:
            self.spinner.start()
        else:
            self.spinner.stop()

    def _leave_to(self, key: str, **args: Any) -> None:
        # In this order: the window drops the visits of a page only while it shows another.
        self._shell.navigate(key, **args)
        self._shell.forget("new_job")
