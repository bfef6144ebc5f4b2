"""What a person can do with the schema: change the draft, publish it, discard it, load an old version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import orjson

from app.changes import Change
from app.errors import NotFound, Refused
from app.schema import editing
from app.schema.checks import faults, refuse
from app.schema.differences import compare, overlay
from app.schema.model import FieldDefinition, MappingDefinition, Schema
from app.schema.queries import read_version
from app.schema.tables import DraftEntry, drafted, put_in_force, read_draft, read_schema, write_draft
from app.user import user_name

if TYPE_CHECKING:
    from app.engine import Engine


def put_field(engine: Engine, field: FieldDefinition, *, origin: str = "you") -> None:
    """Add a field to the draft, or change the one of this name. Raises Refused for one that can't be.

    An identifier with a rank moves to that place among the identifiers.
    """
    _edit(engine, origin, lambda schema: editing.with_field(schema, field))


def remove_field(engine: Engine, name: str) -> None:
    """Remove a field in the draft, with the mappings that fill it. Raises NotFound."""
    _edit(engine, "you", lambda schema: editing.without_field(schema, name))


def put_mapping(engine: Engine, mapping: MappingDefinition, *, origin: str = "you") -> str:
    """Add a mapping to the draft (key ""), or change the one with its key; answers the key.

    Raises Refused, or LqlError with the places of what can't be read.
    """
    keys: list[str] = []

    def change(schema: Schema) -> Schema:
        after, key = editing.with_mapping(schema, mapping)
        keys.append(key)
        return after

    _edit(engine, origin, change)
    return keys[0]


def remove_mapping(engine: Engine, key: str) -> None:
    """Remove a mapping in the draft. Raises NotFound."""
    _edit(engine, "you", lambda schema: editing.without_mapping(schema, key))


def rank_identifiers(engine: Engine, names: Sequence[str]) -> None:
    """Order the identifiers in the draft, the strongest first; those not named follow as they were."""
    _edit(engine, "you", lambda schema: editing.with_ranking(schema, names))


def set_shared_limit(engine: Engine, limit: int) -> None:
    """In the draft, how many others an identifier value may come with before it ties nobody together any more."""
    _edit(engine, "you", lambda schema: editing.with_shared_limit(schema, limit))


def _edit(engine: Engine, origin: str, change: Callable[[Schema], Schema]) -> None:
    engine.require_charge()
    with engine.workspace.database.write() as connection:
        published = read_schema(connection)
        write_draft(connection, published, change(drafted(published, read_draft(connection))), origin)
    engine.changes.announce(Change("schema"))


def discard_changes(engine: Engine, subject: str | None = None) -> None:
    """Take back one unpublished change, or all of them.

    With a field that was added go the unpublished mappings that fill it. A provider's change that was accepted is
    offered again. Raises NotFound where there is no such change.
    """
    engine.require_charge()
    with engine.workspace.database.write() as connection:
        published = read_schema(connection)
        entries = read_draft(connection)
        gone = [entry for entry in entries if subject is None or entry.subject.casefold() == subject.casefold()]
        if subject is not None and not gone:
            raise NotFound("That change is not among the unpublished changes (any more).")
        gone += [entry for entry in entries if any(_needs(entry, other, published) for other in gone)]
        connection.executemany("delete from schema_draft where subject = ?", {(entry.subject,) for entry in gone})
        connection.executemany(
            """update schema_offers set state = 'open' where state = 'accepted' and id =
                (select max(id) from schema_offers where provider = ? and subject = ?)""",
            {(entry.origin, entry.subject) for entry in gone},
        )
    engine.changes.announce(Change("schema"))


def _needs(entry: DraftEntry, field: DraftEntry, published: Schema) -> bool:
    """Whether an unpublished mapping fills a field that only an unpublished change makes."""
    name = field.subject.removeprefix("field:")
    return (
        field.subject.startswith("field:")
        and published.field(name) is None
        and entry.subject.startswith("mapping:")
        and entry.after is not None
        and entry.after["field"].casefold() == name.casefold()
    )


def publish_schema(engine: Engine, comment: str) -> int:
    """Put the unpublished changes in force as a new version; its number.

    All or nothing. Raises Refused with every fault, where nothing changed, and without a comment.
    """
    engine.require_charge()
    comment = comment.strip()
    if not comment:
        raise Refused("A version needs a comment.", advice="Say in a few words what changes and why.")
    with engine.workspace.database.write() as connection:
        published = read_schema(connection)
        entries = read_draft(connection)
        after = drafted(published, entries)
        if not compare(published, after):
            raise Refused("There are no unpublished changes.")
        found = faults(after)
        if found:
            raise refuse(found)
        origins = {entry.subject: entry.origin for entry in entries}
        number = put_in_force(connection, published, after, comment=comment, by=user_name(), origins=origins)
        connection.execute("delete from schema_draft")
    engine.changes.announce(Change("schema"))
    engine.changes.announce(Change("profiles"))
    return number


def load_version(engine: Engine, number: int) -> None:
    """Make the draft what version `number` was; publishing it rolls back.

    Raises NotFound, and Refused while there are other unpublished changes, which it would replace.
    """
    engine.require_charge()
    with engine.workspace.database.write() as connection:
        published = read_schema(connection)
        if compare(published, drafted(published, read_draft(connection))):
            raise Refused(
                "There are unpublished changes, which an old version would replace.",
                advice="Publish or discard them first.",
            )
        write_draft(connection, published, read_version(connection, number), f"version {number}")
    engine.changes.announce(Change("schema"))


def accept_offer(engine: Engine, offer_id: int) -> None:
    """Take a provider's change into the draft. Raises NotFound."""
    engine.require_charge()
    with engine.workspace.database.write() as connection:
        row = connection.execute(
            "select provider, subject, after from schema_offers where id = ? and state = 'open'", (offer_id,)
        ).fetchone()
        if row is None:
            raise NotFound("That offer is not there (any more).")
        published = read_schema(connection)
        draft = drafted(published, read_draft(connection))
        after = overlay(draft, {row["subject"]: orjson.loads(row["after"])})
        write_draft(connection, published, after, row["provider"])
        connection.execute("update schema_offers set state = 'accepted' where id = ?", (offer_id,))
    engine.changes.announce(Change("schema"))


def decline_offer(engine: Engine, offer_id: int) -> None:
    """Leave a thing as it is here; the provider's next change to it is offered again. Raises NotFound."""
    engine.require_charge()
    with engine.workspace.database.write() as connection:
        declined = connection.execute(
            "update schema_offers set state = 'declined' where id = ? and state = 'open'", (offer_id,)
        )
        if declined.rowcount == 0:
            raise NotFound("That offer is not there (any more).")
    engine.changes.announce(Change("schema"))
