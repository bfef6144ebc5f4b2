"""Teams alerts against a server that answers as workflows and the old connectors are described to do."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from peers.webhook import Webhook, webhook_server

from connectors.kit.errors import SignInError, WaitError
from connectors.kit.types import AlertEvent, Answer, Credentials, Level
from connectors.microsoft_teams.jobs import MOST_BYTES, check_webhook, message, teams_alert

EVENT = AlertEvent("2026-11-22T08:30:00.000000Z", "Job “[a](https://x)” failed", "ü" * 900, "job failed", bad=True)


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


def credentials(hook: Webhook) -> Credentials:
    return Credentials("microsoft-teams-webhook", {}, {"webhook_url": hook.url})


@pytest.mark.parametrize("taken", [(202, "", {}), (200, "1", {})])
def test_a_card_arrives(taken: Any) -> None:
    with webhook_server() as hook:
        hook.answer = taken
        context = Context(credentials(hook))
        assert asyncio.run(teams_alert(context, [EVENT] * 2)) == [Answer("sent")] * 2
        assert "127.0.0.1" in asyncio.run(check_webhook(credentials(hook))).description
    [post] = hook.posts
    assert hook.heads == 1
    [attachment] = post["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    assert attachment["content"]["body"][0]["text"] == "2 events: 2 × job failed"
    assert "very-secret" not in str(context.lines)
    assert "abc123" not in str(context.lines)


def test_a_card_stays_within_what_teams_takes_and_names_make_no_links() -> None:
    made = message([EVENT] * 400, "Shop")
    assert len(orjson.dumps(made)) <= MOST_BYTES
    body = made["attachments"][0]["content"]["body"]
    told = sum(block.get("weight") == "Bolder" for block in body) - 1
    assert told > 5
    assert f"and {400 - told} earlier events" in body[-1]["text"]
    assert r"\[a\]\(https://x\)" in message([EVENT], "Shop")["attachments"][0]["content"]["body"][0]["text"]


def test_what_teams_answers_says_what_to_do() -> None:
    late = (
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {} with ContextId x"
    )
    with webhook_server() as hook:
        context = Context(credentials(hook))
        for answer, error in (
            ((429, "", {"Retry-After": "7"}), WaitError),
            ((200, late.format(429), {}), WaitError),
            ((502, "", {}), WaitError),
            ((404, "", {}), SignInError),
            ((200, late.format(403), {}), SignInError),
        ):
            hook.answer = answer
            with pytest.raises(error):
                asyncio.run(teams_alert(context, [EVENT]))
        for answer in ((413, "too large", {}), (200, late.format(413), {}), (400, "bad", {})):
            hook.answer = answer
            assert asyncio.run(teams_alert(context, [EVENT]))[0].state == "rejected"
