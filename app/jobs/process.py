"""A worker process as its owner sees it: it gets one order, reports over a pipe, and ends.

An `Errand` is the whole of that for work that has a process to itself and waits for no turn.
"""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app.errors import NoProcess
from app.jobs.worker import Order, Outcome, outcome_of, work

CANCEL_SECONDS = 2.0
"""How long a worker may take to stop by itself before it is killed."""

_spawning = multiprocessing.get_context("spawn")


class WorkerProcess:
    """One process, warm and waiting for its order as soon as it is made. Making one takes a seventh of a second.

    Raises NoProcess.
    """

    def __init__(self) -> None:
        try:
            self._pipe, theirs = _spawning.Pipe()
            # Not a daemon of multiprocessing, which could not have a process beside it; hence the end by hand.
            self._process = _spawning.Process(target=work, args=(theirs,), name="causeway-worker")
            self._process.start()
        except OSError as error:
            raise NoProcess(
                "The system starts no other process for the work.",
                advice="Close other programs; it is tried again.",
                details=str(error),
            ) from error
        atexit.register(self._kill)
        theirs.close()

    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """How it ended: a negative number is the signal that ended it."""
        return self._process.exitcode

    def give(self, order: Any) -> None:
        """Send the order. A worker that is gone already is noticed by who listens."""
        with suppress(OSError):
            self._pipe.send(order)

    def listen(self, received: Callable[[Any], None], ended: Callable[[], None]) -> None:
        """From now on hand each message to the running loop, and say there when the process is gone."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop, received, ended), daemon=True).start()

    async def stop(self) -> None:
        """Ask it to stop, and kill it when it does not."""
        with suppress(OSError):
            self._pipe.send("cancel")
        await self._join()

    async def dismiss(self) -> None:
        """End a worker that has no order: it takes the end of its pipe for a no."""
        self._pipe.close()
        await self._join()

    async def _join(self) -> None:
        await asyncio.to_thread(self._process.join, CANCEL_SECONDS)
        self._kill()

    def _kill(self) -> None:
        atexit.unregister(self._kill)
        if self._process.is_alive():
            self._process.kill()

    def _listen(
        self, loop: asyncio.AbstractEventLoop, received: Callable[[Any], None], ended: Callable[[], None]
    ) -> None:
        with suppress(EOFError, OSError):
            while True:
                message = self._pipe.recv()
                loop.call_soon_threadsafe(received, message)
        self._process.join()
        atexit.unregister(self._kill)
        self._pipe.close()
        with suppress(RuntimeError):  # the loop is closed: the program is ending
            loop.call_soon_threadsafe(ended)


class Errand:
    """One order in a worker process of its own, from the making of the process to the outcome."""

    def __init__(self) -> None:
        self._worker: WorkerProcess | None = None
        self._stopping = False

    async def carry_out(self, order: Order, received: Callable[[Any], None] = lambda _: None) -> Outcome:
        """Give the order, hand what is reported to `received` in the loop, and wait for the end; how it ended.

        The outcome of a process that is gone without a word is "cancelled" after `stop`, else "interrupted". When this
        is cancelled, the process is stopped.
        """
        try:
            worker = await asyncio.to_thread(WorkerProcess)
        except NoProcess as error:
            return outcome_of(error)
        if self._stopping:
            await worker.dismiss()
            return Outcome("cancelled")
        outcomes: list[Outcome] = []
        ended = asyncio.Event()

        def heard(message: Any) -> None:
            if isinstance(message, Outcome):
                outcomes.append(message)
            else:
                received(message)

        self._worker = worker
        worker.listen(heard, ended.set)
        worker.give(order)
        try:
            await ended.wait()
        except asyncio.CancelledError:
            await worker.stop()
            raise
        return outcomes[-1] if outcomes else sudden_end(worker.exit_code, self._stopping)

    async def stop(self) -> None:
        """Have it end soon. What it did so far stays."""
        self._stopping = True
        if self._worker is not None:
            await self._worker.stop()


def sudden_end(exit_code: int | None, cancelled: bool) -> Outcome:
    """How work ended whose process is gone without a word."""
    if cancelled:
        return Outcome("cancelled")
    if exit_code is not None and exit_code < 0:
        with suppress(ValueError):
            name = signal.Signals(-exit_code).name
            return Outcome("interrupted", f"The worker process was ended from outside ({name}).")
    return Outcome("interrupted", f"The worker process ended unexpectedly (exit code {exit_code}).")
