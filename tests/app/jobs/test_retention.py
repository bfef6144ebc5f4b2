"""Fields that keep their values for some days only are cleared by a worker as soon as somebody watches over them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.changes import Change
from app.engine import Engine
from app.jobs.retention import keep_within_days
from app.profiles import find_profile, get_profile
from app.schema.operations import publish_schema, put_field
from app.schema.queries import published_schema


def test_old_values_go_and_the_others_stay(
    engine: Engine, import_job: Callable[..., int], write_csv: Callable[..., Path]
) -> None:
    write_csv("people.csv", [("email", "name", "seen"), ("ann@x.example", "Ann", "2020-01-02")])
    job = import_job("people.csv", timestamp_field="seen")

    def person() -> set[str]:
        found = find_profile(engine, "ann@x.example")
        assert found is not None
        return {field.name for field in get_profile(engine, found).fields}

    async def scenario() -> None:
        await engine.start()
        assert engine.supervisor is not None
        await engine.supervisor.finished(await engine.supervisor.run(job))
        assert "name" in person()
        name = published_schema(engine).field("name")
        assert name is not None
        put_field(engine, replace(name, keep_days=30))
        publish_schema(engine, "Names for a month")
        cleared = asyncio.Event()
        loop = asyncio.get_running_loop()

        def changed(change: Change) -> None:
            if change.what == "profiles":
                loop.call_soon_threadsafe(cleared.set)

        unsubscribe = engine.changes.subscribe(changed)
        keeping = asyncio.create_task(keep_within_days(engine))
        async with asyncio.timeout(30):
            while "name" in person():
                await cleared.wait()
                cleared.clear()
        unsubscribe()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await engine.supervisor.stop()

    asyncio.run(scenario())
    left = person()
    assert "name" not in left
    assert {"email", "seen"} <= left
