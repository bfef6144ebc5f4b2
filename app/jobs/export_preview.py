"""What an export would send, seen before it runs, and how many people an audience has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.authorizations import get_authorization
from app.catalog import JobType
from app.jobs.export_source import source_of
from app.store.database import open_connection, translated
from connectors.kit.files.sending import PUBLIC_KEY
from connectors.kit.files.splitting import encrypted_name
from connectors.kit.types import Preview

if TYPE_CHECKING:
    from app.engine import Engine


def preview_export(
    engine: Engine,
    provider: str,
    job_type: JobType,
    options: Mapping[str, Any],
    authorization_id: int | None = None,
) -> Preview:
    """The first rows as the job type would send them of the workspace as it is now, and the file's name if that
    authorization takes it. Raises ConnectorError."""
    function = engine.catalog.function(provider, job_type.preview)
    path = engine.workspace.database.path
    # A connection of its own: the source stands still in one transaction for as long as it is asked.
    with translated(path), closing(open_connection(path)) as connection, source_of(connection) as source:
        preview: Preview = asyncio.run(function(source, options))
    if authorization_id is None or PUBLIC_KEY not in get_authorization(engine, authorization_id).settings:
        return preview
    return replace(preview, file=encrypted_name(preview.file))


def count_people(engine: Engine, audiences: Sequence[str]) -> int:
    """How many people are in at least one of the audiences. Raises InputError for one that there is not."""
    path = engine.workspace.database.path
    with translated(path), closing(open_connection(path)) as connection, source_of(connection) as source:
        return source.count(audiences)


def audiences_of(job_type: JobType, options: Mapping[str, Any]) -> list[str]:
    """Whom an export is about. A list of audiences beside a single one only marks those who belong to them as well."""
    single = [str(options.get(option.name) or "") for option in job_type.options if option.type == "audience"]
    if any(single):
        return [audience for audience in single if audience]
    several = [options.get(option.name) or () for option in job_type.options if option.type == "audiences"]
    return [str(audience) for listed in several for audience in listed]
