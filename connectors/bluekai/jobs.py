"""What BlueKai does: it takes packed files of people, each followed by a trigger file that says it is complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.layout import (
    Column,
    FieldValue,
    Finished,
    Layout,
    Made,
    added_columns,
    field_columns,
    header_of,
    require_field,
    standard_layout,
)
from connectors.kit.places.base import Place
from connectors.kit.places.sftp_account import check_sftp_account as check_sftp_account
from connectors.kit.places.sftp_account import open_sftp
from connectors.kit.types import Credentials, ExportContext, ExportSource, Preview

NAMED = ("partner_name", "site_id")
"""Settings of the authorization that are in the file's name."""

_BREAKS = str.maketrans(dict.fromkeys("|\t\r\n", " "))
"""What would end a pair, the column or the row."""


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The folder of an authorization, connected."""
    return open_sftp(credentials)


async def people_export(context: ExportContext) -> None:
    """Everybody in the audiences, as an offline file and the trigger that follows it."""
    layout = _layout(context.source, context.options, context.credentials.settings)
    await export_people(context, lambda: open_sftp(context.credentials), layout)


async def people_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file; partner and site are those of the authorization."""
    return preview_export(source, _layout(source, options, {name: f"{{{name}}}" for name in NAMED}))


def _layout(source: ExportSource, options: Mapping[str, Any], settings: Mapping[str, str]) -> Layout:
    base = standard_layout(source, options)
    identifier = require_field({field.name: field for field in source.fields}, str(options["identifier_field"])).name
    told: list[Column] = [] if options.get("skip_user_fields") else field_columns(source, options)
    told += added_columns(options, base.audiences)
    return replace(
        base,
        columns=(FieldValue(identifier), Made("values", tuple(told), _pairs(tuple(map(header_of, told))))),
        needed=(identifier,),
        delimiter="\t",
        header=False,
        quoting="never",
        line_end="\n",
        guard=False,
        packing="gz",
        extension="",
        name="{partner_name}_{site_id}_{date_time}",
        time_format="YYYY-MM-DD",
        values={name: settings[name] for name in NAMED},
        follow=_trigger,
    )


def _pairs(names: tuple[str, ...]) -> Callable[..., str]:
    """What makes name=value pairs of texts, a pipe between them; what is empty is left out."""

    def make(*texts: str) -> str:
        pairs = zip(names, texts, strict=True)
        return "|".join(f"{name}={text.translate(_BREAKS)}" for name, text in pairs if text)

    return make


def _trigger(file: Finished) -> tuple[str, bytes]:
    """The file's name, its bytes and its MD5 in one line; public descriptions do not say what stands between them."""
    return f"{file.name}.trigger", f"{file.name}\t{file.size}\t{file.md5}\n".encode()
