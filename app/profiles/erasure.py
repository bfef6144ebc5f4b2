"""Erasing a person everywhere, and keeping them from coming back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from app.changes import Change
from app.clock import now_microseconds, now_text
from app.errors import Refused
from app.profiles.erasure_plan import MESSAGES, Found, Progress, find, tied_people
from app.profiles.people_table import PeopleTable
from app.profiles.rebuild import begin_anew
from app.profiles.search_index import forget_words
from app.profiles.surroundings import Surroundings
from app.profiles.tombstones import add_tombstones
from app.profiles.written import carry_out
from app.schema.mapping import load_schema

if TYPE_CHECKING:
    from app.engine import Engine

PEOPLE_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, and in sentences what could not be: that is left to the user."""

    title: str
    people: int
    events: int
    rejected_rows: int
    files: int
    left: tuple[str, ...]


def erase_person(engine: Engine, profile_id: int, progress: Progress | None = None, *, others: bool = False) -> Erasure:
    """Erase a person as `plan_erasure` says; with `others` also those whom conflicts tie to them.

    Files come first and the workspace last, in one transaction: what is cut short can be done again. `progress` is
    called with (events looked at, events in all) while it searches, and what it raises then changes nothing.
    Raises NotFound, Refused while jobs, transfers or a rebuild run, WorkspaceInUse.
    """
    engine.require_charge()
    _require_idle(engine)
    with engine.workspace.database.read() as connection:
        tied = tied_people(connection, profile_id)
        found = find(engine, connection, [profile_id, *(one.profile_id for one in tied if others)], progress)
    left = [*(effect.sentence for _, effect in found.files if effect.act == "by hand"), *found.sent]
    files = 0
    for file, effect in found.files:
        if effect.act in ("delete", "rewrite"):
            failed = carry_out(engine, file, effect, found.wanted)
            files += not failed
            left += [failed] if failed else []
    for folder in found.downloads:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            left.append(f"{folder} can't be deleted: delete it yourself.")
    with _traceless(engine):
        _require_idle(engine)
        with engine.workspace.database.write() as connection:
            # A rebuild that was interrupted has them among its new people.
            begin_anew(connection)
            _erase(connection, found)
    if not _checkpointed(engine):
        left.append("The file workspace.db-wal may still hold them until every Causeway on this workspace is closed.")
    for person in found.people:
        engine.changes.announce(Change("profiles", person))
    for what in ("profiles", "streams", "jobs"):
        engine.changes.announce(Change(what))
    return Erasure(
        found.profiles[0].title,
        len(found.people),
        sum(profile.event_count for profile in found.profiles) + len(found.nobodys),
        len(found.rejected),
        files,
        tuple(left),
    )


def _require_idle(engine: Engine) -> None:
    """A run under way has people in memory, and would bring them back."""
    supervisor = engine.supervisor
    if supervisor is not None and (supervisor.busy or supervisor.waiting or supervisor.rebuilds.busy):
        raise Refused(
            "Nobody can be erased while jobs are running or people are rebuilt; nothing was changed.",
            advice="Wait until they are done, or stop them, then try again.",
        )
    if engine.transfers:
        raise Refused(
            "Nobody can be erased while a file is being transferred; nothing was changed.",
            advice="Wait until it has arrived, or stop it, then try again.",
        )


@contextmanager
def _traceless(engine: Engine) -> Iterator[None]:
    """What is deleted in the meantime is overwritten in the file."""
    with engine.workspace.database.read() as connection:
        before = connection.execute("pragma secure_delete").fetchone()[0]
        connection.execute("pragma secure_delete = on")
        try:
            yield
        finally:
            connection.execute(f"pragma secure_delete = {before}")


def _checkpointed(engine: Engine) -> bool:
    """Fold the WAL, which has pages of before, into the file and empty it; whether nobody was in the way."""
    with engine.workspace.database.read() as connection:
        return not connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]


def _erase(connection: sqlite3.Connection, found: Found) -> None:
    """All of the workspace file's part, in the caller's transaction."""
    people = orjson.dumps(found.people).decode()
    connection.execute("create temp table if not exists erased_events (id integer primary key)")
    connection.execute("delete from erased_events")
    connection.execute(
        """insert or ignore into erased_events select event_id from profile_events
        where profile_id in (select value from json_each(?))""",
        (people,),
    )
    connection.executemany("insert or ignore into erased_events values (?)", [(one,) for one in found.nobodys])
    connection.execute(
        """update streams set event_count = event_count - lost from (
            select stream_id, count(*) as lost from events where id in (select id from erased_events) group by stream_id
        ) where streams.id = stream_id"""
    )
    named = """(field_id, value) in (select field_id, value from identifiers
        where profile_id in (select value from json_each(:people)))"""
    whose = "in (select value from json_each(:people))"
    theirs = "event_id in (select id from erased_events)"
    for statement in (
        f"delete from joins where kept {whose} or {named} or {theirs}",
        f"delete from conflicts where profile_id {whose} or {named} or {theirs}",
        f"delete from shared_values where {named}",
        f"delete from profile_events where profile_id {whose} or {theirs}",
        "delete from events where id in (select id from erased_events)",
        f"delete from identifiers where profile_id {whose}",
        f"delete from profiles where _id {whose}",
        "insert or ignore into unindexed select value from json_each(:people)",
    ):
        connection.execute(statement, {"people": people})
    connection.execute("drop table erased_events")
    connection.executemany("update events set data = ? where id = ?", [(data, event) for event, data in found.others])
    _resolve(connection, sorted(found.owners))
    connection.executemany("delete from rejected_rows where id = ?", [(one,) for one in found.rejected])
    connection.executemany(
        "update stream_fields set samples = ? where stream_id = ? and name = ?",
        [(kept, stream, key) for stream, key, kept in found.samples],
    )
    for table, number, message in found.log:
        connection.execute(f"update {table} set {MESSAGES[table]} = ? where id = ?", (message, number))
    # Their names may even be in the names of files; whoever keeps such a file was told.
    connection.executemany(
        "delete from written_files where path = ?", [(file.key,) for file, _ in found.files if file.kind == "person"]
    )
    add_tombstones(connection, found.identifiers, now_microseconds())
    forget_words(connection)


def _resolve(connection: sqlite3.Connection, people: Sequence[int]) -> None:
    """Make people anew from their events, which no longer name the erased."""
    schema = load_schema(connection, now_microseconds())
    surroundings = Surroundings(PeopleTable(connection, schema), schema)
    for start in range(0, len(people), PEOPLE_AT_ONCE):
        surroundings.anew(people[start : start + PEOPLE_AT_ONCE], now_text())
