"""What can be written in the mapping language, and what is said about the rest."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.lql import (
    LqlError,
    check_statements,
    parse_condition,
    parse_expression,
    parse_statements,
    print_expression,
)
from app.lql.parser import MAX_DEPTH, has_comments, read_statements
from app.lql.tree import Binary, Call, Column, Field, Literal, Logic, Name, Span, Statement, When

A, B, C = Field("a"), Field("b"), Field("c")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        # Names and literals
        ("`e-mail`", "`e-mail`"),
        ('`Größe in "cm"; -- x`', '`Größe in "cm"; -- x`'),
        ("`plain`", "plain"),
        ("user.city", "user.city"),
        ("KIND", "`KIND`"),
        ("12", "12"),
        ("4.50", "4.5"),
        ("-1", "-1"),
        ("1e3", "1000.0"),
        ("99999999999999999999", "1e+20"),
        ("TRUE", "true"),
        ("null", "NULL"),
        ("'single'", '"single"'),
        (r'"a\"b\\c\n\u00e9\d\ud800"', r'"a\"b\\c\né\\d\\ud800"'),
        ('["a", "b", 3]', '["a", "b", 3]'),
        ("[]", "[]"),
        # Operators and how tightly they bind
        ("a+b*c", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)-d", "a - (b - c) - d"),
        ("a -1", "a - 1"),
        ("a - -1", "a - -1"),
        ("a = b", "a == b"),
        ("a <> b", "a != b"),
        ("(a == b) == c", "a == b == c"),
        ("a == (b == c)", "a == (b == c)"),
        ("a OR b and c || d", "a OR b AND c OR d"),
        ("(a or b) && c", "(a OR b) AND c"),
        ("(a and b) and c", "(a AND b) AND c"),
        ("not a == b", "NOT a == b"),
        ("!(a)", "NOT a"),
        ("!eq(a, 6)", "NOT eq(a, 6)"),
        ("a == not(b)", "a == (NOT b)"),
        ("a in ('x', \"y\" 4.5)", 'a IN ("x", "y", 4.5)'),
        ("a IN ['x']", 'a IN ("x")'),
        ("'x' IN a", '"x" IN a'),
        ("a IN split(b, ',')", 'a IN split(b, ",")'),
        ("a in 'x'", 'a IN "x"'),
        ("in(a, 'x', 'y')", 'a IN ("x", "y")'),
        ("in(a, b)", "a IN b"),
        ("a not  in ()", "a NOT IN ()"),
        ("a INTERSECTS ('x')", 'a INTERSECTS ("x")'),
        ("a NOT intersects b", "a NOT INTERSECTS b"),
        ("a like '*x'", 'a LIKE "*x"'),
        ("a NOT LIKE 'x'", 'a NOT LIKE "x"'),
        ("a contains 'x' and contains(a, 'x')", 'a CONTAINS "x" AND contains(a, "x")'),
        ("a NOT CONTAINS b", "a NOT CONTAINS b"),
        ("a between 1 and 5 and b", "a BETWEEN 1 AND 5 AND b"),
        ("a not between 1 and 5", "a NOT BETWEEN 1 AND 5"),
        ("exists a and EXISTS (b)", "exists(a) AND exists(b)"),
        ("AND (a, or(b == 1, c))", "AND (a, OR (b == 1, c))"),
        ("not AND ( a )", "NOT AND (a)"),
        # Calls and choices
        ("Hash.MD5(ToLower(a))", "hash.md5(tolower(a))"),
        ("now()", "now()"),
        ("count(*)", "count(*)"),
        ("cast(a as INT)", "cast(a AS int)"),
        ('cast(a, "int")', "cast(a AS int)"),
        ("a if b > 1 else c if a else 'x'", 'a IF b > 1 ELSE c IF a ELSE "x"'),
        ("(a if b) + 1", "(a IF b) + 1"),
        ("ifcase('vip' IF a > 100, 'std')", 'ifcase("vip" IF a > 100, "std")'),
        # Comments and space
        ("a -- rest\n + /* in\nside */ b # c\n + // d\n c", "a + b + c"),
        ("\ufeff a", "a"),
    ],
)
def test_what_is_read_and_how_it_is_printed(text, same) -> None:
    assert print_expression(parse_expression(text)) == same
    assert parse_expression(same) == parse_expression(text)


def test_a_tree() -> None:
    assert parse_expression('a IF b == "x" OR f(1) ELSE c') == When(
        A, Logic("OR", (Binary("==", B, Literal("x")), Call("f", (Literal(1),)))), C
    )
    assert parse_condition("a AND b") == Logic("AND", (A, B))


def test_positions_count_lines_and_columns_from_one() -> None:
    found = parse_expression("f(\n  `a b`,\n  c)")
    assert isinstance(found, Call)
    assert [argument.at for argument in found.arguments] == [Span(2, 3, 2, 8), Span(3, 3, 3, 4)]
    assert found.at == Span(1, 1, 3, 5)


def test_clauses_of_a_column_and_a_statement_stand_in_any_order() -> None:
    text = """
    SELECT f(a) IF a > 1 SHORTDESC "one" KIND map[string]int AS x LONGDESC 'two' MERGEOP Sum CAP "10, 30d",
           b IF a ELSE c AS y, c CAP 5, a CAP 7d
    INTO user ALIAS `my alias` WHERE a FROM `web visits` BY x OR `y z`, c"""
    assert parse_statements(text) == [
        Statement(
            (
                Column(
                    Call("f", (A,)),
                    Name("x"),
                    Binary(">", A, Literal(1)),
                    Name("map[string]int"),
                    Name("sum"),
                    "one",
                    "two",
                    10,
                    30,
                ),
                Column(When(B, A, C), Name("y")),
                Column(C, capacity=5),
                Column(A, keep_days=7),
            ),
            Name("web visits"),
            Name("user"),
            (Name("x"), Name("y z"), Name("c")),
            A,
            Name("my alias"),
        )
    ]


def test_several_statements_with_and_without_semicolon() -> None:
    text = ";select a from b; select select from `from` select `SELECT` from c;;"
    assert [statement.stream for statement in parse_statements(text)] == [Name("b"), Name("from"), Name("c")]
    assert parse_statements(" -- nothing\n") == []


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("", (1, 1), "There is nothing to read."),
        ("email(", (1, 6), "The text ends too early. Expected is a field, a text, a number or a function"),
        ("a b", (1, 3), "“b” can't stand here. Expected is IF, AND, the end or a comparison."),
        ("a +\n* b", (2, 1), "“*” can't stand here. Expected is a field, a text, a number or a function."),
        ("count(a, 'x'", (1, 12), "The text ends too early. Expected is a closing bracket ), a comma "),
        ('f("abc)', (1, 3), "This text has no closing quote."),
        ("`abc", (1, 1), "This name in backticks is empty or has no closing backtick."),
        ("a == “x”", (1, 6), 'A text stands in straight double quotes ("), not in “.'),
        ("größe", (1, 3), "A name with letters other than a to z stands in backticks."),
        ("1st", (1, 1), "A name that begins with a digit or a dot stands in backticks."),
        ("a ? b", (1, 3), "The character “?” has no meaning here."),
        ("a /* b", (1, 4), "This comment has no end (*/)."),
        ("f(a AS int)", (1, 1), "AS inside of brackets belongs to cast: cast(field AS int)."),
        ("1e999", (1, 1), "This number is too large."),
        ("NOT " * 101 + "a", (1, 401), f"Expressions lie in each other more than {MAX_DEPTH} levels deep."),
        ("f(" * 5_000 + "a" + ")" * 5_000, (1, 201), f"Expressions lie in each other more than {MAX_DEPTH} levels"),
    ],
)
def test_what_is_said_about_an_expression_that_cant_be_read(text, place, sentence) -> None:
    with pytest.raises(LqlError) as caught:
        parse_expression(text)
    problem = caught.value.problems[0]
    assert ((problem.line, problem.column), problem.message[: len(sentence)]) == (place, sentence)
    assert str(caught.value) == f"Line {problem.line}, column {problem.column}: {problem.message}"


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("SELECT a, FROM b", (1, 16), "The last column before FROM has no comma behind it."),
        ("SELECT a FROM b FROM c", (1, 17), "FROM stands twice in this statement."),
        ("SELECT a AS b AS c FROM d", (1, 15), "AS stands twice in this column."),
        ("SELECT a AS b IF c ELSE d FROM e", (1, 15), "IF … ELSE stands right behind the value, before AS"),
        ("SELECT a CAP 'many' FROM b", (1, 14), "CAP takes a number of entries, a number of days, or both"),
        ("SELECT a KIND 5 FROM b", (1, 15), "“5” can't stand here. Expected is a kind such as string or int."),
        ("SELECT a FROM b WHERE " + "NOT " * 101 + "a", (1, 423), "Expressions lie in each other"),
    ],
)
def test_what_is_said_about_a_statement_that_cant_be_read(text, place, sentence) -> None:
    with pytest.raises(LqlError) as caught:
        parse_statements(text)
    problem = caught.value.problems[0]
    assert ((problem.line, problem.column), problem.message[: len(sentence)]) == (place, sentence)


def test_a_mistake_does_not_hide_the_other_statements() -> None:
    text = """SELECT a FROM b;
SELECT c c FROM d; -- SELECT
SELECT `select` FROM e SELECT x, FROM z;
SELECT "f" g FROM"""
    statements, problems = read_statements(text)
    assert [statement.stream.text for statement in statements if statement.stream] == ["b", "e"]
    assert [(problem.line, problem.column) for problem in problems] == [(2, 10), (3, 39), (4, 12)]
    with pytest.raises(LqlError) as caught:
        parse_statements(text)
    assert caught.value.advice == "There are 2 more mistakes."


def test_comments_are_seen_where_they_are() -> None:
    assert has_comments("SELECT a -- b")
    assert not has_comments('SELECT "-- no", `# no` FROM b')


WORDS = re.findall(
    r"\S+",
    """SELECT FROM INTO BY WHERE AS IF ELSE KIND CAP AND OR NOT IN LIKE EXISTS BETWEEN ( ) [ ] , ; + - * / % = < ! .
    a `b` "c" ' " ` 1 2.5 count cast -- /* */ # // é""",
)
LISTS = st.lists(st.sampled_from(WORDS), max_size=20)
TEXTS = st.one_of(st.text(max_size=60), LISTS.map("".join), LISTS.map(" ".join))


@settings(max_examples=60)
@given(TEXTS)
@example("SELECT a FROM b" * 3)
@example("`" + "``" * 20)
def test_no_text_makes_it_stumble(text) -> None:
    for read in (parse_expression, parse_condition, parse_statements):
        try:
            read(text)
        except LqlError as error:
            for problem in error.problems:
                assert 1 <= problem.line <= text.count("\n") + 1
                assert problem.message.endswith((".", ")"))
    check_statements(text)
