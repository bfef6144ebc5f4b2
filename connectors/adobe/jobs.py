"""What Adobe does: its products take up files of people from an SFTP folder, and put files of events there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.errors import InputError
from connectors.kit.files import importing
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.importing import import_files, preview_file
from connectors.kit.files.layout import Audiences, FieldValue, Layout, Made, require_field, standard_layout
from connectors.kit.places.base import Place
from connectors.kit.places.sftp_account import check_sftp_account as check_sftp_account
from connectors.kit.places.sftp_account import open_sftp
from connectors.kit.types import Batch, Choice, Credentials, ExportContext, ExportSource, ImportContext, Preview

_BETWEEN = "\x1f"
"""Stands between several values until each gets a pair of its own."""
_PLAIN = str.maketrans({'"': "'", "\t": " ", "\r": " ", "\n": " "})
"""Quotes end a value, and there is no way to write one in it."""


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The folder of an authorization, connected."""
    return open_sftp(credentials)


async def list_files(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Files and folders below `path`, folders first, then the newest file first."""
    return importing.list_files(lambda: open_place(credentials, options), path)


async def list_folders(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Folders below `path`."""
    return importing.list_folders(lambda: open_place(credentials, options), path)


async def list_prefixes(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """What the names of further files may begin with."""
    return importing.list_prefixes(options)


async def analytics_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first rows of a file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), "csv")


async def analytics_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The rows of a file of Analytics, or of a series of them."""
    async for batch in import_files(context, lambda: open_sftp(context.credentials), "csv"):
        yield batch


async def people_export(context: ExportContext) -> None:
    """The people of an audience as a CSV file."""
    await export_people(context, lambda: open_sftp(context.credentials), _csv_layout(context.source, context.options))


async def people_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _csv_layout(source, options))


async def traits_export(context: ExportContext) -> None:
    """The people of audiences as an inbound file of Audience Manager."""
    await export_people(
        context, lambda: open_sftp(context.credentials), _traits_layout(context.source, context.options)
    )


async def traits_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _traits_layout(source, options))


def _csv_layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    return replace(standard_layout(source, options), guard=False)


def _traits_layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    """A file as Adobe describes it in “Inbound Data File Contents” and “FTP Name and File Size Requirements for
    Inbound Data Files”: a user's ID, a tab, and pairs with quotes and commas."""
    base = standard_layout(source, options)
    known = {field.name: field for field in source.fields}
    identifier = require_field(known, str(options["identifier_field"])).name
    named = {str(field): str(key).strip() for field, key in dict(options.get("fields_mapping") or {}).items()}
    if not all(named.values()):
        raise InputError("A field has no key.", advice="Give each field the key that your trait rules look at.")
    told: tuple[FieldValue | Audiences, ...] = (
        *(FieldValue(require_field(known, field).name, key, _BETWEEN) for field, key in named.items()),
        Audiences(str(options.get("audience_key") or "audience"), base.audiences, "slug", _BETWEEN),
    )
    keys = [column.header.translate(_PLAIN) for column in told]

    def pairs(*texts: str) -> str:
        values = ((key, value) for key, text in zip(keys, texts, strict=True) for value in text.split(_BETWEEN))
        return ",".join(f'"{key}"="{value.translate(_PLAIN)}"' for key, value in values if value)

    ids = [_number(options, "data_source", "data source"), _number(options, "target", "data source of your own")]
    ending = "overwrite" if options.get("mode") == "overwrite" else "sync"
    return replace(
        base,
        columns=(FieldValue(identifier), Made("pairs", told, pairs)),
        needed=(identifier,),
        delimiter="\t",
        header=False,
        quoting="never",
        line_end="\n",
        guard=False,
        name=f"ftp_dpm_{'_'.join(filter(None, ids))}_{{TIMESTAMP}}.{ending}" + (".{part}" if base.max_bytes else ""),
        extension="",
        time_format="unix",
    )


def _number(options: Mapping[str, Any], name: str, what: str) -> str:
    text = str(options.get(name) or "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise InputError(f"“{text}” is no number of a {what}.", advice="Copy it from Audience Manager: only digits.")
    return text
