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
from app.jobs.process import Errand
from app.jobs.run_context import limited
from app.jobs.worker import Reporter
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
    memory: int
    """Megabytes that it may hold."""

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Clear all people of what is too old. Raises Cancelled."""
        advice = "What was cleared before stays so, and it is tried again. Allow more in the settings."
        with limited(self.memory, reporter, advice, what="Clearing fields of what is too old"):
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
                and await _clear(engine)
            ):
                cleared = now
        await asyncio.sleep(LOOK_SECONDS)


async def _clear(engine: Engine) -> bool:
    """Whether that was done to the end."""
    outcome = await Errand().carry_out(
        RetentionOrder(engine.workspace.database.path, int(engine.workspace.setting("run_memory_mb")))
    )
    if engine.supervisor is not None:
        engine.supervisor.clearing_error = outcome if outcome.status == "failed" else None
    engine.changes.announce(Change("profiles"))
    return outcome.status == "completed"


def _has_limits(engine: Engine) -> bool:
    with engine.workspace.database.read() as connection:
        return has_limits(connection)
