"""The contract between the engine and a provider: what a job is given and what it hands back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Record = dict[str, Any]
"""One raw record: column or key to value, exactly as it came."""

Cursor = dict[str, Any]
"""Where an import stands, as JSON: enough to go on after the batch that carried it."""

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """One authorization, opened for use: its method's slug, plain settings, and secrets (never shown)."""

    method: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not be read: its 1-based line, why, and its text (bounded)."""

    line: int
    reason: str
    text: str


@dataclass(slots=True)
class Batch:
    """Records that arrived together and the cursor that stands after the last of them.

    `times` are event times in microseconds since 1970 UTC, None for a record without a readable one; an
    empty list means that the source has no event times at all. `done` of `total` says how far the source is
    read, in `unit`s; `total` is None when nobody knows. `columns` promises that each record has exactly these
    keys in this order, as the rows of a table have, which lets the engine work by column.
    """

    records: list[Record]
    cursor: Cursor
    columns: tuple[str, ...] = ()
    times: list[int | None] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    done: int = 0
    total: int | None = None
    unit: str = "bytes"


@dataclass(frozen=True, slots=True)
class Again:
    """Rejected rows that are to be read once more: their lines, and what the run that rejected them had opened."""

    lines: frozenset[int]
    requests: tuple[Mapping[str, Any], ...]


class ImportContext(Protocol):
    """What an import is given. `scratch` is a folder of this job's own that survives an interrupted run.

    `cursor` is where an interrupted run of the same source stands, `previous` where the last complete import does, for
    an import that is to bring only what is new. With `again` only those rows are wanted, and the cursor of a batch is
    {"lines": […]}, the lines that its records and rejected rows stand at; a job type that can do so `rereads`.
    """

    @property
    def credentials(self) -> Credentials: ...
    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def cursor(self) -> Cursor | None: ...
    @property
    def previous(self) -> Cursor | None: ...
    @property
    def again(self) -> Again | None: ...
    @property
    def scratch(self) -> Path: ...
    def log(self, message: str, level: Level = "info") -> None: ...
    def request(self, request: Mapping[str, Any]) -> None:
        """Keep for evidence what was opened or asked for: plain values, e.g. {"action": "open", "size": 52_000_000}.

        Secrets are blanked; of very many requests the first ones are kept.
        """
        ...

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        """Say what goes on outside of batches, e.g. (52_000_000, 186_000_000, "bytes", "Downloading")."""
        ...


class ImportFunction(Protocol):
    def __call__(self, context: ImportContext) -> AsyncIterator[Batch]: ...


@dataclass(frozen=True, slots=True)
class Account:
    """What a check learnt: whose account it is, in words ("maja on sftp.agency.example, folder /outgoing")."""

    description: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One live value of an option. `folder` choices can be opened by asking again with their value as `path`."""

    value: str
    label: str
    folder: bool = False
    size: int | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """One column of the data to come: sample value, guessed type, and whether it says who somebody is."""

    name: str
    sample: str
    type: str
    identifier: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of an import as they will be read.

    `summary` says how it was read ("UTF-8", "comma", "header row"); `notes` are sentences about oddities;
    `timestamp` is the column that looks like the event time, if any.
    """

    columns: tuple[PreviewColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    summary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    timestamp: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """Something that happened: a sentence for people, a line with more, and `kind`, by which many are counted.

    `at` is UTC text. `bad` is whether somebody has to do something about it.
    """

    at: str
    title: str
    message: str
    kind: str
    bad: bool


class AlertContext(Protocol):
    """What an alert is given; `workspace` is the name under which the user knows where it comes from."""

    @property
    def credentials(self) -> Credentials: ...
    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def workspace(self) -> str: ...
    def log(self, message: str, level: Level = "info") -> None: ...
    def request(self, request: Mapping[str, Any]) -> None:
        """Keep for evidence what was asked for, as an import does; secrets are blanked, the newest ones are kept."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one thing that was sent. "again": not yet, after `retry_after` seconds if they were named."""

    state: Literal["sent", "rejected", "again"]
    reason: str = ""
    retry_after: float | None = None


class AlertFunction(Protocol):
    """Tells people of events, in one message; an answer for each event, in their order. Raises ConnectorError."""

    async def __call__(self, context: AlertContext, events: Sequence[AlertEvent]) -> list[Answer]: ...
