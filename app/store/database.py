"""Connections to a workspace file: many readers, one short writer at a time, errors told in sentences."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from app.errors import CausewayError, DatabaseBusy, DatabaseCorrupt, DiskFull, WorkspaceReadOnly

BUSY_SECONDS = 30.0
"""How long a statement waits for another process's write transaction; those last well under a second."""
CLOSING_SECONDS = 10.0
"""How long closing waits for what another thread is doing."""


class Database:
    """One SQLite file, used by any number of threads, each with a connection of its own.

    The file is in WAL mode: readers see the last commit and never wait. Writers take turns, so a write
    transaction must be short (a chunk of an import, one change of a job).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: list[_Connection] = []
        self._closed = False

    def _connect(self) -> _Connection:
        """This thread's connection, opened at first use."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._closed:
            connection = _Connection(open_connection(self.path), RLock())
            with self._lock:
                self._closed = False
                self._connections.append(connection)
            self._local.connection = connection
        return connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Read; database errors become sentences."""
        with translated(self.path):
            connection = self._connect()
            with connection.in_use:
                yield connection.sqlite

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction, committed at the end of the block or rolled back as a whole."""
        with translated(self.path):
            connection = self._connect()
            with connection.in_use, transaction(connection.sqlite):
                yield connection.sqlite

    def close(self) -> None:
        """Close every thread's connection; the last one folds the WAL into the file.

        Waits for what other threads are just doing: SQLite crashes when a connection goes while it is used. One that
        is used for longer than `CLOSING_SECONDS` stays open until the program ends.
        """
        with self._lock:
            connections, self._connections = self._connections, []
            self._closed = True
        for connection in connections:
            if connection.in_use.acquire(timeout=CLOSING_SECONDS):
                connection.sqlite.close()
                connection.in_use.release()
        self._local = threading.local()


@dataclass(frozen=True, slots=True)
class _Connection:
    """A thread's connection, and what that thread holds while it uses it."""

    sqlite: sqlite3.Connection
    in_use: RLock


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A write transaction on an open connection: all or nothing."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def open_connection(path: Path) -> sqlite3.Connection:
    """A connection with the settings that every part of the program relies on."""
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.row_factory = sqlite3.Row
    for pragma in (
        "journal_mode = wal",
        "synchronous = normal",
        "foreign_keys = on",
        "temp_store = memory",
        "cache_size = -16384",
    ):
        connection.execute(f"pragma {pragma}")
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Tell SQLite's known failures in sentences; whatever else it raises is a defect and passes."""
    try:
        yield
    except sqlite3.Error as error:
        known = told(error, path)
        if known is None:
            raise
        raise known from error


def told(error: sqlite3.Error, path: Path) -> CausewayError | None:
    """The sentence for a failure that is nobody's defect, or None."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    details = f"{getattr(error, 'sqlite_errorname', '')}: {error}"
    match code:
        case sqlite3.SQLITE_FULL:
            return DiskFull(
                f"There is no space left for the workspace {path.parent}.",
                advice="Free some space on that disk and run it again; what was saved before stays.",
                details=details,
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return WorkspaceReadOnly(
                f"The workspace {path.parent} can't be written to.",
                advice="Check that the folder exists and belongs to you, or move the workspace to another folder.",
                details=details,
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return DatabaseCorrupt(
                f"The workspace file {path} is damaged.",
                advice="Restore the workspace from its last backup; the damaged file is left as it is.",
                details=details,
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseBusy(
                f"Another program keeps the workspace file {path} locked.",
                advice="Close other programs that have the file open, then try again.",
                details=details,
            )
        case sqlite3.SQLITE_IOERR:
            return DiskFull(
                f"The disk of the workspace {path.parent} reports an error.",
                advice="Check that the disk is connected and has space left, then run it again.",
                details=details,
            )
    return None
