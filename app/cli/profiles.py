"""`causeway profile`: people, found, shown, exported, counted, erased."""

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
    from app.profiles import Erasure, ErasurePlan, HistoryEntry, PersonEvent, Profile

SHOWN_FIELDS = 5


@click.group(cls=Group)
def profile() -> None:
    """Find, show, export, count and erase people."""


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
@click.option("--events", is_flag=True, help="Show the raw events too, newest first.")
@click.option("--history", is_flag=True, help="Show what happened to the person too, newest first.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=20,
    show_default=True,
    help="At most so many events, and entries of the history.",
)
@click.pass_obj
def get(session: Session, person: str, events: bool, history: bool, limit: int) -> None:
    """Everything known of PERSON, an identifier's value (an email …) or a number from `profile search`."""
    from app.profiles import (
        event_document,
        get_profile,
        history_document,
        person_document,
        person_history,
        profile_events,
    )

    with session.reading() as engine:
        found = get_profile(engine, resolve_person(engine, person))
        rows = profile_events(engine, found.id, 0, limit) if events else None
        entries = person_history(engine, found.id, 0, limit) if history else None
    document = person_document(found)
    if rows is not None:
        document["raw_events"] = [event_document(event) for event in rows]
    if entries is not None:
        document["history"] = [history_document(entry) for entry in entries]
    session.answer(document, lambda: _show(found, rows, entries))


@profile.command("export")
@click.argument("person")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def export_one(session: Session, person: str, file: Path) -> None:
    """Write everything known of PERSON to FILE, raw events included: the answer to an access request.

    A FILE that ends in .html becomes a page to read and print, .zip holds that page and the data, and any other
    ending is JSON.
    """
    from app.profiles import export_person

    target = file.expanduser().absolute()
    with session.reading() as engine, output.counting("Writing events") as progress:
        events = export_person(engine, resolve_person(engine, person), target, progress)
    session.answer(
        {"file": target, "events": events},
        lambda: output.tell(f"Written to {output.path_text(target)} with {output.number(events, 'event')}."),
    )


def _show(person: Profile, events: list[PersonEvent] | None, history: list[HistoryEntry] | None) -> None:
    output.print_facts(
        (
            ("Person", f"{person.title} (number {person.id})"),
            ("First seen", output.local_time(person.created_at)),
            ("Last changed", output.local_time(person.updated_at)),
            ("Events", f"{person.event_count:,}"),
        )
    )
    output.tell("")
    output.print_table(
        ("Identifier", "Value", "First from", "Since"),
        [
            (known.field, known.value, known.job or known.stream, output.local_microseconds(known.at))
            for known in person.known_by
        ],
    )
    output.tell("")
    output.print_table(
        ("Field", "Value", "From", "As of"),
        [
            (field.name, output.value(field.value), field.job or field.stream, output.local_microseconds(field.at))
            for field in person.fields
        ],
    )
    if events is not None:
        output.tell("")
        output.print_table(
            ("Event", "Stream", "Time", "What came"),
            [
                (str(event.id), event.stream, output.local_microseconds(event.at), output.value(event.data))
                for event in events
            ],
            right=("Event",),
        )
    if history is not None:
        output.tell("")
        output.print_facts((output.local_microseconds(entry.at), entry.words) for entry in history)


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
    """People with TEXT as an identifier, or its words as beginnings of theirs; without TEXT, the newest people."""
    from app.profiles import count_matches, search_profiles

    words = " ".join(text)
    with session.reading() as engine:
        _index(engine, words)
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
        _index(engine, words)
        total = count_matches(engine, words) if words else count_profiles(engine)
    session.answer({"count": total}, lambda: output.tell(str(total)))


def _index(engine: Engine, words: str) -> None:
    """Make a search know everybody, also where no window has been open since the last import."""
    from app.profiles import count_unindexed, index_everybody

    if words and count_unindexed(engine):
        with output.counting("Indexing people") as progress:
            index_everybody(engine, progress or (lambda done, total: None))


@profile.command()
@click.argument("person")
@click.option("--others", is_flag=True, help="Erase those too whom conflicts tie to the person.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(session: Session, person: str, others: bool, yes: bool) -> None:
    """Erase PERSON for good: profile, raw events, rejected rows, and rows of the files that were written.

    What goes and what it can't reach is shown before. Older rows do not bring the person back; rows with a later
    time, or with no time of their own, make a new person.
    """
    from app.profiles import erase_person, plan_erasure

    with session.changing() as engine:
        number = resolve_person(engine, person)
        if not yes:
            _show_plan(plan_erasure(engine, number, others=others))
            session.confirm("Erase this for good?", yes)
        with output.counting("Looking at events") as progress:
            done = erase_person(engine, number, progress, others=others)
    session.answer(
        {
            "deleted": number,
            "title": done.title,
            "people": done.people,
            "events": done.events,
            "rejected_rows": done.rejected_rows,
            "files": done.files,
            "left": done.left,
        },
        lambda: _show_erased(done),
    )


def _show_plan(plan: ErasurePlan) -> None:
    output.say(f"{plan.title} (number {plan.profile_id}):")
    for line in plan.goes:
        output.say(f"- {line}")
    output.say("What this does not reach:")
    for line in plan.stays:
        output.say(f"- {line}")
    if plan.others:
        named = ", ".join(
            f"{other.title} (number {other.profile_id}, {other.field} {other.value})" for other in plan.others
        )
        output.say(f"Also shares identifiers with {named}. Only --others erases them too.")


def _show_erased(done: Erasure) -> None:
    who = done.title if done.people == 1 else f"{done.title} and {output.number(done.people - 1, 'other')}"
    verb = "was" if done.people == 1 else "were"
    output.tell(f"{who} {verb} erased with {output.number(done.events, 'raw event')}.")
    for sentence in done.left:
        output.tell(sentence)
