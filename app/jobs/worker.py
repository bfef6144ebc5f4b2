"""The process that does heavy work: it gets one order over a pipe, carries it out, reports, and ends.

Orders travel through the pipe, secrets included: nothing of an order is an argument or in the environment. Messages
back are progress; the last one is an `Outcome`.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sqlite3
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Protocol

from app.errors import CausewayError, DatabaseBusy, NoProcess, NotFound, VaultLocked
from app.jobs.memory import kill_made
from app.store.database import open_connection, translated
from connectors.kit.errors import ConnectorError, SignInError, SourceChanged, Unreached, WaitError

NICENESS = 5
REPORT_SECONDS = 0.1
"""A worker reports at most ten times a second."""


Remedy = Literal["mend", "begin anew", "sign in", "wait", "again"]
"""What helps after a failure: mending the file or the configuration; beginning anew; a person who signs in; waiting for
the network or the provider; or just another try."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: "completed", "cancelled" or "failed" with a sentence and, maybe, technical details.

    `remedy` says what helps after a failure, `retry_after` the seconds that a provider asked to wait, `unreached` that
    something is in the way to it.
    """

    status: str
    message: str = ""
    advice: str = ""
    details: str = ""
    remedy: Remedy = "mend"
    retry_after: float | None = None
    unreached: bool = False


class Cancelled(Exception):
    """The user stopped the work, or the program that watches over it is gone."""


class Failed(Exception):
    """The work failed in another process, which said how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class Reporter:
    """Sends progress, at most every REPORT_SECONDS, and says when to stop."""

    def __init__(self, pipe: Connection, cancelled: threading.Event) -> None:
        self._pipe = pipe
        self._cancelled = cancelled
        self._last = 0.0
        self._turn = threading.Lock()

    def report(self, progress: Any) -> None:
        """Send what is to be told, unless something was sent a moment ago."""
        now = time.monotonic()
        if now - self._last >= REPORT_SECONDS:
            self._last = now
            self._send(progress)

    def tell(self, message: Any) -> None:
        """Send what must arrive, whatever was sent a moment ago."""
        self._send(message)

    def give_up(self, outcome: Outcome) -> None:
        """End this process and those it has made at once; from any thread. What is saved stays."""
        # Nobody else sends after this: the lock is never given back.
        self._turn.acquire()
        kill_made()
        with contextlib.suppress(OSError):
            self._pipe.send(outcome)
        os._exit(1)

    def _send(self, message: Any) -> None:
        with self._turn, contextlib.suppress(OSError):
            self._pipe.send(message)

    def end(self, outcome: Outcome) -> None:
        """Send the last message. A supervisor that is gone finds the run in the workspace when it starts again."""
        self._send(outcome)

    def check(self) -> None:
        """Raises Cancelled when the work is to stop."""
        self.pause(0)

    def pause(self, seconds: float) -> None:
        """Leave others the file for a moment. Raises Cancelled when the work is to stop."""
        if self._cancelled.wait(seconds):
            raise Cancelled


class Order(Protocol):
    """What a worker is to do with a workspace file."""

    @property
    def database(self) -> Path: ...
    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None: ...


def work(pipe: Connection) -> None:
    """The process: wait for an order, carry it out, end."""
    # Ctrl-C in a terminal reaches every process of the group; stopping is the supervisor's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        order = pipe.recv()
    except (EOFError, OSError):
        return
    if hasattr(os, "nice"):
        # A long import keeps two processes busy; the window must not have to wait for its turn.
        os.nice(NICENESS)
    cancelled = threading.Event()
    threading.Thread(target=_listen, args=(pipe, cancelled), daemon=True).start()
    reporter = Reporter(pipe, cancelled)
    reporter.end(carry_out(order, reporter))


def _listen(pipe: Connection, cancelled: threading.Event) -> None:
    """Whatever arrives after the order, the end of the pipe included, means: stop."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv()
    cancelled.set()


def carry_out(order: Order, reporter: Reporter) -> Outcome:
    """Carry out an order to its end; every failure becomes an outcome."""
    connection: sqlite3.Connection | None = None
    without_collector()
    try:
        with translated(order.database):
            connection = open_connection(order.database)
            order.carry_out(connection, reporter)
    except Exception as error:
        return outcome_of(error)
    finally:
        if connection is not None:
            connection.close()
    return Outcome("completed")


def without_collector() -> None:
    """A chunk's many short-lived values hold no cycles, and looking for some would cost a quarter of the run."""
    gc.freeze()
    gc.disable()


def outcome_of(error: Exception) -> Outcome:
    """What a failure means to people."""
    match error:
        case Cancelled():
            return Outcome("cancelled")
        case Failed():
            return error.outcome
        case ConnectorError() | CausewayError():
            wait = error.retry_after if isinstance(error, WaitError) else None
            return Outcome(
                "failed",
                error.message,
                error.advice,
                error.details,
                _remedy(error),
                wait,
                unreached=isinstance(error, Unreached),
            )
        case MemoryError():
            return Outcome(
                "failed", "The run needed more memory than there is.", "Close other programs and run it again."
            )
    return Outcome(
        "failed",
        f"The run stopped because of a defect in Causeway ({type(error).__name__}).",
        "Please report it with the details; what was imported before is kept.",
        "".join(traceback.format_exception(error)),
    )


def _remedy(error: Exception) -> Remedy:
    match error:
        case WaitError():
            return "wait"
        case SignInError() | NotFound():
            return "sign in"
        case SourceChanged():
            return "begin anew"
        case DatabaseBusy() | VaultLocked() | NoProcess():
            return "again"
    return "mend"
