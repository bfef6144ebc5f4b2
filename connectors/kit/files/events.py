"""Raw events as a file: those that came in since the last run, or in a range of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from connectors.kit.errors import InputError
from connectors.kit.files.cells import guarded, joined, text_of
from connectors.kit.files.layout import JOIN, Layout, chosen_delimiter, chosen_packing, whole_number
from connectors.kit.files.naming import DAY, Names, time_text, zone_of
from connectors.kit.files.sending import PUBLIC_KEY, OpenPlace, Outgoing, empty_scratch, outgoing, prepared, send_all
from connectors.kit.files.splitting import Parts, Wrapping
from connectors.kit.files.tables import csv_lines
from connectors.kit.types import EventBatch, ExportContext, ExportSource, Preview, PreviewColumn

DEFAULT_NAME = "events-{TIMESTAMP}"
OWN = ("_stream", "_time")
"""Columns that every event has: its stream, and its time in UTC."""
PREVIEW_ROWS = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Range:
    """Which events a run is about: numbers over `after` up to `until`, times from `since` to before `before`, and from
    when to when that is, for the file's name."""

    after: int
    until: int
    since: datetime | None
    before: datetime | None
    begin: datetime | None
    end: datetime

    def events(self, source: ExportSource, streams: Sequence[str]) -> Any:
        """The events, a batch at a time."""
        return source.events(streams, after=self.after, until=self.until, since=self.since, before=self.before)


async def export_events(context: ExportContext, open_place: OpenPlace) -> None:
    """Write the events of streams, each key of theirs a column, and send the files. Raises ConnectorError.

    The options are those of connectors/kit/shared.yaml. Up to which event it came stays in the cursor, and the next run
    goes on from there; one that is interrupted goes on with the very same events.
    """
    cursor = context.cursor or context.previous or {}
    files = prepared(context)
    if files is None:
        open_place().close()
        span = _range(context.source, context.options, context.previous or {}, context.started)
        cursor = {"until": span.until, "at": context.started.isoformat()}
        files = _event_files(context, span)
    send_all(context, open_place, files, {"until": cursor["until"], "at": cursor["at"]})


def preview_events(source: ExportSource, options: Mapping[str, Any], *, now: datetime | None = None) -> Preview:
    """The first rows of a first run as they will be in the file, and its name."""
    streams = _streams(options)
    span = _range(source, options, {}, now or datetime.now(UTC))
    layout = _layout(options)
    names = _names(layout, span, Wrapping(layout.packing), "{job}", "{WORKID}")
    columns = source.stream_columns(streams)
    rows: list[tuple[str, ...]] = []
    for batch in span.events(source, streams):
        rows += [tuple(map(text_of, row)) for row in _rows(batch, columns, layout)]
        if len(rows) >= PREVIEW_ROWS:
            break
    headers = (*OWN, *columns)
    samples = rows[0] if rows else ("",) * len(headers)
    return Preview(
        columns=tuple(PreviewColumn(name, one, "text") for name, one in zip(headers, samples, strict=True)),
        rows=tuple(rows[:PREVIEW_ROWS]),
        file=names.path(),
    )


def _event_files(context: ExportContext, span: Range) -> list[Outgoing]:
    streams, layout = _streams(context.options), _layout(context.options)
    wrapping = Wrapping(layout.packing, context.credentials.settings.get(PUBLIC_KEY, ""))
    names = _names(layout, span, wrapping, context.job_name, str(context.job_id))
    columns = context.source.stream_columns(streams)
    lines = csv_lines(layout)
    head = "".join(lines([[guarded(name) for name in (*OWN, *columns)]])) if layout.header else ""
    done = 0
    with Parts(empty_scratch(context) / "events", wrapping, names.member(), head, layout.max_bytes) as parts:
        for batch in span.events(context.source, streams):
            parts.write(lines(_rows(batch, columns, layout)))
            done += len(batch.events)
            context.progress(done, None, "events", "Writing")
        files = parts.finish(write_empty=layout.write_empty)
    if not done:
        told = "an empty file is written" if layout.write_empty else "no file is written"
        context.log(f"No new events are to be exported; {told}.")
    return [
        outgoing(part.local, names.path(part=number if len(files) > 1 else 0), part.rows)
        for number, part in enumerate(files, 1)
    ]


def _rows(batch: EventBatch, columns: Sequence[str], layout: Layout) -> list[list[Any]]:
    return [
        [stream, _time(at), *(_cell(event.get(name), layout) for name in columns)]
        for stream, at, event in zip(batch.streams, batch.times, batch.events, strict=True)
    ]


def _cell(value: Any, layout: Layout) -> Any:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    text = value if isinstance(value, str) else joined(value, layout.join)
    return guarded(text) if layout.guard else text


def _time(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _range(source: ExportSource, options: Mapping[str, Any], previous: Mapping[str, Any], started: datetime) -> Range:
    """From the last run on, or from the beginning; days that are chosen bound it. Raises InputError."""
    since, before = _day(options, "start_date"), _day(options, "end_date")
    if since is not None and before is not None and since >= before:
        raise InputError(
            "The days to export end before they begin.", advice="Choose a later end, which is not included itself."
        )
    last = datetime.fromisoformat(previous["at"]) if previous else None
    begin = max((one for one in (since, last) if one is not None), default=None)
    return Range(
        after=int(previous.get("until", 0)),
        until=source.newest_event(),
        since=since,
        before=before,
        begin=begin,
        end=started if before is None else min(started, before),
    )


def _day(options: Mapping[str, Any], name: str) -> datetime | None:
    """The first moment of the day that an option names, in the zone of the job. Raises InputError."""
    typed = str(options.get(name) or "")
    if not typed:
        return None
    try:
        day = datetime.combine(date.fromisoformat(typed), time())
    except ValueError as error:
        raise InputError(f"“{typed}” is no day.", advice="Write it as 2026-01-31.") from error
    zone = zone_of(str(options.get("timezone") or ""))
    return day.astimezone(UTC) if zone is None else day.replace(tzinfo=zone).astimezone(UTC)


def _streams(options: Mapping[str, Any]) -> list[str]:
    return [str(name) for name in options.get("streams") or ()]


def _layout(options: Mapping[str, Any]) -> Layout:
    return Layout(
        columns=(),
        audiences=(),
        delimiter=chosen_delimiter(options),
        join=JOIN if options.get("join") is None else str(options["join"]),
        header=bool(options.get("write_headers", True)),
        guard=bool(options.get("formula_guard", True)),
        name=str(options.get("filename") or DEFAULT_NAME),
        folder=str(options.get("directory") or ""),
        time_format=str(options.get("time_format") or ""),
        zone=str(options.get("timezone") or ""),
        packing=chosen_packing(options),
        max_bytes=whole_number(options, "max_bytes", "size of a file"),
        write_empty=bool(options.get("write_empty", True)),
    )


def _names(layout: Layout, span: Range, wrapping: Wrapping, job_name: str, job_id: str) -> Names:
    zone, form = zone_of(layout.zone), layout.time_format or DAY
    end = time_text(span.end, form, zone)
    values = {
        "TIMESTAMP": end if span.begin is None else f"{time_text(span.begin, form, zone)}-{end}",
        "date_time": end,
        "job": job_name,
        "WORKID": job_id,
    }
    return Names(layout.name, values, extension=".csv", packings=wrapping.endings, folder=layout.folder)
