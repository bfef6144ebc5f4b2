"""An import's context with other options and cursors: for a provider that works out itself which file is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.kit.types import Again, Credentials, Cursor, DoneFile, ImportContext, Level


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What `context` is, but for these. See `connectors.kit.types.ImportContext`."""

    context: ImportContext
    options: Mapping[str, Any]
    cursor: Cursor | None
    previous: Cursor | None

    @property
    def credentials(self) -> Credentials:
        return self.context.credentials

    @property
    def again(self) -> Again | None:
        return self.context.again

    @property
    def scratch(self) -> Path:
        return self.context.scratch

    @property
    def keep(self) -> Path:
        return self.context.keep

    @property
    def done_files(self) -> Mapping[str, DoneFile]:
        return self.context.done_files

    def committed(self) -> None:
        self.context.committed()

    def log(self, message: str, level: Level = "info") -> None:
        self.context.log(message, level)

    def request(self, request: Mapping[str, Any]) -> None:
        self.context.request(request)

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        self.context.progress(done, total, unit, activity)
