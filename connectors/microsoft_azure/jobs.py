"""What Microsoft Azure does with Blob Storage: check an account, list and import files, export people and events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, Literal

from connectors.kit.files import importing
from connectors.kit.files.events import export_events, preview_events
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.importing import import_files, preview_file
from connectors.kit.files.layout import DEFAULT_NAME, Layout, standard_layout
from connectors.kit.places.object_store import ObjectPlace
from connectors.kit.places.object_store_azure import account, open_azure
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
    """The container of a job, or all containers of the account where none is chosen."""
    return open_azure(credentials.secrets.get("connection_string", ""), str(options.get("container") or ""))


async def check(credentials: Credentials) -> Account:
    """Sign in, and ask for the containers; a signature that may not list them is good all the same."""
    with closing(open_place(credentials, {})) as place:
        place.reach()
    return Account(f"storage account {account(credentials.secrets['connection_string'])}")


def _to(context: ExportContext) -> ObjectPlace:
    """Where an export goes, known to be there before anything is written for it."""
    return open_place(context.credentials, context.options).reached()


async def list_containers(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The containers of the account, by name."""
    with closing(open_place(credentials, {**options, "container": ""})) as place:
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


async def csv_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first rows of a CSV file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), "csv")


async def csv_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The rows of a CSV file, or of a series of them."""
    async for batch in import_files(context, lambda: open_place(context.credentials, context.options), "csv"):
        yield batch


def _layout(source: ExportSource, options: Mapping[str, Any], form: Literal["csv", "json"]) -> Layout:
    """What stands before the usual name is an option, and the person's audiences go by another name here."""
    usual = {**options, "export_segments": options.get("include_segs")}
    layout = standard_layout(source, usual, form)
    return replace(layout, name=f"{options.get('file_prefix') or ''}{DEFAULT_NAME}")


async def csv_export(context: ExportContext) -> None:
    """The people of an audience as a CSV file."""
    await export_people(context, lambda: _to(context), _layout(context.source, context.options, "csv"))


async def csv_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the CSV file."""
    return preview_export(source, _layout(source, options, "csv"))


async def json_export(context: ExportContext) -> None:
    """The people of an audience as JSON, one in each line."""
    await export_people(context, lambda: _to(context), _layout(context.source, context.options, "json"))


async def json_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first people as they will be in the JSON file."""
    return preview_export(source, _layout(source, options, "json"))


async def event_export(context: ExportContext) -> None:
    """The events of streams as a CSV file."""
    await export_events(context, lambda: _to(context))


async def event_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first events as they will be in the CSV file."""
    return preview_events(source, options)
