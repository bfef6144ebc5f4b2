"""Series of files through the whole engine: each row once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job, get_job, job_log
from app.jobs.supervisor import Supervisor
from app.profiles import count_profiles, search_profiles

FILES, ROWS = 5, 4_000


def play(engine: Engine, scenario: Callable[[Supervisor], Awaitable[None]]) -> None:
    async def whole() -> None:
        await engine.start()
        assert engine.supervisor is not None
        await scenario(engine.supervisor)
        await engine.supervisor.stop()
        engine.supervisor = None

    asyncio.run(whole())


def put(target: Path, text: str, day: int) -> None:
    target.write_text(text, "utf-8")
    os.utime(target, (1_768_000_000 + day * 86_400,) * 2)


async def saved(engine: Engine, job: int, rows: int) -> None:
    """Wait until so many rows of the job's run are saved."""
    assert engine.supervisor is not None
    supervisor, loop, event = engine.supervisor, asyncio.get_running_loop(), asyncio.Event()

    def changed(change: Any) -> None:
        progress = supervisor.progress(job)
        if progress is not None and progress.rows >= rows:
            loop.call_soon_threadsafe(event.set)

    leave = engine.changes.subscribe(changed)
    await asyncio.wait_for(event.wait(), 60)
    leave()


def test_a_series_whose_worker_is_killed_brings_each_row_once(engine: Engine, import_job: Any, files: Path) -> None:
    for day in range(FILES):
        # Each file holds all that the ones before it held.
        rows = "".join(f"{row},Name\n" for row in range((day + 1) * ROWS))
        put(files / f"c_2026010{day + 1}.csv", "card,name\n" + rows, day)
    job = import_job(
        "c_20260101.csv", identifiers=["card"], continuous_update=True, diff=True, after_import="move", move_to="done"
    )

    async def scenario(supervisor: Supervisor) -> None:
        run_id = await supervisor.run(job)
        await saved(engine, job, 2 * ROWS)
        for process in multiprocessing.active_children():
            process.kill()
        assert (await supervisor.finished(run_id)).status == "interrupted"
        run = await supervisor.finished(await supervisor.run(job))
        assert run.status == "completed", run.message
        again = await supervisor.finished(await supervisor.run(job))
        assert (again.status, again.read) == ("completed", 0)

    play(engine, scenario)
    with engine.workspace.database.read() as connection:
        assert connection.execute("select count(*) from events").fetchone()[0] == FILES * ROWS
        assert connection.execute("select count(*) from imported_files").fetchone()[0] == FILES
    assert count_profiles(engine) == FILES * ROWS
    assert [path.name for path in files.iterdir()] == ["done"]


def test_levels_and_lists_of_json_become_fields_and_sets(engine: Engine, files: Path) -> None:
    lines = [
        {"user": {"email": "maja@example.com", "city": "Lund"}, "tags": ["a", "b"], "orders": [{"id": 1}]},
        {"user": {"email": "maja@example.com", "city": "Malmö"}, "tags": ["c"]},
    ]
    put(files / "e-20260101.json", "\n".join(map(json.dumps, lines)) + "\n{broken\n", 0)
    folder = add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})
    options = {"filename": "e-20260101.json", "stream": "events", "identifiers": ["user.email"]}
    job = create_job(engine, JobDraft("Events", "file-service-json-import", folder, options))

    async def scenario(supervisor: Supervisor) -> None:
        run = await supervisor.finished(await supervisor.run(job))
        assert (run.status, run.read, run.rejected) == ("completed", 3, 1), run.message

    play(engine, scenario)
    (person,) = search_profiles(engine, "maja")
    assert person.fields["user_city"] == "Malmö"
    assert json.loads(person.fields["tags"]) == ["a", "b", "c"]
    assert "orders" not in person.fields
    assert get_job(engine, job).status == "completed"
    assert any("one JSON object per line" in line.message for line in job_log(engine, job, limit=20))
