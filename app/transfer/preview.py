"""The first rows of a transfer, before and after: read from the head of the source, through its whole chain."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.transfer.model import Transfer
from app.transfer.opening import Prepared, prepare
from app.transfer.reading import Block, Source, flat, opened, text_of
from app.transfer.writing import Unwritable, shape_of
from connectors.kit.errors import ConnectorError, InputError
from connectors.kit.formats.chain import unpacked
from connectors.kit.network import through_proxy
from connectors.kit.places.base import Place
from connectors.kit.types import Rejected

if TYPE_CHECKING:
    from app.engine import Engine

PREVIEW_ROWS = 100
JSON_LINE = "JSON, one record a line"


@dataclass(frozen=True, slots=True)
class Sample:
    """Some rows as a person sees them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class TransferPreview:
    """What is in the source, and what would be in the target; `before` is None for what is no table and no JSON.

    `transfer` is what would be made, its target a whole path; `summary` says how the source is read; `replaces`
    whether there is a file of the target's name already.
    """

    transfer: Transfer
    before: Sample | None
    after: Sample | None
    summary: tuple[str, ...]
    notes: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    size: int
    replaces: bool


def preview_transfer(engine: Engine, transfer: Transfer, passphrase: str = "") -> TransferPreview:
    """Look into the source; only its head is moved. Blocks. Raises ConnectorError and CausewayError."""
    prepared = prepare(engine, transfer, passphrase)
    with through_proxy(prepared.proxy):
        return _looked(prepared)


def _looked(prepared: Prepared) -> TransferPreview:
    transfer = prepared.transfer
    with prepared.source.opened() as place:
        entry = place.stat(transfer.source.path)
        if entry.is_folder:
            raise InputError(f"{transfer.source.path} is a folder.", advice="Choose a file in it.")
        before = after = None
        summary: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
        rejected: tuple[Rejected, ...] = ()
        try:
            with (
                closing(place.open(transfer.source.path)) as stream,
                opened(stream, transfer, prepared.keys) as source,
            ):
                block = _first(source)
                before = _before(source, block)
                after, unwritable = _after(source, block, transfer, before)
                summary, notes = source.summary, source.notes
                rejected = (*block.rejected, *unwritable)
        except InputError as error:
            if transfer.rewrites:
                raise
            if transfer.opens:
                _refuse_closed(place, prepared)
            # What is only copied may be anything.
            notes = (f"There are no rows to show: {error.message} It is transferred all the same.",)
    return TransferPreview(transfer, before, after, summary, notes, rejected, entry.size, _is_there(prepared))


def _refuse_closed(place: Place, prepared: Prepared) -> None:
    """Raises InputError when it can't even be unpacked; what is in it may be no table."""
    member = prepared.transfer.reading.member or None
    with (
        closing(place.open(prepared.transfer.source.path)) as stream,
        unpacked(stream, keys=prepared.keys, member=member) as plain,
    ):
        plain.read(1)


def _first(source: Source) -> Block:
    return next(source.blocks(PREVIEW_ROWS), Block([], []))


def _before(source: Source, block: Block) -> Sample:
    if source.form == "csv":
        return Sample(tuple(source.columns), tuple(map(tuple, block.rows)))
    records = [flat(record) for record in block.records]
    columns = tuple(dict.fromkeys(key for record in records for key in record))
    return Sample(columns, tuple(tuple(text_of(record.get(name)) for name in columns) for record in records))


def _after(source: Source, block: Block, transfer: Transfer, before: Sample) -> tuple[Sample, list[Rejected]]:
    if not transfer.rewrites:
        return before, []
    shape = shape_of(source, transfer, before.columns)
    rows, rejected = [], []
    for item, line in zip(shape.items(block), block.lines, strict=True):
        try:
            shape.encode([item])
        except Unwritable as error:
            rejected.append(Rejected(line, str(error), " ".join(shape.shown(item))[:200]))
        else:
            rows.append(shape.shown(item))
    is_json = (transfer.writing.form or source.form) == "json"
    return Sample((JSON_LINE,) if is_json else tuple(shape.columns), tuple(rows)), rejected


def _is_there(prepared: Prepared) -> bool:
    """Whether the target has a file of that name. A place that can't be reached now says so when it is needed."""
    with suppress(ConnectorError), prepared.target.opened() as place:
        return not place.stat(prepared.transfer.target.path).is_folder
    return False
