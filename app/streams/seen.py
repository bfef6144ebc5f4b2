"""What an import learns of a stream's fields while the events pass: how often, since when, samples."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

SAMPLES = 5
SAMPLED_RECORDS = 50
SAMPLE_LENGTH = 200
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


class FieldsSeen:
    """Counts of one stream's keys, kept beside the events of each chunk."""

    def __init__(self, connection: sqlite3.Connection, stream_id: int, types: Mapping[str, str]) -> None:
        self._stream_id = stream_id
        self._types = types
        self._samples: dict[str, list[str]] = {
            row[0]: orjson.loads(row[1])
            for row in connection.execute("select name, samples from stream_fields where stream_id = ?", (stream_id,))
        }

    def save(
        self,
        connection: sqlite3.Connection,
        records: Sequence[Mapping[str, Any]],
        counts: Mapping[str, int],
        first: int,
        last: int,
    ) -> None:
        """Add one chunk of records: `counts` of values by key, event times from `first` to `last`."""
        for record in records[:SAMPLED_RECORDS]:
            for key, value in record.items():
                if value in ("", None):
                    continue
                samples = self._samples.get(key)
                if samples is None:
                    samples = self._samples[key] = []
                if len(samples) < SAMPLES:
                    text = (value if isinstance(value, str) else orjson.dumps(value).decode())[:SAMPLE_LENGTH]
                    if text not in samples:
                        samples.append(text)
        room = MAX_STREAM_FIELDS - len(self._samples)
        kept = [key for key in counts if key in self._samples or (room := room - 1) >= 0]
        connection.executemany(
            """insert into stream_fields (stream_id, name, type, samples, seen, first_seen, last_seen)
            values (?, ?, ?, ?, ?, ?, ?)
            on conflict (stream_id, name) do update set samples = excluded.samples, seen = seen + excluded.seen,
                first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)""",
            [
                (
                    self._stream_id,
                    key,
                    self._types.get(key, "text"),
                    orjson.dumps(self._samples.setdefault(key, [])).decode(),
                    counts[key],
                    first,
                    last,
                )
                for key in kept
            ],
        )
