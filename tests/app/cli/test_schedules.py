"""Schedules from the command line."""

from __future__ import annotations

import pytest

NEW = (
    "job",
    "create",
    "--type",
    "file-service-csv-import",
    "--name",
    "Members",
    "-o",
    "filename=a.csv",
    "-o",
    "stream=s",
)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--every", "daily", "--at", "06:00", "--zone", "Europe/Berlin"), "Every day at 06:00 (Europe/Berlin)"),
        (("--every", "6h"), "Every 6 hours"),
        (("--every", "15m"), "Every 15 minutes"),
        (
            ("--every", "weekly", "--at", "6am", "--on", "mon,thursday", "--zone", "UTC"),
            "Every Monday and Thursday at 06:00 (UTC)",
        ),
        (("--every", "monthly", "--at", "06:00", "--on", "1", "--zone", "UTC"), "Every month on day 1 at 06:00 (UTC)"),
        (
            ("--every", "hourly", "--zone", "UTC", "--quiet-from", "22:00", "--quiet-hours", "8"),
            "Every hour; quiet from 22:00 (UTC) for 8 hours",
        ),
    ],
)
def test_a_job_is_made_with_a_schedule_and_due_at_once(call, workspace, options, said) -> None:
    made = call(*NEW, *options, "--json").document["job"]
    assert (made["status"], made["schedule_text"]) == ("sleeping", said)
    assert made["next_run_at"] is not None
    shown = call("job", "schedule", "1", "--next", "3", "--json").document
    assert (shown["says"], len(shown["runs"])) == (said, 3)
    paused = call("job", "pause", "1", "--json").document["job"]
    assert (paused["status"], paused["reason"]) == ("paused", "Paused by you")
    assert call("job", "schedule", "1", "--every", "once", "--json").document["says"] == "Once"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--at", "06:00"), "--every is missing"),
        (("--every", "daily", "--at", "soon"), "no time of day"),
        (("--every", "daily", "--zone", "Berlin"), "no time zone"),
        (("--every", "weekly", "--at", "06:00"), "needs its days"),
        (("--every", "weekly", "--at", "06:00", "--on", "someday"), "no day of the week"),
        (("--every", "daily", "--at", "06:00", "--on", "monday"), "--on is for weekly"),
        (("--every", "hourly", "--quiet-from", "22:00"), "belong together"),
        (("--every", "sometimes"), "can't run “sometimes”"),
    ],
)
def test_what_makes_no_schedule_is_told(call, workspace, options, said) -> None:
    answer = call(*NEW, *options)
    assert answer.code != 0
    assert said in answer.err
    assert call("job", "list", "--json").document == {"jobs": []}
