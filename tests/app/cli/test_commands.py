"""What single commands do, end to end, called as `causeway …`."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import sqlite3
import zipfile
from importlib.metadata import files

import pytest

MEMBERS = ("--stream", "members", "--identifier", "email", "--identifier", "phone", "--timestamp-field", "updated_at")


def test_import_merges_people_and_keeps_rejected_rows(call, workspace, members) -> None:
    answer = call("import", members, *MEMBERS, "--json")
    assert answer.code == 0, answer.err
    run = answer.document["run"]
    assert (run["read"], run["added"], run["updated"], run["rejected"]) == (6, 3, 2, 1)
    assert answer.document["people"] == 3
    # The newer row wins whatever the order of the file; her phone number leads to her too.
    for identifier in ("maja@shop.example", "112"):
        person = call("profile", "get", identifier, "--json").document
        fields = {field["name"]: field["value"] for field in person["fields"]}
        assert (fields["name"], fields["city"]) == ("Maja K.", "Gent")
    teo = call("profile", "get", "113", "--json", "--events", "--history", "--limit", "1").document
    assert [(known["field"], known["value"]) for known in teo["identifiers"]] == [
        ("email", "teo@shop.example"),
        ("phone", "113"),
    ]
    assert [event["data"]["name"] for event in teo["raw_events"]] == ["Teo"]
    assert teo["history"][0]["words"].startswith("2 events came from members.csv: ")
    assert teo["events"] == 2
    assert {field["stream"] for field in teo["fields"]} == {"members"}
    rejected = call("job", "rejected", "1", "--json").document
    assert [(row["line"], "7" in row["reason"]) for row in rejected["rows"]] == [(6, True)]
    assert [row["data"]["name"] for row in call("stream", "events", "members", "--json").document["events"]] == [
        "Maja K.",
        "Ana",
        "Teo",
        "Teo B.",
        "Maja",
    ]


def test_import_again_uses_the_same_job_and_changes_nobody(call, workspace, members) -> None:
    call("import", members, *MEMBERS)
    again = call("import", members, *MEMBERS, "--name", "Loyalty", "--json").document
    assert (again["job"]["id"], again["job"]["name"]) == (1, "Loyalty")
    assert (again["run"]["added"], again["people"]) == (0, 3)
    assert len(call("job", "list", "--json").document["jobs"]) == 1
    assert len(call("auth", "list", "--json").document["authorizations"]) == 1
    assert len(call("job", "runs", "Loyalty", "--json").document["runs"]) == 2


def test_import_by_options_for_a_file_of_another_shape(call, workspace, tmp_path) -> None:
    (tmp_path / "purchases.txt").write_text(
        " 00001 19970101  1   11.77\n 00001 19970112  5   77.00\n 00002 19970113 2 9\n"
    )
    answer = call(
        *("import", tmp_path / "purchases.txt", "--stream", "purchases", "--delimiter", "whitespace"),
        *("--columns", "customer,day,items,amount", "--identifier", "customer", "--timestamp-field", "day"),
        *("--type", "customer=text", "--target", "items=", "--target", "amount=last_amount", "--json"),
    )
    assert answer.code == 0, answer.err
    assert (answer.document["run"]["read"], answer.document["people"]) == (3, 2)
    person = call("profile", "get", "00001", "--json").document
    assert {field["name"]: field["value"] for field in person["fields"]} == {
        "customer": "00001",
        "day": "1997-01-12T00:00:00.000000Z",
        "last_amount": 77.0,
    }


def test_import_of_json_by_its_name(call, workspace, tmp_path) -> None:
    (tmp_path / "visits.jsonl.gz").write_bytes(
        gzip.compress(b'{"user": {"email": "maja@shop.example", "city": "Lund"}}\n')
    )
    answer = call("import", tmp_path / "visits.jsonl.gz", "--stream", "visits", "--json")
    assert (answer.code, answer.document["people"]) == (0, 1), answer.err
    person = call("profile", "get", "maja@shop.example", "--json").document
    assert {field["name"]: field["value"] for field in person["fields"]}["user_city"] == "Lund"
    assert call("import", tmp_path / "visits.jsonl.gz", "--stream", "visits", "--no-header").code == 2


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(200), "picture.csv"),
        ("empty.csv", b"", "empty.csv"),
        ("nowhere.csv", None, "There is no file"),
    ],
)
def test_a_file_that_is_no_table_is_refused_and_nothing_written(
    call, workspace, tmp_path, name, data, sentence
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    answer = call("import", tmp_path / name, "--stream", "x", "--json")
    assert answer.code == 1
    assert sentence in answer.document["error"]["message"]
    assert sentence in answer.err
    assert call("stream", "list", "--json").document["streams"] == []


def test_export_writes_an_audience_in_the_form_that_the_name_says(call, workspace, members, tmp_path) -> None:
    call("import", members, *MEMBERS)
    answer = call("export", "all", tmp_path / "people.csv", "--json")
    assert answer.document == {"file": str(tmp_path / "people.csv"), "people": 3}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "people.csv").read_text(encoding="utf-8"))))
    assert sorted(row["name"] for row in rows) == ["Ana", "Maja K.", "Teo"]
    assert call("export", "search:teo", tmp_path / "teo.jsonl.gz", "--json").document["people"] == 1
    assert json.loads(gzip.decompress((tmp_path / "teo.jsonl.gz").read_bytes()))["name"] == "Teo"
    assert call("export", "all", tmp_path / "all.zip").code == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.read("all.csv") == (tmp_path / "people.csv").read_bytes()
    answer = call("export", "vip", tmp_path / "vip.csv", "--json")
    assert (answer.code, answer.document["error"]["kind"]) == (1, "NotFound")
    assert not (tmp_path / "vip.csv").exists()


def test_job_is_created_by_options_file_and_pairs_then_run(call, workspace, members, tmp_path) -> None:
    call("auth", "add", "file-service-folder", "--name", "Files", "--value", f"folder={tmp_path}")
    (tmp_path / "options.json").write_text('{"filename": "members.csv", "stream": "old"}')
    made = call(
        *("job", "create", "--type", "file-service-csv-import", "--name", "Members", "--authorization", "Files"),
        *("--options", tmp_path / "options.json", "-o", "stream=members", "-o", "identifiers=email,phone", "--json"),
    )
    assert made.code == 0, made.err
    options = made.document["job"]["options"]
    assert options == {"filename": "members.csv", "stream": "members", "identifiers": ["email", "phone"]}
    assert made.document["job"]["status"] == "paused"
    ran = call("job", "run", "Members", "--json")
    assert (ran.code, ran.document["job"]["status"]) == (0, "completed")
    shown = call("job", "show", "Members", "--json").document
    assert (shown["runs"], shown["rejected"], shown["last_run"]["trigger"]) == (1, 1, "command line")
    assert [line["event"] for line in call("job", "logs", "1", "--event", "completed", "--json").document["lines"]] == [
        "completed"
    ]
    call("job", "rejected", "1", "--save", tmp_path / "bad.csv")
    assert (tmp_path / "bad.csv").read_text(encoding="utf-8-sig").startswith("run,line,reason,row\n1,6,")


def test_what_destroys_asks_first(call, workspace, members, monkeypatch) -> None:
    call("import", members, *MEMBERS)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    for command in (("job", "delete", "1"), ("auth", "remove", "1"), ("profile", "delete", "ana@shop.example")):
        answer = call(*command)
        assert answer.code == 1
        assert "--yes" in answer.err
    assert call("profile", "count").out == "3\n"
    assert call("profile", "delete", "ana@shop.example", "--yes").code == 0
    assert call("profile", "count").out == "2\n"
    removed = call("auth", "remove", "1", "--yes", "--json").document
    assert removed["jobs"] == ["members.csv"]
    # Its job is told what it lacks rather than failing with a defect.
    answer = call("job", "run", "1")
    assert answer.code == 1
    assert "authorization" in answer.err
    assert call("job", "delete", "1", "--yes").code == 0
    assert call("profile", "count").out == "2\n"


def test_backup_and_restore(call, workspace, members, tmp_path) -> None:
    call("import", members, *MEMBERS)
    assert call("workspace", "backup", tmp_path / "backup.zip").code == 0
    assert zipfile.is_zipfile(tmp_path / "backup.zip")
    assert call("workspace", "restore", tmp_path / "backup.zip", tmp_path / "copy").code == 0
    assert call("profile", "count", "--workspace", tmp_path / "copy").out == "3\n"
    answer = call("workspace", "restore", members, tmp_path / "other", "--json")
    assert (answer.code, answer.document["error"]["kind"]) == (1, "DatabaseCorrupt")
    assert call("workspace", "restore", tmp_path / "backup.zip", tmp_path / "copy").code == 1


def test_the_first_start_makes_a_workspace_and_the_last_used_one_is_meant(call, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("CAUSEWAY_WORKSPACE", raising=False)
    for name in ("XDG_STATE_HOME", "XDG_DOCUMENTS_DIR", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    first = call("workspace", "info", "--json")
    assert first.code == 0
    assert first.document["folder"].startswith(str(tmp_path))
    assert "Made the workspace" in first.err
    call("workspace", "create", tmp_path / "second", "--name", "Second")
    assert call("workspace", "info", "--json").document["name"] == "Second"
    assert [entry["name"] for entry in call("workspace", "list", "--json").document["workspaces"]] == [
        "Second",
        first.document["name"],
    ]


def test_doctor_names_each_thing_and_a_damaged_file(call, workspace, members) -> None:
    call("import", members, *MEMBERS)
    healthy = call("doctor", "--json")
    assert healthy.code == 0, healthy.out
    states = {entry["name"]: entry["state"] for entry in healthy.document["findings"]}
    assert {"Python", "SQLite", "Qt", "PGP", "Catalogue", "Disk", "Workspace", "Secrets"} <= states.keys()
    assert (states["Qt"], states["Workspace"], states["Catalogue"]) == ("ok", "ok", "ok")
    file = workspace / "workspace.db"
    connection = sqlite3.connect(file)
    page = connection.execute("select rootpage from sqlite_master where name = 'identifiers'").fetchone()[0]
    size = connection.execute("pragma page_size").fetchone()[0]
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    with file.open("r+b") as damaged:
        damaged.seek((page - 1) * size)
        damaged.write(b"\xff" * size)
    answer = call("doctor", "--json")
    assert answer.code == 1
    told = [entry for entry in answer.document["findings"] if entry["state"] == "problem"]
    assert [entry["name"] for entry in told] == ["Workspace"]
    assert answer.document["error"]["message"] == "Not well: Workspace."
    assert "backup" in told[0]["advice"]


def test_all_authorizations_are_tested_and_the_doctor_remembers(call, workspace, tmp_path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    assert call("auth", "test", "--all").out.startswith("There is no authorization yet")
    for name, folder in (("Ours", tmp_path), ("Theirs", place)):
        assert call("auth", "add", "file-service-folder", "--name", name, "--value", f"folder={folder}").code == 0
    assert call("auth", "test", "--all").code == 0
    place.rmdir()
    answer = call("auth", "test", "--all", "--json")
    assert answer.code == 1
    assert answer.document["error"]["message"] == "Not working: Theirs."
    assert [entry["problem"] is None for entry in answer.document["authorizations"]] == [True, False]
    told = call("auth", "test", "--all")
    assert (told.code, "Ours works: " in told.out, "Theirs fails. " in told.out) == (1, True, True)
    doctor = call("doctor", "--json")
    assert doctor.code == 0
    [found] = [entry for entry in doctor.document["findings"] if entry["name"] == "Authorizations"]
    assert (found["state"], "Theirs fails since" in found["found"]) == ("warning", True)
    assert call("auth", "test").code == call("auth", "test", "Ours", "--all").code == 2


def test_an_alert_is_made_and_listens(call, workspace) -> None:
    from app.authorizations import add_authorization
    from app.engine import Engine

    with Engine.open(workspace) as engine:
        engine.vault.create_file("four words of mine")
        add_authorization(engine, "slack-webhook", "Channel", {"webhook_url": "https://hooks.slack.com/services/x"})
    made = call(
        *("job", "create", "--type", "slack-alerts", "--name", "Tell us", "--authorization", "Channel"),
        *("-o", "system_event_multiple_types=failed,error", "-o", "system_event_single_source_ids=1,2", "--json"),
    )
    assert made.code == 0, made.err
    assert made.document["job"]["options"]["system_event_single_source_ids"] == ["1", "2"]
    run = call("job", "run", "Tell us", "--json")
    assert (run.code, run.document["job"]["status"], run.document["run"]) == (0, "running", None)
    assert call("job", "run", "Tell us").code == 1
    assert call("job", "pause", "Tell us").code == 0
    assert call("job", "show", "Tell us", "--json").document["job"]["status"] == "paused"
    assert "listens from now on" in call("job", "run", "Tell us").out


def test_the_window_opens_with_the_engine_only_where_there_is_a_screen(workspace, monkeypatch, capsys) -> None:
    from app.cli import main

    names = []

    def open_window(engine) -> int:
        names.append((engine.workspace.name, engine.supervisor))
        engine.close()
        return 7

    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert main([], open_window) == 1
    assert "There is no screen here" in capsys.readouterr().err
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert main([], open_window) == 7
    assert names == [("Agency", None)]


def test_catalog_has_the_shape_of_its_files(call) -> None:
    provider = json.loads(call("catalog", "file-service", "--json").out)
    assert "file-service-csv-import" in [job["slug"] for job in provider["jobs"]]
    assert {"name", "type", "required", "default", "choices", "advanced"} <= provider["jobs"][0]["config"][0].keys()
    assert call("catalog", "nobody").code == 1


def test_a_value_from_a_file_does_not_steer_the_terminal(call, workspace, tmp_path) -> None:
    (tmp_path / "evil.csv").write_text("email,name\nx@shop.example,\x1b[2Jgone\x07\n")
    call("import", tmp_path / "evil.csv", "--stream", "evil")
    for command in (("profile", "get", "x@shop.example"), ("profile", "search", "gone"), ("stream", "events", "evil")):
        answer = call(*command)
        assert answer.code == 0
        assert "gone" in answer.out
        assert not set(answer.out) & {"\x1b", "\x07"}


def test_the_demo_in_a_window_runs_its_jobs_there_once(call, tmp_path, monkeypatch) -> None:
    from app.cli import main
    from app.jobs import list_jobs

    monkeypatch.setattr("app.cli.demo.has_screen", lambda: True)
    ran = []

    def open_window(engine) -> int:
        async def look() -> None:
            done = asyncio.Event()
            engine.changes.subscribe(lambda change: done.set() if change.what == "runs" else None)
            await engine.start()
            while not all(job.status == "completed" for job in list_jobs(engine)):
                done.clear()
                await done.wait()
            ran.append([job.last_run_at for job in list_jobs(engine)])
            await engine.stop()

        asyncio.run(look())
        return 0

    for _ in range(2):
        assert main(["demo", str(tmp_path / "demo")], open_window) == 0
    assert len(ran[0]) == 4
    assert ran[0] == ran[1]
    # The demo is never the workspace that was used last.
    assert str(tmp_path) not in call("workspace", "list", "--json").out


def test_the_demo_spares_a_workspace_of_ones_own(call, workspace) -> None:
    answer = call("demo", workspace, "--headless", "--json")
    assert (answer.code, answer.document["error"]["kind"]) == (1, "Refused")
    assert call("workspace", "info").code == 0


def test_purchases_of_a_real_record_shop(call, workspace) -> None:
    """69,659 purchases of 23,570 customers, in columns that are aligned by spaces."""
    file = next(file for file in files("lifetimes") if file.name == "CDNOW_master.txt").locate()
    answer = call(
        *("import", file, "--stream", "purchases", "--delimiter", "whitespace", "--identifier", "customer_id"),
        *("--type", "customer_id=text", "--timestamp-field", "date", "--json"),
    )
    assert answer.code == 0, answer.err
    run = answer.document["run"]
    assert (run["read"], run["added"], run["rejected"]) == (69_659, 23_570, 0)
    person = call("profile", "get", "00004", "--json").document
    assert (person["events"], {field["as_of"][:10] for field in person["fields"]}) == (4, {"1997-12-12"})
