"""One expression on one event: for trying it out, and for checking the language against cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from app.lql.checker import kind_of
from app.lql.compiler import compile_value
from app.lql.events import flatten, values_of
from app.lql.kinds import kind_of_value
from app.lql.parser import parse_expression
from app.lql.tree import Expression
from app.lql.values.moments import date_of
from app.lql.values.reading import scalar_text


def evaluate(
    expression: str | Expression, event: Mapping[str, Any], *, at: datetime | None = None, now: datetime | None = None
) -> tuple[Any, str | None]:
    """The value that an expression has for an event, and its kind; (None, None) for no value. Raises LqlError.

    `at` is the event's own time, without which the clock counts; `now` is what "now-3d" counts from, without which
    the event's time counts.
    """
    said, columns, call = _ready(expression)
    moment = at or datetime.now(UTC)
    flat = flatten(event)
    value = call(values_of(event, flat, columns), moment, flat, now or moment)
    kind = kind_of_value(value)
    if kind is not None and said is not None and said.endswith("value") and kind.startswith("map"):
        kind = said
    return value, kind


@lru_cache(maxsize=512)
def _ready(expression: str | Expression) -> tuple[str | None, tuple[str, ...], Any]:
    node = parse_expression(expression) if isinstance(expression, str) else expression
    return kind_of(node), *compile_value(node)


def as_json(value: Any) -> Any:
    """The value as JSON has it: dates as text of RFC 3339 without a fraction that says nothing."""
    if isinstance(value, datetime):
        return scalar_text(value)
    if isinstance(value, list):
        return [as_json(entry) for entry in value]
    if isinstance(value, dict):
        return {key: as_json(entry) for key, entry in value.items()}
    return value


def moment_of_json(value: Any) -> datetime | None:
    """A moment said in JSON: text in any form that todate() reads, or a Unix time in seconds or smaller units."""
    if isinstance(value, float) and abs(value) < 1e11:
        return date_of(int(value)) if value.is_integer() else _fraction(value)
    return date_of(value)


def _fraction(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC)
