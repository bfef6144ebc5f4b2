"""Rebuilding people and undoing imports: in real workers, interrupted, continued, given up, beside other work."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.engine import Engine
from app.errors import NotFound, Refused
from app.jobs import get_job, job_log, job_runs, rejected_count
from app.jobs.rebuilding import Rebuilder, can_undo, plan_undo, start_rebuild, undo_import
from app.jobs.worker import Outcome
from app.profiles import count_profiles, search_profiles
from app.profiles.people_table import PEOPLE_TABLES
from app.profiles.rebuild import RebuildState, begin_anew, rebuild, rebuild_state
from app.schema.model import FieldDefinition, MappingDefinition
from app.schema.operations import publish_schema, put_field, put_mapping
from app.store.database import open_connection
from app.workspace.backup import back_up, restore
from app.workspace.settings import SETTINGS

MEMBERS = [
    ("email", "phone", "city", "points"),
    ("ann@x.example", "1", "Ghent", "10"),
    ("", "2", "Porto", "20"),
    ("cleo@x.example", "3", "Lille", "30"),
]
ORDERS = [
    ("email", "phone", "city", "points"),
    # Joins the first two, says something newer of Cleo, brings two new people, one in conflict with Cleo, and a row
    # that can't be taken.
    ("ann@x.example", "2", "Lyon", "11"),
    ("cleo@x.example", "3", "Riga", "31"),
    ("dora@x.example", "4", "Oslo", "40"),
    ("egon@x.example", "3", "Bern", "50"),
    ("fay@x.example", "6", "Rome", "60", "too", "many"),
]
OPTIONS = {"identifiers": ["email", "phone"], "kinds": {"phone": "[]string"}}


class Cut(Exception):
    """Stands for whatever interrupts a rebuild."""


@pytest.fixture
def run(engine: Engine) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Runs a scenario in one loop with the engine at work."""
    with asyncio.Runner() as runner:
        runner.run(engine.start())
        yield runner.run
        assert engine.supervisor is not None
        runner.run(engine.supervisor.stop())


@pytest.fixture
def two_imports(engine: Engine, run: Any, write_csv: Any, import_job: Any) -> tuple[dict[str, Any], int, int]:
    """What the workspace was like after the first import, and the jobs of both."""
    write_csv("members.csv", MEMBERS)
    write_csv("orders.csv", ORDERS)
    first, second = import_job("members.csv", **OPTIONS), import_job("orders.csv", **OPTIONS)
    run(imported(engine, first))
    before = contents(engine)
    run(imported(engine, second))
    return before, first, second


def rebuilds(engine: Engine) -> Rebuilder:
    assert engine.supervisor is not None
    return engine.supervisor.rebuilds


async def imported(engine: Engine, job: int) -> int:
    """Run a job to its end; the number of the run."""
    assert engine.supervisor is not None
    ended = await engine.supervisor.finished(await engine.supervisor.run(job))
    assert ended.status == "completed", ended.message
    return ended.id


async def rebuilt(engine: Engine, begin: Coroutine[Any, Any, None]) -> None:
    """Begin, and wait for the end."""
    await begin
    assert await rebuilds(engine).finished() == Outcome("completed")


def contents(engine: Engine) -> dict[str, Any]:
    """People, streams and rejected rows; not when a person was first seen, which a rebuild takes from the run."""
    asked = {
        "people": """select email, phone, city, points, _origin_at, _origin_event, _origins, _state
            from profiles order by email, phone""",
        "identifiers": """select name, value, event_id from identifiers join fields on fields.id = field_id
            order by 1, 2""",
        "events": "select event_id, count(*) from profile_events group by 1",
        "joins": "select event_id, value from joins order by 1, 2",
        "conflicts": "select event_id, field_id, value from conflicts order by 1, 2, 3",
        "streams": "select name, event_count, last_event_at from streams order by 1",
        "keys": "select stream_id, name, seen from stream_fields order by 1, 2",
        "rejected": "select line, text from rejected_rows order by 1",
    }
    with engine.workspace.database.read() as connection:
        return {
            what: [tuple(row) for row in connection.execute(question).fetchall()] for what, question in asked.items()
        }


def indexes(engine: Engine) -> dict[str, tuple[str, str]]:
    """Indexes of people by name: their table and columns."""
    with engine.workspace.database.read() as connection:
        return {
            row["name"]: (row["tbl_name"], row["sql"].partition("(")[2])
            for row in connection.execute("select * from sqlite_master where type = 'index' and sql is not null")
            if row["tbl_name"] in PEOPLE_TABLES
        }


@contextmanager
def small_chunks() -> Iterator[None]:
    """One event a chunk, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.profiles.reread.EVENTS_PER_CHUNK", 1)
        yield


def cut_short(engine: Engine, undone: Sequence[int] = (), chunks: int = 2) -> None:
    """Leave a rebuild behind that was interrupted after so many events."""

    def progress(done: int, _total: int) -> None:
        if done == chunks:
            raise Cut

    with closing(open_connection(engine.workspace.database.path)) as connection, small_chunks(), pytest.raises(Cut):
        rebuild(connection, undone, progress)


def unfinished(engine: Engine) -> RebuildState | None:
    with engine.workspace.database.read() as connection:
        return rebuild_state(connection)


def test_an_undone_import_is_as_if_it_had_never_been(engine: Engine, run: Any, two_imports: Any) -> None:
    before, first, second = two_imports
    after = contents(engine)
    (last,) = job_runs(engine, second)
    assert can_undo(last)
    plan = plan_undo(engine, last.id)
    assert (plan.runs, plan.job, plan.events) == ((last.id,), "Import orders.csv", 4)
    assert (plan.removed, plan.changed, plan.joined) == (2, 2, 1)
    assert contents(engine) == after
    assert rejected_count(engine, second) == 1

    run(rebuilt(engine, undo_import(engine, last.id)))

    assert contents(engine) == before
    assert rejected_count(engine, second) == 0
    (undone,) = job_runs(engine, second)
    assert (undone.status, can_undo(undone)) == ("undone", False)
    assert get_job(engine, second).reason == "The import was undone; running it again brings it back"
    assert get_job(engine, first).status == "completed"
    assert [line.message for line in job_log(engine, second, events=("note",), limit=2)] == [
        f"The import of run {last.id} was undone: 4 events were taken away, 3 people are left",
        f"The import of run {last.id} is being undone",
    ]
    with pytest.raises(Refused, match="undone already"):
        plan_undo(engine, last.id)
    run(imported(engine, second))
    again = contents(engine)
    assert [person[:4] for person in again["people"]] == [person[:4] for person in after["people"]]
    assert again["streams"][0][1] == after["streams"][0][1]


def test_runs_that_went_on_from_each_other_are_one_import(engine: Engine, run: Any, two_imports: Any) -> None:
    before, first, second = two_imports
    (last,) = job_runs(engine, second)
    with engine.workspace.database.write() as connection:
        # As an interrupted run and the one that went on from it leave their events.
        again = connection.execute(
            """insert into runs (job_id, continues, trigger, status, started_at, first_event_at, read)
            values (?, ?, 'by hand', 'completed', '2026-11-22T08:00:00.000000Z', 0, 2)""",
            (second, last.id),
        ).lastrowid
        connection.execute("update runs set status = 'interrupted', cursor = '{}' where id = ?", (last.id,))
        connection.execute("update events set run_id = ? where id > 5", (again,))
        connection.execute("update runs set first_event = 6, last_event = 7 where id = ?", (again,))
        connection.execute("update runs set last_event = 5 where id = ?", (last.id,))
    assert plan_undo(engine, last.id).events == plan_undo(engine, again).events == 4
    run(rebuilt(engine, undo_import(engine, last.id)))
    assert contents(engine) == before
    assert {one.status for one in job_runs(engine, second)} == {"undone"}
    assert run(imported(engine, second)), "the next run begins at the beginning"
    assert job_runs(engine, second)[0].continues is None
    assert get_job(engine, first).status == "completed"


def test_what_cannot_be_undone_says_why(engine: Engine, run: Any, two_imports: Any, import_job: Any) -> None:
    _, _, second = two_imports
    with pytest.raises(NotFound, match="does not exist"):
        plan_undo(engine, 99)
    with pytest.raises(NotFound, match="does not exist"):
        run(undo_import(engine, 99))
    with engine.workspace.database.write() as connection:
        empty = connection.execute(
            """insert into runs (job_id, trigger, status, started_at, first_event_at)
            values (?, 'by hand', 'failed', '', 0)""",
            (second,),
        ).lastrowid
        going = connection.execute(
            """insert into runs (job_id, trigger, status, started_at, first_event_at, read)
            values (?, 'by hand', 'running', '', 0, 1)""",
            (second,),
        ).lastrowid
    with pytest.raises(Refused, match="brought no events"):
        plan_undo(engine, empty)
    with pytest.raises(Refused, match="still running"):
        run(undo_import(engine, going))
    assert (unfinished(engine), rebuilds(engine).busy) == (None, False)


def test_nothing_else_begins_while_people_are_rebuilt(engine: Engine, run: Any, two_imports: Any) -> None:
    _, _, second = two_imports
    (last,) = job_runs(engine, second)
    with engine.workspace.database.write() as connection:
        connection.execute("update runs set cursor = '{}' where id = ?", (last.id,))

    async def scenario() -> None:
        await start_rebuild(engine)
        for begin in (start_rebuild(engine), undo_import(engine, last.id), rebuilds(engine).go_on()):
            with pytest.raises(Refused, match="being rebuilt already"):
                await begin
        assert await rebuilds(engine).finished() == Outcome("completed")

    run(scenario())
    with engine.workspace.database.read() as connection:
        assert connection.execute("select cursor from runs where id = ?", (last.id,)).fetchone()[0] == "{}"
    assert not any("being undone" in line.message for line in job_log(engine, second))


def test_an_interrupted_rebuild_goes_on_in_a_worker_where_it_was(engine: Engine, run: Any, two_imports: Any) -> None:
    before, _, second = two_imports
    (last,) = job_runs(engine, second)
    cut_short(engine, (last.id,))
    with engine.workspace.database.write() as connection:
        # A trace that a rebuild from the beginning would not have.
        connection.execute("update profiles_rebuilt set city = 'Kept' where email = 'ann@x.example'")
    run(rebuilt(engine, rebuilds(engine).resume()))
    assert [person.fields["city"] for person in search_profiles(engine, "ann@x.example")] == ["Kept"]
    assert contents(engine)["streams"] == before["streams"]
    assert unfinished(engine) is None
    before_that = indexes(engine)
    run(rebuilt(engine, start_rebuild(engine)))
    assert contents(engine) == before
    # Whatever they are called, they are on the same columns.
    assert sorted(indexes(engine).values()) == sorted(before_that.values())
    run(rebuilt(engine, start_rebuild(engine)))
    assert indexes(engine) == before_that


def test_an_undo_that_was_cut_short_is_part_of_the_next_rebuild(engine: Engine, run: Any, two_imports: Any) -> None:
    before, first, second = two_imports
    (last,), (earlier,) = job_runs(engine, second), job_runs(engine, first)
    cut_short(engine, (last.id,))
    run(rebuilt(engine, start_rebuild(engine)))
    assert contents(engine) == before
    run(imported(engine, second))
    cut_short(engine, (job_runs(engine, second)[0].id,))
    run(rebuilt(engine, undo_import(engine, earlier.id)))
    assert count_profiles(engine) == 0
    assert contents(engine)["keys"] == []


def test_what_is_imported_during_a_rebuild_is_in_the_result(
    engine: Engine, run: Any, two_imports: Any, write_csv: Any, import_job: Any
) -> None:
    write_csv("late.csv", [("email", "phone", "city", "points"), ("ann@x.example", "7", "Late", "70")])
    cut_short(engine)
    run(imported(engine, import_job("late.csv", **OPTIONS)))
    undisturbed = contents(engine)
    run(rebuilt(engine, rebuilds(engine).resume()))
    assert contents(engine) == undisturbed
    (ann,) = search_profiles(engine, "ann@x.example")
    assert ann.fields["city"] == "Late"


def test_a_schema_that_is_published_in_the_middle_counts_for_everybody(engine: Engine, two_imports: Any) -> None:
    done: list[int] = []

    def progress(events: int, _total: int) -> None:
        done.append(events)
        if done == [1, 2]:
            put_field(engine, FieldDefinition("shout", label="Shout"))
            put_mapping(engine, MappingDefinition("", "people", "shout", "toupper(`city`)"))
            publish_schema(engine, "Shouting")

    with closing(open_connection(engine.workspace.database.path)) as connection, small_chunks():
        assert rebuild(connection, (), progress) == 4
    assert done[:4] == [1, 2, 1, 2], "it begins anew"
    people = search_profiles(engine, "")
    assert {person.fields["shout"] for person in people} == {"LYON", "RIGA", "OSLO", "BERN"}


def test_a_rebuild_in_the_middle_of_which_somebody_is_erased_begins_anew(engine: Engine, two_imports: Any) -> None:
    after = contents(engine)
    done: list[int] = []

    def progress(events: int, _total: int) -> None:
        done.append(events)
        if done == [1, 2]:
            with engine.workspace.database.write() as connection:
                begin_anew(connection)

    with closing(open_connection(engine.workspace.database.path)) as connection, small_chunks():
        rebuild(connection, (), progress)
    assert done[:4] == [1, 2, 1, 2]
    assert contents(engine) == after


def test_giving_up_leaves_everything_as_it_was(engine: Engine, run: Any, two_imports: Any) -> None:
    _, _, second = two_imports
    after = contents(engine)
    (last,) = job_runs(engine, second)
    cut_short(engine, (last.id,))
    run(rebuilds(engine).give_up())
    assert unfinished(engine) is None
    assert contents(engine) == after
    with engine.workspace.database.read() as connection:
        left = connection.execute("select count(*) from sqlite_master where name like '%rebuilt%'").fetchone()[0]
    assert left == 0
    run(rebuilds(engine).resume())
    assert not rebuilds(engine).busy


def test_a_worker_that_does_not_listen_is_stopped_all_the_same(engine: Engine, run: Any, two_imports: Any) -> None:
    async def scenario() -> None:
        with closing(open_connection(engine.workspace.database.path)) as connection:
            # Nobody else can write while this is open, so the worker waits in SQLite.
            connection.execute("begin immediate")
            await start_rebuild(engine)
            await rebuilds(engine).stop()
            connection.execute("rollback")
        assert await rebuilds(engine).finished() == Outcome("cancelled")

    run(scenario())
    assert (rebuilds(engine).error, rebuilds(engine).progress) == (None, None)


def test_a_failure_is_told_and_can_be_gone_on_from(engine: Engine, run: Any, two_imports: Any) -> None:
    before, _, second = two_imports
    (last,) = job_runs(engine, second)
    with engine.workspace.database.write() as connection:
        (text,) = connection.execute("select data from events where id = 2").fetchone()
        connection.execute("update events set data = 'no JSON' where id = 2")

    async def failing() -> Outcome | None:
        await undo_import(engine, last.id)
        return await rebuilds(engine).finished()

    outcome = run(failing())
    assert (outcome.status, rebuilds(engine).error) == ("failed", outcome)
    with engine.workspace.database.write() as connection:
        connection.execute("update events set data = ? where id = 2", (text,))
    run(rebuilt(engine, rebuilds(engine).go_on()))
    assert contents(engine) == before


def test_a_rebuild_over_the_ceiling_fails_in_a_sentence_and_goes_on_when_it_may_hold_more(
    engine: Engine, run: Any, two_imports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = contents(engine)
    # Any process needs more than the one megabyte that can't be chosen otherwise.
    monkeypatch.setitem(SETTINGS, "run_memory_mb", replace(SETTINGS["run_memory_mb"], least=1))
    engine.workspace.change_setting("run_memory_mb", 1)

    async def failing() -> Outcome | None:
        await start_rebuild(engine)
        return await rebuilds(engine).finished()

    outcome = run(failing())
    assert (outcome.status, rebuilds(engine).error) == ("failed", outcome)
    assert outcome.message == "The rebuild was stopped: it needed more than 1 MB of memory."
    assert contents(engine) == after
    engine.workspace.change_setting("run_memory_mb", 2_048)
    run(rebuilt(engine, rebuilds(engine).go_on()))
    assert contents(engine) == after


def test_a_workspace_with_an_unfinished_rebuild_is_backed_up_and_goes_on_elsewhere(
    engine: Engine, two_imports: Any, tmp_path: Path
) -> None:
    after = contents(engine)
    cut_short(engine)
    restore(back_up(engine.workspace, tmp_path / "copy.zip"), tmp_path / "elsewhere").close()
    with Engine.open(tmp_path / "elsewhere") as other:
        assert unfinished(other) is not None

        async def scenario() -> None:
            await other.start()
            await rebuilt(other, rebuilds(other).resume())
            assert other.supervisor is not None
            await other.supervisor.stop()

        asyncio.run(scenario())
        assert (contents(other), unfinished(other)) == (after, None)
