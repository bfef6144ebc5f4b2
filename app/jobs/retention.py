"""Once a day, fields that keep their values only for some days are cleared of older ones, in a worker process."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.changes import Change
from app.clock import now_microseconds
from app.errors import CausewayError
from app.jobs.process import WorkerProcess
from app.jobs.worker import Outcome, Reporter
from app.profiles.retention import drop_expired, has_limits

if TYPE_CHECKING:
    from app.engine import Engine

EVERY = timedelta(days=1)
LOOK_SECONDS = 3_600.0
"""Seconds between two looks whether a day has passed: a timer of a day would stand still while a computer sleeps."""


@dataclass(frozen=True, slots=True)
class RetentionOrder:
    """What the worker gets."""

    database: Path

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Clear all people of what is too old. Raises Cancelled."""
        drop_expired(connection, now_microseconds(), reporter.check)


async def keep_within_days(engine: Engine) -> None:
    """Clear now and once a day, until cancelled. A task for `Engine.at_start`."""
    cleared: datetime | None = None
    while True:
        now = engine.clock.now()
        # A file that is locked, or a full disk, is told by what the user does; the next look may find it well.
        with suppress(CausewayError):
            if (
                (cleared is None or now - cleared >= EVERY)
                and await asyncio.to_thread(_has_limits, engine)
                and (await _clear(engine)).status == "completed"
            ):
                cleared = now
        await asyncio.sleep(LOOK_SECONDS)


async def _clear(engine: Engine) -> Outcome:
    worker = await asyncio.to_thread(WorkerProcess)
    ended = asyncio.Event()
    outcomes: list[Outcome] = []
    worker.listen(outcomes.append, ended.set)
    worker.give(RetentionOrder(engine.workspace.database.path))
    try:
        await ended.wait()
    except asyncio.CancelledError:
        await worker.stop()
        raise
    engine.changes.announce(Change("profiles"))
    return outcomes[-1] if outcomes else Outcome("interrupted")


def _has_limits(engine: Engine) -> bool:
    with engine.workspace.database.read() as connection:
        return has_limits(connection)
