"""Are people and events as they should be after an import's processes were killed again and again? (Linux)

    python tests/benchmarks/kills.py [KILLS]            1,000 if nothing is said

Imports a file of 60,000 rows in which people meet, share values and are hard to read, undisturbed. Then it imports the
file into new workspaces and kills (SIGKILL) the worker, the process that writes beside it, or both, at random moments;
each time the job is run again and goes on. When it is complete, every table that an import fills must be equal, row by
row and number by number, to that of the undisturbed import, and the file must be whole.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.jobs.supervisor import Supervisor
from app.schema.lql_files import import_lql
from app.schema.operations import publish_schema
from app.workspace import create_workspace

ROWS = 60_000
KILLS_AN_IMPORT = 8
MAPPING = """
SELECT email(email) AS email, phone, name, valuect(country) AS countries KIND map[string]intsum,
    toint(visits) AS visits, set(split(lists, ";")) AS lists
FROM people INTO user BY email OR phone ALIAS people_user
"""
TABLES = {
    "events": "select id, stream_id, at, data from events order by id",
    "people": "select * from profiles order by _id",
    "identifiers": "select field_id, value, profile_id, event_id from identifiers order by 1, 2, 3",
    "events of people": "select profile_id, event_id from profile_events order by 1, 2",
    "joins": "select event_id, kept, gone, field_id, value from joins order by event_id, kept, gone, field_id, value",
    "conflicts": "select * from conflicts order by 1, 2, 3, 4",
    "shared values": "select * from shared_values order by 1, 2",
    "rejected rows": "select line, reason, text from rejected_rows order by line",
    "streams": "select name, event_count, last_event_at from streams",
    "counts": "select sum(read), sum(added), sum(updated), sum(omitted), sum(rejected) from runs",
    "activity": "select sum(added), sum(updated), sum(omitted), sum(rejected) from activity",
}
"""What an import fills. Times of this computer's clock are left out, and so is the index of words, which follows."""
CLOCK = ("_created", "_updated")


def write_file(target: Path, rows: int) -> None:
    """People known by email and phone: some rows have both, some one, some nothing, some can't be read."""
    chance = Random(20_26)
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("email", "phone", "name", "country", "visits", "lists", "seen"))
        for row in range(rows):
            person = chance.randrange(rows // 3)
            email = f"p{person}@example.com" if chance.random() < 0.8 else ""
            phone = f"+358{person + (1 if chance.random() < 0.01 else 0):07}" if chance.random() < 0.5 else ""
            lists = ";".join(str(chance.randrange(9)) for _ in range(chance.randrange(4)))
            seen = f"2026-11-{1 + row // 3600 % 28:02}T{row % 24:02}:{row // 60 % 60:02}:{row % 60:02}Z"
            more = ("one cell too many",) if chance.random() < 0.002 else ()
            country = chance.choice(("FI", "DE", "FR"))
            writer.writerow((email, phone, f"Name {row}", country, chance.randrange(9), lists, seen, *more))


def content(engine: Engine) -> dict[str, str]:
    """A digest of each table. Raises AssertionError for a file that is not whole."""
    found = {}
    with engine.workspace.database.read() as connection:
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        assert connection.execute("pragma foreign_key_check").fetchone() is None
        for name, question in TABLES.items():
            digest = hashlib.sha256()
            for row in connection.execute(question):
                digest.update(repr([row[key] for key in row.keys() if key not in CLOCK]).encode())  # noqa: SIM118
            found[name] = digest.hexdigest()
    return found


@dataclass(slots=True)
class Tally:
    """How many processes were killed, by what they did, and how much of the file the runs had saved by then."""

    kills: Counter[str] = field(default_factory=Counter)
    imports: int = 0
    in_between: int = 0
    """Kills after which some rows, but not all, were saved."""
    seconds: float = 0.0
    """What an import takes that nobody kills: the shortest so far, since a machine's speed drifts."""


async def importing(source: Path, folder: Path) -> tuple[Engine, int]:
    """An engine on a new workspace, and its job."""
    create_workspace(folder, "Kills").close()
    engine = Engine.open(folder)
    import_lql(engine, MAPPING, origin="you")
    publish_schema(engine, "Kills")
    await engine.start()
    authorization = add_authorization(engine, "file-service-folder", "Folder", {"folder": str(source.parent)})
    options = {
        "filename": source.name,
        "stream": "people",
        "identifiers": ["email", "phone"],
        "timestamp_field": "seen",
    }
    return engine, create_job(engine, JobDraft("Import", "file-service-csv-import", authorization, options))


async def undisturbed(source: Path, folder: Path, tally: Tally) -> dict[str, str]:
    """What the file makes."""
    engine, job = await importing(source, folder)
    supervisor = engine.supervisor
    assert supervisor is not None
    began = time.perf_counter()
    run = await supervisor.finished(await supervisor.run(job))
    tally.seconds = time.perf_counter() - began
    assert (run.status, run.read > 0) == ("completed", True), run
    found = content(engine)
    await engine.stop()
    return found


async def disturbed(source: Path, folder: Path, kills: int, chance: Random, tally: Tally) -> dict[str, str]:
    """What the file makes when its import is killed up to so many times, at random moments."""
    engine, job = await importing(source, folder)
    supervisor = engine.supervisor
    assert supervisor is not None
    saved, killed = 0, 0
    while True:
        began = time.perf_counter()
        run_id = await supervisor.run(job)
        end = asyncio.ensure_future(supervisor.finished(run_id))
        if killed < kills:
            await asyncio.wait({end}, timeout=chance.uniform(0, tally.seconds))
            if not end.done() and (what := kill(supervisor, run_id, chance)):
                killed += 1
                tally.kills[what] += 1
        run = await end
        saved += run.read
        if run.status == "completed":
            if run.continues is None:
                tally.seconds = min(tally.seconds, time.perf_counter() - began)
            break
        assert run.status == "interrupted", run
        tally.in_between += bool(saved)
    tally.imports += 1
    found = content(engine)
    await engine.stop()
    return found


def kill(supervisor: Supervisor, run_id: int, chance: Random) -> str:
    """Kill a run's worker, the process beside it, or both; which it was, "" when there was none yet."""
    running = supervisor._running.get(run_id)
    worker = running.worker._process.pid if running is not None and running.worker is not None else None
    if worker is None:
        return ""
    try:
        beside = [int(one) for one in Path(f"/proc/{worker}/task/{worker}/children").read_text().split()]
    except OSError:
        return ""
    what = chance.choice(("worker", "process beside", "both")) if beside else "worker"
    for process in {"worker": [worker], "process beside": beside, "both": [*beside, worker]}[what]:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return what


async def kill_and_compare(source: Path, folder: Path, kills: int, tally: Tally) -> None:
    """Import until so many processes were killed. Raises AssertionError for the first difference."""
    chance = Random(2_026)
    expected = await undisturbed(source, folder / "undisturbed", tally)
    while (done := tally.kills.total()) < kills:
        with tempfile.TemporaryDirectory(dir=folder) as name:
            most = min(KILLS_AN_IMPORT, kills - done)
            found = await disturbed(source, Path(name) / "workspace", most, chance, tally)
        wrong = [table for table in expected if found[table] != expected[table]]
        assert not wrong, f"after {tally.kills.total():,} kills: {', '.join(wrong)} differ"
        print(f"{tally.kills.total():,} kills, nothing differs", file=sys.stderr, flush=True)


async def main(kills: int) -> None:
    """Print the result; the first difference is raised."""
    tally = Tally()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "files" / "people.csv"
        source.parent.mkdir()
        write_file(source, ROWS)
        await kill_and_compare(source, Path(name), kills, tally)
    told = ", ".join(f"{count:,} × {what}" for what, count in tally.kills.most_common())
    print(f"{tally.kills.total():,} kills ({told}) in {tally.imports:,} imports of {ROWS:,} rows")
    print(f"{tally.in_between:,} of them with some of the rows saved; {tally.seconds:.1f} s is an import undisturbed")
    print(f"people, events and {len(TABLES) - 2} other tables equal to the undisturbed import each time")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
