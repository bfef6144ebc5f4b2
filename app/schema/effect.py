"""What the unpublished changes would do to the people who are there, seen on a sample of them.

The events of each sampled person are replayed in memory through the published schema and through the draft, as a
rebuild would. What can't be seen in one person's own events is not in it: people whom a new identifier would join with
others, and what another limit of shared identifiers holds back.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.clock import now_microseconds
from app.profiles.replay import Replayed, replay
from app.profiles.titles import title
from app.schema.checks import faults, refuse
from app.schema.columns import value_of
from app.schema.differences import Difference, compare
from app.schema.fields import list_fields
from app.schema.mapping import CompiledSchema
from app.schema.model import Schema
from app.schema.tables import drafted, read_draft, read_schema

if TYPE_CHECKING:
    from app.engine import Engine

EVENTS_PER_PERSON = 200
"""Of somebody with more, the newest events stand for all."""
MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Example:
    """One value of one person as it is and as it would be; None for no value."""

    person_id: int
    person: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Effect:
    """What the changes would do after a rebuild.

    `people_changed` and `by_subject` (subject of a difference to people) are guesses for all people, exact where
    everybody was sampled.
    """

    people_sampled: int
    people_changed: int
    people_in_all: int
    examples: tuple[Example, ...]
    by_subject: Mapping[str, int]


def estimate_effect(engine: Engine, *, sample: int = 500, cancelled: Callable[[], bool] = lambda: False) -> Effect:
    """Replay the events of at most `sample` people, spread evenly over all; the same people each time.

    Once `cancelled` answers true, what was seen so far is answered. Raises Refused where the draft has faults.
    """
    with engine.workspace.database.read() as connection:
        published = read_schema(connection)
        draft = drafted(published, read_draft(connection))
        differences = compare(published, draft)
        found = faults(draft)
        if found:
            raise refuse(found)
        in_all = int(connection.execute("select count(*) from profiles").fetchone()[0])
        if not differences or not in_all:
            return Effect(0, 0, in_all, (), {})
        people = _spread(connection, sample, in_all)
        watch = _Watch(connection, published, draft, differences)
        for number, person in enumerate(people):
            if cancelled():
                people = people[:number]
                break
            watch.look_at(person)
    share = in_all / len(people) if people else 0.0
    return Effect(
        people_sampled=len(people),
        people_changed=round(watch.changed * share),
        people_in_all=in_all,
        examples=tuple(watch.examples.values()),
        by_subject={subject: round(count * share) for subject, count in watch.by_subject.items()},
    )


def _spread(connection: sqlite3.Connection, sample: int, in_all: int) -> list[int]:
    """The ids of so many people, evenly from the first to the last."""
    if in_all <= sample:
        return [row[0] for row in connection.execute("select _id from profiles order by _id")]
    first, last = connection.execute("select min(_id), max(_id) from profiles").fetchone()
    ids: dict[int, None] = {}
    for number in range(sample):
        place = first + (last - first) * number // max(sample - 1, 1)
        row = connection.execute("select _id from profiles where _id >= ? order by _id limit 1", (place,)).fetchone()
        ids[row[0]] = None
    return list(ids)


class _Watch:
    """Compares people before and after, one by one, and counts."""

    def __init__(
        self, connection: sqlite3.Connection, published: Schema, draft: Schema, differences: Collection[Difference]
    ) -> None:
        self.changed = 0
        self.by_subject: Counter[str] = Counter()
        self.examples: dict[str, Example] = {}
        self._connection = connection
        self._before = published
        self._after = draft
        self._fields = list_fields(connection)
        self._subjects: dict[str, set[str]] = {}
        for difference in differences:
            for name in _fields_of(difference, published, draft):
                self._subjects.setdefault(name.casefold(), set()).add(difference.subject)
        ids = {field.name: field.id for field in self._fields}
        new = (field.name for field in draft.fields if field.name not in ids)
        after_ids = ids | {name: number for number, name in enumerate(new, start=max(ids.values(), default=0) + 1)}
        now = now_microseconds()
        self._compiled = (
            CompiledSchema(published, ids, version=0, now=now),
            CompiledSchema(draft, after_ids, version=0, now=now),
        )
        self._held = [(row[0], row[1]) for row in connection.execute("select field_id, value from shared_values")]

    def look_at(self, person: int) -> None:
        """Replay one person's events through both schemas."""
        events = [
            (row[0], row[1], row[2], row[3])
            for row in self._connection.execute(
                """select events.id, events.at, events.data, streams.name from profile_events
                join events on events.id = event_id join streams on streams.id = stream_id
                where profile_id = ? order by event_id desc limit ?""",
                (person, EVENTS_PER_PERSON),
            )
        ]
        before, after = (replay(schema, events, self._held) for schema in self._compiled)
        one, other = _foremost(before), _foremost(after)
        names = {
            name
            for name in one.values.keys() | other.values.keys()
            if self._value(self._before, one, name) != self._value(self._after, other, name)
        }
        names |= {name for name, _ in one.identifiers ^ other.identifiers}
        subjects = {subject for name in names for subject in self._subjects.get(name.casefold(), ())}
        if len(before) != len(after):
            subjects |= self._subjects.get("", set())
        if not names and len(before) == len(after):
            return
        self.changed += 1
        self.by_subject.update(subjects)
        called = title(one.values, self._fields, person)
        for name in sorted(names, key=str.casefold):
            if name not in self.examples and len(self.examples) < MOST_EXAMPLES:
                was, now = self._value(self._before, one, name), self._value(self._after, other, name)
                self.examples[name] = Example(person, called, name, was, now)

    @staticmethod
    def _value(schema: Schema, person: Replayed, name: str) -> Any:
        field = schema.field(name)
        return None if field is None else value_of(person.values.get(name), field.type)


def _foremost(people: list[Replayed]) -> Replayed:
    """Of the people that one person's events make, the one with most of them."""
    if not people:
        return Replayed({}, frozenset(), frozenset())
    return max(people, key=lambda one: (len(one.events), sorted(one.identifiers)))


def _fields_of(difference: Difference, published: Schema, draft: Schema) -> set[str]:
    """The fields whose values a difference can change; "" where it can change who is who."""
    room, _, name = difference.subject.partition(":")
    if room == "setting":
        return {"", *published.ranking(), *draft.ranking()}
    if room == "field":
        names = {name}
    else:
        names = {mapping.field for schema in (published, draft) if (mapping := schema.mapping(name)) is not None}
    ranked = {identifier.casefold() for schema in (published, draft) for identifier in schema.ranking()}
    return names | {""} if any(name.casefold() in ranked for name in names) else names
