"""Fields: what a person can hold. Each one is a column of the `profiles` table."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass

from app.clock import now_text
from app.errors import Refused

SQL_TYPES = {"string": "text", "int": "integer", "number": "real", "bool": "integer", "date": "text"}
FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
MAX_FIELDS = 1_900
"""SQLite's own limit is 2,000 columns in a table."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name (also the column's), what it holds, and whether it says who somebody is."""

    id: int
    name: str
    label: str
    type: str
    is_identifier: bool


def list_fields(connection: sqlite3.Connection) -> list[Field]:
    """All fields in the order they were made."""
    rows = connection.execute("select id, name, label, type, is_identifier from fields order by id")
    return [Field(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]


def field_name(column: str) -> str:
    """The field that a column would fill by default: "E-Mail Adresse" becomes e_mail_adresse."""
    plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_").lower()[:63]
    if not name:
        return "field"
    return name if name[0].isalpha() else f"f_{name}"[:63]


def ensure_field(connection: sqlite3.Connection, name: str, field_type: str, *, identifier: bool) -> Field:
    """The field of this name, made with its column when it is new.

    An existing field keeps its type; it becomes an identifier when asked to. Raises Refused for a bad name.
    """
    if not FIELD_NAME.fullmatch(name):
        raise Refused(
            f"“{name}” can't be the name of a profile field.",
            advice="Use letters without accents, digits and underscores, and begin with a letter.",
        )
    row = connection.execute(
        "select id, name, label, type, is_identifier from fields where name = ?", (name,)
    ).fetchone()
    if row is not None:
        if identifier and not row["is_identifier"]:
            connection.execute("update fields set is_identifier = 1 where id = ?", (row["id"],))
        return Field(row["id"], row["name"], row["label"], row["type"], bool(row["is_identifier"]) or identifier)
    if connection.execute("select count(*) from fields").fetchone()[0] >= MAX_FIELDS:
        raise Refused(
            f"The workspace already has {MAX_FIELDS:,} fields; “{name}” was not added.",
            advice="Choose fewer columns to import.",
        )
    connection.execute(f'alter table profiles add column "{name}" {SQL_TYPES[field_type]}')
    label = name.replace("_", " ").capitalize()
    cursor = connection.execute(
        "insert into fields (name, label, type, is_identifier, created_at) values (?, ?, ?, ?, ?)",
        (name, label, field_type, int(identifier), now_text()),
    )
    assert cursor.lastrowid is not None
    return Field(cursor.lastrowid, name, label, field_type, identifier)
