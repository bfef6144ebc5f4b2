"""What can be done with jobs, from the table and from a job's own page; each act tells what failed in a banner."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QMenu, QWidget

from app.engine import Engine
from app.errors import CausewayError
from app.jobs import JobInfo, delete_job, duplicate_job, job_runs, pause_job, rejected_count, resume_job
from app.jobs.evidence import Written, write_evidence
from app.jobs.recipe_files import ENDING, Recipe
from app.jobs.recipes import export_recipe
from app.jobs.rejected import retry_rejected
from ui.pages.authorizations.vault import VaultHelp
from ui.pages.files import ask_save, file_name
from ui.shell.background import run_async, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import Banner, confirm, words


class JobActs:
    """Acts on jobs for the page `owner`."""

    def __init__(self, engine: Engine, shell: Shell, owner: QWidget, banner: Banner) -> None:
        self._engine, self._shell, self._owner, self._banner = engine, shell, owner, banner

    def run(self, jobs: Sequence[JobInfo]) -> None:
        """Run each job that does not run."""
        try:
            self._engine.require_charge()
        except CausewayError as error:
            self._banner.tell_error(error)
            return
        supervisor = self._engine.supervisor
        if supervisor is None:
            self._banner.tell("info", "Causeway is still starting.", "Try again in a moment.")
            return
        for job in jobs:
            if job.status != "running":
                run_async(
                    supervisor.run(job.id), done=lambda _: None, failed=self._banner.tell_error, owner=self._owner
                )

    def retry_rejected(self, job: JobInfo, run_id: int | None) -> None:
        """Read the rejected rows of a run again, None for the newest one that has some."""
        run_async(
            retry_rejected(self._engine, job.id, run_id),
            done=lambda _: None,
            failed=self._banner.tell_error,
            owner=self._owner,
        )

    def stop(self, jobs: Sequence[JobInfo]) -> None:
        """Stop each job that runs; it can go on later. An alert has no run to stop: it is paused."""
        alerts = [job for job in jobs if job.kind == "alert" and job.status == "running"]
        if alerts:
            self.pause(alerts)
        supervisor = self._engine.supervisor
        for job in jobs:
            run_id = supervisor.running_run(job.id) if supervisor is not None else None
            if supervisor is not None and run_id is not None:
                supervisor.cancel(run_id)

    def pause(self, jobs: Sequence[JobInfo]) -> None:
        """Let jobs do nothing until they are resumed."""
        self._each(pause_job, jobs)

    def resume(self, jobs: Sequence[JobInfo]) -> None:
        """Let paused and failed jobs go on."""
        self._each(resume_job, jobs)

    def _each(self, act: Callable[[Engine, int], None], jobs: Sequence[JobInfo]) -> None:
        def work() -> None:
            for job in jobs:
                act(self._engine, job.id)

        run_operation(lambda _: work(), done=lambda _: None, failed=self._banner.tell_error, owner=self._owner)

    def duplicate(self, jobs: Sequence[JobInfo]) -> None:
        """Make a copy of each; a single one is shown."""

        def show(copies: list[int]) -> None:
            if len(copies) == 1:
                self._shell.navigate("job", job_id=copies[0])

        run_operation(
            lambda _: [duplicate_job(self._engine, job.id) for job in jobs],
            done=show,
            failed=self._banner.tell_error,
            owner=self._owner,
        )

    def export_recipe(self, jobs: Sequence[JobInfo]) -> None:
        """Ask for a file and write the jobs to it as one recipe."""
        ids = [job.id for job in jobs]
        name = file_name(jobs[0].name if len(jobs) == 1 else f"{len(jobs)} jobs") + ENDING

        def told(recipe: Recipe, target: Path) -> str:
            return f"The recipe of {words.count_of(len(recipe.jobs), 'job')} is saved in {target}."

        def save(target: Path) -> None:
            self._write(functools.partial(export_recipe, self._engine, ids, target), target, told)

        ask_save(self._owner, "Export a recipe", name, f"Recipes (*{ENDING})", save)

    def save_evidence(self, job: JobInfo, run_id: int | None = None) -> None:
        """Ask for a file and write the evidence of a job or of one run to it."""
        name = file_name(job.name) + (f"-run-{run_id}" if run_id is not None else "") + "-evidence.zip"

        def told(written: Written, target: Path) -> str:
            return f"The evidence of {words.count_of(written.runs, 'run')} is saved in {target}."

        def save(target: Path) -> None:
            write = functools.partial(write_evidence, self._engine, job.id, target, run_id=run_id)
            self._write(write, target, told)

        ask_save(self._owner, "Save the evidence", name, "Zip files (*.zip)", save)

    def _write(self, write: Callable[[], Any], target: Path, told: Callable[[Any, Path], str]) -> None:
        """Write a file; secrets that can't be compared with it because they are locked are unlocked on request."""

        def again() -> None:
            run_operation(
                lambda _: write(),
                done=lambda written: self._banner.tell("success", told(written, target)),
                failed=VaultHelp(self._engine, self._owner, self._banner, again).tell_error,
                owner=self._owner,
            )

        again()

    def delete(self, jobs: Sequence[JobInfo], deleted: Callable[[], object] | None = None) -> None:
        """Ask, naming what is lost, then delete."""

        def lost() -> tuple[int, int]:
            runs = sum(len(job_runs(self._engine, job.id)) for job in jobs)
            return runs, sum(rejected_count(self._engine, job.id) for job in jobs)

        run_query(
            lost,
            done=functools.partial(self._ask_delete, list(jobs), deleted),
            failed=self._banner.tell_error,
            owner=self._owner,
        )

    def _ask_delete(self, jobs: list[JobInfo], deleted: Callable[[], object] | None, lost: tuple[int, int]) -> None:
        title = f"Delete “{jobs[0].name}”?" if len(jobs) == 1 else f"Delete {len(jobs)} jobs?"
        runs, rejected = lost
        sentence = (
            f"{words.count_of(runs, 'run')} with logs and {words.count_of(rejected, 'rejected row')} are deleted too. "
            "People and events that were imported stay."
        )

        def work() -> None:
            for job in jobs:
                delete_job(self._engine, job.id)

        def act() -> None:
            run_operation(
                lambda _: work(),
                done=lambda _: deleted() if deleted is not None else None,
                failed=self._banner.tell_error,
                owner=self._owner,
            )

        confirm(self._owner, title, sentence, "Delete job" if len(jobs) == 1 else "Delete jobs", act)

    def menu(self, jobs: Sequence[JobInfo]) -> QMenu | None:
        """The context menu over chosen jobs."""
        if not jobs:
            return None
        menu = QMenu(self._owner)
        if len(jobs) == 1:
            menu.addAction("Open", lambda: self._shell.navigate("job", job_id=jobs[0].id))
            menu.addSeparator()
        idle = [job for job in jobs if job.status != "running"]
        running = [job for job in jobs if job.status == "running"]
        if idle:
            menu.addAction("Run now", lambda: self.run(idle))
        if running:
            menu.addAction("Stop", lambda: self.stop(running))
        sleeping = [job for job in jobs if job.status == "sleeping"]
        held = [job for job in jobs if job.status in ("paused", "failed")]
        if sleeping:
            menu.addAction("Pause", lambda: self.pause(sleeping))
        if held:
            menu.addAction("Resume", lambda: self.resume(held))
        if len(jobs) == 1 and idle:
            menu.addAction("Edit configuration", lambda: self._shell.navigate("new_job", job_id=jobs[0].id))
        menu.addAction("Duplicate", lambda: self.duplicate(jobs))
        menu.addAction("Export recipe…", lambda: self.export_recipe(jobs))
        if len(jobs) == 1:
            menu.addAction("Evidence pack…", lambda: self.save_evidence(jobs[0]))
        menu.addSeparator()
        menu.addAction("Delete…", lambda: self.delete(jobs)).setEnabled(bool(idle) and not running)
        return menu
