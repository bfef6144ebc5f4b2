"""One expression on one event: for trying it out, and for checking the language against cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from app.lql.checker import kind_of
from app.lql.compiler import compile_value
from app.lql.events import flatten, values_of
from app.lql.kinds import kind_of_value
from app.lql.parser import parse_expression
from app.lql.problems import LqlError
from app.lql.tree import Expression
from app.lql.values.moments import date_of
from app.lql.values.reading import EPOCH, scalar_text


def evaluate(
    expression: str | Expression, event: Mapping[str, Any], *, at: datetime | None = None, now: datetime | None = None
) -> tuple[Any, str | None]:
    """The value that an expression has for an event, and its kind; (None, None) for no value. Raises LqlError.

    `at` is the event's own time, `now` what "now-3d" counts from. Each stands in for the other; without both the clock
    counts.
    """
    said, columns, call = _ready(expression)
    moment = at or now or datetime.now(UTC)
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
    """A moment said in JSON: text in any form that todate() reads, or a Unix time, its unit told by its size."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return date_of(value)
    for limit, unit in ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9)):
        if abs(value) < limit:
            try:
                return EPOCH + timedelta(seconds=value / unit)
            except OverflowError:
                return None
    return None


def answer_case(line: bytes) -> dict[str, Any]:
    """The answer to one case: {"expression", "event", "event_ts", "now"} as JSON.

    It is {"value", "type"}, or {"error"} with a sentence; nothing in a case can make this raise.
    """
    try:
        case = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {"error": f"This line is no JSON: {error}."}
    if not isinstance(case, dict) or not isinstance(case.get("expression"), str):
        return {"error": 'A case is a JSON object with the text "expression" and the object "event".'}
    event = case.get("event")
    if event is not None and not isinstance(event, dict):
        return {"error": "The event of a case is a JSON object."}
    times: dict[str, datetime | None] = {}
    for key in ("event_ts", "now"):
        said = case.get(key)
        times[key] = None if said is None else moment_of_json(said)
        if said is not None and times[key] is None:
            return {"error": f"{key} can't be read as a time."}
    try:
        value, kind = evaluate(case["expression"], event or {}, at=times["event_ts"], now=times["now"])
    except LqlError as error:
        return {"error": str(error)}
    except Exception as defect:
        # One case that meets a defect of ours is answered in its place; the others still count.
        return {"error": f"Causeway met a defect of its own ({type(defect).__name__}: {defect})."}
    return {"value": as_json(value), "type": kind}
