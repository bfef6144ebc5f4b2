"""Values of people as the cells of a file, made column by column: that is what makes an export fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.kit.errors import InputError
from connectors.kit.files.layout import (
    Audiences,
    Column,
    Constant,
    FieldValue,
    Layout,
    Made,
    Membership,
    RowAudience,
    header_of,
)
from connectors.kit.types import Audience, ExportSource

FORMULA_STARTS = frozenset("=+-@\t\r\n")
_NUMBERS = frozenset(("int", "number"))
_SAFE = _NUMBERS | {"bool", "date", "geolocation"}
"""Kinds of fields whose texts are never a formula."""

Values = Sequence[Any]


@dataclass(frozen=True, slots=True)
class People:
    """Some people, by column: the values of each field, and for each audience whether they are in it."""

    count: int
    fields: Mapping[str, Values]
    members: Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class Request:
    """What has to be asked of the source for a layout: fields, and audiences for memberships."""

    fields: tuple[str, ...]
    memberships: tuple[str, ...]

    def people(self, rows: list[tuple[Any, ...]]) -> People:
        """Rows of the source by column."""
        width = len(self.fields)
        columns = list(zip(*rows, strict=True)) if rows else [()] * (width + len(self.memberships))
        return People(
            len(rows),
            dict(zip(self.fields, columns[:width], strict=True)),
            dict(zip(self.memberships, columns[width:], strict=True)),
        )


def request_of(layout: Layout, further: Iterable[str] = ()) -> Request:
    """What a layout needs to know of each person, and `further` fields."""
    fields = dict.fromkeys((*layout.needed, *further))
    memberships: dict[str, None] = dict.fromkeys(layout.audiences) if layout.row_per_audience else {}

    def add(column: Column) -> None:
        match column:
            case FieldValue():
                fields[column.field] = None
            case Membership():
                memberships[column.audience] = None
            case Audiences():
                memberships.update(dict.fromkeys(column.audiences))
            case Made():
                for one in column.of:
                    add(one)

    for column in layout.columns:
        add(column)
    return Request(tuple(fields), tuple(memberships))


class Cells:
    """Makes the columns of a file from the columns of people.

    `raw` leaves values as they are, for a form that has lists, numbers and nothing of its own.
    """

    def __init__(self, layout: Layout, source: ExportSource, *, raw: bool = False) -> None:
        self._layout = layout
        self._kinds = {one.name: one.kind for one in source.fields}
        self._raw = raw
        named = {*layout.audiences, *request_of(layout).memberships}
        self._audiences: dict[str, Audience] = {identity: source.audience(identity) for identity in named}

    def columns(self, people: People) -> list[Values]:
        """The file's columns, all of the same length."""
        if not self._layout.row_per_audience:
            return [self._finished(column, self._made(column, people)) for column in self._layout.columns]
        of = [(self._audiences[one], people.members[one]) for one in self._layout.audiences]
        rows = [(number, audience) for number in range(people.count) for audience, who in of if who[number]]
        listed: list[Values] = []
        for column in self._layout.columns:
            if isinstance(column, RowAudience):
                cells: Values = [getattr(audience, column.by) for _, audience in rows]
            else:
                once = self._made(column, people)
                cells = [once[number] for number, _ in rows]
            listed.append(self._finished(column, cells))
        return listed

    def _made(self, column: Column, people: People) -> Values:
        match column:
            case FieldValue(field, _, join):
                values = people.fields[field]
                return values if self._raw else self._texts(self._kinds[field], values, join)
            case Constant(_, text):
                return [text] * people.count
            case Membership(_, audience, yes, no):
                return [yes if member else no for member in people.members[audience]]
            case Audiences():
                return self._named(column, people)
            case Made(_, of, make):
                inner = [map(text_of, self._made(one, people)) for one in of]
                return list(map(make, *inner)) if inner else [make() for _ in range(people.count)]
        raise InputError("This file can't have a column with one audience: it has one row for each person.")

    def _named(self, column: Audiences, people: People) -> Values:
        names = [getattr(self._audiences[one], column.by) for one in column.audiences]
        flags = [people.members[one] for one in column.audiences]
        join = self._layout.join if column.join is None else column.join
        lists = [
            [name for name, member in zip(names, of, strict=True) if member] for of in zip(*flags, strict=True)
        ] or [[] for _ in range(people.count)]
        return lists if self._raw else [join.join(one) for one in lists]

    def _texts(self, kind: str, values: Values, join: str | None) -> Values:
        """Texts of a field's values; numbers stay what they are, which csv writes faster than we could."""
        if kind in _NUMBERS:
            return values
        if kind == "bool":
            return [None if value is None else "true" if value else "false" for value in values]
        if kind.startswith(("[]", "ts[]", "map[")):
            between = self._layout.join if join is None else join
            return [None if value is None else joined(value, between) for value in values]
        return values

    def _finished(self, column: Column, values: Values) -> Values:
        if self._raw:
            return values
        if isinstance(column, FieldValue) and self._kinds[column.field] in _SAFE:
            return values
        layout = self._layout
        if layout.quoting == "never":
            values = [value if value is None else unquoted(text_of(value), layout.delimiter) for value in values]
        if layout.guard:
            values = [value if value is None or value[:1] not in FORMULA_STARTS else guarded(value) for value in values]
        return values


def joined(value: Any, join: str) -> str:
    """Several values as one text: a set's one after the other, a map's as key=value."""
    if isinstance(value, dict):
        return join.join([f"{key}={text_of(one)}" for key, one in value.items()])
    if isinstance(value, list):
        return join.join([one if one.__class__ is str else text_of(one) for one in value])
    return text_of(value)


def guarded(text: str) -> str:
    """A text that a spreadsheet does not run: one that begins like a formula gets an apostrophe before it.

    A sign before digits is a number or a phone number, and no formula.
    """
    if text[:1] not in FORMULA_STARTS or not text:
        return text
    return text if text[0] in "+-" and text[1:].replace(" ", "").replace(".", "").isdigit() else f"'{text}"


def unquoted(text: str, delimiter: str) -> str:
    """A text without what would end its cell or row."""
    for mark in (delimiter, "\r\n", "\n", "\r"):
        text = text.replace(mark, " ")
    return text


def headers_of(layout: Layout) -> list[str]:
    """The header row."""
    return [guarded(header_of(one)) if layout.guard else header_of(one) for one in layout.columns]


def text_of(value: Any) -> str:
    """A value as text, nothing as none: the one way in all files."""
    if value.__class__ is str:
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else str(value)
