"""What operators, choices and missing values come to: every row of the language's tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.lql import compile_expression, evaluate, flatten, parse_expression

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
EVENT = {
    "five": 5,
    "half": 2.5,
    "text": "abc",
    "number": "5",
    "empty": "",
    "yes": True,
    "no": False,
    "yes_text": "true",
    "tags": ["alpha", "beta"],
    "user": {"city": "Gent", "deep": {"er": 1}},
    "day": "2026-11-20",
    "big": 2**62,
}


@pytest.mark.parametrize(
    ("expression", "value", "kind"),
    [
        # Arithmetic
        ("7 / 2", 3, "int"),
        ("-7 / 2", -3, "int"),
        ("7 / 2.0", 3.5, "number"),
        ("-7 % 3", -1, "int"),
        ("7.9 % 3", 1.0, "number"),
        ("2 * (3 + 5) - 1", 15, "int"),
        ("five + 5", 10, "int"),
        ("number * 6", 30.0, "number"),
        ("five + number", 10, "int"),
        ("five + '0.5'", 5.5, "number"),
        ("five / 0", None, None),
        ("five % 0.5", None, None),
        ("half / 0", None, None),
        ("big * 2", None, None),
        ("1e308 * 10", None, None),
        ("text + text", None, None),
        ("number + number", None, None),
        ("five + text", None, None),
        ("five + '1_0'", None, None),
        ("five + '--1'", None, None),
        ("five + nothing", None, None),
        ("yes + 1", None, None),
        ("tags + 1", None, None),
        # Equality
        ('text == "abc"', True, "bool"),
        ('text = "ABC"', False, "bool"),
        ("number == 5", True, "bool"),
        ("5.0 == number", True, "bool"),
        ("nothing == 5", False, "bool"),
        ("nothing != 5", True, "bool"),
        ("five <> nothing", True, "bool"),
        ("nothing == nix", False, "bool"),
        ("nothing != nix", False, "bool"),
        ("yes_text == true", True, "bool"),
        ("text == true", False, "bool"),
        ("five == true", None, None),
        # NULL
        ("text != NULL", True, "bool"),
        ("text == NULL", False, "bool"),
        ("five != NULL", None, None),
        ("five == NULL", None, None),
        ("nothing != NULL", True, "bool"),
        ("nothing == NULL", False, "bool"),
        # Order
        ("five < 6", True, "bool"),
        ("five <= 5.0", True, "bool"),
        ("number > 4", True, "bool"),
        ("text > 'a'", None, None),
        ("nothing > 1", False, "bool"),
        ("five >= nothing", False, "bool"),
        ('todate(day) > "now-3d"', True, "bool"),
        ('todate(day) > "2026-11-21"', False, "bool"),
        # Range
        ("five BETWEEN 4 AND 6", True, "bool"),
        ("five BETWEEN 5 AND 6", False, "bool"),
        ("five BETWEEN '1' AND '55.5'", True, "bool"),
        ("nothing BETWEEN 1 AND 2", None, None),
        ("five NOT BETWEEN 5 AND 6", True, "bool"),
        ('todate(day) BETWEEN "now-50w" AND "12/18/2050"', True, "bool"),
        # Membership
        ("five IN (4, 5)", True, "bool"),
        ('"abc" IN ["abc", 10]', True, "bool"),
        ('tags IN ("beta", "x")', True, "bool"),
        ('tags INTERSECTS ("gamma")', False, "bool"),
        ('"city" IN user', True, "bool"),
        ('user IN ("city")', True, "bool"),
        ('"alpha" IN tags', True, "bool"),
        ('text IN ("x", tags, nothing)', False, "bool"),
        ('"beta" IN ("x", tags, text)', True, "bool"),
        ('nothing IN ("x")', False, "bool"),
        ('nothing NOT IN ("x")', True, "bool"),
        ("text IN ()", False, "bool"),
        # Text
        ('text LIKE "a*"', True, "bool"),
        ('text LIKE "%c"', True, "bool"),
        ('text LIKE "?bc"', True, "bool"),
        ('text LIKE "[a-c]bc"', True, "bool"),
        ('text LIKE "A*"', False, "bool"),
        ('text LIKE "b"', False, "bool"),
        ('tags LIKE "bet*"', True, "bool"),
        ('text CONTAINS "bc"', True, "bool"),
        ('tags CONTAINS "lph"', True, "bool"),
        ('nothing NOT CONTAINS "x"', True, "bool"),
        # Presence
        ("EXISTS five", True, "bool"),
        ("exists(nothing)", False, "bool"),
        # Logic
        ("yes AND NOT no", True, "bool"),
        ("no OR yes && yes", True, "bool"),
        ("yes || no && no", True, "bool"),
        ("text > 'a' OR yes", True, "bool"),
        ("text > 'a' AND yes", False, "bool"),
        ("NOT (text > 'a')", None, None),
        ("NOT (nothing > 3)", True, "bool"),
        ("AND (yes, text > 'a')", None, None),
        ("AND (no, text > 'a')", False, "bool"),
        ("AND (yes, five == 5)", True, "bool"),
        ("OR (text > 'a', yes)", True, "bool"),
        ("OR (text > 'a', no)", False, "bool"),
        ("five AND yes", False, "bool"),
        ("yes_text AND yes", False, "bool"),
        ("NOT 0", True, "bool"),
        # Choices
        ('"x" IF five > 3 ELSE "y"', "x", "string"),
        ('"x" IF five', None, None),
        ('"x" IF nothing > 3 ELSE "y"', "y", "string"),
        ('"x" IF no ELSE nothing', None, None),
        ('ifcase("a" IF no, "b" IF yes, "c")', "b", "string"),
        ('ifcase("a" IF no, "c")', "c", "string"),
        ('ifcase("a" IF no, "c" IF text > "a")', None, None),
        ("or(nothing, empty, text)", "abc", "string"),
        ("oneof(nothing, tags)", ["alpha", "beta"], "[]string"),
        ("(nothing OR yes)", True, "bool"),
        ('tolower("A" IF yes ELSE "B")', "a", "string"),
        ("not(OR (nothing, empty))", True, "bool"),
        # Values as they are
        ("`user.deep.er` + 1", 2, "int"),
        ("user.city", "Gent", "string"),
        ('[five, nothing, "x"]', [5, "x"], "[]value"),
        ("[nothing]", None, None),
        ("AND (yes, yes)", True, "bool"),
        ("OR (NOT yes, five BETWEEN 4 AND 6)", True, "bool"),
        ("count(*)", 1, "int"),
        ("(1 IF no ELSE 2) + five", 7, "int"),
        ("oneof(NULL, five)", 5, "int"),
        ('["b", "a"]', ["b", "a"], "[]string"),
        ("NULL", None, None),
        ('cast("5.5" AS int)', 5, "int"),
        ('cast("5.5", "string")', "5.5", "string"),
        ("now()", AT, "date"),
        ('todate("now-1d")', AT.replace(day=21), "date"),
    ],
)
def test_what_an_expression_comes_to(expression, value, kind) -> None:
    assert evaluate(expression, EVENT, at=AT) == (value, kind)
    # What is compiled for mappings agrees with it, as far as a field keeps the same.
    compiled = compile_expression(expression)
    flat = flatten(EVENT)
    arguments = [flat.get(column, EVENT.get(column)) for column in compiled.columns]
    arguments += [int(AT.timestamp() * 1_000_000)] if compiled.needs_time else []
    kept = compiled.call(*arguments)
    if (compiled.kind == kind and kind in ("int", "number", "bool")) or value is None:
        assert kept == value


def test_comparisons_that_count_from_now_ask_for_the_time() -> None:
    compiled = compile_expression('todate(day) > "now-3d"')
    assert (compiled.columns, compiled.needs_time, compiled.pure) == (("day",), True, True)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert compiled.call("2026-11-20", int(AT.timestamp() * 1_000_000)) is True
    assert compiled.call("2026-11-20", int(later.timestamp() * 1_000_000)) is False
    assert not compile_expression('todate(day) > "2026-11-01"').needs_time


def test_now_of_a_look_at_one_event_may_differ_from_its_time() -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert evaluate('todate(day) > "now-3d"', EVENT, at=AT, now=later) == (False, "bool")
    assert evaluate("todate(x)", {"x": "now"}, at=AT, now=later) == (later, "date")
    assert evaluate("now()", {}, at=AT, now=later) == (AT, "date")


@pytest.mark.parametrize(
    "text",
    [
        "NOT " * 90 + "(x == 1)",
        "tolower(" * 95 + "x" + ")" * 95,
        "(1 IF x == 1 ELSE " * 95 + "2" + ")" * 95,
        "AND (x == 1, OR (x == 2, " * 40 + "x == 1" + "))" * 40,
        "AND (x == 1, OR (x == 2, " * 30 + 'todate("now") == now()' + "))" * 30,
        "x" + " + 1" * 95,
    ],
)
def test_deep_expressions_run(text) -> None:
    node = parse_expression(text)
    value, _ = evaluate(node, {"x": 1}, at=AT)
    compiled = compile_expression(node)
    moment = [int(AT.timestamp() * 1_000_000)] if compiled.needs_time else []
    assert compiled.call(1, *moment) == value
    assert value is not None
