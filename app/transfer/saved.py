"""The transfers that a workspace knows: those that a person gave a name, and the last ones without."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from app.authorizations import get_authorization
from app.changes import Change
from app.clock import now_text
from app.errors import CausewayError, NotFound
from app.transfer.model import Transfer, file_name
from app.transfer.opening import place_name
from app.transfer.recipes import document_of, transfer_of

if TYPE_CHECKING:
    import sqlite3

    from app.engine import Engine
    from app.jobs.worker import Outcome
    from app.transfer.work import TransferResult

MOST_UNNAMED = 30
"""Transfers that nobody gave a name, of which the last ones are kept."""


@dataclass(frozen=True, slots=True)
class SavedTransfer:
    """One transfer. `kept` says that somebody gave it its name. `status` is that of its last run ("" before the first:
    completed, failed, cancelled), `message` what is to be said of it; the rest is what it brought."""

    id: int
    name: str
    transfer: Transfer
    kept: bool
    used_at: str | None
    status: str
    message: str
    rows: int
    rejected: int
    size: int
    source_name: str
    target_name: str


def list_transfers(engine: Engine) -> list[SavedTransfer]:
    """The last used ones first, then those that were never used."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute("select * from transfers order by coalesce(used_at, ''), at").fetchall()
    return [_saved(engine, row) for row in reversed(rows)]


def transfer_named(engine: Engine, name: str) -> SavedTransfer:
    """Raises NotFound."""
    with engine.workspace.database.read() as connection:
        row = connection.execute("select * from transfers where name = ?", (name,)).fetchone()
    if row is None:
        raise NotFound(
            f"There is no transfer “{name}” in this workspace, and no such file.",
            advice="`causeway transfer --list` shows those there are.",
        )
    return _saved(engine, row)


def save_transfer(engine: Engine, transfer: Transfer) -> int:
    """Keep a transfer under its name, in the place of one of that name; its number. Without a name it gets one that
    says what it does, and is forgotten after others. Raises NotFound."""
    engine.require_charge()
    kept = bool(transfer.name)
    name = transfer.name or _free_name(engine, transfer)
    document = document_of(replace(transfer, name=name), lambda number: number) | {"kept": kept}
    with engine.workspace.database.write() as connection:
        connection.execute(
            """insert into transfers (name, document, at) values (?, ?, ?)
            on conflict (name) do update set document = excluded.document""",
            (name, orjson.dumps(document).decode(), now_text()),
        )
        number: int = connection.execute("select id from transfers where name = ?", (name,)).fetchone()[0]
        connection.execute(
            """delete from transfers where id in (
                select id from transfers where not document ->> '$.kept' and id <> ?
                order by coalesce(used_at, at) desc limit -1 offset ?)""",
            (number, MOST_UNNAMED - 1),
        )
    engine.changes.announce(Change("transfers"))
    return number


def remember_transfer(engine: Engine, transfer: Transfer) -> int:
    """The number of a transfer that is made now: that of the kept one, unless it was changed for this once."""
    kept = [one for one in list_transfers(engine) if one.kept and one.transfer == transfer]
    return kept[0].id if kept else save_transfer(engine, replace(transfer, name=""))


def _free_name(engine: Engine, transfer: Transfer) -> str:
    """A name that says what it does, and takes none away from what somebody named so."""
    name = _name(engine, transfer)
    taken = {one.name for one in list_transfers(engine) if one.kept}
    return f"{name} (once)" if name in taken else name


def _name(engine: Engine, transfer: Transfer) -> str:
    target = file_name(transfer.target.path)
    if transfer.target.authorization is not None:
        target = f"{place_name(engine, transfer.target)}: {target}"
    return f"{file_name(transfer.source.path)} to {target}"


def delete_transfer(engine: Engine, transfer_id: int) -> None:
    """Forget one; the files that it brought stay."""
    engine.require_charge()
    with engine.workspace.database.write() as connection:
        connection.execute("delete from transfers where id = ?", (transfer_id,))
    engine.changes.announce(Change("transfers"))


def note_used(engine: Engine, transfer_id: int, outcome: Outcome, result: TransferResult | None) -> None:
    """Remember how the last run of a transfer ended."""
    said: dict[str, Any] = {"status": outcome.status, "message": outcome.message}
    if result is not None:
        said |= {"rows": result.rows, "rejected": result.rejected, "files": len(result.files)}
        said["size"] = sum(file.size for file in result.files)
    with engine.workspace.database.write() as connection:
        connection.execute(
            "update transfers set used_at = ?, outcome = ? where id = ?",
            (now_text(), orjson.dumps(said).decode(), transfer_id),
        )
    engine.changes.announce(Change("transfers"))


def _saved(engine: Engine, row: sqlite3.Row) -> SavedTransfer:
    document = orjson.loads(row["document"])
    outcome = orjson.loads(row["outcome"]) if row["outcome"] else {}
    transfer = transfer_of(document, int)
    kept = bool(document.get("kept"))
    return SavedTransfer(
        row["id"],
        row["name"],
        transfer if kept else replace(transfer, name=""),
        kept,
        row["used_at"],
        outcome.get("status", ""),
        outcome.get("message", ""),
        outcome.get("rows", 0),
        outcome.get("rejected", 0),
        outcome.get("size", 0),
        _place(engine, transfer.source.authorization),
        _place(engine, transfer.target.authorization),
    )


def _place(engine: Engine, authorization: int | None) -> str:
    """The place, also of an authorization that is gone: the transfer says so when it is used."""
    if authorization is None:
        return "This computer"
    try:
        return get_authorization(engine, authorization).name
    except CausewayError:
        return "an authorization that is gone"
