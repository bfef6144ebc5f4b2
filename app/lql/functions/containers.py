"""Functions of lists and maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from app.lql.functions.base import NOT_LITERAL, BadArgument, Call, Function
from app.lql.values.moments import date_of
from app.lql.values.patterns import wildcard
from app.lql.values.reading import flat, integer_of, is_present, scalar_text, text_of, written

LONGEST_PATH = 2_000


def array_index(entries: Any, place: Any) -> Any:
    """Entry 0 is the first, -1 the last."""
    at = integer_of(place)
    if entries.__class__ is not list or at is None or not -len(entries) <= at < len(entries):
        return None
    return entries[at]


def array_slice(entries: Any, *bounds: Any) -> list[Any] | None:
    """Entries from a place to before another; places count from the end when negative and must be in the list."""
    places = [integer_of(bound) for bound in bounds]
    if entries.__class__ is not list or None in places:
        return None
    count = len(entries)
    start, *rest = (place + count if place < 0 else place for place in places if place is not None)
    end = rest[0] if rest else count
    return entries[start:end] if 0 <= start < count and start <= end <= count else None


def _matchers(patterns: Sequence[Any], empty_keeps: bool) -> list[Callable[[str], bool]]:
    """Patterns with a wildcard match a whole text, those without one its beginning.

    The empty pattern fits every text that is not empty where it keeps, and empty texts only where it removes.
    """
    texts = [
        scalar_text(pattern) for pattern in flat(patterns) if pattern is not None and pattern.__class__ is not dict
    ]
    return [found for text in texts if (found := _matcher(text, empty_keeps)) is not None]


def _matcher(pattern: str, empty_keeps: bool) -> Callable[[str], bool] | None:
    if "*" in pattern or "%" in pattern:
        return wildcard(pattern)
    if pattern:
        return lambda text: text.startswith(pattern)
    return (lambda text: text != "") if empty_keeps else (lambda text: text == "")


def _choose(value: Any, patterns: Sequence[Any], keep: bool) -> Any:
    if not is_present(value):
        return None
    matchers = _matchers(patterns, keep)

    def chosen(text: str) -> bool:
        return any(match(text) for match in matchers) is keep

    if value.__class__ is dict:
        return {key: entry for key, entry in value.items() if chosen(key)} or None
    if value.__class__ is list:
        return [text for entry in value if chosen(text := written(entry))] or None
    return value if chosen(scalar_text(value)) else None


def remove_matching(value: Any, *patterns: Any) -> Any:
    """filter(): without the keys, entries or text that match."""
    return _choose(value, patterns, False)


def keep_matching(value: Any, *patterns: Any) -> Any:
    """filtermatch(): only the keys, entries or text that match."""
    return _choose(value, patterns, True)


def match_keys(event: Mapping[str, Any], *prefixes: Any) -> dict[str, Any] | None:
    """The keys of the event that begin with a prefix, without it; a key that is the prefix itself is left out."""
    found = {
        key[len(prefix) :]: value
        for prefix in prefixes
        if prefix.__class__ is str
        for key, value in event.items()
        if value is not None and len(key) > len(prefix) and key.startswith(prefix)
    }
    return found or None


def one_entry(key: Any, value: Any) -> dict[str, Any] | None:
    name = text_of(key)
    return {name: value} if name and is_present(value) else None


def time_entry(time: datetime, key: Any, *dates: Any) -> dict[str, datetime] | None:
    """The key in lower case, with a date or the event's time."""
    name = text_of(key)
    moment = date_of(dates[0], time) if dates else time
    return {name.lower(): moment} if name and moment is not None else None


def map_keys(*maps: Any) -> list[str] | None:
    """Sorted, since maps have no order."""
    return sorted({key for entry in maps if entry.__class__ is dict for key in entry}) or None


def map_values(entries: Any) -> list[str] | None:
    if entries.__class__ is not dict:
        return None
    return sorted({written(value) for value in entries.values() if value is not None}) or None


def map_invert(entries: Any) -> dict[str, str] | None:
    """Where two keys have one value, the last in the order of the alphabet."""
    if entries.__class__ is not dict:
        return None
    return {written(entries[key]): key for key in sorted(entries) if entries[key] is not None} or None


def _path(text: str) -> ParsedResult | None:
    return _compiled_path(text) if len(text) <= LONGEST_PATH else None


@lru_cache(maxsize=256)
def _compiled_path(text: str) -> ParsedResult | None:
    try:
        return jmespath.compile(text)
    except (JMESPathError, RecursionError, ValueError):
        return None


def json_path(value: Any, path: Any) -> Any:
    compiled = _path(path) if path.__class__ is str else None
    return None if compiled is None else _search(value, compiled)


def _search(value: Any, path: ParsedResult) -> Any:
    """What a path finds in JSON text, or in a list or map that was JSON already."""
    data = value
    if value.__class__ is not list and value.__class__ is not dict:
        text = text_of(value)
        if text is None:
            return None
        try:
            data = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
    try:
        return path.search(data)
    except (JMESPathError, RecursionError, ArithmeticError, TypeError, ValueError):
        # Functions of paths meet values that are not theirs, such as the length of a number.
        return None


def prepare_json_path(arguments: Sequence[Any]) -> Call | None:
    path = arguments[1]
    if path is NOT_LITERAL or path.__class__ is not str:
        raise BadArgument(1, 'The path of json.jmespath() must be a text, such as "name.first".')
    compiled = _path(path)
    if compiled is None:
        raise BadArgument(1, f"The path {path} can't be read as JMESPath.")
    return lambda value, _path: _search(value, compiled)


CONTAINERS = (
    Function("array.index", array_index, 2, 2, None, "The entry at a place of a list: 0 is the first, -1 the last."),
    Function("array.slice", array_slice, 2, 3, "[]string", "The entries of a list from one place to before another."),
    Function("filter", remove_matching, 2, None, None, "Without the keys, entries or text that match a pattern."),
    Function("filtermatch", keep_matching, 2, None, None, "Only the keys, entries or text that match a pattern."),
    Function(
        "match", match_keys, 1, None, "map[string]value",
        "Every key of the event that begins with a prefix, as a map without the prefix.",
        needs_event=True,
    ),
    Function("map", one_entry, 2, 2, "map[string]value", "A map of one key and its value."),
    Function(
        "maptime", time_entry, 1, 2, "map[string]time",
        "A map of one key, in lower case, and a date or the event's time.",
        needs_time=True,
    ),
    Function("mapkeys", map_keys, 1, None, "[]string", "The keys of a map."),
    Function("mapvalues", map_values, 1, 1, "[]string", "The values of a map."),
    Function("mapinvert", map_invert, 1, 1, "map[string]string", "A map with keys and values swapped."),
    Function(
        "json.jmespath", json_path, 2, 2, None,
        "What a JMESPath finds in JSON text.",
        prepare=prepare_json_path,
    ),
)  # fmt: skip
