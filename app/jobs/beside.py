"""Long work in two processes: one reads and prepares the next events while the other one writes the last."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from app.clock import now_microseconds
from app.jobs.worker import Cancelled, Failed, Outcome, outcome_of, without_collector
from app.profiles.ingest import ChunkResult, ChunkWriter, Stale, Target, Withdrawn
from app.profiles.prepare import Prepared, Preparer
from app.profiles.rebuild import ReadAhead
from app.profiles.reread import Portion, read_portion
from app.schema.mapping import load_schema
from app.store.database import open_connection, translated
from connectors.kit.types import Batch


class BesideWriter:
    """Takes batches and answers with the results of those before."""

    def __init__(self, database: Path, target: Target, preparer: Preparer) -> None:
        self._preparer = preparer
        self._given: Prepared | None = None
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=write_chunks, args=(theirs, database, target), name="causeway-writer", daemon=True
        )
        self._process.start()
        theirs.close()

    def put(self, batch: Batch) -> list[ChunkResult]:
        """Prepare a batch, wait for the one before, and let this one be written. Raises Failed and Cancelled."""
        prepared = self._preparer.prepare(batch)
        # Its texts hold all of it; the next batch is read while this one is written, and takes its place.
        batch.records = []
        done = self.finish()
        self._send(prepared)
        return done

    def finish(self) -> list[ChunkResult]:
        """Wait until everything is written; the results that were not answered yet."""
        while self._given is not None:
            match self._receive():
                case ChunkResult() as result:
                    self._given = None
                    return [result]
                case Outcome() as outcome:
                    raise Failed(outcome)
                case Stale():
                    self._send(self._preparer.again(self._given))
                case _:
                    raise Cancelled
        return []

    def close(self) -> None:
        """End the process; a chunk that it has been given is written or not written, but whole."""
        self._pipe.close()
        self._process.join()

    def _send(self, prepared: Prepared) -> None:
        with contextlib.suppress(OSError):  # the process is gone: the answer will say so
            self._pipe.send(prepared)
        # Kept in case it must be prepared again, for which its values are not needed.
        prepared.rows = []
        self._given = prepared

    def _receive(self) -> object:
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return Outcome(
                "interrupted", f"The process that wrote the rows ended unexpectedly (exit code {self._exit_code()})."
            )

    def _exit_code(self) -> int | None:
        self._process.join()
        return self._process.exitcode


def write_chunks(pipe: Connection, database: Path, target: Target) -> None:
    """The process: write each chunk that comes, answer with its result, end with the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    without_collector()
    # An end of the pipe means that the import is over, whichever way.
    with contextlib.suppress(EOFError, OSError):
        try:
            with translated(database), contextlib.closing(open_connection(database)) as connection:
                writer = ChunkWriter(connection, target)
                while True:
                    prepared = pipe.recv()
                    try:
                        pipe.send(writer.write(prepared))
                    except (Stale, Withdrawn) as answer:
                        pipe.send(answer)
        except (EOFError, OSError):
            raise
        except Exception as error:
            pipe.send(outcome_of(error))


@contextlib.contextmanager
def reading_beside(database: Path) -> Iterator[ReadAhead]:
    """Events for a rebuild, read by a process of its own as long as the block runs."""
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe(duplex=False)

    def portions(after: int, unwanted: tuple[int, ...]) -> Iterator[Portion]:
        process = context.Process(
            target=read_events, args=(theirs, database, after, unwanted), name="causeway-reader", daemon=True
        )
        process.start()
        theirs.close()
        with contextlib.suppress(EOFError, OSError):
            while True:
                yield pipe.recv()

    try:
        yield portions
    finally:
        pipe.close()


def read_events(pipe: Connection, database: Path, after: int, unwanted: tuple[int, ...]) -> None:
    """The process: send the events there are, portion by portion; who receives sets the pace."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    without_collector()
    # Whoever rebuilds reads for itself what does not come: an error here is met there as well.
    with contextlib.suppress(Exception), contextlib.closing(open_connection(database)) as connection:
        schema = load_schema(connection, now_microseconds())
        while (portion := read_portion(connection, schema, after, unwanted)).count:
            pipe.send(portion)
            after = portion.last
