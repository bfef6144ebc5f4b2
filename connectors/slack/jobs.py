"""Slack alerts: one message with blocks for what happened, posted to an incoming webhook.

What Slack answers a webhook: 200 with "ok", else a word such as no_service (404), invalid_token (403),
channel_is_archived (410), invalid_payload (400), 429 with Retry-After. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.alerts import headline, moment, rejected, sent, shortened, told
from connectors.kit.errors import InputError, SignInError
from connectors.kit.http import Http, Reply, checked_address
from connectors.kit.types import Account, AlertContext, AlertEvent, Answer, Credentials

LONGEST_HEADER = 150
UNDERSTOOD = frozenset({"no_text", "invalid_payload", "missing_text_or_fallback_or_attachments"})
"""How a webhook that works answers an empty message, which it does not post."""


async def check_webhook(credentials: Credentials) -> Account:
    """Post an empty message: Slack says whether it knows the webhook, and nobody sees anything."""
    url = webhook(credentials)
    async with Http(secrets=_secrets(url)) as http:
        reply = await http.post_json(url, {})
    if not reply.ok and reply.text.strip() not in UNDERSTOOD:
        raise _refusal(reply)
    return Account(f"An incoming webhook of {urlsplit(url).hostname}")


async def slack_alert(context: AlertContext, events: Sequence[AlertEvent]) -> list[Answer]:
    """One message for all events."""
    url = webhook(context.credentials)
    async with Http(context, secrets=_secrets(url)) as http:
        reply = await http.post_json(url, message(events, context.workspace))
    if reply.ok:
        return sent(events)
    if reply.status == 400:
        return rejected(events, f"Slack does not take the message ({shortened(reply.text, 100)}).")
    raise _refusal(reply)


def message(events: Sequence[AlertEvent], workspace: str) -> dict[str, Any]:
    """The JSON that Slack is sent: `text` for notifications, `blocks` for the channel."""
    line = headline(events)
    shown, others = told(events)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": shortened(line, LONGEST_HEADER), "emoji": False}}
    ]
    for event in shown:
        mark = ":red_circle:" if event.bad else ":large_blue_circle:"
        title = "" if len(events) == 1 else f"*{escaped(shortened(event.title))}*\n"
        more = f"{escaped(shortened(event.message))}\n" if event.message else ""
        blocks.append(
            {"type": "section", "text": {"type": "mrkdwn", "text": f"{mark} {title}{more}_{escaped(moment(event))}_"}}
        )
    foot = f"Causeway, workspace {escaped(shortened(workspace, 80))}{f', {others}' if others else ''}"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": foot}]})
    return {"text": escaped(line), "blocks": blocks}


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no links, mentions of people or formatting come of a job's name."""
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, written)
    return text


def webhook(credentials: Credentials) -> str:
    """The address. Raises InputError."""
    url = credentials.secrets.get("webhook_url", "").strip()
    checked_address(url)
    if urlsplit(url).path in ("", "/"):
        raise InputError(
            "That is not the whole address of a webhook.", advice="Copy it from the settings of your Slack app."
        )
    return url


def _secrets(url: str) -> tuple[str, ...]:
    """What must not be logged: who knows the path can post."""
    parts = urlsplit(url)
    return (parts.path, parts.query)


def _refusal(reply: Reply) -> SignInError:
    if reply.text.strip() == "channel_is_archived" or reply.status == 410:
        return SignInError("The channel of this webhook is archived.", advice="Make a webhook for another channel.")
    return SignInError(
        f"Slack does not accept the webhook ({shortened(reply.text, 100) or reply.status}).",
        advice="Make a new webhook in the settings of your Slack app, and re-authorize with its address.",
    )
