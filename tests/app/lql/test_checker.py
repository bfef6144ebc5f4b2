"""Mistakes are found, all of them, where they are, and said in sentences."""

from __future__ import annotations

import pytest

from app.lql import FUNCTIONS, LqlError, check_statements, columns_of, compile_expression, parse_expression, reference
from app.lql.checker import name_of


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("a + tolowr(b)", (1, 5, 11), "There is no function tolowr. Did you mean tolower?"),
        ("xyzzy()", (1, 1, 6), "There is no function xyzzy."),
        ("toint(a, b)", (1, 1, 12), "toint takes 1 argument, not 2."),
        ("now(a)", (1, 1, 7), "now takes no argument, not 1."),
        ("string.substr(a)", (1, 1, 17), "string.substr takes 2 to 3 arguments, not 1."),
        ("join()", (1, 1, 7), "join takes 2 arguments or more, not 0."),
        ('todatein(a, "Mars/Base")', (1, 13, 24), "Mars/Base is no known time zone."),
        ('regex.match(a, "(")', (1, 16, 19), ""),
        ('json.jmespath(a, "[")', (1, 18, 21), ""),
        ("cast(a AS money)", (1, 11, 16), "money is no type that cast() knows."),
        ("timewindow(a, 5, 30)", (1, 1, 11), "timewindow is for audiences: it looks at people, not at events."),
        ("toint(count(a))", (1, 7, 12), "count adds up over all events of a person"),
        ("a IF count(b) > 1", (1, 6, 11), "count adds up over all events of a person"),
        ("tolower(*)", (1, 9, 10), "* stands alone in count(*) and nowhere else."),
        ("ifcase()", (1, 1, 9), "ifcase takes values with conditions"),
        ("ifcase(a)", (1, 1, 10), "ifcase takes values with conditions"),
        ("ifcase(a, b IF c, d)", (1, 8, 9), "Only the last value of ifcase stands without IF."),
    ],
)
def test_a_mistake_in_an_expression(text, place, sentence) -> None:
    with pytest.raises(LqlError) as caught:
        compile_expression(text)
    found = [problem for problem in caught.value.problems if problem.message.startswith(sentence)]
    assert [(problem.line, problem.column, problem.end_column) for problem in found] == [place]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("SELECT a FROM b INTO user BY a ALIAS c", []),
        ("SELECT a INTO user", [((1, 1), "This statement says no stream: FROM is missing.")]),
        ("SELECT a + 1 AS x, 5 FROM b", [((1, 20), "This column has no name: add AS and a name.")]),
        ("SELECT now() FROM b", [((1, 8), "This column has no name: add AS and a name.")]),
        ("SELECT strip() AS x FROM b", [((1, 8), "strip takes 1 argument, not 0.")]),
        ("SELECT strip(toint(a)) AS x MERGEOP sum FROM b", []),
        ("SELECT a KIND strng FROM b", [((1, 15), "There is no kind strng. Did you mean string?")]),
        ("SELECT a KIND embedding FROM b", [((1, 15), "There is no kind embedding.")]),
        ("SELECT a MERGEOP newest FROM b", [((1, 18), "There is no merge operator newest.")]),
        ("SELECT a MERGEOP sum FROM b", [((1, 18), "string can't be merged by sum. Possible are: latest, oldest.")]),
        ("SELECT set(a) AS x MERGEOP sum FROM b", [((1, 28), "[]string can't be merged by sum.")]),
        (
            "SELECT a MERGEOP latest FROM b BY a",
            [((1, 18), "a is an identifier (BY), and identifiers have no merge operator.")],
        ),
        ("SELECT a FROM b BY a OR c", [((1, 25), "BY names c, but no column has this name.")]),
        (
            "SELECT toint(a) AS x, tolower(b) AS x, c AS x FROM b",
            [((1, 37), "x has the kind int in a column before this one, and string here.")],
        ),
        ("SELECT a AS x KIND int, b AS x KIND int FROM c", []),
        (
            "SELECT foo(a) AS a KIND txt IF bar(b) FROM c WHERE baz(d);\nSELECT a b FROM c; SELECT a",
            [
                ((1, 8), "There is no function foo."),
                ((1, 25), "There is no kind txt."),
                ((1, 32), "There is no function bar."),
                ((1, 52), "There is no function baz."),
                ((2, 10), "“b” can't stand here."),
                ((2, 20), "This statement says no stream"),
            ],
        ),
    ],
)
def test_every_mistake_of_statements(text, places) -> None:
    problems = check_statements(text)
    assert [(problem.line, problem.column) for problem in problems] == [place for place, _ in places]
    for problem, (_, sentence) in zip(problems, places, strict=True):
        assert problem.message.startswith(sentence)


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("a", "a"),
        ("`e-mail`", "e-mail"),
        ("todate(ts)", "ts"),
        ("toint(a)", "a"),
        ("tostring(a)", "a"),
        ("tofloat(a)", "a"),
        ("count(host(x))", "ct_x"),
        ("valuect(event)", "cts_event"),
        ("set(tag)", "set_tag"),
        ("email(email)", "email_email"),
        ("oneof('x', first, given)", "oneof_first"),
        ("a IF b ELSE c", "a"),
        ("now()", None),
        ("count(*)", None),
        ("'x'", None),
    ],
)
def test_the_name_of_a_column_without_as(expression, name) -> None:
    assert name_of(parse_expression(expression)) == name


def test_columns_are_told_once_in_the_order_of_the_text() -> None:
    assert columns_of(parse_expression("f(b, a) + b IF c IN (d, 'x') ELSE e")) == ("b", "a", "c", "d", "e")


def test_every_function_says_what_it_does_and_checks_its_arguments() -> None:
    for name, function in FUNCTIONS.items():
        assert name == name.lower()
        assert function.summary.endswith("."), name
        for count in (function.least - 1, function.most + 1 if function.most is not None else -1):
            # or(x) alone is a list of tests as well.
            if count >= 0 and not function.filter_only and name != "or":
                with pytest.raises(LqlError):
                    compile_expression(f"{name}({', '.join(['x'] * count)})")


def test_the_page_about_the_language_is_fresh() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.document(), "run: python -m app.lql.reference"
    listed = {function.name for family in reference.FAMILIES.values() for function in family}
    assert listed == {function.name for function in FUNCTIONS.values()}
