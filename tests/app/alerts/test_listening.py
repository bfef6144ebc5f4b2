"""Alerts over a real workspace and a real web server: what is told, when, and what happens when telling fails."""

import asyncio
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from peers.webhook import Webhook, webhook_server

from app.alerts.events import KEPT, find_events, prune_events
from app.alerts.listening import MOST_REQUESTS, Listener, keep_listening, listen
from app.authorizations import add_authorization, check_authorization, scan_for_secrets
from app.engine import Engine
from app.errors import Refused
from app.jobs import JobDraft, create_job, delete_job, get_job, job_log, pause_job, resume_job
from app.jobs.evidence import write_evidence
from app.jobs.lifecycle import Happening
from app.jobs.states import fail_after, happen

MakeJob = Callable[..., int]


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def go_on(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock(engine: Engine) -> Clock:
    engine.clock = clock = Clock()  # type: ignore[assignment]
    return clock


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook_server() as hook:
        yield hook


@pytest.fixture
def slack(engine: Engine, hook: Webhook) -> int:
    engine.vault.create_file("four words of mine")
    return add_authorization(engine, "slack-webhook", "Our channel", {"webhook_url": hook.url})


def alert(engine: Engine, slack: int, **options: Any) -> int:
    """An alert about jobs that listens."""
    chosen = {"system_event_single_source": "work", "system_event_multiple_types": ["failed", "error", "completed"]}
    job = create_job(engine, JobDraft("Tell us", "slack-alerts", slack, chosen | options))
    listen(engine, job, by_itself=False)
    return job


def look(engine: Engine) -> float:
    return asyncio.run(Listener(engine).look())


def fail(engine: Engine, job: int, why: str = "The disk is full.") -> None:
    """A run of the job begins and fails for good."""
    with engine.workspace.database.write() as connection:
        now, patience = engine.clock.now(), fail_after(engine)
        for happening in (Happening("run now"), Happening("started"), Happening("failed", why)):
            happen(connection, job, happening, now, patience)


def heads(hook: Webhook) -> list[str]:
    return [post["text"] for post in hook.posts if post]


def test_the_first_is_told_at_once_and_what_follows_in_one_message(
    engine: Engine, import_job: MakeJob, clock: Clock, slack: int, hook: Webhook
) -> None:
    member, other = import_job("members.csv"), import_job("other.csv")
    told = alert(engine, slack)
    assert (get_job(engine, told).status, get_job(engine, told).reason) == ("running", "Listening")
    assert look(engine) == 30
    assert hook.posts == []
    fail(engine, member)
    look(engine)
    assert heads(hook) == ["Job “Import members.csv” failed"]
    clock.go_on(minutes=1)
    for _ in range(100):
        fail(engine, other)
    clock.go_on(minutes=3, seconds=50)
    assert look(engine) == pytest.approx(10)
    assert len(hook.posts) == 1
    clock.go_on(seconds=10)
    look(engine)
    assert heads(hook)[1:] == ["100 events: 100 × job failed"]
    clock.go_on(minutes=10)
    look(engine)
    assert len(hook.posts) == 2
    lines = [line.message for line in reversed(job_log(engine, told))]
    assert lines[0] == "Listens from now on"
    assert "Told of Job “Import members.csv” failed" in lines
    assert scan_for_secrets(engine) == []
    assert not any("very-secret" in line for line in lines)


def test_only_what_was_chosen_is_told_and_nothing_of_itself(
    engine: Engine, import_job: MakeJob, slack: int, hook: Webhook
) -> None:
    chosen, other = import_job("a.csv"), import_job("b.csv")
    alert(engine, slack, system_event_single_source_ids=[str(chosen)])
    alert(engine, slack, system_event_single_source="auth", system_event_multiple_types=["unhealthy", "healthy"])
    fail(engine, other)
    look(engine)
    assert hook.posts == []
    fail(engine, chosen)
    look(engine)
    assert heads(hook) == ["Job “Import a.csv” failed"]
    hook.answer = lambda document: (403, "invalid_token", {}) if not document else (200, "ok", {})
    with pytest.raises(Exception, match="does not accept the webhook"):
        check_authorization(engine, slack)
    look(engine)
    assert heads(hook)[-1] == "Authorization “Our channel” fails"


def test_a_server_in_trouble_gets_it_later_and_nothing_is_lost(
    engine: Engine, import_job: MakeJob, clock: Clock, slack: int, hook: Webhook
) -> None:
    member, told = import_job("a.csv"), alert(engine, slack)
    fail(engine, member)
    hook.answer = (429, "slow down", {"Retry-After": "90"})
    look(engine)
    waiting = get_job(engine, told)
    assert (waiting.status, waiting.waits_for) == ("sleeping", "provider")
    hook.answer = (503, "", {})
    clock.go_on(seconds=91)
    listen(engine, told, by_itself=True)
    look(engine)
    assert (get_job(engine, told).status, get_job(engine, told).errors) == ("sleeping", 1)
    hook.answer = (200, "ok", {})
    clock.go_on(minutes=2)
    listen(engine, told, by_itself=True)
    look(engine)
    assert heads(hook) == ["Job “Import a.csv” failed"] * 3
    assert (get_job(engine, told).status, get_job(engine, told).errors) == ("running", 0)
    # Sent, but the program ended before that was written down: told again, not lost.
    with engine.workspace.database.write() as connection:
        connection.execute("update alert_state set seen = 0, sent_at = null")
    look(engine)
    assert len(hook.posts) == 4


def test_a_webhook_that_is_gone_fails_the_alert_until_somebody_resumes_it(
    engine: Engine, import_job: MakeJob, slack: int, hook: Webhook
) -> None:
    member, told = import_job("a.csv"), alert(engine, slack)
    hook.answer = (404, "no_service", {})
    fail(engine, member)
    look(engine)
    failed = get_job(engine, told)
    assert failed.status == "failed"
    assert "no_service" in failed.reason
    hook.answer = (200, "ok", {})
    resume_job(engine, told)
    listen(engine, told, by_itself=True)
    look(engine)
    assert heads(hook) == ["Job “Import a.csv” failed"] * 2


def test_what_happens_while_it_is_paused_is_not_told(
    engine: Engine, import_job: MakeJob, slack: int, hook: Webhook
) -> None:
    member, told = import_job("a.csv"), alert(engine, slack)
    with pytest.raises(Refused):
        listen(engine, told, by_itself=False)
    pause_job(engine, told)
    fail(engine, member)
    look(engine)
    resume_job(engine, told)
    listen(engine, told, by_itself=True)
    look(engine)
    assert hook.posts == []
    fail(engine, member)
    look(engine)
    assert len(hook.posts) == 1
    delete_job(engine, told)
    look(engine)
    with engine.workspace.database.read() as connection:
        assert connection.execute("select count(*) from alert_state").fetchone()[0] == 0


def test_each_share_of_the_quota_is_told_once_a_month(
    engine: Engine, import_job: MakeJob, clock: Clock, slack: int, hook: Webhook
) -> None:
    member = import_job("a.csv")
    clock.at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    options = {"monthly_events": 1000, "quota_alert_thresholds": ["50", "75", "100"]}
    quota = create_job(engine, JobDraft("Quota", "slack-event-quota-alerts", slack, options))
    listen(engine, quota, by_itself=False)

    def bring(rows: int, at: str) -> None:
        with engine.workspace.database.write() as connection:
            connection.execute(
                """insert into runs (job_id, trigger, status, started_at, first_event_at, read, rejected)
                values (?, 'by hand', 'completed', ?, 0, ?, 10)""",
                (member, at, rows + 10),
            )
        look(engine)

    bring(9_000, "2026-10-31T23:59:59.000000Z")
    bring(499, "2026-11-01T00:00:00.000000Z")
    assert hook.posts == []
    bring(300, "2026-11-20T00:00:00.000000Z")
    assert heads(hook) == ["75 % of the month's events are used"]
    clock.go_on(minutes=6)
    look(engine)
    assert len(hook.posts) == 1
    bring(201, "2026-11-22T00:00:00.000000Z")
    assert heads(hook)[1:] == ["100 % of the month's events are used"]
    clock.at = datetime(2026, 12, 1, 1, tzinfo=UTC)
    bring(600, "2026-12-01T00:30:00.000000Z")
    assert heads(hook)[2:] == ["50 % of the month's events are used"]


def test_a_run_through_the_supervisor_is_told_as_it_was(
    engine: Engine, import_job: MakeJob, write_csv: Any, slack: int, hook: Webhook
) -> None:
    write_csv("a.csv", [("email",), ("a@x.com",)])
    member = import_job("a.csv")
    types = ["created", "updated", "started", "synced", "completed", "paused", "resumed", "deleted"]
    told = create_job(
        engine,
        JobDraft(
            "All", "slack-alerts", slack, {"system_event_single_source": "work", "system_event_multiple_types": types}
        ),
    )

    async def scenario() -> None:
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None
        assert await supervisor.run(told) == 0
        await supervisor.finished(await supervisor.run(member))
        await Listener(engine).look()
        await supervisor.stop()

    asyncio.run(scenario())
    [post] = hook.posts
    assert post["text"] == "3 events: 1 × job started, 1 × job completed, 1 × run ended well"
    assert "1 read · 1 added" in str(post)


def test_a_server_that_says_nothing_does_not_hold_up_the_end_and_gets_it_at_the_next_start(
    engine: Engine, import_job: MakeJob, slack: int, hook: Webhook
) -> None:
    member, told = import_job("a.csv"), alert(engine, slack)
    fail(engine, member)
    asked, let_go = threading.Event(), threading.Event()

    def silent(_: Any) -> tuple[int, str, dict[str, str]]:
        asked.set()
        let_go.wait(60)
        return 200, "ok", {}

    hook.answer = silent
    engine.at_start(lambda: keep_listening(engine))

    async def scenario() -> float:
        await engine.start()
        assert await asyncio.to_thread(asked.wait, 30)
        began = time.monotonic()
        await engine.stop()
        return began

    assert time.monotonic() - asyncio.run(scenario()) < 5
    assert len(hook.posts) == 1
    hook.answer = (200, "ok", {})
    with Engine.open(engine.workspace.folder) as again:
        again.vault.unlock("four words of mine")
        look(again)
        assert heads(hook) == ["Job “Import a.csv” failed"] * 2
        assert get_job(again, told).status == "running"
        let_go.set()
        for thread in threading.enumerate():
            if thread.name == "apart":
                thread.join()


def test_an_alert_that_is_not_understood_fails_and_the_others_go_on(
    engine: Engine, import_job: MakeJob, slack: int, hook: Webhook
) -> None:
    member, broken, well = import_job("a.csv"), alert(engine, slack), alert(engine, slack)
    with engine.workspace.database.write() as connection:
        options = '{"system_event_single_source": "moon"}'
        connection.execute("update jobs set options = ? where id = ?", (options, broken))
    fail(engine, member)
    look(engine)
    # The other alert tells of the broken one as well.
    assert heads(hook) == ["2 events: 2 × job failed"]
    assert (get_job(engine, broken).status, get_job(engine, well).status) == ("failed", "running")
    assert "None of the chosen event types" in job_log(engine, broken)[0].message


def test_what_an_alert_asked_for_is_in_its_evidence_without_the_secret(
    engine: Engine, import_job: MakeJob, clock: Clock, slack: int, hook: Webhook, tmp_path: Path
) -> None:
    member, told = import_job("a.csv"), alert(engine, slack)
    hook.answer = (429, "slow down", {"Retry-After": "90"})
    fail(engine, member)
    look(engine)
    hook.answer = (200, "ok", {})
    clock.go_on(seconds=91)
    listen(engine, told, by_itself=True)
    look(engine)
    assert write_evidence(engine, told, tmp_path / "evidence.zip").requests == 2
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        requests = [json.loads(line) for line in archive.read("requests.jsonl").splitlines()]
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert [(asked["method"], asked["status"], asked["bytes_received"]) for asked in requests] == [
        ("POST", 429, len("slow down")),
        ("POST", 200, len("ok")),
    ]
    assert requests[0]["address"].startswith("http://127.0.0.1")
    assert b"very-secret" not in everything
    assert b"abc123" not in everything
    assert scan_for_secrets(engine) == []


def test_the_newest_requests_of_an_alert_are_kept(
    engine: Engine, import_job: MakeJob, slack: int, hook: Webhook
) -> None:
    member, told = import_job("a.csv"), alert(engine, slack)
    with engine.workspace.database.write() as connection:
        connection.executemany(
            "insert into alert_requests (job_id, at, request) values (?, ?, '{}')",
            [(told, str(number)) for number in range(MOST_REQUESTS)],
        )
    fail(engine, member)
    look(engine)
    with engine.workspace.database.read() as connection:
        rows = connection.execute("select request, at from alert_requests order by id").fetchall()
    assert (len(rows), rows[0]["at"], "POST" in rows[-1]["request"]) == (MOST_REQUESTS, "1", True)


def test_the_newest_events_are_kept(engine: Engine) -> None:
    with engine.workspace.database.write() as connection:
        connection.executemany(
            "insert into system_events (at, subject, subject_id, event) values ('2020-01-01', ?, 1, 'failed')",
            [("quota",), *[("job",)] * (KEPT + 50)],
        )
        prune_events(connection)
        assert connection.execute("select count(*) from system_events").fetchone()[0] == KEPT
        assert len(find_events(connection, 0, "job", ("failed",), (), except_job=2, limit=500)) == 500


@pytest.mark.parametrize(
    ("job_type", "options", "sentence"),
    [
        (
            "slack-alerts",
            {"system_event_multiple_types": ["published"]},
            "None of the chosen event types happens to jobs",
        ),
        ("slack-alerts", {"system_event_single_source": "moon"}, "None of the chosen event types"),
        ("slack-alerts", {"system_event_single_source_ids": ["x"]}, "“x” is no number"),
        ("slack-event-quota-alerts", {"monthly_events": 0}, "1 or more"),
        ("slack-event-quota-alerts", {}, "“Events a month” is missing"),
        ("slack-event-quota-alerts", {"monthly_events": 5, "quota_alert_thresholds": []}, "No share"),
    ],
)
def test_an_alert_that_would_tell_nothing_is_refused(
    engine: Engine, slack: int, job_type: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        create_job(engine, JobDraft("Tell us", job_type, slack, options))
