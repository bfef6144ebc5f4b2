"""What is wrong with a text of the mapping language, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.errors import CausewayError
from app.lql.tree import Span


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. Lines and columns count from 1; the end column is the first one behind the mistake."""

    line: int
    column: int
    end_line: int
    end_column: int
    message: str

    @classmethod
    def at(cls, span: Span, message: str) -> Problem:
        """A mistake at a piece of the text."""
        return cls(span.line, span.column, span.end_line, span.end_column, message)


class LqlError(CausewayError):
    """A text of the mapping language that can't be used; every mistake found is in `problems`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        first = self.problems[0]
        more = len(self.problems) - 1
        super().__init__(
            f"Line {first.line}, column {first.column}: {first.message}",
            advice="" if not more else f"There {'is 1 more mistake' if more == 1 else f'are {more} more mistakes'}.",
            details="\n".join(f"{problem.line}:{problem.column} {problem.message}" for problem in self.problems),
        )
