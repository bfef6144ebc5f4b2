"""Whatever is printed reads back as the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.lql import parse_expression, parse_statements, print_expression, print_statement
from app.lql.tree import (
    Between,
    Binary,
    Call,
    Column,
    Field,
    Items,
    Literal,
    Logic,
    Name,
    Not,
    Star,
    Statement,
    When,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.one_of(
    st.sampled_from(["a", "user.city", "from", "Kind", "e-mail", "1st", "true", "or", "in", "cast"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="`"), min_size=1, max_size=6),
)
LITERALS = st.builds(
    Literal,
    st.one_of(
        TEXTS,
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.none(),
    ),
)
CALL_NAMES = st.sampled_from(["tolower", "hash.md5", "contains", "exists", "ifcase", "cast", "map", "or_", "count"])


def several(nodes, least=0):
    return st.lists(nodes, min_size=least, max_size=3).map(tuple)


def inner(nodes):
    return st.one_of(
        st.builds(Items, several(nodes)),
        st.builds(Call, CALL_NAMES, several(nodes)),
        st.builds(
            Binary,
            st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "LIKE", "CONTAINS"]),
            nodes,
            nodes,
        ),
        st.builds(Binary, st.sampled_from(["IN", "INTERSECTS"]), nodes, st.builds(Items, several(nodes))),
        st.builds(Binary, st.just("IN"), nodes, st.one_of(st.builds(Field, NAMES), st.builds(Literal, TEXTS))),
        st.builds(Between, nodes, nodes, nodes),
        st.builds(Logic, st.sampled_from(["AND", "OR"]), several(nodes, 2)),
        st.builds(Logic, st.sampled_from(["AND", "OR"]), several(nodes, 1), st.just(True)),
        st.builds(Not, nodes),
        st.builds(When, nodes, nodes, st.one_of(st.none(), nodes)),
    )


EXPRESSIONS = st.recursive(
    st.one_of(LITERALS, st.builds(Field, NAMES), st.just(Call("count", (Star(),)))), inner, max_leaves=12
)
WORDS = st.builds(Name, NAMES)
COLUMNS = st.builds(
    Column,
    EXPRESSIONS,
    st.one_of(st.none(), WORDS),
    st.one_of(st.none(), EXPRESSIONS),
    st.sampled_from([None, Name("int"), Name("[]string"), Name("map[string]value"), Name("ts[]string")]),
    st.sampled_from([None, Name("sum"), Name("latest")]),
    st.one_of(st.none(), TEXTS),
    st.one_of(st.none(), TEXTS),
    st.one_of(st.none(), st.integers(1, 999)),
    st.one_of(st.none(), st.integers(1, 999)),
)
STATEMENTS = st.builds(
    Statement,
    st.lists(COLUMNS, min_size=1, max_size=3).map(tuple),
    st.one_of(st.none(), WORDS),
    st.one_of(st.none(), WORDS),
    st.lists(WORDS, max_size=2).map(tuple),
    st.one_of(st.none(), EXPRESSIONS),
    st.one_of(st.none(), WORDS),
)


@given(EXPRESSIONS)
def test_an_expression_reads_back_as_it_was(node) -> None:
    assert parse_expression(print_expression(node)) == node


@given(st.lists(STATEMENTS, min_size=1, max_size=2))
def test_statements_read_back_as_they_were(statements) -> None:
    assert parse_statements("\n".join(map(print_statement, statements))) == statements


def test_a_statement_is_printed_in_aligned_lines() -> None:
    text = (
        'select email(`e-mail`) as email, count(event) as events kind int cap "10" , set(tag) if event = "order", '
        "oneof(a_very_long_field_name, another_very_long_field_name, and_a_third_one) as long_one "
        "from shop into user by email or events where event != 'ping' alias shop_user"
    )
    assert (
        print_statement(parse_statements(text)[0])
        == """\
SELECT
    email(`e-mail`) AS email
  , count(event)    AS events   KIND int  CAP "10"
  , set(tag) IF event == "order"
  , oneof(a_very_long_field_name, another_very_long_field_name, and_a_third_one) AS long_one
FROM shop
INTO user
BY email OR events
WHERE event != "ping"
ALIAS shop_user;
"""
    )
