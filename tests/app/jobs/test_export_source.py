"""What an export is given: people of audiences and events of streams, all of one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from app.engine import Engine
from app.jobs import export_source
from app.jobs.export_source import WorkspaceSource, source_of
from app.profiles.ingest import ChunkResult
from app.profiles.search_index import index_everybody
from app.store.database import open_connection
from connectors.kit.errors import InputError

Arrive = Callable[..., ChunkResult]
PEOPLE = [
    {"E-Mail": "ann@shop.example", "name": "Ann Holm", "tag": "vip", "visits": "3"},
    {"E-Mail": "bob@shop.example", "name": "Bob Holm", "tag": "new"},
    {"E-Mail": "eve@other.example", "name": "Eve Lind", "visits": "2"},
]


@pytest.fixture
def source(engine: Engine, arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspaceSource]:
    """Three people, two at a time."""
    monkeypatch.setattr(export_source, "PEOPLE_AT_ONCE", 2)
    monkeypatch.setattr(export_source, "EVENTS_AT_ONCE", 2)
    arrive(*PEOPLE)
    index_everybody(engine, lambda *_: None)
    with closing(open_connection(engine.workspace.database.path)) as connection, source_of(connection) as opened:
        yield opened


def names(source: WorkspaceSource, audiences: Sequence[str]) -> list[str]:
    return [row[0] for row in chain.from_iterable(source.people(audiences, ["name"]))]


def test_people_of_an_audience_come_with_values_as_they_are(source: WorkspaceSource) -> None:
    rows = list(chain.from_iterable(source.people(["all"], ["email", "tags", "visits"], memberships=["search:holm"])))
    assert rows == [
        ("ann@shop.example", ["vip"], 3, True),
        ("bob@shop.example", ["new"], None, True),
        ("eve@other.example", None, 2, False),
    ]


def test_several_audiences_bring_everybody_once(source: WorkspaceSource) -> None:
    assert names(source, ["search:holm"]) == ["Ann Holm", "Bob Holm"]
    assert names(source, ["search:bob", "search:eve"]) == ["Bob Holm", "Eve Lind"]
    assert names(source, ["search:bob", "search:holm"]) == ["Ann Holm", "Bob Holm"]
    assert (source.count(["search:holm"]), source.count(["all", "search:bob"]), source.count([])) == (2, 3, 0)
    assert names(source, ["search:nobody"]) == []


def test_a_limit_takes_so_many_at_random(source: WorkspaceSource) -> None:
    drawn = {tuple(chain.from_iterable(source.people(["all"], ["name"], limit=2))) for _ in range(60)}
    assert {len(lot) for lot in drawn} == {2}
    assert len(drawn) == 3
    assert len(list(chain.from_iterable(source.people(["search:holm"], ["name"], limit=5)))) == 2


def test_what_is_written_meanwhile_is_not_in_the_export(source: WorkspaceSource, arrive: Arrive) -> None:
    assert source.count(["all"]) == 3
    later = threading.Thread(target=arrive, args=({"E-Mail": "new@shop.example"},))
    later.start()
    later.join()
    assert source.count(["all"]) == 3
    assert len(list(chain.from_iterable(source.people(["all"], ["email"])))) == 3
    assert source.newest_event() == 3


def test_events_come_in_order_and_by_number_and_time(source: WorkspaceSource) -> None:
    batches = list(source.events([]))
    assert [batch.last for batch in batches] == [2, 3]
    assert [event["E-Mail"] for batch in batches for event in batch.events] == [one["E-Mail"] for one in PEOPLE]
    assert [batch.streams for batch in batches] == [["shop", "shop"], ["shop"]]
    assert [batch.last for batch in source.events(["shop"], after=2)] == [3]
    assert [batch.last for batch in source.events(["shop"], until=1)] == [1]
    second = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=2)
    of_a_day = list(source.events(["shop"], since=second, before=second + timedelta(days=1)))
    assert [event["E-Mail"] for batch in of_a_day for event in batch.events] == ["bob@shop.example"]
    assert set(source.stream_columns(["shop"])) == {"E-Mail", "name", "tag", "visits"}


def test_what_is_not_there_any_more_is_told(source: WorkspaceSource) -> None:
    with pytest.raises(InputError, match="no profile field “shoe_size”"):
        next(source.people(["all"], ["shoe_size"]))
    with pytest.raises(InputError, match="no stream “crm”"):
        next(source.events(["crm"]))
    with pytest.raises(InputError, match="no audience “vip”"):
        source.audience("vip")
