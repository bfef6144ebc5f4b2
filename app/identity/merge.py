"""Which of several values of a field counts: the one of the newest event.

A person's state is a tuple of values, one a field, and where each came from: the *origin* (time, event) of most
fields, and origins of the fields that came from elsewhere. Merging two states is commutative and associative, so
the same events give the same person in whatever order they arrive. Events of the same time are decided by their
raw text, which is the same whatever the order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Origin = tuple[int, int]
"""(time of the event in microseconds, id of the event)"""

RawText = Callable[[int], str]
"""The raw text of an event by its id, asked only when two events have the same time."""


@dataclass(slots=True)
class State:
    """A person's values by field position, with the main origin and the origins that differ from it."""

    values: list[Any]
    origin: Origin
    others: dict[int, Origin]

    def origin_of(self, position: int) -> Origin:
        """Where the value at a position came from."""
        return self.others.get(position, self.origin)


def newer(one: Origin, other: Origin, raw_text: RawText) -> bool:
    """Whether the event of `one` counts over the event of `other`."""
    if one[0] != other[0]:
        return one[0] > other[0]
    return one[1] != other[1] and raw_text(one[1]) > raw_text(other[1])


def merge_event(
    state: State, values: Sequence[Any], positions: Sequence[int], origin: Origin, raw_text: RawText
) -> bool:
    """Fold one event's values (None: no value) into `state`; whether anything changed, origins included."""
    others = state.others
    if not others and origin[0] > state.origin[0]:
        return _replace_all(state, values, origin)
    own = state.values
    changed = False
    verdicts: dict[Origin, bool] = {}
    for position in positions:
        value = values[position]
        if value is None:
            continue
        there = others.get(position, state.origin)
        if own[position] is None:
            wins = True
        elif there in verdicts:
            wins = verdicts[there]
        else:
            wins = verdicts[there] = newer(origin, there, raw_text)
        if wins:
            own[position] = value
            others[position] = origin
            changed = True
    if changed:
        _rebase(state)
    return changed


def _replace_all(state: State, values: Sequence[Any], origin: Origin) -> bool:
    """The common case: an event newer than everything known. Fields it does not carry keep their origin."""
    own = state.values
    before = state.origin
    others: dict[int, Origin] = {}
    changed = False
    for position, value in enumerate(values):
        if value is not None:
            own[position] = value
            changed = True
        elif own[position] is not None:
            others[position] = before
    if changed:
        state.origin = origin
        state.others = others
    return changed


def merge_states(winner: State, loser: State, raw_text: RawText) -> None:
    """Fold a second person's state into the first."""
    for position, value in enumerate(loser.values):
        if value is None:
            continue
        theirs = loser.origin_of(position)
        if winner.values[position] is None or newer(theirs, winner.origin_of(position), raw_text):
            winner.values[position] = value
            winner.others[position] = theirs
    _rebase(winner)


def _rebase(state: State) -> None:
    """Make the newest origin the main one, so that the exceptions stay few and a newest event is cheap."""
    origins = {position: state.origin_of(position) for position, value in enumerate(state.values) if value is not None}
    if not origins:
        return
    state.origin = max(origins.values())
    state.others = {position: origin for position, origin in origins.items() if origin != state.origin}
