"""Times as files write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.times import format_time, parse_time

MOMENT = datetime(2026, 1, 15, 10, 30, 5, tzinfo=UTC)


def us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-15T10:30:05Z",
        "2026-01-15T10:30:05",
        "2026-01-15 10:30:05",
        "2026-01-15T10:30:05.000000000Z",
        "2026-01-15T12:00:05+01:30",
        "2026-01-15 10:30:05 UTC",
        "2026-01-15 11:30:05 +0100",
        "  2026-01-15 10:30:05 ",
        "20260115T103005Z",
        "20260115103005",
        "1768473005",
        "1768473005000",
        "1768473005000000",
        "1768473005000000000",
        "1768473005.000",
        "1/15/2026 10:30:05",
        "01/15/26, 10:30:05 AM",
        "2026/1/15 10:30:05 a.m.",
        "15.01.2026 10:30:05",
        "15.1.26 10:30:05",
        "Thu, 15 Jan 2026 10:30:05 GMT",
        "Thu, 15 Jan 2026 05:30:05 EST",
        "15-Jan-2026 10:30:05",
        "January 15, 2026 at 10:30:05 AM",
        "Jan 15th, 2026 10:30:05",
        "Thu Jan 15 10:30:05 2026",
        "Thu Jan 15 10:30:05 UTC 2026",
        "2026-Jan-15 10:30:05",
        "2026:01:15 10:30:05",
        "15/Jan/2026:11:30:05 +0100",
        "260115 10:30:05",
        "2026-01-15 10:30:05 +0000 UTC",
        "2026-01-15 13:30:05 +0300 MSK m=+0.000000001",
        "Thu Jan 15 2026 11:30:05 GMT+0100 (Central European Standard Time)",
        "Thu, 15 Jan 2026 11:30:05 +0100 (CET)",
    ],
)
def test_one_moment_in_many_forms(text: str) -> None:
    assert parse_time(text) == us(MOMENT)


def test_a_date_alone_is_its_midnight() -> None:
    midnight = us(datetime(2026, 1, 15, tzinfo=UTC))
    for text in ("2026-01-15", "20260115", "1/15/2026", "15.01.2026", "15 January 2026", "Jan 15, 2026", "2026-1-15"):
        assert parse_time(text) == midnight, text


def test_short_dates() -> None:
    assert parse_time("2026-01") == parse_time("2026/01") == us(datetime(2026, 1, 1, tzinfo=UTC))
    assert parse_time("2026年01月15日") == parse_time("Jan 15, '26") == us(datetime(2026, 1, 15, tzinfo=UTC))
    assert parse_time("2026-01-15+02:00") == us(datetime(2026, 1, 14, 22, tzinfo=UTC))


def test_a_place_stands_in_for_a_zone_that_is_not_named() -> None:
    paris = ZoneInfo("Europe/Paris")
    for text in ("2026-07-15 10:30:05", "20260715103005", "7/15/2026 10:30:05"):
        assert parse_time(text, place=paris) == us(datetime(2026, 7, 15, 8, 30, 5, tzinfo=UTC)), text
    assert parse_time("2026-07-15T10:30:05Z", place=paris) == us(datetime(2026, 7, 15, 10, 30, 5, tzinfo=UTC))


def test_names_of_zones_count_or_are_read_over() -> None:
    assert parse_time("Thu, 15 Jan 2026 10:30:05 CEST") is None
    for zone in ("CEST", "EST", "MSK"):
        assert parse_time(f"Thu, 15 Jan 2026 10:30:05 {zone}", named_zones=False) == us(MOMENT)


def test_noon_and_midnight_of_the_twelve_hour_clock() -> None:
    assert parse_time("1/15/2026 12:00 AM") == us(datetime(2026, 1, 15, tzinfo=UTC))
    assert parse_time("1/15/2026 12:00 PM") == us(datetime(2026, 1, 15, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "never", "0000-00-00 00:00:00", "2026-02-30", "15/01/2026", "31.02.2026", "2026", "12",
        "10:30", "12223334444", "2026-01-15x10:30:00", "1/15/2026 13:00 PM", "٢٠٢٦٠١١٥", "2026-01-15T10:30:05+99:00",
        "9999-12-31T23:59:59-14:00", "May", "1.5", "-1", "nan", "\x00", "\ud800", "1 " * 40,
    ],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    assert parse_time(text) is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_reads_back(moment: datetime) -> None:
    text = format_time(us(moment))
    assert len(text) == 27
    assert parse_time(text) == us(moment)


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_zones_are_counted(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_time(moment.isoformat()) == us(moment)


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999), st.integers(1, 10**12))
def test_text_order_is_time_order(first: int, more: int) -> None:
    second = min(first + more, 253_402_300_799_999_999)
    assert (format_time(first) < format_time(second)) == (first < second)


@given(st.text(max_size=80) | st.text(alphabet="0123456789-/:. TZ+JanpmUTC,", max_size=40))
def test_any_text_gives_a_time_or_nothing(text: str) -> None:
    value = parse_time(text)
    assert value is None or parse_time(format_time(value)) == value
