"""A person's state: the value of each field with where it came from, and how events and people are folded into it.

Most values come from the newest event, the *origin* of the state; only what came from elsewhere has an entry of its
own. Which of two values counts is the field's merge operator's decision (app.identity.operators). Folding is
commutative and associative, so the same events give the same person in whatever order they arrive. Events of the
same time are decided by their raw text, which is the same whatever the order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.identity.operators import Combine, Origin, Share

RawText = Callable[[int], str]
"""The raw text of an event by its id, asked only when two events have the same time."""


@dataclass(slots=True)
class State:
    """A person's stored values by field position, the main origin, the origins and states that differ from it."""

    values: list[Any]
    origin: Origin
    others: dict[int, Origin] = field(default_factory=dict)
    states: dict[int, Any] = field(default_factory=dict)

    def origin_of(self, position: int) -> Origin:
        """Where the value at a position came from."""
        return self.others.get(position, self.origin)

    def share(self, position: int) -> Share:
        """What the person has of a field."""
        return self.values[position], self.others.get(position, self.origin), self.states.get(position)


class Merge:
    """The merge operators of a schema's fields, by position; fields where the newest counts have none."""

    def __init__(self, operators: Mapping[int, Combine], raw_text: RawText) -> None:
        self._operators = operators
        self._raw_text = raw_text

    def event(self, state: State, values: Sequence[Any], positions: Sequence[int], origin: Origin) -> bool:
        """Fold one event's values (None: no value) into `state`; whether anything changed, origins included.

        `positions` are those of the fields that the event's stream can fill.
        """
        operators = self._operators
        others = state.others
        before = state.origin
        if not others and origin[0] > before[0]:
            return self._take_newest(state, values, positions, origin)
        own = state.values
        changed = False
        verdicts: dict[Origin, bool] = {}
        for position in positions:
            value = values[position]
            if value is None:
                continue
            if own[position] is None:
                wins = True
            elif position in operators:
                if self._combine(state, position, (value, origin, None)):
                    changed = True
                continue
            else:
                there = others.get(position, before)
                if there in verdicts:
                    wins = verdicts[there]
                else:
                    wins = verdicts[there] = self.newer(origin, there)
            if wins:
                own[position] = value
                others[position] = origin
                changed = True
        if changed:
            _rebase(state)
        return changed

    def people(self, winner: State, loser: State) -> None:
        """Fold a second person's state into the first."""
        for position, value in enumerate(loser.values):
            if value is None:
                continue
            share = loser.share(position)
            if winner.values[position] is None:
                self._put(winner, position, share)
            elif position in self._operators:
                self._combine(winner, position, share)
            elif self.newer(share[1], winner.origin_of(position)):
                self._put(winner, position, share)
        _rebase(winner)

    def _take_newest(self, state: State, values: Sequence[Any], positions: Sequence[int], origin: Origin) -> bool:
        """The common case: an event newer than everything known. What it does not decide keeps its origin."""
        own = state.values
        before = state.origin
        operators = self._operators
        elsewhere: dict[int, Origin] = {}
        changed = False
        for position in positions:
            value = values[position]
            if value is None:
                continue
            if position in operators and own[position] is not None:
                share = state.share(position)
                after = operators[position](share, (value, origin, None), self.newer)
                if after[1] != origin:
                    elsewhere[position] = after[1]
                changed = changed or after != share
                self._put_value(state, position, after)
            else:
                own[position] = value
                changed = True
        if changed:
            state.others = {
                position: elsewhere.get(position, before)
                for position, value in enumerate(own)
                if value is not None and (position in elsewhere or values[position] is None)
            }
            state.origin = origin
        return changed

    def newer(self, one: Origin, other: Origin) -> bool:
        """Whether the event of `one` counts over the event of `other`."""
        if one[0] != other[0]:
            return one[0] > other[0]
        return one[1] != other[1] and self._raw_text(one[1]) > self._raw_text(other[1])

    def _combine(self, state: State, position: int, share: Share) -> bool:
        before = state.share(position)
        after = self._operators[position](before, share, self.newer)
        self._put(state, position, after)
        return after != before

    def _put(self, state: State, position: int, share: Share) -> None:
        state.others[position] = share[1]
        self._put_value(state, position, share)

    def _put_value(self, state: State, position: int, share: Share) -> None:
        state.values[position], _, extra = share
        if extra is not None:
            state.states[position] = extra
        else:
            state.states.pop(position, None)


def _rebase(state: State) -> None:
    """Make the newest origin the main one, so that the exceptions stay few and a newest event is cheap."""
    origins = {position: state.origin_of(position) for position, value in enumerate(state.values) if value is not None}
    if not origins:
        return
    state.origin = max(origins.values())
    state.others = {position: origin for position, origin in origins.items() if origin != state.origin}
