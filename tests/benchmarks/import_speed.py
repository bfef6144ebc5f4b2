"""How fast a CSV file becomes people, beside what SQLite alone needs for the same rows.

    python tests/benchmarks/import_speed.py [ROWS]            people by email, each column fills its field
    python tests/benchmarks/import_speed.py --mapping [ROWS]  two identifiers and a mapping with functions; a rebuild

Imports the file into a new workspace, then again (all updates) or a rebuild of the people, and then more rows into
another workspace. The yardstick is Python's sqlite3 `executemany` with an upsert by email of the same rows, timed
before and after, because the speed of a machine drifts. Memory is the peak of a run's two processes together.
"""

from __future__ import annotations

import asyncio
import csv
import itertools
import multiprocessing
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

from people_file import COLUMNS, TYPES, write_people

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.jobs.rebuilding import start_rebuild
from app.schema.lql_files import import_lql
from app.schema.operations import publish_schema
from app.workspace import create_workspace

MAPPING = """
SELECT email(email) AS email, phone, first_name, last_name, city,
    valuect(country) AS countries KIND map[string]intsum,
    todate(signup_date) AS signup_date, todate(last_seen) AS last_seen,
    toint(visits) AS visits, tonumber(lifetime_value) AS lifetime_value,
    set(split(list_ids, ";")) AS lists, hash.sha256(email(email)) AS email_sha256
FROM people INTO user BY email OR phone ALIAS people_user
"""


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


class Memory:
    """The peak of what this process's workers, and the processes beside them, hold together (Linux)."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            for worker in multiprocessing.active_children():
                family = [worker.pid, *self._children(worker.pid)]
                self.peak = max(self.peak, sum(map(self._megabytes, family)))

    @staticmethod
    def _children(pid: int | None) -> list[int]:
        try:
            return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    @staticmethod
    def _megabytes(pid: int | None) -> float:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024
        except (OSError, StopIteration):
            return 0.0


async def imports(source: Path, folder: Path, *, mapping: bool, then: str = "") -> list[float]:
    """Seconds of importing the file into a new workspace, and of importing it "again" or of a "rebuild" after it."""
    create_workspace(folder, "Benchmark").close()
    engine = Engine.open(folder)
    if mapping:
        import_lql(engine, MAPPING, origin="you")
        publish_schema(engine, "Benchmark")
    await engine.start()
    supervisor = engine.supervisor
    assert supervisor is not None
    authorization = add_authorization(engine, "file-service-folder", "Folder", {"folder": str(source.parent)})
    options = {"filename": source.name, "stream": "people", "identifiers": ["email"], "types": TYPES}
    if mapping:
        options |= {"identifiers": ["email", "phone"], "targets": {"consent": ""}}
    job = create_job(engine, JobDraft("Import", "file-service-csv-import", authorization, options))
    taken = []
    for what in ("import", then):
        # People are made findable afterwards, in a process of its own; that is another figure.
        await supervisor.index.finished()
        start = time.perf_counter()
        if what == "rebuild":
            await start_rebuild(engine)
            outcome = await supervisor.rebuilds.finished()
            assert outcome is not None
            assert outcome.status == "completed", outcome
        elif what:
            run = await supervisor.finished(await supervisor.run(job))
            assert run.status == "completed", run
        taken.append(time.perf_counter() - start)
    await engine.stop()
    return taken


def main(rows: int, *, mapping: bool) -> None:
    """Print the figures."""
    times, then = (4, "rebuild") if mapping else (2, "again")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, more = folder / "people.csv", folder / "more.csv"
        write_people(source, rows)
        write_people(more, rows * times)
        before = yardstick(source, folder)
        with Memory() as memory:
            first, second = asyncio.run(imports(source, folder / "one", mapping=mapping, then=then))
            after = yardstick(source, folder)
            larger, _ = asyncio.run(imports(more, folder / "two", mapping=mapping))
        yard = (before + after) / 2
        by = "email and phone, by a mapping of 12 columns" if mapping else "email"
        print(f"{rows:,} rows of 12 columns, raw events kept, people known by {by}")
        print(f"yardstick (upsert)        {before:6.1f} s before, {after:6.1f} s after")
        print(f"import                    {first:6.1f} s  {rows / first:9,.0f} rows/s  {first / yard:4.1f} x yardstick")
        label = "rebuild of all people" if mapping else "the same file again"
        print(f"{label:25s} {second:6.1f} s  {rows / second:9,.0f} rows/s  {second / yard:4.1f} x")
        print(f"{times} times as many rows      {larger:6.1f} s  {rows * times / larger:9,.0f} rows/s  ", end="")
        print(f"{larger / first:4.2f} x import")
        print(f"peak memory of a run      {memory.peak:6.0f} MB")


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "--mapping"]
    main(int(given[0]) if given else 1_000_000, mapping="--mapping" in sys.argv)
