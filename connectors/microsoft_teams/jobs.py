"""Teams alerts: an adaptive card for what happened, posted to a webhook of Workflows (or to one of the old connectors).

Workflows answer 202 when they have taken the message. Old connectors answer 200 with "1", and tell of failures with 200
too, in the text. A message may have 28 KB.
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from connectors.kit.alerts import headline, moment, rejected, sent, shortened, told
from connectors.kit.errors import InputError, SignInError, WaitError
from connectors.kit.http import Http, Reply, checked_address
from connectors.kit.types import Account, AlertContext, AlertEvent, Answer, Credentials

MOST_BYTES = 28_000
LATE_ERROR = re.compile(r"HTTP error (\d{3})")


async def check_webhook(credentials: Credentials) -> Account:
    """See that the server of the webhook answers. Whether it posts can't be tried without posting."""
    url = webhook(credentials)
    async with Http(secrets=_secrets(url)) as http:
        reply = await http.head(url)
    if reply.status in (401, 403, 410):
        raise _refusal(reply)
    return Account(f"A webhook of {urlsplit(url).hostname}; the first alert shows whether it posts")


async def teams_alert(context: AlertContext, events: Sequence[AlertEvent]) -> list[Answer]:
    """One card for all events."""
    url = webhook(context.credentials)
    async with Http(context, secrets=_secrets(url)) as http:
        reply = await http.post_json(url, message(events, context.workspace))
    status = reply.status
    late = LATE_ERROR.search(reply.text) if status == 200 else None
    if late is not None:
        status = int(late[1])
        if status == 429 or status >= 500:
            raise WaitError("Teams asks to wait.", advice="It is tried again by itself.")
    if 200 <= status < 300:
        return sent(events)
    if status in (400, 413):
        return rejected(events, f"Teams does not take the message ({shortened(reply.text, 200) or status}).")
    raise _refusal(reply)


def message(events: Sequence[AlertEvent], workspace: str) -> dict[str, Any]:
    """The JSON that Teams is sent: a message with one adaptive card, as many events in it as there is room for."""
    shown, others = told(events)
    while True:
        made = _card(events, shown, others, workspace)
        if len(orjson.dumps(made)) <= MOST_BYTES or len(shown) < 2:
            return made
        shown = shown[len(shown) // 2 :]
        others = f"and {len(events) - len(shown)} earlier events"


def _card(events: Sequence[AlertEvent], shown: Sequence[AlertEvent], others: str, workspace: str) -> dict[str, Any]:
    body: list[dict[str, Any]] = [_text(headline(events), weight="Bolder", size="Medium")]
    for event in shown:
        color = "Attention" if event.bad else "Default"
        if len(events) > 1:
            body.append(_text(shortened(event.title), weight="Bolder", color=color, separator=True))
        if event.message:
            body.append(_text(shortened(event.message), color=color, spacing="None"))
        body.append(_text(moment(event), isSubtle=True, size="Small", spacing="None"))
    foot = f"Causeway, workspace {shortened(workspace, 80)}{f', {others}' if others else ''}"
    body.append(_text(foot, isSubtle=True, size="Small", separator=True))
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(text: str, **looks: Any) -> dict[str, Any]:
    """A block of text in which nothing is taken for formatting or a link."""
    return {"type": "TextBlock", "text": re.sub(r"([\\`*_\[\]()~#<>])", r"\\\1", text), "wrap": True, **looks}


def webhook(credentials: Credentials) -> str:
    """The address. Raises InputError."""
    url = credentials.secrets.get("webhook_url", "").strip()
    checked_address(url)
    if urlsplit(url).path in ("", "/"):
        raise InputError(
            "That is not the whole address of a webhook.", advice="Copy it from the workflow in Microsoft Teams."
        )
    return url


def _secrets(url: str) -> tuple[str, ...]:
    """What must not be logged: who knows path and signature can post."""
    parts = urlsplit(url)
    return (parts.path, parts.query)


def _refusal(reply: Reply) -> SignInError:
    return SignInError(
        f"Teams does not accept the webhook (error {reply.status}).",
        advice="Look whether the workflow still exists and is on, or make a new one and re-authorize with its address.",
        details=reply.text,
    )
