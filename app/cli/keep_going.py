"""`causeway engine`: the engine with no window."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.passphrase import PASSPHRASE_STDIN, passphrase_option, unlock
from app.cli.running import on_stop_signals
from app.cli.session import Session

if TYPE_CHECKING:
    from app.engine import Engine


@click.command(cls=Command)
@passphrase_option
@click.pass_obj
def engine(session: Session) -> None:
    """Run jobs as they fall due, with no window, until Ctrl-C or SIGTERM.

    Runs that were missed are caught up once; runs and a rebuild that were interrupted go on. Other processes can read
    meanwhile.
    """
    with session.changing() as opened:
        state = opened.vault.state()
        if session.passphrase_from_input or session.interactive():
            unlock(session, opened)
        elif state.kind == "file" and state.locked:
            output.say(f"The secrets file is locked: jobs that sign in with a secret wait. {PASSPHRASE_STDIN}")
        name, folder = opened.workspace.name, opened.workspace.folder
        asyncio.run(_keep_going(opened, f"In charge of {name} ({output.path_text(folder)}). Ctrl-C ends it."))
    session.answer({"workspace": folder, "ended": "asked to stop"}, lambda: output.tell("Ended."))


async def _keep_going(engine: Engine, sentence: str) -> None:
    from app.alerts.listening import keep_listening
    from app.health import keep_checking
    from app.jobs.retention import keep_within_days
    from app.jobs.tidying import keep_history_small
    from app.jobs.watching import keep_schedules

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    engine.at_start(lambda: keep_within_days(engine))
    engine.at_start(lambda: keep_schedules(engine))
    engine.at_start(lambda: keep_history_small(engine))
    engine.at_start(lambda: keep_listening(engine))
    engine.at_start(lambda: keep_checking(engine))
    with on_stop_signals(lambda: loop.call_soon_threadsafe(stop.set)):
        await engine.start()
        try:
            output.say(sentence)
            if engine.supervisor is not None:
                await engine.supervisor.rebuilds.resume()
            await stop.wait()
        finally:
            await engine.stop()
