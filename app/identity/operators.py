"""Merge operators: how two values of one field become one, whatever the order in which they arrive.

A *share* is what one or several events gave to a field: a value in the form the workspace stores it (sets and maps
as JSON text), the origin (time and id) of the event that it is shown to come from, and, where the value alone can't
be merged further, a state: times of single entries, or a sum with more digits than a float holds. Every operator
is commutative and associative over shares, so the same events give the same value in any order.
"""

from __future__ import annotations

import bisect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import orjson

Origin = tuple[int, int]
"""(time of the event in microseconds, id of the event)"""

Newer = Callable[[Origin, Origin], bool]
"""Whether the first origin counts over the second, by time and then by the events' raw text."""

Share = tuple[Any, Origin, Any]
"""(stored value, origin, state or None). Without a state, each entry has the time of the origin."""

Combine = Callable[[Share, Share, Newer], Share]

DAY = 86_400_000_000
EXACT = Context(prec=800)
"""Enough digits for any sum of 64-bit floats."""
INTEGER_LIMIT = 2**63

COUNTED_KINDS = frozenset({"map[string]intsum", "[]timebucket"})
NUMERIC_KINDS = frozenset({"int", "number"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a set or map keeps: at most `capacity` entries, none from before `oldest` (µs since 1970)."""

    capacity: int | None = None
    oldest: int | None = None

    def __bool__(self) -> bool:
        return self.capacity is not None or self.oldest is not None


def operator_for(kind: str, merge: str, limits: Limits) -> Combine | None:
    """How values of a field meet; None for "the newest counts", which needs no function."""
    if kind.startswith("map[") or kind in COUNTED_KINDS:
        return _map_operator(kind, merge, limits)
    if kind in ("[]string", "[]time", "ts[]string"):
        if merge == "latest":
            return None
        if merge == "oldest":
            return oldest
        if kind == "ts[]string" or limits:
            return timed_set(limits, by_time=kind == "ts[]string")
        return united
    match merge:
        case "oldest":
            return oldest
        case "min":
            return smallest
        case "max":
            return largest
        case "sum" | "count":
            return added
    return None


def _map_operator(kind: str, merge: str, limits: Limits) -> Combine | None:
    match merge:
        case "latest" if kind not in COUNTED_KINDS:
            return None
        case "oldest":
            return oldest
        case "min" | "mapmin":
            return by_key(min)
        case "max" | "mapmax":
            return by_key(max)
        case "oldestmap":
            return timed_map(limits, newest_first=False)
        case "sum" | "count":
            return added_by_key
    return added_by_key if kind in COUNTED_KINDS else timed_map(limits, newest_first=True)


def contribution(kind: str, merge: str) -> Callable[[Any], Any] | None:
    """What an event's value adds to the field, where that is not the value itself: one, for a counter."""
    if merge == "count" and kind in NUMERIC_KINDS:
        return lambda value: None if value is None else 1
    return None


def within(value: Any, capacity: int) -> Any:
    """What one event's set or map may bring to a field that keeps so many entries."""
    if isinstance(value, dict):
        return {key: value[key] for key in sorted(value)[-capacity:]}
    return sorted(value)[-capacity:]


# Single values


def newest(one: Share, other: Share, newer: Newer) -> Share:
    """The value of the newest event."""
    return one if newer(one[1], other[1]) else other


def oldest(one: Share, other: Share, newer: Newer) -> Share:
    """The value of the oldest event."""
    return other if newer(one[1], other[1]) else one


def smallest(one: Share, other: Share, newer: Newer) -> Share:
    """The smallest value; of equal ones the oldest."""
    if one[0] == other[0]:
        return oldest(one, other, newer)
    return one if one[0] < other[0] else other


def largest(one: Share, other: Share, newer: Newer) -> Share:
    """The largest value; of equal ones the oldest."""
    if one[0] == other[0]:
        return oldest(one, other, newer)
    return one if one[0] > other[0] else other


def added(one: Share, other: Share, newer: Newer) -> Share:
    """The sum, exact however many numbers and in whatever order."""
    value, state = exact_sum((one[0], one[2]), (other[0], other[2]))
    return value, _later(one, other, newer), state


def exact_sum(
    one: tuple[int | float, str | None], other: tuple[int | float, str | None]
) -> tuple[int | float, str | None]:
    """Add two numbers, each with its exact text where the number alone is not exact.

    Numbers are taken as people read them: 0.1 is a tenth. The answer has a text only if it can't hold the sum.
    """
    whole = isinstance(one[0], int) and isinstance(other[0], int)
    if whole and one[1] is None and other[1] is None and -INTEGER_LIMIT <= one[0] + other[0] < INTEGER_LIMIT:
        return one[0] + other[0], None
    total = EXACT.add(_decimal(*one), _decimal(*other))
    held = (
        max(-INTEGER_LIMIT, min(INTEGER_LIMIT - 1, int(total)))
        if whole
        else max(-sys.float_info.max, min(sys.float_info.max, float(total)))
    )
    return held, None if _decimal(held, None) == total else str(total)


def _decimal(value: int | float, exact: str | None) -> Decimal:
    return Decimal(repr(value) if exact is None else exact)


def _later(one: Share, other: Share, newer: Newer) -> Origin:
    return one[1] if newer(one[1], other[1]) else other[1]


# Sets: sorted JSON lists


def united(one: Share, other: Share, newer: Newer) -> Share:
    """Both sets in one."""
    origin = _later(one, other, newer)
    if one[0] == other[0]:
        return one[0], origin, None
    members: list[str] = orjson.loads(one[0])
    others: list[str] = orjson.loads(other[0])
    if len(others) == 1 and members:
        value = others[0]
        place = bisect.bisect_left(members, value)
        if place < len(members) and members[place] == value:
            return one[0], origin, None
        members.insert(place, value)
    else:
        members = sorted({*members, *others})
    return orjson.dumps(members).decode(), origin, None


def timed_set(limits: Limits, *, by_time: bool) -> Combine:
    """A union that knows when each entry was last seen, to order by it or to let the oldest go."""

    def combine(one: Share, other: Share, newer: Newer) -> Share:
        times = _set_times(one)
        for entry, at in _set_times(other).items():
            times[entry] = max(at, times.get(entry, at))
        times = _limited(times, times, limits)
        ordered = sorted(times, key=lambda entry: (times[entry], entry)) if by_time else sorted(times)
        origin = _later(one, other, newer)
        return orjson.dumps(ordered).decode(), origin, _needed(times, origin)

    return combine


def _set_times(share: Share) -> dict[str, int]:
    value, origin, state = share
    return dict(state) if state is not None else dict.fromkeys(orjson.loads(value), origin[0])


def _needed(times: dict[str, int], origin: Origin) -> dict[str, int] | None:
    """The times of the entries, unless the origin says them all."""
    return None if all(at == origin[0] for at in times.values()) else times


def _limited(
    entries: dict[str, Any], times: Mapping[str, int], limits: Limits, *, newest_first: bool = True
) -> dict[str, Any]:
    """What the limits leave: the newest entries, or the oldest ones where the oldest value of each key counts."""
    if limits.oldest is not None:
        entries = {entry: value for entry, value in entries.items() if times[entry] >= limits.oldest}
    if limits.capacity is not None and len(entries) > limits.capacity:
        kept = sorted(entries, key=lambda entry: (times[entry], entry), reverse=newest_first)[: limits.capacity]
        entries = {entry: entries[entry] for entry in kept}
    return entries


# Maps: JSON objects with sorted keys


def added_by_key(one: Share, other: Share, newer: Newer) -> Share:
    """The sum of each key."""
    sums: dict[str, Any] = orjson.loads(one[0])
    exact: dict[str, str] = dict(one[2] or {})
    theirs: Mapping[str, str] = other[2] or {}
    for key, value in orjson.loads(other[0]).items():
        if key not in sums:
            sums[key] = value
            if key in theirs:
                exact[key] = theirs[key]
            continue
        sums[key], text = exact_sum((sums[key], exact.pop(key, None)), (value, theirs.get(key)))
        if text is not None:
            exact[key] = text
    return _map_text(sums), _later(one, other, newer), exact or None


def by_key(choose: Callable[[Any, Any], Any]) -> Combine:
    """The smallest or largest value of each key."""

    def combine(one: Share, other: Share, newer: Newer) -> Share:
        values: dict[str, Any] = orjson.loads(one[0])
        for key, value in orjson.loads(other[0]).items():
            values[key] = choose(values[key], value) if key in values else value
        return _map_text(values), _later(one, other, newer), None

    return combine


def timed_map(limits: Limits, *, newest_first: bool) -> Combine:
    """The newest (or oldest) value of each key; of the same time, the one whose text is greater (or smaller)."""

    def combine(one: Share, other: Share, newer: Newer) -> Share:
        values, times = _map_times(one)
        their_values, their_times = _map_times(other)
        for key, value in their_values.items():
            if key in values:
                ours, theirs = (
                    (times[key], orjson.dumps(values[key])),
                    (their_times[key], orjson.dumps(value)),
                )
                if (theirs > ours) != newest_first:
                    continue
            values[key] = value
            times[key] = their_times[key]
        values = _limited(values, times, limits, newest_first=newest_first)
        origin = _later(one, other, newer)
        return _map_text(values), origin, _needed({key: times[key] for key in values}, origin)

    return combine


def _map_times(share: Share) -> tuple[dict[str, Any], dict[str, int]]:
    value, origin, state = share
    values: dict[str, Any] = orjson.loads(value)
    return values, dict(state) if state is not None else dict.fromkeys(values, origin[0])


def _map_text(values: Mapping[str, Any]) -> str:
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
