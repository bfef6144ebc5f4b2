"""Faults of a YAML file as sentences with the line and the key to mend; for files that people write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from jsonschema.exceptions import ValidationError

Path = Sequence[str | int]
"""Keys and places from the top of the file to a thing in it."""


def told(error: ValidationError) -> list[tuple[Path, str]]:
    """A fault that the schema finds, with the place to mend: an unknown key's own, not the mapping's around it."""
    path = tuple(error.absolute_path)
    entry: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties":
            known = schema["properties"]
            return [
                ((*path, key), f"the key {key} is unknown here; known are {', '.join(known)}")
                for key in entry
                if key not in known
            ]
        case "required":
            # jsonschema reports each missing key by itself and names it in its message only.
            return [(path, f"the key {error.message.split(chr(39))[1]} is missing")]
        case "enum":
            return [(path, f"{entry!r} is none of {', '.join(rule)}")]
        case "pattern":
            return [(path, f"{entry!r} does not have the form {rule}")]
        case "type":
            return [(path, f"{entry!r} should be of the type {' or '.join(rule) if isinstance(rule, list) else rule}")]
    return [(path, error.message)]


def doubles(node: yaml.Node, path: tuple[str | int, ...] = (), seen: set[int] | None = None) -> list[tuple[Path, str]]:
    """Keys that a mapping has twice; YAML would quietly take the last. An alias may lead back to a node `seen`."""
    seen = set() if seen is None else seen
    found: list[tuple[Path, str]] = []
    if id(node) in seen:
        return found
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys = [str(key.value) for key, _ in node.value]
        found += [(path, key) for key in sorted({key for key in keys if keys.count(key) > 1})]
        for key, value in node.value:
            found += doubles(value, (*path, str(key.value)), seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found += doubles(value, (*path, index), seen)
    return found


def line_of(node: yaml.Node, path: Path) -> int:
    """The 1-based line of the thing at `path`, or of the nearest thing around it."""
    line = node.start_mark.line + 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == step), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return int(line)


def key_of(path: Path) -> str:
    """jobs[0].options[2].type"""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "top level"
