"""The colours of the mapping language: keywords, functions, keys in backticks, text, numbers, comments."""

from __future__ import annotations

import re

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument

from ui.theme import current_theme

_KEYWORDS = (
    "select from into by where as if else kind mergeop shortdesc longdesc alias cap and or not in like contains "
    "intersects exists between is null true false"
)
KEYWORDS = frozenset(_KEYWORDS.split())
_PARTS = re.compile(
    r"""
    (?P<comment>--.*|//.*|\#.*)
    | (?P<open>/\*)
    | (?P<text>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)
    | (?P<key>`[^`]*`?)
    | (?P<number>\b\d+(?:\.\d+)?\b)
    | (?P<word>[^\W\d][\w.]*)(?P<call>\s*\()?
    """,
    re.VERBOSE,
)
_TOKENS = {
    "comment": "muted",
    "text": "code_string",
    "key": "code_name",
    "number": "code_number",
    "keyword": "code_word",
    "function": "code_key",
}
_IN_COMMENT = 1


class LqlColors(QSyntaxHighlighter):
    """Colours a document written in the mapping language, in the colours of the theme that holds."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        current_theme().changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        at = 0
        self.setCurrentBlockState(0)
        if self.previousBlockState() == _IN_COMMENT:
            at = self._comment(text, 0, 0)
        while (found := _PARTS.search(text, at)) is not None:
            part, at = found.lastgroup, found.end()
            if part == "open":
                at = self._comment(text, found.start(), found.end())
            elif found["word"] is not None:
                self._word(text, found)
                at = found.end("word")
            elif part is not None:
                self._paint(text, found.start(), found.end(), part)

    def _word(self, text: str, found: re.Match[str]) -> None:
        word = found["word"].casefold()
        # `in (…)` and `and (…)` are no calls; `count(…)` is one whatever stands before the bracket.
        part = "keyword" if word in KEYWORDS else "function" if found["call"] is not None else ""
        if part:
            self._paint(text, found.start("word"), found.end("word"), part)

    def _comment(self, text: str, start: int, search_from: int) -> int:
        """Colour a comment of several lines from `start` on; where the text after it begins."""
        end = text.find("*/", search_from)
        if end < 0:
            self.setCurrentBlockState(_IN_COMMENT)
            end = len(text)
        else:
            end += 2
        self._paint(text, start, end, "comment")
        return end

    def _paint(self, text: str, start: int, end: int, part: str) -> None:
        form = QTextCharFormat()
        form.setForeground(current_theme().color(_TOKENS[part]))
        # Qt counts UTF-16 units, Python characters.
        before = units(text[:start])
        self.setFormat(before, units(text[start:end]), form)


def units(text: str) -> int:
    """The length of a text as Qt counts it: signs beyond the first 65,536 of Unicode count twice."""
    return len(text) + sum(sign > "\uffff" for sign in text)
