"""The options of alert jobs that the engine reads: which events are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.alerts.events import types_of
from app.catalog import JobType
from app.errors import Refused

if TYPE_CHECKING:
    from app.engine import Engine

SUBJECTS = {"work": "job", "auth": "authorization", "query": "schema"}
"""The values of `system_event_single_source`, and the subject of system events that each means."""
SUBJECT_WORDS = {"job": "jobs", "authorization": "authorizations", "schema": "the schema", "": "that"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an alert tells: these types of events of one subject; of all of its things where no `ids` are named.

    `quota` events a month, and the shares in percent that are told; 0 for an alert that is about something else.
    """

    subject: str
    types: tuple[str, ...]
    ids: tuple[int, ...] = ()
    quota: int = 0
    shares: tuple[int, ...] = ()


def wanted_of(job_type: JobType, options: Mapping[str, Any], job_id: int = 0) -> Wanted:
    """What the alert `job_id` tells; an option that is not set has its default. Refused: it tells nothing."""
    chosen = {option.name: option.default for option in job_type.options} | dict(options)
    if "monthly_events" in chosen:
        quota, shares = _number(chosen["monthly_events"]), _numbers(chosen.get("quota_alert_thresholds"))
        if quota < 1:
            raise Refused("“Events a month” must be 1 or more.", advice="Enter how many there may be.")
        if not shares:
            raise Refused("No share is chosen at which to tell.", advice="Choose one or more thresholds.")
        return Wanted("quota", ("reached",), (job_id,), quota, shares)
    subject = SUBJECTS.get(str(chosen.get("system_event_single_source")), "")
    known = types_of(subject)
    types = tuple(event for event in chosen.get("system_event_multiple_types") or () if event in known)
    if not types:
        raise Refused(
            f"None of the chosen event types happens to {SUBJECT_WORDS[subject]}.",
            advice=f"Choose some of: {', '.join(known)}." if known else "Choose another subject.",
        )
    return Wanted(subject, types, _numbers(chosen.get("system_event_single_source_ids")))


def types_for(source: str) -> tuple[str, ...]:
    """The event types that the option `system_event_multiple_types` can have with this `system_event_single_source`."""
    return types_of(SUBJECTS.get(source, ""))


def objects_of(engine: Engine, source: str) -> list[tuple[str, str]]:
    """(name, number) of everything that an alert about "work" or "auth" can be limited to, by name."""
    table = {"work": "jobs", "auth": "authorizations"}.get(source)
    if table is None:
        return []
    with engine.workspace.database.read() as connection:
        rows = connection.execute(f"select name, id from {table} order by name collate nocase, id").fetchall()
    return [(row["name"], str(row["id"])) for row in rows]


def _numbers(values: Sequence[Any] | None) -> tuple[int, ...]:
    return tuple(_number(value) for value in values or ())


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Refused(f"“{value}” is no number.", advice="Correct it.") from None
