"""Finding where somebody is named: in texts, in raw events, in samples. Built for erasing them everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

SHORTEST_CODE = 4
SHORTEST_NAME = 8
SHORTEST_TELLING = 6
SHORTEST_NUMBER = 8
ERASED = "(erased)"


class Wanted:
    """The identifier values of those who are to be erased, and texts that sources write for the same values.

    A value is *telling* when it can hardly mean anything else: an address, a long number, a code with digits. Only
    such a value is taken out wherever it stands. Any other ("7", "berlin") counts in columns that hold identifiers;
    a code from four characters on, or a name from eight, also as a whole word of a row that was rejected. Case
    matters, except in addresses.
    """

    def __init__(self, identifiers: Iterable[tuple[str, str]], spellings: Iterable[str] = ()) -> None:
        self.by_field: dict[str, set[str]] = {}
        for name, value in identifiers:
            self.by_field.setdefault(name.lower(), set()).add(folded(value))
        texts = {text for values in self.by_field.values() for text in values}
        texts |= {folded(text) for text in spellings}
        texts.discard("")
        self.texts = frozenset(texts)
        self.telling = frozenset(filter(is_telling, texts))
        self._word = _Words(filter(_may_be_a_word, texts))
        self._telling_word = _Words(self.telling)

    def named_in(self, text: str) -> bool:
        """Whether a row of a file has one of their values as a whole word."""
        return self._word.stands_in(text)

    def told_in(self, text: str) -> bool:
        """Whether a text has one of their telling values as a whole word."""
        return self._telling_word.stands_in(text)

    def taken_out(self, text: str) -> str:
        """The text without their telling values."""
        return self._telling_word.replaced_in(text)

    def patterns(self) -> list[str]:
        """For SQL's `like` over JSON: every text that may hold a telling value, and some more."""
        return ["%" + "".join(map(_pattern, text)) + "%" for text in sorted(self.telling)]

    def cleaned(self, value: Any, columns: frozenset[str] = frozenset(), path: str = "") -> Any:
        """A raw event or a value of it without what names them; `columns` are those that hold identifiers.

        What is a value of theirs as a whole becomes None, in a list it is left out; a word of a text is replaced.
        """
        if isinstance(value, dict):
            return {
                self.taken_out(key): self.cleaned(one, columns, f"{path}.{key}" if path else key)
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [
                one for before in value if (one := self.cleaned(before, columns, path)) is not None or before is None
            ]
        if value is None or isinstance(value, bool):
            return value
        text = folded(str(value))
        if text in self.telling or (path in columns and text in self.texts):
            return None
        return self.taken_out(value) if isinstance(value, str) else value


def folded(text: str) -> str:
    """A value as it is compared: in an address case means nothing, in a code it may."""
    text = text.strip()
    return text.casefold() if "@" in text else text


def is_telling(text: str) -> bool:
    """Whether a value can hardly mean anything else than its person."""
    if text.isdigit():
        return len(text) >= SHORTEST_NUMBER
    return len(text) >= SHORTEST_TELLING and ("@" in text or any(map(str.isdigit, text)))


def _may_be_a_word(text: str) -> bool:
    return len(text) >= SHORTEST_NAME or (len(text) >= SHORTEST_CODE and any(map(str.isdigit, text)))


def samples_without(samples: str, own: set[str], wanted: Wanted) -> str | None:
    """A stream field's samples (JSON) without those that are somebody's own or name them; None when all may stay."""
    before = orjson.loads(samples)
    after = [sample for sample in before if sample not in own and not wanted.told_in(sample)]
    return orjson.dumps(after).decode() if len(after) < len(before) else None


class _Words:
    """Any of some texts as a whole word. An address goes on over dots, plus signs and hyphens."""

    def __init__(self, texts: Iterable[str]) -> None:
        # The longest first: of two that begin alike the whole one is meant.
        ordered = sorted(texts, key=len, reverse=True)
        listed = "|".join(f"(?i:{re.escape(text)})" if "@" in text else re.escape(text) for text in ordered)
        self._pattern = re.compile(rf"(?<![\w@])(?<![\w@][.+-])(?:{listed})(?![\w@]|[.+-][\w@])")
        self._parts = [text.casefold() for text in ordered]

    def stands_in(self, text: str) -> bool:
        # Nearly all texts have none of them, and a plain look is ten times as fast as the pattern.
        folded_text = text.casefold()
        return any(part in folded_text for part in self._parts) and self._pattern.search(text) is not None

    def replaced_in(self, text: str) -> str:
        return self._pattern.sub(ERASED, text) if self._parts else text


def _pattern(character: str) -> str:
    if character in '"\\' or not character.isprintable():
        # JSON writes these in two or more characters.
        return "%"
    # SQL folds the case of ASCII only; the exact look comes after.
    return character if character.isascii() and character not in "%_" else "_"
