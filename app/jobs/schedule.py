"""When a job runs: once or again and again, at a time of day in a zone, and not in its quiet hours.

Moments are aware and in UTC; times of day are those of a zone's clock. Where that clock is put forward over a time of
day, the run is at the first moment after; where it is put back, at the first of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from app.errors import Refused

Frequency = Literal["once", "15 minutes", "hourly", "hours", "daily", "weekly", "monthly"]
FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)
BY_THE_DAY: tuple[Frequency, ...] = ("daily", "weekly", "monthly")
"""Frequencies that keep to a time of day; without one, and with all others, a run counts from the end of the last."""
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_HOURS = 168
MOST_QUIET_HOURS = 23
LOOK_BACK = timedelta(days=3)
"""A run that falls due may be held back so long at most: by quiet hours, and where a zone leaves out a whole day."""
TIME_OF_DAY = re.compile(r"(\d{1,2})(?::(\d\d))?\s*([ap]m)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of each day in which nothing starts: from `start` on `zone`'s clock, `hours` long (1 to 23)."""

    start: time
    zone: str
    hours: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a job runs.

    `hours` counts for "hours" only, `days` (0 is Monday) for "weekly" and `day` of the month for "monthly": where a
    month has no such day, its last one. `at` is None where a run counts from the end of the last one.
    """

    every: Frequency = "once"
    hours: int = 1
    at: time | None = None
    zone: str = "UTC"
    days: tuple[int, ...] = ()
    day: int = 1
    quiet: Quiet | None = None

    @property
    def again(self) -> bool:
        """Whether it runs more than once."""
        return self.every != "once"

    def document(self) -> dict[str, Any]:
        """It as JSON values, without what does not count; `read_schedule` reads it."""
        found: dict[str, Any] = {"every": self.every}
        if self.every == "hours":
            found["hours"] = self.hours
        if self.every in BY_THE_DAY:
            found["zone"] = self.zone
            if self.at is not None:
                found["at"] = f"{self.at:%H:%M}"
                if self.every == "weekly":
                    found["days"] = list(self.days)
                if self.every == "monthly":
                    found["day"] = self.day
        if self.quiet is not None:
            quiet = self.quiet
            found["quiet"] = {"start": f"{quiet.start:%H:%M}", "zone": quiet.zone, "hours": quiet.hours}
        return found


ONCE = Schedule()


def read_schedule(document: Mapping[str, Any]) -> Schedule:
    """The schedule of JSON values; an empty object runs once. Raises Refused with a sentence for what can't be."""
    unknown = sorted(set(document) - {"every", "hours", "at", "zone", "days", "day", "quiet"})
    if unknown:
        raise Refused(f"A schedule has no “{unknown[0]}”.", advice="Leave it out.")
    every = document.get("every", "once")
    if every not in FREQUENCIES:
        raise Refused(f"A job can't run “{every}”.", advice=f"Choose one of: {', '.join(FREQUENCIES)}.")
    zone = _checked_zone(document.get("zone", "UTC"))
    at = document.get("at")
    if at is not None and every not in BY_THE_DAY:
        raise Refused(
            "Only a job that runs daily, weekly or monthly has a time of day.",
            advice="Leave the time out, or choose another frequency.",
        )
    days = document.get("days") or ()
    if every == "weekly" and at is not None and not days:
        raise Refused("A weekly job at a time of day needs its days.", advice="Choose one or more days of the week.")
    if not isinstance(days, (list, tuple)) or any(not _is_number(day, 0, 6) for day in days):
        raise Refused("The days of a week are numbers from 0 (Monday) to 6 (Sunday).", advice="Correct the days.")
    quiet = document.get("quiet")
    return Schedule(
        every=every,
        hours=_number(document.get("hours", 1), 1, MOST_HOURS, "The number of hours between two runs"),
        at=None if at is None else read_time(at),
        zone=zone,
        days=tuple(sorted(set(days))),
        day=_number(document.get("day", 1), 1, 31, "The day of the month"),
        quiet=None if quiet is None else _read_quiet(quiet, zone),
    )


def read_time(text: object) -> time:
    """A time of day: "06:00", "6:30pm", "2 pm". Raises Refused."""
    match = TIME_OF_DAY.fullmatch(str(text).strip())
    if match is not None and (match[2] or match[3]):
        hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half == "pm" else 0)
        elif half:
            hour = 24
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise Refused(f"“{text}” is no time of day.", advice="Write it as 06:00 or 6:00pm.")


def _read_quiet(document: Any, zone: str) -> Quiet:
    if not isinstance(document, Mapping) or not {"start", "hours"} <= set(document) <= {"start", "hours", "zone"}:
        raise Refused("Quiet hours need a start and a number of hours.", advice="Give both, or leave them out.")
    hours = _number(document["hours"], 1, MOST_QUIET_HOURS, "The number of quiet hours")
    return Quiet(read_time(document["start"]), _checked_zone(document.get("zone", zone)), hours)


def _is_number(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _number(value: Any, least: int, most: int, what: str) -> int:
    if not _is_number(value, least, most):
        raise Refused(f"{what} can't be {value}.", advice=f"Choose {least} to {most}.")
    return int(value)


def _checked_zone(name: Any) -> str:
    try:
        _zone(str(name))
    # The library takes the name for a file's, and a folder's name among them fails as the system says.
    except (KeyError, ValueError, OSError):
        raise Refused(
            f"There is no time zone “{name}”.", advice="Write it as in Europe/Berlin or America/New_York."
        ) from None
    return str(name)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def next_run(schedule: Schedule, after: datetime) -> datetime | None:
    """The first run after a moment, which is the end of the last one; None for a job that runs once."""
    if not schedule.again:
        return None
    after = after.astimezone(UTC)
    if schedule.at is None:
        return after_quiet(schedule, _counted_from(schedule, after))
    # What fell due before may be held back by quiet hours until after.
    held = (after_quiet(schedule, due) for due in _dues(schedule, after - LOOK_BACK))
    return next(run for run in held if run > after)


def next_runs(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The next runs, if each one takes no time."""
    found: list[datetime] = []
    run = next_run(schedule, after)
    while run is not None and len(found) < count:
        found.append(run)
        run = next_run(schedule, run)
    return found


def after_quiet(schedule: Schedule, moment: datetime) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls in."""
    end = _quiet_end(schedule.quiet, moment) if schedule.quiet is not None else None
    # A day of 23 hours may let one quiet window follow on the other.
    return moment if end is None else after_quiet(schedule, end)


def _quiet_end(quiet: Quiet, moment: datetime) -> datetime | None:
    zone = _zone(quiet.zone)
    today = moment.astimezone(zone).date()
    for days in (-2, -1, 0):
        begin = moment_of(today + timedelta(days=days), quiet.start, zone)
        end = begin + timedelta(hours=quiet.hours)
        if begin <= moment < end:
            return end
    return None


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which a zone's clock shows a time; the first moment after, where it never does."""
    # A time that a clock shows twice is the first of the two, whichever the time itself says it is.
    shown = datetime.combine(day, at.replace(fold=0), zone)
    moment = shown.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == shown.replace(tzinfo=None):
        return moment
    # Left out: the clock is put forward between these two moments. Zones are put forward at whole seconds.
    before, later = int(shown.replace(fold=1).timestamp()), int(moment.timestamp())
    offset = datetime.fromtimestamp(before, zone).utcoffset()
    while later - before > 1:
        middle = (before + later) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            later = middle
    return datetime.fromtimestamp(later, UTC)


def _counted_from(schedule: Schedule, after: datetime) -> datetime:
    if schedule.every not in BY_THE_DAY:
        hours = {"15 minutes": 0.25, "hourly": 1}.get(schedule.every, schedule.hours)
        return after + timedelta(hours=hours)
    zone = _zone(schedule.zone)
    shown = after.astimezone(zone)
    if schedule.every == "monthly":
        months = shown.year * 12 + shown.month
        day = _day_of_month(*divmod(months, 12), shown.day)
    else:
        day = shown.date() + timedelta(days=1 if schedule.every == "daily" else 7)
    return moment_of(day, shown.time(), zone)


def _dues(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The moments from about then on at which a job with a time of day falls due, in order."""
    assert schedule.at is not None
    zone = _zone(schedule.zone)
    first = after.astimezone(zone).date()
    days = _month_days(first, schedule.day) if schedule.every == "monthly" else _week_days(first, schedule)
    for day in days:
        yield moment_of(day, schedule.at, zone)


def _week_days(first: date, schedule: Schedule) -> Iterator[date]:
    while True:
        if schedule.every == "daily" or first.weekday() in schedule.days:
            yield first
        first += timedelta(days=1)


def _month_days(first: date, day: int) -> Iterator[date]:
    months = first.year * 12 + first.month - 1
    while True:
        yield _day_of_month(*divmod(months, 12), day)
        months += 1


def _day_of_month(year: int, month_index: int, day: int) -> date:
    """The day of a month (January is 0), or the month's last one where it has fewer."""
    following = date(year + (month_index == 11), (month_index + 1) % 12 + 1, 1)
    return date(year, month_index + 1, min(day, (following - timedelta(days=1)).day))


def describe(schedule: Schedule) -> str:
    """ "Every day at 06:00 (Europe/Berlin); quiet from 22:00 for 8 hours" """
    said = describe_frequency(schedule)
    return said if schedule.quiet is None else f"{said}; quiet from {describe_quiet(schedule)}"


def describe_quiet(schedule: Schedule) -> str:
    """ "22:00 for 8 hours", with the zone unless it is the one of the time of day; "" without quiet hours."""
    quiet = schedule.quiet
    if quiet is None:
        return ""
    zone = "" if schedule.at is not None and quiet.zone == schedule.zone else f" ({quiet.zone})"
    return f"{quiet.start:%H:%M}{zone} for {quiet.hours} {'hour' if quiet.hours == 1 else 'hours'}"


def describe_frequency(schedule: Schedule) -> str:
    """ "Every day at 06:00 (Europe/Berlin)" """
    match schedule.every:
        case "once":
            said = "Once"
        case "15 minutes":
            said = "Every 15 minutes"
        case "hourly":
            said = "Every hour"
        case "hours":
            said = f"Every {schedule.hours} hours" if schedule.hours > 1 else "Every hour"
        case "daily":
            said = "Every day"
        case "weekly":
            said = (
                f"Every {_listed([DAY_NAMES[day] for day in schedule.days])}"
                if schedule.at is not None
                else "Every week"
            )
        case "monthly":
            said = f"Every month on day {schedule.day}" if schedule.at is not None else "Every month"
            said += ", or the last one," if schedule.at is not None and schedule.day > 28 else ""
    if schedule.at is not None:
        said += f" at {schedule.at:%H:%M} ({schedule.zone})"
    return said


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
