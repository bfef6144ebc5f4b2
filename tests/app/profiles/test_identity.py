"""The same events give the same people: in any order, in any chunks, through a rebuild, by a model written apart."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import now_microseconds
from app.profiles.ingest import Ingest, Target
from app.profiles.rebuild import rebuild
from app.profiles.retention import drop_expired
from app.schema.model import FieldDefinition, MappingDefinition, make_schema
from app.schema.tables import put_in_force, read_schema
from app.store.database import open_connection, transaction
from app.store.migrations import migrate
from connectors.kit.types import Batch

LIMIT = 3
IDENTIFIERS = ("email", "phone", "cookie")
FIELDS = (
    FieldDefinition("email", type="string", merge="", is_identifier=True, rank=1),
    FieldDefinition("phone", type="string", merge="", is_identifier=True, rank=2),
    FieldDefinition("cookie", type="[]string", merge="", is_identifier=True, rank=3),
    FieldDefinition("name", type="string", merge="latest"),
    FieldDefinition("first_name", type="string", merge="oldest"),
    FieldDefinition("spend", type="number", merge="sum"),
    FieldDefinition("top", type="number", merge="max"),
    FieldDefinition("tags", type="[]string", merge="merge"),
    FieldDefinition("recent", type="[]string", merge="merge", capacity=2),
    FieldDefinition("seen", type="map[string]intsum", merge="sum"),
    FieldDefinition("by_tag", type="map[string]string", merge="merge"),
)
MAPPINGS = {
    "email": "email(`email`)",
    "phone": "`phone`",
    "cookie": "set(`cookie`)",
    "name": "`name`",
    "first_name": "`name`",
    "spend": "tonumber(`spend`)",
    "top": "tonumber(`spend`)",
    "tags": "set(`tag`)",
    "recent": "set(`tag`)",
    "seen": "valuect(`tag`)",
    "by_tag": "map(`tag`, `name`)",
}


@dataclass(frozen=True)
class Event:
    at: int
    data: tuple[tuple[str, str], ...]

    @property
    def record(self) -> dict[str, str]:
        return dict(self.data)

    @property
    def text(self) -> str:
        return orjson.dumps(self.record).decode()


def value(choices: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *choices])


EVENTS = st.builds(
    lambda at, email, phone, cookie, name, spend, tag: Event(
        at,
        (
            ("email", f"{email}@x.example" if email else ""),
            ("phone", phone),
            ("cookie", cookie),
            ("name", name),
            ("spend", spend),
            ("tag", tag),
        ),
    ),
    st.integers(1, 12),
    value("abc"),
    value("123"),
    value("xyz"),
    value("JKL"),
    st.sampled_from(["", "0.1", "0.2", "12.5", "-3"]),
    value("pqr"),
)


class Workspace:
    """A workspace file with one stream whose mapping is MAPPINGS."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        migrate(path)
        self.connection = open_connection(path)
        self.runs = 0
        with transaction(self.connection):
            self.connection.execute(
                """insert into jobs (id, name, provider, job_type, kind, status, created_by, created_at, updated_at)
                values (1, 'job', 'p', 't', 'import', 'running', '', '', '')"""
            )
            mappings = [
                MappingDefinition(f"m_{field}", "web", field, expression) for field, expression in MAPPINGS.items()
            ]
            before = read_schema(self.connection)
            put_in_force(
                self.connection, before, make_schema(FIELDS, mappings, limit), comment="test", by="", origins={}
            )

    def take(self, events: Sequence[Event], chunk: int = 3) -> None:
        """Import the events in a run of their own."""
        self.runs += 1
        with transaction(self.connection):
            self.connection.execute(
                """insert into runs (id, job_id, trigger, status, started_at, first_event_at)
                values (?, 1, 'by hand', 'running', '', 0)""",
                (self.runs,),
            )
        stream = self.connection.execute("select id from streams").fetchone()[0]
        ingest = Ingest(self.connection, Target(self.runs, 1, stream, "web", {}), 0)
        for start in range(0, len(events), chunk):
            part = events[start : start + chunk]
            ingest.write(Batch([event.record for event in part], {}, times=[event.at for event in part]))

    def people(self) -> list[tuple[Any, ...]]:
        """What there is of each person: field values, identifiers, raw events."""
        names = [field.name for field in FIELDS]
        found = []
        for row in self.connection.execute(f"select _id, {', '.join(names)} from profiles").fetchall():
            values = tuple(
                orjson.loads(row[name]) if isinstance(row[name], str) and row[name][:1] in "[{" else row[name]
                for name in names
            )
            keys = self.connection.execute(
                """select fields.name, value from identifiers join fields on fields.id = field_id
                where profile_id = ?""",
                (row[0],),
            ).fetchall()
            events = self.connection.execute(
                "select at, data from profile_events join events on events.id = event_id where profile_id = ?",
                (row[0],),
            ).fetchall()
            found.append((values, sorted(map(tuple, keys)), sorted(map(tuple, events))))
        return sorted(found, key=repr)


@contextmanager
def workspace(limit: int = LIMIT) -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory() as folder:
        made = Workspace(Path(folder) / "workspace.db", limit)
        try:
            yield made
        finally:
            made.connection.close()


# The model: the rules of app.identity.resolve, over whole lists, event by event, with nothing clever.


def keys(event: Event) -> list[tuple[str, str]]:
    return [(name, event.record[name]) for name in IDENTIFIERS if event.record[name]]


def held_back(events: Sequence[Event], limit: int) -> set[tuple[str, str]]:
    held = set()
    for key in {key for event in events for key in keys(event)}:
        for other in IDENTIFIERS:
            counts = other in ("email", "phone") or IDENTIFIERS.index(other) < IDENTIFIERS.index(key[0])
            values = {text for event in events if key in keys(event) for name, text in keys(event) if name == other}
            if other != key[0] and counts and len(values) > limit:
                held.add(key)
    return held


def model(events: Sequence[Event], limit: int = LIMIT) -> list[tuple[Any, ...]]:
    held = held_back(events, limit)
    people: list[dict[str, Any]] = []

    def owner(key: tuple[str, str]) -> dict[str, Any] | None:
        return next((person for person in people if key in person["keys"]), None)

    def fits(one: set[tuple[str, str]], other: set[tuple[str, str]]) -> bool:
        return all(len({text for name, text in one | other if name == single}) <= 1 for single in ("email", "phone"))

    for event in sorted(events, key=lambda event: (event.at, event.text)):
        named = [key for key in keys(event) if key not in held]
        if not named:
            continue
        person = owner(named[0]) or {"keys": set(), "events": []}
        if person not in people:
            people.append(person)
        person["keys"].add(named[0])
        taken = [named[0]]
        for key in named[1:]:
            other = owner(key)
            if other is person:
                taken.append(key)
            elif other is None and fits(person["keys"], {key}):
                person["keys"].add(key)
                taken.append(key)
            elif other is not None and fits(person["keys"], other["keys"]):
                person["keys"] |= other["keys"]
                person["events"] += other["events"]
                people.remove(other)
                taken.append(key)
        person["events"].append((event, dict(taken)))
    return sorted((described(person) for person in people), key=repr)


def described(person: dict[str, Any]) -> tuple[Any, ...]:
    events = sorted(person["events"], key=lambda entry: (entry[0].at, entry[0].text))
    records = [(event, event.record, taken) for event, taken in events]

    def newest(name: str) -> Any:
        return next((taken[name] for _, _, taken in reversed(records) if name in taken), None)

    names = [record["name"] for _, record, _ in records if record["name"]]
    spent = [Decimal(record["spend"]) for _, record, _ in records if record["spend"]]
    tags = [(event.at, record["tag"], record["name"]) for event, record, _ in records if record["tag"]]
    last = {tag: at for at, tag, _ in tags}
    named = sorted((at, orjson.dumps(name), tag, name) for at, tag, name in tags if name)
    email = newest("email")
    values = (
        email,
        newest("phone"),
        sorted({taken["cookie"] for _, _, taken in records if "cookie" in taken}) or None,
        names[-1] if names else None,
        names[0] if names else None,
        float(sum(spent)) if spent else None,
        float(max(spent)) if spent else None,
        sorted({tag for _, tag, _ in tags}) or None,
        sorted(sorted(last, key=lambda tag: (last[tag], tag))[-2:]) or None,
        {tag: sum(1 for _, one, _ in tags if one == tag) for tag in last} or None,
        {tag: name for _, _, tag, name in named} or None,
    )
    return (
        values,
        sorted(person["keys"]),
        sorted((event.at, event.text) for event, _ in events),
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(EVENTS, max_size=14), st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_and_any_chunks_give_the_people_of_the_model(events: list[Event], random: Any, chunk: int) -> None:
    expected = model(events)
    random.shuffle(events)
    cut = random.randint(0, len(events))
    with workspace() as made:
        made.take(events[:cut], chunk)
        made.take(events[cut:], chunk)
        assert made.people() == expected
        rebuild(made.connection, (), lambda done, total: None)
        assert made.people() == expected


@settings(max_examples=30, deadline=None)
@given(st.lists(EVENTS, max_size=10), st.lists(EVENTS, max_size=10), st.integers(1, 5))
def test_without_one_run_people_are_as_if_it_had_never_been(
    first: list[Event], second: list[Event], chunk: int
) -> None:
    with workspace() as made:
        made.take(first, chunk)
        made.take(second, chunk)
        rebuild(made.connection, (1,), lambda done, total: None)
        assert made.people() == model(second)
        assert made.connection.execute("select count(*) from events").fetchone()[0] == len(second)


def event(at: int, **values: str) -> Event:
    data = dict.fromkeys(("email", "phone", "cookie", "name", "spend", "tag"), "") | values
    return Event(at, tuple(data.items()))


def found(made: Workspace, **identifiers: str) -> list[dict[str, Any]]:
    name, text = next(iter(identifiers.items()))
    rows = made.connection.execute(
        """select profiles.* from identifiers join fields on fields.id = field_id
        join profiles on _id = profile_id where fields.name = ? and value = ?""",
        (name, text),
    )
    return [dict(row) for row in rows]


def test_an_event_that_names_two_people_proves_them_one() -> None:
    with workspace() as made:
        made.take([event(1, email="ann@x.example", tag="news"), event(2, phone="7", spend="120")])
        assert made.connection.execute("select count(*) from profiles").fetchone()[0] == 2
        made.take([event(3, email="ann@x.example", phone="7", name="Ann")])
        (ann,) = found(made, phone="7")
        assert (ann["email"], ann["name"], ann["spend"], ann["tags"]) == ("ann@x.example", "Ann", 120, '["news"]')
        (join,) = made.connection.execute("select kept, gone, value from joins").fetchall()
        assert tuple(join) == (1, 2, "7")


def test_anonymous_history_belongs_to_the_person_once_known() -> None:
    with workspace() as made:
        made.take([event(1, cookie="c1", tag="v"), event(2, cookie="c1", tag="v")])
        made.take([event(3, cookie="c1", email="ann@x.example")])
        made.take([event(4, cookie="c2", email="ann@x.example", tag="v")])
        (ann,) = found(made, email="ann@x.example")
        assert (ann["cookie"], ann["seen"]) == ('["c1","c2"]', '{"v":3}')


def test_a_conflict_keeps_two_people_apart_and_is_counted() -> None:
    with workspace() as made:
        made.take([event(1, cookie="c1", email="ann@x.example"), event(2, cookie="c9", email="bob@x.example")])
        made.take([event(3, cookie="c1", email="bob@x.example", tag="shoes")])
        (ann,), (bob,) = found(made, email="ann@x.example"), found(made, email="bob@x.example")
        assert (ann["cookie"], ann["tags"]) == ('["c1"]', None)
        assert (bob["cookie"], bob["tags"]) == ('["c9"]', '["shoes"]')
        assert [tuple(row) for row in made.connection.execute("select profile_id, value from conflicts")] == [
            (bob["_id"], "c1")
        ]


def test_a_value_that_too_many_share_is_held_back_and_said() -> None:
    with workspace() as made:
        made.take([event(at, email="test@x.example", phone=str(at), name=f"N{at}") for at in range(1, LIMIT + 1)])
        assert made.connection.execute("select count(*) from profiles").fetchone()[0] == 1
        made.take([event(9, email="test@x.example", phone="9")])
        assert made.connection.execute("select count(*) from profiles").fetchone()[0] == LIMIT + 1
        assert found(made, email="test@x.example") == []
        assert [found(made, phone=str(at))[0]["name"] for at in range(1, LIMIT + 1)] == ["N1", "N2", "N3"]
        held = made.connection.execute("select value, others from shared_values").fetchall()
        assert [tuple(row) for row in held] == [("test@x.example", LIMIT + 1)]


def test_a_late_event_never_overwrites_a_newer_value() -> None:
    with workspace() as made:
        made.take([event(5, email="ann@x.example", name="Ann Lee")])
        made.take([event(1, email="ann@x.example", name="Ann Old")])
        (ann,) = found(made, email="ann@x.example")
        assert (ann["name"], ann["first_name"]) == ("Ann Lee", "Ann Old")


def test_a_rebuild_that_was_interrupted_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.profiles.reread.EVENTS_PER_CHUNK", 2)
    events = [event(at, email=f"{at % 3}@x.example", tag="t") for at in range(1, 10)]
    with workspace() as made:
        made.take(events)
        seen: list[int] = []

        def stop(done: int, total: int) -> None:
            seen.append(done)
            if len(seen) == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuild(made.connection, (), stop)
        made.take([event(20, email="1@x.example", tag="u")])
        assert rebuild(made.connection, (), lambda done, total: seen.append(done)) == 3
        assert seen[2] == seen[1] + 2
        assert made.people() == model([*events, event(20, email="1@x.example", tag="u")])


def test_a_field_that_keeps_days_lets_older_values_go() -> None:
    day = 86_400_000_000
    with workspace() as made:
        with transaction(made.connection):
            before = read_schema(made.connection)
            kept = [
                replace(field, keep_days=10) if field.name in ("name", "recent", "seen") else field
                for field in before.fields
            ]
            after = make_schema(kept, before.mappings, LIMIT)
            put_in_force(made.connection, before, after, comment="days", by="", origins={})
        now = now_microseconds()
        made.take([event(now - 11 * day, email="old@x.example", name="Old", tag="p")])
        made.take([event(now - 9 * day, email="ann@x.example", name="Ann", tag="p")])
        made.take([event(now - 2 * day, email="ann@x.example", tag="q")])
        (old,), (ann,) = found(made, email="old@x.example"), found(made, email="ann@x.example")
        assert (old["name"], old["recent"], old["first_name"]) == (None, None, "Old")
        assert (ann["name"], ann["recent"], ann["seen"]) == ("Ann", '["p","q"]', '{"p":1,"q":1}')
        assert drop_expired(made.connection, now + 2 * day, lambda: None) == 1
        (ann,) = found(made, email="ann@x.example")
        assert (ann["name"], ann["recent"], ann["tags"]) == (None, '["q"]', '["p","q"]')
        assert drop_expired(made.connection, now + 9 * day, lambda: None) == 1
        (ann,) = found(made, email="ann@x.example")
        assert (ann["recent"], ann["seen"], ann["first_name"]) == (None, None, "Ann")
