"""Values of people and events as they are shown: numbers grouped, times in the user's zone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ui.widgets import words


def value_text(value: Any, kind: str = "", *, identifier: bool = False) -> str:
    """A field's value by its type. An identifier is never grouped: customer 10482 is no quantity."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float):
        return str(value) if identifier else f"{value:,}"
    if kind == "date":
        return _date(str(value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def as_of(at: str | int, now: datetime | None = None) -> str:
    """Day and time: "21 Nov 18:02", with the year where it is another one."""
    time, today = words.moment(at), (now or datetime.now(UTC)).astimezone()
    day = f"{time.day} {time:%b}" if time.year == today.year else f"{time.day} {time:%b %Y}"
    return f"{day} {time:%H:%M}"


def one_line(data: dict[str, Any]) -> str:
    """An event in one line, "email: maja@example.com · city: Malmö", for a table's cell."""
    return " · ".join(f"{key}: {value_text(value, identifier=True)}" for key, value in data.items() if value != "")


def _date(text: str) -> str:
    """A date; one with a time of day in the user's zone. Text that is none stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    # A day without a time of day is kept as midnight in UTC, and is that day in every zone.
    if len(text) <= 10 or text.endswith("T00:00:00.000000Z"):
        return f"{moment.day} {moment:%b %Y}"
    return words.exact(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
