"""The record that an expression sees: one level of keys, whatever the event was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def flatten(event: Mapping[str, Any]) -> dict[str, Any]:
    """Levels joined by a dot: {"user": {"city": "Gent"}} is {"user.city": "Gent"}. Lists stay lists.

    A key that is there as it is written wins over one that comes from a deeper level.
    """
    if not any(value.__class__ is dict for value in event.values()):
        return dict(event)
    flat: dict[str, Any] = {}
    open_levels: list[tuple[str, Iterable[tuple[str, Any]]]] = [("", iter(event.items()))]
    deeper: dict[str, Any] = {}
    while open_levels:
        prefix, items = open_levels.pop()
        for key, value in items:
            name = prefix + str(key)
            if value.__class__ is dict:
                open_levels.append((f"{name}.", value.items()))
            else:
                (deeper if prefix else flat)[name] = value
    return deeper | flat


def values_of(event: Mapping[str, Any], flat: Mapping[str, Any], columns: Iterable[str]) -> list[Any]:
    """What each column holds; of a key that holds a whole level of the event, that level as a map."""
    return [flat[name] if name in flat else event.get(name) for name in columns]
