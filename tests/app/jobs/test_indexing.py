"""Who looks after the index of people's words: a worker process after each run, and at the start for what was left."""

from __future__ import annotations

import asyncio
from typing import Any

from app.changes import Change
from app.engine import Engine
from app.jobs.process import WorkerProcess
from app.profiles import count_unindexed, search_profiles


class Indexed:
    """Waits until the engine says that everybody is indexed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        self._unsubscribe = engine.changes.subscribe(self._heard)

    def _heard(self, change: Change) -> None:
        if change.what == "index" and not count_unindexed(self._engine):
            self._loop.call_soon_threadsafe(self._done.set)

    async def wait(self) -> None:
        await asyncio.wait_for(self._done.wait(), 30)
        self._unsubscribe()


def unindex(engine: Engine) -> None:
    with engine.workspace.database.write() as connection:
        connection.execute("insert or ignore into unindexed select _id from profiles")


async def stop(engine: Engine) -> None:
    assert engine.supervisor is not None
    await engine.supervisor.stop()
    engine.supervisor = None


def test_people_are_indexed_after_a_run_and_at_the_next_start(engine: Engine, import_job: Any, write_csv: Any) -> None:
    write_csv("a.csv", [("email", "name"), *((f"p{place}@x.example", "Ann Arbor") for place in range(3000))])
    job = import_job("a.csv")

    async def scenario() -> None:
        indexed = Indexed(engine)
        await engine.start()
        assert engine.supervisor is not None
        await engine.supervisor.finished(await engine.supervisor.run(job))
        await indexed.wait()
        await stop(engine)
        assert len(search_profiles(engine, "arb", limit=5000)) == 3000

        unindex(engine)
        indexed = Indexed(engine)
        await engine.start()
        await indexed.wait()
        await stop(engine)
        assert len(search_profiles(engine, "arb", limit=5000)) == 3000

    asyncio.run(scenario())


def test_a_worker_that_is_killed_leaves_the_rest_for_the_next_change(
    engine: Engine, import_job: Any, write_csv: Any, monkeypatch: Any
) -> None:
    write_csv("a.csv", [("email", "name"), *((f"p{place}@x.example", "Ann") for place in range(3000))])
    job = import_job("a.csv")
    killed: list[bool] = []

    class Fragile(WorkerProcess):
        def give(self, order: Any) -> None:
            if not killed:
                killed.append(True)
                self._process.kill()
            super().give(order)

    monkeypatch.setattr("app.jobs.process.WorkerProcess", Fragile)

    async def scenario() -> None:
        ended = Indexed(engine)
        await engine.start()
        assert engine.supervisor is not None
        await engine.supervisor.finished(await engine.supervisor.run(job))
        first = asyncio.Event()
        engine.changes.subscribe(lambda change: change.what == "index" and first.set())
        await asyncio.wait_for(first.wait(), 30)
        assert (killed, count_unindexed(engine)) == ([True], 3000)
        engine.changes.announce(Change("profiles"))
        await ended.wait()
        await stop(engine)

    asyncio.run(scenario())
    assert len(search_profiles(engine, "ann", limit=5000)) == 3000
