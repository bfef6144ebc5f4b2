"""Patterns with wildcards, and RE2 patterns: both match in time linear in the text, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import re2  # type: ignore[import-untyped]

LONGEST_PATTERN = 1_000
SPECIAL = re.compile(r"\\.|[*%?]|\[[^\[\]]+\]|.", re.DOTALL)
SPECIAL_CHARACTER = re.compile(r"[*%?\[\\]")
PUNCTUATION = re.compile(r"[!-,./:-@\[-^`{-~]")
"""What a class of characters must escape; the hyphen keeps its meaning."""


def searcher(pattern: str) -> Callable[[str], bool] | None:
    """Whether an RE2 pattern is found anywhere in a text; None when the pattern can't be read."""
    return _searcher(pattern) if len(pattern) <= LONGEST_PATTERN else None


def wildcard(pattern: str) -> Callable[[str], bool] | None:
    r"""Whether a whole text matches: * or % any run, ? one character, [a-c] one of a class, \ takes the next as it is.

    None when the pattern can't be read, as with a class that ends before it begins: [c-a].
    """
    return _wildcard(pattern) if len(pattern) <= LONGEST_PATTERN else None


@lru_cache(maxsize=1024)
def _searcher(pattern: str) -> Callable[[str], bool] | None:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options=options)
    except (re2.error, UnicodeEncodeError):
        return None

    def found(text: str) -> bool:
        try:
            return compiled.search(text) is not None
        except UnicodeEncodeError:  # half a character; RE2 reads UTF-8
            return False

    return found


@lru_cache(maxsize=1024)
def _wildcard(pattern: str) -> Callable[[str], bool] | None:
    core = pattern.strip("*%")
    if core and not SPECIAL_CHARACTER.search(core):
        # The usual patterns, "a*" and "*a*", need no regular expression.
        open_start, open_end = pattern[0] in "*%", pattern[-1] in "*%"
        if open_start:
            return (lambda text: core in text) if open_end else (lambda text: text.endswith(core))
        return (lambda text: text.startswith(core)) if open_end else (lambda text: text == core)
    parts = []
    for token in SPECIAL.findall(pattern):
        if token in ("*", "%"):
            parts.append(".*")
        elif token == "?":
            parts.append(".")
        elif token[0] == "[" and len(token) > 1:
            inside = token[1:-1]
            negated = inside[0] in "^!" and len(inside) > 1
            inside = inside[1:] if negated else inside
            escaped = PUNCTUATION.sub(r"\\\g<0>", inside)
            parts.append(f"[^{escaped}]" if negated else f"[{escaped}]")
        else:
            parts.append(re2.escape(token[1:] if len(token) == 2 and token[0] == "\\" else token))
    return _searcher(rf"(?s)\A{''.join(parts)}\z")
