"""The time now, in the forms that the tables keep."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path


def now_text() -> str:
    """UTC now as tables keep it: "2026-11-22T04:15:00.000000Z", always 27 characters, so text order is time order."""
    return text_of(datetime.now(UTC))


def text_of(moment: datetime) -> str:
    """A moment, aware and of whatever zone, as tables keep it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(text: str) -> datetime:
    """The moment of a table's text, aware and in UTC."""
    return datetime.fromisoformat(text)


def zone_here() -> str:
    """The name of this computer's time zone, such as "Europe/Berlin"; "UTC" where the system does not tell it."""
    for told in (os.environ.get("TZ", "").removeprefix(":"), os.path.realpath("/etc/localtime")):
        _, found, name = told.rpartition("zoneinfo/") if told.startswith("/") else ("", told, told)
        if found and "/" in name and not Path(name).is_absolute():
            return name
    return "UTC"


class Clock:
    """The computer's two clocks; a test hands in one of its own."""

    def now(self) -> datetime:
        """UTC now; somebody may set this clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow; on most systems they stand still while the computer sleeps."""
        return time.monotonic()


def now_microseconds() -> int:
    """UTC now in microseconds since 1970, as event times are kept."""
    return time.time_ns() // 1000
