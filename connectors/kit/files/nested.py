"""Objects with levels: a key of a deeper level is named by the keys on the way, joined by dots ("user.city")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Tree = dict[str, "Tree | None"]
"""What is wanted of an object: a key with None as a whole, one with a tree the parts of it."""


def value_at(record: Mapping[str, Any], name: str) -> Any:
    """What a name stands for, None if nothing. A key that is there as it is written wins over a deeper one."""
    if name in record:
        return record[name]
    for cut, character in enumerate(name):
        if character == "." and isinstance(deeper := record.get(name[:cut]), dict):
            found = value_at(deeper, name[cut + 1 :])
            if found is not None:
                return found
    return None


def tree_of(names: Iterable[str]) -> Tree:
    """The names that are wanted as a tree, in which a name with dots stands for both: a key with dots, and levels."""
    tree: Tree = {}
    for name in names:
        tree[name] = None
        levels = name.split(".")
        branch = tree
        for level in levels[:-1]:
            deeper = branch.setdefault(level, {})
            if deeper is None:
                break
            branch = deeper
        else:
            branch[levels[-1]] = None
    return tree


def project(record: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    """The wanted parts of an object, in its own order and levels. A level of which nothing is wanted is left out."""
    found: dict[str, Any] = {}
    for key, value in record.items():
        if key not in tree:
            continue
        deeper = tree[key]
        if deeper is None:
            found[key] = value
        elif isinstance(value, dict) and (part := project(value, deeper)):
            found[key] = part
    return found


def flattened(record: Mapping[str, Any]) -> dict[str, Any]:
    """One level of keys, joined by dots; lists stay lists. A key that is there as it is written wins."""
    flat: dict[str, Any] = {}
    written: dict[str, Any] = {}
    levels: list[tuple[str, Mapping[str, Any]]] = [("", record)]
    while levels:
        prefix, level = levels.pop()
        for key, value in level.items():
            if isinstance(value, dict) and value:
                levels.append((f"{prefix}{key}.", value))
            else:
                (flat if prefix else written)[prefix + key] = value
    return dict(_in_order(record, flat | written))


def _in_order(record: Mapping[str, Any], flat: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """By the order of the first level, deeper keys where their level stands."""
    places = {str(key): place for place, key in enumerate(record)}

    def place(name: str) -> int:
        if name in places:
            return places[name]
        return next((places[name[:cut]] for cut, mark in enumerate(name) if mark == "." and name[:cut] in places), 0)

    return sorted(flat.items(), key=lambda item: place(item[0]))
