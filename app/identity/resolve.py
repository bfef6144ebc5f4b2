"""Who an event belongs to: identifiers tie events to people, ranks decide conflicts, each person's fields are merged.

The rule, for events in the order of their times (of the same time: of their raw texts):

1. An event belongs to the person of its strongest identifier value, who is new if nobody has that value.
2. Each weaker value is tied to the same person. If another person has it, the two prove to be one and are joined.
3. Unless that would give the person two values of an identifier that allows one: then this is a *conflict*, the
   weaker value stays where it is, and the event's data goes to the person of rule 1 all the same.
4. A value that is held back, because it came with too many others, ties nobody.

Events arrive in any order. Where no conflict is near, the order makes no difference and an event is folded in as it
comes. An event that is not newer than all before it and meets a conflict is left in `late`: its surroundings must be
resolved again from their events (app.profiles.replay). So the same events always give the same people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.identity.merge import Merge, State
from app.identity.operators import Origin

MAX_IDENTIFIER_BYTES = 256

Key = tuple[int, str]
"""(id of an identifier field, its value as text)"""

Row = Sequence[Any]
"""Stored values by field position, None for no value."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier field: where it stands in a row, and whether a person has at most one value of it."""

    position: int
    field_id: int
    single: bool


@dataclass(frozen=True, slots=True)
class Join:
    """Two people that an event proved to be one, and the value that tied them."""

    event: int
    kept: int
    gone: int
    key: Key


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that an event named and that was not tied to the person who got the event."""

    event: int
    person: int
    key: Key


class World:
    """The people that a set of events can concern, as far as they are known before."""

    def __init__(
        self,
        owner: dict[Key, int],
        states: dict[int, State],
        *,
        next_person: int,
        settled: int | None = None,
        conflicted: Collection[int] = (),
        held: Collection[Key] = (),
    ) -> None:
        self.owner = owner
        self.states = states
        self.next_person = next_person
        self.settled = settled
        """The newest event time before these events, None for none."""
        self.conflicted = conflicted
        """Those of the people who are part of a conflict."""
        self.held = held
        """Identifier values that tie nobody."""


class Resolver:
    """Folds events into a world. What is to be written afterwards stands in its attributes."""

    def __init__(self, identifiers: Sequence[Identifier], merge: Merge, world: World) -> None:
        self.fresh: dict[int, tuple[Origin, Row]] = {}
        """New people who are made of one event so far."""
        self.states = world.states
        self.changed: set[int] = set()
        self.new_keys: list[tuple[int, str, int, int]] = []
        """(identifier field, value, person, the event that brought it)"""
        self.links: list[tuple[int, int]] = []
        """(person, event)"""
        self.joined: dict[int, int] = {}
        self.joins: list[Join] = []
        self.conflicts: list[Conflict] = []
        self.late: list[tuple[int, list[Key]]] = []
        """Events whose surroundings must be resolved again, with their identifier values."""
        self.nobody = 0
        self.first_new = self.next_person = world.next_person
        self._world = world
        self._owner = world.owner
        self._merge = merge
        self._identifiers = identifiers
        self._by_field = {identifier.field_id: identifier for identifier in identifiers}
        self._single = [identifier for identifier in identifiers if identifier.single]

    def fold(self, events: Iterable[tuple[int, int, Row, list[Key]]], positions: Sequence[int]) -> None:
        """Take in events in their order: (id, time, row, identifier values). `positions` are those a row can fill."""
        owner = self._owner
        held = self._world.held
        fresh = self.fresh
        for event, at, row, keys in events:
            if held and any(key in held for key in keys):
                row = self._without(row, [key for key in keys if key in held])
                keys = [key for key in keys if key not in held]
            if not keys:
                self.nobody += 1
                continue
            owners = [owner.get(key) for key in keys]
            if self.joined:
                owners = [None if person is None else self.last(person) for person in owners]
            person = owners[0]
            if owners.count(person) == len(owners):
                if person is None:
                    person = self.next_person
                    self.next_person += 1
                    fresh[person] = ((at, event), row)
                    for key in keys:
                        owner[key] = person
                        self.new_keys.append((*key, person, event))
                else:
                    self._take(person, event, at, row, positions)
                self.links.append((person, event))
            else:
                self._tie(event, at, row, keys, owners, positions)

    def last(self, person: int) -> int:
        """The person that somebody was joined into, if so."""
        while person in self.joined:
            person = self.joined[person]
        return person

    def state(self, person: int) -> State:
        """A person's state. One for a new person is made only now that a second event names them."""
        state = self.states.get(person)
        if state is None:
            origin, row = self.fresh.pop(person)
            state = self.states[person] = State(list(row), origin)
        return state

    def _take(self, person: int, event: int, at: int, row: Row, positions: Sequence[int]) -> None:
        if self._merge.event(self.state(person), row, positions, (at, event)):
            self.changed.add(person)

    def _tie(
        self, event: int, at: int, row: Row, keys: list[Key], owners: list[int | None], positions: Sequence[int]
    ) -> None:
        """An event whose identifier values belong to several people, or some of them to nobody."""
        world = self._world
        is_late = world.settled is not None and at <= world.settled
        if is_late and any(person in world.conflicted for person in owners):
            self.late.append((event, keys))
            return
        person = owners[0]
        values = self._values(person)
        tied: list[Key] = []
        merged: list[tuple[int, Key]] = []
        refused: list[Key] = []
        for key, other in zip(keys, owners, strict=True):
            if other is None:
                identifier = self._by_field[key[0]]
                if identifier.single and values.get(key[0], key[1]) != key[1]:
                    refused.append(key)
                    continue
                tied.append(key)
                if identifier.single:
                    values[key[0]] = key[1]
            elif other != person and all(other != one for one, _ in merged):
                theirs = self._values(other)
                if any(values.get(field, text) != text for field, text in theirs.items()):
                    refused.append(key)
                    continue
                values.update(theirs)
                if person is None:
                    person = other
                else:
                    merged.append((other, key))
        if refused and is_late:
            self.late.append((event, keys))
            return
        if refused:
            row = self._without(row, refused)
        if person is None:
            person = self.next_person
            self.next_person += 1
            self.fresh[person] = ((at, event), row)
        else:
            for other, key in merged:
                person = self._join(person, other, event, key)
            self._take(person, event, at, row, positions)
        for key in tied:
            self._owner[key] = person
            self.new_keys.append((*key, person, event))
        self.conflicts += [Conflict(event, person, key) for key in refused]
        self.links.append((person, event))

    def _join(self, one: int, other: int, event: int, key: Key) -> int:
        """Make two people one; who was there first keeps the number."""
        kept, gone = min(one, other), max(one, other)
        self._merge.people(self.state(kept), self.state(gone))
        self.joined[gone] = kept
        self.joins.append(Join(event, kept, gone, key))
        self.changed.add(kept)
        return kept

    def _values(self, person: int | None) -> dict[int, str]:
        """A person's values of the identifiers that allow one, by field."""
        if person is None:
            return {}
        fresh = self.fresh.get(person)
        row: Row = fresh[1] if fresh is not None else self.states[person].values
        return {
            identifier.field_id: str(row[identifier.position])
            for identifier in self._single
            if row[identifier.position] is not None
        }

    def _without(self, row: Row, keys: Iterable[Key]) -> Row:
        """The row without these identifier values."""
        left = list(row)
        for field_id, text in keys:
            identifier = self._by_field[field_id]
            if identifier.single:
                left[identifier.position] = None
            else:
                rest = [value for value in orjson.loads(left[identifier.position]) if value != text]
                left[identifier.position] = orjson.dumps(rest).decode() if rest else None
        return left


def keys_of(identifiers: Sequence[Identifier], rows: Sequence[Row]) -> tuple[list[list[Key]], int]:
    """The identifier values of each row, strongest first, and how many values are too long to be any."""
    keys: list[list[Key]] = [[] for _ in rows]
    too_long = 0
    for identifier in identifiers:
        position, field_id = identifier.position, identifier.field_id
        for named, row in zip(keys, rows, strict=True):
            value = row[position]
            if value is None:
                continue
            for text in [str(value)] if identifier.single else orjson.loads(value):
                if len(text) > MAX_IDENTIFIER_BYTES // 4 and len(text.encode()) > MAX_IDENTIFIER_BYTES:
                    too_long += 1
                else:
                    named.append((field_id, text))
    return keys, too_long


def shared_too_much(
    identifiers: Sequence[Identifier], keys: Iterable[Sequence[Key]], limit: int
) -> dict[Key, tuple[int, int]]:
    """Values that came with more than `limit` different values of one other identifier: (how many, which field).

    Only an identifier that allows one value, or a stronger one, counts as "other": a person may well have many
    cookies, but a cookie that many e-mail addresses share is a shared computer.
    """
    rank = {identifier.field_id: place for place, identifier in enumerate(identifiers)}
    single = {identifier.field_id for identifier in identifiers if identifier.single}
    seen: defaultdict[tuple[Key, int], set[str]] = defaultdict(set)
    for named in keys:
        for key in named:
            for field_id, text in named:
                if field_id != key[0] and (field_id in single or rank[field_id] < rank[key[0]]):
                    seen[key, field_id].add(text)
    found: dict[Key, tuple[int, int]] = {}
    for (key, field_id), texts in sorted(seen.items(), key=lambda item: (item[0][0], rank[item[0][1]])):
        if len(texts) > limit and len(texts) > found.get(key, (0, 0))[0]:
            found[key] = (len(texts), field_id)
    return found
