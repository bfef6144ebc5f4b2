"""Whether authorizations still work: each is tried once a day, and before a run when that was longer ago."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from app.apart import apart
from app.authorizations import check_authorization
from app.clock import moment_of
from app.errors import CausewayError
from connectors.kit.errors import ConnectorError

if TYPE_CHECKING:
    from app.engine import Engine

LOOK_SECONDS = 300.0
"""Seconds between two looks for authorizations whose last check is too old."""


async def keep_checking(engine: Engine) -> None:
    """Try authorizations as their checks grow old, until cancelled. A task for `Engine.at_start`."""
    while True:
        # Without a network every check would fail, and say nothing of the authorization.
        with suppress(CausewayError):
            if await asyncio.to_thread(engine.has_network):
                for authorization_id in await asyncio.to_thread(stale_authorizations, engine):
                    await apart(partial(check_quietly, engine, authorization_id))
        await asyncio.sleep(LOOK_SECONDS)


def stale_authorizations(engine: Engine) -> list[int]:
    """Authorizations that were not tried for `check_hours`, the longest first. What no job uses is left alone."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            """select id, checked_at from authorizations
            where exists (select 1 from jobs where authorization_id = authorizations.id) order by checked_at, id"""
        ).fetchall()
    return [row["id"] for row in rows if _is_stale(engine, row["checked_at"])]


def check_before_run(engine: Engine, authorization_id: int | None) -> None:
    """Try an authorization whose last check is too old. What is found is remembered; the run itself meets it next."""
    if authorization_id is None:
        return
    with engine.workspace.database.read() as connection:
        row = connection.execute("select checked_at from authorizations where id = ?", (authorization_id,)).fetchone()
    if row is not None and _is_stale(engine, row["checked_at"]):
        check_quietly(engine, authorization_id)


def check_quietly(engine: Engine, authorization_id: int) -> str | None:
    """Try an authorization; None if it works, else the sentence of what is wrong."""
    try:
        check_authorization(engine, authorization_id)
    except (ConnectorError, CausewayError) as error:
        return str(error)
    return None


def failing_since(engine: Engine) -> Mapping[int, str]:
    """Since when (UTC text) each authorization that does not work fails."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute("select id, state_since from authorizations where state = 'failing'").fetchall()
    return {row["id"]: row["state_since"] or "" for row in rows}


def _is_stale(engine: Engine, checked_at: str | None) -> bool:
    if checked_at is None:
        return True
    # A check of the future was made before the clock was put back.
    age = abs(engine.clock.now() - moment_of(checked_at))
    return age >= timedelta(hours=int(engine.workspace.setting("check_hours")))
