"""What Google Cloud Storage does: check an account, list its files, import them, export people and events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from typing import Any, Literal

from connectors.kit.files import importing
from connectors.kit.files.events import export_events, preview_events
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.importing import import_files, preview_file
from connectors.kit.files.layout import standard_layout
from connectors.kit.places.object_store import ObjectPlace
from connectors.kit.places.object_store_gcs import open_gcs, service_account
from connectors.kit.types import (
    Account,
    Batch,
    Choice,
    Credentials,
    ExportContext,
    ExportSource,
    ImportContext,
    Preview,
)


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> ObjectPlace:
    """The bucket of a job, or all buckets of the project where none is chosen."""
    return open_gcs(
        credentials.secrets.get("cert_json", ""),
        str(options.get("bucket") or options.get("bucket_name") or ""),
        project=str(options.get("project") or "").strip(),
        address=credentials.settings.get("api_address", ""),
    )


async def check(credentials: Credentials) -> Account:
    """Sign in, and ask for the buckets; accounts that may not list them are good all the same."""
    with closing(open_place(credentials, {})) as place:
        place.reach()
    return Account(str(service_account(credentials.secrets["cert_json"])["client_email"]))


def _to(context: ExportContext) -> ObjectPlace:
    """Where an export goes, known to be there before anything is written for it."""
    return open_place(context.credentials, context.options).reached()


async def list_buckets(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The buckets of the account, by name."""
    with closing(open_place(credentials, {**options, "bucket": "", "bucket_name": ""})) as place:
        return [Choice(entry.name, entry.name) for entry in place.list()]


async def list_files(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Files and folders below `path`, folders first, then the newest file first."""
    return importing.list_files(lambda: open_place(credentials, options), path)


async def list_folders(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Folders below `path`."""
    return importing.list_folders(lambda: open_place(credentials, options), path)


async def list_prefixes(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """What the names of further files may begin with."""
    return importing.list_prefixes(options)


def _form(options: Mapping[str, Any]) -> Literal["csv", "json"]:
    return "json" if options.get("file_type") == "json" else "csv"


async def files_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first rows or objects of a file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), _form(options))


async def files_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The rows or objects of a file, or of a series of files."""
    form = _form(context.options)
    async for batch in import_files(context, lambda: open_place(context.credentials, context.options), form):
        yield batch


async def csv_export(context: ExportContext) -> None:
    """The people of an audience as a CSV file."""
    await export_people(context, lambda: _to(context), standard_layout(context.source, context.options))


async def csv_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the CSV file."""
    return preview_export(source, standard_layout(source, options))


async def event_export(context: ExportContext) -> None:
    """The events of streams as a CSV file."""
    await export_events(context, lambda: _to(context))


async def event_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first events as they will be in the CSV file."""
    return preview_events(source, options)
