"""Waiting for others, such as a server that says nothing, without the end of the program having to wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

LAST_SECONDS = 1.5
"""How long work whose waiter is cancelled may take to end well."""

Result = TypeVar("Result")


async def apart(work: Callable[[], Result]) -> Result:
    """Call `work` in a thread of its own; its result, or what it raises.

    When this is cancelled the work gets LAST_SECONDS more. After that nobody waits for it, and it ends with the
    program at the latest; `asyncio.to_thread` would hold the program until it is done.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Callable[[], Result]] = loop.create_future()

    def tell(outcome: Callable[[], Result]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if done.done() else done.set_result(outcome))

    def carry_out() -> None:
        try:
            result = work()
        except BaseException as error:
            raised = error

            def fail() -> Result:
                raise raised

            tell(fail)
        else:
            tell(lambda: result)

    threading.Thread(target=carry_out, name="apart", daemon=True).start()
    try:
        outcome = await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait([done], timeout=LAST_SECONDS)
        raise
    return outcome()
