"""Erasing a person: from tables, files and traces, and for good."""

from __future__ import annotations

import asyncio
import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine import Engine
from app.errors import NotFound, Refused
from app.jobs import job_log, save_rejected
from app.jobs.evidence import write_evidence
from app.profiles import (
    count_profiles,
    erase_person,
    export_person,
    export_profiles,
    find_profile,
    get_profile,
    person_history,
    plan_erasure,
    profile_events,
    search_profiles,
)
from app.profiles.rebuild import rebuild, rebuild_state
from app.profiles.traces import Wanted
from app.schema.model import MappingDefinition
from app.schema.patches import apply_additions
from app.store.database import open_connection, transaction
from app.streams import list_streams, stream_fields
from app.workspace import back_up

ANN = {"E-Mail": "Ann@x.example", "name": "Ann Arbor", "Phone": "+49 30 1234567", "visits": "2"}
BOB = {"E-Mail": "bob@x.example", "name": "Bob", "visits": "1"}


def person(engine: Engine, identifier: str) -> int:
    found = find_profile(engine, identifier)
    assert found is not None
    return found


def rows(engine: Engine, question: str, *values: Any) -> list[Any]:
    with engine.workspace.database.read() as connection:
        return [row[0] for row in connection.execute(question, values)]


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_nothing_of_a_person_is_left_in_the_workspace(engine: Engine, arrive: Callable[..., Any]) -> None:
    arrive(ANN, BOB, {"E-Mail": "ann@x.example", "tag": "news"}, rejected=['"ann@x.example",1,2', "joann@x.example,1"])
    with engine.workspace.database.write() as connection:
        connection.execute(
            """insert into job_events (job_id, run_id, at, event, level, message)
            values (1, 1, '', 'note', 'info', 'Row 3 of ann@x.example was odd')"""
        )
    plan = plan_erasure(engine, person(engine, "ann@x.example"))
    assert (plan.title, plan.events, plan.rejected_rows, plan.log_lines) == ("Ann Arbor", 2, 1, 1)
    assert plan.identifiers == (("email", "ann@x.example"), ("phone", "+49301234567"))
    assert plan.goes[0] == "5 fields, 2 identifiers and 2 raw events are erased."
    assert count_profiles(engine) == 2

    reported: list[tuple[int, int]] = []
    done = erase_person(engine, plan.profile_id, lambda *progress: reported.append(progress))
    assert (done.title, done.events, done.rejected_rows, done.left) == ("Ann Arbor", 2, 1, ())
    assert reported[-1] == (3, 3)
    assert (count_profiles(engine), [stream.events for stream in list_streams(engine)]) == (1, [1])
    assert rows(engine, "select text from rejected_rows") == ["joann@x.example,1"]
    assert [line.message for line in job_log(engine, 1)] == ["Row 3 of (erased) was odd"]
    assert {field.name: field.samples for field in stream_fields(engine, 1)}["name"] == ("Bob",)
    with pytest.raises(NotFound):
        get_profile(engine, plan.profile_id)
    # Not even in unused parts of the file, nor in the log that SQLite writes first.
    engine.workspace.database.close()
    kept = b"".join(path.read_bytes() for path in engine.workspace.folder.glob("workspace.db*")).lower()
    assert b"bob@x.example" in kept
    assert b"ann@x" not in kept.replace(b"joann@x", b"")
    assert b"arbor" not in kept
    assert b"1234567" not in kept


def test_older_rows_stay_away_and_newer_ones_make_a_new_person(
    engine: Engine, import_job: Callable[..., int], write_csv: Callable[..., Path]
) -> None:
    header = ("email", "name", "updated_at")
    write_csv("members.csv", [header, ("ann@x.example", "Ann", "2026-01-05"), ("bob@x.example", "Bob", "2026-01-05")])
    job = import_job("members.csv", identifiers=["email"], timestamp_field="updated_at", targets={"updated_at": ""})

    async def run() -> None:
        await engine.start()
        assert engine.supervisor is not None
        assert (await engine.supervisor.finished(await engine.supervisor.run(job))).status == "completed"

    async def scenario() -> None:
        await run()
        erase_person(engine, person(engine, "ann@x.example"))
        await run()
        assert find_profile(engine, "ann@x.example") is None
        assert any("erased" in line.message for line in job_log(engine, job))
        write_csv("members.csv", [header, ("Ann@x.example", "", "2999-01-01")])
        await run()
        assert engine.supervisor is not None
        await engine.supervisor.stop()

    asyncio.run(scenario())
    again = get_profile(engine, person(engine, "ann@x.example"))
    assert [(field.name, field.value) for field in again.fields] == [("email", "ann@x.example")]
    assert again.event_count == 1


def test_a_friend_keeps_their_rows_without_the_name_of_the_erased(engine: Engine, arrive: Callable[..., Any]) -> None:
    arrive(
        ANN,
        {**BOB, "friend": "ann@x.example", "tag": "wrote to ANN@x.example; +49 30 1234567"},
        {"note": "nobody's row about ann@x.example"},
        {"note": "nobody's row about joann@x.example"},
    )
    plan = plan_erasure(engine, person(engine, "ann@x.example"))
    assert (plan.events, plan.events_of_others, plan.events_of_nobody) == (1, 1, 1)
    erase_person(engine, plan.profile_id)
    bob = get_profile(engine, person(engine, "bob@x.example"))
    values = {field.name: field.value for field in bob.fields}
    assert (values["name"], values["tags"], "friend" in values) == ("Bob", ["wrote to (erased); (erased)"], False)
    (event,) = profile_events(engine, bob.id)
    assert event.data == {**BOB, "friend": None, "tag": "wrote to (erased); (erased)"}
    assert rows(engine, "select count(*) from events") == [2]


def test_a_conflict_ties_others_who_go_only_when_asked(engine: Engine, arrive: Callable[..., Any]) -> None:
    def meet() -> None:
        arrive(
            {"cookie": "c1", "E-Mail": "ann@x.example"},
            {"cookie": "c9", "E-Mail": "bob@x.example"},
            {"cookie": "c1", "E-Mail": "bob@x.example", "tag": "shoes"},
            {"cookie": "c7", "E-Mail": "cleo@x.example"},
        )

    meet()
    plan = plan_erasure(engine, person(engine, "ann@x.example"))
    assert [(other.title, other.field, other.value) for other in plan.others] == [("bob@x.example", "cookie", "c1")]
    erase_person(engine, plan.profile_id)
    bob = person(engine, "bob@x.example")
    # "c1" is too short to be looked for everywhere, but it is a cookie in a column of cookies.
    assert [event.data.get("cookie") for event in profile_events(engine, bob)] == [None, "c9"]
    assert [entry.verb for entry in person_history(engine, bob)] == ["changed", "created"]

    both = plan_erasure(engine, bob, others=True)
    assert (both.people, both.others) == (1, ())
    with engine.workspace.database.write() as connection:
        connection.execute("delete from erased")
    meet()
    ann = person(engine, "ann@x.example")
    assert plan_erasure(engine, ann, others=True).people == 2
    assert erase_person(engine, ann, others=True).people == 2
    assert [find_profile(engine, f"{name}@x.example") for name in ("ann", "bob")] == [None, None]
    assert find_profile(engine, "cleo@x.example") is not None


def choice(values: str, ending: str = "") -> st.SearchStrategy[str]:
    return st.sampled_from([value + ending for value in values])


RECORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "E-Mail": choice("abc", "@x.example"),
            "Phone": choice("123"),
            "cookie": choice("xyz"),
            "name": choice("JKL"),
            "tag": choice("pqr"),
            "visits": choice("123"),
            "friend": choice("abc", "@x.example"),
        },
    ),
    min_size=2,
    max_size=12,
)


def everybody(connection: sqlite3.Connection) -> list[str]:
    """Identifiers and values of each person, whatever their numbers."""
    people = []
    for row in connection.execute("select * from profiles").fetchall():
        known = connection.execute(
            "select field_id, value from identifiers where profile_id = ? order by 1, 2", (row["_id"],)
        ).fetchall()
        values = {key: row[key] for key in row.keys() if key[0] != "_"}  # noqa: SIM118
        people.append(repr((list(map(tuple, known)), values)))
    return sorted(people)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS, st.integers(0), st.booleans())
def test_after_an_erasure_a_rebuild_changes_nobody(
    new_workspace: Callable[[], tuple[Engine, Callable[..., Any]]],
    records: list[dict[str, str]],
    who: int,
    others: bool,
) -> None:
    engine, arrive = new_workspace()
    arrive(*records)
    people = search_profiles(engine)
    if not people:
        return
    erase_person(engine, people[who % len(people)].id, others=others)
    with closing(open_connection(engine.workspace.database.path)) as connection:
        before = everybody(connection)
        rebuild(connection, (), lambda _done, _total: None)
        assert everybody(connection) == before


def test_files_that_were_written_lose_the_person(engine: Engine, arrive: Callable[..., Any], tmp_path: Path) -> None:
    arrive(
        ANN, {**BOB, "name": 'Bob, "the\r\nbuilder"', "friend": "ann@x.example"}, rejected=["ann@x.example,1", "x,1"]
    )
    ann, bob = person(engine, "ann@x.example"), person(engine, "bob@x.example")
    for name in ("people.csv", "changed.csv", "unread.csv", "gone.csv"):
        export_profiles(engine, tmp_path / name)
    save_rejected(engine, 1, tmp_path / "rejected.csv")
    export_person(engine, ann, tmp_path / "ann.zip")
    export_person(engine, ann, tmp_path / "moved.html")
    (tmp_path / "moved.html").rename(tmp_path / "elsewhere.html")
    export_person(engine, bob, tmp_path / "bob.json")
    (tmp_path / "people.csv").chmod(0o600)
    with (tmp_path / "changed.csv").open("a", encoding="utf-8") as file:
        file.write("a line of my own\r\n")
    (tmp_path / "unread.csv").unlink()
    (tmp_path / "unread.csv").mkdir()
    (tmp_path / "gone.csv").unlink()
    before = (tmp_path / "changed.csv").read_bytes()

    plan = plan_erasure(engine, ann)
    acts = {effect.path.name: effect.act for effect in plan.files}
    assert acts == {
        "people.csv": "rewrite",
        "changed.csv": "by hand",
        "unread.csv": "by hand",
        "gone.csv": "missing",
        "rejected.csv": "rewrite",
        "ann.zip": "delete",
        "moved.html": "missing",
    }
    assert f"They are taken out of 2 rows of {tmp_path / 'people.csv'}." in plan.goes
    assert any("gone.csv" in sentence for sentence in plan.stays)

    done = erase_person(engine, ann)
    assert done.files == 3
    assert [sentence.split(" ")[0] for sentence in done.left] == [
        str(tmp_path / "changed.csv"),
        str(tmp_path / "unread.csv"),
    ]
    (left,) = written(tmp_path / "people.csv")
    assert (left["email"], left["name"], left["friend"]) == ("bob@x.example", 'Bob, "the\r\nbuilder"', "(erased)")
    assert (tmp_path / "people.csv").stat().st_mode & 0o777 == 0o600
    assert [row["row"] for row in written(tmp_path / "rejected.csv")] == ["x,1"]
    assert (tmp_path / "changed.csv").read_bytes() == before
    assert not (tmp_path / "ann.zip").exists()
    assert rows(engine, "select kind from written_files where path like '%moved%'") == []
    assert json.loads((tmp_path / "bob.json").read_text(encoding="utf-8"))["title"].startswith("Bob")
    # What was rewritten is known as it is now, so the next one can be taken out as well.
    assert {effect.path.name: effect.act for effect in plan_erasure(engine, bob).files}["people.csv"] == "rewrite"


def test_evidence_that_names_the_person_is_told(engine: Engine, arrive: Callable[..., Any], tmp_path: Path) -> None:
    arrive(ANN, BOB, rejected=["ann@x.example,1"])
    with engine.workspace.database.write() as connection:
        asked = '{"action": "get", "url": "/people/ann@x.example"}'
        connection.execute("insert into run_requests (run_id, at, request) values (1, '2026-11-22', ?)", (asked,))
    write_evidence(engine, 1, tmp_path / "evidence.zip")
    ann = person(engine, "ann@x.example")
    assert [(one.path.name, one.act) for one in plan_erasure(engine, ann).files] == [("evidence.zip", "by hand")]
    assert plan_erasure(engine, person(engine, "bob@x.example")).files == ()
    done = erase_person(engine, ann)
    assert [sentence.partition(" is evidence")[0] for sentence in done.left] == [str(tmp_path / "evidence.zip")]
    assert "ann@x.example" not in rows(engine, "select request from run_requests")[0][0]


def test_notifications_that_name_the_person_are_rewritten(engine: Engine, arrive: Callable[..., Any]) -> None:
    arrive(ANN, BOB)
    with engine.workspace.database.write() as connection:
        sentence = "A row can't be read: ann@x.example,1"
        connection.execute("update jobs set status = 'failed', errors = 1, reason = ? where id = 1", (sentence,))
    failed = "select message from system_events where event = 'failed'"
    assert rows(engine, failed) == [sentence]
    erase_person(engine, person(engine, "ann@x.example"))
    for told in (failed, "select reason from jobs"):
        assert rows(engine, told) == ["A row can't be read: (erased),1"]


def test_what_an_erasure_cannot_reach_is_said(engine: Engine, arrive: Callable[..., Any], tmp_path: Path) -> None:
    arrive(ANN)
    folder = engine.workspace.folder
    back_up(engine.workspace, folder / "mine.zip")
    (folder / "workspace.db.before-0002").write_bytes(b"an older file")
    (folder / "other.zip").write_bytes(b"no archive")
    (folder / "downloads" / "job-1").mkdir(parents=True)
    (folder / "downloads" / "job-1" / "file").write_text("ann@x.example", encoding="utf-8")
    plan = plan_erasure(engine, person(engine, "ann@x.example"))
    told = " ".join(plan.stays)
    assert "workspace.db.before-0002, mine.zip." in told
    assert "other.zip" not in told
    erase_person(engine, plan.profile_id)
    assert list((folder / "downloads").iterdir()) == []
    assert (folder / "mine.zip").exists()


def test_a_search_that_is_given_up_changes_nothing(engine: Engine, arrive: Callable[..., Any]) -> None:
    arrive(ANN)
    ann = person(engine, "ann@x.example")

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase_person(engine, ann, stop)
    assert get_profile(engine, ann).event_count == 1


def test_nobody_is_erased_while_a_job_runs(
    engine: Engine, arrive: Callable[..., Any], import_job: Callable[..., int], write_csv: Callable[..., Path]
) -> None:
    arrive(ANN)
    write_csv("more.csv", [("email",), ("bob@x.example",)])
    job = import_job("more.csv")

    async def scenario() -> None:
        await engine.start()
        assert engine.supervisor is not None
        run = await engine.supervisor.run(job)
        with pytest.raises(Refused, match="while jobs are running"):
            erase_person(engine, person(engine, "ann@x.example"))
        await engine.supervisor.finished(run)
        erase_person(engine, person(engine, "ann@x.example"))
        await engine.supervisor.stop()

    asyncio.run(scenario())
    assert (find_profile(engine, "ann@x.example"), count_profiles(engine)) == (None, 1)


def test_a_rebuild_that_was_cut_short_begins_anew(
    engine: Engine, arrive: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(ANN, BOB)

    def cut(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with closing(open_connection(engine.workspace.database.path)) as connection:
        with monkeypatch.context() as patch:
            patch.setattr("app.profiles.reread.EVENTS_PER_CHUNK", 1)
            with pytest.raises(KeyboardInterrupt):
                rebuild(connection, (), cut)
        erase_person(engine, person(engine, "ann@x.example"))
        state = rebuild_state(connection)
        assert state is not None
        assert state.done == 0
        assert rebuild(connection, (), lambda _done, _total: None) == 1
    assert find_profile(engine, "ann@x.example") is None


def test_a_rebuild_does_not_find_the_erased_by_a_newer_mapping(engine: Engine, arrive: Callable[..., Any]) -> None:
    arrive({"E-Mail": "ann@x.example", "Phone": "4711"}, BOB, {"tel": "4711"}, {"tel": "4712"})
    erase_person(engine, person(engine, "ann@x.example"))
    with closing(open_connection(engine.workspace.database.path)) as connection:
        with transaction(connection):
            apply_additions(connection, (), [MappingDefinition("", "shop", "phone", "`tel`")], comment="tel", by="")
        assert rebuild(connection, (), lambda _done, _total: None) == 2
    assert (find_profile(engine, "4711"), find_profile(engine, "4712") is None) == (None, False)


@pytest.mark.parametrize(
    ("text", "named", "told"),
    [
        ("1;Ann@X.example;z", True, True),
        ('"ann@x.example"', True, True),
        ("write to ann@x.example.", True, True),
        ("joann@x.example", False, False),
        ("mary-ann@x.example", False, False),
        ("ann@x.example.org", False, False),
        ("customer 4711 called", True, False),
        ("47110", False, False),
        ("7", False, False),
        ("lives in berlin", False, False),
        ("user majalindholm", True, False),
        ("user Majalindholm", False, False),
        ("code aB3x9Q", True, True),
        ("code Ab3x9Q", False, False),
    ],
)
def test_a_value_is_found_as_a_whole_word_and_taken_for_theirs_only_when_it_tells(
    text: str, named: bool, told: bool
) -> None:
    wanted = Wanted(
        [("email", "ann@x.example"), ("number", "4711"), ("id", "7"), ("login", "berlin")], ["majalindholm", "aB3x9Q"]
    )
    assert (wanted.named_in(text), wanted.told_in(text)) == (named, told)
