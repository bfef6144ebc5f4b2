"""The life of a job as one table: what may happen to it in each state, and the state that follows.

running     has a run under way, or one that waits for its turn
sleeping    waits until `wakes_at`: for its next run, after an error, for the provider, for the network
paused      stopped by a person; keeps its place
failed      gave up; needs a person
completed   done; runs only when somebody asks for it
deleted     gone

Nothing here reads a clock or a database: time, chance and schedule are handed in. Duplicating a job makes another one
and does not touch the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from app.errors import Refused
from app.jobs.model import JobStatus
from app.jobs.schedule import ONCE, Schedule, after_quiet, next_run

Place = JobStatus | Literal["deleted"]
What = Literal[
    "due",  # the moment it slept for has come
    "started",  # its turn has come: the run begins
    "synced",  # a unit of work succeeded
    "completed",  # the run did all there was to do
    "error",  # the run failed, and may succeed later
    "sleeping",  # the provider asks to wait
    "offline",  # the run failed as there is no network
    "unreached",  # the run failed as something is in the way: a missing VPN, a page that wants a sign-in
    "failed",  # the run failed, and will until a person mends something
    "interrupted",  # the run's process, or the whole program, ended unexpectedly
    "closed",  # the program was closed while it ran
    "stopped",  # the run ended as a person had asked it to
    "clock",  # the computer's clock was set, or it woke up
    "run now",
    "pause",
    "resume",
    "edited",
    "delete",
]
WaitsFor = Literal["", "schedule", "retry", "provider", "network"]

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
NETWORK_PAUSE = timedelta(minutes=5)
"""How long a job waits for the network at most before it tries, whatever the computer says of it."""
LONGEST_LOOK = timedelta(minutes=15)
"""How long a job waits at most before it tries again to reach a provider that something is in the way to."""
LONGEST_WAIT = timedelta(hours=24)
"""A provider that asks for more is asked again after this time."""
WARNED_BEFORE = timedelta(days=7)
NOT_STARTED, FIRST_RUN = "Not started yet", "Waits for its first run"
NO_NETWORK = "There is no network. It goes on when the network is back."


@dataclass(frozen=True, slots=True)
class JobState:
    """Where a job stands, and why: `reason` is a sentence for people.

    `wakes_at` is there while it sleeps, and while it is paused when there is a moment to go on at. `errors` came one
    after the other since `first_error_at`; without errors, that is since when something has been in the way to the
    provider. `warned_at` is when it was said that it will be removed.
    """

    status: Place
    reason: str
    changed_at: datetime
    wakes_at: datetime | None = None
    waits_for: WaitsFor = ""
    errors: int = 0
    first_error_at: datetime | None = None
    warned_at: datetime | None = None

    @property
    def is_offline(self) -> bool:
        """Whether it waits for any network at all, and not for one that leads to the provider."""
        return self.waits_for == "network" and self.reason == NO_NETWORK


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a job; `message` says it in words, `seconds` is the wait that a provider named."""

    what: What
    message: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What the next state depends on besides: the schedule, how long errors are borne, and `chance` from 0 to 1.

    `fail_after` is also how long a provider is looked for that something is in the way to.
    """

    schedule: Schedule = ONCE
    fail_after: timedelta = timedelta(hours=10)
    chance: Callable[[], float] = lambda: 0.5


def new_state(now: datetime) -> JobState:
    """A job that was just made, or is the copy of another."""
    return JobState("paused", NOT_STARTED, now)


def next_state(state: JobState, happened: Happening, now: datetime, rules: Rules) -> JobState:
    """Where a job stands after something happened. Raises Refused for an act that makes no sense in its state."""
    move = TABLE[state.status].get(happened.what)
    if move is None:
        sentence, advice = REFUSED.get((state.status, happened.what), (f"This job is {state.status}.", ""))
        raise Refused(sentence, advice=advice)
    return move.step(state, happened, now, rules)


Step = Callable[[JobState, Happening, datetime, Rules], JobState]


@dataclass(frozen=True, slots=True)
class Move:
    """A step out of a state and the places where it may lead."""

    step: Step
    to: tuple[Place, ...]


def _queue(state: JobState, _happened: Happening, now: datetime, _rules: Rules) -> JobState:
    first = state.first_error_at
    # Nobody was there to try, or nothing was to be tried: a computer that slept did not see ten hours of errors, and
    # neither did one that was offline, or was asked to wait.
    idle_since = state.changed_at if state.waits_for == "provider" or state.is_offline else state.wakes_at
    if first is not None and idle_since is not None and now > idle_since:
        first += now - idle_since
    return JobState("running", "Waits for its turn", now, errors=state.errors, first_error_at=first)


def _begin(state: JobState, _happened: Happening, _now: datetime, _rules: Rules) -> JobState:
    return replace(state, reason="")


def _succeed(state: JobState, _happened: Happening, _now: datetime, _rules: Rules) -> JobState:
    return replace(state, errors=0, first_error_at=None)


def _complete(state: JobState, happened: Happening, now: datetime, rules: Rules) -> JobState:
    wakes_at = next_run(rules.schedule, now)
    if wakes_at is None:
        return JobState("completed", happened.message or "Done", now)
    if state.status == "paused":
        return JobState("paused", state.reason, now, wakes_at, "schedule")
    said = f"; the last one: {happened.message}" if happened.message else ""
    return JobState("sleeping", f"Waits for its next run{said}", now, wakes_at, "schedule")


def _err(state: JobState, happened: Happening, now: datetime, rules: Rules) -> JobState:
    # A provider that was reached at last has made no errors before.
    first = state.first_error_at if state.errors and state.first_error_at is not None else now
    errors = state.errors + 1
    message = happened.message or "The run failed."
    if now - first >= rules.fail_after:
        hours = rules.fail_after / timedelta(hours=1)
        reason = f"{message} There were nothing but errors for {hours:g} hours."
        return JobState("failed", reason, now, errors=errors, first_error_at=first)
    pause = min(FIRST_PAUSE * 2 ** min(errors - 1, 10), LONGEST_PAUSE) * (0.9 + 0.2 * rules.chance())
    said = "It is tried again by itself" + (f"; this was error {errors} in a row." if errors > 1 else ".")
    wakes_at = after_quiet(rules.schedule, now + pause)
    return JobState("sleeping", f"{message} {said}", now, wakes_at, "retry", errors, first)


def _wait(state: JobState, happened: Happening, now: datetime, rules: Rules) -> JobState:
    pause = min(timedelta(seconds=max(happened.seconds or 0.0, 1.0)), LONGEST_WAIT)
    return replace(
        state,
        status="sleeping",
        reason=happened.message or "The provider asks to wait.",
        changed_at=now,
        wakes_at=after_quiet(rules.schedule, now + pause),
        waits_for="provider",
    )


def _go_offline(state: JobState, _happened: Happening, now: datetime, rules: Rules) -> JobState:
    wakes_at = after_quiet(rules.schedule, now + NETWORK_PAUSE)
    return replace(state, status="sleeping", reason=NO_NETWORK, changed_at=now, wakes_at=wakes_at, waits_for="network")


def _miss(state: JobState, happened: Happening, now: datetime, rules: Rules) -> JobState:
    """Wait for another network, though not for ever: behind a name with a slip of the pen there never is one."""
    since = state.first_error_at if not state.errors and state.first_error_at is not None else now
    message = happened.message or "The provider is not reached."
    if now - since >= rules.fail_after:
        hours = rules.fail_after / timedelta(hours=1)
        reason = f"{message} It was looked for in vain for {hours:g} hours."
        return JobState("failed", reason, now, errors=1, first_error_at=since)
    # As long as it was in vain so far: after 1, 2, 4, 8 minutes, and then every quarter of an hour.
    pause = min(max(now - since, FIRST_PAUSE), LONGEST_LOOK) * (0.9 + 0.1 * rules.chance())
    reason = f"{message} It is looked for again by itself, and as soon as this computer is in another network."
    wakes_at = after_quiet(rules.schedule, now + pause)
    return JobState("sleeping", reason, now, wakes_at, "network", first_error_at=since)


def _fail(state: JobState, happened: Happening, now: datetime, _rules: Rules) -> JobState:
    return JobState(
        "failed",
        happened.message or "The run failed.",
        now,
        errors=state.errors + 1,
        first_error_at=state.first_error_at or now,
    )


def _close(state: JobState, happened: Happening, now: datetime, rules: Rules) -> JobState:
    reason = happened.message or "Causeway was closed while it ran."
    wakes_at = after_quiet(rules.schedule, now)
    return replace(state, status="sleeping", reason=reason, changed_at=now, wakes_at=wakes_at, waits_for="retry")


def _pause(state: JobState, happened: Happening, now: datetime, _rules: Rules) -> JobState:
    waits = state.waits_for in ("schedule", "provider")
    return replace(
        state,
        status="paused",
        reason=happened.message or "Paused by you",
        changed_at=now,
        wakes_at=state.wakes_at if waits else None,
        waits_for=state.waits_for if waits else "",
    )


def _resume(state: JobState, _happened: Happening, now: datetime, rules: Rules) -> JobState:
    if state.wakes_at is not None and state.wakes_at > now:
        kept = JobState("sleeping", "Waits for its next run", now, state.wakes_at, state.waits_for)
        return _bring_forward(kept, now, rules)
    reason = FIRST_RUN if state.reason == NOT_STARTED else "Resumed by you"
    return JobState("sleeping", reason, now, after_quiet(rules.schedule, now), "retry")


def _edit(state: JobState, _happened: Happening, now: datetime, rules: Rules) -> JobState:
    wakes_at = next_run(rules.schedule, now)
    scheduled = JobState("sleeping", "Waits for its next run", now, wakes_at, "schedule")
    match state.status:
        case "sleeping" if state.waits_for in ("retry", "network"):
            # What was edited may be what was wrong.
            return replace(state, changed_at=now, wakes_at=after_quiet(rules.schedule, now))
        case "sleeping" if state.waits_for == "schedule":
            return scheduled if wakes_at is not None else JobState("completed", "No further runs are planned", now)
        case "completed" if wakes_at is not None:
            return scheduled
        case "paused" if state.waits_for == "schedule":
            kept = replace(state, changed_at=now, wakes_at=wakes_at, warned_at=None)
            return kept if wakes_at is not None else replace(kept, waits_for="")
    state = replace(state, changed_at=now, warned_at=None)
    return _bring_forward(state, now, rules) if state.status == "sleeping" else state


def _set_clock(state: JobState, _happened: Happening, now: datetime, rules: Rules) -> JobState:
    """A clock that was put back must not let a job sleep for as long as it had been ahead."""
    first, warned = state.first_error_at, state.warned_at
    state = replace(
        state,
        changed_at=min(state.changed_at, now),
        first_error_at=None if first is None else min(first, now),
        warned_at=None if warned is not None and warned > now else warned,
    )
    return _bring_forward(state, now, rules) if state.wakes_at is not None else state


def _bring_forward(state: JobState, now: datetime, rules: Rules) -> JobState:
    """No later than a job that begins to wait now would wake."""
    limits = {"retry": LONGEST_PAUSE, "provider": LONGEST_WAIT, "network": LONGEST_LOOK}
    limit = limits.get(state.waits_for)
    latest = next_run(rules.schedule, now) if limit is None else after_quiet(rules.schedule, now + limit)
    earliest = min(moment for moment in (state.wakes_at, latest) if moment is not None)
    return replace(state, wakes_at=after_quiet(rules.schedule, earliest))


def _delete(state: JobState, _happened: Happening, now: datetime, _rules: Rules) -> JobState:
    return JobState("deleted", "Deleted", now)


def _stay(state: JobState, _happened: Happening, _now: datetime, _rules: Rules) -> JobState:
    return state


def _stay_paused(state: JobState, happened: Happening, now: datetime, _rules: Rules) -> JobState:
    return replace(state, reason=happened.message or state.reason, changed_at=now, warned_at=None)


def _late(status: JobStatus) -> dict[What, Move]:
    """What may still come from a run that was under way when a person decided otherwise: it changes no state."""
    steps: dict[What, Step] = {
        "started": _stay,
        "synced": _succeed,
        "completed": _stay,
        "error": _stay,
        "sleeping": _stay,
        "offline": _stay,
        "unreached": _stay,
        "failed": _stay,
        "interrupted": _stay,
        "closed": _stay,
        "stopped": _stay,
        "clock": _set_clock,
    }
    return {what: Move(step, (status,)) for what, step in steps.items()}


TABLE: Mapping[Place, Mapping[What, Move]] = {
    "running": {
        "started": Move(_begin, ("running",)),
        "synced": Move(_succeed, ("running",)),
        "completed": Move(_complete, ("completed", "sleeping")),
        "error": Move(_err, ("sleeping", "failed")),
        "sleeping": Move(_wait, ("sleeping",)),
        "offline": Move(_go_offline, ("sleeping",)),
        "unreached": Move(_miss, ("sleeping", "failed")),
        "failed": Move(_fail, ("failed",)),
        "interrupted": Move(_err, ("sleeping", "failed")),
        "closed": Move(_close, ("sleeping",)),
        "stopped": Move(_pause, ("paused",)),
        "clock": Move(_set_clock, ("running",)),
        "pause": Move(_pause, ("paused",)),
        "edited": Move(_edit, ("running",)),
    },
    "sleeping": {
        **_late("sleeping"),
        # Paused and resumed while its run was at its end.
        "completed": Move(_complete, ("completed", "sleeping")),
        "due": Move(_queue, ("running",)),
        "run now": Move(_queue, ("running",)),
        "pause": Move(_pause, ("paused",)),
        "edited": Move(_edit, ("sleeping", "completed")),
        "delete": Move(_delete, ("deleted",)),
    },
    "paused": {
        **_late("paused"),
        "completed": Move(_complete, ("completed", "paused")),
        "stopped": Move(_stay_paused, ("paused",)),
        "run now": Move(_queue, ("running",)),
        "resume": Move(_resume, ("sleeping",)),
        "edited": Move(_edit, ("paused",)),
        "delete": Move(_delete, ("deleted",)),
    },
    "failed": {
        **_late("failed"),
        "run now": Move(_queue, ("running",)),
        "resume": Move(_resume, ("sleeping",)),
        "edited": Move(_edit, ("failed",)),
        "delete": Move(_delete, ("deleted",)),
    },
    "completed": {
        **_late("completed"),
        "run now": Move(_queue, ("running",)),
        "edited": Move(_edit, ("completed", "sleeping")),
        "delete": Move(_delete, ("deleted",)),
    },
    "deleted": {},
}
"""Every state, what may happen in it, and where that may lead; what is not here is refused."""

REFUSED: Mapping[tuple[Place, What], tuple[str, str]] = {
    ("running", "run now"): ("This job is running already.", "Wait for it to end, or stop it first."),
    ("running", "due"): ("This job is running already.", ""),
    ("running", "resume"): ("This job is running already.", ""),
    ("running", "delete"): ("The job is running; nothing was changed.", "Stop it first."),
    ("sleeping", "resume"): ("This job is not paused.", "Run it now if it should not wait for its next run."),
    ("paused", "pause"): ("This job is paused already.", ""),
    ("failed", "pause"): ("This job has failed and does nothing.", "Resume it, or delete it."),
    ("completed", "pause"): ("This job is completed and does nothing.", ""),
    ("completed", "resume"): ("This job is completed.", "Run it again, or give it a schedule."),
}


def removal(state: JobState, keep: timedelta) -> datetime | None:
    """When a job that does nothing any more is removed, None for one that is alive: never sooner than it was warned."""
    if state.status not in ("paused", "failed", "completed"):
        return None
    at = state.changed_at + keep
    return at if state.warned_at is None else max(at, state.warned_at + WARNED_BEFORE)


def is_to_be_warned(state: JobState, now: datetime, keep: timedelta) -> bool:
    """Whether it is time to say that the job will be removed."""
    at = removal(state, keep)
    return at is not None and state.warned_at is None and now >= at - WARNED_BEFORE


def is_to_be_removed(state: JobState, now: datetime, keep: timedelta) -> bool:
    """Whether its time is over, and the warning stood for a week: a clock that jumps ahead removes nothing."""
    at = removal(state, keep)
    return at is not None and state.warned_at is not None and now >= at
