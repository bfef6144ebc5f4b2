"""How fast people become a file, beside Python's csv module writing the same values as they are.

    python tests/benchmarks/export_speed.py [PEOPLE]

Imports 5,000 people with 12 fields and one more with the lists of a person, copies them within the workspace file until
there are PEOPLE (1,000,000 unless named), and exports everybody: to CSV, JSON lines, CSV.gz, and CSV.gz encrypted
for a key if gpg is there. Prints people a second, the ratio to the yardstick, and the most memory that was held.
"""

from __future__ import annotations

import asyncio
import csv
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from people_file import TYPES, write_people

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.jobs.export_source import WorkspaceSource, source_of
from app.store.database import open_connection
from app.workspace import create_workspace
from connectors.kit.files.exporting import write_people as write_file
from connectors.kit.files.layout import standard_layout
from connectors.kit.files.splitting import Wrapping

IMPORTED = 5_000
OPTIONS = {"segment_id": "all"}
SETS = {"list_ids": 'split(list_ids, ";")'}


def fill(folder: Path, people: int) -> Path:
    """A workspace with so many people; its database."""
    write_people(folder / "people.csv", IMPORTED)
    create_workspace(folder / "workspace", "Benchmark").close()
    engine = Engine.open(folder / "workspace")
    authorization = add_authorization(engine, "file-service-folder", "Files", {"folder": str(folder)})
    options = {
        "filename": "people.csv", "stream": "people", "timestamp_field": "last_seen", "identifiers": ["email"],
        "types": TYPES, "expressions": SETS, "kinds": {"list_ids": "[]string"},
    }  # fmt: skip
    job = create_job(engine, JobDraft("Import", "file-service-csv-import", authorization, options))

    async def run() -> None:
        await engine.start()
        assert engine.supervisor is not None
        done = await engine.supervisor.finished(await engine.supervisor.run(job))
        assert done.status == "completed", done.message
        await engine.supervisor.stop()
        engine.supervisor = None

    asyncio.run(run())
    with engine.workspace.database.write() as connection:
        names = [row[1] for row in connection.execute("pragma table_info(profiles)") if row[1] != "_id"]
        listed = ", ".join(f'"{name}"' for name in names)
        count, step = connection.execute("select count(*), max(_id) from profiles").fetchone()
        while count < people:
            made = connection.execute(
                f"insert into profiles (_id, {listed}) select _id + ?, {listed} from profiles order by _id limit ?",
                (step, people - count),
            ).rowcount
            count, step = count + made, step * 2
    database = engine.workspace.database.path
    engine.close()
    return database


def yardstick(source: WorkspaceSource, target: Path) -> int:
    """The csv module, with the same rows as they come, unguarded and unjoined."""
    done = 0
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for batch in source.people(["all"], [one.name for one in source.fields]):
            writer.writerows(batch)
            done += len(batch)
    return done


def export(source: WorkspaceSource, target: Path, wrapping: Wrapping, form: str = "csv") -> int:
    """As a job writes it."""
    layout = replace(standard_layout(source, OPTIONS, form), packing=wrapping.packing)  # type: ignore[arg-type]
    written, _ = write_file(source, layout, target, wrapping, "people.csv", lambda *_: None)
    return sum(part.rows for one in written for part in one.parts)


def measure(database: Path, call: Callable[[WorkspaceSource], int]) -> tuple[float, float]:
    """People a second, and people a second of this process's own time, which others on the machine don't change."""
    with closing(open_connection(database)) as connection, source_of(connection) as source:
        start, busy = time.perf_counter(), time.process_time()
        people = call(source)
        return people / (time.perf_counter() - start), people / (time.process_time() - busy)


def public_key(home: Path) -> str:
    """A key made by gpg."""
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    home.mkdir(mode=0o700)
    subprocess.run([*gpg, "--passphrase", "", "--quick-gen-key", "b@x.example", "rsa3072", "encrypt,sign"], check=True)
    key = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
    return key


def most_memory() -> float:
    """Megabytes that this process held at most. Linux only: elsewhere the figure of a child is that of its parent."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def export_all(database: Path, folder: Path) -> None:
    """Every way, in a process that has done nothing else."""
    ways: list[tuple[str, Callable[[WorkspaceSource], int]]] = [
        ("csv.writer", lambda source: yardstick(source, folder / "yardstick")),
        ("CSV", lambda source: export(source, folder / "plain", Wrapping())),
        ("JSON lines", lambda source: export(source, folder / "json", Wrapping(), "json")),
        ("CSV.gz", lambda source: export(source, folder / "gz", Wrapping("gz"))),
    ]
    if shutil.which("gpg"):
        key = public_key(folder / "gpg")
        ways.append(("CSV.pgp", lambda source: export(source, folder / "pgp", Wrapping("none", key))))
    compared = 0.0
    for label, call in ways:
        speed, own = measure(database, call)
        compared = compared or own
        print(f"{label:12} {speed:10,.0f} people/s  {own:10,.0f} of its own time  {own / compared:.2f} x")
    print(f"most memory: {most_memory():.0f} MB")


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="causeway-") as name:
        database = fill(Path(name), people)
        process = multiprocessing.get_context("spawn").Process(target=export_all, args=(database, Path(name)))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
