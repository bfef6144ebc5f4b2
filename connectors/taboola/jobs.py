"""What Taboola does: it takes up files of its own ids and the audiences behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.files import importing
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.layout import Audiences, FieldValue, Layout, require_field, standard_layout
from connectors.kit.places.base import Place
from connectors.kit.places.s3_account import check_s3_account as check_s3_account
from connectors.kit.places.s3_account import list_s3_buckets, open_s3_account, reach_s3_account
from connectors.kit.types import Choice, Credentials, ExportContext, ExportSource, Preview


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The bucket of a job, or all buckets of the account where none is chosen."""
    return open_s3_account(credentials, options)


async def list_buckets(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The buckets of the account, by name."""
    return await list_s3_buckets(credentials, options, path)


async def list_folders(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Folders below `path`."""
    return importing.list_folders(lambda: open_place(credentials, options), path)


async def people_export(context: ExportContext) -> None:
    """Everybody in the audiences who has a Taboola id, with the names of the audiences."""
    layout = _layout(context.source, context.options)
    await export_people(context, lambda: reach_s3_account(context.credentials, context.options), layout)


async def people_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _layout(source, options))


def _layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    base = standard_layout(source, options)
    wanted = str(options.get("identifier_field") or "taboola_id")
    identifier = require_field({field.name: field for field in source.fields}, wanted).name
    return replace(
        base,
        # Nobody documents the headers; these are the words that the descriptions use.
        columns=(FieldValue(identifier, "taboola id"), Audiences("audiences", base.audiences, "name")),
        needed=(identifier,),
        guard=False,
    )
