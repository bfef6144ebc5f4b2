"""How fast a CSV file becomes people, beside what SQLite alone needs for the same rows.

    python tests/benchmarks/import_speed.py [ROWS]

Imports the file into a new workspace, imports it again (all updates), and then twice as many rows into another
workspace. The yardstick is Python's sqlite3 `executemany` with an upsert by email of the same rows, timed before and
after, because the speed of a machine drifts. Worker memory is the peak of the processes that did the work.
"""

from __future__ import annotations

import asyncio
import csv
import itertools
import resource
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from people_file import COLUMNS, TYPES, write_people

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.workspace import create_workspace


def yardstick(source: Path, folder: Path) -> float:
    """Seconds of `executemany` upserts of the file's rows."""
    path = folder / "yardstick.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = normal")
    columns = ", ".join(f"{name} primary key" if name == "email" else name for name in COLUMNS)
    connection.execute(f"create table people ({columns}) without rowid")
    upsert = (
        f"insert into people values ({', '.join('?' * len(COLUMNS))}) on conflict (email) do update set "
        + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
    )
    start = time.perf_counter()
    with source.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        while chunk := list(itertools.islice(rows, 20_000)):
            connection.execute("begin")
            connection.executemany(upsert, chunk)
            connection.execute("commit")
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


async def imports(source: Path, folder: Path, times: int) -> list[float]:
    """Seconds of importing the file `times` times into one new workspace."""
    create_workspace(folder, "Benchmark").close()
    engine = Engine.open(folder)
    await engine.start()
    assert engine.supervisor is not None
    authorization = add_authorization(engine, "file-service-folder", "Folder", {"folder": str(source.parent)})
    options = {"filename": source.name, "stream": "people", "identifiers": ["email"], "types": TYPES}
    job = create_job(engine, JobDraft("Import", "file-service-csv-import", authorization, options))
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run = await engine.supervisor.finished(await engine.supervisor.run(job))
        taken.append(time.perf_counter() - start)
        assert run.status == "completed", run
    await engine.stop()
    return taken


def main(rows: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, double = folder / "people.csv", folder / "twice.csv"
        write_people(source, rows)
        write_people(double, rows * 2)
        before = yardstick(source, folder)
        first, again = asyncio.run(imports(source, folder / "one", 2))
        after = yardstick(source, folder)
        (twice,) = asyncio.run(imports(double, folder / "two", 1))
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (
            1 << 20 if sys.platform == "darwin" else 1024
        )
        yard = (before + after) / 2
        print(f"{rows:,} rows of 12 columns, raw events kept, people merged by email")
        print(f"yardstick (upsert)        {before:6.1f} s before, {after:6.1f} s after")
        print(f"import                    {first:6.1f} s  {rows / first:9,.0f} rows/s  {first / yard:4.1f} x yardstick")
        print(f"the same file again       {again:6.1f} s  {rows / again:9,.0f} rows/s  {again / yard:4.1f} x")
        print(
            f"twice as many rows        {twice:6.1f} s  {rows * 2 / twice:9,.0f} rows/s  {twice / first:4.2f} x import"
        )
        print(f"peak memory of a worker   {memory:6.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
