"""Everything known of one person as a file, for somebody who asks what is kept about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app.profiles.person import Profile, get_profile, profile_events
from app.whole_file import whole_file
from connectors.kit.times import format_time

if TYPE_CHECKING:
    from app.engine import Engine

EVENTS = 500


def export_person(
    engine: Engine, profile_id: int, target: Path, progress: Callable[[int, int], None] | None = None
) -> int:
    """Write a person with identifiers, fields and where they came from, and all raw events as JSON; how many events.

    `progress` is called with (events done, events in all); what it raises ends the export. A reader of `target`
    never sees half a file. Raises NotFound, Refused and DiskFull.
    """
    person = get_profile(engine, profile_id)
    events: list[dict[str, Any]] = []
    while page := profile_events(engine, profile_id, len(events), EVENTS):
        events += [
            {"id": event.id, "at": format_time(event.at), "stream": event.stream, "data": event.data} for event in page
        ]
        if progress is not None:
            progress(len(events), person.event_count)
    document = person_document(person) | {"events": events}
    with whole_file(target) as part:
        part.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    return len(events)


def person_document(person: Profile) -> dict[str, Any]:
    """A person as JSON says it, without the events: "events" is how many there are."""
    return {
        "id": person.id,
        "title": person.title,
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "identifiers": [{"field": name, "value": value} for name, value in person.identifiers],
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "value": field.value,
                "type": field.type,
                "stream": field.stream,
                "job": field.job,
                "as_of": format_time(field.at),
                "event": field.event_id,
            }
            for field in person.fields
        ],
        "events": person.event_count,
    }
