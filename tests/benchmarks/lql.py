"""How many events a second go through a mapping of twelve columns, row by row and column by column?

    python tests/benchmarks/lql.py [EVENTS]

The yardstick of the same run is reading the same events from JSON. Figures are in docs/performance.md.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson

from app.lql import Compiled, compile_expression

MAPPING = {
    "email": "email(email)",
    "person": "hash.sha256(email)",
    "first_name": "oneof(first_name, given_name)",
    "last_name": "last_name",
    "city": "city",
    "country": "tolower(country)",
    "created": "todate(created_at)",
    "updated": "todate(updated_at)",
    "visits": "toint(visits)",
    "spent": "tonumber(spent)",
    "tags": "set(tag)",
    "events": "valuect(event)",
}
EVENTS = ("login", "order", "visit", "refund")


def make_events(count: int) -> list[bytes]:
    """Events of a shop as lines of JSON."""
    return [
        orjson.dumps(
            {
                "email": f"person{number}@shop{number % 50}.example",
                "first_name": "" if number % 3 else f"First{number % 500}",
                "given_name": f"Given{number % 700}",
                "last_name": f"Last{number % 900}",
                "city": f"City {number % 300}",
                "country": ("US", "NL", "BE", "DE")[number % 4],
                "created_at": f"20{10 + number % 16}-{1 + number % 12:02}-{1 + number % 28:02}",
                "updated_at": f"2026-{1 + number % 12:02}-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00Z",
                "visits": str(number % 400),
                "spent": f"{number % 9000 / 7:.2f}",
                "tag": f"tag{number % 20}",
                "event": EVENTS[number % 4],
            }
        )
        for number in range(count)
    ]


def row_by_row(mapping: list[Compiled], events: list[dict[str, Any]]) -> None:
    """As a mapping on a single event runs."""
    plan = [(compiled.call, compiled.columns) for compiled in mapping]
    for event in events:
        get = event.get
        [
            call(get(columns[0])) if len(columns) == 1 else call(*[get(column) for column in columns])
            for call, columns in plan
        ]


def column_by_column(mapping: list[Compiled], events: list[dict[str, Any]]) -> None:
    """As an import runs: the values of a chunk, one column after the other."""
    for start in range(0, len(events), 20_000):
        chunk = events[start : start + 20_000]
        names = {column for compiled in mapping for column in compiled.columns}
        columns = {name: [event.get(name) for event in chunk] for name in names}
        for compiled in mapping:
            list(map(compiled.call, *(columns[name] for name in compiled.columns)))


def best(run: Callable[[], Any], times: int = 3) -> float:
    """Seconds of the quickest of several runs."""
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    lines = make_events(count)
    events = [orjson.loads(line) for line in lines]
    gc.freeze()
    gc.disable()  # as the worker of a run does
    begin = time.perf_counter()
    mapping = [compile_expression(expression) for expression in MAPPING.values()]
    print(f"{'compile 12 expressions':32}{(time.perf_counter() - begin) * 1000:12,.0f} ms")
    for name, run in (
        ("read from JSON (yardstick)", lambda: [orjson.loads(line) for line in lines]),
        ("row by row", lambda: row_by_row(mapping, events)),
        ("column by column", lambda: column_by_column(mapping, events)),
    ):
        print(f"{name:32}{count / best(run):12,.0f} events/s")
    for name, compiled in zip(MAPPING, mapping, strict=True):
        columns = [[event.get(column) for event in events] for column in compiled.columns]
        seconds = best(lambda call=compiled.call, columns=columns: list(map(call, *columns)))
        print(f"  {MAPPING[name]:30}{seconds / count * 1e9:12,.0f} ns a value")


if __name__ == "__main__":
    main()
