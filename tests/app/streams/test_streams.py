"""What an import learns of a stream's fields, and raw events paged by time."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine import Engine
from app.streams import event_place, list_streams, stream_events, stream_fields
from app.streams.queries import DAY, StreamField, likely_type
from app.streams.seen import MOST_DISTINCT, SAMPLED_RECORDS, FieldsSeen, ensure_stream, spread
from connectors.kit.formats.guess import value_kind

NOON = 1_795_000_000_000_000


@pytest.fixture
def stream(engine: Engine) -> int:
    with engine.workspace.database.write() as connection:
        return ensure_stream(connection, "members", "2026-11-22T08:00:00.000000Z")


def see(engine: Engine, stream: int, *chunks: Sequence[Mapping[str, Any]], **types: str) -> dict[str, StreamField]:
    """The fields after these chunks of one run."""
    with engine.workspace.database.write() as connection:
        seen = FieldsSeen(connection, stream, types)
        for chunk in chunks:
            keys = dict.fromkeys(key for record in chunk for key in record)
            filled = {key: sum(record.get(key) not in (None, "") for record in chunk) for key in keys}
            counts = {key: count for key, count in filled.items() if count}
            seen.save(connection, spread(chunk), counts, NOON, NOON + len(chunk))
    return {field.name: field for field in stream_fields(engine, stream)}


def test_a_key_of_mixed_values_says_how_many_are_what(engine: Engine, stream: int) -> None:
    records = [{"points": "n/a" if n % 50 == 0 else str(n), "tier": ("gold", "silver")[n % 2]} for n in range(100)]
    fields = see(engine, stream, records, points="integer")
    points = fields["points"]
    assert points.type == "integer"
    assert dict(points.kinds) == pytest.approx({"integer": 0.98, "text": 0.02})
    assert points.distinct is None, "more different values than are told apart"
    assert fields["tier"].distinct == 2
    assert fields["tier"].samples == ("gold", "silver")
    assert (points.seen, points.first_seen, points.last_seen) == (100, NOON, NOON + 100)


def test_what_was_seen_before_is_added_to(engine: Engine, stream: int) -> None:
    see(engine, stream, [{"city": "Malmö"}] * 3)
    city = see(engine, stream, [{"city": "Berlin", "vip": True}, {"city": "", "vip": None}])["city"]
    assert (city.seen, city.distinct, city.samples) == (4, 2, ("Malmö", "Berlin"))
    assert city.kinds == (("text", 1.0),)


def test_a_large_chunk_is_sampled_and_small_ones_are_not(engine: Engine, stream: int) -> None:
    records = [{"country": ("SE", "DE", "PT", "DK")[n % 4], "n": n} for n in range(10_000)]
    fields = see(engine, stream, records)
    assert fields["country"].distinct == 4, "even steps would have met one country only"
    with engine.workspace.database.read() as connection:
        shape = orjson.loads(connection.execute("select shape from stream_fields where name = 'country'").fetchone()[0])
    assert sum(shape["kinds"].values()) == SAMPLED_RECORDS


def test_values_of_hostile_keys_stay_bounded(engine: Engine, stream: int) -> None:
    see(engine, stream, [{"id": f"{n}" * 100} for n in range(SAMPLED_RECORDS)])
    with engine.workspace.database.read() as connection:
        row = connection.execute("select samples, shape from stream_fields").fetchone()
    assert orjson.loads(row["shape"])["distinct"] is None
    assert max(map(len, orjson.loads(row["samples"]))) <= 200
    assert MOST_DISTINCT < SAMPLED_RECORDS


@pytest.mark.parametrize(
    ("first", "kinds", "wanted"),
    [
        ("integer", {}, "integer"),
        ("text", {"integer": 1.0}, "text"),
        ("text", {"date": 0.9, "text": 0.1}, "date"),
        ("integer", {"integer": 0.6, "number": 0.4}, "number"),
        ("number", {"text": 0.4, "integer": 0.3, "number": 0.3}, "number"),
        ("text", {"list": 1.0}, "list"),
    ],
)
def test_the_likely_type(first: str, kinds: dict[str, float], wanted: str) -> None:
    assert likely_type(first, kinds) == wanted


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("maja@example.com", "email"), ("a@b", "text"), ("1840", "integer"), ("007", "text"), ("-3.5", "number"),
        ("2026-11-21T18:02:11Z", "date"), ("20261121", "date"), ("20261399", "integer"), ("2026-13-01", "text"),
        ("true", "boolean"), ("t", "text"), ("", "text"), (True, "boolean"), (7, "integer"), (7.5, "number"),
        (["a"], "list"), ({"a": 1}, "map"),
    ],
)  # fmt: skip
def test_the_kind_of_one_value(value: Any, kind: str) -> None:
    assert value_kind(value) == kind


def add_events(connection: sqlite3.Connection, stream: int, times: Sequence[int]) -> None:
    connection.executemany(
        "insert into events (stream_id, run_id, at, data) values (?, 1, ?, ?)",
        [(stream, at, orjson.dumps({"at": at}).decode()) for at in times],
    )


@given(times=st.lists(st.integers(0, 6), max_size=40), limit=st.integers(1, 7))
def test_pages_of_events_meet_without_gap_or_repeat(times: list[int], limit: int) -> None:
    # A database of its own for each example, with no more than what the query reads.
    connection = sqlite3.connect(":memory:")
    connection.execute("create table events (id integer primary key, stream_id, run_id, at, data)")
    add_events(connection, 1, times)
    engine: Any = _Reading(connection)
    found = []
    before = None
    while page := stream_events(engine, 1, before=before, limit=limit):
        found += [(event.at, event.id) for event in page]
        before = found[-1]
    assert found == sorted(((at, n) for n, at in enumerate(times, 1)), reverse=True)


class _Reading:
    """As much of an engine as a query over one connection needs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.workspace = self.database = self

    def read(self) -> _Reading:
        return self

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        """The test's connection goes on."""


def test_a_jump_to_a_time_and_the_place_of_an_event(engine: Engine, stream: int) -> None:
    with engine.workspace.database.write() as connection:
        add_events(connection, stream, [NOON + n for n in (5, 1, 3)])
    assert [event.at - NOON for event in stream_events(engine, stream, before=(NOON + 5, 0))] == [3, 1]
    assert event_place(engine, 2) == (NOON + 1, 2)
    assert event_place(engine, 99) is None


def test_rates_count_by_the_time_of_events(engine: Engine, stream: int) -> None:
    with engine.workspace.database.write() as connection:
        add_events(connection, stream, [NOON - 1, NOON - 2 * DAY, NOON - 6 * DAY, NOON - 8 * DAY, NOON + DAY])
    assert [(info.last_day, info.last_week) for info in list_streams(engine, NOON)] == [(1, 3)]
