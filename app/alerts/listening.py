"""Alert jobs: they listen to system events and tell people of those that were chosen.

A job of the kind "alert" has no runs: as long as it is running, it listens. The first event is told at once; what
follows within WINDOW goes into one message, so that one broken provider does not send a hundred. What was told is
written down after it was sent, so every event is told at least once. When sending fails, the job's life goes on by the
same table as that of an import: it sleeps and tries again, and after hours of nothing but errors it has failed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from app.alerts.events import SystemEvent, find_events, newest_event, prune_events
from app.alerts.options import Wanted, wanted_of
from app.alerts.quota import events_of_month, watch_quota
from app.apart import apart
from app.authorizations import open_credentials
from app.changes import Change
from app.clock import moment_of, now_text, text_of
from app.errors import CausewayError
from app.jobs.blanking import Blanker
from app.jobs.lifecycle import Happening
from app.jobs.log import write_log
from app.jobs.model import JobEvent
from app.jobs.records import trouble
from app.jobs.states import fail_after, happen, write_state
from app.jobs.worker import Outcome, outcome_of
from app.rounds import LONGEST_REST, keep_looking
from connectors.kit.errors import WaitError
from connectors.kit.network import through_proxy
from connectors.kit.types import AlertEvent, Answer, Credentials, Level

if TYPE_CHECKING:
    from app.engine import Engine

WINDOW = timedelta(minutes=5)
"""At most one message of an alert in this time."""
MOST_EVENTS = 500
"""In one message; more of them wait for the next."""
MOST_REQUESTS = 5_000
"""Of an alert's requests, how many are kept as evidence: the newest."""
PRUNED_EVERY = 200
"""New events between two looks for those that are long gone."""
LISTENING = "Listening"
NOT_OPENED = Credentials("", {})
"""Of an alert that is not being sent yet."""


async def keep_listening(engine: Engine) -> None:
    """Send alerts as things happen, until cancelled. A task for `Engine.at_start`."""
    await keep_looking(engine, ("jobs", "runs", "authorizations", "schema"), Listener(engine).look)


def listen(engine: Engine, job_id: int, *, by_itself: bool) -> bool:
    """Let an alert job listen from now on; False for a job of another kind. Raises Refused if it does already."""
    with engine.workspace.database.write() as connection:
        row = connection.execute("select kind from jobs where id = ?", (job_id,)).fetchone()
        if row is None or row["kind"] != "alert":
            return False
        now, patience = engine.clock.now(), fail_after(engine)
        happen(connection, job_id, Happening("due" if by_itself else "run now"), now, patience)
        state = happen(connection, job_id, Happening("started"), now, patience)
        write_state(connection, job_id, replace(state, reason=LISTENING))
        connection.execute(
            "insert or ignore into alert_state (job_id, seen) values (?, ?)", (job_id, newest_event(connection))
        )
        if not by_itself:
            write_log(connection, job_id, None, "started", "Listens from now on")
    engine.changes.announce(Change("jobs", job_id))
    return True


@dataclass(slots=True)
class _Alert:
    """One message to be sent; it is the context that the provider is given."""

    job_id: int
    authorization_id: int | None
    provider: str
    function: str
    workspace: str
    options: Mapping[str, Any]
    events: list[SystemEvent]
    credentials: Credentials
    lines: list[tuple[str, Level]] = field(default_factory=list)
    requests: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def log(self, message: str, level: Level = "info") -> None:
        self.lines.append((message, level))

    def request(self, request: Mapping[str, Any]) -> None:
        self.requests.append((now_text(), request))


class Listener:
    """Looks at the alerts; `look` is called again and again, by one task."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._database = engine.workspace.database
        self._pruned = 0

    async def look(self) -> float:
        """Send what is to be sent; the answer is for how many seconds nothing will be, at most LONGEST_REST."""
        due, rest = await asyncio.to_thread(self._due)
        # What is not sent when the program ends is not written down as sent, and is sent at its next start.
        await asyncio.gather(*(apart(partial(self._send, alert)) for alert in due))
        return rest

    def _due(self) -> tuple[list[_Alert], float]:
        now = self._engine.clock.now()
        with self._database.read() as connection:
            rows = connection.execute(
                """select jobs.id, job_type, provider, authorization_id, options, seen, sent_at from jobs
                join alert_state on job_id = jobs.id where kind = 'alert' and status = 'running'"""
            ).fetchall()
        found = []
        for row in rows:
            try:
                kind = self._engine.catalog.job_type(row["job_type"])
                found.append((row, kind, wanted_of(kind, orjson.loads(row["options"]), row["id"])))
            except CausewayError as error:
                # Of another version of the program, say. The others go on.
                self._give_up(row["id"], error)
        self._tidy({row["id"]: wanted for row, _, wanted in found if wanted.quota}, now)
        due, rest = [], LONGEST_REST
        for row, kind, wanted in found:
            with self._database.read() as connection:
                events = _pending(connection, row["id"], wanted, row["seen"])
            if not events:
                continue
            waits = _waits(row["sent_at"], now)
            if waits > timedelta():
                rest = min(rest, waits.total_seconds())
                continue
            due.append(
                _Alert(
                    row["id"],
                    row["authorization_id"],
                    row["provider"],
                    kind.run,
                    self._engine.workspace.name,
                    orjson.loads(row["options"]),
                    events,
                    NOT_OPENED,
                )
            )
        return due, rest

    def _give_up(self, job_id: int, error: CausewayError) -> None:
        said = " ".join(part for part in (error.message, error.advice) if part)
        with self._database.write() as connection:
            now, patience = self._engine.clock.now(), fail_after(self._engine)
            happen(connection, job_id, Happening("failed", error.message), now, patience)
            write_log(connection, job_id, None, "failed", said, level="error")
        self._engine.changes.announce(Change("jobs", job_id))

    def _tidy(self, quotas: Mapping[int, Wanted], now: datetime) -> None:
        """Write the events of quotas that were reached, and let go of events that are long gone."""
        with self._database.read() as connection:
            newest = newest_event(connection)
            used = events_of_month(connection, now) if quotas else 0
        if not quotas and newest - self._pruned < PRUNED_EVERY:
            return
        self._pruned = newest
        with self._database.write() as connection:
            prune_events(connection)
            for job_id, wanted in quotas.items():
                watch_quota(connection, job_id, wanted, used, now)

    def _send(self, alert: _Alert) -> None:
        """Send one message, and write down what came of it."""
        engine = self._engine
        try:
            alert.credentials = open_credentials(engine, alert.authorization_id)
            function = engine.catalog.function(alert.provider, alert.function)
            events = [_told(event) for event in alert.events]
            with through_proxy(str(engine.workspace.setting("proxy"))):
                answers: list[Answer] = asyncio.run(function(alert, events))
            again = next((answer for answer in answers if answer.state == "again"), None)
            if again is not None:
                raise WaitError(again.reason, retry_after=again.retry_after)
        except Exception as error:
            self._failed(alert, outcome_of(error))
        else:
            self._arrived(alert, answers)
        engine.changes.announce(Change("jobs", alert.job_id))

    def _arrived(self, alert: _Alert, answers: list[Answer]) -> None:
        now = self._engine.clock.now()
        count = sum(answer.state == "sent" for answer in answers)
        with self._database.write() as connection:
            self._write_lines(connection, alert)
            # Somebody may have deleted it meanwhile.
            if not connection.execute("select 1 from jobs where id = ?", (alert.job_id,)).fetchone():
                return
            if count:
                titles = "; ".join(event.title for event in alert.events[-3:])
                more = f"{len(alert.events)} events, the last: " if len(alert.events) > 3 else ""
                write_log(connection, alert.job_id, None, "synced", f"Told of {more}{titles}", rows=count)
            for reason in dict.fromkeys(answer.reason for answer in answers if answer.state == "rejected"):
                write_log(connection, alert.job_id, None, "error", f"Was not taken: {reason}", level="error")
            connection.execute(
                "update alert_state set seen = max(seen, ?), sent_at = ? where job_id = ?",
                (alert.events[-1].id, text_of(now), alert.job_id),
            )
            happen(connection, alert.job_id, Happening("synced"), now, fail_after(self._engine))

    def _failed(self, alert: _Alert, outcome: Outcome) -> None:
        engine = self._engine
        now, patience = engine.clock.now(), fail_after(engine)
        happening = trouble(outcome, again=False, online=outcome.remedy != "wait" or engine.has_network())
        with self._database.write() as connection:
            self._write_lines(connection, alert)
            row = connection.execute("select status from jobs where id = ?", (alert.job_id,)).fetchone()
            if row is None:
                return
            state = happen(connection, alert.job_id, happening, now, patience)
            said = " ".join(part for part in (outcome.message, outcome.advice) if part)
            if state.status == "sleeping" and happening.what != "error":
                write_log(connection, alert.job_id, None, "sleeping", said, level="warning")
            else:
                kind: JobEvent = "failed" if state.status == "failed" else "error"
                write_log(connection, alert.job_id, None, kind, said, level="error")
            if outcome.details:
                write_log(connection, alert.job_id, None, "note", outcome.details, level="error")

    def _write_lines(self, connection: sqlite3.Connection, alert: _Alert) -> None:
        if not connection.execute("select 1 from jobs where id = ?", (alert.job_id,)).fetchone():
            return
        for message, level in alert.lines:
            write_log(connection, alert.job_id, None, "note", message, level=level)
        blanker = Blanker(alert.credentials.secrets.values())
        connection.executemany(
            "insert into alert_requests (job_id, at, request) values (?, ?, ?)",
            [
                (alert.job_id, at, orjson.dumps(blanker.blank_all(dict(request))).decode())
                for at, request in alert.requests
            ],
        )
        connection.execute(
            """delete from alert_requests where job_id = ?1 and id <= (
                select id from alert_requests where job_id = ?1 order by id desc limit 1 offset ?2)""",
            (alert.job_id, MOST_REQUESTS),
        )


def _pending(connection: sqlite3.Connection, job_id: int, wanted: Wanted, seen: int) -> list[SystemEvent]:
    """What an alert has not told yet."""
    return find_events(connection, seen, wanted.subject, wanted.types, wanted.ids, except_job=job_id, limit=MOST_EVENTS)


def _waits(sent_at: str | None, now: datetime) -> timedelta:
    """How long the next message has to wait. A clock that was put back does not make it longer than WINDOW."""
    if sent_at is None:
        return timedelta()
    since = now - moment_of(sent_at)
    return timedelta() if since < timedelta() else max(timedelta(), WINDOW - since)


def _told(event: SystemEvent) -> AlertEvent:
    return AlertEvent(event.at, event.title, event.message, event.wording.kind, event.wording.bad)
