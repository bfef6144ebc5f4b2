"""What the providers of alerts have in common: a message's headline and lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.kit.types import AlertEvent, Answer

MOST_LINES = 20
"""Events that a message tells of one by one; of more, it tells how many there are."""
LONGEST_LINE = 500


def headline(events: Sequence[AlertEvent]) -> str:
    """One line for all: the only event, or how many there were and of what kinds, the most frequent first."""
    if len(events) == 1:
        return shortened(events[0].title, 140)
    counts: dict[str, int] = {}
    for event in events:
        counts[event.kind] = counts.get(event.kind, 0) + 1
    kinds = sorted(counts.items(), key=lambda count: -count[1])
    told = ", ".join(f"{count} × {kind}" for kind, count in kinds[:4])
    more = f" and {len(kinds) - 4} more kinds" if len(kinds) > 4 else ""
    return f"{len(events)} events: {told}{more}"


def told(events: Sequence[AlertEvent]) -> tuple[Sequence[AlertEvent], str]:
    """The events to tell one by one, and a line for the others, empty when there are none."""
    others = len(events) - MOST_LINES
    # Of many, what was last is nearest to how things are.
    return (events[-MOST_LINES:], f"and {others} earlier events") if others > 0 else (events, "")


def moment(event: AlertEvent) -> str:
    """When it was, in the time of this computer: "22 Nov 2026, 09:14 CET"."""
    at = datetime.fromisoformat(event.at).astimezone()
    return f"{at.day} {at:%b %Y, %H:%M %Z}".strip()


def shortened(text: str, most: int = LONGEST_LINE) -> str:
    """In one line of at most so many characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def sent(events: Sequence[AlertEvent]) -> list[Answer]:
    """All of them arrived."""
    return [Answer("sent") for _ in events]


def rejected(events: Sequence[AlertEvent], reason: str) -> list[Answer]:
    """None of them was taken, and never will be."""
    return [Answer("rejected", reason) for _ in events]
