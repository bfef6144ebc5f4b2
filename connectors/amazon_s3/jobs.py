"""What Amazon S3 does: check an account, list its files, import them, export people and events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from connectors.kit.files import importing
from connectors.kit.files.events import export_events, preview_events
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.importing import import_files, preview_file
from connectors.kit.files.layout import Form, Layout, standard_layout
from connectors.kit.places.object_store import ObjectPlace
from connectors.kit.places.s3_account import check_s3_account as check_s3_account
from connectors.kit.places.s3_account import list_s3_buckets, open_s3_account, reach_s3_account
from connectors.kit.types import (
    Batch,
    Choice,
    Credentials,
    ExportContext,
    ExportSource,
    ImportContext,
    Preview,
)


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> ObjectPlace:
    """The bucket of a job, or all buckets of the account where none is chosen."""
    return open_s3_account(credentials, options)


def _to(context: ExportContext) -> ObjectPlace:
    return reach_s3_account(context.credentials, context.options)


async def list_buckets(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The buckets of the account, by name."""
    return await list_s3_buckets(credentials, options, path)


async def list_files(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Files and folders below `path`, folders first, then the newest file first."""
    return importing.list_files(lambda: open_place(credentials, options), path)


async def list_folders(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Folders below `path`."""
    return importing.list_folders(lambda: open_place(credentials, options), path)


async def list_prefixes(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """What the names of further files may begin with."""
    return importing.list_prefixes(options)


async def csv_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first rows of a CSV file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), "csv")


async def csv_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The rows of a CSV file, or of a series of them."""
    async for batch in import_files(context, lambda: open_place(context.credentials, context.options), "csv"):
        yield batch


async def json_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first records of a JSON file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), "json")


async def json_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The objects of a JSON file, or of a series of them."""
    async for batch in import_files(context, lambda: open_place(context.credentials, context.options), "json"):
        yield batch


def _layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    return standard_layout(source, options, cast(Form, str(options.get("filetype") or "csv")))


async def audience_export(context: ExportContext) -> None:
    """The people of an audience as CSV, as several CSV files, or as JSON."""
    await export_people(context, lambda: _to(context), _layout(context.source, context.options))


async def audience_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the first file."""
    return preview_export(source, _layout(source, options))


async def event_export(context: ExportContext) -> None:
    """The events of streams as a CSV file."""
    await export_events(context, lambda: _to(context))


async def event_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first events as they will be in the CSV file."""
    return preview_events(source, options)
