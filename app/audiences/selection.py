"""Which people an option of the type `audience` names: everybody, or whom a search finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.profiles.search import matching_people
from app.schema.fields import field_name
from connectors.kit.errors import InputError
from connectors.kit.types import Audience

EVERYBODY = "all"
SEARCH = "search:"


@dataclass(frozen=True, slots=True)
class Selection:
    """A set of people; without a `search` it is everybody."""

    audience: Audience
    search: str = ""

    def people(self, connection: sqlite3.Connection) -> Iterator[int]:
        """The numbers of those who belong to it, in no certain order."""
        return matching_people(connection, self.search)


def read_selection(identity: str) -> Selection:
    """What an option says. Raises InputError for something that names nobody."""
    if identity == EVERYBODY:
        return Selection(Audience(EVERYBODY, "Everybody", EVERYBODY))
    search = identity.removeprefix(SEARCH).strip()
    if not identity.startswith(SEARCH) or not search:
        raise InputError(
            f"There is no audience “{identity}”.",
            advice=f"Use “{EVERYBODY}” for everybody in the workspace, or “{SEARCH}” and what to search for.",
        )
    return Selection(Audience(identity, f"Search “{search}”", f"search_{field_name(search)}"), search)


class Members:
    """Who belongs to a selection, as one bit a person: a million people are 125 kilobytes."""

    def __init__(self, people: Iterable[int], highest: int) -> None:
        """`highest` is the highest number that anybody has."""
        bits = bytearray(highest // 8 + 1)
        for person in people:
            bits[person >> 3] |= 1 << (person & 7)
        self._bits = bits

    def __contains__(self, person: int) -> bool:
        return bool(self._bits[person >> 3] >> (person & 7) & 1)

    def __or__(self, other: Members) -> Members:
        both = Members((), 0)
        size = max(len(self._bits), len(other._bits))
        value = int.from_bytes(self._bits, "little") | int.from_bytes(other._bits, "little")
        both._bits = bytearray(value.to_bytes(size, "little"))
        return both

    def __iter__(self) -> Iterator[int]:
        """Their numbers in order."""
        for position, byte in enumerate(self._bits):
            if byte:
                yield from (position * 8 + bit for bit in range(8) if byte >> bit & 1)

    def __len__(self) -> int:
        return int.from_bytes(self._bits, "little").bit_count()
