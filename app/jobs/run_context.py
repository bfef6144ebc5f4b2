"""What every run of a job writes down as it goes: its log, what it asked for, how far it is."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

from app.clock import now_text
from app.jobs.blanking import Blanker
from app.jobs.log import write_log
from app.jobs.memory import MEGABYTE, ceiling
from app.jobs.model import JobEvent, RunProgress
from app.jobs.worker import Outcome, Reporter
from app.store.database import transaction
from connectors.kit.types import Credentials, Level

MOST_REQUESTS, LONGEST_REQUEST = 5_000, 8_000
"""Of a run's requests, how many are kept as evidence, and how many characters of each."""
TOO_LONG = '{"action": "a request too long to be kept"}'


class RunContext:
    """The part of a connector's context that imports and exports have alike."""

    def __init__(
        self, job_id: int, run_id: int, credentials: Credentials, connection: sqlite3.Connection, reporter: Reporter
    ) -> None:
        self.credentials = credentials
        self.job_id = job_id
        self._run_id = run_id
        self._connection = connection
        self._reporter = reporter
        self._blanker = Blanker(credentials.secrets.values())
        self._requests = 0
        self._rows = 0
        """Rows read or sent so far, for the progress."""
        self._started = time.monotonic()
        self._first_done: tuple[float, int] | None = None

    def log(self, message: str, level: Level = "info") -> None:
        """A line in the job's log."""
        self._write_log("note", message, level)

    def request(self, request: Mapping[str, Any]) -> None:
        """What was opened or asked for, for evidence."""
        self._requests += 1
        if self._requests > MOST_REQUESTS:
            return
        text = orjson.dumps(self._blanker.blank_all(dict(request))).decode()
        with transaction(self._connection):
            self._connection.execute(
                "insert into run_requests (run_id, at, request) values (?, ?, ?)",
                (self._run_id, now_text(), text if len(text) <= LONGEST_REQUEST else TOO_LONG),
            )
        if self._requests == MOST_REQUESTS:
            self._write_log("note", f"Of what is asked for, the first {MOST_REQUESTS:,} requests are kept as evidence.")

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        """Report; raises Cancelled when the run is to stop."""
        self._reporter.check()
        now = time.monotonic()
        if self._first_done is None or self._first_done[1] > done:
            self._first_done = (now, done)
        since, at = self._first_done
        speed = (done - at) / (now - since) if now > since else 0.0
        left = (total - done) / speed if total is not None and speed > 0 else None
        rate = self._rows / (now - self._started) if now > self._started else 0.0
        self._reporter.report(RunProgress(activity, done, total, unit, self._rows, rate, left))

    def _write_log(self, event: JobEvent, message: str, level: Level = "info", rows: int | None = None) -> None:
        with transaction(self._connection):
            write_log(self._connection, self.job_id, self._run_id, event, message, level=level, rows=rows)


@contextmanager
def limited(megabytes: int, reporter: Reporter, advice: str, *, what: str = "The run") -> Iterator[None]:
    """Stop the work as soon as it holds more memory than this while the block runs; `advice` says what helps."""
    stopped = Outcome("failed", f"{what} was stopped: it needed more than {megabytes:,} MB of memory.", advice)
    with ceiling(megabytes * MEGABYTE, lambda: reporter.give_up(stopped)):
        yield
