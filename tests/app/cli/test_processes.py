"""The command line as real processes: killed, stopped, piped, two at once."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

ROWS = 120_000
PATIENCE = 60


@pytest.fixture
def large(tmp_path) -> Path:
    """So many rows that there is time to interrupt: each is a person of its own, each third comes back later."""
    file = tmp_path / "large.csv"
    with file.open("w") as out:
        out.write("email,name,visits\n")
        out.writelines(f"p{row % (ROWS * 2 // 3)}@shop.example,Person {row},{row}\n" for row in range(ROWS))
    return file


def until(condition, process) -> None:
    """Wait for something that another process does; fail when that ends before."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def first_chunk_saved(workspace: Path) -> bool:
    connection = sqlite3.connect(f"file:{workspace / 'workspace.db'}?mode=ro", uri=True)
    try:
        return bool(connection.execute("select count(*) from runs where status = 'running' and read > 0").fetchone()[0])
    finally:
        connection.close()


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
    until(lambda: first_chunk_saved(workspace), started.process)
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
    until(lambda: first_chunk_saved(workspace), started.process)
    orphans = workers(started.process.pid)
    started.process.kill()
    started.process.wait()
    for pid in orphans:
        until(lambda pid=pid: not Path(f"/proc/{pid}").exists() or "Z" in state(pid), AlwaysThere())
    check_nothing_lost_or_twice(call, workspace, large)


class AlwaysThere:
    """Stands for a process that has ended already and is not to be waited for."""

    def poll(self) -> None:
        return None


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_run_cleanly(call, start, workspace, large, number) -> None:
    started = start("import", large, "--stream", "large", "--json")
    until(lambda: first_chunk_saved(workspace), started.process)
    started.process.send_signal(number)
    answer = started.ended()
    assert answer.code == 1
    assert answer.document["run"]["status"] == "cancelled"
    assert f"{answer.document['run']['read']:,} rows of this run are saved." in answer.err
    assert "Traceback" not in answer.err
    check_nothing_lost_or_twice(call, workspace, large)


def test_one_process_is_in_charge_and_others_can_look(call, start, workspace, members) -> None:
    assert call("import", members, "--stream", "members").code == 0
    engine = start("engine", "--json")
    assert "In charge of Agency" in engine.process.stderr.readline()
    for command in (("job", "run", "1"), ("import", members, "--stream", "x"), ("job", "delete", "1", "--yes")):
        answer = call(*command, "--json")
        assert (answer.code, answer.document["error"]["kind"]) == (1, "WorkspaceInUse")
        assert f"process {engine.process.pid}" in answer.err
    assert call("profile", "count").out == "4\n"
    assert call("job", "list").code == 0
    engine.process.send_signal(signal.SIGTERM)
    ended = engine.ended()
    assert (ended.code, ended.document["ended"]) == (0, "asked to stop")
    assert call("job", "run", "1").code == 0


def test_a_reader_that_goes_away_is_no_error(call, start, workspace, members) -> None:
    call("import", members, "--stream", "members")
    for command in (("stream", "events", "members"), ("profile", "search", "--json"), ("--help",)):
        started = start(*command)
        started.process.stdout.close()
        assert started.process.wait(PATIENCE) == 0
        assert started.process.stderr.read() == ""
