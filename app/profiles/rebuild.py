"""Making all people anew from the raw events: after a change of the schema, or without the events of one import.

The new people are built in tables beside those in use, chunk by chunk, each chunk a transaction that also says how
far it is; so a rebuild that is interrupted goes on, and everything else in the workspace stays usable. The last
transaction takes in what arrived meanwhile and puts the new tables in the place of the old ones.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from app.clock import now_microseconds, now_text
from app.errors import NotFound
from app.profiles.chunk import Chunk
from app.profiles.people_table import PEOPLE_TABLES, PeopleTable, as_json
from app.profiles.reread import Portion, Reread, read_portion
from app.profiles.search_index import start_over
from app.profiles.surroundings import Surroundings
from app.profiles.tombstones import Tombstones
from app.schema.mapping import CompiledSchema, load_schema
from app.schema.tables import version_number
from app.store.database import transaction

SUFFIX = "_rebuilt"
WORKER_CACHE_KIB = 81_920
CHECKPOINT_PAGES = 50_000
LAST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RebuildState:
    """How far a rebuild is. `undone` are the runs whose events are left out, none for a plain rebuild."""

    undone: tuple[int, ...]
    version: int
    last_event: int
    done: int
    settled: int | None
    forgotten: str
    """JSON: by stream and key, how many values go with the undone events."""
    started_at: str


Progress = Callable[[int, int], None]
"""Called with (events done, events in all) after each chunk; what it raises ends the rebuild, which can go on later."""
ReadAhead = Callable[[int, tuple[int, ...]], Iterator[Portion]]
"""Given the last event that is done and the unwanted runs: portions of the events after it, as far as it goes."""
Finished = Callable[[Mapping[int, int], int], None]
"""Called in the last transaction with how many events each undone run lost, and how many people there are now."""


def rebuild_state(connection: sqlite3.Connection) -> RebuildState | None:
    """The rebuild that was begun and not finished."""
    row = connection.execute("select * from rebuild").fetchone()
    if row is None:
        return None
    return RebuildState(
        tuple(orjson.loads(row["undone"])),
        row["schema_version"],
        row["last_event"],
        row["done"],
        row["settled"],
        row["forgotten"],
        row["started_at"],
    )


def rebuild(
    connection: sqlite3.Connection,
    undone: Sequence[int],
    progress: Progress,
    finished: Finished | None = None,
    read_ahead: ReadAhead | None = None,
) -> int:
    """Build all people anew without the events of the `undone` runs, and put them in force; how many they are.

    Goes on with what an interrupted rebuild of the same kind had done, unless the schema changed since. The events,
    counts and rejected rows of undone runs are deleted at the end. `read_ahead` may read most events elsewhere.
    """
    connection.execute(f"pragma cache_size = -{WORKER_CACHE_KIB}")
    connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
    # Dropping a table keeps all of its pages aside until the statement is done: a disk has room for them.
    connection.execute("pragma temp_store = file")
    schema = load_schema(connection, now_microseconds())
    state = rebuild_state(connection)
    if state is None or state.undone != tuple(undone) or state.version != schema.version:
        with transaction(connection):
            _begin(connection, undone, schema.version)
        state = rebuild_state(connection)
    last = state.last_event if state is not None else 0
    portions = read_ahead(last, tuple(undone)) if read_ahead is not None else iter(())
    while True:
        portion = next(portions, None)
        with transaction(connection):
            state = rebuild_state(connection)
            if state is None:
                raise NotFound("The rebuild was given up; the people are as they were.")
            if not state.version == version_number(connection) == schema.version:
                # Somebody published meanwhile, or was erased.
                _begin(connection, undone, version_number(connection))
                schema = load_schema(connection, now_microseconds())
                portions = iter(())
            builder = _Builder(connection, schema)
            if not builder.chunk(portion):
                gone = _finish(connection, undone)
                people = int(connection.execute("select count(*) from profiles").fetchone()[0])
                if finished is not None:
                    finished(gone, people)
                return people
        progress(builder.done, builder.total())


def events_span(connection: sqlite3.Connection, runs: Sequence[int]) -> tuple[int, int]:
    """The first and the last id that events of these runs can have: everything where a run does not say."""
    first, last = connection.execute(
        """select coalesce(min(coalesce(first_event, 0)), 0), coalesce(max(coalesce(last_event, ?)), ?) from runs
        where id in (select value from json_each(?))""",
        (LAST_ID, LAST_ID, as_json(runs)),
    ).fetchone()
    return first, last


def abandon_rebuild(connection: sqlite3.Connection) -> None:
    """Drop what an unfinished rebuild has built; the people in use stay as they are."""
    with transaction(connection):
        _drop(connection)


def begin_anew(connection: sqlite3.Connection) -> None:
    """Drop what an unfinished rebuild has built, but not that it is to be done, in the caller's transaction."""
    if rebuild_state(connection) is not None:
        for table in PEOPLE_TABLES:
            connection.execute(f"drop table if exists {table}{SUFFIX}")
        # No schema has this version, so the next start begins from the first event.
        connection.execute("update rebuild set schema_version = -1, last_event = 0, done = 0")


class _Builder:
    """One chunk of a rebuild."""

    def __init__(self, connection: sqlite3.Connection, schema: CompiledSchema) -> None:
        state = rebuild_state(connection)
        if state is None:
            raise NotFound("The rebuild was given up; the people are as they were.")
        self._connection = connection
        self._state = state
        self._schema = schema
        self._table = PeopleTable(connection, schema, SUFFIX)
        self._surroundings = Surroundings(self._table, schema)
        self._tombstones = Tombstones.load(connection)
        self.done = state.done

    def chunk(self, portion: Portion | None) -> bool:
        """Take in the next events, read now unless `portion` has just them; whether there are more after them."""
        connection, state = self._connection, self._state
        if portion is None or (portion.after, portion.version) != (state.last_event, self._schema.version):
            portion = read_portion(connection, self._schema, state.last_event, state.undone)
        settled = state.settled
        for group in portion.groups:
            settled = self._take(group, settled)
        forgotten: dict[str, dict[str, int]] = orjson.loads(state.forgotten)
        for stream, keys in portion.left_out.items():
            counts = forgotten.setdefault(stream, {})
            for key, number in keys.items():
                counts[key] = counts.get(key, 0) + number
        self.done += portion.count
        connection.execute(
            "update rebuild set last_event = ?, done = ?, settled = ?, forgotten = ?",
            (portion.last, self.done, settled, orjson.dumps(forgotten).decode()),
        )
        return connection.execute("select 1 from events where id > ? limit 1", (portion.last,)).fetchone() is not None

    def total(self) -> int:
        """How many events there are in all."""
        return int(self._connection.execute("select coalesce(sum(event_count), 0) from streams").fetchone()[0])

    def _take(self, group: Reread, settled: int | None) -> int | None:
        events, times, texts, rows = group.events, group.times, group.texts, group.rows
        if self._tombstones:
            # A mapping that is newer than the erasure may find somebody in rows that named nobody then.
            kept = self._tombstones.spares(self._schema, rows, times)
            events = [events[place] for place in kept]
            times = [times[place] for place in kept]
            texts = [texts[place] for place in kept]
            rows = [rows[place] for place in kept]
            if not events:
                return settled
        chunk = Chunk(self._table, self._schema, self._surroundings, events, texts, settled)
        # A person was first seen, and last changed, when the run that brought the event began.
        chunk.take(self._schema.stream(group.stream), rows, times, group.since)
        newest: int = max(times)
        return newest if settled is None else max(settled, newest)


def _begin(connection: sqlite3.Connection, undone: Sequence[int], version: int) -> None:
    """Empty tables beside those in use."""
    _drop(connection)
    for table, (columns, indexes) in _definitions(connection).items():
        connection.execute(columns.replace(table, f"{table}{SUFFIX}", 1))
        for name, statement in indexes.items():
            # An index keeps the name that it was made under, for to make it anew at the end takes long and much
            # memory. So its name has the suffix and has it not in turn.
            other = name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else f"{name}{SUFFIX}"
            statement = statement.replace(name, other, 1)
            connection.execute(re.sub(rf' on "?{table}"?\(', f" on {table}{SUFFIX}(", statement, count=1))
    connection.execute(
        """insert into rebuild (id, undone, schema_version, last_event, done, settled, started_at)
        values (1, ?, ?, 0, 0, null, ?)""",
        (as_json(undone), version, now_text()),
    )


def _drop(connection: sqlite3.Connection) -> None:
    for table in PEOPLE_TABLES:
        connection.execute(f"drop table if exists {table}{SUFFIX}")
    connection.execute("delete from rebuild")


def _definitions(connection: sqlite3.Connection) -> dict[str, tuple[str, dict[str, str]]]:
    """The statements that made each table of people and its indexes."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for table in PEOPLE_TABLES:
        columns = connection.execute(
            "select sql from sqlite_master where type = 'table' and name = ?", (table,)
        ).fetchone()[0]
        indexes = connection.execute(
            "select name, sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null", (table,)
        )
        found[table] = (columns.replace(f'"{table}"', table, 1), {row[0]: row[1] for row in indexes})
    return found


def _finish(connection: sqlite3.Connection, undone: Sequence[int]) -> dict[int, int]:
    """Put the new people in the place of the old ones, and forget the undone runs' events; how many, by run."""
    for table in PEOPLE_TABLES:
        connection.execute(f"drop table {table}")
        connection.execute(f"alter table {table}{SUFFIX} rename to {table}")
    start_over(connection)
    state = rebuild_state(connection)
    connection.execute("delete from rebuild")
    if undone and state is not None:
        return _forget(connection, undone, orjson.loads(state.forgotten))
    return {}


def _forget(
    connection: sqlite3.Connection, undone: Sequence[int], forgotten: Mapping[str, Mapping[str, int]]
) -> dict[int, int]:
    """Delete the events and rejected rows of undone runs, and take them off the counts of their streams."""
    listed = as_json(undone)
    theirs = "from events where id between ? and ? and run_id in (select value from json_each(?))"
    wanted = (*events_span(connection, undone), listed)
    counts = connection.execute(f"select stream_id, run_id, count(*) {theirs} group by 1, 2", wanted).fetchall()
    connection.execute(f"delete {theirs}", wanted)
    gone: Counter[int] = Counter()
    for stream_id, run_id, number in counts:
        gone[run_id] += number
        connection.execute(
            """update streams set event_count = event_count - ?,
                last_event_at = (select max(at) from events where stream_id = streams.id) where id = ?""",
            (number, stream_id),
        )
    for stream, keys in forgotten.items():
        connection.executemany(
            """update stream_fields set seen = seen - ?
            where stream_id = (select id from streams where name = ?) and name = ?""",
            [(number, stream, key) for key, number in keys.items()],
        )
    connection.execute("delete from stream_fields where seen <= 0")
    connection.execute("delete from rejected_rows where run_id in (select value from json_each(?))", (listed,))
    # Their files may be read again.
    connection.execute("delete from imported_files where run_id in (select value from json_each(?))", (listed,))
    connection.execute(
        "update runs set status = 'undone', cursor = null where id in (select value from json_each(?))", (listed,)
    )
    return gone
