"""Rebuilding people from the command line: to the end, with a progress bar on a terminal, interrupted by Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.cli import output
from app.cli.running import Seen, figures, on_stop_signals, progress_bar
from app.cli.session import Ended
from app.errors import CausewayError

if TYPE_CHECKING:
    from app.engine import Engine
    from app.jobs.worker import Outcome

Begin = Callable[["Engine"], Coroutine[None, None, None]]


class RebuildFailed(CausewayError):
    """The rebuild ended early; people are as they were before."""


class RebuildStopped(CausewayError):
    """Somebody stopped the rebuild."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many people there are after a rebuild, and the runs that were left out of it."""

    people: int
    undone: tuple[int, ...]


def rebuild_people(engine: Engine, begin: Begin, document: dict[str, Any]) -> Rebuilt:
    """Begin a rebuild and see it to its end. Raises Ended with `document` when it did not get there."""
    from app.profiles import count_profiles

    outcome, undone, done = asyncio.run(_run(engine, begin))
    said = {**document, "status": outcome.status, "undone": undone}
    if outcome.status == "completed":
        return Rebuilt(count_profiles(engine), undone)
    advice = "`causeway schema rebuild` goes on from there, with --give-up it is forgotten."
    if outcome.status == "cancelled":
        sentence = f"The rebuild was stopped after {output.number(done, 'event')}. People are as they were before."
        raise Ended(RebuildStopped(sentence, advice=advice), said)
    sentence = " ".join(filter(None, (outcome.message, outcome.advice, "People are as they were before.")))
    raise Ended(RebuildFailed(sentence, advice=advice, details=outcome.details), said)


async def _run(engine: Engine, begin: Begin) -> tuple[Outcome, tuple[int, ...], int]:
    """How it ended, which runs were left out, and how many events it had done where it did not get to its end."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    with on_stop_signals(lambda: loop.call_soon_threadsafe(stop.set)):
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None
        rebuilds = supervisor.rebuilds

        def look() -> Seen | None:
            progress = rebuilds.progress
            if progress is None:
                return None
            numbers = figures(progress.fraction, progress.done, "events", progress.rate, progress.seconds_left)
            return Seen("Rebuilding people", progress.done, progress.total or None, numbers)

        try:
            with progress_bar(engine, look):
                await begin(engine)
                finished = loop.create_task(rebuilds.finished())
                stopped = loop.create_task(stop.wait())
                await asyncio.wait({finished, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not finished.done():
                    await rebuilds.stop()
                outcome = await finished
                stopped.cancel()
            assert outcome is not None
            state = await asyncio.to_thread(rebuilds.unfinished)
            return outcome, rebuilds.undone, state.done if state is not None else 0
        finally:
            await engine.stop()
