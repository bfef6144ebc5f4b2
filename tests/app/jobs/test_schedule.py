"""Schedules across clocks that are put forward and back, ends of months and quiet hours."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Refused
from app.jobs.schedule import (
    FREQUENCIES,
    ONCE,
    Quiet,
    Schedule,
    after_quiet,
    describe,
    next_run,
    next_runs,
    read_schedule,
    read_time,
)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Gaza",
)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def shown(schedule: Schedule, after: str, count: int) -> list[str]:
    """The next runs as a clock in the schedule's zone shows them."""
    zone = ZoneInfo(schedule.zone)
    return [f"{run.astimezone(zone):%d %b %H:%M %z}" for run in next_runs(schedule, moment(after), count)]


def daily(at: str, zone: str) -> Schedule:
    return Schedule("daily", at=read_time(at), zone=zone)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        (daily("06:00", "Europe/Berlin"), "2026-10-24T12:00", ["25 Oct 06:00 +0100", "26 Oct 06:00 +0100"]),
        # 02:30 does not exist on 29 March: the first moment after it.
        (
            daily("02:30", "Europe/Berlin"),
            "2026-03-28T00:00",
            ["28 Mar 02:30 +0100", "29 Mar 03:00 +0200", "30 Mar 02:30 +0200"],
        ),
        # It exists twice on 25 October: the first one.
        (
            daily("02:30", "Europe/Berlin"),
            "2026-10-24T12:00",
            ["25 Oct 02:30 +0200", "26 Oct 02:30 +0100", "27 Oct 02:30 +0100"],
        ),
        # Half an hour forward.
        (daily("02:15", "Australia/Lord_Howe"), "2026-10-03T00:00", ["04 Oct 02:30 +1100", "05 Oct 02:15 +1100"]),
        # Midnight itself is left out.
        (daily("00:00", "America/Sao_Paulo"), "2018-11-03T12:00", ["04 Nov 01:00 -0200", "05 Nov 00:00 -0200"]),
        # A whole day is left out.
        (
            daily("06:00", "Pacific/Apia"),
            "2011-12-29T00:00",
            ["29 Dec 06:00 -1000", "31 Dec 00:00 +1400", "31 Dec 06:00 +1400"],
        ),
        (
            Schedule("weekly", at=time(6), zone="UTC", days=(0, 3)),
            "2026-11-22T00:00",
            ["23 Nov 06:00 +0000", "26 Nov 06:00 +0000", "30 Nov 06:00 +0000"],
        ),
        (
            Schedule("monthly", at=time(6), zone="UTC", day=31),
            "2027-12-31T06:00",
            ["31 Jan 06:00 +0000", "29 Feb 06:00 +0000", "31 Mar 06:00 +0000", "30 Apr 06:00 +0000"],
        ),
        (Schedule("monthly", zone="UTC"), "2026-12-31T06:00", ["31 Jan 06:00 +0000", "28 Feb 06:00 +0000"]),
        (Schedule("weekly", zone="Europe/Berlin"), "2026-10-20T06:00", ["27 Oct 08:00 +0100"]),
        (Schedule("15 minutes"), "2026-10-20T06:00", ["20 Oct 06:15 +0000", "20 Oct 06:30 +0000"]),
        (Schedule("hourly"), "2026-10-20T06:10", ["20 Oct 07:10 +0000"]),
        (Schedule("hours", hours=6), "2026-10-20T20:00", ["21 Oct 02:00 +0000"]),
        # A run that falls due in quiet hours comes at their end, once.
        (
            Schedule("hourly", quiet=Quiet(time(22), "UTC", 8)),
            "2026-10-20T21:30",
            ["21 Oct 06:00 +0000", "21 Oct 07:00 +0000"],
        ),
        # … also for somebody who asks in the middle of them.
        (
            Schedule("daily", at=time(3), quiet=Quiet(time(2), "UTC", 4)),
            "2026-10-20T04:00",
            ["20 Oct 06:00 +0000", "21 Oct 06:00 +0000"],
        ),
        (ONCE, "2026-10-20T06:10", []),
    ],
)
def test_next_runs(schedule: Schedule, after: str, expected: list[str]) -> None:
    assert shown(schedule, after, len(expected) or 1) == expected


schedules = st.builds(
    Schedule,
    every=st.sampled_from(FREQUENCIES[1:]),
    hours=st.integers(1, 168),
    at=st.none(),
    zone=st.sampled_from(ZONES),
    days=st.just((0,)),
    quiet=st.none()
    | st.builds(
        Quiet,
        st.times().map(lambda at: at.replace(second=0, microsecond=0)),
        st.sampled_from(ZONES),
        st.integers(1, 23),
    ),
) | st.builds(
    Schedule,
    every=st.sampled_from(("daily", "weekly", "monthly")),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    zone=st.sampled_from(ZONES),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    day=st.integers(1, 31),
    quiet=st.none() | st.builds(Quiet, st.just(time(22, 30)), st.sampled_from(ZONES), st.integers(1, 23)),
)
moments = st.datetimes(
    datetime.fromisoformat("2005-01-01"), datetime.fromisoformat("2040-01-01"), timezones=st.just(UTC)
)


@given(schedules, moments)
def test_runs_follow_each_other_and_none_is_in_quiet_hours(schedule: Schedule, after: datetime) -> None:
    runs = [after, *next_runs(schedule, after, 4)]
    assert all(earlier < later for earlier, later in pairwise(runs))
    assert all(after_quiet(schedule, run) == run for run in runs[1:])


@given(schedules, moments, st.floats(0, 1))
def test_asking_earlier_or_later_before_a_run_names_the_same_run(
    schedule: Schedule, after: datetime, share: float
) -> None:
    run = next_run(schedule, after)
    assert run is not None
    if schedule.at is not None:
        assert next_run(schedule, after + (run - after - timedelta(microseconds=1)) * share) == run


@given(st.sampled_from(ZONES), st.times(), st.dates(date(2005, 1, 1), date(2040, 1, 1)))
def test_each_day_of_a_zone_has_one_daily_run(zone: str, at: time, day: date) -> None:
    schedule = Schedule("daily", at=at.replace(microsecond=0), zone=zone)
    begin = datetime.combine(day, time(0), ZoneInfo(zone)).astimezone(UTC)
    local = [run.astimezone(ZoneInfo(zone)) for run in next_runs(schedule, begin - timedelta(days=1), 12)]
    days = [run.date() for run in local]
    expected = [days[0] + timedelta(days=number) for number in range(12)]
    if zone != "Pacific/Apia":
        assert days == expected
    assert all(run.time() == schedule.at or run.time() > at for run in local if run.date() in days)


@given(schedules)
def test_a_schedule_is_read_as_it_was_written(schedule: Schedule) -> None:
    document = schedule.document()
    read = read_schedule(document)
    assert read.document() == document
    after = moment("2026-10-20T06:10")
    assert next_runs(read, after, 3) == next_runs(schedule, after, 3)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"every": "year"}, "can't run “year”"),
        ({"every": "daily", "at": "25:00"}, "no time of day"),
        ({"every": "daily", "at": "6"}, "no time of day"),
        ({"every": "daily", "at": "13pm"}, "no time of day"),
        ({"every": "daily", "zone": "Europe/Bärlin"}, "no time zone"),
        ({"every": "daily", "zone": "Europe"}, "no time zone"),
        ({"every": "daily", "zone": "../etc"}, "no time zone"),
        ({"every": "hourly", "at": "06:00"}, "time of day"),
        ({"every": "weekly", "at": "06:00"}, "needs its days"),
        ({"every": "weekly", "at": "06:00", "days": [7]}, "0 .Monday. to 6"),
        ({"every": "monthly", "at": "06:00", "day": 32}, "day of the month can't be 32"),
        ({"every": "hours", "hours": 0}, "hours between two runs can't be 0"),
        ({"every": "daily", "quiet": {"start": "22:00"}}, "need a start"),
        ({"every": "daily", "quiet": {"start": "22:00", "hours": 24}}, "quiet hours can't be 24"),
        ({"often": True}, "no “often”"),
    ],
)
def test_what_can_not_be_a_schedule_is_refused_in_a_sentence(document: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        read_schedule(document)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "Once"),
        ({"every": "15 minutes"}, "Every 15 minutes"),
        ({"every": "hourly"}, "Every hour"),
        ({"every": "weekly", "days": [1]}, "Every week"),
        ({"every": "monthly"}, "Every month"),
        ({"every": "hours", "hours": 6}, "Every 6 hours"),
        ({"every": "daily", "at": "6:00am", "zone": "Europe/Berlin"}, "Every day at 06:00 (Europe/Berlin)"),
        ({"every": "weekly", "at": "2pm", "days": [3, 0, 1]}, "Every Monday, Tuesday and Thursday at 14:00 (UTC)"),
        ({"every": "monthly", "at": "06:00", "day": 31}, "Every month on day 31, or the last one, at 06:00 (UTC)"),
        (
            {"every": "hourly", "quiet": {"start": "12am", "hours": 1}},
            "Every hour; quiet from 00:00 (UTC) for 1 hour",
        ),
        (
            {"every": "daily", "at": "06:00", "zone": "Europe/Berlin", "quiet": {"start": "22:00", "hours": 8}},
            "Every day at 06:00 (Europe/Berlin); quiet from 22:00 for 8 hours",
        ),
    ],
)
def test_a_schedule_is_told_in_a_line(document: dict[str, Any], said: str) -> None:
    assert describe(read_schedule(document)) == said
