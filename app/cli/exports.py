"""`causeway export`: people as a file."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.session import Session

EVERYBODY = "all"


@click.command(cls=Command)
@click.argument("audience")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def export(session: Session, audience: str, file: Path) -> None:
    """Write the people of AUDIENCE to FILE, a CSV file (UTF-8, with a header row).

    The audience "all" is everybody. A file that is there already is replaced when the new one is whole.
    """
    from app.errors import NotFound
    from app.profiles import export_profiles

    if audience != EVERYBODY:
        raise NotFound(
            f"There is no audience “{audience}”.", advice=f"Use “{EVERYBODY}” for everybody in the workspace."
        )
    target = file.expanduser().absolute()
    with session.reading() as engine, output.counting("Writing people") as progress:
        people = export_profiles(engine, target, progress)
    session.answer(
        {"file": target, "people": people},
        lambda: output.tell(f"{output.number(people, 'person', 'people')} written to {output.path_text(target)}."),
    )
