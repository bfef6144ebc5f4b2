"""A worker process as its owner sees it: it gets one order, reports over a pipe, and ends."""

from __future__ import annotations

import asyncio
import atexit
import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app.jobs.worker import work

CANCEL_SECONDS = 2.0
"""How long a worker may take to stop by itself before it is killed."""

_spawning = multiprocessing.get_context("spawn")


class WorkerProcess:
    """One process, warm and waiting for its order as soon as it is made. Making one takes a seventh of a second."""

    def __init__(self) -> None:
        self._pipe, theirs = _spawning.Pipe()
        # Not a daemon of multiprocessing, which could not have a process beside it; hence the end by hand.
        self._process = _spawning.Process(target=work, args=(theirs,), name="causeway-worker")
        self._process.start()
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
