"""People and events as files in a place.

What a run writes lies whole, packed and encrypted in its scratch folder before anything is sent. So a receiver never
sees half a file, sizes and sums are known beforehand, and a run that is killed at whatever moment sends the rest of the
very same files under the very same names when it goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.kit.files.cells import request_of, text_of
from connectors.kit.files.layout import JOIN, FieldValue, Finished, Layout, header_of
from connectors.kit.files.naming import DAY, SECOND, Names, time_text, zone_of
from connectors.kit.files.sending import PUBLIC_KEY, OpenPlace, Outgoing, empty_scratch, outgoing, prepared, send_all
from connectors.kit.files.splitting import Part, Parts, Wrapping, sums
from connectors.kit.files.tables import Table, further_fields, tables_of
from connectors.kit.places.disk import not_written
from connectors.kit.types import ExportContext, ExportSource, Preview, PreviewColumn

PREVIEW_ROWS, PREVIEW_PEOPLE = 100, 100
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
Tell = Callable[[int, int | None], None]
"""Called with people written and people in all."""


async def export_people(context: ExportContext, open_place: OpenPlace, layout: Layout) -> None:
    """Write the people of a layout's audiences and send the files. Raises ConnectorError."""
    files = prepared(context)
    if files is None:
        # A place that can't be reached or written is better known before a million people are read.
        open_place().close()
        files = _people_files(context, layout)
    send_all(context, open_place, files)


def preview_export(source: ExportSource, layout: Layout, *, now: datetime | None = None) -> Preview:
    """The first rows as they will be in the file, its name, and how many people are in it.

    Nothing is known of the job and its authorization yet: {job} and {WORKID} stay in the name, and the file is not
    encrypted.
    """
    wrapping = Wrapping(layout.packing)
    names = people_names(source, layout, wrapping, now or datetime.now(UTC), job_name="{job}", job_id="{WORKID}")
    table, *others = tables_of(layout, source)
    request = request_of(layout, further_fields(layout, source))
    rows: list[tuple[str, ...]] = []
    # Whom a limit would choose, chance decides in the run.
    batches = source.people(layout.audiences, request.fields, memberships=request.memberships)
    for batch in batches:
        people = request.people(_with_needed(batch, request.fields, layout)[:PREVIEW_PEOPLE])
        rows += [tuple(map(text_of, row)) for row in table.rows(people)]
        if len(rows) >= PREVIEW_ROWS:
            break
    kinds = {one.name: one.kind for one in source.fields}
    samples = rows[0] if rows else ("",) * len(table.headers)
    of = {header_of(one): kinds[one.field] for one in layout.columns if isinstance(one, FieldValue)}
    total = source.count(layout.audiences)
    return Preview(
        columns=tuple(
            PreviewColumn(name, sample, of.get(name, "text"))
            for name, sample in zip(table.headers, samples, strict=True)
        ),
        rows=tuple(rows[:PREVIEW_ROWS]),
        summary=_summary(layout),
        notes=tuple(f"A further file has {other.name}, a row for each of its values." for other in others),
        file=names.path(),
        total=total if layout.limit is None else min(total, layout.limit),
    )


@dataclass(frozen=True, slots=True)
class Written:
    """The parts of a table that were written."""

    table: Table
    parts: list[Part]


def write_people(
    source: ExportSource, layout: Layout, stem: Path, wrapping: Wrapping, member: str, tell: Tell
) -> tuple[list[Written], int]:
    """Write the tables of a layout to files beside `stem`, and how many people lacked a field that is needed.

    `member` is what the first table's file is called in an archive. Raises InputError.
    """
    request = request_of(layout, further_fields(layout, source))
    tables = tables_of(layout, source)
    total = source.count(layout.audiences)
    total = total if layout.limit is None else min(total, layout.limit)
    done = lacking = 0
    with ExitStack() as stack:
        name, dot, ending = member.rpartition(".")
        parts = [
            stack.enter_context(
                Parts(
                    stem.with_name(f"{stem.name}-{number}"),
                    wrapping,
                    f"{name}_{table.name}{dot}{ending}" if table.name else member,
                    table.head,
                    layout.max_bytes,
                )
            )
            for number, table in enumerate(tables)
        ]
        for batch in source.people(
            layout.audiences, request.fields, memberships=request.memberships, limit=layout.limit
        ):
            rows = _with_needed(batch, request.fields, layout)
            lacking += len(batch) - len(rows)
            people = request.people(rows)
            for table, file in zip(tables, parts, strict=True):
                file.write(table.lines(table.rows(people)))
            done += len(batch)
            tell(done, total)
        written = [
            Written(table, file.finish(write_empty=layout.write_empty))
            for table, file in zip(tables, parts, strict=True)
        ]
    return written, lacking


def people_names(
    source: ExportSource, layout: Layout, wrapping: Wrapping, moment: datetime, *, job_name: str, job_id: str
) -> Names:
    """The names of the files that a run makes at a moment. Raises InputError for a pattern that makes none."""
    audiences = [source.audience(identity) for identity in layout.audiences]
    zone = zone_of(layout.zone)
    values = {
        "segment_slug": "-".join(one.slug for one in audiences),
        "segment_name": ", ".join(one.name for one in audiences),
        "date_time": time_text(moment, layout.time_format or SECOND, zone),
        "TIMESTAMP": time_text(moment, layout.time_format or DAY, zone),
        "job": job_name,
        "WORKID": job_id,
    }
    return Names(
        layout.name, values | dict(layout.values), extension=layout.extension, packings=wrapping.endings,
        folder=layout.folder,
    )  # fmt: skip


def _people_files(context: ExportContext, layout: Layout) -> list[Outgoing]:
    """Write everything; the files to send, in their order."""
    wrapping = Wrapping(layout.packing, context.credentials.settings.get(PUBLIC_KEY, ""))
    names = people_names(
        context.source, layout, wrapping, context.started, job_name=context.job_name, job_id=str(context.job_id)
    )
    stem = empty_scratch(context) / "people"

    def tell(done: int, total: int | None) -> None:
        context.progress(done, total, "people", "Writing")

    written, lacking = write_people(context.source, layout, stem, wrapping, names.member(), tell)
    if lacking:
        needed = " and ".join(layout.needed)
        people = "1 person has" if lacking == 1 else f"{lacking:,} people have"
        context.log(f"{people} no {needed} and {'is' if lacking == 1 else 'are'} left out.", "warning")
    if not any(part.rows for one in written for part in one.parts):
        told = "an empty file is written" if layout.write_empty else "no file is written"
        context.log(f"Nobody is to be exported; {told}.")
    files: list[Outgoing] = []
    for one in written:
        several = len(one.parts) > 1
        for number, part in enumerate(one.parts, 1):
            path = names.path(one.table.name, number if several else 0)
            files.append(outgoing(part.local, path, part.rows, table=_is_table(layout, wrapping)))
            if layout.follow is not None:
                files.append(_follower(layout, files[-1], part.local))
    return files


def _follower(layout: Layout, file: Outgoing, local: Path) -> Outgoing:
    """What the layout wants after a file."""
    assert layout.follow is not None
    folder, slash, name = file.path.rpartition("/")
    size, md5, sha256 = sums(local)
    follows, data = layout.follow(Finished(name, size, md5, sha256, file.rows))
    target = local.with_name(f"{local.name}.follows")
    try:
        target.write_bytes(data)
    except OSError as error:
        raise not_written(error, target) from error
    return outgoing(target, f"{folder}{slash}{follows}", 0)


def _with_needed(batch: list[tuple[Any, ...]], fields: tuple[str, ...], layout: Layout) -> list[tuple[Any, ...]]:
    """Those who have what the layout needs of everybody."""
    places = [fields.index(name) for name in layout.needed]
    return [row for row in batch if all(row[place] not in (None, "") for place in places)] if places else batch


def _is_table(layout: Layout, wrapping: Wrapping) -> bool:
    """Whether rows can be taken out of the file by the values under its field names."""
    plain = all(not isinstance(one, FieldValue) or one.header in ("", one.field) for one in layout.columns)
    return (
        plain
        and not wrapping.endings
        and (layout.form, layout.delimiter, layout.header, layout.join) == ("csv", ",", True, JOIN)
        and layout.quoting != "never"
    )


def _summary(layout: Layout) -> tuple[str, ...]:
    if layout.form == "json":
        told = ["JSON lines"]
    else:
        told = [DELIMITERS.get(layout.delimiter, layout.delimiter), "header" if layout.header else "no header"]
    return ("UTF-8", *told, *(() if layout.packing == "none" else (layout.packing,)))
