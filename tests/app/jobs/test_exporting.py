"""Exports as jobs: over real folders, a real SSH server and real keys, killed in the middle, and erased afterwards."""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import json
import multiprocessing
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from peers.pgp import PgpPeer
from peers.secret_service import SecretService
from peers.sshd import Sshd

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, JobFile, RunInfo, create_job, edit_job, get_job, job_log, job_runs, list_files
from app.jobs.export_preview import preview_export
from app.jobs.supervisor import Supervisor
from app.profiles import erase_person, find_profile, plan_erasure
from app.profiles.ingest import ChunkResult

Arrive = Callable[..., ChunkResult]
ANN = {"E-Mail": "ann@x.example", "name": "=Ann", "cookie": "c1"}
BOB = {"E-Mail": "bob@x.example", "name": "Bob", "friend": "ann@x.example"}


def play(engine: Engine, scenario: Callable[[Supervisor], Awaitable[None]]) -> None:
    async def whole() -> None:
        await engine.start()
        assert engine.supervisor is not None
        await scenario(engine.supervisor)
        await engine.supervisor.stop()
        engine.supervisor = None

    asyncio.run(whole())


def run(engine: Engine, *jobs: int) -> list[RunInfo]:
    """Run jobs, one after the other."""
    done: list[RunInfo] = []

    async def scenario(supervisor: Supervisor) -> None:
        done.extend([await supervisor.finished(await supervisor.run(job)) for job in jobs])

    play(engine, scenario)
    return done


@pytest.fixture
def export_job(engine: Engine, files: Path) -> Callable[..., int]:
    """Makes an export job to the folder, or with another authorization."""
    folders: list[int] = []

    def make(form: str = "csv", authorization: int | None = None, **options: Any) -> int:
        if authorization is None:
            if not folders:
                folders.append(add_authorization(engine, "file-service-folder", "Out", {"folder": str(files)}))
            (authorization,) = folders
        chosen = options if form == "event" else {"segment_id": "all", **options}
        return create_job(engine, JobDraft(f"To {form}", f"file-service-sftp-{form}-export", authorization, chosen))

    return make


def test_people_arrive_in_a_folder_and_are_taken_out_of_the_file(
    engine: Engine, arrive: Arrive, export_job: Any, files: Path
) -> None:
    arrive(ANN, BOB)
    plain = export_job(filename="people")
    packed = export_job("json", filename="people", compress="gz", fields=["email"])
    piped = export_job(filename="piped.txt", delimiter="|")
    others = export_job(filename="bob", segment_id="search:bob@x.example", fields=["email"], compress="zip")
    assert [(done.status, done.read, done.message) for done in run(engine, plain, packed, piped, others)] == [
        ("completed", 2, ""), ("completed", 2, ""), ("completed", 2, ""), ("completed", 1, "")
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((files / "people.csv").read_text(encoding="utf-8"))))
    assert [(row["email"], row["name"]) for row in rows] == [("ann@x.example", "'=Ann"), ("bob@x.example", "Bob")]
    (file,) = list_files(engine, plain)
    data = (files / "people.csv").read_bytes()
    assert (file.sent, file.rows, file.size, file.local) == (True, 2, len(data), str(files / "people.csv"))
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    lines = gzip.decompress((files / "people.json.gz").read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == [{"email": "ann@x.example"}, {"email": "bob@x.example"}]

    ann = find_profile(engine, "ann@x.example")
    assert ann is not None
    plan = plan_erasure(engine, ann)
    assert {effect.path.name: effect.act for effect in plan.files} == {
        "people.csv": "rewrite", "people.json.gz": "by hand", "piped.txt": "by hand",
    }  # fmt: skip
    left = erase_person(engine, ann).left
    assert not any("went to" in sentence for sentence in left)
    assert "ann@x.example" not in (files / "people.csv").read_text(encoding="utf-8")
    assert "bob@x.example" in (files / "people.csv").read_text(encoding="utf-8")


def test_what_went_to_a_server_is_named_when_somebody_is_erased(
    engine: Engine, arrive: Arrive, export_job: Any, secret_service: SecretService, sshd: Sshd, pgp: PgpPeer
) -> None:
    arrive(ANN)
    values = {
        "host": sshd.host, "port": str(sshd.port), "user": sshd.user, "privatekey": sshd.private_key,
        "folder": str(sshd.files), "host_key": sshd.host_key, "pgppublickey": pgp.curve.public,
    }  # fmt: skip
    server = add_authorization(engine, "file-service-sftp-pgp-public", "Server", values)
    job = export_job("csv", server, filename="out/{segment_slug}", compress="zip", fields=["email"])
    info = get_job(engine, job)
    shown = preview_export(engine, info.provider, engine.catalog.job_type(info.job_type), info.options, server)
    assert (shown.file, shown.rows, shown.total) == ("out/all.csv.zip.pgp", (("ann@x.example",),), 1)
    (done,) = run(engine, job)
    assert (done.status, done.message) == ("completed", "")
    (file,) = list_files(engine, job, run_id=done.id)
    assert (file.path, file.local) == ("out/all.csv.zip.pgp", "")
    sealed = (sshd.files / file.path).read_bytes()
    assert hashlib.sha256(sealed).hexdigest() == file.sha256
    assert pgp.run("--decrypt", data=sealed).startswith(b"PK")
    arrive(BOB)
    bob = find_profile(engine, "bob@x.example")
    ann = find_profile(engine, "ann@x.example")
    assert ann is not None
    assert bob is not None
    (told,) = (sentence for sentence in plan_erasure(engine, ann).stays if "went to" in sentence)
    assert "out/all.csv.zip.pgp" in told
    assert sshd.user in told
    assert not any("went to" in sentence for sentence in plan_erasure(engine, bob).stays)
    assert told in erase_person(engine, ann).left


def test_a_worker_that_is_killed_leaves_nothing_out_and_sends_nothing_twice(
    engine: Engine, arrive: Arrive, export_job: Any, files: Path
) -> None:
    people = 3_000
    arrive(*({"E-Mail": f"p{number}@x.example"} for number in range(people)))
    job = export_job(filename="{date_time}", fields=["email"], max_bytes=200)

    async def scenario(supervisor: Supervisor) -> None:
        first = await supervisor.run(job)
        await first_rows(engine, job)
        for process in multiprocessing.active_children():
            process.kill()
        killed = await supervisor.finished(first)
        assert (killed.status, 0 < killed.read < people) == ("interrupted", True)
        arrive({"E-Mail": "late@x.example"}, at=9_000)
        rest = await supervisor.finished(await supervisor.run(job))
        assert (rest.status, rest.continues, rest.read) == ("completed", killed.id, people - killed.read)

    play(engine, scenario)
    sent: list[JobFile] = list_files(engine, job)
    assert set(Counter(file.path for file in sent).values()) == {1}
    assert {file.path for file in sent} == {one.name for one in files.iterdir()}
    rows = [line for one in files.iterdir() for line in one.read_text().splitlines()[1:]]
    assert sorted(rows) == sorted(f"p{number}@x.example" for number in range(people))
    assert all((files / file.path).stat().st_size <= 200 for file in sent)
    assert not list((engine.workspace.folder / "downloads").iterdir())


def test_events_leave_once_each_run_from_where_the_last_one_ended(
    engine: Engine, arrive: Arrive, export_job: Any, files: Path
) -> None:
    arrive(ANN, BOB)
    job = export_job("event", filename="{job}/{date_time}-{part}", time_format="ss.SSS", write_empty=False)
    assert run(engine, job)[0].read == 2
    (first,) = (files / "To event").iterdir()
    rows = list(csv.DictReader(io.StringIO(first.read_text(encoding="utf-8"))))
    assert [(row["_stream"], row["_time"], row["E-Mail"], row["friend"]) for row in rows] == [
        ("shop", "1970-01-02T00:00:00.000000Z", "ann@x.example", ""),
        ("shop", "1970-01-03T00:00:00.000000Z", "bob@x.example", "ann@x.example"),
    ]
    assert rows[0]["name"] == "'=Ann"
    arrive({"E-Mail": "eve@x.example"}, at=3)
    assert [done.read for done in run(engine, job, job)] == [1, 0]
    assert len(list((files / "To event").iterdir())) == 2
    assert any("No new events" in line.message for line in job_log(engine, job))
    days = export_job("event", filename="days.csv", start_date="1970-01-03", end_date="1970-01-04", timezone="UTC")
    run(engine, days)
    listed = csv.DictReader(io.StringIO((files / "days.csv").read_text(encoding="utf-8")))
    assert [row["E-Mail"] for row in listed] == ["bob@x.example"]


def test_a_server_that_is_away_is_waited_for(
    engine: Engine, arrive: Arrive, export_job: Any, secret_service: SecretService, sshd: Sshd
) -> None:
    arrive(ANN)
    values = {
        "host": "127.0.0.1", "port": "1", "user": sshd.user, "privatekey": sshd.private_key,
        "folder": str(sshd.files), "host_key": sshd.host_key,
    }  # fmt: skip
    job = export_job("csv", add_authorization(engine, "file-service-sftp", "Away", values))
    (done,) = run(engine, job)
    assert done.status == "failed"
    assert get_job(engine, job).status == "sleeping"
    assert list_files(engine, job) == []


def test_a_name_that_was_mended_counts_for_the_next_run(
    engine: Engine, arrive: Arrive, export_job: Any, files: Path
) -> None:
    arrive(ANN)
    (files / "taken.csv").mkdir()
    job = export_job(filename="taken.csv")
    assert run(engine, job)[0].status == "failed"
    edit_job(engine, job, options=get_job(engine, job).options | {"filename": "free.csv"})
    assert run(engine, job)[0].status == "completed"
    assert [file.path for file in list_files(engine, job)] == ["free.csv"]
    assert len(job_runs(engine, job)) == 2


async def first_rows(engine: Engine, job: int) -> None:
    """Wait until a file of the job's run has arrived."""
    assert engine.supervisor is not None
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()

    def changed(change: Any) -> None:
        progress = engine.supervisor.progress(job) if engine.supervisor else None
        if progress is not None and progress.rows:
            loop.call_soon_threadsafe(arrived.set)

    unsubscribe = engine.changes.subscribe(changed)
    await asyncio.wait_for(arrived.wait(), 30)
    unsubscribe()
