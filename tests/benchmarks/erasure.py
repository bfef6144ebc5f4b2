"""How long one person's access request and erasure take among many, beside a plain read of all raw rows.

    python tests/benchmarks/erasure.py [PEOPLE] [EVENTS]

Imports PEOPLE rows about as many people, and EVENTS rows about one more, and exports everybody to a file. Then it
answers both kinds of request for somebody with one row, and for the one with EVENTS rows.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from people_file import write_people

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.profiles import (
    erase_person,
    export_person,
    export_profiles,
    find_profile,
    get_profile,
    person_history,
    plan_erasure,
)
from app.workspace import create_workspace

BUSY = "busy@shop.example"


async def fill(engine: Engine, folder: Path, files: tuple[str, ...]) -> None:
    """Import each file."""
    authorization = add_authorization(engine, "file-service-folder", "Files", {"folder": str(folder)})
    await engine.start()
    assert engine.supervisor is not None
    for name in files:
        options: dict[str, Any] = {"filename": name, "stream": name.split(".")[0], "identifiers": ["email"]}
        job = create_job(engine, JobDraft(name, "file-service-csv-import", authorization, options))
        run = await engine.supervisor.finished(await engine.supervisor.run(job))
        assert run.status == "completed", run.message
    await engine.supervisor.stop()
    engine.supervisor = None


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block took."""
    start = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - start:.3f} s", flush=True)


def answer(engine: Engine, folder: Path, email: str) -> None:
    """Both requests of one person."""
    found = find_profile(engine, email)
    assert found is not None
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("their page", lambda: get_profile(engine, found)),
        ("their history", lambda: person_history(engine, found)),
        ("export to JSON", lambda: export_person(engine, found, folder / "person.json")),
        ("export to a page", lambda: export_person(engine, found, folder / "person.html")),
        ("plan of the erasure", lambda: plan_erasure(engine, found)),
        ("erasure", lambda: erase_person(engine, found)),
    )
    for name, step in steps:
        with timed(f"{email}, {name}"):
            step()


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    events = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_people(folder / "people.csv", people)
        with (folder / "visits.csv").open("w", encoding="utf-8") as file:
            file.write("email,page,visits\n")
            file.writelines(f"{BUSY},https://shop.example/{number},1\n" for number in range(events))
        create_workspace(folder / "workspace", "Benchmark").close()
        engine = Engine.open(folder / "workspace")
        asyncio.run(fill(engine, folder, ("people.csv", "visits.csv")))
        with timed("all people to a file"):
            export_profiles(engine, folder / "all.csv")
        with timed("yardstick: reading all raw rows"), engine.workspace.database.read() as connection:
            for _ in connection.execute("select data from events"):
                pass
            email = connection.execute("select email from profiles where _id = ?", (people // 2,)).fetchone()[0]
        for who in (email, BUSY):
            answer(engine, folder, who)
        engine.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory: {peak:.0f} MB")


if __name__ == "__main__":
    main()
