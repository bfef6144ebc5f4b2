"""What the columns of a table seem to hold, judged by sample rows; shown to the user, who may change it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Kind = Literal["text", "number", "integer", "date", "boolean", "email"]

_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?")
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\".\d][^@\s,;<>\".]*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s?(?:Z|UTC|[+-]\d{2}:?\d{2})?)?")
_COMPACT_DATE = re.compile(r"(?:19|20)\d{6}")
_FALSE_TRUE = ({"true", "false"}, {"t", "f"})
"""Words that a yes/no field reads; a column of yes and no stays text, as its words would be lost otherwise."""

_YES_NO_WORDS = frozenset({"true", "false", "True", "False", "TRUE", "FALSE"})
_DIGIT_STARTS = tuple("-0123456789")
_RAW_KINDS: dict[type, str] = {
    bool: "boolean", int: "integer", float: "number", list: "list", dict: "map",
}  # fmt: skip

_TEXT_NAMES = re.compile(
    r"(?:^|_)(?:id|ids|phone|mobile|tel|telephone|fax|zip|zipcode|plz|postal|postcode|code|sku|ean|isbn|iban|ssn|number|no|nr)$"
    r"|phone|postal|zip_?code|post_?code|_id(?:_|$)"
)
"""Names of columns whose digits name something: nobody adds up postal codes or customer numbers."""

_EMAIL_NAME = re.compile(r"(?:^|_)(?:e_?mail|e_?mail_?address|mail)(?:$|_address$|_\d+$)")
_TIME_NAMES = (
    "timestamp",
    "last_updated",
    "updated",
    "updated_at",
    "updated_on",
    "last_modified",
    "modified",
    "modified_at",
    "modified_on",
    "last_changed",
    "last_seen",
    "last_seen_at",
    "event_time",
    "event_date",
    "occurred_at",
    "date_time",
    "datetime",
    "time",
    "created_at",
    "created",
    "created_on",
    "order_date",
    "purchase_date",
    "purchased_at",
    "ordered_at",
    "date",
)
"""Names of the column that says when a row was true, the most telling first."""


@dataclass(frozen=True, slots=True)
class ColumnGuess:
    """One column: `kind` fits every sample that is not empty; `sample` is the first of those, "" without any."""

    name: str
    kind: Kind
    is_identifier: bool
    sample: str


def guess_types(columns: Sequence[str], sample_rows: Sequence[Sequence[str]]) -> list[ColumnGuess]:
    """What each column holds. Digits that name rather than count (leading zeros, phones, codes) stay text."""
    guesses: list[ColumnGuess] = []
    for index, name in enumerate(columns):
        samples = [row[index].strip() for row in sample_rows if index < len(row) and row[index].strip()]
        kind = _kind(_plain(name), samples)
        identifier = kind == "email" or (_EMAIL_NAME.search(_plain(name)) is not None and not _refuted(samples))
        guesses.append(ColumnGuess(name, kind, identifier, samples[0] if samples else ""))
    return guesses


def value_kind(value: Any) -> str:
    """What one raw value looks like by itself: a Kind, or "list" or "map". It runs once for each sampled value."""
    if value.__class__ is not str:
        return _RAW_KINDS.get(value.__class__, "text")
    text = value.strip()
    if "@" in text:
        return "email" if _EMAIL.fullmatch(text) else "text"
    if text[:1] in _DIGIT_STARTS:
        if _INTEGER.fullmatch(text):
            return "date" if _COMPACT_DATE.fullmatch(text) and _is_date(text) else "integer"
        if _NUMBER.fullmatch(text):
            return "number"
        return "date" if _is_date(text) else "text"
    return "boolean" if text in _YES_NO_WORDS else "text"


def guess_timestamp(columns: Sequence[str], guesses: Sequence[ColumnGuess]) -> str | None:
    """The column that most likely says when a row was true: named for it and holding dates; None without one."""
    dates = {_plain(name): name for name, guess in zip(columns, guesses, strict=True) if guess.kind == "date"}
    for wanted in _TIME_NAMES:
        if wanted in dates:
            return dates[wanted]
    for ending in ("_updated_at", "_modified_at", "_seen", "_seen_at", "_timestamp", "_updated"):
        for plain, name in dates.items():
            if plain.endswith(ending):
                return name
    return None


def _plain(name: str) -> str:
    """`E-Mail`, `lastSeen` and `Last seen` as e_mail and last_seen."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^\w]+", "_", parted).strip("_").lower()


def _refuted(samples: list[str]) -> bool:
    """Whether samples contradict a column that is called email: most of them hold no @."""
    return bool(samples) and sum("@" in sample for sample in samples) * 2 < len(samples)


def _kind(plain: str, samples: list[str]) -> Kind:
    if not samples:
        return "text"
    if all(_EMAIL.fullmatch(sample) for sample in samples):
        return "email"
    lowered = {sample.lower() for sample in samples}
    if any(lowered <= pair for pair in _FALSE_TRUE):
        return "boolean"
    if all(_is_date(sample) for sample in samples):
        return "date"
    if _TEXT_NAMES.search(plain):
        return "text"
    if all(_INTEGER.fullmatch(sample) for sample in samples):
        return "integer"
    if all(_NUMBER.fullmatch(sample) for sample in samples):
        return "number"
    return "text"


def _is_date(text: str) -> bool:
    """An ISO date or time, or eight digits that are a day of this or the last century."""
    if _COMPACT_DATE.fullmatch(text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    elif not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
