"""The same events give the same person, in whatever order they arrive and however people are joined."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from app.identity.merge import State, merge_event, merge_states

WIDTH = 3
Event = tuple[int, tuple[str | None, ...]]
VALUES = st.tuples(*[st.one_of(st.none(), st.sampled_from("abc"))] * WIDTH)
EVENTS = st.lists(st.tuples(st.integers(1, 4), VALUES.filter(any)), min_size=1, max_size=5)


def raw_text(events: list[Event]):  # type: ignore[no-untyped-def]
    return lambda event_id: repr(events[event_id])


def person(events: list[Event], order: list[int]) -> State:
    """Fold the events in an order, each known by its index."""
    first, *rest = order
    at, values = events[first]
    state = State(list(values), (at, first), {})
    for event_id in rest:
        at, values = events[event_id]
        merge_event(state, values, range(WIDTH), (at, event_id), raw_text(events))
    return state


def seen(state: State, events: list[Event]) -> list[tuple[object, int]]:
    """Values with the times they are from. Equal events may stand for each other, so their ids don't count."""
    return [
        (value, state.origin_of(position)[0]) if value is not None else (None, 0)
        for position, value in enumerate(state.values)
    ]


@given(EVENTS)
def test_any_order_of_arrival_gives_the_same_person(events: list[Event]) -> None:
    people = [seen(person(events, list(order)), events) for order in permutations(range(len(events)))]
    assert all(other == people[0] for other in people)


@given(EVENTS, st.data())
def test_joining_two_people_gives_the_same_as_one_from_the_start(events: list[Event], data: st.DataObject) -> None:
    order = list(range(len(events)))
    cut = data.draw(st.integers(0, len(order)))
    expected = seen(person(events, order), events)
    if not 0 < cut < len(order):
        return
    for one, other in ((order[:cut], order[cut:]), (order[cut:], order[:cut])):
        winner = person(events, one)
        merge_states(winner, person(events, other), raw_text(events))
        assert seen(winner, events) == expected


@given(EVENTS)
def test_each_value_is_of_the_newest_event_that_has_one(events: list[Event]) -> None:
    state = person(events, list(range(len(events))))
    for position in range(WIDTH):
        carriers = [(at, repr((at, values)), values[position]) for at, values in events if values[position] is not None]
        assert state.values[position] == (max(carriers)[2] if carriers else None)


def test_a_field_that_a_newer_event_lacks_keeps_its_origin() -> None:
    events: list[Event] = [(1, ("a", "b", None)), (2, ("c", None, None))]
    state = person(events, [0, 1])
    assert state.values == ["c", "b", None]
    assert state.origin_of(0) == (2, 1)
    assert state.origin_of(1) == (1, 0)


def test_the_same_event_again_changes_nothing() -> None:
    events: list[Event] = [(1, ("a", "b", None)), (1, ("a", "b", None))]
    state = person(events, [0])
    assert not merge_event(state, events[1][1], range(WIDTH), (1, 1), raw_text(events))


def test_events_of_one_time_are_decided_by_their_text_even_where_a_value_repeats() -> None:
    events: list[Event] = [(1, ("a", "x", None)), (1, ("c", "x", None)), (1, ("b", "y", None))]
    people = [seen(person(events, list(order)), events) for order in permutations(range(3))]
    assert all(other == people[0] for other in people)
    assert people[0][1] == ("x", 1)
