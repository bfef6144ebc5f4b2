"""The people that one chunk of events concerns: read together, changed in memory, written together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from app.identity.merge import Origin, State, merge_event, merge_states
from app.schema.fields import Field
from app.schema.mapping import StreamMapping

MAX_IDENTIFIER_BYTES = 256

Key = tuple[int, str]
"""(id of an identifier field, its value as text)"""


class PeopleTable:
    """Reads and writes people of `profiles` as states over all fields."""

    def __init__(self, connection: sqlite3.Connection, fields: Sequence[Field]) -> None:
        self.connection = connection
        self._field_ids = [field.id for field in fields]
        self._position_of = {str(field.id): position for position, field in enumerate(fields)}
        names = [f'"{field.name}"' for field in fields]
        listed = "".join(f", {name}" for name in names)
        self._select = (
            f"select _id, _origin_at, _origin_event, _origins{listed} from profiles "
            "where _id in (select value from json_each(?))"
        )
        self._insert = (
            f"insert into profiles (_id, _created, _updated, _origin_at, _origin_event, _origins{listed}) "
            f"values (?, ?, ?, ?, ?, ?{', ?' * len(names)})"
        )
        self._update = (
            "update profiles set _updated = ?, _origin_at = ?, _origin_event = ?, _origins = ?"
            + "".join(f", {name} = ?" for name in names)
            + " where _id = ?"
        )

    def next_id(self) -> int:
        """The id for the next new person."""
        return (self.connection.execute("select max(_id) from profiles").fetchone()[0] or 0) + 1

    def find(self, field_id: int, values: Iterable[str]) -> dict[Key, int]:
        """Who has each of these identifier values, as far as anybody has."""
        rows = self.connection.execute(
            """select wanted.value, profile_id from json_each(?) as wanted
            cross join identifiers on field_id = ? and identifiers.value = wanted.value""",
            (orjson.dumps(list(values)).decode(), field_id),
        )
        return {(field_id, value): person for value, person in rows}

    def load(self, people: Iterable[int]) -> dict[int, State]:
        """The states of these people."""
        cursor = self.connection.cursor()
        cursor.row_factory = None
        rows = cursor.execute(self._select, (orjson.dumps(list(people)).decode(),))
        return {row[0]: State(list(row[4:]), (row[1], row[2]), self._decode(row[3]) if row[3] else {}) for row in rows}

    def add(self, people: Iterable[tuple[int, State | tuple[Origin, Sequence[Any]]]], now: str) -> None:
        """Insert new people: states, or the values of the one event that a person is made of."""
        self.connection.executemany(
            self._insert,
            [
                (person, now, now, *state.origin, self._encode(state.others), *state.values)
                if isinstance(state, State)
                else (person, now, now, *state[0], None, *state[1])
                for person, state in people
            ],
        )

    def update(self, people: Iterable[tuple[int, State]], now: str) -> None:
        """Write changed people."""
        self.connection.executemany(
            self._update,
            [(now, *state.origin, self._encode(state.others), *state.values, person) for person, state in people],
        )

    def join(self, winner: int, loser: int) -> None:
        """Give what the tables hold of the loser to the winner, and drop the loser."""
        for table in ("identifiers", "profile_events"):
            self.connection.execute(f"update {table} set profile_id = ? where profile_id = ?", (winner, loser))
        self.connection.execute("delete from profiles where _id = ?", (loser,))

    def _decode(self, others: str) -> dict[int, Origin]:
        return {self._position_of[key]: (at, event) for key, (at, event) in orjson.loads(others).items()}

    def _encode(self, others: dict[int, Origin]) -> str | None:
        if not others:
            return None
        return orjson.dumps({str(self._field_ids[position]): origin for position, origin in others.items()}).decode()


class Chunk:
    """Folds the values of a chunk's events into people. `texts` are the raw events from `first_event` on."""

    def __init__(self, table: PeopleTable, mapping: StreamMapping, first_event: int, texts: Sequence[str]) -> None:
        self.added = self.updated = self.nobody = self.too_long = 0
        self._table = table
        self._identifiers = mapping.identifiers
        self._positions = [column.position for column in mapping.columns]
        self._first_event = first_event
        self._texts = texts
        self._first_new = self._next_person = table.next_id()
        self._owner: dict[Key, int] = {}
        self._new_keys: list[tuple[int, str, int]] = []
        self._fresh: dict[int, tuple[Origin, Sequence[Any]]] = {}
        self._states: dict[int, State] = {}
        self._changed: set[int] = set()
        self._joined: dict[int, int] = {}
        self._links: list[tuple[int, int]] = []

    def fold(self, rows: Sequence[Sequence[Any]], times: Sequence[int]) -> None:
        """Take in one event a row, in order."""
        keys = self._keys(rows)
        owner = self._owner
        for _, field_id in self._identifiers:
            wanted = {text for named in keys for field, text in named if field == field_id}
            owner.update(self._table.find(field_id, wanted))
        self._states = self._table.load(set(owner.values()))
        fresh = self._fresh
        person = self._next_person
        for event, (row, at, named) in enumerate(zip(rows, times, keys, strict=True), start=self._first_event):
            owners = [owner[key] for key in named if key in owner]
            if owners:
                found = self._merge(owners, row, (at, event))
            elif named:
                found = person
                fresh[person] = ((at, event), row)
                person += 1
            else:
                self.nobody += 1
                continue
            if len(owners) < len(named):
                for key in named:
                    if key not in owner:
                        owner[key] = found
                        self._new_keys.append((*key, found))
            self._links.append((found, event))
        self.added = person - self._first_new
        self.updated = len(rows) - self.nobody - self.added
        self._next_person = person

    def save(self, now: str) -> None:
        """Write the people, their identifiers and the links to their events."""
        table = self._table
        for loser, winner in self._joined.items():
            if loser < self._first_new:
                table.join(self._last(winner), loser)
        table.add(
            (
                (person, self._fresh[person] if person in self._fresh else self._states[person])
                for person in range(self._first_new, self._next_person)
                if person not in self._joined
            ),
            now,
        )
        changed = sorted(self._changed - self._joined.keys())
        table.update(((person, self._states[person]) for person in changed if person < self._first_new), now)
        # In the order of their index, which keeps its pages warm.
        table.connection.executemany(
            "insert into identifiers (field_id, value, profile_id) values (?, ?, ?)",
            sorted(
                [(field, text, self._last(person)) for field, text, person in self._new_keys]
                if self._joined
                else self._new_keys
            ),
        )
        table.connection.executemany(
            "insert into profile_events (profile_id, event_id) values (?, ?)",
            [(self._last(person), event) for person, event in self._links] if self._joined else self._links,
        )

    def _keys(self, rows: Sequence[Sequence[Any]]) -> list[list[Key]]:
        """The identifiers that each row carries."""
        keys: list[list[Key]] = [[] for _ in rows]
        for position, field_id in self._identifiers:
            for named, row in zip(keys, rows, strict=True):
                value = row[position]
                if value is None:
                    continue
                text = str(value)
                if len(text) > MAX_IDENTIFIER_BYTES // 4 and len(text.encode()) > MAX_IDENTIFIER_BYTES:
                    self.too_long += 1
                else:
                    named.append((field_id, text))
        return keys

    def _merge(self, owners: list[int], row: Sequence[Any], origin: Origin) -> int:
        """Fold an event into the person that its identifiers name; several of them prove to be one."""
        if self._joined:
            owners = [self._last(person) for person in owners]
        person = min(owners)
        state = self._state(person)
        if len(owners) > 1:
            for other in set(owners) - {person}:
                merge_states(state, self._state(other), self._raw_text)
                self._joined[other] = person
                self._changed.add(person)
        if merge_event(state, row, self._positions, origin, self._raw_text):
            self._changed.add(person)
        return person

    def _state(self, person: int) -> State:
        """A person's state. One for a new person is made only now that a second event names them."""
        state = self._states.get(person)
        if state is None:
            origin, row = self._fresh.pop(person)
            state = self._states[person] = State(list(row), origin, {})
        return state

    def _last(self, person: int) -> int:
        """The person that somebody was joined into, if so."""
        while person in self._joined:
            person = self._joined[person]
        return person

    def _raw_text(self, event: int) -> str:
        if event >= self._first_event:
            return self._texts[event - self._first_event]
        row = self._table.connection.execute("select data from events where id = ?", (event,)).fetchone()
        return row[0] if row is not None else ""
