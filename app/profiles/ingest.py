"""One chunk of records becomes events and people, in one transaction with the run's cursor and counts."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.clock import now_text
from app.identity.merge import State, merge_event, merge_states
from app.schema.mapping import StreamMapping, Table, load_mapping
from app.store.database import transaction
from app.streams.seen import FieldsSeen
from connectors.kit.types import Batch

MAX_IDENTIFIER_BYTES = 256
WORKER_CACHE_KIB = 131_072
"""SQLite's page cache in a worker: identifiers are looked up all over their index."""
CHECKPOINT_PAGES = 20_000
FIND_PERSON = "select profile_id from identifiers where field_id = ? and value = ?"
ADD_IDENTIFIER = "insert or ignore into identifiers (field_id, value, profile_id) values (?, ?, ?)"
ADD_EVENT = "insert into events (id, stream_id, run_id, at, data) values (?, ?, ?, ?, ?)"


@dataclass(slots=True)
class ChunkResult:
    """What one chunk did. `unreadable` counts values by field that did not fit its type and were left out."""

    read: int
    added: int
    updated: int
    rejected: int
    nobody: int
    unreadable: Counter[str]


class Ingest:
    """Writes the chunks of one run. The connection is the worker's own.

    `first_event_at` is the event time of the run's first record where the source has no event times: records
    then follow each other by a microsecond, so that file order decides which value is newest.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        run_id: int,
        job_id: int,
        stream_id: int,
        types: Mapping[str, str],
        first_event_at: int,
        records_before: int,
    ) -> None:
        connection.execute(f"pragma cache_size = -{WORKER_CACHE_KIB}")
        connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self._connection = connection
        self._lookup = connection.cursor()
        self._lookup.row_factory = None
        self._run_id = run_id
        self._job_id = job_id
        self._stream_id = stream_id
        self._seen = FieldsSeen(connection, stream_id, types)
        self._next_time = first_event_at + records_before
        # What the present chunk has still to write. A person in `_new_people` or `_changed` is not read from
        # the table before `_flush` has put them there.
        self._events: list[tuple[int, int, int, int, str]] = []
        self._links: list[tuple[int, int]] = []
        self._new_people: list[tuple[Any, ...]] = []
        self._new_identifiers: dict[tuple[int, str], int] = {}
        self._changed: dict[int, tuple[Any, ...]] = {}
        self._unreadable: Counter[str] = Counter()
        self._use(load_mapping(connection, stream_id))

    def _use(self, mapping: StreamMapping) -> None:
        self._mapping = mapping
        self._positions = [column.position for column in mapping.columns]
        self._identifiers = mapping.identifiers
        self._width = len(mapping.fields)
        self._field_ids = [field.id for field in mapping.fields]
        self._position_of = {str(field.id): position for position, field in enumerate(mapping.fields)}
        names = [f'"{field.name}"' for field in mapping.fields]
        listed = "".join(f", {name}" for name in names)
        self._select = f"select _origin_at, _origin_event, _origins{listed} from profiles where _id = ?"
        self._insert = (
            f"insert into profiles (_id, _created, _updated, _origin_at, _origin_event{listed}) "
            f"values (?, ?, ?, ?, ?{', ?' * len(names)})"
        )
        self._update = (
            "update profiles set _updated = ?, _origin_at = ?, _origin_event = ?, _origins = ?"
            + "".join(f", {name} = ?" for name in names)
            + " where _id = ?"
        )

    def write(self, batch: Batch) -> ChunkResult:
        """Store one batch and move the run's cursor, all or nothing."""
        with transaction(self._connection):
            return self._write(batch)

    def _write(self, batch: Batch) -> ChunkResult:
        connection = self._connection
        now = now_text()
        self._unreadable = Counter()
        if connection.execute("select count(*) from fields").fetchone()[0] != self._width:
            # Another run made a field meanwhile; people must be read and written with all of theirs.
            self._use(load_mapping(connection, self._stream_id))
        times = self._times(batch)
        event_id = (connection.execute("select max(id) from events").fetchone()[0] or 0) + 1
        self._next_person = (connection.execute("select max(_id) from profiles").fetchone()[0] or 0) + 1
        self._first_new = self._next_person
        self._first_event = event_id
        self._texts = [orjson.dumps(record).decode() for record in batch.records]
        added = updated = nobody = 0
        table = Table(batch.records, batch.columns)
        rows = self._mapping.evaluate(table, self._unreadable)
        for text, at, values in zip(self._texts, times, rows, strict=True):
            self._events.append((event_id, self._stream_id, self._run_id, at, text))
            people = self._people(values)
            if people is None:
                nobody += 1
            elif not people:
                self._add(values, at, event_id, now)
                added += 1
            else:
                self._fold(people, values, at, event_id, now)
                updated += 1
            event_id += 1
        self._flush()
        if batch.records:
            self._seen.save(connection, batch.records, table.filled(), min(times), max(times))
            connection.execute(
                """update streams set event_count = event_count + ?,
                    last_event_at = max(coalesce(last_event_at, ?), ?) where id = ?""",
                (len(batch.records), times[-1], max(times), self._stream_id),
            )
        result = ChunkResult(
            read=len(batch.records) + len(batch.rejected),
            added=added,
            updated=updated,
            rejected=len(batch.rejected),
            nobody=nobody,
            unreadable=self._unreadable,
        )
        self._account(batch, result, now)
        return result

    def _times(self, batch: Batch) -> list[int]:
        """Each record's event time; a record without one takes the time of its arrival in the run's order."""
        count = len(batch.records)
        arrival = range(self._next_time, self._next_time + count)
        self._next_time += count
        if not batch.times:
            return list(arrival)
        return [at if at is not None else own for at, own in zip(batch.times, arrival, strict=True)]

    def _people(self, values: Sequence[Any]) -> list[int] | None:
        """Ids of the people that the identifiers name, lowest first; None when there is no identifier at all."""
        found: list[int] = []
        any_identifier = False
        for position, field_id in self._identifiers:
            value = values[position]
            if value is None:
                continue
            any_identifier = True
            key = (field_id, str(value))
            person = self._new_identifiers.get(key)
            if person is None:
                row = self._lookup.execute(FIND_PERSON, key).fetchone()
                if row is None:
                    continue
                person = row[0]
            if person not in found:
                found.append(person)
        if not any_identifier:
            return None
        return sorted(found) if len(found) > 1 else found

    def _add(self, values: Sequence[Any], at: int, event_id: int, now: str) -> None:
        person = self._next_person
        self._next_person += 1
        self._new_people.append((person, now, now, at, event_id, *values))
        self._identify(person, values)
        self._links.append((person, event_id))

    def _fold(self, people: Sequence[int], values: Sequence[Any], at: int, event_id: int, now: str) -> None:
        winner = people[0]
        state = self._load(winner)
        for loser in people[1:]:
            self._join(winner, state, loser)
        changed = merge_event(state, values, self._positions, (at, event_id), self._raw_text)
        if changed or len(people) > 1:
            self._changed[winner] = (
                now,
                state.origin[0],
                state.origin[1],
                self._encode(state),
                *state.values,
                winner,
            )
        if len(self._identifiers) > 1:
            self._identify(winner, values)
        self._links.append((winner, event_id))

    def _join(self, winner: int, state: State, loser: int) -> None:
        """Two people prove to be one: the first keeps its id, and gets everything of the second."""
        self._flush()
        connection = self._connection
        merge_states(state, self._load(loser), self._raw_text)
        connection.execute("update identifiers set profile_id = ? where profile_id = ?", (winner, loser))
        connection.execute("update profile_events set profile_id = ? where profile_id = ?", (winner, loser))
        connection.execute(
            "update profiles set _created = min(_created, (select _created from profiles where _id = ?)) where _id = ?",
            (loser, winner),
        )
        connection.execute("delete from profiles where _id = ?", (loser,))

    def _identify(self, person: int, values: Sequence[Any]) -> None:
        for position, field_id in self._identifiers:
            value = values[position]
            if value is not None:
                self._new_identifiers[field_id, str(value)] = person

    def _load(self, person: int) -> State:
        if person in self._changed or person >= self._first_new:
            self._flush()
        row = self._lookup.execute(self._select, (person,)).fetchone()
        others = (
            {self._position_of[key]: (at, event) for key, (at, event) in orjson.loads(row[2]).items()} if row[2] else {}
        )
        return State(list(row[3:]), (row[0], row[1]), others)

    def _encode(self, state: State) -> str | None:
        if not state.others:
            return None
        return orjson.dumps({str(self._field_ids[key]): origin for key, origin in state.others.items()}).decode()

    def _raw_text(self, event_id: int) -> str:
        if event_id >= self._first_event:
            return self._texts[event_id - self._first_event]
        row = self._lookup.execute("select data from events where id = ?", (event_id,)).fetchone()
        return row[0] if row is not None else ""

    def _flush(self) -> None:
        """Write what the chunk has gathered so far. Identifiers go in order, which keeps their index's pages warm."""
        connection = self._connection
        connection.executemany(ADD_EVENT, self._events)
        connection.executemany(self._insert, self._new_people)
        connection.executemany(self._update, self._changed.values())
        connection.executemany(ADD_IDENTIFIER, sorted((*key, person) for key, person in self._new_identifiers.items()))
        connection.executemany("insert into profile_events (profile_id, event_id) values (?, ?)", self._links)
        for pending in (self._events, self._new_people, self._changed, self._new_identifiers, self._links):
            pending.clear()
        self._first_new = self._next_person

    def _account(self, batch: Batch, result: ChunkResult, now: str) -> None:
        connection = self._connection
        connection.executemany(
            "insert into rejected_rows (run_id, line, reason, text) values (?, ?, ?, ?)",
            [(self._run_id, row.line, row.reason, row.text) for row in batch.rejected],
        )
        connection.execute(
            """update runs set cursor = ?, read = read + ?, added = added + ?, updated = updated + ?,
                rejected = rejected + ? where id = ?""",
            (
                orjson.dumps(batch.cursor).decode(),
                result.read,
                result.added,
                result.updated,
                result.rejected,
                self._run_id,
            ),
        )
        connection.execute(
            """insert into activity (job_id, hour, added, updated, rejected) values (?, ?, ?, ?, ?)
            on conflict (job_id, hour) do update set added = added + excluded.added,
                updated = updated + excluded.updated, rejected = rejected + excluded.rejected""",
            (self._job_id, now[:13], result.added, result.updated, result.rejected),
        )
