"""The time now, in the forms that the tables keep."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_text() -> str:
    """UTC now as tables keep it: "2026-11-22T04:15:00.000000Z", always 27 characters, so text order is time order."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now_microseconds() -> int:
    """UTC now in microseconds since 1970, as event times are kept."""
    return time.time_ns() // 1000
