"""The command line as real processes: killed, stopped, piped, two at once."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest
from peers.watching import PATIENCE, until, until_ended
from peers.webhook import webhook_server

from app.cli import main
from app.workspace import create_workspace

ROWS = 120_000


@pytest.fixture
def large(tmp_path) -> Path:
    """So many rows that there is time to interrupt: each is a person of its own, each third comes back later."""
    return write_large(tmp_path / "large.csv")


def write_large(file: Path) -> Path:
    with file.open("w") as out:
        out.write("email,name,visits\n")
        out.writelines(f"p{row % (ROWS * 2 // 3)}@shop.example,Person {row},{row}\n" for row in range(ROWS))
    return file


@pytest.fixture(scope="module")
def imported_once(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    create_workspace(folder / "workspace", "Agency").close()
    file = write_large(folder / "large.csv")
    arguments = ["import", str(file), "--stream", "large", "--workspace", str(folder / "workspace")]
    assert main(arguments, lambda engine: 0) == 0
    return folder / "workspace"


@pytest.fixture
def imported(imported_once, workspace) -> Path:
    """A workspace into which the many rows were imported, found by the environment."""
    shutil.rmtree(workspace)
    shutil.copytree(imported_once, workspace)
    return workspace


def first_chunk_saved(workspace: Path) -> bool:
    connection = sqlite3.connect(f"file:{workspace / 'workspace.db'}?mode=ro", uri=True)
    try:
        return bool(connection.execute("select count(*) from runs where status = 'running' and read > 0").fetchone()[0])
    finally:
        connection.close()


def rebuild_begun(workspace: Path) -> bool:
    return bool(asked(workspace, "select count(*) from rebuild where done > 0")[0][0])


def asked(workspace: Path, question: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{workspace / 'workspace.db'}?mode=ro", uri=True)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def people(workspace: Path) -> list[tuple[object, ...]]:
    return asked(workspace, "select _id, email, name, visits, _origin_at, _origin_event from profiles order by 1")


def workers(parent: int) -> list[int]:
    """Processes of runs that this process started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                state = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(state[1]) == parent and b"spawn_main" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        except OSError:
            continue
    return found


def check_nothing_lost_or_twice(call, workspace: Path, large: Path) -> None:
    again = call("job", "run", "large.csv", "--json")
    assert again.code == 0, again.err
    assert again.document["run"]["continues"] is not None
    runs = call("job", "runs", "1", "--json").document["runs"]
    assert sum(run["read"] for run in runs) == ROWS
    assert 0 < runs[0]["read"] < ROWS
    assert again.document["people"] == ROWS * 2 // 3
    connection = sqlite3.connect(workspace / "workspace.db")
    numbers = [row[0] for row in connection.execute("select data ->> 'visits' from events order by id")]
    assert numbers == [str(row) for row in range(ROWS)]
    # The last row about a person is the newest, whichever run brought it.
    assert connection.execute("select visits from profiles where email = 'p0@shop.example'").fetchone() == (
        ROWS * 2 // 3,
    )
    connection.close()


def test_a_killed_worker_loses_no_row_and_doubles_none(call, start, workspace, large) -> None:
    started = start("import", large, "--stream", "large", "--json")
    until(lambda: first_chunk_saved(workspace), workspace, started.process.pid)
    for pid in workers(started.process.pid):
        os.kill(pid, signal.SIGKILL)
    answer = started.ended()
    assert answer.code == 1
    assert answer.document["run"]["status"] == "interrupted"
    assert "SIGKILL" in answer.err
    assert "`causeway job run 1` goes on from there." in answer.err
    check_nothing_lost_or_twice(call, workspace, large)


def test_a_killed_program_loses_no_row_and_doubles_none(call, start, workspace, large) -> None:
    started = start("import", large, "--stream", "large")
    until(lambda: first_chunk_saved(workspace), workspace, started.process.pid)
    orphans = workers(started.process.pid)
    started.process.kill()
    started.process.wait()
    for pid in orphans:
        until_ended(pid)
    check_nothing_lost_or_twice(call, workspace, large)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_run_cleanly(call, start, workspace, large, number) -> None:
    started = start("import", large, "--stream", "large", "--json")
    until(lambda: first_chunk_saved(workspace), workspace, started.process.pid)
    started.process.send_signal(number)
    answer = started.ended()
    assert answer.code == 1
    assert answer.document["run"]["status"] == "cancelled"
    assert f"{answer.document['run']['read']:,} rows of this run are saved." in answer.err
    assert "Traceback" not in answer.err
    check_nothing_lost_or_twice(call, workspace, large)


def test_a_killed_rebuild_goes_on_and_makes_the_same_people(call, start, imported) -> None:
    before = people(imported)
    started = start("schema", "rebuild", "--json")
    until(lambda: rebuild_begun(imported), imported, started.process.pid)
    for pid in workers(started.process.pid):
        os.kill(pid, signal.SIGKILL)
    answer = started.ended()
    assert (answer.code, answer.document["status"]) == (1, "failed")
    assert "SIGKILL" in answer.err
    assert "`causeway schema rebuild` goes on from there" in answer.err
    assert people(imported) == before
    again = call("schema", "rebuild", "--json")
    assert (again.code, again.document["people"]) == (0, ROWS * 2 // 3), again.err
    assert people(imported) == before
    assert asked(imported, "select * from rebuild") == []


def test_the_engine_goes_on_with_an_undo_whose_program_was_killed(start, imported) -> None:
    started = start("job", "undo", "1", "--yes")
    until(lambda: rebuild_begun(imported), imported, started.process.pid)
    orphans = workers(started.process.pid)
    started.process.kill()
    started.process.wait()
    for pid in orphans:
        until_ended(pid)
    assert asked(imported, "select undone from rebuild") == [("[1]",)]
    engine = start("engine")
    until(lambda: asked(imported, "select status from runs") == [("undone",)], imported, engine.process.pid)
    engine.process.send_signal(signal.SIGTERM)
    assert engine.ended().code == 0
    assert people(imported) == asked(imported, "select * from events") == []


def test_a_signal_interrupts_an_undo_which_can_be_given_up_or_finished(call, start, imported) -> None:
    before = people(imported)
    started = start("job", "undo", "large.csv", "--yes", "--json")
    until(lambda: rebuild_begun(imported), imported, started.process.pid)
    started.process.send_signal(signal.SIGINT)
    answer = started.ended()
    assert (answer.code, answer.document["status"]) == (1, "cancelled")
    assert answer.document["plan"]["events"] == ROWS
    assert "People are as they were before." in answer.err
    assert "Traceback" not in answer.err
    given_up = call("schema", "rebuild", "--give-up")
    assert given_up.out == "The rebuild was given up: people stay as they are, and the import of run 1 stays.\n"
    assert people(imported) == before

    refused = call("job", "undo", "large.csv", "--json")
    assert (refused.code, refused.document["plan"]["removed"]) == (1, ROWS * 2 // 3)
    assert "Takes away 120,000 events. 80,000 people have nothing else and go." in refused.err
    done = call("job", "undo", "large.csv", "--yes", "--json")
    assert (done.code, done.document["people"], done.document["undone"]) == (0, 0, [1]), done.err
    assert call("job", "undo", "large.csv", "--yes").err.startswith("No run of large.csv brought anything")
    assert call("job", "undo", "large.csv", "--run", "1", "--yes").err == "That import was undone already.\n"


def test_one_process_is_in_charge_and_others_can_look(call, start, workspace, members) -> None:
    assert call("import", members, "--stream", "members").code == 0
    engine = start("engine", "--json")
    assert "In charge of Agency" in engine.process.stderr.readline()
    for command in (("job", "run", "1"), ("import", members, "--stream", "x"), ("job", "delete", "1", "--yes")):
        answer = call(*command, "--json")
        assert (answer.code, answer.document["error"]["kind"]) == (1, "WorkspaceInUse")
        assert f"process {engine.process.pid}" in answer.err
    assert call("profile", "count").out == "3\n"
    assert call("job", "list").code == 0
    engine.process.send_signal(signal.SIGTERM)
    ended = engine.ended()
    assert (ended.code, ended.document["ended"]) == (0, "asked to stop")
    assert call("job", "run", "1").code == 0


def test_the_engine_runs_what_is_due_and_wakes_for_its_schedule(call, start, workspace, members) -> None:
    assert (
        call("auth", "add", "file-service-folder", "--name", "Files", "--value", f"folder={members.parent}").code == 0
    )
    job = ("job", "create", "--type", "file-service-csv-import", "--name", "Daily", "--authorization", "Files")
    chosen = ("-o", f"filename={members.name}", "-o", "stream=members", "--every", "daily", "--at", "06:00")
    assert call(*job, *chosen).code == 0
    engine = start("engine")
    ran = [("schedule", "completed")]
    until(lambda: asked(workspace, "select trigger, status from runs") == ran, workspace, engine.process.pid)
    engine.process.send_signal(signal.SIGTERM)
    assert engine.ended().code == 0
    shown = call("job", "show", "1", "--json").document["job"]
    assert (shown["status"], shown["waits_for"]) == ("sleeping", "schedule")
    assert call("profile", "count").out == "3\n"


def test_the_engine_tells_in_a_channel_what_happened_to_a_job(call, start, workspace, members) -> None:
    with webhook_server() as hook:
        added = start("auth", "add", "slack-webhook", "--name", "Channel", "--secrets-stdin", "--passphrase-stdin")
        assert added.ended(f'four words of mine\n{{"webhook_url": "{hook.url}"}}').code == 0
        alert = ("--type", "slack-alerts", "--name", "Tell us", "--authorization", "Channel")
        assert call("job", "create", *alert, "-o", "system_event_multiple_types=completed").code == 0
        assert call("job", "run", "Tell us").code == 0
        assert call("import", members, "--stream", "members").code == 0
        told = len(hook.posts)
        engine = start("engine")
        assert "The secrets file is locked" in engine.process.stderr.readline()
        assert "In charge" in engine.process.stderr.readline()
        engine.process.send_signal(signal.SIGTERM)
        assert engine.ended().code == 0
        assert call("job", "pause", "Tell us").code == call("job", "run", "Tell us").code == 0
        with sqlite3.connect(workspace / "workspace.db") as connection:
            connection.execute("update alert_state set seen = 0")
        connection.close()
        engine = start("engine", "--passphrase-stdin")
        engine.process.stdin.write("four words of mine\n")
        engine.process.stdin.flush()
        until(lambda: len(hook.posts) > told, workspace, engine.process.pid)
        engine.process.send_signal(signal.SIGTERM)
        assert engine.ended().code == 0
        assert hook.posts[-1]["text"] == "Job “members.csv” is completed"


def test_a_reader_that_goes_away_is_no_error(call, start, workspace, members) -> None:
    call("import", members, "--stream", "members")
    for command in (("stream", "events", "members"), ("profile", "search", "--json"), ("--help",)):
        started = start(*command)
        started.process.stdout.close()
        assert started.process.wait(PATIENCE) == 0
        assert started.process.stderr.read() == ""
