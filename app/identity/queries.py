"""What identifiers do: how many people each ties, which of their values are held back, which joins were not made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.engine import Engine


@dataclass(frozen=True, slots=True)
class IdentifierUse:
    """One published identifier: people who have it, values held back, and joins that were not made."""

    people: int
    held_back: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A value that ties nobody: it came with `others` different values of the identifier `other`."""

    field: str
    value: str
    others: int
    other: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """An event named a person by several identifiers, but this one is another's: the two were not joined.

    `at` is the event's time in microseconds since 1970, None where the event is gone.
    """

    field: str
    value: str
    profile_id: int
    event_id: int
    at: int | None


def identifier_use(engine: Engine) -> dict[str, IdentifierUse]:
    """Figures for every published identifier by its name. It counts through everybody's: too slow for each repaint."""
    with engine.workspace.database.read() as connection:
        people = dict(
            connection.execute("select field_id, count(distinct profile_id) from identifiers group by field_id")
        )
        held = dict(connection.execute("select field_id, count(*) from shared_values group by field_id"))
        conflicts = dict(connection.execute("select field_id, count(*) from conflicts group by field_id"))
        fields = connection.execute("select id, name from fields where is_identifier").fetchall()
    return {
        name: IdentifierUse(people.get(number, 0), held.get(number, 0), conflicts.get(number, 0))
        for number, name in fields
    }


def held_back_values(engine: Engine, *, limit: int = 200) -> list[HeldBack]:
    """The values held back, those that came with the most others first."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            """select fields.name, value, others, other.name from shared_values
            join fields on fields.id = field_id join fields as other on other.id = other_field_id
            order by others desc, fields.name, value limit ?""",
            (limit,),
        ).fetchall()
    return [HeldBack(*row) for row in rows]


def identity_conflicts(engine: Engine, *, limit: int = 200) -> list[Conflict]:
    """Joins that were not made, the newest first."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            """select fields.name, value, profile_id, event_id, events.at from conflicts
            join fields on fields.id = field_id left join events on events.id = event_id
            order by event_id desc limit ?""",
            (limit,),
        ).fetchall()
    return [Conflict(*row) for row in rows]
