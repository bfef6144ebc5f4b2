"""Authorizations are tried when their last check is old, by themselves and before a run."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from peers.sshd import Sshd

from app.authorizations import add_authorization, check_authorization, get_authorization
from app.clock import text_of
from app.engine import Engine
from app.health import check_before_run, keep_checking, stale_authorizations
from app.jobs import JobDraft, create_job, get_job, list_jobs
from connectors.kit.errors import Unreached

MakeJob = Callable[..., int]


class Clock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


def test_a_used_authorization_is_tried_once_a_day_and_says_since_when_it_fails(
    engine: Engine, import_job: MakeJob, files: Path, tmp_path: Path
) -> None:
    engine.clock = clock = Clock()  # type: ignore[assignment]
    engine.has_network = lambda: True
    add_authorization(engine, "file-service-folder", "Nobody's", {"folder": str(tmp_path)})
    job = import_job("a.csv")
    used = get_job(engine, job).authorization_id
    assert used is not None
    assert stale_authorizations(engine) == [used]
    check_authorization(engine, used)
    assert stale_authorizations(engine) == []
    clock.at += timedelta(hours=23)
    assert stale_authorizations(engine) == []
    files.rename(tmp_path / "elsewhere")
    clock.at += timedelta(hours=1, minutes=1)
    assert get_job(engine, job).failing_since is None

    async def until_told() -> None:
        loop, failing = asyncio.get_running_loop(), asyncio.Event()
        unsubscribe = engine.changes.subscribe(lambda _: loop.call_soon_threadsafe(failing.set))
        task = loop.create_task(keep_checking(engine))
        await asyncio.wait_for(failing.wait(), 30)
        task.cancel()
        unsubscribe()

    asyncio.run(until_told())
    info = get_authorization(engine, used)
    assert (info.state, info.state_since) == ("failing", get_job(engine, job).failing_since)
    with engine.workspace.database.read() as connection:
        [event] = connection.execute(
            "select event, message from system_events where subject = 'authorization' and event = 'unhealthy'"
        ).fetchall()
    assert str(files) in event["message"]


def test_what_is_in_the_way_breaks_no_authorization_that_worked(engine: Engine) -> None:
    engine.vault.create_file("four words of mine")
    settings = {"host": "nowhere.invalid", "port": "22", "user": "maja", "password": "never sent"}
    used = add_authorization(engine, "file-service-sftp", "Behind a VPN", settings)

    def state_after(before: str) -> str:
        with engine.workspace.database.write() as connection:
            connection.execute("update authorizations set state = ? where id = ?", (before, used))
        with pytest.raises(Unreached, match=r"nowhere\.invalid can't be found"):
            check_authorization(engine, used)
        return get_authorization(engine, used).state

    assert (state_after("works"), state_after("untested")) == ("works", "failing")


def test_without_a_network_nothing_is_tried_and_nothing_said_to_fail(engine: Engine, import_job: MakeJob) -> None:
    import_job("a.csv")
    asked = asyncio.Event()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        def offline() -> bool:
            loop.call_soon_threadsafe(asked.set)
            return False

        engine.has_network = offline
        task = loop.create_task(keep_checking(engine))
        await asyncio.wait_for(asked.wait(), 30)
        task.cancel()

    asyncio.run(scenario())
    [job] = list_jobs(engine)
    assert job.authorization_id is not None
    assert get_authorization(engine, job.authorization_id).state == "untested"


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_before_a_run_an_old_check_is_made_anew(engine: Engine, sshd: Sshd) -> None:
    engine.vault.create_file("four words of mine")
    values = {
        "host": sshd.host,
        "port": str(sshd.port),
        "user": sshd.user,
        "privatekey": sshd.private_key,
        "folder": str(sshd.files),
        "host_key": sshd.host_key,
    }
    added = add_authorization(engine, "file-service-sftp", "Agency", values)
    create_job(engine, JobDraft("Members", "file-service-csv-import", added, {"filename": "a.csv", "stream": "s"}))
    check_before_run(engine, added)
    first = get_authorization(engine, added)
    assert first.state == "works"
    check_before_run(engine, added)
    check_before_run(engine, None)
    assert get_authorization(engine, added).checked_at == first.checked_at
    with engine.workspace.database.write() as connection:
        old = text_of(datetime.now(UTC) - timedelta(days=2))
        connection.execute("update authorizations set checked_at = ?", (old,))
    check_before_run(engine, added)
    assert str(get_authorization(engine, added).checked_at) > str(first.checked_at)
