"""`causeway demo`: the program on invented people, with a server of its own and no network."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.running import RunFailed, RunStopped, on_stop_signals
from app.cli.screen import has_screen
from app.cli.session import Ended, Session
from app.errors import CausewayError

if TYPE_CHECKING:
    from app.demo import DemoResult
    from app.engine import Engine

STARTING = "Making the demo's shop, its files and its server …"


@click.command(cls=Command)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--headless", is_flag=True, help="Run the demo's jobs without a window, on a demo made anew.")
@click.pass_obj
def demo(session: Session, folder: Path | None, headless: bool) -> int | None:
    """Show Causeway on the people of an invented shop, who come from a small SFTP server inside the program.

    The demo lies in FOLDER, or where the system keeps programs' data. On a computer with a screen the window opens;
    without one, or with --headless or --json, the jobs run to their end and the results are printed.
    """
    from app.demo import demo_folder, open_demo

    chosen = folder or session.workspace or demo_folder()
    if has_screen() and not headless and not session.json:
        engine = open_demo(chosen.expanduser().absolute())
        engine.at_start(lambda: _first_runs(engine))
        return session.show(engine)
    output.say(STARTING)
    with open_demo(chosen.expanduser().absolute(), anew=True) as engine:
        engine.require_charge()
        place = engine.workspace.folder
        finished = asyncio.run(_run(engine))
    if finished is None:
        raise RunStopped("The demo was stopped.", advice="`causeway demo` starts it again.")
    results, people = finished
    document = {"workspace": place, "jobs": results, "people": people}
    if any(result.status != "completed" for result in results):
        failed = next(result for result in results if result.status != "completed")
        raise Ended(RunFailed(f"“{failed.job}” {failed.status}. {failed.message}"), document)
    session.answer(document, lambda: _tell(results, people, place))
    return None


async def _first_runs(engine: Engine) -> None:
    """Run the demo's jobs while its new window is looked at; a demo that was used before is left as it is."""
    from app.demo import run_demo
    from app.jobs import list_jobs

    if all(job.last_run_at is None for job in await asyncio.to_thread(list_jobs, engine)):
        # The window was closed meanwhile, or the jobs page tells what went wrong.
        with suppress(CausewayError):
            await run_demo(engine)


async def _run(engine: Engine) -> tuple[list[DemoResult], int] | None:
    """Run all jobs to their end; None when that was stopped by Ctrl-C or SIGTERM."""
    from app.demo import run_demo

    loop = asyncio.get_running_loop()
    try:
        await engine.start()
        running = loop.create_task(run_demo(engine))
        with on_stop_signals(lambda: loop.call_soon_threadsafe(running.cancel)):
            try:
                return await running
            except asyncio.CancelledError:
                return None
    finally:
        await engine.stop()


def _tell(results: list[DemoResult], people: int, place: Path) -> None:
    output.print_table(
        ("Job", "Status", "Rows", "New people", "Updated", "Rejected"),
        [
            (result.job, result.status, result.read)
            + (("", "", "") if result.sends else (result.added, result.updated, result.rejected))
            for result in results
        ],
        right=("Rows", "New people", "Updated", "Rejected"),
    )
    rows = sum(result.read for result in results if not result.sends)
    sent = sum(result.read for result in results if result.sends)
    became = f"{output.number(rows, 'row')} became {output.number(people, 'person', 'people')}"
    output.tell(f"\n{became}; {sent:,} were sent as a file.")
    output.tell(f"Look at them: causeway profile search --workspace {output.path_text(place)}")
