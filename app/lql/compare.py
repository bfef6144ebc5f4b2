"""How two values compare: for the operators of expressions and for the functions eq, ne, gt and their like.

Answers are True, False, or None where the question can't be decided.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from app.lql.values.moments import date_of
from app.lql.values.patterns import wildcard
from app.lql.values.reading import NUMBERS, flat, number_of, scalar_text, truth_of, written

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

truth = truth_of
"""Yes or no from booleans, their words and the numbers 0 and 1; None for the rest."""


def equal(left: Any, right: Any, now: datetime | None = None) -> bool | None:
    """left == right. A missing side: False, also when both are missing.

    Text is case-sensitive; numeric text equals the number; text against true or false is read as one; a date reads
    the other side as a date ("now-3d" counts from `now`). A number against true or false, a list against a single
    value and a map against anything: None. A number equals a list that has it.
    """
    if left is None or right is None:
        return False
    kinds = (left.__class__, right.__class__)
    if kinds == (str, str):
        return bool(left == right)
    if dict in kinds:
        return None
    if list in kinds:
        return _equal_lists(left, right)
    if datetime in kinds:
        first, second = date_of(left, now), date_of(right, now)
        return None if first is None or second is None else first == second
    if bool in kinds:
        if NUMBERS.intersection(kinds):
            return None
        first_truth, second_truth = truth_of(left), truth_of(right)
        return first_truth is not None and first_truth == second_truth
    if str in kinds:
        first_number, second_number = number_of(left), number_of(right)
        return first_number is not None and first_number == second_number
    return bool(left == right)


def _equal_lists(left: Any, right: Any) -> bool | None:
    if left.__class__ is list:
        if right.__class__ is not list:
            return None
        return len(left) == len(right) and all(map(same, left, right))
    return any(same(left, entry) for entry in right) if left.__class__ in NUMBERS else None


def unequal(left: Any, right: Any, now: datetime | None = None) -> bool | None:
    """left != right. One side missing: True; both missing: False."""
    if left is None or right is None:
        return left is not right
    answer = equal(left, right, now)
    return None if answer is None else not answer


def ordered(sign: str, left: Any, right: Any, now: datetime | None = None) -> bool | None:
    """left < right and so on for the signs < <= > >=. A missing side: False; text against text: None.

    Numbers, numeric text against a number, and dates; a list of dates holds when one of them does.
    """
    if left is None or right is None:
        return False
    if left.__class__ is list and left and all(isinstance(entry, datetime) for entry in left):
        answers = [ordered(sign, entry, right, now) for entry in left]
        return None if None in answers else True in answers
    kinds = (left.__class__, right.__class__)
    if datetime in kinds:
        first, second = date_of(left, now), date_of(right, now)
        return None if first is None or second is None else ORDERS[sign](first, second)
    if not NUMBERS.intersection(kinds):
        return None
    if not NUMBERS.issuperset(kinds):
        other = kinds[1] if kinds[0] in NUMBERS else kinds[0]
        if other is not str:
            return None
        left, right = number_of(left), number_of(right)
        if left is None or right is None:
            return None
    return ORDERS[sign](left, right)


def between(value: Any, low: Any, high: Any, now: datetime | None = None) -> bool | None:
    """Whether value lies between the two, both ends excluded. Missing or not comparable: None."""
    if value is None or low is None or high is None:
        return None
    if value.__class__ is str and low.__class__ is str and high.__class__ is str:
        return None
    above, below = ordered(">", value, low, now), ordered("<", value, high, now)
    return None if above is None or below is None else above and below


def like(value: Any, pattern: Any) -> bool | None:
    """Whether the whole text matches a pattern with wildcards; of a list, whether one entry does. Missing: False.

    A list of patterns holds when one of them does. A pattern that can't be read, or a map: None.
    """
    if value is None or pattern is None:
        return False
    if value.__class__ is dict or pattern.__class__ is dict:
        return None
    matches = [wildcard(written(entry)) for entry in flat((pattern,))]
    known = [match for match in matches if match is not None]
    if not known and matches:
        return None
    return any(match(scalar_text(entry)) for entry in _scalars((value,)) for match in known)


def contains(value: Any, part: Any) -> bool | None:
    """Whether the text, or an entry of the list, has the part in it; a number in a list must be an entry.

    Missing text: False; missing part, or a map: None.
    """
    if value is None:
        return False
    if part is None or value.__class__ is dict or part.__class__ is dict:
        return None
    if value.__class__ is list and part.__class__ in NUMBERS:
        return any(number_of(entry) == part for entry in value)
    texts = [scalar_text(entry) for entry in _scalars((value,))]
    return any(scalar_text(entry) in text for entry in _scalars((part,)) for text in texts)


def intersects(value: Any, choices: Any) -> bool | None:
    """value IN choices, value INTERSECTS choices: whether one entry of the value is one of the choices.

    Of a map its keys are looked at. A missing side: False.
    """
    if value is None or choices is None:
        return False
    entries, offered = _members(value), _members(choices)
    if all(entry.__class__ is str for entry in (*entries, *offered)):
        return not set(entries).isdisjoint(offered)
    return any(same(entry, choice) for entry in entries for choice in offered)


def same(left: Any, right: Any) -> bool:
    """Whether two single values are one and the same: text and numbers compare by what they say."""
    if left.__class__ is right.__class__:
        return bool(left == right)
    if left is None or right is None or list in (left.__class__, right.__class__):
        return False
    if left.__class__ in NUMBERS or right.__class__ in NUMBERS:
        first = number_of(left)
        return first is not None and first == number_of(right)
    return scalar_text(left) == scalar_text(right)


def reads_equal(left: Any, right: Any) -> bool | None:
    """eq(left, right): the type of the left side decides how the right side is read. A missing side: False.

    Maps, and a list against what is no list: None.
    """
    if left is None or right is None:
        return False
    if left.__class__ is str:
        return bool(left == written(right))
    if left.__class__ is bool:
        return left is truth_of(right)
    if left.__class__ is int:
        return left == (right if right.__class__ is int else number_of(right))
    if left.__class__ is float:
        return bool(left == number_of(right))
    if isinstance(left, datetime):
        return left == date_of(right)
    if left.__class__ is list and right.__class__ is list:
        return len(left) == len(right) and all(reads_equal(one, other) for one, other in zip(left, right, strict=True))
    return None


def _members(value: Any) -> list[Any]:
    return list(value) if value.__class__ in (list, dict) else [value]


def _scalars(values: Iterable[Any]) -> Iterable[Any]:
    return (entry for entry in flat(values) if entry is not None and entry.__class__ not in (list, dict))


__all__ = [
    "between",
    "contains",
    "equal",
    "intersects",
    "like",
    "ordered",
    "reads_equal",
    "same",
    "truth",
    "unequal",
]
