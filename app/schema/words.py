"""What people call the kinds of fields and the rules by which values are merged."""

from __future__ import annotations

from collections.abc import Mapping

from app.schema.model import FieldDefinition, holds_several

KIND_WORDS: Mapping[str, str] = {
    "string": "Text",
    "int": "Whole number",
    "number": "Number",
    "bool": "Yes or no",
    "date": "Date",
    "[]string": "Set",
    "ts[]string": "Set by time",
    "[]time": "Set of dates",
    "map[string]string": "Map of text",
    "map[string]int": "Map of whole numbers",
    "map[string]number": "Map of numbers",
    "map[string]bool": "Map of yes or no",
    "map[string]time": "Map of dates",
    "map[string]intsum": "Map of counts",
    "map[string]value": "Map of anything",
    "[]timebucket": "Events by day",
    "geolocation": "Place",
}

OPERATOR_WORDS: Mapping[str, str] = {
    "latest": "Newest",
    "oldest": "Oldest",
    "min": "Smallest",
    "max": "Largest",
    "sum": "Sum",
    "count": "Count",
    "merge": "Union",
    "latestmap": "Newest per key",
    "oldestmap": "Oldest per key",
    "mapmin": "Smallest per key",
    "mapmax": "Largest per key",
    "capped": "Union, limited",
}

OPERATOR_SENTENCES: Mapping[str, str] = {
    "latest": "The newest event's value counts.",
    "oldest": "The oldest event's value stays.",
    "min": "The smallest value counts.",
    "max": "The largest value counts.",
    "sum": "The values of all events are added up.",
    "count": "The events that bring a value are counted.",
    "merge": "Values of all events are kept together; a key has its newest value.",
    "latestmap": "Each key has its newest value.",
    "oldestmap": "Each key keeps its oldest value.",
    "mapmin": "Each key has its smallest value.",
    "mapmax": "Each key has its largest value.",
    "capped": "As Union, up to the capacity; the oldest values go first.",
}


def kind_word(kind: str) -> str:
    """The kind in a word or two; one that is not known as it is written."""
    return KIND_WORDS.get(kind, kind)


def operator_word(operator: str, kind: str = "") -> str:
    """The merge operator in a word or two. A sum of a map is one per key."""
    if operator == "sum" and holds_several(kind):
        return "Sum per key"
    return OPERATOR_WORDS.get(operator, operator)


def field_words(field: FieldDefinition) -> str:
    """What a field is, in one line: "Text, newest", "Set, identifier of rank 2", "Set, union, at most 50"."""
    rule = (
        f"identifier of rank {field.rank}"
        if field.is_identifier and field.rank is not None
        else "identifier"
        if field.is_identifier
        else operator_word(field.merge, field.type).lower()
    )
    limits = [f"at most {field.capacity:,}"] if field.capacity is not None else []
    if field.keep_days is not None:
        limits.append(f"kept {field.keep_days:,} days" if field.keep_days != 1 else "kept 1 day")
    return ", ".join([kind_word(field.type), rule, *limits])


def listed(names: tuple[str, ...] | list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
