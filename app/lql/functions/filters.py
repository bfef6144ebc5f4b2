"""Functions of fields of people, for filters; a mapping may not use them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from app.lql.functions.base import NOT_LITERAL, BadArgument, Call, Function
from app.lql.values.reading import integer_of, number_of, text_of, written

EVENTS = (1, 5, 10, 25, 50, 100)
DAYS = (7, 30)
EARTH_RADIUS = 6371.0088
"""Kilometres, the mean of the Earth's radii."""


def time_window(time: datetime, buckets: Any, events: Any, days: Any) -> bool | None:
    """Whether at least so many events fell into the last days, the day of `time` included.

    `buckets` holds events by day: {"2026-11-22": 3}.
    """
    least, span = integer_of(events), integer_of(days)
    if buckets.__class__ is not dict or least not in EVENTS or span not in DAYS:
        return None
    today = time.astimezone(UTC).toordinal()
    window = {date.fromordinal(day).isoformat() for day in range(max(today - span, 0) + 1, today + 1)}
    return sum(integer_of(number) or 0 for day, number in buckets.items() if day in window) >= least


def prepare_time_window(arguments: Sequence[Any]) -> Call | None:
    for place, allowed, what in ((1, EVENTS, "number of events"), (2, DAYS, "number of days")):
        if arguments[place] is NOT_LITERAL or arguments[place] not in allowed:
            named = "" if arguments[place] is NOT_LITERAL else f", not {written(arguments[place])}"
            raise BadArgument(
                place, f"The {what} of timewindow() must be one of {', '.join(map(str, allowed))}{named}."
            )
    return None


def _place(value: Any) -> tuple[float, float] | None:
    """Latitude and longitude in degrees of "lat,lon"."""
    latitude_text, comma, longitude_text = (text_of(value) or "").partition(",")
    latitude, longitude = number_of(latitude_text), number_of(longitude_text)
    if not comma or latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return latitude, longitude


def geo_distance(location: Any, centre: Any, kilometres: Any) -> bool:
    """Whether a place lies within a distance of another, along the surface of the Earth. No place: no."""
    first, second, reach = _place(location), _place(centre), number_of(kilometres)
    if first is None or second is None or reach is None:
        return False
    (lat, lon), (other_lat, other_lon) = (tuple(map(math.radians, place)) for place in (first, second))
    half = (
        math.sin((other_lat - lat) / 2) ** 2
        + math.cos(lat) * math.cos(other_lat) * math.sin((other_lon - lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(1.0, half))) <= reach


def prepare_geo_distance(arguments: Sequence[Any]) -> Call | None:
    if arguments[1] is not NOT_LITERAL and _place(arguments[1]) is None:
        raise BadArgument(1, f'{written(arguments[1])} is no place. Write latitude and longitude, as in "45.5,-122.6".')
    if arguments[2] is not NOT_LITERAL and number_of(arguments[2]) is None:
        raise BadArgument(2, f"{written(arguments[2])} is no distance. Write kilometres as a number.")
    return None


FILTERS = (
    Function(
        "timewindow", time_window, 3, 3, "bool",
        "Whether a field counts at least so many events (1, 5, 10, 25, 50 or 100) in the last 7 or 30 days.",
        needs_time=True, prepare=prepare_time_window, filter_only=True,
    ),
    Function(
        "geodistance", geo_distance, 3, 3, "bool",
        "Whether a place lies within so many kilometres of another.",
        prepare=prepare_geo_distance, filter_only=True,
    ),
)  # fmt: skip
