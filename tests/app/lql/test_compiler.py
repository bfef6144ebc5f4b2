"""What mappings keep of an event, and the worked example of the language from statement to values."""

from __future__ import annotations

from typing import Any

import pytest

from app.lql import (
    FUNCTIONS,
    ColumnField,
    LqlError,
    compile_expression,
    flatten,
    parse_statements,
    statement_mappings,
    values_of,
)
from app.lql.stored import STORE
from connectors.kit.times import parse_time

NOON = 1_795_348_800_000_000  # 2026-11-22T12:00:00Z


def kept(expression: str, event: dict[str, Any], kind: str | None = None, condition: str | None = None) -> Any:
    """What a field keeps of an event."""
    compiled = compile_expression(expression, kind=kind, condition=condition)
    flat = flatten(event)
    arguments = values_of(event, flat, compiled.columns)
    arguments += [NOON] if compiled.needs_time else []
    arguments += [flat] if compiled.needs_event else []
    return compiled.call(*arguments)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", "a", "a"),
        ("string", "", None),
        ("string", 5, "5"),
        ("string", 5.0, "5"),
        ("string", True, "true"),
        ("string", ["a", "b"], "a"),
        ("string", {"a": 1}, None),
        ("int", "$ 5,555.90", 5555),
        ("int", 2**63, None),
        ("int", 7, 7),
        ("int", "x", None),
        ("number", "12.5", 12.5),
        ("number", 3, 3.0),
        ("number", "nan", None),
        ("bool", "t", True),
        ("bool", "yes", None),
        ("date", "2026-01-02", "2026-01-02T00:00:00.000000Z"),
        ("date", 1396889935, "2014-04-07T16:58:55.000000Z"),
        ("date", "soon", None),
        ("[]string", ["b", "a", "b", "", None], ["a", "b"]),
        ("[]string", "a", ["a"]),
        ("[]string", "", None),
        ("[]string", [], None),
        ("[]string", {"a": 1}, None),
        ("ts[]string", ["b", "a", "b"], ["b", "a"]),
        ("[]time", ["2026-02-01", "x", "2026-01-01"], ["2026-01-01T00:00:00.000000Z", "2026-02-01T00:00:00.000000Z"]),
        ("map[string]string", {"a": 5, "b": ""}, {"a": "5"}),
        ("map[string]string", {"b": ""}, None),
        ("map[string]string", "a", None),
        ("map[string]int", {"a": "5", "b": "x"}, {"a": 5}),
        ("map[string]number", {"a": "5"}, {"a": 5.0}),
        ("map[string]bool", {"a": "t"}, {"a": True}),
        ("map[string]time", {"a": "2026-01-02"}, {"a": "2026-01-02T00:00:00.000000Z"}),
        ("map[string]intsum", {"a": 2}, {"a": 2}),
        ("map[string]value", {"a": [1, {"b": None}], "c": None}, {"a": [1, {"b": None}]}),
        ("[]timebucket", "2026-01-02T10:00:00Z", {"2026-01-02": 1}),
        ("[]timebucket", {"2026-01-02": 3}, {"2026-01-02": 3}),
        ("geolocation", "52.09, 5.12", "52.09,5.12"),
        ("geolocation", [52.09, 5.12], "52.09,5.12"),
        ("geolocation", "91,0", None),
        ("geolocation", "Utrecht", None),
    ],
)
def test_what_a_field_of_a_kind_keeps(kind, value, expected) -> None:
    assert compile_expression("x", kind=kind).call(value) == expected


def test_every_kind_keeps_nothing_of_nothing() -> None:
    for kind in STORE:
        assert compile_expression("x", kind=kind).call(None) is None


def test_dates_inside_of_maps_are_kept_as_text() -> None:
    event = {"event": "buy", "ts": "2026-01-02"}
    for kind in ("map[string]time", "map[string]value"):
        assert kept("map(event, todate(ts))", event, kind) == {"buy": "2026-01-02T00:00:00.000000Z"}


@pytest.mark.parametrize(
    ("expression", "kind", "operator"),
    [
        ("x", "string", "latest"),
        ("toint(x)", "int", "latest"),
        ("toint(x) + 1", "int", "latest"),
        ("x + 1", "number", "latest"),
        ("todate(x)", "date", "latest"),
        ("x == 1", "bool", "latest"),
        ("split(x, ',')", "[]string", "merge"),
        ("['a', x]", "[]string", "merge"),
        ("match('user.')", "map[string]value", "merge"),
        ("map(x, toint(y))", "map[string]int", "merge"),
        ("map(x, todate(y))", "map[string]time", "merge"),
        ("map(x, y)", "map[string]string", "merge"),
        ("oneof(toint(x), 5)", "int", "latest"),
        ("oneof(x, 5)", "string", "latest"),
        ("or(toint(x), 5)", "int", "latest"),
        ("ifcase(1 IF x, 2)", "int", "latest"),
        ("1 IF x", "int", "latest"),
        ("cast(x AS time)", "date", "latest"),
        ("cast(x AS char)", "string", "latest"),
        ("array.index(x, 0)", "string", "latest"),
        ("filter(split(x, ','), 'a')", "[]string", "merge"),
        ("uuid()", "string", "latest"),
    ],
)
def test_an_expression_brings_a_kind_and_a_way_to_merge(expression, kind, operator) -> None:
    compiled = compile_expression(expression)
    assert (compiled.kind, compiled.operator) == (kind, operator)


@pytest.mark.parametrize("expression", ["count(x)", "sum(x)", "min(toint(x))", "max(x)", "set(x)", "valuect(x)"])
def test_aggregates_bring_their_way_to_merge(expression) -> None:
    name = expression.split("(")[0]
    for text in (expression, f"{expression} IF y", f"ifcase({expression} IF y, {expression})"):
        assert compile_expression(text).operator == FUNCTIONS[name].operator


def test_a_plain_call_is_the_function_itself() -> None:
    """Nothing stands between the engine and the function that does the work."""
    assert compile_expression("x").call is STORE["string"]
    for expression in ("email(x)", "todate(x)", "toint(x)", "tonumber(x)", "hash.sha256(x)", "set(x)", "valuect(x)"):
        function = FUNCTIONS[expression.split("(")[0]]
        assert compile_expression(expression).call is function.stored, expression


def test_what_is_asked_for() -> None:
    assert compile_expression("now()").needs_time
    matched = compile_expression("match('user.')")
    assert (matched.columns, matched.needs_event) == ((), True)
    assert kept("match('user.')", {"user": {"city": "P"}}) == {"city": "P"}
    assert not compile_expression("uuid()").pure
    assert compile_expression("join(b, a, b, '-')").columns == ("b", "a")
    assert kept("join(b, a, b, '-')", {"a": "1", "b": "2"}) == "2-1-2"


def test_a_condition_must_be_exactly_true() -> None:
    event = {"x": "v", "yes": True, "one": 1, "text": "true"}
    assert kept("x", event, condition="yes") == kept("x", event, condition="") == "v"
    assert kept("x", event, condition="text == true") == "v"
    for condition in ("one", "text", "nothing", "NOT yes", "x > 'a'"):
        assert kept("x", event, condition=condition) is None
    assert kept("todate(x) IF yes ELSE todate(y)", event | {"x": "2026-01-02"}) == "2026-01-02T00:00:00.000000Z"


def test_what_cant_be_compiled_is_said() -> None:
    for text, kind, sentence in (
        ("foo(x)", None, "There is no function foo."),
        ("tolower(count(x))", None, "count adds up over all events"),
        ("x", "txt", "There is no kind txt."),
    ):
        with pytest.raises(LqlError) as caught:
            compile_expression(text, kind=kind)
        assert caught.value.problems[0].message.startswith(sentence)
    with pytest.raises(LqlError):
        compile_expression("x", condition="count(x) > 1")


EXAMPLE = """
SELECT
    email(`e-mail`)              AS email
  , oneof(first, given)          AS first_name    SHORTDESC "First name"
  , count(event)                 AS events        KIND int
  , set(tag)                     AS tags
  , valuect(event)               AS event_counts
  , todate(ts)                   AS last_seen     KIND date  MERGEOP latest
  , tonumber(total)              AS spend         KIND number MERGEOP sum   IF event == "order"
FROM shop
INTO user
BY email
WHERE event != "ping"
ALIAS shop_user
"""


@pytest.mark.parametrize(
    ("event", "contribution"),
    [
        (
            {"e-mail": "Ann <Ann@X.com>", "given": "Ann", "event": "login", "tag": "b", "ts": "2026-01-02"},
            {
                "email": "ann@x.com",
                "first_name": "Ann",
                "events": 1,
                "tags": ["b"],
                "event_counts": {"login": 1},
                "last_seen": "2026-01-02T00:00:00.000000Z",
            },
        ),
        (
            {"e-mail": "ann@x.com", "event": "order", "total": "$ 12.50", "tag": "a", "ts": "2026-01-05"},
            {
                "email": "ann@x.com",
                "events": 1,
                "tags": ["a"],
                "event_counts": {"order": 1},
                "last_seen": "2026-01-05T00:00:00.000000Z",
                "spend": 12.5,
            },
        ),
        ({"e-mail": "ann@x.com", "event": "ping"}, {}),
        ({"e-mail": "nobody", "event": "login"}, {"events": 1, "event_counts": {"login": 1}}),
    ],
)
def test_the_worked_example(event, contribution) -> None:
    fields, mappings = statement_mappings(parse_statements(EXAMPLE)[0])
    kinds = {field.name: field.kind for field in fields}
    values = {
        mapping.field: kept(mapping.expression, event, kinds[mapping.field], mapping.condition or None)
        for mapping in mappings
    }
    assert {name: value for name, value in values.items() if value is not None} == contribution


def test_fields_and_mappings_of_a_statement() -> None:
    text = """SELECT email AS email, todate(ts), count(host(x)) SHORTDESC "n" CAP "3, 9d", tag AS tags KIND []string,
    nick AS name IF a, given AS name LONGDESC "who" IF a and b FROM web BY email WHERE x or y"""
    fields, mappings = statement_mappings(parse_statements(text)[0])
    assert fields[0] == ColumnField("email", "string", False, None, "", "", None, None, True)
    assert [(field.name, field.kind, field.operator) for field in fields[1:]] == [
        ("ts", "date", None),
        ("ct_x", "int", FUNCTIONS["count"].operator),
        ("tags", "[]string", None),
        ("name", "string", None),
    ]
    assert (fields[2].short, fields[2].capacity, fields[2].keep_days, fields[4].long) == ("n", 3, 9, "who")
    assert [(mapping.field, mapping.expression, mapping.condition) for mapping in mappings[3:]] == [
        ("tags", "tag", "x OR y"),
        ("name", "nick", "(x OR y) AND a"),
        ("name", "given", "(x OR y) AND a AND b"),
    ]
    assert {mapping.stream for mapping in mappings} == {"web"}


def test_nested_events_are_flattened() -> None:
    event = {"a": {"b": {"c": 1}, "d": [{"e": 2}]}, "a.d": "own", "f": None}
    assert flatten(event) == {"a.b.c": 1, "a.d": "own", "f": None}
    assert flatten({"a": 1}) == {"a": 1}
    assert values_of(event, flatten(event), ("a.b.c", "a", "z")) == [1, event["a"], None]
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"x": deep or 1}
    assert len(next(iter(flatten(deep)))) == 9_999


def test_times_of_the_example_are_what_they_seem() -> None:
    assert parse_time("2026-11-22T12:00:00Z") == NOON
    assert kept("todate('now-1d')", {}) == "2026-11-21T12:00:00.000000Z"
