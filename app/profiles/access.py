"""Everything known of one person as a file, for somebody who asks what is kept about them."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson

from app.profiles.access_page import write_page
from app.profiles.dossier import Dossier, gathered
from app.profiles.history import HistoryEntry
from app.profiles.person import PersonEvent, Profile
from app.profiles.written import remember_written
from app.whole_file import whole_file
from connectors.kit.times import format_time

if TYPE_CHECKING:
    from app.engine import Engine

EVENTS = 500

Progress = Callable[[int, int], None]


def export_person(engine: Engine, profile_id: int, target: Path, progress: Progress | None = None) -> int:
    """Write everything known of a person; how many raw events that were.

    The ending of `target` decides: ".html" is a page to read and print, ".zip" has that page and the JSON, anything
    else is JSON. `progress` is called with (events done, events to do); what it raises ends the export. A reader of
    `target` never sees half a file. Raises NotFound, Refused and DiskFull.
    """
    database = engine.workspace.database
    with database.read() as connection:
        connection.execute("begin")
        try:
            dossier = gathered(engine, connection, profile_id)
            events = _Events(connection, profile_id, progress)
            with whole_file(target) as part:
                count = _write(part, target.suffix.lower(), dossier, events)
        finally:
            connection.execute("commit")
    remember_written(engine, target, "person", dossier.person.identifiers)
    return count


class _Events:
    """The raw events of a person, newest first, in pages: they are read again for each form of the answer."""

    def __init__(self, connection: sqlite3.Connection, profile_id: int, progress: Progress | None) -> None:
        self._connection = connection
        self._progress = progress
        # Only numbers are sorted; the events themselves may be far too many to hold.
        self._numbers = [
            row[0]
            for row in connection.execute(
                """select event_id from profile_events join events on events.id = event_id
                where profile_id = ? order by events.at desc, events.id desc""",
                (profile_id,),
            )
        ]
        self.count = len(self._numbers)
        self.forms = 1
        self._done = 0

    def __iter__(self) -> Iterator[PersonEvent]:
        for start in range(0, self.count, EVENTS):
            page = self._numbers[start : start + EVENTS]
            rows = self._connection.execute(
                """select events.id, events.at, streams.name, events.data, coalesce(jobs.name, ''), runs.id from events
                join streams on streams.id = stream_id
                left join runs on runs.id = run_id left join jobs on jobs.id = job_id
                where events.id in (select value from json_each(?))""",
                (orjson.dumps(page).decode(),),
            )
            found = {row[0]: row for row in rows}
            for number in page:
                row = found[number]
                yield PersonEvent(row[0], row[1], row[2], orjson.loads(row[3]), row[4], row[5])
            self._done += len(page)
            if self._progress is not None:
                self._progress(self._done, self.count * self.forms)


def _write(part: Path, ending: str, dossier: Dossier, events: _Events) -> int:
    if ending == ".zip":
        events.forms = 2
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, write in (("person.html", write_page), ("person.json", _write_json)):
                with archive.open(name, "w", force_zip64=True) as member, _text(member) as out:
                    write(out, dossier, events)
    else:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            (write_page if ending in (".html", ".htm") else _write_json)(out, dossier, events)
    return events.count


@contextmanager
def _text(member: IO[bytes]) -> Iterator[IO[str]]:
    out = io.TextIOWrapper(member, encoding="utf-8", newline="\n")
    yield out
    out.flush()
    out.detach()


def _write_json(out: IO[str], dossier: Dossier, events: Iterable[PersonEvent]) -> None:
    """One JSON document, an event a line at its end."""
    head = person_document(dossier.person) | {
        "workspace": dossier.workspace,
        "written_at": dossier.written_at,
        "history": [history_document(entry) for entry in dossier.history],
        "runs": [asdict(run) for run in dossier.runs],
        "rejected_rows": [asdict(row) for row in dossier.rejected],
    }
    del head["events"]
    out.write(orjson.dumps(head, option=orjson.OPT_INDENT_2).decode().removesuffix("\n}"))
    out.write(',\n  "events": [')
    separator = "\n    "
    for event in events:
        out.write(separator + orjson.dumps(event_document(event)).decode())
        separator = ",\n    "
    out.write("\n  ]\n}\n")


def person_document(person: Profile) -> dict[str, Any]:
    """A person as JSON says it, without the events: "events" is how many there are."""
    return {
        "id": person.id,
        "title": person.title,
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "identifiers": [
            {
                "field": known.field,
                "value": known.value,
                "rank": known.rank,
                "stream": known.stream,
                "job": known.job,
                "run": known.run_id,
                "since": _time(known.at),
                "event": known.event_id,
            }
            for known in person.known_by
        ],
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "value": field.value,
                "type": field.type,
                "stream": field.stream,
                "job": field.job,
                "run": field.run_id,
                "as_of": format_time(field.at),
                "event": field.event_id,
            }
            for field in person.fields
        ],
        "events": person.event_count,
    }


def event_document(event: PersonEvent) -> dict[str, Any]:
    """A raw event as JSON says it."""
    return {
        "id": event.id,
        "at": format_time(event.at),
        "stream": event.stream,
        "job": event.job,
        "run": event.run_id,
        "data": event.data,
    }


def history_document(entry: HistoryEntry) -> dict[str, Any]:
    """An entry of a person's history as JSON says it."""
    return {
        "at": format_time(entry.at),
        "what": entry.verb,
        "words": entry.words,
        "field": entry.field,
        "value": entry.value,
        "stream": entry.stream,
        "job": entry.job,
        "run": entry.run_id,
        "event": entry.event_id,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else format_time(at)
