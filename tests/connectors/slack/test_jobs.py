"""Slack alerts against a server that answers as Slack's description of incoming webhooks says."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from peers.webhook import Webhook, webhook_server

from connectors.kit.errors import InputError, SignInError, WaitError
from connectors.kit.types import AlertEvent, Answer, Credentials, Level
from connectors.slack.jobs import check_webhook, message, slack_alert

EVENT = AlertEvent(
    "2026-11-22T08:30:00.000000Z", "Job “<!channel> & Co” failed", "*Full* <https://x>", "job failed", bad=True
)


@dataclass
class Context:
    credentials: Credentials
    options: dict[str, Any] = field(default_factory=dict)
    workspace: str = "Shop"
    lines: list[str] = field(default_factory=list)
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def log(self, message: str, level: Level = "info") -> None:
        self.lines.append(message)

    def request(self, request: Mapping[str, Any]) -> None:
        self.requests.append(request)


def slack(document: Any) -> tuple[int, str, dict[str, str]]:
    """What Slack says of a message: it wants text, and keeps to the limits of its blocks."""
    if not document.get("text"):
        return 400, "no_text", {}
    blocks = document["blocks"]
    fits = len(blocks) <= 50 and len(blocks[0]["text"]["text"]) <= 150
    fits = fits and all(len(block["text"]["text"]) <= 3000 for block in blocks if block["type"] == "section")
    return (200, "ok", {}) if fits else (400, "invalid_blocks", {})


def credentials(hook: Webhook) -> Credentials:
    return Credentials("slack-webhook", {}, {"webhook_url": hook.url})


def test_the_message_arrives_and_the_address_is_nowhere_in_the_log() -> None:
    with webhook_server() as hook:
        hook.answer = slack
        context = Context(credentials(hook))
        assert asyncio.run(slack_alert(context, [EVENT] * 3)) == [Answer("sent")] * 3
        assert asyncio.run(slack_alert(context, [EVENT] * 300)) == [Answer("sent")] * 300
        assert "127.0.0.1" in asyncio.run(check_webhook(credentials(hook))).description
    post = hook.posts[0]
    assert post["text"] == "3 events: 3 × job failed"
    assert [block["type"] for block in post["blocks"]] == ["header", "section", "section", "section", "context"]
    assert hook.posts[2] == {}
    assert len(context.lines) == 2
    assert "POST http://127.0.0.1" in context.lines[0]
    assert "very-secret" not in str(context.lines)
    assert "abc123" not in str(context.lines)
    asked = dict(context.requests[0])
    assert asked.pop("bytes_sent") > 100
    assert asked.pop("milliseconds") >= 0
    address = f"{hook.url.split('/services')[0]}•••"
    assert asked == {"method": "POST", "address": address, "status": 200, "bytes_received": 2}


def test_names_can_neither_call_people_nor_make_links() -> None:
    made = message([EVENT], "A & B")
    assert "<" not in str(made["text"]) + str(made["blocks"][1:])
    assert made["text"] == "Job “&lt;!channel&gt; &amp; Co” failed"
    assert "&lt;https://x&gt;" in made["blocks"][1]["text"]["text"]


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        ((404, "no_service", {}), SignInError, "no_service"),
        ((403, "invalid_token", {}), SignInError, "invalid_token"),
        ((410, "channel_is_archived", {}), SignInError, "archived"),
        ((302, "", {"Location": "https://elsewhere.example/"}), SignInError, "302"),
        ((429, "", {"Retry-After": "30"}), WaitError, "asks to wait"),
        ((500, "rollup_error", {}), WaitError, "in trouble"),
    ],
)
def test_what_slack_answers_says_what_to_do(answer: Any, error: type[Exception], sentence: str) -> None:
    with webhook_server() as hook:
        hook.answer = answer
        with pytest.raises(error, match=sentence) as raised:
            asyncio.run(slack_alert(Context(credentials(hook)), [EVENT]))
        with pytest.raises(error):
            asyncio.run(check_webhook(credentials(hook)))
        if answer[0] == 429:
            assert raised.value.retry_after == 30  # type: ignore[attr-defined]
        hook.answer = (400, "invalid_blocks", {})
        [rejected] = asyncio.run(slack_alert(Context(credentials(hook)), [EVENT]))
        assert (rejected.state, "invalid_blocks" in rejected.reason) == ("rejected", True)


@pytest.mark.parametrize(
    "url", ["", "hooks.slack.com/services/x", "http://hooks.slack.com/services/x", "https://hooks.slack.com/"]
)
def test_an_address_that_is_none_or_not_safe_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        asyncio.run(check_webhook(Credentials("slack-webhook", {}, {"webhook_url": url})))


def test_nobody_there_is_a_reason_to_wait() -> None:
    with webhook_server() as hook:
        gone = credentials(hook)
    with pytest.raises(WaitError, match=r"127\.0\.0\.1 can't be reached"):
        asyncio.run(slack_alert(Context(gone), [EVENT]))
