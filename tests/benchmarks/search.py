"""How soon people are found among many, beside the look at everybody that it saves.

    python tests/benchmarks/search.py [PEOPLE]

Imports PEOPLE rows about as many people and prints for several searches the first page, the same again, and how
many are found; once before anybody is indexed, once after. Then a second import of the same rows goes on while
everybody is indexed again.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from people_file import write_people

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.profiles import count_matches, find_profile, search_profiles
from app.profiles.search_index import count_unindexed
from app.workspace import create_workspace

PAGE = 4096


def took(call: Any, *arguments: Any) -> tuple[Any, float]:
    """What a call answers, and its milliseconds."""
    start = time.perf_counter()
    answer = call(*arguments)
    return answer, (time.perf_counter() - start) * 1000


def look_at_everybody(engine: Engine, word: str) -> int:
    """The yardstick: a word that nobody has, looked for in each text of each person."""
    with engine.workspace.database.read() as connection:
        names = [row[0] for row in connection.execute("select name from fields where type in ('string', '[]string')")]
        where = " or ".join(f'"{name}" like ?' for name in names)
        return len(connection.execute(f"select _id from profiles where {where}", [f"%{word}%"] * len(names)).fetchall())


def search(engine: Engine, texts: list[str]) -> None:
    """Every search twice, and its number of people."""
    for text in texts:
        rows, first = took(search_profiles, engine, text)
        _, again = took(search_profiles, engine, text)
        total, counted = took(count_matches, engine, text)
        print(f"{text!r:32} {len(rows):4} of {total:9,}: {first:6.1f} ms, again {again:6.1f}, counted {counted:6.1f}")
    _, scan = took(look_at_everybody, engine, "zzzz")
    print(f"yardstick: {scan:.0f} ms")


async def index(engine: Engine) -> float:
    """Let everybody be indexed; seconds."""
    start = time.perf_counter()
    await engine.start()
    assert engine.supervisor is not None
    await engine.supervisor.index.finished()
    seconds = time.perf_counter() - start
    await stop(engine)
    assert count_unindexed(engine) == 0
    return seconds


async def run(engine: Engine, job: int) -> float:
    """Import once, while those are indexed who are to be; seconds."""
    await engine.start()
    assert engine.supervisor is not None
    start = time.perf_counter()
    done = await engine.supervisor.finished(await engine.supervisor.run(job))
    seconds = time.perf_counter() - start
    assert done.status == "completed", done.message
    await stop(engine)
    return seconds


async def stop(engine: Engine) -> None:
    """End what runs, and leave the workspace open."""
    assert engine.supervisor is not None
    await engine.supervisor.stop()
    engine.supervisor = None


def size(engine: Engine) -> float:
    """Megabytes of the workspace file."""
    with engine.workspace.database.read() as connection:
        return float(connection.execute("pragma page_count").fetchone()[0] * PAGE / 1e6)


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_people(folder / "people.csv", people)
        create_workspace(folder / "workspace", "Benchmark").close()
        engine = Engine.open(folder / "workspace")
        authorization = add_authorization(engine, "file-service-folder", "Files", {"folder": str(folder)})
        options: dict[str, Any] = {"filename": "people.csv", "stream": "people", "identifiers": ["email"]}
        job = create_job(engine, JobDraft("People", "file-service-csv-import", authorization, options))
        print(f"import: {asyncio.run(run(engine, job)):.1f} s", flush=True)
        with engine.workspace.database.read() as connection:
            person = dict(connection.execute("select * from profiles where _id = ?", (people // 2,)).fetchone())
            email = str(person["email"])
            names = [str(value) for key, value in person.items() if key.endswith("_name")]
        texts = ["", email, email.split("@")[0], email[:1], "a", "a e", " ".join(names), f"{names[0]} zzzz", "zzzz"]
        print(f"{count_unindexed(engine):,} to be indexed")
        search(engine, texts)
        before = size(engine)
        print(f"indexing: {asyncio.run(index(engine)):.1f} s")
        print(f"file: {before:,.0f} MB, then {size(engine):,.0f} MB", flush=True)
        search(engine, texts)
        _, found = took(find_profile, engine, email)
        print(f"a person by identifier: {found:.2f} ms")
        print(f"the same import again: {asyncio.run(run(engine, job)):.1f} s")
        print(f"indexing: {asyncio.run(index(engine)):.1f} s", flush=True)
        with engine.workspace.database.write() as connection:
            connection.execute("insert or ignore into unindexed select _id from profiles")
        print(f"import while everybody is indexed: {asyncio.run(run(engine, job)):.1f} s")
        engine.close()


if __name__ == "__main__":
    main()
