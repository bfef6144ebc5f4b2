"""The words that people are found by: in lower case, without accents, cut at everything that is no letter or digit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

import orjson

from app.schema.fields import Field

SEARCHED = ("string", "[]string", "ts[]string")
"""Kinds of fields that hold text; of a set, the column holds its members as JSON."""
MOST_LETTERS = 32
"""Of longer words only the beginning counts, so that checksums do not fill the index."""

# Scripts that put no spaces between words: each sign is found by itself.
_SIGN = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SIGN}]|[^\W_{_SIGN}]+")
_PLAIN_WORD = re.compile(r"[a-z0-9]+")
# Letters that Unicode does not take for a plain one with an accent.
_PLAIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def split_words(text: str) -> list[str]:
    """The words of a text as they are compared: "Jörg@Example-Shop.de" is jorg, example, shop and de."""
    if text.isascii():
        return _PLAIN_WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKD", text.casefold()).casefold().translate(_PLAIN_LETTERS)
    return _WORD.findall("".join(letter for letter in folded if not unicodedata.combining(letter)))


def text_fields(fields: Iterable[Field]) -> list[Field]:
    """The fields whose words people are found by."""
    return [field for field in fields if field.type in SEARCHED]


def words_of(values: Sequence[str | None], fields: Sequence[Field]) -> str:
    """The words of a person, each once, in order, with a space between. `values` are as stored, one a field."""
    texts = [
        value if field.type == "string" else " ".join(orjson.loads(value))
        for value, field in zip(values, fields, strict=True)
        if value is not None
    ]
    return " ".join(sorted({word[:MOST_LETTERS] for word in split_words(" ".join(texts))}))


def wanted_words(text: str) -> list[str]:
    """The beginnings of words that a search asks for, without those that another one begins with."""
    asked = sorted({word[:MOST_LETTERS] for word in split_words(text)})
    # In this order whoever begins with a word follows it at once.
    return [word for word, following in pairwise([*asked, ""]) if not following.startswith(word)]


def has_words(words: str, wanted: Iterable[str]) -> bool:
    """Whether each wanted beginning is that of one of the words, which are as `words_of` brings them."""
    spaced = f" {words}"
    return all(f" {word}" in spaced for word in wanted)
