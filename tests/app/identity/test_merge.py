"""The same events give the same values, in whatever order they arrive and however people are joined."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.merge import Merge, State
from app.identity.operators import Limits, contribution, operator_for, within
from app.schema.model import MERGE_OPERATORS

TEXTS = st.sampled_from("abc")
NUMBERS = st.one_of(st.integers(-9, 9), st.sampled_from([0.1, 0.2, 1e15, -1e15, 1 / 3, 2**62]))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "geolocation": TEXTS,
    "int": st.one_of(st.integers(-9, 9), st.just(2**62)),
    "number": NUMBERS.map(float),
    "bool": st.booleans(),
    "date": st.sampled_from(["2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"]),
}
EVERY = [(kind, merge) for kind, operators in MERGE_OPERATORS.items() for merge in operators]


def stored(kind: str) -> st.SearchStrategy[Any]:
    """What one event can bring to a field of this kind, as the table keeps it."""
    if kind in VALUES:
        return VALUES[kind]
    if kind in ("[]string", "[]time", "ts[]string"):
        return st.sets(TEXTS, min_size=1, max_size=2).map(lambda texts: orjson.dumps(sorted(texts)).decode())
    inner = {"map[string]string": TEXTS, "map[string]bool": st.booleans(), "map[string]time": VALUES["date"]}
    values = inner.get(kind, st.integers(1, 3) if kind != "map[string]number" else NUMBERS.map(float))
    return st.dictionaries(TEXTS, values, min_size=1, max_size=2).map(
        lambda entries: orjson.dumps(entries, option=orjson.OPT_SORT_KEYS).decode()
    )


class Field:
    """Events that fill one field; an event is known by its place in the list."""

    def __init__(self, kind: str, merge: str, limits: Limits, events: list[tuple[int, Any]]) -> None:
        operator = operator_for(kind, merge, limits)
        self._counted = contribution(kind, merge)
        self._capacity = limits.capacity
        self._events = events
        self.merge = Merge({} if operator is None else {0: operator}, lambda event: repr(events[event]))

    def person(self, order: list[int]) -> State:
        """Fold the events in an order."""
        first, *rest = order
        state = State([self._value(first)], (self._events[first][0], first))
        for event in rest:
            self.merge.event(state, [self._value(event)], (0,), (self._events[event][0], event))
        return state

    def _value(self, event: int) -> Any:
        value = self._events[event][1]
        if self._capacity is not None:
            value = orjson.dumps(within(orjson.loads(value), self._capacity)).decode()
        return value if self._counted is None else self._counted(value)


def seen(state: State) -> Any:
    """The value with its time. Equal events may stand for each other, so their ids don't count."""
    return state.values[0], state.origin_of(0)[0]


@pytest.mark.parametrize(("kind", "merge"), EVERY, ids=[f"{kind}-{merge}" for kind, merge in EVERY])
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_operator_gives_the_same_in_any_order_and_however_people_are_joined(
    kind: str, merge: str, data: st.DataObject
) -> None:
    several = kind.startswith(("[]", "ts[]", "map["))
    limits = Limits(data.draw(st.sampled_from([None, 1, 2]))) if several else Limits()
    events = data.draw(st.lists(st.tuples(st.integers(1, 3), stored(kind)), min_size=1, max_size=4))
    field = Field(kind, merge, limits, events)
    order = list(range(len(events)))
    expected = seen(field.person(order))
    for other in permutations(order):
        assert seen(field.person(list(other))) == expected
    cut = data.draw(st.integers(0, len(order)))
    if 0 < cut < len(order):
        for one, other in ((order[:cut], order[cut:]), (order[cut:], order[:cut])):
            winner = field.person(list(one))
            field.merge.people(winner, field.person(list(other)))
            assert seen(winner) == expected


def folded(kind: str, merge: str, *values: tuple[int, Any], limits: Limits = Limits()) -> Any:  # noqa: B008
    state = Field(kind, merge, limits, list(values)).person(list(range(len(values))))
    return state.values[0]


def test_each_operator_does_what_its_name_says() -> None:
    assert folded("string", "latest", (1, "a"), (3, "b"), (2, "c")) == "b"
    assert folded("string", "oldest", (2, "a"), (1, "b"), (3, "c")) == "b"
    assert folded("int", "min", (1, 5), (2, 3), (3, 4)) == 3
    assert folded("date", "max", (1, "2026-01-02"), (2, "2026-01-01")) == "2026-01-02"
    assert folded("number", "sum", (1, 0.1), (2, 0.2)) == 0.3
    assert folded("int", "count", (1, 40), (2, 2)) == 2
    assert folded("[]string", "merge", (1, '["b"]'), (2, '["a","b"]')) == '["a","b"]'
    assert folded("[]string", "latest", (1, '["b"]'), (2, '["a"]')) == '["a"]'
    assert folded("ts[]string", "merge", (2, '["a"]'), (1, '["b"]'), (3, '["c"]')) == '["b","a","c"]'
    assert folded("[]string", "capped", (2, '["a"]'), (1, '["b"]'), (3, '["c"]'), limits=Limits(2)) == '["a","c"]'
    assert folded("[]string", "merge", (2, '["a"]'), (9, '["b"]'), limits=Limits(oldest=5)) == '["b"]'
    assert folded("map[string]string", "merge", (2, '{"a":"x"}'), (1, '{"a":"y","b":"z"}')) == '{"a":"x","b":"z"}'
    assert folded("map[string]string", "oldestmap", (2, '{"a":"x"}'), (1, '{"a":"y"}')) == '{"a":"y"}'
    assert folded("map[string]int", "mapmax", (1, '{"a":5}'), (2, '{"a":3,"b":1}')) == '{"a":5,"b":1}'
    assert folded("map[string]intsum", "sum", (1, '{"a":1}'), (2, '{"a":1,"b":1}')) == '{"a":2,"b":1}'


def test_a_value_knows_the_event_that_it_is_from() -> None:
    state = Field("int", "max", Limits(), [(1, 7), (2, 3)]).person([0, 1])
    assert state.origin_of(0) == (1, 0)
    state = Field("int", "sum", Limits(), [(1, 7), (2, 3)]).person([0, 1])
    assert state.origin_of(0) == (2, 1)


def test_a_sum_beyond_64_bits_stays_exact_inside_and_readable_outside() -> None:
    huge = 2**62
    state = Field("int", "sum", Limits(), [(at, huge) for at in (1, 2, 3)] + [(4, -huge)] * 3).person([0, 1, 2])
    assert state.values[0] == 2**63 - 1
    assert state.states[0] == str(3 * huge)
