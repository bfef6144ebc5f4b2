"""The notifications of the window: events worth a look, read or not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.alerts.events import COLUMNS, SystemEvent, newest_event
from app.changes import Change
from app.clock import now_text

if TYPE_CHECKING:
    from app.engine import Engine

NOTABLE = """(subject, event) in (values ('job', 'failed'), ('job', 'completed'), ('authorization', 'unhealthy'),
    ('authorization', 'healthy'), ('schema', 'published'), ('quota', 'reached'))"""
"""What starts and stops all day is in the logs of the jobs."""
POPPING = {
    "notify_failed": (("job", "failed"), ("quota", "reached")),
    "notify_completed": (("job", "completed"),),
    "notify_authorizations": (("authorization", "unhealthy"), ("authorization", "healthy")),
}
"""The settings of desktop notifications, and the events that each is about."""


@dataclass(frozen=True, slots=True)
class Notification:
    """An event in the list of notifications."""

    event: SystemEvent
    read: bool


def list_notifications(engine: Engine, limit: int = 200) -> list[Notification]:
    """The newest first."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            f"select {COLUMNS}, read_at is not null from system_events where {NOTABLE} order by id desc limit ?",
            (limit,),
        ).fetchall()
    return [Notification(SystemEvent(*row[:-1]), bool(row[-1])) for row in rows]


def unread_notifications(engine: Engine) -> int:
    """How many were not read yet."""
    with engine.workspace.database.read() as connection:
        found = connection.execute(f"select count(*) from system_events where {NOTABLE} and read_at is null").fetchone()
    return int(found[0])


def mark_read(engine: Engine, ids: Collection[int] | None = None, *, read: bool = True) -> None:
    """Mark notifications as read, or unread; all of them without `ids`."""
    engine.require_charge()
    at = now_text() if read else None
    with engine.workspace.database.write() as connection:
        if ids is None:
            connection.execute("update system_events set read_at = ? where (read_at is null) = ?", (at, read))
        else:
            connection.executemany("update system_events set read_at = ? where id = ?", [(at, one) for one in ids])
    engine.changes.announce(Change("notifications"))


class Popping:
    """Which events the desktop is to show: those that are new since it was made, of the kinds that are switched on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.workspace.database.read() as connection:
            self._seen = newest_event(connection)

    def new(self) -> list[SystemEvent]:
        """What is new since it was asked last, the oldest first."""
        setting = self._engine.workspace.setting
        kinds = [kind for name, kinds in POPPING.items() if setting(name) for kind in kinds]
        with self._engine.workspace.database.read() as connection:
            rows = connection.execute(
                f"select {COLUMNS} from system_events where id > ? and {NOTABLE} order by id", (self._seen,)
            ).fetchall()
        events = [SystemEvent(*row) for row in rows]
        self._seen = max((event.id for event in events), default=self._seen)
        return [event for event in events if (event.subject, event.event) in kinds]
