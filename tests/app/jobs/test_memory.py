"""A run that needs too much memory ends in a sentence; the others go on."""

import asyncio
import dataclasses
import subprocess
import sys
import threading
from typing import Any

import pytest

from app.engine import Engine
from app.jobs import get_job
from app.jobs.memory import MEGABYTE, ceiling, held
from app.workspace.settings import SETTINGS

MANY = [("email", "name"), *((f"p{row}@example.com", f"Name {row}") for row in range(30_000))]
HOLDS = "import sys; held = b'x' * (64 << 20); print(len(held), flush=True); sys.stdin.read()"


def test_the_ceiling_is_noticed_while_it_is_exceeded_and_not_before() -> None:
    noticed = threading.Event()
    with ceiling(held() + 32 * MEGABYTE, noticed.set):
        assert not noticed.is_set()
        much = b"x" * (64 * MEGABYTE)
        assert noticed.wait(30)
    del much


def test_the_process_beside_counts_too() -> None:
    before = held()
    with subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as beside:
        assert beside.stdout is not None
        beside.stdout.readline()
        # Only Linux tells a process of others.
        assert (held() - before > 60 * MEGABYTE) == (sys.platform == "linux")
        assert beside.stdin is not None
        beside.stdin.close()


def test_a_run_over_the_ceiling_fails_and_others_go_on(
    engine: Engine, import_job: Any, write_csv: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Any run needs more than the one megabyte that can't be chosen otherwise.
    monkeypatch.setitem(SETTINGS, "run_memory_mb", dataclasses.replace(SETTINGS["run_memory_mb"], least=1))
    write_csv("many.csv", MANY)
    well, large = import_job("many.csv"), import_job("many.csv")

    async def scenario() -> None:
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None
        first = await supervisor.run(well)
        started = asyncio.Event()
        # Progress is announced in the loop.
        unsubscribe = engine.changes.subscribe(lambda change: started.set() if change.what == "progress" else None)
        await asyncio.wait_for(started.wait(), 30)
        unsubscribe()
        engine.workspace.change_setting("run_memory_mb", 1)
        run = await supervisor.finished(await supervisor.run(large))
        assert run.status == "failed"
        assert run.message == (
            "The run was stopped: it needed more than 1 MB of memory. What was imported before is kept. "
            "Allow more in the settings, or split the file, and run it again."
        )
        assert get_job(engine, large).status == "failed"
        assert (await supervisor.finished(first)).status == "completed"
        engine.workspace.change_setting("run_memory_mb", 2_048)
        assert (await supervisor.finished(await supervisor.run(large))).status == "completed"
        await supervisor.stop()

    asyncio.run(scenario())
