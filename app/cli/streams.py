"""`causeway stream`: raw events as they came, and the fields seen in them."""

from __future__ import annotations

import click

from app.cli import output
from app.cli.commands import Group
from app.cli.session import Session
from app.errors import NotFound

MAX_LINE = 2_000


@click.group(cls=Group)
def stream() -> None:
    """List streams, the fields seen in them, and their raw events."""


@stream.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Every stream with its number of events, and how many are of the last 24 hours and 7 days."""
    from app.streams import list_streams

    with session.reading() as engine:
        found = list_streams(engine)
    session.answer(
        {
            "streams": [
                {
                    "id": entry.id,
                    "name": entry.name,
                    "events": entry.events,
                    "fields": entry.fields,
                    "last_24_hours": entry.last_day,
                    "last_7_days": entry.last_week,
                    "last_event_at": output.utc_text(entry.last_event_at),
                }
                for entry in found
            ]
        },
        lambda: (
            output.print_table(
                ("Stream", "Events", "24 hours", "7 days", "Fields", "Last event"),
                [
                    (
                        entry.name,
                        entry.events,
                        entry.last_day,
                        entry.last_week,
                        entry.fields,
                        output.local_microseconds(entry.last_event_at),
                    )
                    for entry in found
                ],
                right=("Events", "24 hours", "7 days", "Fields"),
            )
            if found
            else output.tell("There is no stream yet. `causeway import FILE --stream NAME` makes one.")
        ),
    )


def _resolve(session: Session, name: str) -> tuple[int, str]:
    from app.streams import list_streams

    with session.reading() as engine:
        found = list_streams(engine)
    for entry in found:
        if entry.name == name:
            return entry.id, entry.name
    raise NotFound(f"There is no stream “{name}”.", advice="`causeway stream list` shows those there are.")


@stream.command()
@click.argument("name", metavar="STREAM")
@click.pass_obj
def fields(session: Session, name: str) -> None:
    """The fields seen in STREAM: how often, with samples, and which profile fields they fill."""
    from app.streams import stream_fields

    stream_id, name = _resolve(session, name)
    with session.reading() as engine:
        found = stream_fields(engine, stream_id)
    session.answer(
        {
            "stream": name,
            "fields": [
                {
                    "name": entry.name,
                    "type": entry.type,
                    "kinds": dict(entry.kinds),
                    "distinct": entry.distinct,
                    "seen": entry.seen,
                    "samples": entry.samples,
                    "first_seen": output.utc_text(entry.first_seen),
                    "last_seen": output.utc_text(entry.last_seen),
                    "mapped_to": entry.mapped_to,
                }
                for entry in found
            ],
        },
        lambda: output.print_table(
            ("Field", "Type", "Seen", "Profile field", "Samples"),
            [
                (entry.name, entry.type, entry.seen, ", ".join(entry.mapped_to), ", ".join(entry.samples[:3]))
                for entry in found
            ],
            right=("Seen",),
        ),
    )


@stream.command()
@click.argument("name", metavar="STREAM")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), metavar="N", default=20, show_default=True, help="At most so many."
)
@click.option("--before", type=click.IntRange(1), metavar="ID", help="Only events older than this one.")
@click.pass_obj
def events(session: Session, name: str, limit: int, before: int | None) -> None:
    """Raw events of STREAM, newest first by event time, one a line."""
    import orjson

    from app.streams import event_place, stream_events

    stream_id, name = _resolve(session, name)
    with session.reading() as engine:
        place = event_place(engine, before) if before is not None else None
        if before is not None and place is None:
            raise NotFound(f"There is no event {before}.", advice=f"`causeway stream events {name}` shows the newest.")
        found = stream_events(engine, stream_id, before=place, limit=limit)

    def people() -> None:
        for entry in found:
            data = orjson.dumps(entry.data).decode()
            shown = data if len(data) <= MAX_LINE else data[:MAX_LINE] + "…"
            output.tell(f"{entry.id}  {output.local_microseconds(entry.at)}  {output.clean(shown)}")

    session.answer(
        {
            "stream": name,
            "events": [
                {"id": entry.id, "at": output.utc_text(entry.at), "run": entry.run_id, "data": entry.data}
                for entry in found
            ],
        },
        people,
    )
