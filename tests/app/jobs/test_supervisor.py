"""Runs in real worker processes: to the end, stopped, killed and continued, side by side."""

import asyncio
import errno
import gc
import multiprocessing
import re
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.authorizations import open_credentials
from app.engine import Engine
from app.errors import Refused
from app.jobs import get_job, importing, job_log, job_runs, process, rejected_rows, worker
from app.jobs.importing import ImportOrder
from app.profiles import count_profiles, search_profiles
from app.store.database import open_connection

ROWS = 45_000
MANY = [("email", "name", "visits"), *((f"p{row % 30_000}@example.com", f"Name {row}", row) for row in range(ROWS))]


def counts(engine: Engine) -> tuple[int, int]:
    """How many events and how many people there are."""
    with engine.workspace.database.read() as connection:
        return connection.execute("select count(*) from events").fetchone()[0], count_profiles(engine)


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


def test_a_run_ends_with_its_counts_in_the_job_its_history_and_its_log(
    engine: Engine, import_job: Any, write_csv: Any
) -> None:
    write_csv("a.csv", [("email", "name"), ("a@x.com", "Ann"), ("A@x.com", "Anna"), ("b@x.com", "Bob", "?")])
    job = import_job("a.csv")

    async def scenario() -> None:
        await engine.start()
        assert engine.supervisor is not None
        run = await engine.supervisor.finished(await engine.supervisor.run(job))
        assert (run.status, run.read, run.added, run.updated, run.rejected) == ("completed", 3, 1, 1, 1)
        assert engine.supervisor.busy == 0
        await engine.supervisor.stop()

    asyncio.run(scenario())
    info = get_job(engine, job)
    assert (info.status, info.reason) == ("completed", "1 added · 1 updated · 1 rejected")
    assert [line.event for line in reversed(job_log(engine, job)) if line.event != "note"] == [
        "started",
        "synced",
        "completed",
    ]
    (rejected,) = rejected_rows(engine, job)
    assert (rejected.line, rejected.text) == (4, "b@x.com,Bob,?")
    assert [person.fields["name"] for person in search_profiles(engine, "a@x.com")] == ["Anna"]


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_a_run_that_ends_early_goes_on_where_it_was(engine: Engine, import_job: Any, write_csv: Any, end: str) -> None:
    write_csv("many.csv", MANY)
    job = import_job("many.csv")

    async def scenario() -> None:
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None
        run_id = await supervisor.run(job)
        await first_rows(engine, job)
        if end == "killed":
            for process in multiprocessing.active_children():
                process.kill()
        else:
            supervisor.cancel(run_id)
        run = await supervisor.finished(run_id)
        assert run.status == {"killed": "interrupted", "stopped": "cancelled"}[end]
        assert 0 < run.read < ROWS
        assert get_job(engine, job).status == {"killed": "sleeping", "stopped": "paused"}[end]
        assert counts(engine)[0] == run.read
        again = await supervisor.finished(await supervisor.run(job))
        assert again.continues == run_id
        assert again.status == "completed"
        assert run.read + again.read == ROWS
        await supervisor.stop()

    asyncio.run(scenario())
    assert counts(engine) == (ROWS, 30_000)
    assert search_profiles(engine, "p5@example.com")[0].fields["visits"] == 30_005


def test_a_run_left_by_a_crash_of_the_program_is_interrupted_at_the_next_start(
    engine: Engine, import_job: Any, write_csv: Any
) -> None:
    write_csv("a.csv", [("email",), ("a@x.com",)])
    job = import_job("a.csv")
    with engine.workspace.database.write() as connection:
        connection.execute(
            """insert into runs (job_id, trigger, status, started_at, first_event_at)
            values (?, 'by hand', 'running', '', 0)""",
            (job,),
        )
        connection.execute("update jobs set status = 'running', reason = ''")

    async def scenario() -> None:
        await engine.start()
        assert engine.supervisor is not None
        await engine.supervisor.stop()

    asyncio.run(scenario())
    assert job_runs(engine, job)[0].status == "interrupted"
    info = get_job(engine, job)
    assert (info.status, info.errors) == ("sleeping", 1)
    assert info.reason == "Interrupted after 0 rows. It is tried again by itself."


def test_a_job_runs_once_at_a_time_and_others_wait_for_a_free_worker(
    engine: Engine, import_job: Any, write_csv: Any
) -> None:
    write_csv("many.csv", MANY)
    jobs = [import_job("many.csv") for _ in range(3)]

    async def scenario() -> None:
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None
        supervisor.limit = 1
        runs = [await supervisor.run(job) for job in jobs]
        assert (supervisor.busy, supervisor.waiting) == (1, 2)
        with pytest.raises(Refused, match="running already"):
            await supervisor.run(jobs[0])
        supervisor.cancel(runs[2])
        assert (await supervisor.finished(runs[2])).status == "cancelled"
        ended = [await supervisor.finished(run) for run in runs[:2]]
        assert [run.status for run in ended] == ["completed", "completed"]
        await supervisor.stop()

    asyncio.run(scenario())
    assert counts(engine) == (2 * ROWS, 30_000)


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"", {}, "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), {}, "PNG|picture|no table|image"),
        (b"email,name\na@x.com,Ann\n", {"timestamp_field": "when"}, "no column “when”"),
        (b"email,name\na@x.com,Ann\n", {"identifiers": ["mail"]}, "no column “mail”"),
    ],
)
def test_a_file_that_cannot_be_imported_fails_in_a_sentence_before_anything_is_written(
    engine: Engine, import_job: Any, files: Path, content: bytes, options: dict[str, Any], sentence: str
) -> None:
    (files / "a.csv").write_bytes(content)
    job = import_job("a.csv", **options)

    async def scenario() -> None:
        await engine.start()
        assert engine.supervisor is not None
        run = await engine.supervisor.finished(await engine.supervisor.run(job))
        assert run.status == "failed"
        await engine.supervisor.stop()

    asyncio.run(scenario())
    assert counts(engine) == (0, 0)
    assert re.search(sentence, get_job(engine, job).reason)


def test_a_file_that_was_replaced_is_not_continued_in_the_middle(
    engine: Engine, import_job: Any, write_csv: Callable[..., Path]
) -> None:
    write_csv("many.csv", MANY)
    job = import_job("many.csv")

    async def scenario() -> None:
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None
        run_id = await supervisor.run(job)
        await first_rows(engine, job)
        supervisor.cancel(run_id)
        before = await supervisor.finished(run_id)
        write_csv("many.csv", MANY[:-1])
        run = await supervisor.finished(await supervisor.run(job))
        assert run.status == "failed"
        assert "was replaced" in run.message
        assert counts(engine)[0] == before.read
        await supervisor.stop()

    asyncio.run(scenario())


def test_secrets_are_in_no_argument_and_no_environment_of_a_worker(engine: Engine) -> None:
    async def scenario() -> None:
        await engine.start()
        (worker,) = multiprocessing.active_children()
        arguments = await asyncio.to_thread(Path(f"/proc/{worker.pid}/cmdline").read_bytes)
        assert str(engine.workspace.folder).encode() not in arguments
        assert engine.supervisor is not None
        await engine.supervisor.stop()

    asyncio.run(scenario())
    assert multiprocessing.active_children() == []


def test_a_full_disk_is_told_and_what_was_saved_stays(
    engine: Engine, import_job: Any, write_csv: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv("many.csv", MANY)
    job = import_job("many.csv")
    with engine.workspace.database.write() as connection:
        connection.execute(
            """insert into runs (id, job_id, trigger, status, started_at, first_event_at)
            values (1, ?, 'by hand', 'running', '', 0)""",
            (job,),
        )

    def on_small_disk(path: Path) -> sqlite3.Connection:
        connection = open_connection(path)
        # SQLite's own limit answers as a full disk does: SQLITE_FULL.
        connection.execute(f"pragma max_page_count = {connection.execute('pragma page_count').fetchone()[0] + 2000}")
        return connection

    monkeypatch.setattr(worker, "open_connection", on_small_disk)
    # Here the worker is the tests' own process, which would be slow from now on.
    monkeypatch.setattr(worker, "NICENESS", 0)
    # The disk is small for this process only, so no chunk is written beside it.
    monkeypatch.setattr(importing, "BESIDE_AFTER", ROWS)
    here, there = multiprocessing.Pipe()
    order = ImportOrder(
        database=engine.workspace.database.path,
        job_id=job,
        run_id=1,
        function=engine.catalog.function("file-service", "csv_import"),
        credentials=open_credentials(engine, get_job(engine, job).authorization_id),
        options=get_job(engine, job).options,
        cursor=None,
        scratch=tmp_path / "scratch",
        keep=tmp_path / "keep",
        first_event_at=0,
        events_before=0,
    )
    there.send(order)
    signals = signal.getsignal(signal.SIGINT)
    worker.work(here)
    signal.signal(signal.SIGINT, signals)
    gc.enable()
    gc.unfreeze()
    outcome = there.recv()
    while not isinstance(outcome, worker.Outcome):
        outcome = there.recv()
    assert (outcome.status, outcome.message.split(" for ")[0]) == ("failed", "There is no space left")
    with engine.workspace.database.read() as connection:
        saved = connection.execute("select read from runs").fetchone()[0]
    assert 0 < saved < ROWS
    assert counts(engine)[0] == saved


def test_a_run_for_which_the_system_starts_no_process_is_tried_again(
    engine: Engine, import_job: Any, write_csv: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv("a.csv", [("email",), ("a@x.com",)])
    job = import_job("a.csv")

    def full(*_: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    async def scenario() -> None:
        with monkeypatch.context() as limited:
            limited.setattr(process._spawning, "Pipe", full)
            await engine.start()
            assert engine.supervisor is not None
            run = await engine.supervisor.finished(await engine.supervisor.run(job))
            assert run.message.startswith("The system starts no other process for the work.")
            info = get_job(engine, job)
            assert (info.status, info.waits_for, info.errors) == ("sleeping", "retry", 1)
        assert (await engine.supervisor.finished(await engine.supervisor.run(job))).status == "completed"
        await engine.supervisor.stop()

    asyncio.run(scenario())
