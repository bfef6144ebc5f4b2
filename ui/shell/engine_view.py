"""The engine as the shell sees it: what stands in the rail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app.alerts import unread_notifications
from app.authorizations import list_authorizations
from app.changes import Change
from app.engine import Engine
from app.jobs.queries import list_jobs
from app.jobs.rebuilding import RebuildProgress
from app.profiles import count_profiles
from app.schema.queries import unpublished_changes
from app.workspace import recent_workspaces
from ui.shell.pages import EngineState, Recent
from ui.widgets import words


class EngineView:
    """A ShellEngine over the real engine. Reads only; safe in any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def workspace_name(self) -> str:
        """The name of the open workspace."""
        return self._engine.workspace.name

    @property
    def workspace_place(self) -> str:
        """Where it lies, or that it can only be read."""
        return "Read only" if self._engine.in_charge_elsewhere is not None else "On this computer"

    def counts(self) -> Mapping[str, int | str]:
        """How many jobs, authorizations and profiles there are; unpublished changes, and notifications not read yet."""
        unpublished = len(unpublished_changes(self._engine))
        return {
            "jobs": len(list_jobs(self._engine)),
            "authorizations": len(list_authorizations(self._engine)),
            "profiles": count_profiles(self._engine),
            "schema": f"{unpublished:,} new" if unpublished else "",
            "notifications": unread_notifications(self._engine),
        }

    def state(self) -> EngineState:
        """How busy the workers are, and when the next job runs."""
        supervisor = self._engine.supervisor
        if self._engine.in_charge_elsewhere is not None:
            return EngineState("warn", "In use elsewhere", "Jobs can only be watched here")
        if supervisor is None:
            return EngineState("idle", "Starting…")
        waiting = supervisor.waiting
        times = [job.next_run_at for job in list_jobs(self._engine) if job.next_run_at]
        following = f"Next run {_at(min(times))}" if times else "Nothing is scheduled"
        if waiting:
            following = f"{words.count_of(waiting, 'job waits', 'jobs wait')} for a worker"
        rebuilding = supervisor.rebuilds.progress
        if rebuilding is not None:
            following = "Rebuilding people"
            if rebuilding.fraction is not None:
                following += f", {_percent(rebuilding)} %"
        busy = supervisor.busy
        tone = "ok" if busy or rebuilding is not None else "idle"
        if rebuilding is None and supervisor.rebuilds.error is not None:
            tone, following = "warn", "Rebuilding people failed"
        elif supervisor.clearing_error is not None:
            tone, following = "warn", supervisor.clearing_error.message
        return EngineState(tone, f"{busy} of {supervisor.limit} workers busy", following)

    def recent_workspaces(self) -> Sequence[Recent]:
        """The workspaces that were open before, without the present one."""
        here = self._engine.workspace.folder
        return [Recent(one.name, str(one.folder)) for one in recent_workspaces() if one.folder != here]

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Tell of every change but progress, which comes ten times a second and moves nothing in the rail.

        Of a rebuild's progress, the whole percents.
        """
        shown: int | None = None

        def heard(change: Change) -> None:
            nonlocal shown
            if change.what == "rebuild":
                supervisor = self._engine.supervisor
                progress = supervisor.rebuilds.progress if supervisor is not None else None
                before, shown = shown, None if progress is None else _percent(progress)
                if shown is not None and shown == before:
                    return
            if change.what != "progress":
                callback()

        return self._engine.changes.subscribe(heard)


def _percent(progress: RebuildProgress) -> int:
    return int(100 * (progress.fraction or 0))


def _at(time: str) -> str:
    """ "at 09:00" today, "tomorrow", "on 23 Nov"."""
    short = words.when(time)
    if ":" in short:
        return f"at {short}"
    return short.lower() if short in ("Tomorrow", "Yesterday") else f"on {short}"
