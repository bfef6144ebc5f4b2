"""What Acoustic Campaign does: it writes contacts and what they did to files for us, and takes in files of people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from connectors.acoustic.api import TEXT_COLUMN, YES_NO_COLUMN, Api, DataJob, open_files, signed_in
from connectors.kit.contexts import Adjusted
from connectors.kit.errors import InputError
from connectors.kit.files.exporting import export_people, people_names, preview_export
from connectors.kit.files.importing import import_files
from connectors.kit.files.layout import (
    Audiences,
    Column,
    FieldValue,
    Finished,
    Layout,
    Made,
    Membership,
    header_of,
    require_field,
    standard_layout,
)
from connectors.kit.files.naming import time_text, zone_of
from connectors.kit.files.splitting import Wrapping
from connectors.kit.places.base import Place
from connectors.kit.times import EPOCH, parse_time
from connectors.kit.types import (
    Account,
    Batch,
    Choice,
    Credentials,
    ExportContext,
    ExportSource,
    ImportContext,
    Preview,
    ProfileField,
)

ASKED = "MM/DD/YYYY HH:mm:ss"
"""How Acoustic wants times."""
LATE = timedelta(minutes=15)
"""Events younger than this may not be in Acoustic's records yet; the next run has them."""
OVERLAP = timedelta(days=1)
"""So much earlier than the last run contacts are asked for: reading one twice does no harm, missing one does."""
UPLOAD = "upload"
RECIPIENT_ID = "RECIPIENT_ID"
TIME = "Event Timestamp"
ACTIONS = {(True, True): "ADD_AND_UPDATE", (True, False): "ADD_ONLY", (False, True): "UPDATE_ONLY"}


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """Acoustic's SFTP server."""
    return open_files(credentials)


async def check(credentials: Credentials) -> Account:
    """Get a token, and sign in to the SFTP server."""
    async with signed_in(credentials):
        pass
    with closing(open_files(credentials)) as place:
        place.list("")
    return Account(f"{credentials.settings['sftp_user']} in pod {credentials.settings['pod']}")


async def list_sources(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The sources of the chosen type, by name."""
    return await _sources(credentials, str(options.get("source_type") or "database"))


async def list_databases(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The databases, by name."""
    return await _sources(credentials, "database")


async def _sources(credentials: Credentials, kind: str) -> list[Choice]:
    async with signed_in(credentials) as api:
        return [Choice(number, f"{name} ({number})") for number, name in await api.sources(kind)]


# imports


async def contacts_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The contacts of a source; in later runs those that were changed since."""

    async def ask(api: Api, since: datetime | None, until: datetime) -> DataJob:
        begin = None if since is None else _asked(since - OVERLAP, context.options)
        return await api.export_contacts(_source(context.options), begin)

    async for batch in _import(context, datetime.now(UTC), ask):
        yield _with(batch, {"list": _source(context.options)})


async def activity_import(context: ImportContext) -> AsyncIterator[Batch]:
    """What the contacts of a source did: from the chosen day on, in later runs since the last one."""
    options = context.options

    async def ask(api: Api, since: datetime | None, until: datetime) -> DataJob:
        begin = _first_day(options, until) if since is None else _asked(since + timedelta(seconds=1), options)
        children = options.get("source_type", "database") == "database"
        return await api.export_activity(_source(options), begin, _asked(until, options), children=children)

    zone = _zone(options)
    async for batch in _import(context, datetime.now(UTC) - LATE, ask):
        if TIME in batch.columns:
            batch.times = [_moment(parse_time(record[TIME]), zone) for record in batch.records]
        yield _with(batch, {"list_id": _source(options)}, event=True)


Ask = Callable[[Api, datetime | None, datetime], Awaitable[DataJob]]
"""Asks for a file with what is new since a time, until another one."""


async def _import(context: ImportContext, until: datetime, ask: Ask) -> AsyncIterator[Batch]:
    """Have a file written, fetch and read it. An interrupted run goes on with the file that it asked for."""
    cursor = context.cursor or {}
    asked: dict[str, Any] | None = cursor.get("asked")
    async with signed_in(context.credentials, context) as api:
        if asked is None:
            before = (context.previous or {}).get("asked")
            since = None if before is None else datetime.fromisoformat(before["until"])
            until = until.replace(microsecond=0)
            job = await ask(api, since, until)
            asked = {"job": asdict(job), "until": until.isoformat()}
            yield Batch([], {"asked": asked})
        job = DataJob(**asked["job"])
        await api.finished(job, lambda: context.progress(0, None, "bytes", f"Waiting for Acoustic's job {job.number}"))
    options = {
        "filename": job.file, "delimiter": ",", "encoding": "utf-8", "identifiers": (),
    }  # fmt: skip
    reading = Adjusted(context, options, cursor.get("read"), None)
    async for batch in import_files(reading, lambda: open_files(context.credentials), "csv"):
        batch.cursor = {"asked": asked, "read": batch.cursor}
        yield batch


def _with(batch: Batch, more: Mapping[str, str], *, event: bool = False) -> Batch:
    """A batch whose records have some more in them; with `event` also the event's kind as one word."""
    for record in batch.records:
        record.update(more)
        if event:
            record["event"] = str(record.get("Event Type", "")).strip().lower().replace(" ", "_")
    if batch.columns:
        batch.columns = tuple(dict.fromkeys((*batch.columns, *more, *(("event",) if event else ()))))
    return batch


def _source(options: Mapping[str, Any]) -> str:
    return str(options["silverpop_database"]).strip()


def _asked(moment: datetime, options: Mapping[str, Any]) -> str:
    return time_text(moment, ASKED, _zone(options))


def _zone(options: Mapping[str, Any]) -> tzinfo | None:
    return zone_of(str(options.get("timezone") or "UTC"))


def _first_day(options: Mapping[str, Any], until: datetime) -> str:
    typed = str(options.get("activity_start") or "").strip()
    if not typed:
        return _asked(until - timedelta(days=365), options)
    day = parse_time(typed)
    if day is None:
        raise InputError(f"“{typed}” is no day to begin with.", advice="Write it like 2026-01-31.")
    return time_text(EPOCH + timedelta(microseconds=day), ASKED, UTC)


def _moment(time: int | None, zone: tzinfo | None) -> int | None:
    """A time that was read as if it was in UTC but is one of another zone."""
    if time is None:
        return None
    local = (EPOCH + timedelta(microseconds=time)).replace(tzinfo=zone)
    return int(local.timestamp()) * 1_000_000


# exports


async def people_export(context: ExportContext) -> None:
    """Everybody in the audiences, matched by some of their fields."""
    await _export(context, _people_layout(context.source, context.options), _action(context.options))


async def people_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _people_layout(source, options))


async def recipients_export(context: ExportContext) -> None:
    """Everybody in the audiences who has a Recipient ID."""
    await _export(context, _recipients_layout(context.source, context.options), "UPDATE_ONLY")


async def recipients_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _recipients_layout(source, options))


def _people_layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    matched = _named(options, "sync_fields")
    if not matched:
        raise InputError("No field matches people.", advice="Choose at least one under Sync fields.")
    return _layout(source, options, matched)


def _recipients_layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    return _layout(source, options, {str(options["recipient_id"]): RECIPIENT_ID})


def _layout(source: ExportSource, options: Mapping[str, Any], matched: Mapping[str, str]) -> Layout:
    base = standard_layout(source, options)
    known = {field.name: field for field in source.fields}
    named = {**matched, **{field: name for field, name in _named(options, "mappings").items() if field not in matched}}
    columns = [_value(require_field(known, field), name) for field, name in named.items()]
    return replace(
        base,
        columns=(*columns, *_audience_columns(source, options, base.audiences)),
        needed=tuple(matched),
        folder=UPLOAD,
        name="{segment_slug}_{TIMESTAMP}",
        time_format="YYYYMMDDHHmmss",
        guard=False,
        write_empty=False,
    )


def _named(options: Mapping[str, Any], name: str) -> dict[str, str]:
    """An option that says which column a field goes to. Raises InputError for one without."""
    found = {str(field): str(column).strip() for field, column in dict(options.get(name) or {}).items()}
    if not all(found.values()):
        raise InputError("A field has no column in Acoustic.", advice="Give each field the name of its column.")
    return found


def _value(field: ProfileField, header: str) -> Column:
    if field.kind == "date":
        return Made(header, (FieldValue(field.name),), _day)
    return FieldValue(field.name, header)


def _day(text: str) -> str:
    """A day as Acoustic's columns of dates have it: 01/31/2026."""
    return f"{text[5:7]}/{text[8:10]}/{text[:4]}" if len(text) >= 10 else text


def _audience_columns(source: ExportSource, options: Mapping[str, Any], audiences: Iterable[str]) -> list[Column]:
    single = _single(options)
    if not single:
        return [Membership(source.audience(one).slug, one, "Yes", "No") for one in audiences]
    empty = str(options.get("single_segment_empty_string") or "")
    return [Made(single, (Audiences(single, tuple(audiences), "slug"),), lambda text: text or empty)]


def _single(options: Mapping[str, Any]) -> str:
    return str(options.get("single_segment_field") or "").strip()


def _action(options: Mapping[str, Any]) -> str:
    wished = bool(options.get("add_contacts", True)), bool(options.get("update_existing", True))
    if wished not in ACTIONS:
        raise InputError("Nothing is to be done.", advice="Let contacts be created, updated, or both.")
    return ACTIONS[wished]


async def _export(context: ExportContext, layout: Layout, action: str) -> None:
    """Upload the people and how their columns are meant, and have them taken in.

    A run that is killed goes on with what it had begun: the same files, the same data job.
    """
    database = str(context.options["silverpop_database"]).strip()
    job = (context.cursor or {}).get("job")
    async with signed_in(context.credentials, context) as api:
        if job is None:
            await _add_columns(api, context, database, layout)
            matched = [header_of(one) for one in layout.columns[: len(layout.needed)]]
            mapping = _mapping(database, action, [header_of(one) for one in layout.columns], matched)

            def follow(file: Finished) -> tuple[str, bytes]:
                return _map_name(file.name), mapping

            await export_people(context, lambda: open_files(context.credentials), replace(layout, follow=follow))
            path = people_names(
                context.source, layout, Wrapping(layout.packing, ""), context.started, job_name=context.job_name,
                job_id=str(context.job_id),
            ).path()  # fmt: skip
            if not _is_there(context.credentials, path):
                return
            name = path.rpartition("/")[2]
            job = asdict(await api.import_list(_map_name(name), name))
            context.save({"job": job})
        number = job["number"]
        told = await api.finished(
            DataJob(**job), lambda: context.progress(0, None, "people", f"Waiting for Acoustic's job {number}")
        )
    _tell(context, number, told)


async def _add_columns(api: Api, context: ExportContext, database: str, layout: Layout) -> None:
    """Add the columns for audiences that the database does not have yet."""
    there = {name.casefold() for name in await api.columns(database)}
    single = _single(context.options)
    audiences = [one.header for one in layout.columns if isinstance(one, Membership)]
    for header in [single] if single else audiences:
        if header.casefold() not in there:
            await api.add_column(database, header, TEXT_COLUMN if single else YES_NO_COLUMN)
            context.log(f"Acoustic's database {database} got the column {header}.")


def _mapping(database: str, action: str, columns: list[str], matched: list[str]) -> bytes:
    """The file that says which column is which."""
    root = Element("LIST_IMPORT")
    about = SubElement(root, "LIST_INFO")
    by_id = matched == [RECIPIENT_ID]
    told = {"ACTION": action, "LIST_ID": database, "FILE_TYPE": "0", "HASHEADERS": "true"}
    for name, text in (told | ({"USE_RECIPIENT_ID": "true"} if by_id else {})).items():
        SubElement(about, name).text = text
    if not by_id:
        fields = SubElement(root, "SYNC_FIELDS")
        for name in matched:
            SubElement(SubElement(fields, "SYNC_FIELD"), "NAME").text = name
    mapping = SubElement(root, "MAPPING")
    for index, name in enumerate(columns, 1):
        column = SubElement(mapping, "COLUMN")
        for tag, text in {"INDEX": str(index), "NAME": name, "INCLUDE": "true"}.items():
            SubElement(column, tag).text = text
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _map_name(name: str) -> str:
    return f"{name.removesuffix('.csv')}_map.xml"


def _is_there(credentials: Credentials, path: str) -> bool:
    """Whether a file was uploaded: without people there is none."""
    with closing(open_files(credentials)) as place:
        return path in [entry.path for entry in place.list(UPLOAD)]


def _tell(context: ExportContext, number: str, told: Mapping[str, str]) -> None:
    """What became of the people, as Acoustic counts them."""
    counts = [("SQL_ADDED", "created"), ("SQL_UPDATED", "updated"), ("BAD_RECORDS", "rejected")]
    said = [f"{int(told[name]):,} {word}" for name, word in counts if told.get(name, "").isdigit()]
    context.log(f"Acoustic's data job {number} is done{': ' + ', '.join(said) if said else ''}.")
    bad = int(told["BAD_RECORDS"]) if told.get("BAD_RECORDS", "").isdigit() else 0
    if bad:
        where = told.get("ERROR_FILE_NAME", "")
        context.log(
            f"Acoustic rejected {bad:,} people{f'; {where} in its folder download says why' if where else ''}.",
            "warning",
        )
