"""Rejected rows that are read again: only those, each once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.engine import Engine
from app.errors import NotFound, Refused
from app.jobs import edit_job, get_job, job_log, job_runs, rejected_count, rejected_rows
from app.jobs.rejected import retry_rejected
from app.jobs.supervisor import Supervisor
from app.profiles import count_profiles, search_profiles

TEXT = 'card,name\na1,Ann\n"b1,Bob\nc1,Cleo\nd1,Dan,?\n"e1,Eve\n'
"""Rows 3 and 6 begin with a quote that nothing closes; row 5 has a field too many."""


def play(engine: Engine, scenario: Callable[[Supervisor], Awaitable[None]]) -> None:
    async def whole() -> None:
        await engine.start()
        assert engine.supervisor is not None
        await scenario(engine.supervisor)
        await engine.supervisor.stop()
        engine.supervisor = None

    asyncio.run(whole())


@pytest.fixture
def job(engine: Engine, import_job: Any, files: Path) -> int:
    """A job that ran once and could not take three of five rows."""
    (files / "a.csv").write_text(TEXT, "utf-8")
    made: int = import_job("a.csv", delimiter=",", identifiers=["card"])

    async def scenario(supervisor: Supervisor) -> None:
        run = await supervisor.finished(await supervisor.run(made))
        assert (run.status, run.read, run.added, run.rejected) == ("completed", 5, 2, 3)

    play(engine, scenario)
    assert [row.line for row in rejected_rows(engine, made)] == [3, 5, 6]
    return made


def test_rows_that_can_be_taken_now_leave_the_list(engine: Engine, job: int) -> None:
    edit_job(engine, job, options=get_job(engine, job).options | {"quote": "none"})

    async def scenario(supervisor: Supervisor) -> None:
        run = await supervisor.finished(await retry_rejected(engine, job))
        assert (run.status, run.trigger, run.read, run.added, run.rejected) == ("completed", "rejected rows", 3, 2, 1)

    play(engine, scenario)
    again, first = job_runs(engine, job)
    assert (again.retries, again.continues, first.rejected) == (first.id, None, 3)
    assert [(row.run_id, row.line) for row in rejected_rows(engine, job)] == [(again.id, 5)]
    assert count_profiles(engine) == 4
    assert [person.fields["name"] for person in search_profiles(engine, '"e1')] == ["Eve"]
    info = get_job(engine, job)
    assert (info.status, info.reason) == ("completed", "2 added · 0 updated · 1 rejected")

    async def once_more(supervisor: Supervisor) -> None:
        run = await supervisor.finished(await retry_rejected(engine, job))
        assert (run.retries, run.read, run.rejected) == (again.id, 1, 1)
        whole = await supervisor.finished(await supervisor.run(job))
        assert (whole.continues, whole.read, whole.updated, whole.rejected) == (None, 5, 4, 1)

    play(engine, once_more)


def test_a_retry_that_is_stopped_changes_neither_job_nor_list(engine: Engine, job: int) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        run_id = await retry_rejected(engine, job)
        supervisor.cancel(run_id)
        run = await supervisor.finished(run_id)
        assert run.status == "cancelled"

    play(engine, scenario)
    assert len(rejected_rows(engine, job)) == 3
    assert get_job(engine, job).status == "completed"
    assert "rejected rows were read again, the others stay in the list" in job_log(engine, job, limit=1)[0].message


def test_another_file_is_refused_and_the_list_stays(engine: Engine, job: int, files: Path) -> None:
    (files / "a.csv").write_text(TEXT + "f1,Fay\n", "utf-8")

    async def scenario(supervisor: Supervisor) -> None:
        run = await supervisor.finished(await retry_rejected(engine, job))
        assert run.status == "failed"
        assert run.message.startswith("a.csv is not the file any more that held the rejected rows.")

    play(engine, scenario)
    assert len(rejected_rows(engine, job)) == 3
    assert (get_job(engine, job).status, count_profiles(engine)) == ("completed", 2)


def test_what_can_not_be_retried_is_refused(engine: Engine, job: int, import_job: Any) -> None:
    other = import_job("b.csv")

    async def scenario(supervisor: Supervisor) -> None:
        with pytest.raises(Refused, match="No rejected row of “Import b"):
            await retry_rejected(engine, other)
        with pytest.raises(NotFound, match="has no run 1"):
            await retry_rejected(engine, other, 1)
        with engine.workspace.database.write() as connection:
            connection.execute("update runs set status = 'interrupted' where job_id = ?", (job,))
        with pytest.raises(Refused, match="did not complete"):
            await retry_rejected(engine, job)

    play(engine, scenario)


def test_a_retry_that_is_killed_takes_no_row_twice(engine: Engine, import_job: Any, files: Path) -> None:
    rows = 45_000
    (files / "many.csv").write_text("card,name\n" + "".join(f'"{row},Name\n' for row in range(rows)), "utf-8")
    job = import_job("many.csv", delimiter=",", identifiers=["card"])

    async def scenario(supervisor: Supervisor) -> None:
        run = await supervisor.finished(await supervisor.run(job))
        assert (run.status, run.rejected) == ("completed", rows)
        await asyncio.to_thread(edit_job, engine, job, options=get_job(engine, job).options | {"quote": "none"})
        run_id = await retry_rejected(engine, job)
        await first_rows(engine, job)
        for process in multiprocessing.active_children():
            process.kill()
        killed = await supervisor.finished(run_id)
        assert (killed.status, 0 < killed.read < rows) == ("interrupted", True)
        assert rejected_count(engine, job) == rows - killed.read
        rest = await supervisor.finished(await retry_rejected(engine, job))
        assert (rest.status, rest.retries, rest.read) == ("completed", run.id, rows - killed.read)

    play(engine, scenario)
    assert (rejected_count(engine, job), count_profiles(engine)) == (0, rows)
    with engine.workspace.database.read() as connection:
        assert connection.execute("select count(*) from events").fetchone()[0] == rows


async def first_rows(engine: Engine, job: int) -> None:
    """Wait until a chunk of the job's run is saved."""
    assert engine.supervisor is not None
    loop, saved = asyncio.get_running_loop(), asyncio.Event()

    def changed(change: Any) -> None:
        progress = engine.supervisor.progress(job) if engine.supervisor else None
        if progress is not None and progress.rows:
            loop.call_soon_threadsafe(saved.set)

    unsubscribe = engine.changes.subscribe(changed)
    await asyncio.wait_for(saved.wait(), 30)
    unsubscribe()
