"""Cases of the language: each is answered, whatever is in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from app.lql import evaluate, evaluation
from app.lql.evaluation import answer_case, as_json, moment_of_json

MOMENT = datetime(2014, 4, 7, 16, 58, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2014-04-07T16:58:55Z", MOMENT),
        ("1396889935", MOMENT),
        (1396889935, MOMENT),
        (1396889935.0, MOMENT),
        (1396889935_000, MOMENT),
        (1396889935_000_000, MOMENT),
        (1396889935_000_000_000, MOMENT),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1.5, datetime(1969, 12, 31, 23, 59, 58, 500_000, tzinfo=UTC)),
        (99_999_999_999.0, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        (-99_999_999_999, None),
        (1e300, None),
        (True, None),
        ("soon", None),
        ([], None),
    ],
)
def test_moments_said_in_json(said, moment) -> None:
    assert moment_of_json(said) == moment


@pytest.mark.parametrize(
    ("expression", "event", "value", "kind"),
    [
        ("x", {"x": "a"}, "a", "string"),
        ("x", {"x": 1}, 1, "int"),
        ("x", {"x": 1.5}, 1.5, "number"),
        ("x", {"x": False}, False, "bool"),
        ("x", {"x": None}, None, None),
        ("x", {"x": ["b", "a"]}, ["b", "a"], "[]string"),
        ("x", {"x": ["b", 1]}, ["b", 1], "[]value"),
        ("x", {"x": {"a": 1}}, {"a": 1}, "map[string]int"),
        ("x", {"x": {"a": "1"}}, {"a": "1"}, "map[string]string"),
        ("x", {"x": {"a": 1, "b": "1"}}, {"a": 1, "b": "1"}, "map[string]value"),
        ("x", {"x": {"a": [1]}}, {"a": [1]}, "map[string]value"),
        ("match('u.')", {"u.a": "1"}, {"a": "1"}, "map[string]value"),
        ("totimeset(x)", {"x": "2026-01-02"}, ["2026-01-02T00:00:00Z"], "[]time"),
        ("maptime(x)", {"x": "A"}, {"a": "2014-04-07T16:58:55Z"}, "map[string]time"),
        ("todate(x)", {"x": "2026-01-02T10:00:00.25Z"}, "2026-01-02T10:00:00.250000Z", "date"),
    ],
)
def test_values_and_their_kinds(expression, event, value, kind) -> None:
    found, found_kind = evaluate(expression, event, at=MOMENT)
    assert (as_json(found), found_kind) == (value, kind)
    case = json.dumps({"expression": expression, "event": event, "event_ts": 1396889935}).encode()
    assert answer_case(case) == {"value": value, "type": kind}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"{", "This line is no JSON"),
        (b"\xff", "This line is no JSON"),
        (b"[]", "A case is a JSON object"),
        (b'{"expression": 5}', "A case is a JSON object"),
        (b'{"expression": "x", "event": "x"}', "The event of a case is a JSON object."),
        (b'{"expression": "x", "now": "soon"}', "now can't be read as a time."),
        (b'{"expression": "x +"}', "Line 1, column 3: The text ends too early."),
        (b'{"expression": "foo(x)"}', "Line 1, column 1: There is no function foo."),
    ],
)
def test_what_is_wrong_with_a_case(line, sentence) -> None:
    assert answer_case(line)["error"].startswith(sentence)


def test_a_defect_is_the_answer_of_its_case_only(monkeypatch) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr(evaluation, "evaluate", broken)
    assert answer_case(b'{"expression": "x"}') == {"error": "Causeway met a defect of its own (ZeroDivisionError: x)."}


def test_without_times_the_clock_counts() -> None:
    before = datetime.now(UTC)
    now, _ = evaluate("now()", {})
    assert before <= now <= datetime.now(UTC)
    assert evaluate("now()", {}, now=MOMENT) == (MOMENT, "date")
