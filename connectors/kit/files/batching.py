"""A reader's parts joined to batches that are worth a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.kit.errors import ConnectorError
from connectors.kit.files import reading
from connectors.kit.types import Batch

BATCH_PARTS = {"csv": 32, "json": 8}
"""Bounds the memory of a batch where rows are long; a part of JSON is about a megabyte, one of CSV far less."""


def gathered(parts: Iterator[Batch], most: int) -> Iterator[tuple[Batch, bool]]:
    """Batches of up to `most` parts, each with whether it is the last, which may be empty.

    Rows that came before a failure (a gz that is cut off) are handed on before it.
    """
    held: Batch | None = None
    count = 0
    failure: ConnectorError | None = None
    cursor = {}
    while True:
        try:
            part = next(parts, None)
        except ConnectorError as error:
            part, failure = None, error
        if part is not None:
            count += 1
            if held is None:
                held = part
            else:
                held.records += part.records
                held.times += part.times
                held.rejected += part.rejected
                lines = held.cursor.get("lines", [])
                held.cursor = part.cursor if "lines" not in part.cursor else {"lines": lines + part.cursor["lines"]}
            cursor = held.cursor
            if count < most and len(held.records) < reading.BATCH_ROWS:
                continue
        if failure is not None:
            if held is not None:
                yield held, False
            raise failure
        if part is None:
            yield held if held is not None else Batch([], cursor), True
            return
        if held is not None:
            yield held, False
            held, count = None, 0
