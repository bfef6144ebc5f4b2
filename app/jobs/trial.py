"""A test run: what people the first rows of an import would become, found out in memory; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.clock import now_microseconds
from app.identity.resolve import Key
from app.jobs.columns import LIST, records_of
from app.profiles.people_table import PeopleTable
from app.profiles.replay import Replayed, replay
from app.profiles.titles import title
from app.profiles.tombstones import Tombstones
from app.schema.column_types import set_expression
from app.schema.columns import value_of
from app.schema.fields import Field
from app.schema.generated import Wishes, wanted_additions
from app.schema.lql_files import brought_schema
from app.schema.mapping import CompiledSchema, Table, load_schema
from app.schema.model import Schema
from app.schema.patches import with_additions
from app.schema.tables import read_schema
from connectors.kit.times import parse_time
from connectors.kit.types import Preview, Record, Rejected

if TYPE_CHECKING:
    import sqlite3

    from app.engine import Engine

SAMPLES = 3


@dataclass(frozen=True, slots=True)
class TrialPerson:
    """Somebody whom the rows name: what to call them, (field, value) of each identifier, how many of the rows are
    theirs, and the field values that these rows give. `known` is how many people of the workspace it is already: with
    two or more, the rows prove them to be one.
    """

    title: str
    identifiers: tuple[tuple[str, str], ...]
    rows: int
    values: Mapping[str, Any]
    known: int


@dataclass(frozen=True, slots=True)
class TrialField:
    """A field that the rows fill: its kind, whether it is new, of how many people it gets a value, some of these, and
    how many values of the rows do not fit it."""

    name: str
    kind: str
    new: bool
    people: int
    samples: tuple[Any, ...]
    unreadable: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the rows. `nobody` are those without an identifier, `erased` those about somebody who was erased
    at a later time, `timeless` those whose time can't be read although there is a timestamp field."""

    rows: int
    people: tuple[TrialPerson, ...]
    fields: tuple[TrialField, ...]
    nobody: int
    erased: int
    timeless: int
    rejected: tuple[Rejected, ...]

    @property
    def known(self) -> int:
        """How many of the people are in the workspace already."""
        return sum(person.known > 0 for person in self.people)

    @property
    def joined(self) -> int:
        """How many rows came to somebody whom an earlier one had named."""
        return sum(person.rows - 1 for person in self.people)


def try_import(engine: Engine, provider: str, options: Mapping[str, Any], preview: Preview) -> Trial:
    """Let the rows of a preview become people as an import with these options would.

    `options` are those of a draft. Raises Refused and LqlError as the import would.
    """
    stream = str(options["stream"])
    records, times, timeless = _events(options, preview)
    with engine.workspace.database.read() as connection:
        published = read_schema(connection)
        ids = {row[0]: row[1] for row in connection.execute("select name, id from fields")}
        held = [(row[0], row[1]) for row in connection.execute("select field_id, value from shared_values")]
        schema = _schema(published, stream, records, options, preview, engine.catalog.default_mapping(provider, stream))
        new = [field.name for field in schema.fields if field.name not in ids]
        ids |= {name: number for number, name in enumerate(new, start=max(ids.values(), default=0) + 1)}
        compiled = CompiledSchema(schema, ids, version=0, now=now_microseconds())
        mapping = compiled.stream(stream)
        unreadable: Counter[str] = Counter()
        rows = mapping.evaluate(Table(records, tuple(records[0]) if records else (), times), unreadable)
        spared = Tombstones.load(connection).spares(compiled, rows, times)
        events = [(at, times[at], orjson.dumps(records[at]).decode(), stream) for at in spared]
        replayed = replay(compiled, events, held)
        owners = _owners(connection, ids, replayed)
    fields = [Field(ids[one.name], one.name, one.label, one.type, one.is_identifier) for one in compiled.fields]
    kinds = {field.name: field.type for field in fields}
    people = [
        TrialPerson(
            title(one.values, fields, min(one.events) + 1),
            tuple(sorted(one.identifiers, key=lambda pair: schema.ranking().index(pair[0]))),
            len(one.events),
            {name: value_of(value, kinds[name]) for name, value in one.values.items()},
            len({owners[ids[name], value] for name, value in one.identifiers if (ids[name], value) in owners}),
        )
        for one in sorted(replayed, key=lambda one: min(one.events))
    ]
    filled = {column.field for column in mapping.columns}
    return Trial(
        rows=len(records),
        people=tuple(people),
        fields=tuple(
            _field(field, field.name in new, people, unreadable[field.name]) for field in fields if field.name in filled
        ),
        nobody=len(events) - sum(person.rows for person in people),
        erased=len(records) - len(events),
        timeless=timeless,
        rejected=preview.rejected,
    )


def _events(options: Mapping[str, Any], preview: Preview) -> tuple[list[Record], list[int], int]:
    """The imported parts of the rows, their times, and how many rows have none that can be read."""
    names = [name for name in (options.get("timestamp_field"), *(options.get("timestamps") or ())) if name]
    chosen = {*(options.get("fields") or ()), *(options.get("identifiers") or ())} if options.get("fields") else None
    now = now_microseconds()
    records: list[Record] = []
    times: list[int] = []
    timeless = 0
    for number, record in enumerate(records_of(preview)):
        read = (parse_time(str(record.get(name) or "").strip()) for name in names)
        at = next((time for time in read if time is not None), None)
        timeless += at is None and bool(names)
        times.append(now + number if at is None else at)
        records.append({name: value for name, value in record.items() if chosen is None or name in chosen})
    return records, times, timeless


def _schema(
    published: Schema,
    stream: str,
    records: Sequence[Record],
    options: Mapping[str, Any],
    preview: Preview,
    default_mapping: str | None,
) -> Schema:
    """The schema as the first run would make it: what the provider brings, and the columns."""
    schema = published
    if default_mapping is not None:
        brought = brought_schema(default_mapping, "")
        schema, _ = with_additions(schema, brought.fields, brought.mappings)
    columns = list(records[0]) if records else []
    types = {column.name: "text" if column.type == LIST else column.type for column in preview.columns}
    lists = [column for column in preview.columns if column.type == LIST and "`" not in column.name]
    fields, mappings = wanted_additions(
        schema,
        stream,
        columns,
        Wishes(
            types | (options.get("types") or {}),
            options.get("identifiers") or (),
            options.get("targets") or {},
            options.get("kinds") or {},
            {column.name: set_expression(column.name, "") for column in lists} | (options.get("expressions") or {}),
        ),
    )
    return with_additions(schema, fields, mappings)[0]


def _owners(connection: sqlite3.Connection, ids: Mapping[str, int], people: Sequence[Replayed]) -> dict[Key, int]:
    """Who in the workspace has each of the identifier values."""
    keys = {(ids[name], value) for one in people for name, value in one.identifiers}
    return PeopleTable(connection, load_schema(connection, now_microseconds())).find(keys)


def _field(field: Field, new: bool, people: Sequence[TrialPerson], unreadable: int) -> TrialField:
    values = [person.values[field.name] for person in people if field.name in person.values]
    samples: list[Any] = []
    for value in values:
        if value not in samples:
            samples.append(value)
        if len(samples) == SAMPLES:
            break
    return TrialField(field.name, field.type, new, len(values), tuple(samples), unreadable)
