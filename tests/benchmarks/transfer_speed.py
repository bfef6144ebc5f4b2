"""How fast a quick transfer rewrites a file, beside Python's csv module doing the same without a look at the rows.

    python tests/benchmarks/transfer_speed.py [ROWS]

Makes a CSV file of ROWS people with 12 columns (1,000,000 unless named) and transfers 6 of them in another order, each
way in a process that has done nothing else. Prints rows a second, the ratio of processor time to the yardstick, and the
most memory that was held.
"""

from __future__ import annotations

import csv
import multiprocessing
import sqlite3
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from people_file import write_people

from app.engine import Engine
from app.transfer.model import Column, End, Transfer, Writing
from app.transfer.opening import Prepared, prepare
from app.transfer.work import TransferOrder
from app.workspace import create_workspace

CHOSEN = ("consent", "email", "last_name", "city", "visits", "last_seen")
WAYS = {
    "CSV": {},
    "CSV, other encoding and quotes": {"writing": Writing(encoding="utf-16", quote_all=True, line_end="crlf")},
    "JSON lines": {"writing": Writing(form="json")},
    "CSV.gz": {"pack": "gz"},
}


class Silent:
    """Stands for the pipe of a worker."""

    def report(self, progress: Any) -> None:
        """Nobody looks."""

    def tell(self, message: Any) -> None:
        """Nobody listens."""

    def check(self) -> None:
        """Nobody stops it."""


def yardstick(source: Path, target: Path) -> None:
    """The same columns, by the csv module."""
    with source.open(newline="", encoding="utf-8") as read, target.open("w", newline="", encoding="utf-8") as written:
        rows = csv.reader(read)
        header = next(rows)
        places = [header.index(name) for name in CHOSEN]
        writer = csv.writer(written)
        writer.writerow(CHOSEN)
        writer.writerows([row[place] for place in places] for row in rows)


def transferred(prepared: Prepared, folder: Path) -> None:
    """A transfer as its worker makes it."""
    order = TransferOrder(folder / "none.db", prepared, folder / "scratch", folder / "rejected")
    order.carry_out(sqlite3.connect(":memory:"), Silent())  # type: ignore[arg-type]


def measure(call: Any, arguments: tuple[Any, ...], rows: int, answer: Any) -> None:
    """In a process of its own: rows a second, processor time, megabytes."""
    begun, busy = time.perf_counter(), time.process_time()
    call(*arguments)
    took, own = time.perf_counter() - begun, time.process_time() - busy
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    answer.send((rows / took, own, int(line.split()[1]) / 1024))


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    spawning = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_people(folder / "people.csv", rows)
        create_workspace(folder / "workspace", "Benchmark").close()
        calls: dict[str, tuple[Any, tuple[Any, ...]]] = {
            "csv module": (yardstick, (folder / "people.csv", folder / "yardstick.csv"))
        }
        with Engine.open(folder / "workspace") as engine:
            bare = Transfer(
                End(str(folder / "people.csv")), End(str(folder / "out")), columns=tuple(map(Column, CHOSEN))
            )
            for label, settings in WAYS.items():
                calls[label] = (transferred, (prepare(engine, replace(bare, **settings)), folder))
        compared = 0.0
        for label, (call, arguments) in calls.items():
            ours, theirs = spawning.Pipe()
            process = spawning.Process(target=measure, args=(call, arguments, rows, theirs))
            process.start()
            speed, own, memory = ours.recv()
            process.join()
            compared = compared or own
            print(f"{label:32} {speed:10,.0f} rows/s  {own / compared:5.2f} x the time  {memory:4.0f} MB")


if __name__ == "__main__":
    main()
