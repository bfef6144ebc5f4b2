"""Values of people and events as they are shown: numbers grouped, times in the user's zone, sets and maps in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from ui.widgets import words

TYPE_WORDS: Mapping[str, str] = {
    "text": "Text",
    "email": "Email",
    "integer": "Whole number",
    "number": "Number",
    "date": "Date",
    "boolean": "Yes or no",
    "list": "List",
    "map": "Map",
}
"""What raw values look like, in words."""
DATE_KINDS = frozenset({"date", "[]time", "map[string]time"})


def value_text(value: Any, kind: str = "", *, identifier: bool = False) -> str:
    """A field's value by its type. An identifier is never grouped: customer 10482 is no quantity."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float):
        return str(value) if identifier else f"{value:,}"
    if isinstance(value, list | dict):
        return ", ".join(entries(value, kind))
    if kind in DATE_KINDS:
        return _date(str(value))
    return str(value)


def entries(value: list[Any] | dict[str, Any], kind: str = "") -> list[str]:
    """The members of a set or the entries of a map, each in words."""
    if isinstance(value, list):
        return [_member(one, kind) for one in value]
    return [_entry(key, one, kind) for key, one in _by_weight(value, kind)]


def _member(value: Any, kind: str) -> str:
    """One value inside of a set, list or map."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value_text(value, kind)


def _entry(key: str, value: Any, kind: str) -> str:
    """One entry of a map: "Weekly 14" for a count, "plan: gold" for anything else."""
    if kind == "[]timebucket":
        return f"{_day(key)}: {value:,}"
    counted = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{key} {value:,}" if counted else f"{key}: {_member(value, kind)}"


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%b %Y}"


def _by_weight(value: dict[str, Any], kind: str) -> list[tuple[str, Any]]:
    """The entries of a map: the largest counts first, newest days first, anything else by its key."""
    if kind == "[]timebucket":
        return sorted(value.items(), reverse=True)
    if value and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value.values()):
        return sorted(value.items(), key=lambda entry: (-entry[1], entry[0]))
    return sorted(value.items())


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
