"""Running a job or a rebuild to its end: with a progress bar on a terminal, stopped cleanly by Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from app.cli import output
from app.cli.session import Ended, Session
from app.errors import CausewayError

if TYPE_CHECKING:
    from app.engine import Engine
    from app.jobs import JobInfo, RunInfo, RunProgress
    from app.jobs.supervisor import Supervisor


class RunFailed(CausewayError):
    """The run ended early; what it saved stays."""


class RunStopped(CausewayError):
    """Somebody stopped the run."""


@dataclass(frozen=True, slots=True)
class Result:
    """A run that ended, its job as it is now, and how many people the workspace holds."""

    job: JobInfo
    run: RunInfo
    people: int

    def document(self) -> dict[str, Any]:
        return {"job": self.job, "run": self.run, "people": self.people}


def run_and_tell(session: Session, engine: Engine, job_id: int) -> None:
    """Run a job to its end and print what came of it. Raises Ended when it did not complete.

    An alert has no end: it listens from now on, whenever Causeway runs.
    """
    from app.alerts.listening import listen
    from app.jobs import get_job

    if listen(engine, job_id, by_itself=False):
        alert = get_job(engine, job_id)
        session.answer(
            {"job": alert, "run": None, "people": None},
            lambda: output.tell(f"{alert.name} listens from now on, while Causeway or `causeway engine` runs."),
        )
        return
    _tell_end(session, asyncio.run(_run(engine, job_id, lambda supervisor: supervisor.run(job_id, "command line"))))


def retry_and_tell(session: Session, engine: Engine, job_id: int, run_id: int | None) -> None:
    """Read rejected rows again and print what came of it. Raises Ended when the run did not complete."""
    from app.jobs.rejected import retry_rejected, run_to_retry

    chosen = run_to_retry(engine, job_id, run_id)
    _tell_end(session, asyncio.run(_run(engine, job_id, lambda _: retry_rejected(engine, job_id, chosen))))


def _tell_end(session: Session, result: Result) -> None:
    run, job = result.run, result.job
    command = "run" if run.retries is None else "retry"
    again = f"`causeway job {command} {job.id}` goes on from there."
    match run.status:
        case "completed":
            session.answer(result.document(), lambda: _tell(result))
        case "cancelled":
            saved = f"{job.name} was stopped. {output.number(run.read, 'row')} of this run are saved."
            raise Ended(RunStopped(saved, advice=again), result.document())
        case "interrupted":
            saved = f"{job.name} was interrupted. {run.message} {output.number(run.read, 'row')} of this run are saved."
            raise Ended(RunFailed(saved, advice=again), result.document())
        case _:
            raise Ended(RunFailed(f"{job.name} failed. {run.message}"), result.document())


def _tell(result: Result) -> None:
    run, job = result.run, result.job
    if job.kind == "export":
        output.tell(f"{job.name}: {output.number(run.read, 'row')} sent.")
        return
    output.tell(
        f"{job.name}: {output.number(run.read, 'row')} read · {output.number(run.added, 'new person', 'new people')} · "
        f"{run.updated:,} updated · {run.rejected:,} rejected"
    )
    output.tell(f"The workspace now holds {output.number(result.people, 'person', 'people')}.")
    if run.rejected:
        output.tell(f"`causeway job rejected {job.id}` shows the rejected rows and why.")


async def _run(engine: Engine, job_id: int, begin: Callable[[Supervisor], Awaitable[int]]) -> Result:
    from app.jobs import get_job
    from app.profiles import count_profiles

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    with on_stop_signals(lambda: loop.call_soon_threadsafe(stop.set)):
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None
        try:
            run_id = await begin(supervisor)
            finished = loop.create_task(supervisor.finished(run_id))
            stopped = loop.create_task(stop.wait())
            with progress_bar(engine, lambda: _seen(supervisor.progress(job_id))):
                await asyncio.wait({finished, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not finished.done():
                    supervisor.cancel(run_id)
                run = await finished
            stopped.cancel()
            return Result(get_job(engine, job_id), run, count_profiles(engine))
        finally:
            await engine.stop()


@contextmanager
def on_stop_signals(callback: Callable[[], object]) -> Iterator[None]:
    """Call `callback`, in the main thread, instead of ending the program at Ctrl-C or SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        callback()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a progress bar shows: `done` of `total`, and figures beside it."""

    activity: str
    done: int
    total: int | None
    figures: str


@contextmanager
def progress_bar(engine: Engine, look: Callable[[], Seen | None]) -> Iterator[None]:
    """A bar on standard error while the block runs, if that is a terminal; `look` is asked at each change."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[numbers]}"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("Starting", total=None, numbers="")

        def show(change: object) -> None:
            seen = look()
            if seen is not None:
                bar.update(task, description=seen.activity, total=seen.total, completed=seen.done, numbers=seen.figures)

        unsubscribe = engine.changes.subscribe(show)
        try:
            yield
        finally:
            unsubscribe()


def _seen(progress: RunProgress | None) -> Seen | None:
    if progress is None:
        return None
    numbers = figures(progress.fraction, progress.rows, "rows", progress.rate, progress.seconds_left)
    return Seen(progress.activity, progress.done, progress.total, numbers)


def figures(fraction: float | None, count: int, unit: str, rate: float, seconds_left: float | None) -> str:
    """ "62% · 618,400 rows · 41,200/s · 0:12 left" """
    parts = []
    if fraction is not None:
        parts.append(f"{fraction:.0%}")
    if count:
        parts.append(f"{count:,} {unit} · {rate:,.0f}/s")
    if seconds_left is not None:
        minutes, seconds = divmod(round(seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    return " · ".join(parts)
