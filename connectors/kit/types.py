"""The contract between the engine and a provider: what a job is given and what it hands back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class DoneFile:
    """A file of a place that an import has read to its end, and in which state it was.

    `modified` is UTC text or None; `tag` is the place's own mark of the content, if it has one; `sha256` is that of
    the bytes as they lay there.
    """

    path: str
    size: int
    modified: str | None
    tag: str
    sha256: str


@dataclass(slots=True)
class Batch:
    """Records that arrived together and the cursor that stands after the last of them.

    `times` are event times in microseconds since 1970 UTC, None for a record without a readable one; an
    empty list means that the source has no event times at all. `done` of `total` says how far the source is
    read, in `unit`s; `total` is None when nobody knows. `columns` promises that each record has exactly these
    keys in this order, as the rows of a table have, which lets the engine work by column. `file` is set with the last
    batch of a file: the engine keeps it with the records, and `ImportContext.done_files` has it from then on.
    """

    records: list[Record]
    cursor: Cursor
    columns: tuple[str, ...] = ()
    times: list[int | None] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    done: int = 0
    total: int | None = None
    unit: str = "bytes"
    file: DoneFile | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Rejected rows that are to be read once more: their lines, and what the run that rejected them had opened."""

    lines: frozenset[int]
    requests: tuple[Mapping[str, Any], ...]


class ImportContext(Protocol):
    """What an import is given. `scratch` is a folder of this job's own that survives an interrupted run, `keep` one
    that also survives complete ones. Neither is there before somebody makes it.

    `done_files` are the files that the job has read, by path, each in the state in which it was read last.

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
    @property
    def keep(self) -> Path: ...
    @property
    def done_files(self) -> Mapping[str, DoneFile]: ...
    def committed(self) -> None:
        """Wait until all batches that were handed over are saved: then their source may be moved or deleted."""
        ...

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
    """The first rows of an import as they will be read, or of an export as they will be written.

    `summary` says how it was read ("UTF-8", "comma", "header row"); `notes` are sentences about oddities;
    `timestamp` is the column that looks like the event time, if any. Of an export, `file` is the name that the file
    gets and `total` how many people or events it is about, None if nobody knows.
    """

    columns: tuple[PreviewColumn, ...]
    rows: tuple[tuple[str, ...], ...]
    summary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    timestamp: str | None = None
    size: int | None = None
    file: str = ""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ProfileField:
    """A field of people: its name, what people call it, its kind (`string`, `date`, `[]string`, …), and whether it
    says who somebody is."""

    name: str
    label: str
    kind: str
    identifier: bool = False


@dataclass(frozen=True, slots=True)
class Audience:
    """A set of people: `id` is what an option of the type `audience` holds, `slug` fits into file and column names."""

    id: str
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events in the order they came in. `times` are microseconds since 1970 UTC; `last` is the number of the last."""

    last: int
    streams: list[str]
    times: list[int]
    events: list[Record]


class ExportSource(Protocol):
    """What the workspace has to export. Everything of one run is of one moment, that of its first question."""

    @property
    def fields(self) -> tuple[ProfileField, ...]: ...
    def audience(self, identity: str) -> Audience:
        """The audience that an option names. Raises InputError when there is none any more."""
        ...

    def count(self, audiences: Sequence[str]) -> int:
        """How many people are in at least one of the audiences."""
        ...

    def people(
        self,
        audiences: Sequence[str],
        fields: Sequence[str],
        *,
        memberships: Sequence[str] = (),
        limit: int | None = None,
    ) -> Iterator[list[tuple[Any, ...]]]:
        """People who are in at least one of the audiences, some hundred at a time, each a row: the values of `fields`
        in their order, then for each audience of `memberships` whether they are in it.

        Values are None, text, numbers, booleans, dates as UTC text, lists (sets) and dicts (maps). With `limit`,
        that many people, chosen at random. Raises InputError for a field that there is not.
        """
        ...

    def newest_event(self) -> int:
        """The number of the newest event, 0 if there is none."""
        ...

    def stream_columns(self, streams: Sequence[str]) -> list[str]:
        """The keys that the events of some streams (empty: all) have: those seen first come first, then by name."""
        ...

    def events(
        self,
        streams: Sequence[str],
        *,
        after: int = 0,
        until: int | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[EventBatch]:
        """Events of some streams (empty: all), with numbers over `after` up to `until`, and times from `since` on to
        `before`, which is not included."""
        ...


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that an export has put in a place: where (for people), its path there, bytes, hash, number of rows.

    `local` is its absolute path if it is on this computer; `table` is whether it is a CSV file of people from which
    rows can be taken out: in UTF-8, with commas, and with a header row of field names.
    """

    place: str
    path: str
    size: int
    sha256: str
    rows: int
    local: str = ""
    table: bool = False


class ExportContext(Protocol):
    """What an export is given. `scratch` is a folder of this job's own that survives an interrupted run.

    `cursor` is what an interrupted run of the job `saved` last, `previous` what the last complete one did. `started` is
    when the run began, in UTC, which stays the same when an interrupted run goes on; `job_id` and `job_name` say whose
    it is.
    """

    @property
    def credentials(self) -> Credentials: ...
    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def source(self) -> ExportSource: ...
    @property
    def cursor(self) -> Cursor | None: ...
    @property
    def previous(self) -> Cursor | None: ...
    @property
    def scratch(self) -> Path: ...
    @property
    def started(self) -> datetime: ...
    @property
    def job_id(self) -> int: ...
    @property
    def job_name(self) -> str: ...
    def save(self, cursor: Cursor) -> None:
        """Keep where the run stands, so that it can go on from there."""
        ...

    def sent(self, file: SentFile, cursor: Cursor | None = None) -> None:
        """Say that a file has arrived; it counts its rows as sent and keeps the file in the run's list. A `cursor` is
        saved in the same step, so that no file counts twice."""
        ...

    def log(self, message: str, level: Level = "info") -> None: ...
    def request(self, request: Mapping[str, Any]) -> None:
        """As `ImportContext.request`."""
        ...

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        """Say how far it is, e.g. (52_000, 186_000, "people", "Writing"). Raises what ends a run that is to stop."""
        ...


class ExportFunction(Protocol):
    """Sends people or events of the workspace somewhere. Raises ConnectorError."""

    async def __call__(self, context: ExportContext) -> None: ...


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
