"""What LiveRamp does: it takes in files of people, with a column for each audience or in one of two other forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.errors import InputError
from connectors.kit.files import importing
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.layout import (
    Audiences,
    FieldValue,
    Layout,
    Membership,
    RowAudience,
    added_columns,
    field_columns,
    require_field,
    standard_layout,
    unique_headers,
)
from connectors.kit.places.base import Place
from connectors.kit.places.s3_account import check_s3_account as check_s3_account
from connectors.kit.places.s3_account import list_s3_buckets, open_s3_account, reach_s3_account
from connectors.kit.places.sftp_account import check_sftp_account as check_sftp_account
from connectors.kit.places.sftp_account import open_sftp
from connectors.kit.types import Choice, Credentials, ExportContext, ExportSource, Preview

BUCKET = "liveramp-aws-keys"
"""The authorization that leads to a bucket; the others lead to an SFTP server."""
AUDIENCES = "lytics_audiences"
NAME = "{segment_slug}_{TIMESTAMP}"


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The bucket or folder of an authorization, connected."""
    return open_s3_account(credentials, options) if credentials.method == BUCKET else open_sftp(credentials)


def _to(context: ExportContext) -> Place:
    if context.credentials.method == BUCKET:
        return reach_s3_account(context.credentials, context.options)
    return open_sftp(context.credentials)


async def list_buckets(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The buckets of the account, by name."""
    return await list_s3_buckets(credentials, options, path)


async def list_folders(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Folders below `path`."""
    return importing.list_folders(lambda: open_place(credentials, options), path)


async def people_export(context: ExportContext) -> None:
    """Everybody in the audiences, with a column for each audience."""
    await export_people(context, lambda: _to(context), _people_layout(context.source, context.options))


async def people_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _people_layout(source, options))


async def eu_export(context: ExportContext) -> None:
    """Everybody in the audiences, in the columns that LiveRamp has for Europe."""
    await export_people(context, lambda: _to(context), _eu_layout(context.source, context.options))


async def eu_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _eu_layout(source, options))


async def identifier_export(context: ExportContext) -> None:
    """An identifier and an audience in each row."""
    await export_people(context, lambda: _to(context), _identifier_layout(context.source, context.options))


async def identifier_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _identifier_layout(source, options))


def _people_layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    base = _base(source, options, "unix")
    identifier = _identifier(source, options)
    told = tuple(map(str, options.get("segments") or base.audiences))
    columns = (
        FieldValue(identifier),
        *field_columns(source, options, identifier),
        *(Membership(source.audience(one).slug, one) for one in told),
        *added_columns(options, base.audiences),
    )
    return replace(base, columns=unique_headers(columns), needed=(identifier,))


def _eu_layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    base = _base(source, options, "YYYYMMDD")
    identifier = _identifier(source, options)
    known = {field.name: field for field in source.fields}
    mapped = {str(field): str(name) for field, name in dict(options.get("custom_field_mapping") or {}).items()}
    for name, count in Counter(mapped.values()).items():
        if not name or count > 1:
            raise InputError(
                f"{count} fields go to {name}." if name else "A field has no column of LiveRamp.",
                advice="Choose another column for each field.",
            )
    header = str(options.get("segments_field_name") or "").strip() or AUDIENCES
    return replace(
        base,
        columns=(
            FieldValue(identifier, "CustomerID"),
            *(FieldValue(require_field(known, field).name, name) for field, name in mapped.items()),
            Audiences(header, base.audiences, "name" if options.get("append_segment_name") else "slug"),
        ),
        needed=(identifier,),
    )


def _identifier_layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    identifier = _identifier(source, options)
    return replace(
        _base(source, options, "unix"),
        columns=(FieldValue(identifier, str(options["identifier_type"])), RowAudience(AUDIENCES, "name")),
        row_per_audience=True,
        needed=(identifier,),
    )


def _base(source: ExportSource, options: Mapping[str, Any], time_format: str) -> Layout:
    # A program reads the file, and takes values as they are.
    base = standard_layout(source, options)
    name = str(options.get("filename") or NAME)
    return replace(base, name=name, time_format=base.time_format or time_format, guard=False)


def _identifier(source: ExportSource, options: Mapping[str, Any]) -> str:
    return require_field({field.name: field for field in source.fields}, str(options["identifier_field"])).name
