"""The columns of the table `profiles`, one a field: the one place that adds, converts and drops them."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from app.lql import compile_expression
from app.schema.model import holds_several

_SQL_TYPES = {"int": "integer", "number": "real", "bool": "integer"}


def sql_type(kind: str) -> str:
    """The type of the column of a field of this kind; sets and maps are JSON text."""
    return _SQL_TYPES.get(kind, "text")


def add_column(connection: sqlite3.Connection, name: str, kind: str) -> None:
    """A new field's column, empty."""
    connection.execute(f'alter table profiles add column "{name}" {sql_type(kind)}')


def drop_column(connection: sqlite3.Connection, name: str, field_id: int) -> None:
    """Drop a field's column with its values, and what people remember of them: the id may be given out again."""
    connection.execute(f'alter table profiles drop column "{name}"')
    _unindex_all(connection)
    for remembered in ("_origins", "_state"):
        _forget(connection, remembered, field_id)


def change_column(connection: sqlite3.Connection, name: str, field_id: int, before: str, after: str) -> None:
    """Give the column of a field the form of another kind: values that can be read as such stay."""
    convert = compile_expression("`value`", kind=after).call

    def converted(stored: Any) -> Any:
        return stored_form(convert(value_of(stored, before)), after)

    connection.create_function("converted", 1, converted, deterministic=True)
    if sql_type(before) == sql_type(after):
        connection.execute(f'update profiles set "{name}" = converted("{name}") where "{name}" is not null')
    else:
        # A name of its own while it runs; a field's can't begin with an underscore.
        connection.execute(f'alter table profiles add column "_changing" {sql_type(after)}')
        connection.execute(f'update profiles set "_changing" = converted("{name}") where "{name}" is not null')
        connection.execute(f'alter table profiles drop column "{name}"')
        connection.execute(f'alter table profiles rename column "_changing" to "{name}"')
    connection.create_function("converted", 1, None)
    _unindex_all(connection)
    forget_state(connection, field_id)


def forget_state(connection: sqlite3.Connection, field_id: int) -> None:
    """Drop what people remember of a field beside its value: it was kept for another kind or merge operator."""
    _forget(connection, "_state", field_id)


def _unindex_all(connection: sqlite3.Connection) -> None:
    """Nobody's words are certain to be those that a search's index has."""
    connection.execute("insert or ignore into unindexed select _id from profiles")


def _forget(connection: sqlite3.Connection, remembered: str, field_id: int) -> None:
    key = f'"{field_id}"'
    connection.execute(
        f"update profiles set {remembered} = nullif(json_remove({remembered}, ?), '{{}}') where instr({remembered}, ?)",
        (f"$.{key}", f"{key}:"),
    )


def value_of(stored: Any, kind: str) -> Any:
    """The value of a field as the table has it: sets and maps from their JSON text, yes and no from 1 and 0."""
    if stored is None:
        return None
    if kind == "bool":
        return bool(stored)
    return orjson.loads(stored) if holds_several(kind) else stored


def stored_form(value: Any, kind: str) -> Any:
    """The value of a field as the table keeps it; an empty set or map is no value."""
    if not holds_several(kind):
        return value
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode() if value else None
