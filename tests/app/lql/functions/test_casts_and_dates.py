"""Casts, and what is read off dates. The event's time is 7 April 2014, 16:58:55, a Monday."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.lql.functions import FUNCTIONS, BadArgument
from app.lql.values.moments import date_of, date_text, is_relative, layout_reader, relative, write_date
from app.lql.values.reading import microseconds
from connectors.kit.times import format_time

TIME = datetime(2014, 4, 7, 16, 58, 55, tzinfo=UTC)
MIDNIGHT = datetime(2014, 4, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value", "answer"),
    [
        ("toint", "5", 5),
        ("toint", "€ 5,555.90", 5555),
        ("toint", "$5.56", 5),
        ("toint", "-3", -3),
        ("toint", 5555.95, 5555),
        ("toint", -2.9, -2),
        ("toint", ["7", "8"], 7),
        ("toint", TIME, 1396889935000),
        ("toint", str(2**63 - 1), 2**63 - 1),
        ("toint", f"1,{'0' * 18}", 10**18),
        ("toint", str(2**63), None),
        ("toint", 2**63, None),
        ("toint", "9" * 5_000, None),
        ("toint", "1_000", None),
        ("toint", "hello", None),
        ("toint", "", None),
        ("toint", True, None),
        ("toint", None, None),
        ("toint", {"a": 1}, None),
        ("toint", float("nan"), None),
        ("tonumber", "$ 5.22", 5.22),
        ("tonumber", "5,555.00", 5555.0),
        ("tonumber", 7, 7.0),
        ("tonumber", ["1.5"], 1.5),
        ("tonumber", "1e999", None),
        ("tonumber", "nan", None),
        ("tonumber", "hello", None),
        ("tonumber", "", None),
        ("tonumber", True, None),
        ("tonumber", 10**400, None),
        ("tonumber", None, None),
        ("tobool", "t", True),
        ("tobool", "FALSE", False),
        ("tobool", 1, True),
        ("tobool", 0.0, False),
        ("tobool", True, True),
        ("tobool", "yes", None),
        ("tobool", 2, None),
        ("tobool", "", None),
        ("tobool", None, None),
        ("totimestamp", "2015-07-04", 1435968000),
        ("totimestamp", "Apr 7, 2014 4:58:55 PM", 1396889935),
        ("totimestamp", "hello", None),
        ("totimestamp", None, None),
    ],
)
def test_casts(call: Callable[..., Any], name: str, value: Any, answer: Any) -> None:
    given_back = call(name, value)
    assert given_back == answer
    assert type(given_back) is type(answer)


@pytest.mark.parametrize(
    ("value", "kind", "answer"),
    [
        ("5.5", "int", 5),
        (22, "STRING", "22"),
        ("22", "char", "22"),
        ("10/13/2014", "time", datetime(2014, 10, 13, tzinfo=UTC)),
        ("abc", "int", None),
        ("abc", "time", None),
        ("abc", "float", None),
        (None, "string", None),
    ],
)
def test_cast(call: Callable[..., Any], value: Any, kind: str, answer: Any) -> None:
    assert call("cast", value, kind) == answer


@pytest.mark.parametrize(
    "text",
    [
        "2014-04-07T16:58:55Z",
        "2014-04-07 16:58:55",
        "2014-04-07T18:58:55+02:00",
        "2014-04-07 16:58:55 +0000 UTC",
        "2014/04/07 16:58:55",
        "2014:4:7 16:58:55",
        "4/7/2014 16:58:55",
        "04/07/14 4:58:55 PM",
        "Apr 7, 2014 4:58:55 PM",
        "7 April 2014, 16:58:55",
        "07/Apr/2014:16:58:55 +0000",
        "Mon Apr  7 16:58:55 2014",
        "Mon, 07 Apr 2014 16:58:55 GMT",
        "Mon, 07 Apr 2014 16:58:55 EST",  # names of zones are not applied
        "Mon Apr 07 2014 18:58:55 GMT+0200 (Central European Summer Time)",
        "20140407165855",
        "1396889935",
        "1396889935000",
        "1396889935000000",
        "1396889935000000000",
        1396889935,
        1396889935000,
        ["2014-04-07T16:58:55Z", "soon"],
        TIME,
    ],
)
def test_one_moment_in_many_forms(call: Callable[..., Any], text: Any) -> None:
    assert call("todate", text) == TIME
    stored = FUNCTIONS["todate"].stored
    assert stored is not None
    assert stored(text) == "2014-04-07T16:58:55.000000Z"


@pytest.mark.parametrize("text", ["2014-04-07", "20140407", "2014-4-7", "07.04.2014", "oct 7, 1970", "2014年04月07日"])
def test_a_day_is_its_midnight(call: Callable[..., Any], text: str) -> None:
    assert call("todate", text) == (datetime(1970, 10, 7, tzinfo=UTC) if "1970" in text else MIDNIGHT)


def test_a_year_and_a_month_alone(call: Callable[..., Any]) -> None:
    assert call("todate", "2014") == call("todate", "2014-01") == datetime(2014, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["hello", "", None, True, {}, [], "2026-13-02", "2026-02-30", "31/12/2014", "now-3days", "0001", "1.5",
     10**17, -5, 10**30, "2026-01-02x03:04:05Z"],
)  # fmt: skip
def test_what_is_no_date(call: Callable[..., Any], value: Any) -> None:
    assert call("todate", value) is None
    assert date_text(value) is None


@pytest.mark.parametrize(
    ("layout", "text", "answer"),
    [
        ("02/01/2006", "07/04/2014", MIDNIGHT),
        ("1/2/06", "4/7/14", MIDNIGHT),
        ("2006-01-02T15:04:05Z07:00", "2014-04-07T18:58:55+02:00", TIME),
        ("2006-01-02T15:04:05Z07:00", "2014-04-07T16:58:55Z", TIME),
        ("2006-01-02 15:04:05", "2014-04-07 16:58:55.250", TIME + timedelta(milliseconds=250)),
        ("2006-01-02 15:04:05.000", "2014-04-07 16:58:55.250", TIME + timedelta(milliseconds=250)),
        ("2006-01-02 15:04:05.000", "2014-04-07 16:58:55", None),
        ("Mon, 02 Jan 2006 15:04:05 MST", "Mon, 07 Apr 2014 16:58:55 PST", TIME),
        ("Mon, 02 Jan 2006 15:04:05 -0700", "Mon, 07 Apr 2014 09:58:55 -0700", TIME),
        ("Monday, January 2, 2006 3:04:05PM", "monday, april 7, 2014 4:58:55PM", TIME),
        ("Jan _2 06 3:04pm", "Apr  7 14 12:05am", MIDNIGHT + timedelta(minutes=5)),
        ("2006.002", "2014.097", MIDNIGHT),
        ("2006.002", "2014.366", None),
        ("02/01/2006", "7/4/2014", None),
        ("02/01/2006", "31/02/2014", None),
        ("15:04", "16:58", None),
        ("02/01/2006", "hello", None),
        ("02/01/2006", None, None),
        (None, "07/04/2014", None),
    ],
)
def test_dates_by_layout(call: Callable[..., Any], layout: Any, text: Any, answer: datetime | None) -> None:
    assert call("todate", layout, text) == answer


@given(st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_a_layout_reads_what_it_writes(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    read = layout_reader("Mon Jan _2 15:04:05.000000 2006")
    assert read is not None
    assert read(write_date(moment, "%a %b %e %H:%M:%S.%f %Y")) == moment
    assert date_of(format_time(microseconds(moment))) == moment


def test_local_times_of_a_place(call: Callable[..., Any]) -> None:
    los_angeles = "America/Los_Angeles"
    summer = datetime(2015, 7, 4, 17, tzinfo=UTC)
    assert call("todatein", "2015-07-04 10:00:00", los_angeles, literal=True) == summer
    assert call("todatein", "7/4/2015 10:00 AM", los_angeles) == summer
    assert call("todatein", "2015-01-04 10:00:00", los_angeles) == datetime(2015, 1, 4, 18, tzinfo=UTC)
    assert call("todatein", "2015-07-04T10:00:00Z", los_angeles) == datetime(2015, 7, 4, 10, tzinfo=UTC)
    assert call("todatein", "soon", los_angeles, literal=True) is None


def test_arguments_that_can_never_work_are_refused(call: Callable[..., Any]) -> None:
    with pytest.raises(BadArgument, match="Mars is no known time zone"):
        call("todatein", "2015-07-04", "Mars", literal=True)
    with pytest.raises(BadArgument, match="now-3days can't be read as a moment"):
        call("todate", "now-3days", literal=True)
    with pytest.raises(BadArgument, match="float is no type"):
        call("cast", "5", "float", literal=True)
    assert call("cast", "5", "int", literal=True) == 5


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now-3d", datetime(2014, 4, 4, 16, 58, 55, tzinfo=UTC)),
        ("now+90s", datetime(2014, 4, 7, 17, 0, 25, tzinfo=UTC)),
        ("NOW-5m", datetime(2014, 4, 7, 16, 53, 55, tzinfo=UTC)),
        ("now-2h", datetime(2014, 4, 7, 14, 58, 55, tzinfo=UTC)),
        ("now-1w", datetime(2014, 3, 31, 16, 58, 55, tzinfo=UTC)),
        ("now-2M", datetime(2014, 2, 7, 16, 58, 55, tzinfo=UTC)),
        ("now+1y-1d", datetime(2015, 4, 6, 16, 58, 55, tzinfo=UTC)),
        ("now-999999y", None),
        ("now-3x", None),
        ("nowhere", None),
    ],
)
def test_moments_relative_to_now(text: str, moment: datetime | None) -> None:
    assert relative(text, TIME) == moment
    timed = FUNCTIONS["todate"].timed
    assert timed is not None
    assert timed(TIME, text) == moment
    assert is_relative(text) is (moment is not None or text == "now-999999y")


def test_a_month_back_ends_with_the_month() -> None:
    assert relative("now-1M", datetime(2015, 3, 31, tzinfo=UTC)) == datetime(2015, 2, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("now", (), TIME),
        ("epochms", (), 1396889935000),
        ("yy", (), 14),
        ("yy", ("1999-01-01",), 99),
        ("yy", ("01/02/2006",), 6),
        ("yy", ("hello",), None),
        ("yy", (None,), None),
        ("mm", (), 4),
        ("monthofyear", ("10/13/2014",), 10),
        ("mm", ("hello",), None),
        ("yymm", (), "1404"),
        ("yymm", ("01/02/2006",), "0601"),
        ("yymm", (None,), None),
        ("dayofweek", (), 1),
        ("dayofweek", ("2015-07-05",), 0),
        ("dayofweek", ("soon",), None),
        ("hourofday", (), 16),
        ("hourofday", ("2015-07-05T23:59:59Z",), 23),
        ("hourofday", ("2015-07-05T23:59:59-02:00",), 1),
        ("hourofday", (None,), None),
        ("hourofweek", (), 40),
        ("hourofweek", ("2015-07-05T03:00:00Z",), 3),
        ("hourofweek", ("hello",), None),
        ("extract", ("2015-07-04", "%B - %d"), "July - 04"),
        ("strftime", ("1257894000", "%A %p %j %U 100%% %Q"), "Tuesday PM 314 45 100% %Q"),
        ("extract", ("hello", "%B"), None),
        ("extract", ("2015-07-04", 5), None),
        ("seconds", ("M10:30",), 630.0),
        ("seconds", ("00:30",), 30.0),
        ("seconds", ("M100:30",), 6030.0),
        ("seconds", ("00.00:30.60",), 30.6),
        ("seconds", ("M30",), 30.0),
        ("seconds", ("30.6",), 30.6),
        ("seconds", ("-45",), -45.0),
        ("seconds", (30,), 30.0),
        ("seconds", ("2015/07/04",), 1435968000.0),
        ("seconds", ("1435968000000",), 1435968000.0),
        ("seconds", (TIME,), 1396889935.0),
        ("seconds", ("1:10:30",), None),
        ("seconds", ("soon",), None),
        ("seconds", (None,), None),
        ("unixtrunc", ("1438445529707",), "1438445529"),
        ("unixtrunc", ("1438445529707", "seconds"), "1438445529.707"),
        ("unixtrunc", ("1438445529", "ms"), "1438445529000"),
        ("unixtrunc", ("1438445529707123456", "sm"), "1438445529.707123"),
        ("unixtrunc", ("1950-05-08 19:00:00.998",), "-620110800"),
        ("unixtrunc", ("1950-05-08 19:00:00.998", "s"), "-620110799.002"),
        ("unixtrunc", ("1950-05-08 19:00:00.999998", "secondsmicro"), "-620110799.000002"),
        ("unixtrunc", ("hello",), None),
        ("unixtrunc", ("2015-07-04", "fortnights"), None),
        ("timebucket", (TIME,), {"2014-04-07": 1}),
        ("timebucket", ("2015-07-04T23:30:00-01:00",), {"2015-07-05": 1}),
        ("timebucket", ("soon",), None),
        ("totimeset", ("2015-07-04",), [datetime(2015, 7, 4, tzinfo=UTC)]),
        (
            "totimeset",
            (["2015-07-04", "soon", "2014-04-07", "2015-07-04"],),
            [MIDNIGHT, datetime(2015, 7, 4, tzinfo=UTC)],
        ),
        ("totimeset", ("soon", None), None),
    ],
)
def test_dates(call: Callable[..., Any], name: str, arguments: tuple[Any, ...], answer: Any) -> None:
    assert call(name, *arguments) == answer
