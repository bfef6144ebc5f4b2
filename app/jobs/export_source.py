"""What the workspace has to export: people of audiences and events of streams, all of one moment, in bounded memory."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import compress, islice
from typing import Any

import orjson

from app.audiences.selection import Members, Selection, read_selection
from app.profiles.people_table import as_json
from app.schema.fields import list_fields
from app.schema.model import holds_several
from connectors.kit.errors import InputError
from connectors.kit.types import Audience, EventBatch, ProfileField

PEOPLE_AT_ONCE, EVENTS_AT_ONCE = 200, 5_000
"""So few people at once stay in the processor's cache from file to file; with 5,000 it takes twice as long."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def source_of(connection: sqlite3.Connection) -> Iterator[WorkspaceSource]:
    """The workspace as it is now, whatever is written meanwhile. The connection is used for nothing else."""
    connection.execute("begin")
    try:
        yield WorkspaceSource(connection)
    finally:
        connection.execute("commit")


class WorkspaceSource:
    """`connectors.kit.types.ExportSource` over a connection within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._members: dict[str, Members] = {}

    @cached_property
    def fields(self) -> tuple[ProfileField, ...]:
        return tuple(
            ProfileField(field.name, field.label, field.type, field.is_identifier)
            for field in list_fields(self._connection)
        )

    def audience(self, identity: str) -> Audience:
        return read_selection(identity).audience

    def count(self, audiences: Sequence[str]) -> int:
        wanted = self._wanted(audiences)
        return len(wanted) if wanted is not None else self._total

    def people(
        self,
        audiences: Sequence[str],
        fields: Sequence[str],
        *,
        memberships: Sequence[str] = (),
        limit: int | None = None,
    ) -> Iterator[list[tuple[Any, ...]]]:
        readers = [self._reader(name) for name in fields]
        of = [self._of(read_selection(identity)) for identity in memberships]
        listed = "".join(f', "{name}"' for name in fields)
        for rows in self._rows(listed, audiences, limit):
            if not of and not any(readers):
                yield [row[1:] for row in rows]
                continue
            numbers, *columns = zip(*rows, strict=True)
            read = [
                column if reader is None else [None if value is None else reader(value) for value in column]
                for reader, column in zip(readers, columns, strict=True)
            ]
            flags = [[True] * len(numbers) if who is None else [number in who for number in numbers] for who in of]
            yield list(zip(*read, *flags, strict=True))

    def newest_event(self) -> int:
        return int(self._connection.execute("select max(id) from events").fetchone()[0] or 0)

    def stream_columns(self, streams: Sequence[str]) -> list[str]:
        of = self._streams(streams)
        rows = self._connection.execute(
            """select name from stream_fields where stream_id in (select value from json_each(?))
            group by name order by min(first_seen), name""",
            (as_json(of),),
        )
        return [row[0] for row in rows]

    def events(
        self,
        streams: Sequence[str],
        *,
        after: int = 0,
        until: int | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[EventBatch]:
        names = self._streams(streams)
        question = """select id, stream_id, at, data from events where id > ? and id <= ? and at >= ? and at < ?
            order by id limit ?"""
        last = self.newest_event() if until is None else until
        times = (_microseconds(since, -(1 << 62)), _microseconds(before, 1 << 62))
        cursor = self._connection.cursor()
        cursor.row_factory = None
        while rows := cursor.execute(question, (after, last, *times, EVENTS_AT_ONCE)).fetchall():
            after = rows[-1][0]
            wanted = [row for row in rows if row[1] in names]
            if wanted:
                yield EventBatch(
                    after,
                    [names[row[1]] for row in wanted],
                    [row[2] for row in wanted],
                    [orjson.loads(row[3]) for row in wanted],
                )

    def _rows(self, listed: str, audiences: Sequence[str], limit: int | None) -> Iterator[list[tuple[Any, ...]]]:
        """People's numbers and what is listed of each."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        wanted = self._wanted(audiences)
        if wanted is None and limit is None:
            cursor.execute(f"select _id{listed} from profiles order by _id")
            while rows := cursor.fetchmany(PEOPLE_AT_ONCE):
                yield rows
            return
        question = f"select _id{listed} from profiles where _id in (select value from json_each(?)) order by _id"
        numbers = self._chosen(wanted, limit)
        while part := list(islice(numbers, PEOPLE_AT_ONCE)):
            if rows := cursor.execute(question, (as_json(part),)).fetchall():
                yield rows

    def _chosen(self, wanted: Members | None, limit: int | None) -> Iterator[int]:
        """The numbers of those to be exported, in order; `limit` of them at random."""
        everybody = iter(wanted) if wanted is not None else self._everybody()
        total = len(wanted) if wanted is not None else self._total
        if limit is None or limit >= total:
            return everybody
        lot = bytearray(total)
        for place in random.sample(range(total), limit):
            lot[place] = 1
        return compress(everybody, lot)

    def _everybody(self) -> Iterator[int]:
        return (row[0] for row in self._connection.execute("select _id from profiles order by _id"))

    @cached_property
    def _total(self) -> int:
        return int(self._connection.execute("select count(*) from profiles").fetchone()[0])

    @cached_property
    def _highest(self) -> int:
        return int(self._connection.execute("select max(_id) from profiles").fetchone()[0] or 0)

    def _wanted(self, audiences: Sequence[str]) -> Members | None:
        """Who is in at least one of the audiences; None for everybody."""
        wanted: Members | None = Members((), self._highest)
        for identity in audiences:
            who = self._of(read_selection(identity))
            wanted = None if wanted is None or who is None else wanted | who
        return wanted

    def _of(self, selection: Selection) -> Members | None:
        """Who belongs to a selection; None for everybody."""
        if not selection.search:
            return None
        identity = selection.audience.id
        if identity not in self._members:
            self._members[identity] = Members(selection.people(self._connection), self._highest)
        return self._members[identity]

    def _reader(self, name: str) -> Callable[[Any], Any] | None:
        """What makes a field's value of what its column holds; None where they are the same."""
        kind = next((field.kind for field in self.fields if field.name == name), None)
        if kind is None:
            raise InputError(
                f"There is no profile field “{name}” any more.", advice="Choose the fields of the job again."
            )
        if holds_several(kind):
            return orjson.loads
        return bool if kind == "bool" else None

    def _streams(self, names: Sequence[str]) -> dict[int, str]:
        """Streams by number; all of them if none is named. Raises InputError for one that there is not."""
        known = dict(self._connection.execute("select name, id from streams").fetchall())
        for name in names:
            if name not in known:
                raise InputError(f"There is no stream “{name}” yet.", advice="Choose the streams of the job again.")
        return {known[name]: name for name in (names or known)}


def _microseconds(moment: datetime | None, otherwise: int) -> int:
    return otherwise if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
