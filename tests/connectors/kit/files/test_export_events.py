"""Events as files: each once, from run to run, and the same ones again when a run goes on."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.errors import InputError, WaitError
from connectors.kit.files.events import export_events, preview_events
from connectors.kit.places.local import LocalFolder
from connectors.kit.types import Credentials, Cursor, EventBatch, Level, SentFile

DAY = 86_400_000_000
FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Source:
    """Events of one stream, a day apart, numbered from 1."""

    listed: list[dict[str, Any]]

    def newest_event(self) -> int:
        return len(self.listed)

    def stream_columns(self, streams: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(key for event in self.listed for key in event))

    def events(
        self, streams: Sequence[str], *, after: int = 0, until: int | None = None, since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[EventBatch]:  # fmt: skip
        for number in range(after, until or 0):
            at = datetime.fromtimestamp(number * DAY / 1e6, UTC)
            if (since is None or at >= since) and (before is None or at < before):
                yield EventBatch(number + 1, ["shop"], [number * DAY], [self.listed[number]])


@dataclass
class Context:
    """An export's context that remembers what it was told."""

    scratch: Path
    source: Any
    options: Mapping[str, Any]
    started: datetime = FIRST
    cursor: Cursor | None = None
    previous: Cursor | None = None
    credentials: Credentials = field(default_factory=lambda: Credentials("folder", {}))
    job_id: int = 7
    job_name: str = "Events"
    files: list[SentFile] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def save(self, cursor: Cursor) -> None:
        self.cursor = json.loads(json.dumps(cursor))

    def sent(self, file: SentFile, cursor: Cursor | None = None) -> None:
        self.files.append(file)
        if cursor is not None:
            self.save(cursor)

    def log(self, message: str, level: Level = "info") -> None:
        self.logged.append(message)

    def request(self, request: Mapping[str, Any]) -> None:
        assert request["action"] == "send"

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        assert unit in ("events", "bytes")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "out").mkdir()
    source = Source([{"id": 1, "text": "=x"}, {"id": 2, "tags": ["a", "b"], "more": {"k": True}}, {"id": 3.5}])
    return Context(tmp_path / "scratch", source, {"timezone": "UTC"})


def export(context: Context, tmp_path: Path) -> list[dict[str, str]]:
    """Run it; the rows of the files that this run has sent."""
    asyncio.run(export_events(context, lambda: LocalFolder(tmp_path / "out")))
    texts = [(tmp_path / "out" / file.path).read_text(encoding="utf-8") for file in context.files]
    return [row for text in texts for row in csv.DictReader(io.StringIO(text))]


def test_each_run_writes_what_came_since_the_last_one(context: Context, tmp_path: Path) -> None:
    rows = export(context, tmp_path)
    assert rows[1] == {
        "_stream": "shop", "_time": "1970-01-02T00:00:00.000000Z", "id": "2", "text": "", "tags": "a&b",
        "more": "k=true",
    }  # fmt: skip
    assert [row["text"] for row in rows] == ["'=x", "", ""]
    assert [file.path for file in context.files] == ["events-20260301.csv"]
    context.source.listed.append({"id": 4})
    again = replace(context, cursor=None, previous=context.cursor, started=FIRST.replace(day=9), files=[])
    assert [row["id"] for row in export(again, tmp_path)] == ["4"]
    assert [file.path for file in again.files] == ["events-20260301-20260309.csv"]
    assert not any(file.table for file in again.files)


def test_a_run_that_goes_on_is_about_the_same_events(context: Context, tmp_path: Path) -> None:
    class Away(LocalFolder):
        def send(self, local: Path, path: str, **options: Any) -> Any:
            raise WaitError("The server went away.")

    with pytest.raises(WaitError):
        asyncio.run(export_events(context, lambda: Away(tmp_path / "out")))
    context.source.listed.append({"id": 4})
    assert [row["id"] for row in export(context, tmp_path)] == ["1", "2", "3.5"]
    assert context.cursor is not None
    assert context.cursor["until"] == 3


def test_days_bound_what_is_written_and_name_the_file(context: Context, tmp_path: Path) -> None:
    days = {"start_date": "1970-01-02", "end_date": "1970-01-03", "timezone": "UTC", "filename": "in/{TIMESTAMP}"}
    context.options = days
    assert [row["id"] for row in export(context, tmp_path)] == ["2"]
    assert context.files[0].path == "in/19700102-19700103.csv"
    for wrong in ({"start_date": "soon"}, {"end_date": "1970-01-02", "start_date": "1970-01-02"}, {"timezone": "Moon"}):
        with pytest.raises(InputError):
            preview_events(context.source, days | wrong)


def test_no_new_events_write_nothing_if_so_chosen(context: Context, tmp_path: Path) -> None:
    export(context, tmp_path)
    again = replace(context, cursor=None, previous=context.cursor, files=[], options={"write_empty": False})
    assert export(again, tmp_path) == []
    assert again.files == []
    assert again.logged == ["No new events are to be exported; no file is written."]
    assert again.cursor is not None
    assert again.cursor["until"] == 3


def test_the_preview_shows_rows_and_name(context: Context) -> None:
    preview = preview_events(context.source, {"compress": "gz", "timezone": "UTC"}, now=FIRST)
    assert preview.file == "events-20260301.csv.gz"
    assert [column.name for column in preview.columns] == ["_stream", "_time", "id", "text", "tags", "more"]
    assert preview.rows[0][3] == "'=x"
