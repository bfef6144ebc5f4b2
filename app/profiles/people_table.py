"""People in the workspace file: found by their identifiers, read as states, written in bulk.

The same class works on the people in use and on the tables of a rebuild under way, which carry a suffix.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Any

import orjson

from app.identity.merge import State
from app.identity.operators import Origin
from app.identity.resolve import Key, Row
from app.schema.mapping import CompiledSchema

PEOPLE_TABLES = ("profiles", "identifiers", "profile_events", "joins", "conflicts", "shared_values")
"""Everything that a rebuild makes anew."""


class PeopleTable:
    """Reads and writes people as states over all fields of a schema."""

    def __init__(self, connection: sqlite3.Connection, schema: CompiledSchema, suffix: str = "") -> None:
        self.connection = connection
        self._in_use = not suffix
        self._field_ids = schema.field_ids
        self._position_of = {str(field_id): position for position, field_id in enumerate(schema.field_ids)}
        (self.profiles, self.identifiers, self.events, self.joins, self.conflicts, self.shared) = (
            f"{table}{suffix}" for table in PEOPLE_TABLES
        )
        names = [f'"{field.name}"' for field in schema.fields]
        listed = "".join(f", {name}" for name in names)
        self._select = (
            f"select _id, _origin_at, _origin_event, _origins, _state{listed} from {self.profiles} "
            "where _id in (select value from json_each(?))"
        )
        self._insert = (
            f"insert into {self.profiles} "
            f"(_id, _created, _updated, _origin_at, _origin_event, _origins, _state{listed}) "
            f"values (?, ?, ?, ?, ?, ?, ?{', ?' * len(names)})"
        )
        self._update = (
            f"update {self.profiles} set _updated = ?, _origin_at = ?, _origin_event = ?, _origins = ?, _state = ?"
            + "".join(f", {name} = ?" for name in names)
            + " where _id = ?"
        )

    def next_id(self) -> int:
        """The id for the next new person."""
        return (self.connection.execute(f"select max(_id) from {self.profiles}").fetchone()[0] or 0) + 1

    def find(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Who has each of these identifier values, as far as anybody has."""
        by_field: dict[int, set[str]] = {}
        for field_id, text in keys:
            by_field.setdefault(field_id, set()).add(text)
        found: dict[Key, int] = {}
        for field_id, texts in by_field.items():
            rows = self.connection.execute(
                f"""select wanted.value, profile_id from json_each(?) as wanted
                cross join {self.identifiers} as known on field_id = ? and known.value = wanted.value""",
                (as_json(texts), field_id),
            )
            found.update(((field_id, text), person) for text, person in rows)
        return found

    def load(self, people: Iterable[int]) -> dict[int, State]:
        """The states of these people."""
        cursor = self.connection.cursor()
        cursor.row_factory = None
        rows = cursor.execute(self._select, (as_json(people),))
        return {
            row[0]: State(
                list(row[5:]),
                (row[1], row[2]),
                self._decode_origins(row[3]) if row[3] else {},
                self._decode_states(row[4]) if row[4] else {},
            )
            for row in rows
        }

    def add(self, people: Iterable[tuple[int, str, State | tuple[Origin, Row]]], now: str) -> None:
        """Insert new people, first seen at a time: states, or the row of the one event that they are made of."""
        rows = [
            (
                person,
                since,
                now,
                *state.origin,
                self._encode(state.others),
                self._encode(state.states),
                *state.values,
            )
            if isinstance(state, State)
            else (person, since, now, *state[0], None, None, *state[1])
            for person, since, state in people
        ]
        self.connection.executemany(self._insert, rows)
        self.mark_unindexed(row[0] for row in rows)

    def update(self, people: Iterable[tuple[int, State]], now: str) -> None:
        """Write changed people."""
        rows = [
            (now, *state.origin, self._encode(state.others), self._encode(state.states), *state.values, person)
            for person, state in people
        ]
        self.connection.executemany(self._update, rows)
        self.mark_unindexed(row[-1] for row in rows)

    def mark_unindexed(self, people: Iterable[int]) -> None:
        """Say that these people were written, or are gone, since a search's index knew them."""
        if self._in_use:
            self.connection.execute(
                "insert or ignore into unindexed select value from json_each(?)", (as_json(people),)
            )

    def add_keys(self, keys: Iterable[tuple[int, str, int, int]]) -> None:
        """Insert identifier values: (field, value, person, the event that brought it), best in the index's order."""
        self.connection.executemany(
            f"insert into {self.identifiers} (field_id, value, profile_id, event_id) values (?, ?, ?, ?)", keys
        )

    def add_links(self, links: Iterable[tuple[int, int]]) -> None:
        """Insert which person got which event."""
        self.connection.executemany(f"insert into {self.events} (profile_id, event_id) values (?, ?)", links)

    def add_joins(self, joins: Iterable[tuple[int, int, int, int, str]]) -> None:
        """Keep the trace of joined people: (event, who was kept, who is gone, identifier field, its value)."""
        self.connection.executemany(
            f"insert into {self.joins} (event_id, kept, gone, field_id, value) values (?, ?, ?, ?, ?)", joins
        )

    def add_conflicts(self, conflicts: Iterable[tuple[int, int, int, str]]) -> None:
        """Keep which ties were not made: (event, who got it, identifier field, its value)."""
        self.connection.executemany(
            f"insert into {self.conflicts} (event_id, profile_id, field_id, value) values (?, ?, ?, ?)", conflicts
        )

    def hold(self, shared: Iterable[tuple[Key, int, int]], event: int) -> None:
        """Keep values that tie nobody: (value, how many others, of which field)."""
        self.connection.executemany(
            f"insert into {self.shared} (field_id, value, others, other_field_id, event_id) values (?, ?, ?, ?, ?)",
            [(*key, others, field_id, event) for key, others, field_id in shared],
        )

    def held(self) -> set[Key]:
        """The identifier values that tie nobody."""
        return {(row[0], row[1]) for row in self.connection.execute(f"select field_id, value from {self.shared}")}

    def join(self, kept: int, gone: int) -> None:
        """Give what the tables hold of one person to another, and drop them."""
        for table, column in (
            (self.identifiers, "profile_id"),
            (self.events, "profile_id"),
            (self.conflicts, "profile_id"),
            (self.joins, "kept"),
        ):
            self.connection.execute(f"update {table} set {column} = ? where {column} = ?", (kept, gone))
        self.connection.execute(f"delete from {self.profiles} where _id = ?", (gone,))
        self.mark_unindexed((gone,))

    def conflicted(self, people: Collection[int]) -> set[int]:
        """Those of these people who are part of a conflict, on whichever side."""
        if self.connection.execute(f"select 1 from {self.conflicts} limit 1").fetchone() is None:
            return set()
        listed = as_json(people)
        rows = self.connection.execute(
            f"""select value from json_each(?) where exists (select 1 from {self.conflicts} where profile_id = value)
            union select known.profile_id from json_each(?) as wanted
                cross join {self.identifiers} as known on known.profile_id = wanted.value
                cross join {self.conflicts} as conflict
                    on conflict.field_id = known.field_id and conflict.value = known.value""",
            (listed, listed),
        )
        return {row[0] for row in rows}

    def _decode_origins(self, others: str) -> dict[int, Origin]:
        known = self._position_of
        return {known[key]: (at, event) for key, (at, event) in orjson.loads(others).items() if key in known}

    def _decode_states(self, states: str) -> dict[int, Any]:
        known = self._position_of
        return {known[key]: state for key, state in orjson.loads(states).items() if key in known}

    def _encode(self, by_position: dict[int, Any]) -> str | None:
        if not by_position:
            return None
        return orjson.dumps({str(self._field_ids[position]): value for position, value in by_position.items()}).decode()


def as_json(values: Iterable[Any]) -> str:
    """A list for SQLite's json_each."""
    return orjson.dumps(list(values)).decode()
