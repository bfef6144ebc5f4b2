"""Times, numbers, sizes and statuses as people say them, in the user's own zone.

Times come as the tables keep them: UTC text ("2026-11-22T04:15:00.000000Z") or microseconds since 1970.
"""

from __future__ import annotations

from datetime import UTC, datetime

_STATUS_WORDS = {
    "ok": "Works",
    "works": "Works",
    "failing": "Failing",
    "untested": "Never tested",
    "failed": "Failed",
    "error": "Error",
}


def moment(time: str | int | datetime) -> datetime:
    """A time of any of the kept forms in the user's zone. Raises ValueError for text that is no time."""
    if isinstance(time, datetime):
        return time.astimezone()
    if isinstance(time, int):
        return datetime.fromtimestamp(time / 1_000_000, UTC).astimezone()
    return datetime.fromisoformat(time).astimezone()


def when(time: str | int | datetime | None, now: datetime | None = None) -> str:
    """Short, for tables: "08:17" today, "Yesterday", "Tomorrow", "20 Nov", "20 Nov 2024"; "—" for never."""
    if time is None or time == "":
        return "—"
    at, today = moment(time), (now or datetime.now(UTC)).astimezone()
    days = (at.date() - today.date()).days
    if days == 0:
        return f"{at:%H:%M}"
    if abs(days) == 1:
        return "Tomorrow" if days > 0 else "Yesterday"
    return f"{at.day} {at:%b}" if at.year == today.year else f"{at.day} {at:%b %Y}"


def exact(time: str | int | datetime | None, *, seconds: bool = False) -> str:
    """In full: "20 Nov 2026, 16:40", or with seconds for logs; "—" for never."""
    if time is None or time == "":
        return "—"
    at = moment(time)
    return f"{at.day} {at:%b %Y, %H:%M:%S}" if seconds else f"{at.day} {at:%b %Y, %H:%M}"


def clock(time: str | int | datetime, now: datetime | None = None) -> str:
    """For logs: "08:31:07" today, "Yesterday 06:24", "20 Nov 06:24" before."""
    at, today = moment(time), (now or datetime.now(UTC)).astimezone()
    days = (today.date() - at.date()).days
    if days == 0:
        return f"{at:%H:%M:%S}"
    return f"Yesterday {at:%H:%M}" if days == 1 else f"{when(at, today)} {at:%H:%M}"


def lasting(seconds: float) -> str:
    """A length of time: "under 1 s", "43 s", "12 min", "1 h 5 min", "3 d 4 h"."""
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def ago(time: str | int | datetime, now: datetime | None = None) -> str:
    """How long since: "just now", "4 min ago"; from yesterday on the day itself."""
    at, today = moment(time), (now or datetime.now(UTC)).astimezone()
    passed = (today - at).total_seconds()
    if passed < 60:
        return "just now"
    return f"{lasting(passed)} ago" if passed < 6 * 3600 else when(at, today)


def size(count: float) -> str:
    """Bytes as people say them: "512 bytes", "18 KB", "186 MB", "1.2 GB"."""
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("KB", "MB", "GB"):
        count /= 1000
        if count < 999.5:
            return f"{count:.1f} {unit}" if count < 9.95 else f"{count:.0f} {unit}"
    return f"{count / 1000:.1f} TB"


def count_of(count: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 job", "1,204 jobs", `count_of(2, "person", "people")`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def status_word(status: str) -> str:
    """The word of a status key: "Running" for running, "Never tested" for untested."""
    return _STATUS_WORDS.get(status, status.replace("_", " ").capitalize())
