"""Finding people by an identifier or by the text of any field, in pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.profiles.titles import title
from app.schema.fields import Field, list_fields

if TYPE_CHECKING:
    from app.engine import Engine


SEARCHED = ("string", "[]string", "ts[]string")
"""Kinds that hold text; of a set, the column holds its members as JSON."""


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
    """People in whom `text` is an identifier's value or stands anywhere in a text field; newest people first.

    A whole identifier is found by its index whatever the number of people. Several words must all be found.
    """
    with engine.workspace.database.read() as connection:
        fields = list_fields(connection)
        where, values = _condition(connection, fields, text)
        rows = connection.execute(
            f"select * from profiles where {where} order by _id desc limit ? offset ?", (*values, limit, offset)
        ).fetchall()
    return [_row(row, fields) for row in rows]


def count_matches(engine: Engine, text: str) -> int:
    """How many people `search_profiles` would find in all."""
    with engine.workspace.database.read() as connection:
        where, values = _condition(connection, list_fields(connection), text)
        return int(connection.execute(f"select count(*) from profiles where {where}", values).fetchone()[0])


def _condition(connection: sqlite3.Connection, fields: Sequence[Field], text: str) -> tuple[str, list[Any]]:
    words = text.split()
    if not words:
        return "1", []
    found = connection.execute(
        "select distinct profile_id from identifiers where field_id in (select id from fields where is_identifier) "
        "and value in (?, ?)",
        (text.strip(), text.strip().lower()),
    ).fetchall()
    if found:
        return f"_id in ({', '.join(str(row[0]) for row in found)})", []
    searched = [field.name for field in fields if field.type in SEARCHED]
    if not searched:
        return "0", []
    one_word = "(" + " or ".join(f"\"{name}\" like ? escape '\\'" for name in searched) + ")"
    values: list[Any] = []
    for word in words:
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values += [f"%{escaped}%"] * len(searched)
    return " and ".join([one_word] * len(words)), values


def _row(row: sqlite3.Row, fields: Sequence[Field]) -> ProfileRow:
    values = {field.name: row[field.name] for field in fields if row[field.name] is not None}
    return ProfileRow(row["_id"], title(values, fields, row["_id"]), values, row["_updated"])
