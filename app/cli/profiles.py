"""`causeway profile`: people, found, shown, exported, counted, deleted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import output
from app.cli.commands import Group
from app.cli.resolve import is_number
from app.cli.session import Session
from app.errors import NotFound

if TYPE_CHECKING:
    from app.engine import Engine
    from app.profiles import Profile

SHOWN_FIELDS = 5


@click.group(cls=Group)
def profile() -> None:
    """Find, show, export, count and delete people."""


def resolve_person(engine: Engine, text: str) -> int:
    """The person whom an identifier's value, or else a number from a list, means. Raises NotFound."""
    from app.profiles import find_profile

    found = find_profile(engine, text)
    if found is not None:
        return found
    if is_number(text):
        return int(text)
    raise NotFound(
        f"Nobody here has the identifier “{text}”.", advice="`causeway profile search TEXT` looks in all text fields."
    )


@profile.command()
@click.argument("person")
@click.pass_obj
def get(session: Session, person: str) -> None:
    """Everything known of PERSON, an identifier's value (an email …) or a number from `profile search`."""
    from app.profiles import get_profile, person_document

    with session.reading() as engine:
        found = get_profile(engine, resolve_person(engine, person))
    session.answer(person_document(found), lambda: _show(found))


@profile.command("export")
@click.argument("person")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def export_one(session: Session, person: str, file: Path) -> None:
    """Write everything known of PERSON to FILE as JSON, raw events included: the answer to an access request."""
    from app.profiles import export_person

    with session.reading() as engine:
        events = export_person(engine, resolve_person(engine, person), file.absolute())
    session.answer(
        {"file": file.absolute(), "events": events},
        lambda: output.tell(f"Written to {output.path_text(file.absolute())} with {events:,} events."),
    )


def _show(person: Profile) -> None:
    output.print_facts(
        (
            ("Person", f"{person.title} (number {person.id})"),
            ("Identifiers", ", ".join(f"{name} {value}" for name, value in person.identifiers)),
            ("First seen", output.local_time(person.created_at)),
            ("Last changed", output.local_time(person.updated_at)),
            ("Events", f"{person.event_count:,}"),
        )
    )
    output.tell("")
    output.print_table(
        ("Field", "Value", "From", "As of"),
        [
            (field.name, str(field.value), field.job or field.stream, output.local_microseconds(field.at))
            for field in person.fields
        ],
    )


@profile.command()
@click.argument("text", nargs=-1)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=20,
    show_default=True,
    help="At most so many people.",
)
@click.option("--offset", type=click.IntRange(0), metavar="N", default=0, help="Leave out the first ones.")
@click.pass_obj
def search(session: Session, text: tuple[str, ...], limit: int, offset: int) -> None:
    """People with TEXT as an identifier or in any text field; without TEXT, the newest people."""
    from app.profiles import count_matches, search_profiles

    words = " ".join(text)
    with session.reading() as engine:
        found = search_profiles(engine, words, offset, limit)
        total = count_matches(engine, words)

    def people() -> None:
        if not found:
            output.tell(f"Nobody found for “{words}”." if words else "There is nobody in this workspace yet.")
            return
        names = list(dict.fromkeys(name for row in found for name in row.fields))[:SHOWN_FIELDS]
        output.print_table(
            ("Number", "Person", *names),
            [
                (
                    str(row.id),
                    row.title,
                    *("" if (value := row.fields.get(name)) is None else str(value) for name in names),
                )
                for row in found
            ],
            right=("Number",),
        )
        if total > offset + len(found):
            end = offset + len(found)
            output.say(f"{offset + 1:,} to {end:,} of {total:,}; --offset {end} shows the next.")

    session.answer({"total": total, "offset": offset, "people": found}, people)


@profile.command()
@click.argument("text", nargs=-1)
@click.pass_obj
def count(session: Session, text: tuple[str, ...]) -> None:
    """How many people the workspace holds; with TEXT, how many of them `profile search` finds."""
    from app.profiles import count_matches, count_profiles

    words = " ".join(text)
    with session.reading() as engine:
        total = count_matches(engine, words) if words else count_profiles(engine)
    session.answer({"count": total}, lambda: output.tell(str(total)))


@profile.command()
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(session: Session, person: str, yes: bool) -> None:
    """Remove PERSON for good, with the raw events that belong to them."""
    from app.profiles import delete_profile, get_profile

    with session.changing() as engine:
        found = get_profile(engine, resolve_person(engine, person))
        events = output.number(found.event_count, "raw event")
        session.confirm(f"Remove {found.title} with {events} for good?", yes)
        delete_profile(engine, found.id)
    session.answer(
        {"deleted": found.id, "title": found.title},
        lambda: output.tell(f"{found.title} was removed with {events}."),
    )
