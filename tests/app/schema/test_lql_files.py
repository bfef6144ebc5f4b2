"""The schema as text: what is exported reads back as the same schema, and a text changes what it says."""

from __future__ import annotations

import pytest

from app.engine import Engine
from app.errors import CausewayError
from app.lql import LqlError
from app.schema.lql_files import canonical, canonical_condition, export_lql, import_lql, lql_file_name, read_lql
from app.schema.model import FieldDefinition, MappingDefinition, Schema
from app.schema.operations import discard_changes, publish_schema, put_field, put_mapping
from app.schema.queries import draft_schema, published_schema, unpublished_changes

SHOP = """
SELECT
    tolower(`e-mail`)            AS email
  , oneof(first, given)          AS first_name    SHORTDESC "Given name" LONGDESC "As the shop knows it"
  , count(event)                 AS events
  , set(tag)                     AS tags          CAP "5, 30d"
  , todate(ts)                   AS last_seen     KIND date  MERGEOP max
  , tonumber(total)              AS spend         KIND number MERGEOP sum   IF event == "order"
  , tonumber(refund)             AS spend         IF event == "refund"
FROM shop
INTO user
BY email
WHERE event != "ping"
ALIAS shop_user;
"""
CRM = """SELECT id AS crm_id, tolower(mail) AS email, split(tags, ",") AS tags KIND []string
FROM `c r m` BY crm_id OR email"""


def meanings(schema: Schema) -> set[tuple[str, str, str, str]]:
    """What the mappings do, whatever their keys and however they are written."""
    return {
        (one.stream, one.field, canonical(one.expression), canonical_condition(one.condition))
        for one in schema.mappings
    }


def test_a_statement_becomes_fields_and_mappings(engine: Engine) -> None:
    changed = import_lql(engine, SHOP, origin="shop.lql")
    assert {one.verb for one in changed} == {"added"}
    assert {one.origin for one in unpublished_changes(engine)} == {"shop.lql"}
    schema = draft_schema(engine)
    assert {
        (one.name, one.label, one.type, one.merge, one.is_identifier, one.capacity, one.keep_days)
        for one in schema.fields
    } == {
        ("email", "Email", "string", "", True, None, None),
        ("first_name", "Given name", "string", "latest", False, None, None),
        ("events", "Events", "int", "count", False, None, None),
        ("tags", "Tags", "[]string", "merge", False, 5, 30),
        ("last_seen", "Last seen", "date", "max", False, None, None),
        ("spend", "Spend", "number", "sum", False, None, None),
    }
    conditions = {one.condition for one in schema.mappings if one.field == "spend"}
    assert conditions == {'event != "ping" AND event == "order"', 'event != "ping" AND event == "refund"'}


def test_what_is_exported_reads_back_as_the_same(engine: Engine, tmp_path) -> None:
    import_lql(engine, SHOP + CRM, origin="LQL")
    publish_schema(engine, "Both")
    assert published_schema(engine).ranking() == ("crm_id", "email")
    texts = export_lql(engine)
    assert list(texts) == ["c r m", "shop"]
    assert 'CAP "5, 30d"' in texts["shop"]
    # Over itself it changes nothing.
    assert import_lql(engine, "".join(texts.values()), origin="LQL") == []
    assert unpublished_changes(engine) == []
    # In an empty workspace it makes the same.
    from app.workspace import create_workspace

    create_workspace(tmp_path / "other", "Other").close()
    with Engine.open(tmp_path / "other") as other:
        import_lql(other, "".join(texts.values()), origin="LQL")
        assert draft_schema(other).fields == published_schema(engine).fields
        assert meanings(draft_schema(other)) == meanings(published_schema(engine))
        assert export_lql(other, draft=True) == texts


def test_a_text_says_all_mappings_of_its_streams_and_keeps_what_it_does_not_say(engine: Engine) -> None:
    put_field(engine, FieldDefinition("city", "Town", "Where they live", "string", "oldest"))
    put_field(engine, FieldDefinition("zip"))
    put_field(engine, FieldDefinition("ids", type="[]string", is_identifier=True))
    city = put_mapping(engine, MappingDefinition("", "shop", "city", "tolower(`city`)"))
    put_mapping(engine, MappingDefinition("", "shop", "zip", "`zip`"))
    news = put_mapping(engine, MappingDefinition("", "news", "zip", "`zip`"))
    publish_schema(engine, "First")
    changed = import_lql(engine, "SELECT trim AS city, set(id) AS ids FROM shop", origin="LQL")
    assert [(one.verb, one.title) for one in changed] == [
        ("changed", "Mapping of shop to city"),
        ("removed", "Mapping of shop to zip"),
        ("added", "Mapping of shop to ids"),
    ]
    schema = draft_schema(engine)
    assert schema.mapping(city) is not None
    assert schema.mapping(news) is not None
    assert schema.field("city") == published_schema(engine).field("city")
    assert schema.ranking() == ("ids",)
    discard_changes(engine)
    # The same in other words is no change.
    assert import_lql(engine, "select TOLOWER(city) as City, zip from shop", origin="LQL") == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("SELECT a AS b\nFROM shop INTO content", 2, "no table content"),
        ("SELECT a AS b KIND int FROM one;\nSELECT a AS b KIND date FROM two", 2, "of the kind int"),
        ("SELECT a AS b\n, nosuch(a) AS c FROM shop", 2, "no function nosuch"),
        ("SELECT a AS", 1, ""),
    ],
)
def test_mistakes_have_a_place_and_change_nothing(engine: Engine, text: str, line: int, message: str) -> None:
    with pytest.raises(LqlError) as error:
        import_lql(engine, text, origin="LQL")
    assert error.value.problems[0].line == line
    assert message in error.value.problems[0].message
    assert unpublished_changes(engine) == []
    with pytest.raises(CausewayError, match="can't be the name"):
        import_lql(engine, "SELECT a AS `größe` FROM shop", origin="LQL")


def test_names_of_files_are_good_on_every_system() -> None:
    assert lql_file_name("shop orders") == "shop orders.lql"
    assert lql_file_name("../a:b*") == "..%2Fa%3Ab%2A.lql"
    assert read_lql("SELECT a FROM b")[0].stream is not None
