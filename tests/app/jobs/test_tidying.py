"""History that stays small: logs lose their oldest lines, hours become days, and no sum changes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.engine import Engine
from app.jobs import activity, job_log, tidying
from app.jobs.log import write_log
from app.jobs.tidying import keep_history_small, tidy


def fill(engine: Engine, job: int, lines: int) -> None:
    with engine.workspace.database.write() as connection:
        for number in range(lines):
            write_log(connection, job, None, "note", f"Line {number}")


def test_the_oldest_lines_are_let_go_and_that_is_said_once(
    engine: Engine, import_job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "LINES_AT_ONCE", 700)
    engine.workspace.change_setting("keep_log_lines", 1_000)
    long, short = import_job("a.csv"), import_job("b.csv")
    fill(engine, long, 3_000)
    fill(engine, short, 1_000)
    now = datetime.now(UTC)
    assert tidy(engine, now) == [long]
    lines = job_log(engine, long, limit=5_000)
    assert len(lines) == 1_000
    assert lines[0].message == "The log keeps the newest 1,000 lines of a job from now on; older ones are let go."
    assert (lines[1].message, lines[-1].message) == ("Line 2999", "Line 2001")
    assert len(job_log(engine, short, limit=5_000)) == 1_000
    fill(engine, long, 10)
    assert tidy(engine, now) == [long]
    lines = job_log(engine, long, limit=5_000)
    assert len(lines) == 1_000
    assert [line.message.startswith("The log keeps") for line in lines].count(True) == 1
    assert tidy(engine, now) == []


def test_a_search_takes_signs_as_they_are(engine: Engine, import_job: Any) -> None:
    job = import_job("a.csv")
    with engine.workspace.database.write() as connection:
        for message in ("100 % done", "100 of done", r"C:\data_1", "C:/data-1"):
            write_log(connection, job, None, "note", message)
    found = [[line.message for line in job_log(engine, job, search=sought)] for sought in ("0 %", "\\DATA_", "a_1")]
    assert found == [["100 % done"], [r"C:\data_1"], [r"C:\data_1"]]


def test_hours_become_days_and_sums_stay(engine: Engine, import_job: Any) -> None:
    job, other = import_job("a.csv"), import_job("b.csv")
    now = datetime.now(UTC).replace(hour=9)
    hours = [now - timedelta(days=day, hours=hour) for day in (0, 1, 27, 30, 60) for hour in range(24)]
    with engine.workspace.database.write() as connection:
        for number, hour in enumerate(hours):
            for of in (job, other):
                connection.execute(
                    """insert into activity (job_id, hour, added, updated, removed, omitted, rejected)
                    values (?, ?, ?, 1, 2, 3, 4)""",
                    (of, f"{hour:%Y-%m-%dT%H}", number),
                )
    spans = ("24h", "7d", "28d", "90d")
    before = [activity(engine, job, span) for span in spans]
    for _ in range(2):
        tidy(engine, now)
        assert [activity(engine, job, span) for span in spans] == before
        with engine.workspace.database.read() as connection:
            kept = [row[0] for row in connection.execute("select hour from activity where job_id = ?", (other,))]
        old = f"{now - timedelta(days=28):%Y-%m-%d}"
        assert [hour[10:] for hour in kept if hour < old] == ["T00"] * 4
        assert len(kept) == 3 * 24 + 4


def test_it_tidies_when_the_engine_starts(engine: Engine, import_job: Any) -> None:
    engine.workspace.change_setting("keep_log_lines", 1_000)
    job = import_job("a.csv")
    fill(engine, job, 1_200)
    told: list[Any] = []

    async def scenario() -> None:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        engine.changes.subscribe(lambda change: (told.append(change), loop.call_soon_threadsafe(done.set)))
        engine.at_start(lambda: keep_history_small(engine))
        await engine.start()
        await asyncio.wait_for(done.wait(), 20)
        await engine.stop()

    asyncio.run(scenario())
    assert [(change.what, change.id) for change in told] == [("runs", job)]
