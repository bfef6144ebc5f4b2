"""How fast people are rebuilt and an import is undone, beside the import itself.

    python tests/benchmarks/rebuild.py [ROWS]

Imports two files of ROWS rows, of which a third are about the same people, rebuilds everybody, counts what undoing the
second import would change, and undoes it.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.jobs.rebuilding import plan_undo, start_rebuild, undo_import
from app.profiles import count_profiles
from app.workspace import create_workspace


def write_rows(target: Path, first: int, count: int) -> None:
    """One row a person, from the one of this number on."""
    with target.open("w", encoding="utf-8") as file:
        file.write("email,phone,name,city,points\n")
        file.writelines(f"p{n}@shop.example,{n},Person {n},City {n % 100},{n}\n" for n in range(first, first + count))


@contextmanager
def timed(what: str, rows: int = 0) -> Iterator[None]:
    """Print how long the block took, and how many rows a second that is."""
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    print(f"{what}: {seconds:.2f} s" + (f", {rows / seconds:,.0f} rows/s" if rows else ""), flush=True)


def tell_memory(what: str) -> None:
    """Print how much memory the largest worker so far took."""
    print(f"largest worker of {what}: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024:,} MB")


async def measure(folder: Path, rows: int) -> None:
    """Import, rebuild, undo."""
    create_workspace(folder / "workspace", "Benchmark").close()
    engine = Engine.open(folder / "workspace")
    authorization = add_authorization(engine, "file-service-folder", "Files", {"folder": str(folder)})
    await engine.start()
    supervisor = engine.supervisor
    assert supervisor is not None
    last = 0
    for name, first in (("first.csv", 0), ("second.csv", rows * 2 // 3)):
        write_rows(folder / name, first, rows)
        options = {"filename": name, "stream": "people", "identifiers": ["email", "phone"]}
        job = create_job(engine, JobDraft(name, "file-service-csv-import", authorization, options))
        with timed(f"import of {name}", rows):
            last = await supervisor.run(job)
            assert (await supervisor.finished(last)).status == "completed"
    tell_memory("importing")
    with timed("rebuild", 2 * rows):
        await start_rebuild(engine)
        outcome = await supervisor.rebuilds.finished()
        assert outcome is not None
        assert outcome.status == "completed", outcome
    tell_memory("importing and rebuilding")
    with timed("plan of the undoing"):
        plan = await asyncio.to_thread(plan_undo, engine, last)
    print(plan.sentence())
    with timed("undoing", 2 * rows):
        await undo_import(engine, last)
        await supervisor.rebuilds.finished()
    print(f"{count_profiles(engine):,} people are left")
    await engine.stop()
    tell_memory("all of it")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(measure(Path(place), int(sys.argv[1]) if len(sys.argv) > 1 else 500_000))
