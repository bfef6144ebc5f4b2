"""Everything known of one person as a file, for somebody who asks what is kept about them."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app.errors import DiskFull, Refused
from app.profiles.person import get_profile, profile_events
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
    document = {
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
        "events": events,
    }
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
        part.replace(target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(
                f"There is no space left to write {target}.", advice="Free some space, or choose another disk."
            ) from error
        raise Refused(
            f"{target} can't be written: {error.strerror}.", advice="Choose a folder that exists and belongs to you."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return len(events)
