"""The life of a job: its table, and that no sequence of acts, errors, crashes and clocks leaves it or loses a run."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.errors import Refused
from app.jobs.lifecycle import (
    LONGEST_LOOK,
    LONGEST_PAUSE,
    LONGEST_WAIT,
    NETWORK_PAUSE,
    REFUSED,
    TABLE,
    Happening,
    JobState,
    Place,
    Rules,
    What,
    is_to_be_removed,
    is_to_be_warned,
    new_state,
    next_state,
    removal,
)
from app.jobs.schedule import ONCE, Quiet, Schedule, after_quiet, next_run

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
DAILY = Schedule("daily", at=time(6), zone="Europe/Berlin")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KEEP = timedelta(days=90)


def lived(*happened: What | Happening, schedule: Schedule = ONCE, now: datetime = NOW) -> JobState:
    """A job to which this happened, one after the other at the same moment."""
    state = new_state(now)
    for what in happened:
        happening = what if isinstance(what, Happening) else Happening(what)
        state = next_state(state, happening, now, Rules(schedule))
    return state


def test_the_table_knows_every_state_and_each_act_that_is_refused_has_a_sentence() -> None:
    assert set(TABLE) == set(get_args(get_args(Place)[0])) | {"deleted"}
    assert {what for moves in TABLE.values() for what in moves} == set(get_args(What))
    assert not any(what in TABLE[status] for status, what in REFUSED)
    acts: tuple[What, ...] = ("run now", "pause", "resume", "edited", "delete")
    for status in TABLE.keys() - {"deleted"}:
        assert all(what in TABLE[status] or (status, what) in REFUSED for what in acts)
    assert all(
        what in TABLE[status] for status in TABLE.keys() - {"deleted"} for what in TABLE["running"] if what not in acts
    )


def test_errors_pause_longer_each_time_up_to_an_hour_until_ten_hours_are_over() -> None:
    state, now = lived("run now", "started"), NOW
    pauses = []
    while state.status != "failed":
        state = next_state(state, Happening("error", "The server is away."), now, Rules())
        if state.wakes_at is not None:
            pauses.append(state.wakes_at - now)
            now = state.wakes_at
            state = next_state(state, Happening("due"), now, Rules())
    assert pauses[:8] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 16 * MINUTE, 32 * MINUTE, HOUR, HOUR]
    assert state.reason == "The server is away. There were nothing but errors for 10 hours."
    assert timedelta(hours=10) <= now - NOW < timedelta(hours=11)
    state = next_state(state, Happening("resume"), now, Rules())
    assert (state.status, state.wakes_at, state.errors) == ("sleeping", now, 0)


def test_time_in_which_nobody_could_try_is_no_time_of_errors() -> None:
    state = lived("run now", Happening("error", "Away."))
    late = NOW + timedelta(hours=12)
    state = next_state(state, Happening("due"), late, Rules())
    state = next_state(state, Happening("error", "Away."), late, Rules())
    assert (state.status, state.errors) == ("sleeping", 2)
    assert state.reason == "Away. It is tried again by itself; this was error 2 in a row."


def test_what_is_in_the_way_is_no_error_but_is_not_waited_for_for_ever() -> None:
    state, now = lived("run now", "started"), NOW
    rules = Rules(chance=lambda: 1.0)
    missed = Happening("unreached", "sftp.example can't be found.")
    pauses = []
    while state.status != "failed":
        state = next_state(state, missed, now, rules)
        if state.wakes_at is not None:
            assert (state.status, state.waits_for, state.errors) == ("sleeping", "network", 0)
            pauses.append(state.wakes_at - now)
            now = state.wakes_at
            state = next_state(state, Happening("due"), now, rules)
    assert pauses[:6] == [MINUTE, MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, LONGEST_LOOK]
    assert timedelta(hours=10) <= now - NOW <= timedelta(hours=10) + LONGEST_LOOK
    assert state.reason == "sftp.example can't be found. It was looked for in vain for 10 hours."


def test_looking_in_vain_and_errors_each_begin_anew_after_the_other() -> None:
    state, now = lived("run now"), NOW
    for what, errors in (("unreached", 0), ("error", 1), ("error", 2), ("unreached", 0), ("error", 1)):
        for _ in range(9):
            state = next_state(state, Happening(what), now, Rules())  # type: ignore[arg-type]
            assert state.status == "sleeping"
            assert state.wakes_at is not None
            now = max(now + HOUR, state.wakes_at) if what == "unreached" else state.wakes_at
            state = next_state(state, Happening("due"), state.wakes_at, Rules())
            if what == "error":
                break
        assert state.errors == errors


@pytest.mark.parametrize(
    "idle", [Happening("offline"), Happening("sleeping", "Limit reached.", seconds=86_400)], ids=["offline", "asked"]
)
@pytest.mark.parametrize("trouble", ["error", "unreached"])
def test_time_without_a_network_and_time_that_was_asked_for_are_not_counted(idle: Happening, trouble: What) -> None:
    rules = Rules(chance=lambda: 1.0)
    state, now = next_state(lived("run now"), Happening(trouble), NOW, rules), NOW + 2 * MINUTE
    state = next_state(state, Happening("due"), now, rules)
    tried = now - (state.first_error_at or now)
    for _ in range(200 if idle.what == "offline" else 1):
        state = next_state(state, idle, now, Rules())
        assert state.wakes_at is not None
        now = state.wakes_at
        state = next_state(state, Happening("due"), now, Rules())
    assert now - NOW > timedelta(hours=15)
    state = next_state(state, Happening(trouble), now, Rules())
    assert (state.status, state.first_error_at) == ("sleeping", now - tried)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 54), (0.5, 60), (1.0, 66)])
def test_pauses_differ_by_chance(chance: float, seconds: int) -> None:
    state = next_state(lived("run now"), Happening("error"), NOW, Rules(chance=lambda: chance))
    assert state.wakes_at == NOW + timedelta(seconds=seconds)


def test_success_ends_a_row_of_errors() -> None:
    assert lived("run now", "error", "due", "synced", "error").errors == 1
    assert lived("run now", "error", "due", "completed", schedule=DAILY).first_error_at is None


def test_a_provider_that_asks_to_wait_is_no_error() -> None:
    state = lived("run now", Happening("sleeping", "Limit reached.", seconds=38))
    assert (state.status, state.waits_for, state.errors) == ("sleeping", "provider", 0)
    assert (state.wakes_at, state.reason) == (NOW + timedelta(seconds=38), "Limit reached.")
    state = lived("run now", Happening("sleeping", seconds=1e9))
    assert state.wakes_at == NOW + LONGEST_WAIT


@pytest.mark.parametrize(
    ("happened", "status", "waits_for", "wakes_at"),
    [
        (("run now", "started", "completed"), "sleeping", "schedule", next_run(DAILY, NOW)),
        (("run now", "pause", "completed"), "paused", "schedule", next_run(DAILY, NOW)),
        (("run now", "pause", "stopped", "resume"), "sleeping", "retry", NOW),
        (("run now", "completed", "pause", "resume"), "sleeping", "schedule", next_run(DAILY, NOW)),
        (("run now", "closed"), "sleeping", "retry", NOW),
        (("run now", "offline"), "sleeping", "network", NOW + NETWORK_PAUSE),
        (("run now", "unreached"), "sleeping", "network", NOW + 0.95 * MINUTE),
        (("run now", "unreached", "edited"), "sleeping", "network", NOW),
        (("run now", "interrupted"), "sleeping", "retry", NOW + MINUTE),
        (("run now", "error", "edited"), "sleeping", "retry", NOW),
        (("run now", "failed", "edited"), "failed", "", None),
        (("run now", "stopped"), "paused", "", None),
        (("run now", "failed", "run now", "completed"), "sleeping", "schedule", next_run(DAILY, NOW)),
    ],
)
def test_a_job_that_runs_daily(
    happened: tuple[What, ...], status: str, waits_for: str, wakes_at: datetime | None
) -> None:
    state = lived(*happened, schedule=DAILY)
    assert (state.status, state.waits_for, state.wakes_at) == (status, waits_for, wakes_at)
    assert state.reason


def test_a_job_that_runs_once_is_completed_also_when_somebody_paused_and_resumed_at_its_end() -> None:
    for happened in (
        ("run now", "completed"),
        ("run now", "pause", "completed"),
        ("run now", "pause", "resume", "completed"),
    ):
        assert lived(*happened).status == "completed"  # type: ignore[arg-type]


def test_a_schedule_that_is_taken_away_or_given() -> None:
    sleeping = lived("run now", "completed", schedule=DAILY)
    assert next_state(sleeping, Happening("edited"), NOW, Rules()).status == "completed"
    completed = lived("run now", "completed")
    assert next_state(completed, Happening("edited"), NOW, Rules(DAILY)).wakes_at == next_run(DAILY, NOW)


def test_a_clock_that_was_put_back_lets_no_job_sleep_for_years() -> None:
    wrong = datetime(2038, 1, 1, tzinfo=UTC)
    for what in ("completed", "error", "offline", "unreached", "sleeping"):
        state = lived("run now", Happening(what), schedule=DAILY, now=wrong)
        state = next_state(state, Happening("clock"), NOW, Rules(DAILY))
        assert state.wakes_at is not None
        assert state.wakes_at <= NOW + DAY
        assert state.first_error_at is None or state.first_error_at == NOW
    paused = lived("run now", "completed", "pause", schedule=DAILY, now=wrong)
    assert next_state(paused, Happening("resume"), NOW, Rules(DAILY)).wakes_at == next_run(DAILY, NOW)


def test_a_job_that_does_nothing_is_removed_after_ninety_days_and_a_week_of_warning() -> None:
    state = lived("run now", "completed")
    assert removal(state, KEEP) == NOW + KEEP
    assert not is_to_be_warned(state, NOW + 82 * DAY, KEEP)
    assert is_to_be_warned(state, NOW + 83 * DAY, KEEP)
    # A computer that was off for a year warns first, too.
    late = NOW + 365 * DAY
    assert not is_to_be_removed(state, late, KEEP)
    warned = JobState(state.status, state.reason, state.changed_at, warned_at=late)
    assert not is_to_be_warned(warned, late + DAY, KEEP)
    assert not is_to_be_removed(warned, late + 6 * DAY, KEEP)
    assert is_to_be_removed(warned, late + 7 * DAY, KEEP)
    # A clock that had jumped ahead when it warned has warned nobody.
    assert next_state(warned, Happening("clock"), NOW, Rules()).warned_at is None
    assert removal(lived("run now"), KEEP) is None


SCHEDULES = (
    ONCE,
    DAILY,
    Schedule("15 minutes"),
    Schedule("monthly", at=time(2, 30), zone="America/New_York", day=31, quiet=Quiet(time(1), "UTC", 6)),
)


class Life(RuleBasedStateMachine):
    """A job with a run that may be under way, whatever people and the world do to it."""

    @initialize(schedule=st.sampled_from(SCHEDULES))
    def begin(self, schedule: Schedule) -> None:
        self.now = NOW
        self.schedule = schedule
        self.state = new_state(NOW)
        self.under_way = False
        """A run that began and did not end, as its supervisor knows of."""
        self.owed = False
        """Whether a run was asked for, by a person or the schedule, that was not finished."""

    def happen(self, what: What, **more: Any) -> bool:
        before = self.state
        rules = Rules(self.schedule, chance=lambda: 0.0)
        if (before.status, what) in REFUSED:
            with pytest.raises(Refused, match="job"):
                next_state(before, Happening(what), self.now, rules)
            return False
        self.state = next_state(before, Happening(what, f"It was {what}.", **more), self.now, rules)
        assert self.state.status in TABLE[before.status][what].to
        return True

    @rule(what=st.sampled_from(("run now", "pause", "resume")))
    def act(self, what: What) -> None:
        # A run that is still ending can't be followed by another one.
        if (what != "run now" or not self.under_way) and self.happen(what) and what == "run now":
            self.under_way = True
            self.owed = True

    @rule(schedule=st.sampled_from(SCHEDULES))
    def edit(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.happen("edited")

    @precondition(lambda self: self.under_way)
    @rule(what=st.sampled_from(("started", "synced")))
    def go_on(self, what: What) -> None:
        assert self.happen(what)

    @precondition(lambda self: self.under_way)
    @rule(
        what=st.sampled_from(
            ("completed", "error", "offline", "unreached", "failed", "interrupted", "closed", "stopped")
        )
    )
    def end(self, what: What) -> None:
        assert self.happen(what)
        self.under_way = False
        if what == "completed":
            self.owed = False

    @precondition(lambda self: self.under_way)
    @rule(seconds=st.floats(-10, 1e7))
    def wait(self, seconds: float) -> None:
        assert self.happen("sleeping", seconds=seconds)
        self.under_way = False

    @rule(hours=st.floats(0, 2_000))
    def pass_time(self, hours: float) -> None:
        """What the supervisor does from time to time, also after the computer slept."""
        self.now += timedelta(hours=hours)
        self.happen("clock")
        wakes_at = self.state.wakes_at
        if self.state.status == "sleeping" and wakes_at is not None and wakes_at <= self.now and not self.under_way:
            assert self.happen("due")
            self.under_way = True
            self.owed = True

    @rule(hours=st.floats(0, 20_000))
    def put_clock_back(self, hours: float) -> None:
        self.now -= timedelta(hours=hours)
        self.happen("clock")

    @precondition(lambda self: not self.under_way and self.state.status != "deleted")
    @rule()
    def delete(self) -> None:
        assert self.happen("delete")
        self.begin(self.schedule)

    @invariant()
    def is_in_the_table(self) -> None:
        state = self.state
        assert state.status in TABLE
        # Without errors, something may have been in the way since then.
        assert state.first_error_at is not None or not state.errors
        assert state.first_error_at is None or state.first_error_at <= self.now
        if state.status == "running":
            assert self.under_way
            assert state.wakes_at is None
        else:
            assert state.reason

    @invariant()
    def loses_no_run(self) -> None:
        state = self.state
        if state.status == "sleeping":
            assert state.wakes_at is not None
            if state.waits_for == "schedule":
                latest = next_run(self.schedule, self.now)
                assert latest is not None
                assert state.wakes_at <= latest
            else:
                limits = {"retry": LONGEST_PAUSE, "network": LONGEST_LOOK, "provider": LONGEST_WAIT}
                assert state.wakes_at <= after_quiet(self.schedule, self.now + limits[state.waits_for])
        if state.status == "completed":
            assert not self.schedule.again
            assert not self.owed
        if state.status == "failed":
            assert state.errors


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
