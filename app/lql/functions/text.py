"""Functions of text."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import phonenumbers

from app.lql.functions.base import NOT_LITERAL, BadArgument, Call, Function
from app.lql.values.patterns import searcher
from app.lql.values.reading import integer_of, scalar_text, text_of, written

BLANKS = " \n\t\r"
WORD_START = re.compile(r"(?<![\w'’])[^\W\d_]")
LONGEST_PHONE_NUMBER = 100


def lower(value: Any) -> str | None:
    text = text_of(value)
    return None if text is None else text.lower()


def upper(value: Any) -> str | None:
    text = text_of(value)
    return None if text is None else text.upper()


def title(value: Any) -> str | None:
    """The first letter of each word in upper case; an apostrophe is inside a word."""
    text = text_of(value)
    return None if text is None else WORD_START.sub(lambda found: found[0].title(), text)


def index(value: Any, part: Any) -> int | None:
    """In characters from 0."""
    text, wanted = text_of(value), text_of(part)
    if text is None or wanted is None:
        return None
    at = text.find(wanted)
    return None if at < 0 else at


def substring(value: Any, *bounds: Any) -> str | None:
    """Characters from a start to before an end, which must both lie in the text."""
    text = text_of(value)
    places = [integer_of(bound) for bound in bounds]
    if text is None or None in places:
        return None
    start, *rest = (place for place in places if place is not None)
    end = rest[0] if rest else len(text)
    return text[start:end] if 0 <= start <= end <= len(text) else None


def has_part(value: Any, part: Any) -> bool | None:
    """contains(): either side empty: None; one missing: False."""
    text, wanted = text_of(value), text_of(part)
    if text is None or wanted is None:
        return False
    return wanted in text if text and wanted else None


def has_prefix(value: Any, part: Any) -> bool | None:
    wanted = text_of(part)
    return (text_of(value) or "").startswith(wanted) if wanted else None


def has_suffix(value: Any, part: Any) -> bool | None:
    wanted = text_of(part)
    return (text_of(value) or "").endswith(wanted) if wanted else None


def split(value: Any, *separators: Any) -> list[str] | None:
    text = text_of(value)
    if not text:
        return None
    if not separators:
        return [text]
    separator = text_of(separators[0])
    return text.split(separator) if separator else None


def strip(value: Any) -> str | list[Any] | None:
    """Blanks and line ends off both sides of a text, or of each text of a list."""
    if value.__class__ is list:
        return [entry.strip(BLANKS) if entry.__class__ is str else entry for entry in value]
    text = text_of(value)
    return None if text is None else text.strip(BLANKS)


def replace(value: Any, old: Any, new: Any = None) -> str:
    return (text_of(value) or "").replace(text_of(old) or "", text_of(new) or "")


def join(*values: Any) -> str | None:
    """Texts and numbers, and the entries of lists, with the last argument between them."""
    separator = text_of(values[-1])
    if separator is None:
        return None
    parts: list[str] = []
    for value in values[:-1]:
        if value.__class__ is list:
            parts += map(written, value)
        elif value is not None and value.__class__ in (str, int, float) and (text := scalar_text(value)):
            parts.append(text)
    return separator.join(parts) if parts else None


def length(value: Any) -> int | None:
    """The bytes of a text, the entries of a list or map; 0 for what has neither."""
    if value.__class__ is str:
        return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
    if value.__class__ in (list, dict):
        return len(value)
    return None if value is None else 0


def matches(value: Any, pattern: Any) -> bool | None:
    text = text_of(value)
    found = searcher(pattern) if pattern.__class__ is str else None
    return None if text is None or found is None else found(text)


def prepare_matches(arguments: Sequence[Any]) -> Call | None:
    pattern = arguments[1]
    if pattern is NOT_LITERAL:
        return None
    found = searcher(pattern) if pattern.__class__ is str else None
    if found is None:
        raise BadArgument(1, f"The pattern {written(pattern)} can't be read as a regular expression (RE2).")

    def match(value: Any, _pattern: Any) -> bool | None:
        text = text_of(value)
        return None if text is None else found(text)

    return match


def phone(value: Any, country: Any = "US") -> str | None:
    """The international form of a number; the country, a code such as DE, is where a national number is from."""
    text, region = text_of(value), text_of(country)
    if not text or not region or len(text) > LONGEST_PHONE_NUMBER:
        return None
    return _international(text, region.upper())


@lru_cache(maxsize=4096)
def _international(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def prepare_phone(arguments: Sequence[Any]) -> Call | None:
    if len(arguments) == 2 and arguments[1] is not NOT_LITERAL:
        code = written(arguments[1])
        if code.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise BadArgument(1, f'{code} is no country code. Write two letters, such as "DE".')
    return None


def random_identifier() -> str:
    return str(uuid.uuid4())


TEXT = (
    Function("tolower", lower, 1, 1, "string", "The text in lower case.", aliases=("string.lowercase",)),
    Function("string.uppercase", upper, 1, 1, "string", "The text in upper case.", aliases=("toupper",)),
    Function("string.titlecase", title, 1, 1, "string", "The text with the first letter of each word in upper case."),
    Function("string.index", index, 2, 2, "int", "Where a part begins in the text, from 0."),
    Function("string.substr", substring, 2, 3, "string", "The text from a place on, to before another, from 0."),
    Function("contains", has_part, 2, 2, "bool", "Whether the text has the part in it."),
    Function("hasprefix", has_prefix, 2, 2, "bool", "Whether the text begins with the part."),
    Function("hassuffix", has_suffix, 2, 2, "bool", "Whether the text ends with the part."),
    Function(
        "split", split, 1, 2, "[]string",
        "The text cut into a list at each separator.",
        aliases=("string.split",),
    ),
    Function(
        "strip", strip, 1, 1, None,
        "The text, or each text of a list, without blanks and line ends around it.",
        aliases=("string.strip",),
    ),
    Function("replace", replace, 2, 3, "string", "The text with every occurrence of a part replaced, or removed."),
    Function("join", join, 2, None, "string", "Texts, numbers and entries of lists with the last argument between."),
    Function(
        "len", length, 1, 1, "int",
        "How many bytes a text has, or how many entries a list or map.",
        aliases=("char_length",),
    ),
    Function(
        "regex.match", matches, 2, 2, "bool",
        "Whether a regular expression (RE2) is found in the text.",
        prepare=prepare_matches,
    ),
    Function(
        "phone.e164", phone, 1, 2, "string",
        "A telephone number in its international form; the country is US unless given.",
        prepare=prepare_phone,
    ),
    Function(
        "uuid", random_identifier, 0, 0, "string",
        "A new random identifier each time; no use as an identifier of people.",
        pure=False,
    ),
)  # fmt: skip
