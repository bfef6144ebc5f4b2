"""The effect of unpublished changes, told from the events of a sample of people."""

from __future__ import annotations

import orjson
import pytest

from app.engine import Engine
from app.errors import Refused
from app.schema.effect import estimate_effect
from app.schema.model import FieldDefinition, MappingDefinition
from app.schema.operations import (
    discard_changes,
    publish_schema,
    put_field,
    put_mapping,
    remove_field,
    set_shared_limit,
)
from app.schema.queries import draft_schema

PEOPLE = 40


@pytest.fixture
def shop(engine: Engine) -> Engine:
    """40 people with two orders each: every second one lives in OSLO, and all share no identifier."""
    put_field(engine, FieldDefinition("email", is_identifier=True))
    put_field(engine, FieldDefinition("spent", type="number", merge="sum"))
    put_field(engine, FieldDefinition("city"))
    put_field(engine, FieldDefinition("tags", type="[]string", merge="merge"))
    for field, expression in (
        ("email", "`mail`"), ("spent", "tonumber(`total`)"), ("city", "`city`"), ("tags", "set(`tag`)"),
    ):  # fmt: skip
        put_mapping(engine, MappingDefinition("", "shop", field, expression))
    publish_schema(engine, "The shop")
    with engine.workspace.database.write() as connection:
        for number in range(PEOPLE):
            connection.execute(
                """insert into profiles (_id, _created, _updated, _origin_at, _origin_event)
                values (?, '', '', 0, 0)""",
                (number + 1,),
            )
            for event, total in ((2 * number + 1, "10"), (2 * number + 2, "5")):
                city = "OSLO" if number % 2 else "bergen"
                record = {"mail": f"p{number}@x.com", "total": total, "city": city, "tag": f"t{total}"}
                connection.execute(
                    "insert into events (id, stream_id, run_id, at, data) values (?, 1, 1, ?, ?)",
                    (event, event * 1_000_000, orjson.dumps(record).decode()),
                )
                connection.execute("insert into profile_events values (?, ?)", (number + 1, event))
    return engine


def change_mapping(engine: Engine, field: str, expression: str) -> str:
    mapping = next(one for one in draft_schema(engine).mappings if one.field == field)
    return put_mapping(engine, MappingDefinition(mapping.key, mapping.stream, field, expression))


def test_who_changes_and_by_what(shop: Engine) -> None:
    assert estimate_effect(shop).people_sampled == 0
    put_field(shop, FieldDefinition("spent", type="number", merge="max"))
    key = change_mapping(shop, "city", "tolower(`city`)")
    effect = estimate_effect(shop)
    assert (effect.people_sampled, effect.people_changed, effect.people_in_all) == (PEOPLE, PEOPLE, PEOPLE)
    assert effect.by_subject == {"field:spent": PEOPLE, f"mapping:{key}": PEOPLE // 2}
    examples = {one.field: (one.person, one.before, one.after) for one in effect.examples}
    assert examples == {"spent": ("p0@x.com", 15.0, 10.0), "city": ("p1@x.com", "OSLO", "oslo")}
    sampled = estimate_effect(shop, sample=10)
    assert (sampled.people_sampled, sampled.people_changed) == (10, PEOPLE)
    assert sampled == estimate_effect(shop, sample=10)
    assert estimate_effect(shop, cancelled=lambda: True).people_sampled == 0


def test_fields_that_come_and_go_and_labels(shop: Engine) -> None:
    remove_field(shop, "tags")
    put_field(shop, FieldDefinition("orders", type="int", merge="count"))
    key = put_mapping(shop, MappingDefinition("", "shop", "orders", "count(`total`)"))
    effect = estimate_effect(shop)
    assert {one.field: (one.before, one.after) for one in effect.examples} == {
        "orders": (None, 2),
        "tags": (["t10", "t5"], None),
    }
    assert effect.by_subject[f"mapping:{key}"] == PEOPLE
    discard_changes(shop)
    put_field(shop, FieldDefinition("city", "Town"))
    set_shared_limit(shop, 5)
    assert (estimate_effect(shop).people_sampled, estimate_effect(shop).people_changed) == (PEOPLE, 0)


def test_another_identifier_splits_people(shop: Engine) -> None:
    put_field(shop, FieldDefinition("order_tag", is_identifier=True))
    key = put_mapping(shop, MappingDefinition("", "shop", "order_tag", "`tag`"))
    effect = estimate_effect(shop)
    assert effect.people_changed == PEOPLE
    assert effect.by_subject[f"mapping:{key}"] == PEOPLE
    assert effect.by_subject["field:order_tag"] == PEOPLE


def test_a_draft_with_faults_is_refused(shop: Engine) -> None:
    key = change_mapping(shop, "city", "tolower(`city`)")
    with shop.workspace.database.write() as connection:
        connection.execute("update schema_draft set after = replace(after, 'tolower', 'nosuch')")
    with pytest.raises(Refused, match="can't fill city"):
        estimate_effect(shop)
    assert key
