"""Jobs on their own: due by schedule, missed, without network, paused, closed and removed, by a clock set by hand."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.authorizations import add_authorization
from app.clock import Clock
from app.engine import Engine
from app.errors import NotFound, Refused
from app.jobs import (
    JobDraft,
    create_job,
    duplicate_job,
    edit_job,
    get_job,
    job_log,
    job_runs,
    pause_job,
    resume_job,
)
from app.jobs.schedule import ONCE, Schedule
from app.jobs.supervisor import Supervisor
from app.jobs.watching import LONGEST_REST, NETWORK_REST, Watch, keep_schedules

DAILY = Schedule("daily", at=time(6), zone="Europe/Berlin")
DAY = timedelta(days=1)
ROWS = [("email",), ("a@x.com",), ("b@x.com",)]
MANY = [("email",), *((f"p{row}@example.com",) for row in range(45_000))]


class HandClock(Clock):
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 11, 22, 8, tzinfo=UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def go_on(self, span: timedelta) -> None:
        self.wall += span
        self.seconds += span.total_seconds()

    def sleep(self, span: timedelta) -> None:
        """As a closed laptop does: the clock on the wall goes on alone."""
        self.wall += span


@pytest.fixture
def clock(engine: Engine) -> HandClock:
    hand = HandClock()
    engine.clock = hand
    return hand


def living(engine: Engine, scenario: Callable[[Supervisor, Watch], Awaitable[None]]) -> None:
    """Play a scenario on a started engine."""

    async def play() -> None:
        await engine.start()
        assert engine.supervisor is not None
        try:
            await scenario(engine.supervisor, Watch(engine))
        finally:
            await engine.supervisor.stop()

    asyncio.run(play())


async def first_rows(engine: Engine, job: int) -> None:
    """Wait until a chunk of the job's run is saved."""
    loop, saved = asyncio.get_running_loop(), asyncio.Event()

    def changed(_: object) -> None:
        progress = engine.supervisor.progress(job) if engine.supervisor else None
        if progress is not None and progress.rows:
            loop.call_soon_threadsafe(saved.set)

    unsubscribe = engine.changes.subscribe(changed)
    await asyncio.wait_for(saved.wait(), 30)
    unsubscribe()


async def ended(supervisor: Supervisor, job: int) -> None:
    """Wait for the end of the run that a look began."""
    run = supervisor.running_run(job)
    assert run is not None
    await supervisor.finished(run)


def test_a_daily_job_runs_at_its_time_and_brings_only_what_is_new(
    engine: Engine, clock: HandClock, import_job: Any, write_csv: Any
) -> None:
    write_csv("a.csv", ROWS)
    job = import_job("a.csv")
    edit_job(engine, job, schedule=DAILY)

    async def scenario(supervisor: Supervisor, watch: Watch) -> None:
        await supervisor.finished(await supervisor.run(job))
        info = get_job(engine, job)
        assert (info.status, info.waits_for, info.next_run_at) == (
            "sleeping",
            "schedule",
            "2026-11-23T05:00:00.000000Z",
        )
        assert info.schedule_text == "Every day at 06:00 (Europe/Berlin)"
        assert await watch.look() == LONGEST_REST
        assert supervisor.running_run(job) is None
        clock.go_on(timedelta(hours=20, minutes=59, seconds=50))
        assert await watch.look() == pytest.approx(10)
        clock.go_on(timedelta(seconds=10))
        await watch.look()
        await ended(supervisor, job)
        write_csv("a.csv", [*ROWS, ("c@x.com",)])
        clock.go_on(DAY)
        await watch.look()
        await ended(supervisor, job)

    living(engine, scenario)
    runs = [(run.trigger, run.reason, run.read) for run in job_runs(engine, job)]
    said = "Every day at 06:00 (Europe/Berlin)"
    assert runs == [("schedule", said, 3), ("schedule", said, 0), ("by hand", "", 2)]
    assert any("nothing new" in line.message for line in job_log(engine, job))


def test_runs_that_were_missed_are_caught_up_once(
    engine: Engine, clock: HandClock, import_job: Any, write_csv: Any
) -> None:
    write_csv("a.csv", ROWS)
    job = import_job("a.csv")
    edit_job(engine, job, schedule=DAILY)

    async def scenario(supervisor: Supervisor, watch: Watch) -> None:
        await supervisor.finished(await supervisor.run(job))
        await watch.look()
        clock.sleep(3 * DAY)
        await watch.look()
        await ended(supervisor, job)
        await watch.look()
        assert supervisor.running_run(job) is None

    living(engine, scenario)
    latest, first = job_runs(engine, job)
    assert (latest.trigger, first.trigger) == ("catch-up", "by hand")
    assert latest.reason == "Was due on 23 Nov at 06:00 (Europe/Berlin), when Causeway was not running"
    assert get_job(engine, job).next_run_at == "2026-11-26T05:00:00.000000Z"


def test_a_file_that_is_late_is_waited_for_by_a_job_that_runs_again_only(
    engine: Engine, clock: HandClock, import_job: Any, write_csv: Any
) -> None:
    once, daily = import_job("late.csv"), import_job("late.csv")
    edit_job(engine, daily, schedule=DAILY)

    async def scenario(supervisor: Supervisor, watch: Watch) -> None:
        for job in (once, daily):
            assert (await supervisor.finished(await supervisor.run(job))).status == "failed"
        assert get_job(engine, once).status == "failed"
        assert (get_job(engine, daily).status, get_job(engine, daily).errors) == ("sleeping", 1)
        write_csv("late.csv", ROWS)
        clock.go_on(timedelta(seconds=67))
        await watch.look()
        await ended(supervisor, daily)
        assert supervisor.running_run(once) is None

    living(engine, scenario)
    assert [(run.trigger, run.status) for run in job_runs(engine, daily)] == [
        ("retry", "completed"),
        ("by hand", "failed"),
    ]
    assert (get_job(engine, daily).errors, get_job(engine, daily).waits_for) == (0, "schedule")


def test_a_job_that_runs_again_begins_anew_when_its_file_was_replaced(
    engine: Engine, clock: HandClock, import_job: Any, write_csv: Any
) -> None:
    write_csv("many.csv", MANY)
    job = import_job("many.csv")
    edit_job(engine, job, schedule=DAILY)

    async def scenario(supervisor: Supervisor, watch: Watch) -> None:
        run = await supervisor.run(job)
        await first_rows(engine, job)
        supervisor.cancel(run)
        await supervisor.finished(run)
        write_csv("many.csv", ROWS)
        failed = await supervisor.finished(await supervisor.run(job))
        assert "was replaced" in failed.message
        assert get_job(engine, job).status == "sleeping"
        clock.go_on(timedelta(seconds=67))
        await watch.look()
        await ended(supervisor, job)

    living(engine, scenario)
    latest = job_runs(engine, job)[0]
    assert (latest.status, latest.continues, latest.read) == ("completed", None, 2)


def server_job(engine: Engine, port: int, name: str = "From the server", host: str = "127.0.0.1") -> int:
    engine.vault.create_file("correct horse battery")
    settings = {"host": host, "port": str(port), "user": "maja", "password": "never sent"}
    authorization = add_authorization(engine, "file-service-sftp", name, settings)
    options = {"filename": "a.csv", "stream": "people"}
    return create_job(engine, JobDraft(name, "file-service-csv-import", authorization, options))


def test_without_a_network_a_job_waits_until_it_is_back(engine: Engine, clock: HandClock) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        job = server_job(engine, taken.getsockname()[1])
        online = False
        engine.has_network = lambda: online

        async def scenario(supervisor: Supervisor, watch: Watch) -> None:
            nonlocal online
            await supervisor.finished(await supervisor.run(job))
            info = get_job(engine, job)
            assert (info.status, info.waits_for, info.errors) == ("sleeping", "network", 0)
            assert info.reason == "There is no network. It goes on when the network is back."
            assert await watch.look() == NETWORK_REST
            assert supervisor.running_run(job) is None
            online = True
            await watch.look()
            await ended(supervisor, job)

        living(engine, scenario)
    assert job_runs(engine, job)[0].trigger == "retry"
    # The server is still away, and now that is an error.
    assert (get_job(engine, job).waits_for, get_job(engine, job).errors) == ("retry", 1)


def test_a_name_that_is_not_found_is_looked_for_again_in_another_network(engine: Engine, clock: HandClock) -> None:
    job = server_job(engine, 22, host="nowhere.invalid")
    network = "home"
    engine.has_network, engine.network = (lambda: True), lambda: network

    async def scenario(supervisor: Supervisor, watch: Watch) -> None:
        nonlocal network
        await watch.look()
        await supervisor.finished(await supervisor.run(job))
        info = get_job(engine, job)
        assert (info.status, info.waits_for, info.errors) == ("sleeping", "network", 0)
        assert info.reason.startswith("nowhere.invalid can't be found")
        assert await watch.look() == NETWORK_REST
        network = ""
        await watch.look()
        assert supervisor.running_run(job) is None
        network = "office"
        await watch.look()
        await ended(supervisor, job)
        assert supervisor.running_run(job) is None
        clock.go_on(timedelta(minutes=1))
        await watch.look()
        await ended(supervisor, job)

    living(engine, scenario)
    assert [run.trigger for run in job_runs(engine, job)] == ["retry", "retry", "by hand"]
    assert get_job(engine, job).errors == 0
    said = [line for line in job_log(engine, job) if line.event == "sleeping"]
    assert len(said) == 3
    assert said[0].message.count("can't be found") == 1


def test_one_run_uses_an_account_and_the_others_say_for_which_they_wait(engine: Engine, import_job: Any) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        first = server_job(engine, silent.getsockname()[1])
        second = duplicate_job(engine, first)
        local = import_job("missing.csv")

        async def scenario(supervisor: Supervisor, watch: Watch) -> None:
            await supervisor.run(first)
            await supervisor.run(second)
            await supervisor.finished(await supervisor.run(local))
            assert (supervisor.busy, supervisor.waiting) == (1, 1)
            info = get_job(engine, second)
            assert (info.status, info.reason) == ("running", "Waits for “From the server”, which uses the same account")
            pause_job(engine, first)
            running = supervisor.running_run(first)
            assert running is not None
            await supervisor.finished(running)
            assert supervisor.waiting == 0
            assert get_job(engine, second).reason in ("", "Waits for its turn")

        living(engine, scenario)
    assert get_job(engine, first).status == "paused"


def test_a_closed_program_goes_on_by_itself_and_a_paused_job_only_when_resumed(
    engine: Engine, clock: HandClock, import_job: Any, write_csv: Any
) -> None:
    write_csv("many.csv", MANY)
    job = import_job("many.csv")

    async def until_closed(supervisor: Supervisor, watch: Watch) -> None:
        await supervisor.run(job)
        await first_rows(engine, job)

    living(engine, until_closed)
    info = get_job(engine, job)
    assert (info.status, info.waits_for, job_runs(engine, job)[0].status) == ("sleeping", "retry", "interrupted")
    engine.supervisor = None

    async def until_paused(supervisor: Supervisor, watch: Watch) -> None:
        await watch.look()
        run = supervisor.running_run(job)
        assert run is not None
        pause_job(engine, job)
        await supervisor.finished(run)
        await watch.look()
        assert supervisor.running_run(job) is None
        with pytest.raises(Refused, match="paused already"):
            pause_job(engine, job)
        resume_job(engine, job)
        await watch.look()
        await ended(supervisor, job)

    living(engine, until_paused)
    assert get_job(engine, job).status == "completed"
    assert sum(run.read for run in job_runs(engine, job)) == 45_000


def test_a_job_that_did_nothing_for_long_is_removed_a_week_after_a_warning(
    engine: Engine, clock: HandClock, import_job: Any
) -> None:
    job = import_job("a.csv")

    async def scenario(supervisor: Supervisor, watch: Watch) -> None:
        clock.go_on(83 * DAY)
        await watch.look()
        assert get_job(engine, job).removed_at == "2027-02-20T08:00:00.000000Z"
        assert "will be removed on 20 February 2027" in job_log(engine, job)[0].message
        clock.go_on(6 * DAY)
        await watch.look()
        assert len(job_log(engine, job)) == 1
        clock.go_on(DAY)
        await watch.look()
        with pytest.raises(NotFound):
            get_job(engine, job)

    living(engine, scenario)


def test_a_schedule_is_kept_while_the_engine_is_started_and_wakes_at_each_change(
    engine: Engine, import_job: Any, files: Path, write_csv: Any
) -> None:
    write_csv("a.csv", ROWS)
    job = import_job("a.csv")
    engine.at_start(lambda: keep_schedules(engine))

    async def scenario() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        engine.changes.subscribe(
            lambda _: loop.call_soon_threadsafe(done.set) if get_job(engine, job).status == "completed" else None
        )
        await engine.start()
        await asyncio.to_thread(resume_job, engine, job)
        await asyncio.wait_for(done.wait(), 30)
        await engine.stop()

    asyncio.run(scenario())


def test_a_job_without_schedule_is_edited_to_have_one_and_back(
    engine: Engine, clock: HandClock, import_job: Any
) -> None:
    job = import_job("a.csv")
    edit_job(engine, job, schedule=DAILY)
    assert get_job(engine, job).schedule == {"every": "daily", "zone": "Europe/Berlin", "at": "06:00"}
    assert get_job(engine, duplicate_job(engine, job)).schedule == get_job(engine, job).schedule
    assert job_log(engine, job)[0].message == "It runs: Every day at 06:00 (Europe/Berlin)"
    edit_job(engine, job, schedule=ONCE)
    assert get_job(engine, job).schedule_text == "Once"
