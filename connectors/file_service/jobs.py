"""What File Service does: check an account, list files, import a file or a series of them, export people and events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from connectors.kit.files import importing
from connectors.kit.files.events import export_events, preview_events
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.importing import import_files, preview_file
from connectors.kit.files.layout import standard_layout
from connectors.kit.pgp.keys import check_private_key, check_public_key
from connectors.kit.places.base import Place
from connectors.kit.places.local import LocalFolder
from connectors.kit.places.sftp_account import check_sftp_account, open_sftp
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


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The folder of an authorization, connected."""
    if credentials.method.startswith("file-service-folder"):
        return LocalFolder(credentials.settings["folder"])
    return open_sftp(credentials)


def _check_key(credentials: Credentials) -> None:
    """Look at the PGP key of an authorization, if it has one. Raises InputError."""
    if private_key := credentials.secrets.get("pgpprivatekey"):
        check_private_key(private_key, credentials.secrets.get("pgppassphrase") or None)
    if public_key := credentials.settings.get("pgppublickey"):
        check_public_key(public_key)


async def check_sftp(credentials: Credentials) -> Account:
    """Sign in, look into the folder, and at the PGP key."""
    _check_key(credentials)
    return await check_sftp_account(credentials)


async def check_folder(credentials: Credentials) -> Account:
    """Look into the folder, and at the PGP key."""
    _check_key(credentials)
    with closing(open_place(credentials, {})) as place:
        place.list("")
    return Account(str(Path(credentials.settings["folder"]).expanduser()))


async def list_files(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Files and folders below `path`, folders first, then the newest file first."""
    return importing.list_files(lambda: open_place(credentials, options), path)


async def list_folders(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Folders below `path`."""
    return importing.list_folders(lambda: open_place(credentials, options), path)


async def list_prefixes(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """What the names of further files may begin with."""
    return importing.list_prefixes(options)


async def list_members(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The files in the chosen archive."""
    return importing.list_members(credentials, options, lambda: open_place(credentials, options))


async def csv_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first rows of a CSV file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), "csv")


async def json_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first records of a JSON file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), "json")


async def csv_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The rows of a CSV file, or of a series of them."""
    async for batch in import_files(context, lambda: open_place(context.credentials, context.options), "csv"):
        yield batch


async def json_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The objects of a JSON file, or of a series of them."""
    async for batch in import_files(context, lambda: open_place(context.credentials, context.options), "json"):
        yield batch


async def csv_export(context: ExportContext) -> None:
    """The people of an audience as a CSV file."""
    layout = standard_layout(context.source, context.options)
    await export_people(context, lambda: open_place(context.credentials, context.options), layout)


async def csv_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the CSV file."""
    return preview_export(source, standard_layout(source, options))


async def json_export(context: ExportContext) -> None:
    """The people of an audience as JSON, one in each line."""
    layout = standard_layout(context.source, context.options, "json")
    await export_people(context, lambda: open_place(context.credentials, context.options), layout)


async def json_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first people as they will be in the JSON file."""
    return preview_export(source, standard_layout(source, options, "json"))


async def event_export(context: ExportContext) -> None:
    """The events of streams as a CSV file."""
    await export_events(context, lambda: open_place(context.credentials, context.options))


async def event_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first events as they will be in the CSV file."""
    return preview_events(source, options)
