"""Publishing: columns of people follow the fields, faults are told all at once, nothing half done."""

from __future__ import annotations

from typing import Any

import pytest

from app.changes import Change
from app.engine import Engine
from app.errors import CausewayError, NotFound, Refused
from app.schema.differences import needs_rebuild, suggested_comment
from app.schema.model import FieldDefinition, MappingDefinition
from app.schema.operations import (
    discard_changes,
    load_version,
    publish_schema,
    put_field,
    put_mapping,
    rank_identifiers,
    remove_field,
    remove_mapping,
    set_shared_limit,
)
from app.schema.patches import apply_additions
from app.schema.queries import (
    compare_versions,
    draft_schema,
    field_use,
    list_versions,
    published_schema,
    try_mapping,
    unpublished_changes,
)
from app.schema.tables import read_shared_limit


def columns(engine: Engine) -> dict[str, str]:
    """The columns of people, but for the program's own."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute("select name, type from pragma_table_info('profiles')").fetchall()
    return {name: kind.lower() for name, kind in rows if not name.startswith("_")}


def put_people(engine: Engine, column: str, values: list[Any]) -> None:
    with engine.workspace.database.write() as connection:
        connection.executemany(
            f'insert into profiles (_created, _updated, _origin_at, _origin_event, "{column}") values (0, 0, 0, 0, ?)',
            [(value,) for value in values],
        )


def values(engine: Engine, column: str) -> list[Any]:
    with engine.workspace.database.read() as connection:
        return [row[0] for row in connection.execute(f'select "{column}" from profiles order by _id')]


def publish(engine: Engine, *fields: FieldDefinition) -> int:
    for field in fields:
        put_field(engine, field)
    return publish_schema(engine, "A test")


def test_nothing_is_in_force_before_it_is_published(engine: Engine) -> None:
    told: list[Change] = []
    engine.changes.subscribe(told.append)
    put_field(engine, FieldDefinition("email", is_identifier=True))
    put_field(engine, FieldDefinition("visits", type="int", merge="sum"))
    put_mapping(engine, MappingDefinition("", "shop", "EMAIL", "email(`E-Mail`)", '`E-Mail` != ""'))
    assert published_schema(engine).fields == ()
    assert columns(engine) == {}
    assert {change.what for change in told} == {"schema"}
    changes = unpublished_changes(engine)
    assert [(one.verb, one.title, one.words, one.origin) for one in changes] == [
        ("added", "Field email", ("Text, identifier.",), "you"),
        ("added", "Field visits", ("Whole number, sum.",), "you"),
        ("added", "Mapping of shop to email", ('email: email(`E-Mail`) if `E-Mail` != ""',), "you"),
    ]
    assert suggested_comment(changes) == "Adds email and visits"
    with pytest.raises(Refused, match="needs a comment"):
        publish_schema(engine, "  ")
    assert publish_schema(engine, "First") == 1
    assert unpublished_changes(engine) == []
    assert columns(engine) == {"email": "text", "visits": "integer"}
    assert [field.rank for field in published_schema(engine).fields] == [1, None]
    with pytest.raises(Refused, match="no unpublished changes"):
        publish_schema(engine, "Again")


def test_going_back_by_hand_takes_the_change_back(engine: Engine) -> None:
    city = FieldDefinition("city", "City")
    publish(engine, city)
    put_field(engine, FieldDefinition("city", "Town"))
    assert [one.words for one in unpublished_changes(engine)] == [("The label “City” becomes “Town”.",)]
    assert not needs_rebuild(unpublished_changes(engine))
    put_field(engine, city)
    assert unpublished_changes(engine) == []


def test_what_a_job_adds_leaves_unpublished_changes_alone(engine: Engine) -> None:
    publish(engine, FieldDefinition("city"))
    put_field(engine, FieldDefinition("city", "Town"))
    put_field(engine, FieldDefinition("zip", "Postcode"))
    with engine.workspace.database.write() as connection:
        new = apply_additions(
            connection,
            [FieldDefinition("zip"), FieldDefinition("email", merge="", is_identifier=True), FieldDefinition("City")],
            [MappingDefinition("", "shop", "zip", "`zip`"), MappingDefinition("", "shop", "city", "`city`")],
            comment="Columns of members.csv",
            by="Import members.csv",
        )
    assert new == ["zip", "email"]
    assert [(one.verb, one.subject) for one in unpublished_changes(engine)] == [
        ("changed", "field:city"),
        ("changed", "field:zip"),
    ]
    last = list_versions(engine)[0]
    assert (last.number, last.comment, last.by, last.changes) == (2, "Columns of members.csv", "Import members.csv", 4)
    with engine.workspace.database.write() as connection:
        again = apply_additions(
            connection, [FieldDefinition("zip")], [MappingDefinition("", "shop", "zip", "`zip`")], comment="", by=""
        )
    assert again == []
    assert list_versions(engine)[0].number == 2


def test_an_import_makes_a_text_an_identifier_but_not_a_number(engine: Engine) -> None:
    publish(engine, FieldDefinition("phone"), FieldDefinition("visits", type="int"))
    with engine.workspace.database.write() as connection:
        apply_additions(connection, [FieldDefinition("phone", is_identifier=True)], [], comment="c", by="")
    assert published_schema(engine).ranking() == ("phone",)
    with pytest.raises(Refused, match="holds whole number"), engine.workspace.database.write() as connection:
        apply_additions(connection, [FieldDefinition("visits", is_identifier=True)], [], comment="c", by="")


@pytest.mark.parametrize(
    ("before", "after", "was", "now"),
    [
        ("string", "int", ["12", "$1,200", "many", None], [12, 1200, None, None]),
        ("string", "date", ["2026-01-05", "soon"], ["2026-01-05T00:00:00.000000Z", None]),
        ("int", "string", [5, None], ["5", None]),
        ("bool", "string", [1, 0], ["true", "false"]),
        ("string", "[]string", ["a", None], ['["a"]', None]),
        ("map[string]int", "map[string]number", ['{"a":1}'], ['{"a":1.0}']),
    ],
)
def test_values_that_fit_another_kind_stay(
    engine: Engine, before: str, after: str, was: list[Any], now: list[Any]
) -> None:
    publish(engine, FieldDefinition("thing", type=before, merge=""))
    put_people(engine, "thing", was)
    put_field(engine, FieldDefinition("thing", type=after, merge=""))
    assert "the others come back with a rebuild" in unpublished_changes(engine)[0].words[0]
    assert needs_rebuild(unpublished_changes(engine))
    publish_schema(engine, "Another kind")
    assert values(engine, "thing") == now
    assert list(columns(engine)) == ["thing"]


def test_a_removed_field_goes_with_its_mappings_values_and_identifiers(engine: Engine) -> None:
    put_field(engine, FieldDefinition("email", is_identifier=True))
    put_field(engine, FieldDefinition("phone", is_identifier=True))
    key = put_mapping(engine, MappingDefinition("", "shop", "phone", "`phone`"))
    publish_schema(engine, "First")
    with engine.workspace.database.write() as connection:
        connection.execute("insert into identifiers (field_id, value, profile_id) values (2, '1', 1), (1, 'a', 1)")
    rank_identifiers(engine, ["phone"])
    assert [one.title for one in unpublished_changes(engine)] == ["Order of identifiers"]
    remove_field(engine, "phone")
    assert [one.subject for one in unpublished_changes(engine)] == ["field:phone", f"mapping:{key}"]
    publish_schema(engine, "No phones")
    assert list(columns(engine)) == ["email"]
    with engine.workspace.database.read() as connection:
        assert [row[0] for row in connection.execute("select value from identifiers")] == ["a"]
    assert published_schema(engine).mappings == ()


def test_every_fault_is_told_and_nothing_is_published(engine: Engine) -> None:
    publish(engine, FieldDefinition("city"))
    remove_field(engine, "city")
    put_field(engine, FieldDefinition("zip"))
    put_mapping(engine, MappingDefinition("", "shop", "zip", "`zip`"))
    with engine.workspace.database.write() as connection:
        # What a job maps meanwhile, and what an older program may have left in a draft.
        apply_additions(connection, [], [MappingDefinition("", "shop", "city", "`town`")], comment="c", by="")
        connection.execute("update schema_draft set after = replace(after, '`zip`', 'nosuch(`zip`)')")
        connection.execute(
            "insert into schema_draft values ('field:x', '{\"name\":\"x\",\"merge\":\"sum\"}', 'you', '')"
        )
    with pytest.raises(Refused) as refused:
        publish_schema(engine, "Will not do")
    assert refused.value.message.startswith("3 faults keep the changes from being published: ")
    sentences = refused.value.details.splitlines()
    assert sentences[0] == "x (text) can't be merged by “sum”."
    assert "`town` of the stream shop fills the field city, which is not there." in sentences
    assert any(line.startswith("nosuch(`zip`) of the stream shop can't fill zip: ") for line in sentences)
    assert list(columns(engine)) == ["city"]
    assert len(unpublished_changes(engine)) == 4


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (FieldDefinition("größe"), "can't be the name"),
        (FieldDefinition("_id"), "can't be the name"),
        (FieldDefinition("a", type="text"), "can't be of the kind “text”"),
        (FieldDefinition("a", merge="sum"), "can't be merged by “sum”"),
        (FieldDefinition("a", type="int", is_identifier=True), "can't be an identifier: it holds whole number"),
        (FieldDefinition("a", capacity=5), "can't have a capacity: it holds one value"),
        (FieldDefinition("a", type="[]string", merge="merge", keep_days=0), "number of days of a can't be 0"),
        (FieldDefinition("a", merge="", is_identifier=True, keep_days=9), "can't forget its values after some days"),
        (FieldDefinition("a", type="[]string", merge="capped"), "has no capacity"),
    ],
)
def test_a_field_that_can_not_be_is_refused_at_once(engine: Engine, field: FieldDefinition, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        put_field(engine, field)
    assert refused.value.advice
    assert unpublished_changes(engine) == []


def test_mappings_are_checked_at_once(engine: Engine) -> None:
    put_field(engine, FieldDefinition("city"))
    key = put_mapping(engine, MappingDefinition("", "shop", "city", "`city`"))
    for mapping, sentence in (
        (MappingDefinition("", "shop", "town", "`city`"), "no profile field “town”"),
        (MappingDefinition("", "shop", "city", ""), "has no expression"),
        (MappingDefinition("", " ", "city", "`city`"), "needs a stream"),
        (MappingDefinition("", "shop", "city", "tolower(`city`"), "Line 1"),
        (MappingDefinition("", "shop", "city", "`city`", "`a` =="), "Line 1"),
        (MappingDefinition(key, "news", "city", "`city`"), "can't move to another stream"),
        (MappingDefinition("m_0", "shop", "city", "`city`"), "not in the schema"),
    ):
        with pytest.raises(CausewayError, match=sentence):
            put_mapping(engine, mapping)
    assert put_mapping(engine, MappingDefinition("", "shop", "city", " `city` ")) == key
    other = put_mapping(engine, MappingDefinition("", "shop", "city", "`town`"))
    with pytest.raises(Refused, match="already"):
        put_mapping(engine, MappingDefinition(other, "shop", "city", "`city`"))
    publish_schema(engine, "First")
    put_mapping(engine, MappingDefinition(key, "shop", "city", "tolower(`city`)", "exists(`city`)"))
    remove_mapping(engine, other)
    words = {one.verb: one.words for one in unpublished_changes(engine)}
    assert words == {
        "changed": ("city: `city` becomes tolower(`city`)", "city: only if exists(`city`)"),
        "removed": ("city: `town`",),
    }
    # Each becomes what the other one was.
    put_mapping(engine, MappingDefinition(key, "shop", "city", "`town`"))
    publish_schema(engine, "Swapped")
    assert [mapping.expression for mapping in published_schema(engine).mappings] == ["`town`"]


def test_discarding_one_change_and_all(engine: Engine) -> None:
    publish(engine, FieldDefinition("city"))
    put_field(engine, FieldDefinition("zip"))
    put_mapping(engine, MappingDefinition("", "shop", "zip", "`zip`"))
    put_mapping(engine, MappingDefinition("", "shop", "city", "`city`"))
    set_shared_limit(engine, 7)
    discard_changes(engine, "field:zip")
    assert [mapping.field for mapping in draft_schema(engine).mappings] == ["city"]
    with pytest.raises(NotFound):
        discard_changes(engine, "field:zip")
    discard_changes(engine)
    assert draft_schema(engine) == published_schema(engine)


def test_going_back_to_a_version(engine: Engine) -> None:
    publish(engine, FieldDefinition("city"), FieldDefinition("phone", is_identifier=True))
    set_shared_limit(engine, 7)
    remove_field(engine, "city")
    publish_schema(engine, "Less")
    with engine.workspace.database.read() as connection:
        assert read_shared_limit(connection) == 7
    assert [(one.verb, one.subject) for one in compare_versions(engine, 2, 1)] == [
        ("added", "field:city"),
        ("changed", "setting:shared_limit"),
    ]
    put_field(engine, FieldDefinition("zip"))
    with pytest.raises(Refused, match="unpublished changes"):
        load_version(engine, 1)
    discard_changes(engine)
    load_version(engine, 1)
    assert {one.origin for one in unpublished_changes(engine)} == {"version 1"}
    publish_schema(engine, "Back")
    assert compare_versions(engine, 1, 3) == []
    with pytest.raises(NotFound, match="no version 9"):
        load_version(engine, 9)


def test_how_full_fields_are(engine: Engine) -> None:
    publish(engine, FieldDefinition("city"), FieldDefinition("zip"))
    put_people(engine, "city", ["Oslo", None, "Bergen"])
    assert {name: (use.filled, use.people) for name, use in field_use(engine).items()} == {
        "city": (2, 3),
        "zip": (0, 3),
    }


def test_a_mapping_is_tried_on_an_event(engine: Engine) -> None:
    event = {"user": {"mail": "Ann <Ann@X.com>"}, "n": "5"}
    assert try_mapping(engine, "email(`user.mail`)", "", event, 0) == ("ann@x.com", "string")
    assert try_mapping(engine, "email(`user.mail`)", '`n` == "6"', event, 0) == (None, "string")
    assert try_mapping(engine, "toint(`n`)", "", event, 0) == (5, "int")


def test_a_new_field_remembers_nothing_of_a_removed_one(engine: Engine) -> None:
    publish(engine, FieldDefinition("city"), FieldDefinition("spent", type="number", merge="sum"))
    put_people(engine, "city", ["Oslo"])
    with engine.workspace.database.write() as connection:
        connection.execute("""update profiles set _origins = '{"1":[7,1],"2":[7,1]}', _state = '{"2":[1]}'""")
    remove_field(engine, "city")
    put_field(engine, FieldDefinition("spent", type="number", merge="max"))
    publish_schema(engine, "Less")
    publish(engine, FieldDefinition("zip"))
    assert values(engine, "_origins") == ['{"2":[7,1]}']
    assert values(engine, "_state") == [None]
