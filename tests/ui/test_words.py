"""Times, numbers and sizes are said as people say them, in their own zone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ui.widgets import words

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):  # Windows keeps one zone for the process: its tests run in UTC there.
        yield
        return
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("kept", "short"),
    [
        ("2026-11-22T07:17:00.000000Z", "08:17"),
        (1_795_331_820_000_000, "08:17"),
        ("2026-11-21T22:59:59.000000Z", "Yesterday"),
        ("2026-11-21T23:00:00.000000Z", "00:00"),
        ("2026-11-23T05:00:00.000000Z", "Tomorrow"),
        ("2026-11-16T12:00:00.000000Z", "16 Nov"),
        ("2024-06-05T12:00:00.000000Z", "5 Jun 2024"),
        (None, "—"),
        ("", "—"),
    ],
)
def test_short_times(kept: str | int | None, short: str) -> None:
    assert words.when(kept, NOW) == short


def test_full_times_and_those_of_logs() -> None:
    assert words.exact("2026-07-20T14:40:05.000000Z") == "20 Jul 2026, 16:40"
    assert words.exact("2026-07-20T14:40:05.000000Z", seconds=True) == "20 Jul 2026, 16:40:05"
    assert words.exact(None) == "—"
    assert words.clock("2026-11-22T07:31:07.000000Z", NOW) == "08:31:07"
    assert words.clock("2026-11-21T05:24:00.000000Z", NOW) == "Yesterday 06:24"
    assert words.clock("2026-11-16T05:24:00.000000Z", NOW) == "16 Nov 06:24"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "under 1 s"),
        (43, "43 s"),
        (59.6, "1 min"),
        (2580, "43 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (86_400, "1 d"),
        (100_800, "1 d 4 h"),
    ],
)
def test_lengths_of_time(seconds: float, said: str) -> None:
    assert words.lasting(seconds) == said


def test_since_when() -> None:
    assert words.ago("2026-11-22T08:29:40.000000Z", NOW) == "just now"
    assert words.ago("2026-11-22T08:26:00.000000Z", NOW) == "4 min ago"
    assert words.ago("2026-11-21T05:00:00.000000Z", NOW) == "Yesterday"


def test_sizes_counts_and_statuses() -> None:
    sizes = (0, 999, 18_000, 186_000_000, 999_600, 1_240_000_000, 5_000_000_000_000)
    said = ["0 bytes", "999 bytes", "18 KB", "186 MB", "1.0 MB", "1.2 GB", "5.0 TB"]
    assert [words.size(count) for count in sizes] == said
    assert words.count_of(1, "job") == "1 job"
    assert words.count_of(1204, "job") == "1,204 jobs"
    assert words.count_of(2, "person", "people") == "2 people"
    assert [words.status_word(key) for key in ("running", "untested", "works")] == ["Running", "Never tested", "Works"]
