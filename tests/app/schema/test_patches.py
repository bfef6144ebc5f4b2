"""A provider's default mappings: what is new applies by itself, what was edited here is offered and never forced."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.engine import Engine
from app.errors import NotFound
from app.schema.model import FieldDefinition
from app.schema.operations import (
    accept_offer,
    decline_offer,
    discard_changes,
    publish_schema,
    put_field,
    put_mapping,
    remove_field,
)
from app.schema.patches import apply_provider_mappings
from app.schema.queries import (
    draft_schema,
    list_offers,
    list_versions,
    published_schema,
    unpublished_changes,
)

FIRST = "SELECT tolower(mail) AS email, city AS city, note AS note FROM mail_people INTO user BY email"
LATER = (
    "SELECT tolower(mail) AS email, city AS town, strip(city) AS city, note AS note MERGEOP oldest "
    "FROM mail_people INTO user BY email"
)

Bring = Callable[[str], tuple[list[str], int]]


@pytest.fixture
def bring(engine: Engine) -> Bring:
    """Applies a text of the provider "mail"."""

    def apply(text: str) -> tuple[list[str], int]:
        with engine.workspace.database.write() as connection:
            return apply_provider_mappings(connection, "mail", text, name="Mail")

    return apply


def expression(engine: Engine, field: str) -> str:
    return next(one.expression for one in published_schema(engine).mappings if one.field == field)


def test_additions_apply_by_themselves_and_once(engine: Engine, bring: Bring) -> None:
    put_field(engine, FieldDefinition("phone", is_identifier=True))
    publish_schema(engine, "Ours")
    put_field(engine, FieldDefinition("city", "Town"))
    assert bring(FIRST) == (["email", "city", "note"], 0)
    schema = published_schema(engine)
    assert schema.ranking() == ("phone", "email")
    assert {one.managed_by for one in schema.mappings} == {"mail"}
    assert list_versions(engine)[0].comment == "Mail's default mappings"
    assert bring(FIRST) == ([], 0)
    assert list_versions(engine)[0].number == 2
    # The user's own unpublished field of that name is now a change of the provider's.
    assert [(one.verb, one.subject) for one in unpublished_changes(engine)] == [("changed", "field:city")]


def test_what_nobody_edited_follows_the_provider(engine: Engine, bring: Bring) -> None:
    bring(FIRST)
    assert bring(LATER) == (["town"], 0)
    assert expression(engine, "city") == "strip(city)"
    note = published_schema(engine).field("note")
    assert note is not None
    assert note.merge == "oldest"


def test_what_was_edited_is_offered_and_an_offer_can_be_taken_or_left(engine: Engine, bring: Bring) -> None:
    bring(FIRST)
    city = next(one for one in published_schema(engine).mappings if one.field == "city")
    put_mapping(engine, type(city)(city.key, city.stream, city.field, "toupper(city)"))
    put_field(engine, FieldDefinition("note", "Remark"))
    publish_schema(engine, "Ours")
    assert bring(FIRST) == ([], 0)
    assert bring(LATER) == (["town"], 2)
    assert bring(LATER) == ([], 0)
    assert expression(engine, "city") == "toupper(city)"
    offers = {one.difference.title: one for one in list_offers(engine)}
    assert offers["Mapping of mail_people to city"].difference.words == ("city: toupper(city) becomes strip(city)",)
    assert offers["Field note"].difference.words == ("Newest becomes Oldest.", "The label “Remark” becomes “Note”.")
    accept_offer(engine, offers["Mapping of mail_people to city"].id)
    assert [(one.title, one.origin) for one in unpublished_changes(engine)] == [
        ("Mapping of mail_people to city", "mail")
    ]
    discard_changes(engine)
    assert len(list_offers(engine)) == 2
    accept_offer(engine, offers["Mapping of mail_people to city"].id)
    decline_offer(engine, offers["Field note"].id)
    assert list_offers(engine) == []
    with pytest.raises(NotFound):
        accept_offer(engine, offers["Field note"].id)
    publish_schema(engine, "Theirs after all")
    # What was taken is the provider's again and follows it; what was declined stays.
    assert bring(LATER.replace("strip(city)", "tolower(city)")) == ([], 0)
    assert expression(engine, "city") == "tolower(city)"
    note = draft_schema(engine).field("note")
    assert note is not None
    assert note.label == "Remark"


def test_what_was_removed_here_is_not_brought_back(engine: Engine, bring: Bring) -> None:
    bring(FIRST)
    remove_field(engine, "note")
    publish_schema(engine, "No notes")
    assert bring(FIRST) == ([], 0)
    assert bring(LATER.replace("note AS", "tolower(note) AS"))[1] == 2
    assert published_schema(engine).field("note") is None
    assert {one.difference.verb for one in list_offers(engine)} == {"added"}
    for offer in list_offers(engine):
        accept_offer(engine, offer.id)
    publish_schema(engine, "Notes again")
    assert expression(engine, "note") == "tolower(note)"


def test_a_field_of_somebody_else_is_used_as_it_is(engine: Engine, bring: Bring) -> None:
    put_field(engine, FieldDefinition("City", "Town", type="[]string", merge="merge"))
    publish_schema(engine, "Ours")
    assert bring(FIRST) == (["email", "note"], 0)
    city = published_schema(engine).field("city")
    assert city is not None
    assert (city.label, city.type, city.managed_by) == ("Town", "[]string", "")
    assert expression(engine, "City") == "city"
