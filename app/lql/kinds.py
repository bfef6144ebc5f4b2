"""The kinds of values that a field can hold, and which merge operators each may have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_SET = ("merge", "latest", "oldest", "capped")
_MAP = ("merge", "latest", "oldest", "latestmap", "oldestmap", "capped")

MERGE_OPERATORS: Mapping[str, tuple[str, ...]] = {
    "string": ("latest", "oldest"),
    "int": ("latest", "oldest", "min", "max", "sum", "count"),
    "number": ("latest", "oldest", "min", "max", "sum", "count"),
    "bool": ("latest", "oldest"),
    "date": ("latest", "oldest", "min", "max"),
    "[]string": _SET,
    "ts[]string": _SET,
    "[]time": _SET,
    "map[string]string": _MAP,
    "map[string]int": (*_MAP, "mapmin", "mapmax", "sum"),
    "map[string]number": (*_MAP, "mapmin", "mapmax", "sum"),
    "map[string]bool": _MAP,
    "map[string]time": (*_MAP, "mapmin", "mapmax"),
    "map[string]intsum": ("sum", "merge"),
    "map[string]value": _MAP,
    "[]timebucket": ("merge", "sum"),
    "geolocation": ("latest", "oldest"),
}
"""Every kind of field with the merge operators that it can have, its default first."""

SCALARS: Mapping[type, str] = {str: "string", int: "int", float: "number", bool: "bool", datetime: "date"}
IN_MAPS = {"date": "time"}
"""Dates are called time inside of collections."""


def map_of(kind: str | None) -> str:
    """The kind of a map whose values are of a kind: "map[string]int"."""
    inner = IN_MAPS.get(kind or "", kind)
    name = f"map[string]{inner}"
    return name if name in MERGE_OPERATORS else "map[string]value"


def kind_of_value(value: Any) -> str | None:
    """The kind of a value that an expression answered; None for no value."""
    if value is None:
        return None
    if isinstance(value, list):
        kinds = {SCALARS.get(entry.__class__) for entry in value}
        return "[]time" if kinds == {"date"} else "[]string" if kinds <= {"string"} else "[]value"
    if isinstance(value, dict):
        inner = {SCALARS.get(entry.__class__) for entry in value.values()}
        return map_of(inner.pop()) if len(inner) == 1 else "map[string]value"
    return SCALARS.get(value.__class__, "date")
