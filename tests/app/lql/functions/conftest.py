"""One way to call a function of the language by its name, as an expression does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.lql.functions import FUNCTIONS

TIME = datetime(2014, 4, 7, 16, 58, 55, tzinfo=UTC)


@pytest.fixture
def call() -> Callable[..., Any]:
    def run(name: str, *arguments: Any, event: dict[str, Any] | None = None, literal: bool = False) -> Any:
        """The answer for an event at TIME; with `literal` the arguments are first looked at as written ones."""
        function = FUNCTIONS[name]
        assert function.least <= len(arguments) <= (function.most if function.most is not None else 99), name
        answer = function.call
        if literal and function.prepare is not None:
            answer = function.prepare(arguments) or answer
        context = ([TIME] if function.needs_time else []) + ([event or {}] if function.needs_event else [])
        return answer(*context, *arguments)

    return run
