"""Does a schedule lose or double a run in 10,000 days, whatever the zone, the errors and the closed lids?

    python tests/benchmarks/schedules.py [DAYS]

A fake clock lives through the days with each frequency in each zone. Runs take their time; some fail, some meet a
limit, and now and then the computer sleeps for up to three days or its clock is put back. For each job with a time of
day, every date that the zone's calendar has must then have its run: at its time, or at the computer's next waking, then
once. Jobs that count from the end of their last run must never wait for longer than their interval.
"""

from __future__ import annotations

import sys
import time as timer
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

from app.jobs.lifecycle import Happening, Rules, What, new_state, next_state
from app.jobs.schedule import Quiet, Schedule, after_quiet, moment_of

ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Gaza",
)
BEGIN = datetime(2006, 1, 1, 12, tzinfo=UTC)
TIMES = (time(0), time(2, 30), time(6), time(23, 45))
NIGHT = Quiet(time(22), "Europe/Berlin", 9)


def schedules() -> Iterator[Schedule]:
    """Every frequency in every zone, at times where clocks change and at others, with and without quiet hours."""
    for quiet in (None, NIGHT):
        yield Schedule("15 minutes", quiet=quiet)
        yield Schedule("hourly", quiet=quiet)
        yield Schedule("hours", hours=6, quiet=quiet)
        for zone in ZONES:
            for at in TIMES:
                yield Schedule("daily", at=at, zone=zone, quiet=quiet)
                yield Schedule("weekly", at=at, zone=zone, days=(0, 5, 6), quiet=quiet)
                yield Schedule("monthly", at=at, zone=zone, day=31, quiet=quiet)


def wanted(schedule: Schedule, begin: datetime, end: datetime) -> list[datetime]:
    """The moments at which runs fall due, found by walking through the calendar day by day."""
    zone = ZoneInfo(schedule.zone)
    day, last = begin.astimezone(zone).date() - timedelta(days=2), end.astimezone(zone).date()
    found = set()
    while day <= last:
        if _is_chosen(schedule, day):
            assert schedule.at is not None
            found.add(after_quiet(schedule, moment_of(day, schedule.at, zone)))
        day += timedelta(days=1)
    return sorted(moment for moment in found if begin < moment <= end)


def _is_chosen(schedule: Schedule, day: date) -> bool:
    if schedule.every == "weekly":
        return day.weekday() in schedule.days
    if schedule.every == "monthly":
        return (day + timedelta(days=1)).day == 1
    return True


class Life:
    """One job, and a computer that is not always awake."""

    def __init__(self, schedule: Schedule, seed: int) -> None:
        self.random = Random(seed)
        self.rules = Rules(schedule, chance=self.random.random)
        self.now = BEGIN
        self.state = new_state(BEGIN)
        self.begun: list[datetime] = []
        """When runs that were due by the schedule began."""
        self.away: list[tuple[datetime, datetime]] = []
        """When it ran, was about to try again, or the computer slept."""
        self.happened: Counter[str] = Counter()

    def happen(self, what: What, seconds: float | None = None) -> None:
        self.happened[what] += 1
        self.state = next_state(self.state, Happening(what, seconds=seconds), self.now, self.rules)

    def live(self, end: datetime, *, undisturbed: bool) -> None:
        """Run once by hand, then whenever the job wakes, until the end."""
        self.happen("run now")
        since = self.now
        while True:
            self.run(undisturbed)
            if self.state.status != "sleeping" or self.state.wakes_at is None:
                raise AssertionError(f"{self.rules.schedule} is {self.state}")
            wakes_at, waits_for = self.state.wakes_at, self.state.waits_for
            if waits_for == "schedule":
                self.away.append((since, self.now))
            if wakes_at > end:
                return
            self.now = max(self.now, wakes_at)
            if not undisturbed and self.random.random() < 0.02:
                lid = timedelta(hours=self.random.uniform(0, 72))
                self.away.append((self.now, self.now + lid))
                self.now += lid
                self.happen("clock")
            if waits_for == "schedule":
                self.begun.append(self.now)
                since = self.now
            self.happen("due")

    def run(self, undisturbed: bool) -> None:
        self.happen("started")
        self.now += timedelta(seconds=self.random.uniform(0.1, 300))
        chance = 1.0 if undisturbed else self.random.random()
        if chance < 0.02:
            self.happen("error")
        elif chance < 0.03:
            self.happen("interrupted")
        elif chance < 0.04:
            self.happen("sleeping", seconds=self.random.uniform(1, 600))
        elif chance < 0.05:
            self.happen("offline")
        elif chance < 0.06:
            self.happen("unreached")
        else:
            self.happen("completed")


def check(life: Life, end: datetime, *, undisturbed: bool) -> int:
    """How many runs were checked. Raises AssertionError with the job and the moment of a run lost or doubled."""
    schedule, begun = life.rules.schedule, life.begun
    if schedule.at is None:
        if undisturbed and schedule.quiet is None:
            hours = {"15 minutes": 0.25, "hourly": 1.0}.get(schedule.every, float(schedule.hours))
            longest = max(later - earlier for earlier, later in pairwise(begun))
            assert longest <= timedelta(hours=hours, seconds=300), f"{schedule} waited for {longest}"
        return len(begun)
    due = wanted(schedule, BEGIN + timedelta(seconds=300), end)
    if undisturbed:
        assert begun == due, f"{schedule}: {sorted(set(begun) ^ set(due))[:3]}"
        return len(due)
    away = sorted(life.away)
    position = 0
    for earlier, later in pairwise([BEGIN, *begun]):
        fallen = []
        while position < len(due) and due[position] <= later:
            fallen.append(due[position])
            position += 1
        assert fallen, f"{schedule} ran at {later} with nothing due since {earlier}"
        lost = [moment for moment in fallen if not _covers(away, moment)]
        assert len(lost) <= 1, f"{schedule} did not run at {lost[0]}"
    return len(begun)


def _covers(spans: list[tuple[datetime, datetime]], moment: datetime) -> bool:
    """Whether a moment is in one of a few spans; two of them overlap at most."""
    at = bisect_right(spans, (moment, moment))
    return any(begin <= moment <= end for begin, end in spans[max(0, at - 3) : at + 1])


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    end = BEGIN + timedelta(days=days)
    began = timer.perf_counter()
    runs, jobs, happened = 0, 0, Counter[str]()
    for number, schedule in enumerate(schedules()):
        for undisturbed in (True, False):
            life = Life(schedule, number)
            life.live(end, undisturbed=undisturbed)
            runs += check(life, end, undisturbed=undisturbed)
            happened += life.happened
            jobs += 1
    seconds = timer.perf_counter() - began
    print(f"{jobs} jobs lived through {days:,} days: {runs:,} runs by schedule, none lost, none doubled")
    print(", ".join(f"{count:,} {what}" for what, count in happened.most_common()))
    print(f"{seconds:.0f} s")


if __name__ == "__main__":
    main()
