"""Mapping a field that was seen in a stream: what suggests itself, and what it makes of events that came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.lql import compile_expression
from app.lql.events import flatten, values_of
from app.schema.column_types import column_expression
from app.schema.fields import field_name
from app.schema.queries import try_mapping
from app.streams.queries import StreamField, stream_events

if TYPE_CHECKING:
    from app.engine import Engine

LOOKED_AT = 300
"""Newest events among which those with a value are looked for."""
TRIED = 5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A mapping that suggests itself: the LQL expression and the name of a profile field."""

    expression: str
    field: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One event's raw value, and what the expression makes of the event as it would be kept (None: no value)."""

    event_id: int
    raw: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Trial:
    """What an expression brings: the kind, the merge operator that fits it, and values of some events."""

    kind: str
    operator: str
    events: tuple[Tried, ...]


def suggest_mapping(field: StreamField) -> Suggestion:
    """How to take a field over as it seems to be meant. A backtick in its name leaves the expression empty."""
    target = field_name(field.name)
    if "`" in field.name:
        return Suggestion("", target)
    if field.type == "list":
        return Suggestion(f"set(`{field.name}`)", target)
    if field.type == "map":
        return Suggestion(f"match(`{field.name}.`)", target)
    return Suggestion(column_expression(field.name, field.type)[0], target)


def try_on_events(engine: Engine, stream_id: int, column: str, expression: str, *, kind: str = "") -> Trial:
    """What an expression makes of the newest events with different values of `column`; a few of them.

    `kind` is that of the field that would keep the values, "" for what the expression brings. Raises LqlError with the
    places of what can't be read.
    """
    compiled = compile_expression(expression)
    tried: list[Tried] = []
    seen = []
    for event in stream_events(engine, stream_id, limit=LOOKED_AT):
        (raw,) = values_of(event.data, flatten(event.data), [column])
        if raw in (None, "") or raw in seen:
            continue
        seen.append(raw)
        value, _ = try_mapping(engine, expression, "", event.data, event.at, kind=kind or None)
        tried.append(Tried(event.id, raw, value))
        if len(tried) == TRIED:
            break
    return Trial(compiled.kind, compiled.operator, tuple(tried))
