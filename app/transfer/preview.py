"""The first rows of a transfer, before and after: read from the head of the source, through its whole chain.

Looking into the source may take a connection; what would become of the rows is then worked out without one.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.transfer.model import Form, Transfer
from app.transfer.opening import prepare, prepare_source
from app.transfer.reading import Block, Style, flat, opened, text_of
from app.transfer.writing import Unwritable, shape_of
from connectors.kit.errors import InputError
from connectors.kit.formats.chain import Keys, unpacked
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


@dataclass(slots=True)
class Looked:
    """The head of a source. `unreadable` is why it has no rows to show, `closed` why it can't even be unpacked."""

    size: int
    form: Form = ""
    columns: list[str] = field(default_factory=list)
    style: Style = field(default_factory=Style)
    summary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    block: Block = field(default_factory=lambda: Block([], []))
    unreadable: InputError | None = None
    closed: InputError | None = None


@dataclass(frozen=True, slots=True)
class TransferPreview:
    """What is in the source, and what would be in the target; `before` is None for what is no table and no JSON.

    `summary` says how the source is read.
    """

    before: Sample | None
    after: Sample | None
    summary: tuple[str, ...]
    notes: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    size: int


def look(engine: Engine, transfer: Transfer, passphrase: str = "") -> Looked:
    """Read the head of the source; nothing of the target is asked. Blocks. Raises ConnectorError and CausewayError."""
    door, keys, proxy = prepare_source(engine, transfer, passphrase)
    with through_proxy(proxy), door.opened() as place:
        entry = place.stat(door.path)
        if entry.is_folder:
            raise InputError(f"{door.path} is a folder.", advice="Choose a file in it.")
        looked = Looked(entry.size)
        try:
            with closing(place.open(door.path)) as stream, opened(stream, transfer, keys) as source:
                looked.block = next(source.blocks(PREVIEW_ROWS), looked.block)
                looked.form, looked.columns, looked.style = source.form, source.columns, source.style
                looked.summary, looked.notes = source.summary, source.notes
        except InputError as error:
            looked.unreadable = error
            looked.closed = _closed(place, door.path, transfer, keys)
        return looked


def _closed(place: Place, path: str, transfer: Transfer, keys: Keys | None) -> InputError | None:
    """Why a file that can't be read as rows can't even be unpacked, if it can't."""
    try:
        with (
            closing(place.open(path)) as stream,
            unpacked(stream, keys=keys, member=transfer.reading.member or None) as plain,
        ):
            plain.read(1)
    except InputError as error:
        return error
    return None


def preview(looked: Looked, transfer: Transfer) -> TransferPreview:
    """What would become of the rows that were looked at. Raises InputError where the transfer could not be made."""
    if (error := looked.unreadable) is not None:
        if transfer.rewrites:
            raise error
        if transfer.opens and looked.closed is not None:
            raise looked.closed
        # What is only copied may be anything.
        note = f"There are no rows to show: {error.message} The file is transferred all the same."
        return TransferPreview(None, None, (), (note,), (), looked.size)
    before = _before(looked)
    after, unwritable = _after(looked, transfer, before)
    rejected = (*looked.block.rejected, *unwritable) if transfer.rewrites else ()
    return TransferPreview(before, after, looked.summary, looked.notes, rejected, looked.size)


def _before(looked: Looked) -> Sample:
    if looked.form == "csv":
        return Sample(tuple(looked.columns), tuple(map(tuple, looked.block.rows)))
    records = [flat(record) for record in looked.block.records]
    columns = tuple(dict.fromkeys(key for record in records for key in record))
    return Sample(columns, tuple(tuple(text_of(record.get(name)) for name in columns) for record in records))


def _after(looked: Looked, transfer: Transfer, before: Sample) -> tuple[Sample, list[Rejected]]:
    if not transfer.rewrites:
        return before, []
    shape = shape_of(looked, transfer, before.columns)
    rows, rejected = [], []
    for item, line in zip(shape.items(looked.block), looked.block.lines, strict=True):
        try:
            shape.encode([item])
        except Unwritable as error:
            rejected.append(Rejected(line, str(error), " ".join(shape.shown(item))[:200]))
        else:
            rows.append(shape.shown(item))
    is_json = (transfer.writing.form or looked.form) == "json"
    return Sample((JSON_LINE,) if is_json else tuple(shape.columns), tuple(rows)), rejected


def replaced(engine: Engine, transfer: Transfer) -> str:
    """The path of the file that the transfer would replace, "" where there is none. Blocks.

    Raises what opening the target raises.
    """
    prepared = prepare(engine, transfer)
    path = prepared.transfer.target.path
    with through_proxy(prepared.proxy), prepared.target.opened() as place:
        try:
            return "" if place.stat(path).is_folder else path
        except InputError:
            return ""
