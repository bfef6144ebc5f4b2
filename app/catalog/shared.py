"""Options and fields that many providers have alike: `use` in a provider.yaml takes one over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without its C library: slower, the same answer
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

__all__ = ["Loader", "UnknownName", "shared", "spread"]

FILE = "shared.yaml"
SECTIONS = ("options", "fields")


class UnknownName(Exception):
    """`use` names something that is not shared."""

    def __init__(self, path: tuple[str | int, ...], name: str) -> None:
        super().__init__(name)
        self.path = path
        self.name = name


@cache
def shared() -> dict[str, dict[str, dict[str, Any]]]:
    """The entries of connectors/kit/shared.yaml, by section and name."""
    document = yaml.load((resources.files("connectors.kit") / FILE).read_text("utf-8"), Loader=Loader)
    return {
        section: {name: {"name": name} | entry for name, entry in (document.get(section) or {}).items()}
        for section in SECTIONS
    }


def spread(document: dict[str, Any]) -> dict[str, Any]:
    """Put what is used in the place of each `use`; keys beside it win. Changes the document. Raises UnknownName."""
    for path, section, entry in _users(document):
        name = entry.pop("use")
        if name not in shared()[section]:
            raise UnknownName(path, str(name))
        entry.update(shared()[section][name] | entry)
    return document


def _users(document: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str, dict[str, Any]]]:
    """Every entry that takes over a shared one: where it is, of which section."""
    for outer, section in (("authorizations", "fields"), ("jobs", "options")):
        for number, owner in enumerate(document.get(outer) or ()):
            for position, entry in enumerate(owner.get(section) or ()):
                if "use" in entry:
                    yield (outer, number, section, position), section, entry
