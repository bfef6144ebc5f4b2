"""What holds for every function."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lql.functions import FUNCTIONS, BadArgument
from app.lql.values.moments import date_of, date_text
from app.lql.values.reading import microseconds
from connectors.kit.times import format_time

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=30)
    | st.text(alphabet="0123456789-/:. TZ+$,@<>%&?=#()[]*aeJnow", max_size=30)
    | st.datetimes(timezones=st.just(UTC))
)
VALUES = SCALARS | st.lists(SCALARS, max_size=4) | st.dictionaries(st.text(max_size=8), SCALARS, max_size=4)
KINDS = (str, int, float, bool, datetime, list, dict, type(None))
NAMES = sorted({function.name for function in FUNCTIONS.values()})


@pytest.mark.parametrize("name", NAMES)
def test_no_value_makes_a_function_fail(name: str) -> None:
    function = FUNCTIONS[name]
    most = function.least + 2 if function.most is None else function.most
    event = {"a.b": 1, "a.c": None, "b": "x"}

    @settings(max_examples=40)
    @given(st.lists(VALUES, min_size=function.least, max_size=most), st.datetimes(timezones=st.just(UTC)))
    def check(arguments: list[Any], time: datetime) -> None:
        context = ([time] if function.needs_time else []) + ([event] if function.needs_event else [])
        calls: list[Callable[[], Any]] = [lambda: function.call(*context, *arguments)]
        if function.stored is not None:
            calls.append(lambda: function.stored(*context, *arguments))  # type: ignore[misc]
        if function.timed is not None:
            calls.append(lambda: function.timed(time, *arguments))  # type: ignore[misc]
        if function.prepare is not None:
            with contextlib.suppress(BadArgument):
                prepared = function.prepare(arguments)
                if prepared is not None:
                    calls.append(lambda: prepared(*context, *arguments))
        for call in calls:
            assert isinstance(call(), KINDS)

    check()


def test_names_are_lower_case_and_all_of_them_are_found() -> None:
    assert all(name == name.lower() for name in FUNCTIONS)
    for function in FUNCTIONS.values():
        assert FUNCTIONS[function.name] is function
        assert all(FUNCTIONS[alias] is function for alias in function.aliases)
        assert function.summary.endswith(".")


def test_every_published_function_is_there() -> None:
    published = """
        eq ne gt ge lt le not exists any all oneof or
        tolower string.lowercase string.uppercase string.titlecase string.index string.substr contains
        hasprefix hassuffix split string.split strip string.strip replace join
        len char_length tostring regex.match phone.e164 uuid
        hash.sip hash hash.md5 hash.sha1 hash.sha256 hash.sha512 encoding.b64encode encoding.b64decode unsign
        toint tonumber tobool todate todatein totimestamp cast totimeset
        now epochms yy mm monthofyear yymm dayofweek hourofday hourofweek extract strftime seconds unixtrunc timebucket
        array.index array.slice filter filtermatch match map maptime mapkeys mapvalues mapinvert json.jmespath
        email emailname emaildomain url urlmain urlminusqs url.matchqs urldecode host hosts domain domains path
        qs qsl qs2 useragent useragent.map ipfilter sqrt pow count sum avg min max set valuect timewindow geodistance
    """
    assert not set(published.split()) - set(FUNCTIONS)


@given(st.text(max_size=40) | st.text(alphabet="0123456789-/:. TZ+", max_size=25) | st.datetimes().map(str))
def test_the_stored_date_is_the_date(text: str) -> None:
    moment = date_of(text, datetime(2014, 4, 7, tzinfo=UTC))
    if not text.lower().startswith("now"):
        assert date_text(text) == (None if moment is None else format_time(microseconds(moment)))
