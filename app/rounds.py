"""Looking again and again at what is to be done, at the latest when somebody says that it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from app.changes import Change
from app.errors import CausewayError

if TYPE_CHECKING:
    from app.engine import Engine

LONGEST_REST = 30.0
"""Seconds. Timers stand still while a computer sleeps, so they are never set for long."""


async def keep_looking(engine: Engine, kinds: Collection[str], look: Callable[[], Awaitable[float]]) -> None:
    """Call `look` until cancelled: after as many seconds as it answers, or at once after a change of these kinds."""
    stirred = asyncio.Event()
    loop = asyncio.get_running_loop()

    def changed(change: Change) -> None:
        if change.what in kinds:
            with suppress(RuntimeError):  # the loop is closed: the program is ending
                loop.call_soon_threadsafe(stirred.set)

    unsubscribe = engine.changes.subscribe(changed)
    try:
        while True:
            stirred.clear()
            rest = LONGEST_REST
            # A file that is locked, or a full disk, is told by what the user does; the next look may find it well.
            with suppress(CausewayError):
                rest = await look()
            # Not wait_for, which in Python 3.11 can swallow a cancellation that comes with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await stirred.wait()
    finally:
        unsubscribe()
