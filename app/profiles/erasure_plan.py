"""What the erasure of a person would take: found, counted and told in sentences before anything is changed."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app.errors import NotFound
from app.lql import columns_of, compile_expression, flatten, parse_expression
from app.profiles.person import Profile, read_profile
from app.profiles.tombstones import fingerprints
from app.profiles.traces import Wanted, samples_without
from app.profiles.written import FileEffect, WrittenFile, effect_on, list_written
from app.streams.seen import SAMPLE_LENGTH
from app.workspace.folder import DATABASE

if TYPE_CHECKING:
    from app.engine import Engine

Progress = Callable[[int, int], None]

MESSAGES = {
    "job_events": "message",
    "runs": "message",
    "run_requests": "request",
    "alert_requests": "request",
    "jobs": "reason",
    "system_events": "message",
}
"""Tables with sentences about jobs, which may name somebody."""
EVENTS_AT_ONCE = 50_000
MOST_SPELLINGS = 50
MOST_OTHERS = 1_000
NAMED = 10


@dataclass(frozen=True, slots=True)
class OtherPerson:
    """Somebody whom a conflict ties to the person: an event names both, by `field` and `value`."""

    profile_id: int
    title: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What goes when a person is erased. `goes` and `stays` say it all in sentences; the figures are for a summary.

    `others` are people whom conflicts tie to this one; they are erased too only when that is asked for.
    """

    profile_id: int
    title: str
    people: int
    fields: int
    identifiers: tuple[tuple[str, str], ...]
    events: int
    events_of_nobody: int
    events_of_others: int
    rejected_rows: int
    samples: int
    log_lines: int
    files: tuple[FileEffect, ...]
    others: tuple[OtherPerson, ...]
    goes: tuple[str, ...]
    stays: tuple[str, ...]


@dataclass(slots=True)
class Found:
    """The rows and files that an erasure is about, by number."""

    people: list[int]
    profiles: list[Profile]
    wanted: Wanted
    identifiers: list[tuple[str, str]]
    nobodys: list[int] = field(default_factory=list)
    others: list[tuple[int, str]] = field(default_factory=list)
    """(event, its data without what names the erased)"""
    owners: set[int] = field(default_factory=set)
    """Whose events those are."""
    rejected: list[int] = field(default_factory=list)
    samples: list[tuple[int, str, str]] = field(default_factory=list)
    """(stream, key, the samples that stay)"""
    samples_gone: int = 0
    log: list[tuple[str, int, str]] = field(default_factory=list)
    """(table of messages, number, the message without what names the erased)"""
    files: list[tuple[WrittenFile, FileEffect]] = field(default_factory=list)
    downloads: list[Path] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    """Sentences about files with people that went to places which can't be reached from here."""


def plan_erasure(
    engine: Engine, profile_id: int, *, others: bool = False, progress: Progress | None = None
) -> ErasurePlan:
    """What `erase_person` would do. It reads all raw events once, so it takes seconds where there are millions.

    `progress` is called with (events looked at, events in all); what it raises ends the search. Raises NotFound.
    """
    with engine.workspace.database.read() as connection:
        tied = tied_people(connection, profile_id)
        found = find(engine, connection, [profile_id, *(one.profile_id for one in tied if others)], progress)
    person = found.profiles[0]
    return ErasurePlan(
        profile_id=profile_id,
        title=person.title,
        people=len(found.people),
        fields=sum(len(profile.fields) for profile in found.profiles),
        identifiers=tuple(found.identifiers),
        events=sum(profile.event_count for profile in found.profiles),
        events_of_nobody=len(found.nobodys),
        events_of_others=len(found.others),
        rejected_rows=len(found.rejected),
        samples=found.samples_gone,
        log_lines=len(found.log),
        files=tuple(effect for _, effect in found.files),
        others=() if others else tuple(tied),
        goes=tuple(_goes(found)),
        stays=tuple(_stays(engine, found)),
    )


def tied_people(connection: sqlite3.Connection, profile_id: int) -> list[OtherPerson]:
    """Whom a walk over identifiers reaches that does not stop at conflicts, nearest first. Raises NotFound."""
    if connection.execute("select 1 from profiles where _id = ?", (profile_id,)).fetchone() is None:
        raise NotFound("That person is not in this workspace (any more).")
    reached = {profile_id}
    walk = [profile_id]
    found: list[OtherPerson] = []
    for person in walk:
        rows = connection.execute(
            """select identifiers.profile_id, fields.name, conflicts.value from conflicts
            join identifiers using (field_id, value) join fields on fields.id = field_id
            where conflicts.profile_id = :person
            union select conflicts.profile_id, fields.name, conflicts.value from identifiers
            join conflicts using (field_id, value) join fields on fields.id = conflicts.field_id
            where identifiers.profile_id = :person order by 1""",
            {"person": person},
        ).fetchall()
        for other, name, value in rows:
            if other not in reached and len(found) < MOST_OTHERS:
                reached.add(other)
                walk.append(other)
                found.append(OtherPerson(other, read_profile(connection, other).title, name, value))
    return found


def find(engine: Engine, connection: sqlite3.Connection, people: list[int], progress: Progress | None) -> Found:
    """Look everywhere for the people, the first of whom is the one that was asked for. Raises NotFound."""
    profiles = [read_profile(connection, person) for person in people]
    identifiers = list(dict.fromkeys(pair for profile in profiles for pair in profile.identifiers))
    columns = _identifier_columns(connection)
    spellings, samples = _own_events(connection, people, {value for _, value in identifiers}, columns)
    found = Found(people, profiles, Wanted(identifiers, spellings), identifiers)
    _find_events(connection, found, columns, progress)
    wanted = found.wanted
    for number, text in connection.execute("select id, text from rejected_rows"):
        if wanted.named_in(text):
            found.rejected.append(number)
    for stream, key, kept in connection.execute("select stream_id, name, samples from stream_fields").fetchall():
        left = samples_without(kept, samples.get((stream, key), set()), wanted)
        if left is not None:
            found.samples.append((stream, key, left))
            found.samples_gone += len(orjson.loads(kept)) - len(orjson.loads(left))
    for table, column in MESSAGES.items():
        for number, message in connection.execute(f"select id, {column} from {table}"):
            if wanted.told_in(message):
                found.log.append((table, number, wanted.taken_out(message)))
    known = {one.hex() for one in fingerprints(connection, identifiers)} if _anybody_written(connection) else set()
    for file in list_written(connection):
        effect = effect_on(file, wanted, known)
        if effect is not None:
            found.files.append((file, effect))
    found.sent = list(_sent_files(connection, people, {str(file.path) for file in list_written(connection)}))
    downloads = engine.workspace.folder / "downloads"
    if downloads.is_dir():
        found.downloads = sorted(path for path in downloads.iterdir() if path.is_dir())
    return found


def _anybody_written(connection: sqlite3.Connection) -> bool:
    """Whether there are files about one person; then the key of fingerprints is there as well."""
    return connection.execute("select 1 from written_files where kind = 'person' limit 1").fetchone() is not None


@dataclass(frozen=True, slots=True)
class _Column:
    """A mapping of one column to an identifier field; `call` brings the identifier that a raw value stands for."""

    name: str
    call: Callable[..., Any] | None


def _identifier_columns(connection: sqlite3.Connection) -> dict[int, list[_Column]]:
    """By stream, the columns that fill identifier fields."""
    found: dict[int, list[_Column]] = {}
    for stream, expression, kind in connection.execute(
        """select stream_id, expression, type from mappings join fields on fields.id = field_id
        where is_identifier order by mappings.id"""
    ):
        names = columns_of(parse_expression(expression))
        compiled = compile_expression(expression, kind=kind) if len(names) == 1 else None
        plain = compiled is not None and not compiled.needs_time and not compiled.needs_event
        call = compiled.call if compiled is not None and plain else None
        found.setdefault(stream, []).extend(_Column(name, call) for name in names)
    return found


def _own_events(
    connection: sqlite3.Connection,
    people: Sequence[int],
    values: set[str],
    columns: dict[int, list[_Column]],
) -> tuple[set[str], dict[tuple[int, str], set[str]]]:
    """What sources wrote for these identifier values ("+49 30 1234" for 49301234), and samples that are theirs."""
    spellings: set[str] = set()
    samples: dict[tuple[int, str], set[str]] = {}
    shown = {
        (stream, key): set(orjson.loads(kept))
        for stream, key, kept in connection.execute("select stream_id, name, samples from stream_fields")
    }
    for person in people:
        rows = connection.execute(
            """select stream_id, data from profile_events join events on events.id = event_id
            where profile_id = ?""",
            (person,),
        )
        for stream, text in rows:
            data = orjson.loads(text)
            for key, value in data.items():
                if (sample := _sample(value)) in shown.get((stream, key), ()):
                    samples.setdefault((stream, key), set()).add(sample)
            named = flatten(data)
            for column in columns.get(stream, ()):
                raw = named.get(column.name)
                if raw in (None, "") or column.call is None or len(spellings) >= MOST_SPELLINGS:
                    continue
                means = column.call(raw)
                if not values.isdisjoint(map(str, means if isinstance(means, list) else [means])):
                    spellings.update(map(str, raw if isinstance(raw, list) else [raw]))
    return spellings, samples


def _sample(value: Any) -> str:
    """A value as samples of a stream's fields show it."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text[:SAMPLE_LENGTH]


def _find_events(
    connection: sqlite3.Connection, found: Found, columns: dict[int, list[_Column]], progress: Progress | None
) -> None:
    """Events that name the people but are not theirs: another person's, or nobody's."""
    by_stream = {stream: frozenset(column.name for column in listed) for stream, listed in columns.items()}
    cleaned: dict[int, str] = {}
    for event, stream, text in _candidates(connection, found, progress):
        before = orjson.loads(text)
        after = found.wanted.cleaned(before, by_stream.get(stream, frozenset()))
        if after != before:
            cleaned[event] = orjson.dumps(after).decode()
    owners = connection.execute(
        "select event_id, profile_id from profile_events where event_id in (select value from json_each(?))",
        (orjson.dumps(list(cleaned)).decode(),),
    ).fetchall()
    owned = {event for event, _ in owners}
    found.owners = {person for _, person in owners}
    found.nobodys = [event for event in cleaned if event not in owned]
    found.others = [(event, text) for event, text in cleaned.items() if event in owned]


def _candidates(
    connection: sqlite3.Connection, found: Found, progress: Progress | None
) -> Iterator[tuple[int, int, str]]:
    """Events of others that may name the people: by a conflict, or by a text that can mean nobody else."""
    own = f"select event_id from profile_events where profile_id in ({', '.join(map(str, found.people))})"
    yield from connection.execute(
        f"""select distinct events.id, stream_id, data from identifiers join conflicts using (field_id, value)
        join events on events.id = conflicts.event_id
        where identifiers.profile_id in ({", ".join(map(str, found.people))}) and events.id not in ({own})"""
    ).fetchall()
    patterns = found.wanted.patterns()
    last = connection.execute("select max(id) from events").fetchone()[0] or 0
    if not patterns:
        return
    told = " or ".join(["data like ?"] * len(patterns))
    for start in range(0, last + 1, EVENTS_AT_ONCE):
        if progress is not None:
            progress(start, last)
        end = start + EVENTS_AT_ONCE
        yield from connection.execute(
            f"select id, stream_id, data from events where id >= ? and id < ? and ({told}) and id not in ({own})",
            (start, end, *patterns),
        ).fetchall()
    if progress is not None:
        progress(last, last)


def _sent_files(connection: sqlite3.Connection, people: Sequence[int], here: set[str]) -> Iterator[str]:
    """What exports sent away since the first row about these people came in, place by place; without what is `here`."""
    since = connection.execute(
        """select case when count(*) = count(started_at) then min(started_at) end
        from profile_events join events on events.id = event_id left join runs on runs.id = events.run_id
        where profile_id in (select value from json_each(?))""",
        (orjson.dumps(list(people)).decode(),),
    ).fetchone()[0]
    places: dict[str, list[str]] = {}
    for place, path in connection.execute(
        "select place, path from exported_files where rows > 0 and at >= ? order by id desc", (since or "",)
    ):
        if str(Path(place, path)) not in here:
            places.setdefault(place, []).append(path)
    for place, paths in places.items():
        paths = list(dict.fromkeys(paths))
        named = ", ".join(paths[:NAMED])
        more = f" and {len(paths) - NAMED:,} more" if len(paths) > NAMED else ""
        yield (
            f"{_number(len(paths), 'file')} that may name them went to {place}: {named}{more}. "
            "Ask its owner to delete them."
        )


def _goes(found: Found) -> Iterator[str]:
    fields = sum(len(profile.fields) for profile in found.profiles)
    events = sum(profile.event_count for profile in found.profiles)
    if len(found.people) > 1:
        named = ", ".join(one.title for one in found.profiles[:NAMED])
        yield f"{len(found.people):,} people are erased: {named}{'' if len(found.people) <= NAMED else ' …'}."
    yield (
        f"{_number(fields, 'field')}, {_number(len(found.identifiers), 'identifier')} and "
        f"{_number(events, 'raw event')} are erased."
    )
    if found.nobodys:
        yield f"{_number(len(found.nobodys), 'raw event')} that nobody owns {_names(found.nobodys)} them: erased too."
    if found.others:
        yield (
            f"{_number(len(found.others), 'raw event')} of other people {_names(found.others)} them: "
            "that is taken out, the rest of the rows stays."
        )
    if found.rejected:
        yield f"{_number(len(found.rejected), 'rejected row')} {_names(found.rejected)} them: erased too."
    if found.samples_gone:
        yield f"{_number(found.samples_gone, 'sample value')} of the Streams page came with them: erased too."
    if found.log:
        yield f"They are taken out of {_number(len(found.log), 'line')} of the jobs' logs."
    if found.downloads:
        yield "Files that jobs have downloaded and not read to the end are deleted; their next run fetches them again."
    for _, effect in found.files:
        if effect.act in ("delete", "rewrite"):
            yield effect.sentence
    yield "A fingerprint of each identifier stays, so that older rows can't bring them back."


def _stays(engine: Engine, found: Found) -> Iterator[str]:
    yield from (effect.sentence for _, effect in found.files if effect.act == "by hand")
    gone = [effect.path for _, effect in found.files if effect.act == "missing"]
    if gone:
        named = ", ".join(str(path) for path in gone[:NAMED])
        more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
        yield f"Causeway wrote files that are no longer where they were: {named}{more}. If you moved them, see to them."
    yield from found.sent
    copies = workspace_copies(engine.workspace.folder)
    if copies:
        named = ", ".join(path.name for path in copies[:NAMED])
        yield (
            f"Copies of the whole workspace in its folder still hold them: {named}. "
            "Delete these when you no longer need them, and make a new backup."
        )
    yield "Backups that were made before still hold them: make a new one and delete the old ones."
    yield (
        "If a source still has them, rows with a later time, or with no time of their own, make a new person: "
        "remove them at the source too."
    )


def workspace_copies(folder: Path) -> list[Path]:
    """Copies of the database in the workspace's own folder: those before an update of the program, and backups."""
    copies = sorted(folder.glob(f"{DATABASE}.before-*"))
    for path in sorted(folder.glob("*.zip")):
        try:
            with zipfile.ZipFile(path) as archive:
                if DATABASE in archive.namelist():
                    copies.append(path)
        except (OSError, zipfile.BadZipFile):
            # No backup, then.
            continue
    return copies


def _names(found: Sequence[object]) -> str:
    return "names" if len(found) == 1 else "name"


def _number(count: int, one: str) -> str:
    return f"{count:,} {one if count == 1 else one + 's'}"
