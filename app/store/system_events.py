"""The tables of system events, and the triggers that write them.

A trigger writes its event in the very transaction that changes the row, whichever process that is: an event is there
if and only if what it tells of is, also after a crash. Statements of released migrations are never changed.
"""

from __future__ import annotations

TABLES = """
create table system_events (
    id integer primary key,
    at text not null,
    subject text not null,
    subject_id integer,
    event text not null,
    name text not null default '',
    message text not null default '',
    read_at text
);

create table alert_state (
    job_id integer primary key references jobs(id) on delete cascade,
    seen integer not null,
    sent_at text
) without rowid
"""

NOW = "strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'"
"""As app.clock writes it, with what SQLite knows of the second."""


def _trigger(name: str, on: str, when: str, subject: str, row: str, event: str, words: str, message: str) -> str:
    condition = f" when {when}" if when else ""
    return f"""create trigger {name} after {on} for each row{condition} begin
        insert into system_events (at, subject, subject_id, event, name, message)
        values ({NOW}, '{subject}', {row}, {event}, {words}, {message});
    end"""


TRIGGERS = (
    _trigger("job_created", "insert on jobs", "", "job", "new.id", "'created'", "new.name", "''"),
    _trigger(
        "job_updated",
        "update of name, description, options, schedule, authorization_id on jobs",
        """new.name <> old.name or new.description <> old.description or new.options <> old.options
            or new.schedule <> old.schedule or new.authorization_id is not old.authorization_id""",
        "job",
        "new.id",
        "'updated'",
        "new.name",
        "''",
    ),
    _trigger("job_deleted", "delete on jobs", "", "job", "old.id", "'deleted'", "old.name", "''"),
    _trigger(
        "job_resumed",
        "update of status on jobs",
        """old.status in ('paused', 'failed') and old.reason <> 'Not started yet'
            and new.status in ('running', 'sleeping')""",
        "job",
        "new.id",
        "'resumed'",
        "new.name",
        "''",
    ),
    # A run that failed is an error while its job will try again. What is deleted while it listens
    # did not fail.
    _trigger(
        "job_status",
        "update of status on jobs",
        """old.status not in (new.status, '') and (new.status in ('running', 'paused', 'completed')
            or new.status = 'failed' and new.errors > 0
            or new.status = 'sleeping' and (new.waits_for in ('provider', 'network') or new.errors > old.errors))""",
        "job",
        "new.id",
        """case when new.status = 'running' then 'started' when new.status = 'sleeping' and new.waits_for = 'retry'
            then 'error' else new.status end""",
        "new.name",
        "new.reason",
    ),
    _trigger(
        "run_completed",
        "update of status on runs",
        "new.status = 'completed' and old.status <> 'completed'",
        "job",
        "new.job_id",
        "'synced'",
        "coalesce((select name from jobs where id = new.job_id), '')",
        """new.read || ' read · ' || new.added || ' added · ' || new.updated || ' updated · '
            || new.rejected || ' rejected'""",
    ),
    _trigger(
        "authorization_health",
        "update of state on authorizations",
        # That a new one works is no news.
        "new.state <> old.state and (new.state = 'failing' or new.state = 'works' and old.checked_at is not null)",
        "authorization",
        "new.id",
        "case new.state when 'failing' then 'unhealthy' else 'healthy' end",
        "new.name",
        "case new.state when 'failing' then new.state_message else '' end",
    ),
    _trigger(
        "schema_published",
        "insert on schema_versions",
        "",
        "schema",
        "new.number",
        "'published'",
        "'version ' || new.number",
        "new.comment",
    ),
    # What happened while an alert was paused is not told later.
    """create trigger alert_resumed after update of status on jobs for each row
        when new.kind = 'alert' and old.status = 'paused' and new.status in ('running', 'sleeping') begin
        update alert_state set seen = (select coalesce(max(id), 0) from system_events) where job_id = new.id;
    end""",
)
