"""`causeway export`: people as a file."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.session import Session


@click.command(cls=Command)
@click.argument("audience")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def export(session: Session, audience: str, file: Path) -> None:
    """Write the people of AUDIENCE to FILE.

    The audience "all" is everybody, "search:TEXT" whom a search for TEXT finds. FILE is a CSV file (UTF-8, commas, with
    a header row), or JSON with one object a line if it ends in .json, .jsonl or .ndjson; with .gz or .zip after that it
    is compressed. A file that is there already is replaced when the new one is whole.
    """
    from app.audiences import read_selection
    from app.errors import NotFound
    from app.profiles import export_profiles
    from connectors.kit.errors import InputError

    try:
        read_selection(audience)
    except InputError as error:
        raise NotFound(error.message, advice=error.advice) from error
    target = file.expanduser().absolute()
    with session.reading() as engine, output.counting("Writing people") as progress:
        people = export_profiles(engine, target, progress, audience=audience)
    session.answer(
        {"file": target, "people": people},
        lambda: output.tell(f"{output.number(people, 'person', 'people')} written to {output.path_text(target)}."),
    )
