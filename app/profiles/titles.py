"""What to call a person: a name where there is one, else the strongest identifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from app.schema.fields import Field

FULL_NAMES = ("name", "full_name", "fullname", "display_name", "customer_name")
FIRST_NAMES = ("first_name", "firstname", "first", "given_name", "fname", "vorname")
LAST_NAMES = ("last_name", "lastname", "last", "surname", "family_name", "lname", "nachname")


def title(values: Mapping[str, Any], fields: Sequence[Field], person: int) -> str:
    """The person's name, else an identifier's value, else "Person 17"."""

    def first(names: Sequence[str]) -> str:
        return next((_text(values[name]) for name in names if values.get(name)), "")

    name = first(FULL_NAMES) or " ".join(part for part in (first(FIRST_NAMES), first(LAST_NAMES)) if part)
    if name:
        return name
    return first([field.name for field in fields if field.is_identifier]) or f"Person {person}"


def _text(value: Any) -> str:
    """A value in a title: of several, the first. A row of `profiles` has several as JSON."""
    if isinstance(value, str) and value.startswith("["):
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(value)
    return str(value[0]) if isinstance(value, list) and value else str(value)
