"""Letting go of what a field keeps only for some days: values whose event is older are taken from people.

The raw events stay. New events that are too old already do not fill such a field (app.schema.mapping).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from app.clock import now_text
from app.identity.merge import State
from app.identity.operators import Origin
from app.profiles.people_table import PeopleTable
from app.schema.mapping import CompiledSchema, load_schema
from app.store.database import transaction

PEOPLE_AT_ONCE = 5_000


def has_limits(connection: sqlite3.Connection) -> bool:
    """Whether any field keeps its values only for some days."""
    return connection.execute("select 1 from fields where keep_days is not null limit 1").fetchone() is not None


def drop_expired(connection: sqlite3.Connection, now: int, check: Callable[[], None]) -> int:
    """Take values that are too old at `now` (µs since 1970) from all people; how many people changed.

    Each few thousand people are a transaction; `check` is called between them, and what it raises ends the work.
    """
    schema = load_schema(connection, now)
    if not schema.oldest:
        return 0
    table = PeopleTable(connection, schema)
    filled = " or ".join(f'"{schema.fields[position].name}" is not null' for position in schema.oldest)
    changed, last = 0, 0
    while True:
        check()
        with transaction(connection):
            ids = [
                row[0]
                for row in connection.execute(
                    f"select _id from profiles where _id > ? and ({filled}) order by _id limit ?",
                    (last, PEOPLE_AT_ONCE),
                )
            ]
            if not ids:
                return changed
            states = table.load(ids)
            poorer = [(person, state) for person, state in states.items() if _let_go(state, schema)]
            table.update(poorer, now_text())
            changed += len(poorer)
            last = ids[-1]


def _let_go(state: State, schema: CompiledSchema) -> bool:
    """Take what is too old from one person; whether there was anything."""
    changed = False
    for position, oldest in schema.oldest.items():
        if state.values[position] is None:
            continue
        value, origin, entries = share = state.share(position)
        operator = schema.operators.get(position)
        if origin[0] < oldest:
            value = None
        elif operator is not None and entries is not None and schema.fields[position].type.endswith("string"):
            # A set or map whose entries have times of their own: together with itself it is itself, within limits.
            value, _, entries = operator(share, share, _never)
        if (value, entries) == (share[0], share[2]):
            continue
        changed = True
        state.values[position] = value
        if value is None or entries is None:
            state.states.pop(position, None)
        else:
            state.states[position] = entries
    return changed


def _never(one: Origin, other: Origin) -> bool:
    return False
