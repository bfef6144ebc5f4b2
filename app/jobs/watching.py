"""Begins the runs that are due: by schedule, after errors and limits, and when the network is back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.errors import CausewayError
from app.jobs.lifecycle import Happening, JobState, is_to_be_removed, is_to_be_warned, removal
from app.jobs.log import write_log
from app.jobs.operations import delete_job
from app.jobs.records import trigger_of
from app.jobs.schedule import Schedule
from app.jobs.states import STATE_COLUMNS, fail_after, happen, keep_ended, read_state, schedule_of, write_state
from app.rounds import LONGEST_REST, keep_looking

if TYPE_CHECKING:
    from app.engine import Engine

NETWORK_REST = 5.0
"""Seconds between two looks at the network while a job waits for it."""
JUMP = timedelta(seconds=10)
"""Where the two clocks differ by more, one was set, or the computer slept."""
TIDY_SECONDS = 3_600.0


async def keep_schedules(engine: Engine) -> None:
    """Begin runs as they fall due, until cancelled. A task for `Engine.at_start`."""
    await keep_looking(engine, ("jobs",), Watch(engine).look)


@dataclass(frozen=True, slots=True)
class _Sleeper:
    job_id: int
    state: JobState
    schedule: Schedule


class Watch:
    """Looks at the jobs that sleep; `look` is called again and again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: tuple[datetime, float] | None = None
        self._tidied: float | None = None
        self._network: str | None = None

    async def look(self) -> float:
        """Begin what is due; the answer is for how many seconds nothing will be, at most LONGEST_REST."""
        clock = self._engine.clock
        now, monotonic = clock.now(), clock.monotonic()
        if self._has_jumped(now, monotonic):
            await asyncio.to_thread(self._set_clock, now)
        if self._tidied is None or monotonic - self._tidied >= TIDY_SECONDS:
            self._tidied = monotonic
            await asyncio.to_thread(self._tidy, now)
        sleepers = await asyncio.to_thread(self._sleepers)
        moved = await self._has_moved()
        online = any(one.state.is_offline for one in sleepers) and await asyncio.to_thread(self._engine.has_network)
        rest = LONGEST_REST
        for sleeper in sleepers:
            state, wakes_at = sleeper.state, sleeper.state.wakes_at or now
            if wakes_at <= now or (state.waits_for == "network" and (online if state.is_offline else moved)):
                await self._begin(sleeper, now)
            elif state.waits_for == "network":
                rest = min(rest, NETWORK_REST)
            else:
                rest = min(rest, (wakes_at - now).total_seconds())
        return rest

    async def _has_moved(self) -> bool:
        """Whether this computer is in another network than at the last look; nobody knows what was before the first."""
        before, self._network = self._network, await asyncio.to_thread(self._engine.network)
        return self._network not in ("", before)

    def _has_jumped(self, now: datetime, monotonic: float) -> bool:
        """Whether the clock was set or the computer slept; nobody knows what was before the first look."""
        before, self._seen = self._seen, (now, monotonic)
        if before is None:
            return True
        return abs(now - before[0] - timedelta(seconds=monotonic - before[1])) > JUMP

    async def _begin(self, sleeper: _Sleeper, now: datetime) -> None:
        supervisor = self._engine.supervisor
        if supervisor is None or supervisor.running_run(sleeper.job_id) is not None:
            return
        trigger, reason = trigger_of(sleeper.state, sleeper.schedule, now)
        # Somebody may have run, paused or deleted it a moment ago.
        with suppress(CausewayError):
            await supervisor.run(sleeper.job_id, trigger, reason)

    def _sleepers(self) -> list[_Sleeper]:
        with self._engine.workspace.database.read() as connection:
            rows = connection.execute(
                f"select id, schedule, {STATE_COLUMNS} from jobs where status = 'sleeping' order by wakes_at, id"
            ).fetchall()
        return [_Sleeper(row["id"], read_state(row), schedule_of(row)) for row in rows]

    def _set_clock(self, now: datetime) -> None:
        patience = fail_after(self._engine)
        with self._engine.workspace.database.write() as connection:
            for (job_id,) in connection.execute("select id from jobs").fetchall():
                happen(connection, job_id, Happening("clock"), now, patience)

    def _tidy(self, now: datetime) -> None:
        """Remove jobs that did nothing for long enough, and say so a week before."""
        keep = keep_ended(self._engine)
        with self._engine.workspace.database.write() as connection:
            rows = connection.execute(f"select id, {STATE_COLUMNS} from jobs").fetchall()
            states = [(row["id"], read_state(row)) for row in rows]
            for job_id, state in states:
                if is_to_be_warned(state, now, keep):
                    warned = replace(state, warned_at=now)
                    write_state(connection, job_id, warned)
                    at = removal(warned, keep)
                    assert at is not None
                    message = (
                        f"This job will be removed on {at.day} {at:%B %Y}, as it has done nothing for "
                        f"{keep.days} days by then. Run, resume or edit it to keep it."
                    )
                    write_log(connection, job_id, None, "note", message, level="warning")
        for job_id, state in states:
            if is_to_be_removed(state, now, keep):
                delete_job(self._engine, job_id)
