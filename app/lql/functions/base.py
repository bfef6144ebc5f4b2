"""What a function of the mapping language is, and the values that all of them take and answer.

Values are None (no value), str, int, float, bool, datetime (aware, UTC), list and dict with text keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Scalar = str | int | float | bool | datetime
Value = Scalar | list[Any] | dict[str, Any] | None

Call = Callable[..., Any]
"""Positional arguments, None for what is missing. Answers None for no value; never raises for bad data."""


class _NotLiteral:
    """The one value that stands for an argument which is known only when an event comes."""

    def __repr__(self) -> str:
        return "NOT_LITERAL"


NOT_LITERAL: Final = _NotLiteral()


class BadArgument(Exception):
    """A literal argument that can never work, such as a broken pattern.

    `index` counts the arguments from 0; `sentence` says what is wrong with it.
    """

    def __init__(self, index: int, sentence: str) -> None:
        super().__init__(sentence)
        self.index = index
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Function:
    """One function: how it is called, what it brings and what is said about it."""

    name: str
    """Lower-case main name, such as "hash.md5"."""

    call: Call

    least: int
    """The fewest arguments that it takes, not counting those of `needs_time` and `needs_event`."""

    most: int | None
    """The most arguments; None for any number."""

    result: str | None
    """The kind of what it answers, such as "string" or "map[string]int"; None: that of the value at run time."""

    summary: str
    """One sentence for the documents and the editor."""

    aliases: tuple[str, ...] = ()

    needs_time: bool = False
    """The event's time, an aware datetime in UTC, comes as first argument."""

    needs_event: bool = False
    """The flattened event, a mapping from key to raw value, comes as first argument."""

    prepare: Callable[[Sequence[Any]], Call | None] | None = None
    """Looks at the arguments once, before any event: the values of literals, NOT_LITERAL for the rest.

    Raises BadArgument for what can never work. May answer a faster function for the same arguments.
    """

    operator: str | None = None
    """Of an aggregate, which may only stand outermost: the merge operator that it brings."""

    pure: bool = True
    """Same arguments, same answer."""

    filter_only: bool = False
    """Works on fields of people in filters; refused in mappings."""

    timed: Call | None = None
    """The same function with the event's time first, to be used where an argument is a literal such as "now-3d"."""

    stored: Call | None = None
    """The same function answering what is stored for `result` (a date as text, for example) in one step."""


def catalogue(families: Sequence[Sequence[Function]]) -> Mapping[str, Function]:
    """Every function by its lower-case name and its aliases."""
    return {name: function for family in families for function in family for name in (function.name, *function.aliases)}
