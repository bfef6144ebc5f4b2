"""What Omeda does: its SFTP site takes files of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.layout import Layout, standard_layout
from connectors.kit.places.base import Place
from connectors.kit.places.sftp_account import check_sftp_account as check_sftp_account
from connectors.kit.places.sftp_account import open_sftp
from connectors.kit.types import Credentials, ExportContext, ExportSource, Preview


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The folder of an authorization, connected."""
    return open_sftp(credentials)


async def people_export(context: ExportContext) -> None:
    """Everybody in the audience, as a CSV file named by the day and time."""
    layout = _layout(context.source, context.options)
    await export_people(context, lambda: open_sftp(context.credentials), layout)


async def people_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first rows as they will be in the file."""
    return preview_export(source, _layout(source, options))


def _layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    # Nobody documents more of the name than that it has the day and the time; a machine reads the file.
    return replace(standard_layout(source, options), name="{date_time}", time_format="YYYY-MM-DD-HHmmss", guard=False)
