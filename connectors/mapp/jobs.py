"""What Mapp does: it loads files of people whose columns have Mapp's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.errors import InputError
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.layout import Audiences, FieldValue, Layout, require_field, standard_layout
from connectors.kit.places.base import Place
from connectors.kit.places.sftp_account import check_sftp_account as check_sftp_account
from connectors.kit.places.sftp_account import open_sftp
from connectors.kit.types import Credentials, ExportContext, ExportSource, Preview

MEMBERSHIP = "user.CustomAttribute.SegmentMembership"


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The folder of an authorization, connected."""
    return open_sftp(credentials)


async def people_export(context: ExportContext) -> None:
    """Everybody in the audience, with the audiences they are in."""
    layout = _layout(context.source, context.options)
    await export_people(context, lambda: open_sftp(context.credentials), layout)


async def people_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _layout(source, options))


def _layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    base = standard_layout(source, options)
    known = {field.name: field for field in source.fields}
    named = {str(field): str(name).strip() for field, name in dict(options.get("fields_mapping") or {}).items()}
    if not named or not all(named.values()):
        raise InputError("A field has no name in Mapp.", advice="Give each field the name of its column in Mapp.")
    told = tuple(map(str, options.get("segments") or base.audiences))
    return replace(
        base,
        columns=(
            *(FieldValue(require_field(known, field).name, name) for field, name in named.items()),
            Audiences(MEMBERSHIP, told, "name", ","),
        ),
        name="export-lytics-{segment_name}-{TIMESTAMP}",
        time_format="YYYYMMDDHHmmss",
        guard=False,
    )
