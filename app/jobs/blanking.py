"""Takes secrets out of texts that are handed on: logs, recipes, evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import orjson

from app.authorizations import SHORTEST_SOUGHT, list_authorizations

if TYPE_CHECKING:
    from app.engine import Engine

BLANK = "•••"
LONG_LINE = 16
"""Of a secret of several lines, one line alone tells something if it is this long."""


def _forms(text: str) -> Iterator[str]:
    """A text as it is, and as JSON (in two ways), HTML, CSV and addresses write it."""
    yield text
    yield orjson.dumps(text).decode()[1:-1]
    yield json.dumps(text)[1:-1]
    yield escape(text)
    yield text.replace('"', '""')
    yield quote(text, safe="")
    yield quote_plus(text)


class Blanker:
    """Knows the secrets of all authorizations, of six characters and more; shorter ones stand in any text by chance."""

    def __init__(self, secrets: Iterable[str]) -> None:
        sought: set[str] = set()
        for secret in secrets:
            lines = [line.strip() for line in secret.splitlines()]
            several = [line for line in lines if len(line) >= LONG_LINE and not line.startswith("-----")]
            for text in (secret, secret.strip(), *(several if len(lines) > 1 else ())):
                sought.update(_forms(text))
        found = sorted((text for text in sought if len(text) >= SHORTEST_SOUGHT), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, found))) if found else None

    @classmethod
    def of(cls, engine: Engine) -> Blanker:
        """For the secrets of a workspace. Raises VaultLocked and VaultMissing: what is not known can't be blanked."""
        return cls(
            secret
            for info in list_authorizations(engine)
            for secret in engine.vault.load(info.id, info.secret_names).values()
        )

    def blank(self, text: str) -> str:
        """The text without secrets, also as JSON, HTML and CSV write them."""
        if self._pattern is None:
            return text
        while (changed := self._pattern.sub(BLANK, text)) != text:
            # What stood around a secret may make another one.
            text = changed
        return text

    def blank_all(self, value: Any) -> Any:
        """The same for every text within lists and dictionaries, keys included."""
        match value:
            case str():
                return self.blank(value)
            case dict():
                return {self.blank_all(key): self.blank_all(entry) for key, entry in value.items()}
            case list() | tuple():
                return [self.blank_all(entry) for entry in value]
        return value
