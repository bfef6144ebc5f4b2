"""Functions of lists and maps, numbers, aggregates and filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.lql.functions import FUNCTIONS, NOT_LITERAL, BadArgument

TIME = datetime(2014, 4, 7, 16, 58, 55, tzinfo=UTC)
TAGS = ["a", "b", "c", "d"]
EVENT = {"user.city": "P", "user.state": "Or", "user.": "?", "user.zip": None, "tag_name": "bob", "x": "1"}


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("array.index", (TAGS, 1), "b"),
        ("array.index", (TAGS, -1), "d"),
        ("array.index", (TAGS, "2"), "c"),
        ("array.index", (TAGS, 6), None),
        ("array.index", (TAGS, -6), None),
        ("array.index", (TAGS, "x"), None),
        ("array.index", ("abcd", 0), None),
        ("array.index", (None, 0), None),
        ("array.slice", (TAGS, 1, 3), ["b", "c"]),
        ("array.slice", (TAGS, -2), ["c", "d"]),
        ("array.slice", (TAGS, -3, -1), ["b", "c"]),
        ("array.slice", (TAGS, 1, 4), ["b", "c", "d"]),
        ("array.slice", (TAGS, 1, 7), None),
        ("array.slice", (TAGS, 1, -7), None),
        ("array.slice", (TAGS, 3, 1), None),
        ("array.slice", (TAGS, 4), None),
        ("array.slice", (TAGS, "x"), None),
        ("array.slice", ("abcd", 1), None),
        ("filter", (["apple", "pear"], "a*"), ["pear"]),
        ("filter", (["apple", "pear"], "pe"), ["apple"]),
        ("filter", (["apple", "pear", "plum"], "a%", ["pe*", "x"]), ["plum"]),
        ("filter", (["apple", ""], ""), ["apple"]),
        ("filter", (["apple"], "app"), None),
        ("filter", ({"amount": "22", "name": "bob"}, "nam*"), {"amount": "22"}),
        ("filter", ("apples", "app"), None),
        ("filter", ("apples", "ban*"), "apples"),
        ("filter", ("apples", ""), "apples"),
        ("filter", (None, "a"), None),
        ("filtermatch", (["apple", "pear"], "pea"), ["pear"]),
        ("filtermatch", (["apple", "pear"], "*ea*"), ["pear"]),
        ("filtermatch", ({"amount": "22", "name": "bob"}, "amo"), {"amount": "22"}),
        ("filtermatch", ({"amount": "22"}, "aaa"), None),
        ("filtermatch", ("apples", "app%"), "apples"),
        ("filtermatch", ("apples", "bam"), None),
        ("filtermatch", ("", ""), None),
        ("match", ("user.",), {"city": "P", "state": "Or"}),
        ("match", ("user.", "tag_"), {"city": "P", "state": "Or", "name": "bob"}),
        ("match", ("nothing_",), None),
        ("match", (None,), None),
        ("map", ("buy", 3), {"buy": 3}),
        ("map", ("buy", 0), {"buy": 0}),
        ("map", (7, ["a"]), {"7": ["a"]}),
        ("map", ("", 6), None),
        ("map", ("key", ""), None),
        ("map", (None, 6), None),
        ("map", ("key", None), None),
        ("maptime", ("Web Hit",), {"web hit": TIME}),
        ("maptime", ("x", "2016-02-03T22:00:00"), {"x": datetime(2016, 2, 3, 22, tzinfo=UTC)}),
        ("maptime", ("",), None),
        ("maptime", ("x", "not_a_date"), None),
        ("maptime", ("x", None), None),
        ("mapkeys", ({"b": 1, "a": 2},), ["a", "b"]),
        ("mapkeys", ({},), None),
        ("mapkeys", ("a",), None),
        ("mapvalues", ({"b": 1, "a": "x", "c": "x", "d": None},), ["1", "x"]),
        ("mapvalues", (["a"],), None),
        ("mapinvert", ({"a": "1", "b": 2},), {"1": "a", "2": "b"}),
        ("mapinvert", ({"a": "1", "b": "1"},), {"1": "b"}),
        ("mapinvert", (None,), None),
        ("json.jmespath", ('{"n":{"m":1}}', "n.m"), 1),
        ("json.jmespath", ('[{"name":"n1","tags":["a"]}]', "[?name == 'n1'].tags | [0]"), ["a"]),
        ("json.jmespath", ('[{"b":true}]', "[0].b"), True),
        ("json.jmespath", ([{"name": "x"}], "[0].name"), "x"),
        ("json.jmespath", ('{"n":1}', "length(n)"), None),
        ("json.jmespath", ('{"n":1}', "missing"), None),
        ("json.jmespath", ('{"n":1,}', "n"), None),
        ("json.jmespath", ("[" * 100_000, "n"), None),
        ("json.jmespath", (None, "n"), None),
    ],
)
def test_lists_and_maps(call: Callable[..., Any], name: str, arguments: tuple[Any, ...], answer: Any) -> None:
    assert call(name, *arguments, event=EVENT) == answer


def test_a_path_is_read_once_and_refused_when_broken(call: Callable[..., Any]) -> None:
    assert call("json.jmespath", '{"n":{"m":1}}', "n.m", literal=True) == 1
    with pytest.raises(BadArgument, match="can't be read as JMESPath"):
        call("json.jmespath", "{}", "n[", literal=True)
    with pytest.raises(BadArgument, match="must be a text"):
        call("json.jmespath", "{}", NOT_LITERAL, literal=True)


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("sqrt", (25,), 5.0),
        ("sqrt", (2.25,), 1.5),
        ("sqrt", ("25",), None),
        ("sqrt", (-1,), None),
        ("sqrt", (True,), None),
        ("sqrt", (None,), None),
        ("pow", (5, 2), 25.0),
        ("pow", ("5", 2), 25.0),
        ("pow", (2, -1), 0.5),
        ("pow", (10, 400), None),
        ("pow", (-8, 0.5), None),
        ("pow", (0, -1), None),
        ("pow", (5, "hello"), None),
        ("pow", (None, 2), None),
        ("count", (["a", "b"],), 1),
        ("count", (0,), 1),
        ("count", ("",), None),
        ("count", (None,), None),
        ("sum", ("1.5", 2), 3.5),
        ("sum", (1, [2, "3"]), 6.0),
        ("sum", (None, 4), 4.0),
        ("sum", (1, "horse"), None),
        ("sum", (["1", "abc"],), None),
        ("sum", (1, -1), None),
        ("sum", (True,), None),
        ("sum", (1e308, 1e308), None),
        ("sum", (None,), None),
        ("avg", (1, [2, 3]), 2.0),
        ("avg", (1, "2", None), 1.5),
        ("avg", (["1", "abc"],), None),
        ("avg", (None,), None),
        ("min", ("7.5",), 7.5),
        ("max", ([3, 9, "5"],), 9),
        ("max", (2**62 + 1,), 2**62 + 1),
        ("min", ("2014-04-07",), datetime(2014, 4, 7, tzinfo=UTC)),
        ("max", (TIME,), TIME),
        ("max", ("soon",), None),
        ("max", (None,), None),
        ("set", ("b",), ["b"]),
        ("set", ("b", ["a", "b", 5, ""], None), ["5", "a", "b"]),
        ("set", (True,), ["true"]),
        ("set", ("",), None),
        ("set", (None,), None),
        ("set", ({"a": 1},), None),
        ("valuect", ("login",), {"login": 1}),
        ("valuect", (["a", "b", "a"],), {"a": 2, "b": 1}),
        ("valuect", (5,), {"5": 1}),
        ("valuect", ("",), None),
        ("valuect", (None,), None),
    ],
)
def test_numbers_and_aggregates(call: Callable[..., Any], name: str, arguments: tuple[Any, ...], answer: Any) -> None:
    given_back = call(name, *arguments)
    assert given_back == answer
    assert type(given_back) is type(answer)


def test_aggregates_say_how_their_shares_add_up() -> None:
    operators = {name: function.operator for name, function in FUNCTIONS.items() if function.operator}
    assert operators == {
        "count": "count", "sum": "sum", "avg": "latest", "min": "min", "max": "max",
        "set": "merge", "valuect": "sum", "timebucket": "sum",
    }  # fmt: skip


BUYS = {"2014-04-07": 2, "2014-04-01": 3, "2014-03-31": 9, "2014-04-08": 50}


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("timewindow", (BUYS, 5, 7), True),
        ("timewindow", (BUYS, 10, 7), False),
        ("timewindow", (BUYS, 10, 30), True),
        ("timewindow", (BUYS, 3, 7), None),
        ("timewindow", (None, 5, 7), None),
        ("geodistance", ("45.52,-122.68", "45.5,-122.6", 10), True),
        ("geodistance", ("47.6,-122.3", "45.5,-122.6", 10), False),
        ("geodistance", ("0,179.99", "0,-179.99", 3), True),
        ("geodistance", ("91,0", "90,0", 500), False),
        ("geodistance", (None, "45.5,-122.6", 10), False),
    ],
)
def test_filters(call: Callable[..., Any], name: str, arguments: tuple[Any, ...], answer: Any) -> None:
    assert call(name, *arguments) is answer
    assert FUNCTIONS[name].filter_only


def test_filters_refuse_other_numbers(call: Callable[..., Any]) -> None:
    with pytest.raises(BadArgument, match="must be one of 1, 5, 10, 25, 50, 100, not 3"):
        call("timewindow", NOT_LITERAL, 3, 7, literal=True)
    with pytest.raises(BadArgument, match="must be one of 7, 30, not 8"):
        call("timewindow", NOT_LITERAL, 5, 8, literal=True)
    with pytest.raises(BadArgument, match="Paris is no place"):
        call("geodistance", NOT_LITERAL, "Paris", 8, literal=True)
