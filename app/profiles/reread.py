"""Raw events read again in the order of their arrival, with what the schema makes of them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from app.schema.mapping import CompiledSchema, Table

EVENTS_PER_CHUNK = 10_000


@dataclass(slots=True)
class Reread:
    """Events of one stream that one run brought: ids, times, raw texts, stored values of all fields.

    `since` is when the run began (UTC text).
    """

    stream: str
    since: str
    events: list[int]
    times: list[int]
    texts: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(slots=True)
class Portion:
    """The next events after `after`, read for the schema `version`, up to the event `last`: `count` of them.

    `left_out` counts, by stream and key, the values of the events that were not wanted.
    """

    version: int
    after: int
    last: int
    count: int
    groups: list[Reread] = field(default_factory=list)
    left_out: dict[str, dict[str, int]] = field(default_factory=dict)


def read_portion(
    connection: sqlite3.Connection, schema: CompiledSchema, after: int, unwanted: Collection[int]
) -> Portion:
    """Read and evaluate the next events, without those of the `unwanted` runs."""
    rows = connection.execute(
        """select events.id, events.at, events.data, streams.name, events.run_id,
            coalesce(runs.started_at, streams.created_at)
        from events join streams on streams.id = stream_id left join runs on runs.id = events.run_id
        where events.id > ? order by events.id limit ?""",
        (after, EVENTS_PER_CHUNK),
    ).fetchall()
    portion = Portion(schema.version, after, rows[-1][0] if rows else after, len(rows))
    for (stream, run_id), group in groupby(rows, key=itemgetter(3, 4)):
        if run_id in unwanted:
            _count_keys(group, portion.left_out.setdefault(stream, {}))
        else:
            portion.groups.append(_reread(schema, stream, list(group)))
    return portion


def _reread(schema: CompiledSchema, stream: str, events: Sequence[sqlite3.Row]) -> Reread:
    ids, times, texts = ([event[place] for event in events] for place in (0, 1, 2))
    table = Table([orjson.loads(text) for text in texts], times=times)
    rows = schema.stream(stream).evaluate(table, Counter())
    return Reread(stream, events[0][5], ids, times, texts, rows)


def _count_keys(events: Iterable[sqlite3.Row], counts: dict[str, int]) -> None:
    """Add how many of these events have a value of each key, counted as when they arrived."""
    for key, number in Table([orjson.loads(event["data"]) for event in events]).filled().items():
        counts[key] = counts.get(key, 0) + number
