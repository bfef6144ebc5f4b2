"""What an import learns of a stream's fields while the events pass: how often, since when, what values look like."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import orjson

from connectors.kit.formats.guess import value_kind
from connectors.kit.types import Record

SAMPLES = 5
SAMPLED_RECORDS = 100
"""Records of a chunk that are looked at, spread over it: every value would cost more than the import's own work."""
SAMPLE_LENGTH = 200
MOST_DISTINCT = 50
"""Up to so many different values are told apart. A country or a tier has fewer, an address soon has more."""
MAX_STREAM_FIELDS = 10_000
"""Hostile input could bring a new key with each record; beyond this many, keys are kept in events only."""


def ensure_stream(connection: sqlite3.Connection, name: str, now: str) -> int:
    """The id of the stream of this name, made when it is new."""
    row = connection.execute("select id from streams where name = ?", (name,)).fetchone()
    if row is not None:
        return int(row[0])
    cursor = connection.execute("insert into streams (name, created_at) values (?, ?)", (name, now))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def spread(records: Sequence[Record]) -> list[Record]:
    """Some of a chunk's records, from everywhere in it."""
    step = max(1, len(records) // SAMPLED_RECORDS)
    # Not the same place in each step: files often repeat in even steps.
    places = (min(at + at // step * 7 % step, len(records) - 1) for at in range(0, len(records), step))
    return [records[place] for place in places]


class _Seen:
    """One key: a few samples, how many sampled values were of each kind, and the different ones as checksums.

    `distinct` is None once there were more than MOST_DISTINCT. Checksums, because whole values would be personal data
    in one more place.
    """

    __slots__ = ("distinct", "kinds", "samples")

    def __init__(self, samples: list[str], kinds: dict[str, int], distinct: set[int] | None) -> None:
        self.samples, self.kinds, self.distinct = samples, kinds, distinct

    def look_at(self, value: Any) -> None:
        """Take in one value that is neither missing nor empty."""
        kind = value_kind(value)
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if self.distinct is None and len(self.samples) >= SAMPLES:
            return
        text = value if value.__class__ is str else orjson.dumps(value).decode()
        if self.distinct is not None:
            self.distinct.add(crc32(text.encode()))
            if len(self.distinct) > MOST_DISTINCT:
                self.distinct = None
        if len(self.samples) < SAMPLES and (sample := text[:SAMPLE_LENGTH]) not in self.samples:
            self.samples.append(sample)

    def shape(self) -> str:
        """As the table keeps it."""
        distinct = None if self.distinct is None else sorted(self.distinct)
        return orjson.dumps({"kinds": self.kinds, "distinct": distinct}).decode()


class FieldsSeen:
    """Counts of one stream's keys, kept beside the events of each chunk."""

    def __init__(self, connection: sqlite3.Connection, stream_id: int, types: Mapping[str, str]) -> None:
        self._stream_id = stream_id
        self._types = types
        self._seen: dict[str, _Seen] = {}
        for name, samples, shape in connection.execute(
            "select name, samples, shape from stream_fields where stream_id = ?", (stream_id,)
        ):
            kept = orjson.loads(shape)
            distinct = kept.get("distinct", [])
            self._seen[name] = _Seen(
                orjson.loads(samples), kept.get("kinds", {}), None if distinct is None else set(distinct)
            )

    def save(
        self,
        connection: sqlite3.Connection,
        sampled: Sequence[Mapping[str, Any]],
        counts: Mapping[str, int],
        first: int,
        last: int,
    ) -> None:
        """Add one chunk: `sampled` records, `counts` of values by key, event times from `first` to `last`."""
        seen = self._seen
        room = MAX_STREAM_FIELDS - len(seen)
        kept = [key for key in counts if key in seen or (room := room - 1) >= 0]
        for key in kept:
            if key not in seen:
                seen[key] = _Seen([], {}, set())
        for record in sampled:
            for key, value in record.items():
                if value not in ("", None) and (field := seen.get(key)) is not None:
                    field.look_at(value)
        connection.executemany(
            """insert into stream_fields (stream_id, name, type, samples, shape, seen, first_seen, last_seen)
            values (?, ?, ?, ?, ?, ?, ?, ?)
            on conflict (stream_id, name) do update set samples = excluded.samples, shape = excluded.shape,
                seen = seen + excluded.seen,
                first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)""",
            [
                (
                    self._stream_id,
                    key,
                    self._types.get(key, "text"),
                    orjson.dumps(seen[key].samples).decode(),
                    seen[key].shape(),
                    counts[key],
                    first,
                    last,
                )
                for key in kept
            ],
        )
