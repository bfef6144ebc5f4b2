"""When a job runs, as options of commands."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from app.jobs.schedule import Schedule

Command = Callable[..., Any]
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """What was given; None for an option that was not."""

    every: str | None
    at: str | None
    zone: str | None
    on: str | None
    quiet_from: str | None
    quiet_hours: int | None

    def given(self) -> bool:
        """Whether anything was said of when the job runs."""
        return any(getattr(self, name) is not None for name in self.__slots__)

    def schedule(self) -> Schedule:
        """The schedule. Raises click.UsageError for options that make none, and Refused."""
        from app.clock import zone_here
        from app.jobs.schedule import read_schedule

        if self.every is None:
            raise click.UsageError("--every is missing: it says how often the job runs.")
        every = self.every.strip().lower()
        document: dict[str, Any] = {"every": every, "zone": self.zone or zone_here()}
        hours = re.fullmatch(r"(\d+) ?h(?:ours?)?", every)
        if hours is not None:
            document |= {"every": "hours", "hours": int(hours[1])}
        elif every in ("15m", "15min", "15-minutes"):
            document["every"] = "15 minutes"
        if self.at is not None:
            document["at"] = self.at
        if self.on is not None:
            document |= self._days(document["every"])
        if (self.quiet_from is None) != (self.quiet_hours is None):
            raise click.UsageError("--quiet-from and --quiet-hours belong together.")
        if self.quiet_from is not None:
            document["quiet"] = {"start": self.quiet_from, "hours": self.quiet_hours}
        return read_schedule(document)

    def _days(self, every: str) -> dict[str, Any]:
        assert self.on is not None
        if self.at is None:
            raise click.UsageError("--on needs a time of day: --at.")
        if every == "monthly" and self.on.isdecimal():
            return {"day": int(self.on)}
        if every != "weekly":
            raise click.UsageError("--on is for weekly jobs (names of days) and monthly ones (the day of the month).")
        found = []
        for name in self.on.lower().split(","):
            days = [at for at, day in enumerate(DAYS) if len(name.strip()) >= 2 and day.startswith(name.strip())]
            if not days:
                raise click.UsageError(f"“{name.strip()}” is no day of the week; write --on monday,thursday.")
            found += days
        return {"days": found}


def schedule_options(command: Command) -> Command:
    """Adds the options; the command gets them as one argument `when`."""

    @functools.wraps(command)
    def with_options(*arguments: Any, **options: Any) -> Any:
        when = ScheduleOptions(**{name: options.pop(name) for name in ScheduleOptions.__slots__})
        return command(*arguments, when=when, **options)

    for option in reversed(
        (
            click.option(
                "--every", metavar="FREQUENCY", help="How often: once, 15m, hourly, 6h, daily, weekly or monthly."
            ),
            click.option(
                "--at",
                metavar="TIME",
                help="The time of day, such as 06:00; else counted from the end of the last run.",
            ),
            click.option("--zone", metavar="ZONE", help="The time zone, such as Europe/Berlin; else this computer's."),
            click.option("--on", metavar="DAYS", help="monday,thursday for a weekly job; 31 for a monthly one."),
            click.option("--quiet-from", metavar="TIME", help="Nothing starts from this time of day on …"),
            click.option("--quiet-hours", metavar="N", type=click.IntRange(1, 23), help="… for so many hours."),
        )
    ):
        with_options = option(with_options)
    return with_options
