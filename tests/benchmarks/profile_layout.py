"""Which layout of the people's table is best: real columns, or a JSON document with generated columns?

    python tests/benchmarks/profile_layout.py [ROWS]

For each layout: insert the people of a file, read and rewrite each one (a second import), then count an audience
without and with an index made for it. The figures and what was decided are in docs/performance.md.
"""

from __future__ import annotations

import csv
import itertools
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from people_file import COLUMNS, write_people

CHUNK = 10_000
AUDIENCE = "email is not null and country = 'US' and last_seen > '2026-05-01' and visits >= 5"
INDEX = "create index audience on profiles (country, last_seen, visits, email)"
SELECT = "select {} from profiles where _id >= ? and _id < ?"
NUMBERS = {"visits": int, "lifetime_value": float}


def people(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Chunks of the file's rows as field values."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        while rows := list(itertools.islice(reader, CHUNK)):
            yield [
                {
                    name: NUMBERS[name](value) if name in NUMBERS else value
                    for name, value in zip(COLUMNS, row, strict=True)
                }
                for row in rows
            ]


def columns_insert(connection: sqlite3.Connection, first: int, chunk: list[dict[str, Any]]) -> None:
    connection.executemany(
        f"insert into profiles values (?{', ?' * len(COLUMNS)})",
        [(person, *values.values()) for person, values in enumerate(chunk, first)],
    )


def columns_update(connection: sqlite3.Connection, first: int, chunk: list[dict[str, Any]]) -> None:
    rows = connection.execute(
        "select * from profiles where _id >= ? and _id < ?", (first, first + len(chunk))
    ).fetchall()
    merged = [(*values.values(), row[0]) for row, values in zip(rows, chunk, strict=True)]
    connection.executemany(f"update profiles set {', '.join(f'{name} = ?' for name in COLUMNS)} where _id = ?", merged)


def document_insert(connection: sqlite3.Connection, first: int, chunk: list[dict[str, Any]]) -> None:
    connection.executemany(
        "insert into profiles (_id, _doc) values (?, ?)",
        [(person, orjson.dumps(values).decode()) for person, values in enumerate(chunk, first)],
    )


def document_update(connection: sqlite3.Connection, first: int, chunk: list[dict[str, Any]]) -> None:
    rows = connection.execute(
        "select * from profiles where _id >= ? and _id < ?", (first, first + len(chunk))
    ).fetchall()
    merged = [
        (orjson.dumps(orjson.loads(row[1]) | values).decode(), row[0]) for row, values in zip(rows, chunk, strict=True)
    ]
    connection.executemany("update profiles set _doc = ? where _id = ?", merged)


LAYOUTS = {
    "real columns": (
        f"create table profiles (_id integer primary key, {', '.join(COLUMNS)})",
        columns_insert,
        columns_update,
    ),
    "document, generated columns": (
        "create table profiles (_id integer primary key, _doc text, "
        + ", ".join(f"{name} generated always as (_doc ->> '$.{name}') virtual" for name in COLUMNS)
        + ")",
        document_insert,
        document_update,
    ),
}


def seconds(connection: sqlite3.Connection, statement: str) -> float:
    start = time.perf_counter()
    connection.execute(statement).fetchone()
    return time.perf_counter() - start


def measure(rows: int) -> None:
    """Print a line a layout."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "people.csv"
        write_people(source, rows)
        print(f"{rows:,} people, 12 columns; seconds")
        print(f"{'layout':30}{'insert':>9}{'rewrite':>9}{'count':>9}{'index':>9}{'count':>9}{'MB':>7}")
        for name, (table, insert, update) in LAYOUTS.items():
            path = Path(folder) / "people.db"
            path.unlink(missing_ok=True)
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.execute(table)
            times = []
            for act in (insert, update):
                total, first = 0.0, 1
                for chunk in people(source):
                    start = time.perf_counter()
                    connection.execute("begin")
                    act(connection, first, chunk)
                    connection.execute("commit")
                    total += time.perf_counter() - start
                    first += len(chunk)
                times.append(total)
            count = f"select count(*) from profiles where {AUDIENCE}"
            times.append(min(seconds(connection, count) for _ in range(3)))
            connection.execute("pragma wal_checkpoint(truncate)")
            size = path.stat().st_size / 1e6
            times.append(seconds(connection, INDEX))
            times.append(min(seconds(connection, count) for _ in range(3)))
            print(f"{name:30}" + "".join(f"{value:9.3f}" for value in times) + f"{size:7.0f}")
            connection.close()


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
