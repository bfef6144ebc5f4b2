"""Evidence packs: everything that a run left, and no secret in any byte of it."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import re
import zipfile
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.authorizations import add_authorization
from app.engine import Engine
from app.errors import NotFound, VaultLocked
from app.jobs import create_job, job_runs
from app.jobs.evidence import write_evidence
from app.jobs.log import write_log
from app.jobs.model import JobDraft

ROWS = [("email", "name"), ("maja@shop.example", "Maja"), ("", "Nobody"), ("teo@shop.example", "Teo", "?")]


def files_of(target: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_run_leaves_its_evidence(engine: Engine, import_job: Any, write_csv: Any, tmp_path: Path) -> None:
    source = write_csv("members.csv", ROWS)
    job = import_job("members.csv", stream="<members>")

    async def scenario() -> None:
        await engine.start()
        assert engine.supervisor is not None
        for _ in range(2):
            await engine.supervisor.finished(await engine.supervisor.run(job))
        await engine.supervisor.stop()
        engine.supervisor = None

    asyncio.run(scenario())
    second, first = job_runs(engine, job)
    assert (first.read, first.added, first.omitted, first.rejected) == (3, 1, 1, 1)
    target = tmp_path / "evidence.zip"
    written = write_evidence(engine, job, target)
    assert (written.runs, written.rejected, written.requests) == (2, 2, 2)
    found = files_of(target)
    assert set(found) == {
        "configuration.json", "schema.json", "versions.json", "runs.json", "log.csv", "rejected-rows.csv",
        "files.csv", "requests.jsonl", "summary.html",
    }  # fmt: skip
    configuration = json.loads(found["configuration.json"])
    assert configuration["options"] == {"filename": "members.csv", "stream": "<members>"}
    assert configuration["authorization"]["settings"] == {"folder": str(source.parent)}
    assert {"paramiko", "PySide6_Essentials", "orjson"} <= set(json.loads(found["versions.json"])["libraries"])
    assert [run["rejected"] for run in json.loads(found["runs.json"])] == [1, 1]
    rows = list(csv.DictReader(io.StringIO(found["rejected-rows.csv"].decode())))
    assert [(row["line"], row["row"]) for row in rows] == [("4", "teo@shop.example,Teo,?")] * 2
    log = list(csv.DictReader(io.StringIO(found["log.csv"].decode())))
    assert len(log) == written.lines
    assert [row["event"] for row in log].count("completed") == 2
    (request, _) = (json.loads(line) for line in found["requests.jsonl"].splitlines())
    assert (request["run"], request["action"], request["name"]) == (first.id, "open", "members.csv")
    assert request["size"] == source.stat().st_size
    assert request["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    page = found["summary.html"].decode()
    assert "&lt;members&gt;" in page
    assert "<members>" not in page
    assert request["sha256"] in page

    one = write_evidence(engine, job, target, run_id=second.id)
    assert (one.runs, one.rejected, one.requests) == (1, 1, 1)
    assert b"Run 1 started" not in files_of(target)["log.csv"]
    with pytest.raises(NotFound, match="has no run 99"):
        write_evidence(engine, job, target, run_id=99)
    assert set(files_of(target)) == set(found), "what was there stays when nothing new can be written"


def test_what_was_asked_for_can_be_read(engine: Engine, import_job: Any, tmp_path: Path) -> None:
    job = import_job("members.csv")
    sftp = {"server": "sftp.agency.example", "folder": "/outgoing"}
    file = {"name": "members.csv.gz", "size": 1_234_567, "modified": "2026-11-22T08:00:00Z", "sha256": "ab" * 32}
    asked = [
        {"action": "list", **sftp, "files": 12},
        {"action": "fetch", **sftp, **file},
        {"action": "move", "server": "sftp.agency.example", "name": "/outgoing/a.csv", "to": "/done/a.csv", "size": 5},
        {"method": "POST", "address": "https://api.example/v1", "status": 200, "bytes_sent": 12, "milliseconds": 80},
        {"action": "polish", "shoes": ["left", "right"]},
    ]
    with engine.workspace.database.write() as connection:
        run = connection.execute(
            """insert into runs (job_id, trigger, status, started_at, first_event_at)
            values (?, 'by hand', 'completed', '2026-11-22T08:30:00.000000Z', 0)""",
            (job,),
        ).lastrowid
        connection.executemany(
            "insert into run_requests (run_id, at, request) values (?, '2026-11-22T08:30:01.000000Z', ?)",
            [(run, json.dumps(one)) for one in asked],
        )
    write_evidence(engine, job, tmp_path / "evidence.zip")
    page = files_of(tmp_path / "evidence.zip")["summary.html"].decode()
    table = page.split("<h2>Opened and asked for</h2>")[1].split("</table>")[0]
    rows = [re.findall("<td>(.*?)</td>", row)[2:] for row in table.split("</tr>")[1:-1]]
    sha = f"last changed: 2026-11-22T08:00:00Z · SHA-256: {'ab' * 32}"
    assert rows == [
        ["Listed the folder", "sftp.agency.example /outgoing", "", "files: 12"],
        ["Fetched members.csv.gz", "sftp.agency.example /outgoing", "1,234,567 bytes", sha],
        ["Moved /outgoing/a.csv to /done/a.csv", "sftp.agency.example", "5 bytes", ""],
        ["POST https://api.example/v1", "", "", "status: 200 · bytes sent: 12 · milliseconds: 80"],
        ["polish", "", "", "shoes: [&quot;left&quot;,&quot;right&quot;]"],
    ]


SECRETS = st.text(
    st.one_of(
        st.sampled_from("\"'\\<>&,;\n\r\t•{}[]: =/"),
        st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cs", "Cc"]),
    ),
    min_size=6,
    max_size=60,
)


@pytest.fixture
def sealed(engine: Engine) -> Engine:
    """An engine whose secrets are in a file under a passphrase."""
    engine.vault.create_file("correct horse battery")
    return engine


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRETS, around=st.text(st.sampled_from('a",<•'), max_size=3))
def test_no_secret_stands_in_any_byte(sealed: Engine, secret: str, around: str) -> None:
    """Wherever a secret got to, as it is or as JSON, CSV or HTML write it, it is blanked."""
    engine = sealed
    told = f"{around}{secret}{around}"
    values = {"host": "h.example", "port": "22", "user": "u", "password": secret}
    authorization = add_authorization(engine, "file-service-sftp", f"SFTP {told}", values)
    options = {"filename": told, "stream": "s", "types": {told: "text"}}
    job = create_job(engine, JobDraft(told, "file-service-csv-import", authorization, options, told))
    with engine.workspace.database.write() as connection:
        run = connection.execute(
            """insert into runs (job_id, trigger, reason, status, message, started_at, first_event_at)
            values (?, 'by hand', ?, 'failed', ?, '2026-11-22T08:30:00.000000Z', 0)""",
            (job, told, told),
        ).lastrowid
        write_log(connection, job, run, "error", told, level="error")
        write_log(connection, job, run, "note", json.dumps({"sent": told}), level="error")
        connection.execute(
            "insert into rejected_rows (run_id, line, reason, text) values (?, 2, ?, ?)", (run, told, told)
        )
        request = json.dumps({"action": told, told: [told]})
        connection.execute(
            "insert into run_requests (run_id, at, request) values (?, '2026-11-22T08:30:00', ?)", (run, request)
        )
    target = engine.workspace.folder.parent / "evidence.zip"
    write_evidence(engine, job, target)
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], escape(secret)}
    forms |= {quote(secret, safe=""), quote_plus(secret)}
    forms.add(secret.replace('"', '""'))
    for name, data in files_of(target).items():
        for form in forms:
            assert form.encode() not in data, name
    json.loads(files_of(target)["runs.json"])


def test_without_the_secrets_nothing_is_written(sealed: Engine, tmp_path: Path) -> None:
    engine = sealed
    values = {"host": "h", "port": "22", "user": "u", "password": "hunter2000"}
    authorization = add_authorization(engine, "file-service-sftp", "SFTP", values)
    options = {"filename": "a.csv", "stream": "s"}
    job = create_job(engine, JobDraft("A", "file-service-csv-import", authorization, options))
    engine.close()
    again = Engine.open(engine.workspace.folder)
    with again, pytest.raises(VaultLocked):
        write_evidence(again, job, tmp_path / "evidence.zip")
    assert not (tmp_path / "evidence.zip").exists()
