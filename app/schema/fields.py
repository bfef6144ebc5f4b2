"""Published fields as the tables of people know them, and the field that a column fills by default."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass

from app.schema.model import FIELD_NAME

__all__ = ["FIELD_NAME", "Field", "field_name", "list_fields"]


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
