"""Finding people by an identifier or by the beginnings of words in any text field, in pages."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from app.profiles.people_table import as_json
from app.profiles.search_index import LITTLE, read_words
from app.profiles.search_words import has_words, wanted_words
from app.profiles.titles import title
from app.schema.fields import Field, list_fields

if TYPE_CHECKING:
    from app.engine import Engine

INDEXED_LETTERS = 6
"""The index has the beginnings of words up to so many letters ready."""
LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One person in a list: what to call them, their field values by name (those that have one), last change (UTC)."""

    id: int
    title: str
    fields: dict[str, Any]
    updated_at: str


def count_profiles(engine: Engine) -> int:
    """How many people the workspace holds."""
    with engine.workspace.database.read() as connection:
        return int(connection.execute("select count(*) from profiles").fetchone()[0])


def search_profiles(engine: Engine, text: str = "", offset: int = 0, limit: int = 100) -> list[ProfileRow]:
    """People who have `text` as an identifier or, each as a word or its beginning, in text fields; newest people first.

    Neither looks at everybody, whatever the number of people. Those whom `count_unindexed` counts may be missing.
    """
    with engine.workspace.database.read() as connection, _one_state(connection):
        fields = list_fields(connection)
        if not text.split():
            rows = connection.execute(
                "select * from profiles order by _id desc limit ? offset ?", (limit, offset)
            ).fetchall()
        else:
            people = _Search(connection, fields, text).people()
            rows = connection.execute(
                "select * from profiles where _id in (select value from json_each(?)) order by _id desc",
                (as_json(islice(people, offset, offset + limit)),),
            ).fetchall()
    return [_row(row, fields) for row in rows]


def count_matches(engine: Engine, text: str) -> int:
    """How many people `search_profiles` would find in all; about as many while there is somebody to be indexed."""
    if not text.split():
        return count_profiles(engine)
    with engine.workspace.database.read() as connection, _one_state(connection):
        return _Search(connection, list_fields(connection), text).count()


def matching_people(connection: sqlite3.Connection, text: str) -> Iterator[int]:
    """The numbers of those whom `search_profiles` would find; of everybody for a text of spaces. For one moment."""
    if not text.split():
        return (row[0] for row in connection.execute("select _id from profiles order by _id desc"))
    return _Search(connection, list_fields(connection), text).people()


@contextmanager
def _one_state(connection: sqlite3.Connection) -> Iterator[None]:
    """Several questions get answers of one moment: an index is brought up to date while people are written."""
    if connection.in_transaction:
        yield
        return
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("commit")


class _Search:
    """Who is found for a text that is more than space."""

    def __init__(self, connection: sqlite3.Connection, fields: Sequence[Field], text: str) -> None:
        self._connection = connection
        self._fields = fields
        self._owners = self._whose(text)
        self._wanted = wanted_words(text)
        rows = connection.execute("select profile_id from unindexed order by profile_id desc limit ?", (LITTLE,))
        self._left = {row[0] for row in rows}

    def people(self) -> Iterator[int]:
        """Their numbers, the newest first."""
        if self._owners:
            yield from sorted(self._owners, reverse=True)
        elif self._wanted:
            yield from heapq.merge(self._indexed(), self._others(), reverse=True)

    def count(self) -> int:
        """How many there are."""
        if self._owners or not self._wanted:
            return len(self._owners)
        indexed = self._connection.execute(
            """select count(*) from word_index
            where word_index match ? and rowid not in (select value from json_each(?))""",
            (_match(self._wanted), as_json(self._left)),
        ).fetchone()[0]
        return int(indexed) + len(self._others())

    def _whose(self, text: str) -> list[int]:
        """Those who have the whole text as the value of an identifier."""
        rows = self._connection.execute(
            """select distinct profile_id from identifiers
            where field_id in (select id from fields where is_identifier) and value in (?, ?)""",
            (text.strip(), text.strip().lower()),
        )
        return [row[0] for row in rows]

    def _others(self) -> list[int]:
        """Those of the newest people who are not indexed."""
        words = read_words(self._connection, self._left, self._fields)
        return sorted((one for one, theirs in words.items() if has_words(theirs, self._wanted)), reverse=True)

    def _indexed(self) -> Iterator[int]:
        """Those whom the index knows but not `_others`; who was written since is looked at."""
        for person, written in self._hits():
            if not written:
                yield person
            elif person not in self._left:
                now = read_words(self._connection, [person], self._fields).get(person)
                if now is not None and has_words(now, self._wanted):
                    yield person

    def _hits(self) -> Iterator[tuple[int, bool]]:
        """Whom the index has, the newest first, and whether they were written since."""
        question = """select rowid, rowid in (select profile_id from unindexed), words from word_index
            where word_index match ? and rowid < ? order by rowid desc limit ?"""
        below = 1 << 62
        beginnings = [word[:INDEXED_LETTERS] for word in self._wanted]
        if beginnings != self._wanted:
            # SQLite gathers all words with a longer beginning before it answers, a quarter of a second when everybody
            # has one. When very many have one, the first are found sooner by looking at the newest people.
            looked = 0
            for person, written, words in self._connection.execute(question, (_match(beginnings), below, LOOKED_AT)):
                looked += 1
                below = person
                if has_words(words, self._wanted):
                    yield person, bool(written)
            if looked < LOOKED_AT:
                return
        for person, written, _ in self._connection.execute(question, (_match(self._wanted), below, -1)):
            yield person, bool(written)


def _match(beginnings: Sequence[str]) -> str:
    """The question to the index; words are letters and digits, so nothing in them needs care."""
    return " AND ".join(f'"{word}"*' for word in beginnings)


def _row(row: sqlite3.Row, fields: Sequence[Field]) -> ProfileRow:
    values = {field.name: row[field.name] for field in fields if row[field.name] is not None}
    return ProfileRow(row["_id"], title(values, fields, row["_id"]), values, row["_updated"])
