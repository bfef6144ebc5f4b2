"""The tables of a workspace file, as forward-only migrations. `user_version` counts those that were applied."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.clock import now_text
from app.errors import NewerWorkspace
from app.store import system_events
from app.store.database import open_connection, translated

if TYPE_CHECKING:
    from sqlite_utils import Database as SqliteUtilsDatabase


def newest_version() -> int:
    """How many migrations this program knows."""
    return len(MIGRATIONS)


def current_version(path: Path) -> int:
    """How many migrations were applied to the file; 0 for a new one. Raises NewerWorkspace."""
    with translated(path):
        connection = sqlite3.connect(path)
        try:
            version = int(connection.execute("pragma user_version").fetchone()[0])
        finally:
            connection.close()
    if version > newest_version():
        raise NewerWorkspace(
            f"The workspace {path.parent} was last used by a newer version of Causeway.",
            advice="Install the newest version of Causeway to open it. Nothing was changed.",
            details=f"The file has version {version}, this program knows {newest_version()}.",
        )
    return version


def migrate(path: Path) -> None:
    """Apply what is missing, each migration in a transaction of its own. Raises NewerWorkspace."""
    if current_version(path) == newest_version():
        return
    # Imported here because a start on an up-to-date workspace does not need it and should not pay for it.
    from sqlite_utils import Database as SqliteUtilsDatabase
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("causeway")
    for number, function in enumerate(MIGRATIONS, start=1):
        migrations(name=function.__name__)(_counted(function, number))
    with translated(path):
        connection = open_connection(path)
        try:
            migrations.apply(SqliteUtilsDatabase(connection))
        finally:
            connection.close()


def _counted(function: Callable[[SqliteUtilsDatabase], None], number: int) -> Callable[[SqliteUtilsDatabase], None]:
    def apply(db: SqliteUtilsDatabase) -> None:
        function(db)
        db.execute(f"pragma user_version = {number}")

    return apply


def m0001_workspace(db: SqliteUtilsDatabase) -> None:
    """Every table of the first release.

    Times are UTC text of fixed width (app.clock), except event times and value origins: microseconds since
    1970. In `profiles`, columns that begin with an underscore are the program's; each other column is a field.
    """
    _execute_all(db, FIRST_TABLES)


def m0002_schema_and_identity(db: SqliteUtilsDatabase) -> None:
    """A schema with versions and unpublished changes; ranks, conflicts and the trace of joined people; erasure."""
    _execute_all(db, SCHEMA_AND_IDENTITY)
    fields = [
        {
            "name": row[0],
            "label": row[1],
            "type": row[2],
            "merge": row[3],
            "is_identifier": bool(row[4]),
            "rank": row[5],
        }
        for row in db.execute("select name, label, type, merge, is_identifier, rank from fields order by id")
    ]
    if not fields:
        return
    mappings = [
        {"key": row[0], "stream": row[1], "field": row[2], "expression": row[3], "condition": row[4]}
        for row in db.execute(
            """select key, streams.name, fields.name, expression, condition from mappings
            join streams on streams.id = stream_id join fields on fields.id = field_id order by mappings.id"""
        )
    ]
    document = json.dumps({"fields": fields, "mappings": mappings, "shared_limit": 50})
    db.execute(
        "insert into schema_versions (number, at, by, comment, document) values (1, ?, '', ?, ?)",
        (now_text(), "What the imports so far made", document),
    )


def m0003_life_of_jobs(db: SqliteUtilsDatabase) -> None:
    """When jobs run, what they wait for, and how often they failed in a row (app.jobs.lifecycle); why runs began.

    What happens is kept as system events, and alerts remember what they have sent. Runs say what they asked for, whom
    they removed or left out; old lines of logs are let go.
    """
    _execute_all(db, LIFE_OF_JOBS)
    _execute_all(db, system_events.TABLES)
    for trigger in system_events.TRIGGERS:
        db.execute(trigger)


def m0004_files(db: SqliteUtilsDatabase) -> None:
    """Which files a job has read and written, and transfers that are kept to be made again."""
    _execute_all(db, FILES)


def _execute_all(db: SqliteUtilsDatabase, statements: str) -> None:
    for statement in statements.split(";"):
        if statement.strip():
            db.execute(statement)


FIRST_TABLES = """
create table workspace_info (key text primary key, value text not null) without rowid;
create table settings (name text primary key, value text not null) without rowid;

create table authorizations (
    id integer primary key,
    name text not null,
    provider text not null,
    method text not null,
    settings text not null default '{}',
    secret_names text not null default '[]',
    state text not null default 'untested',
    state_since text,
    state_message text not null default '',
    checked_at text,
    last_used_at text,
    created_at text not null
);

create table jobs (
    id integer primary key,
    name text not null,
    description text not null default '',
    provider text not null,
    job_type text not null,
    kind text not null,
    authorization_id integer references authorizations(id),
    options text not null default '{}',
    status text not null,
    reason text not null default '',
    created_by text not null,
    created_at text not null,
    updated_at text not null
);
create index jobs_by_authorization on jobs(authorization_id);

create table runs (
    id integer primary key,
    job_id integer not null references jobs(id) on delete cascade,
    continues integer references runs(id) on delete set null,
    trigger text not null,
    status text not null,
    message text not null default '',
    started_at text not null,
    ended_at text,
    cursor text,
    first_event_at integer not null,
    events_before integer not null default 0,
    read integer not null default 0,
    added integer not null default 0,
    updated integer not null default 0,
    rejected integer not null default 0
);
create index runs_by_job on runs(job_id, id);
create index runs_by_continued on runs(continues);

create table job_events (
    id integer primary key,
    job_id integer not null references jobs(id) on delete cascade,
    run_id integer references runs(id) on delete cascade,
    at text not null,
    event text not null,
    level text not null,
    message text not null,
    rows integer
);
create index job_events_by_job on job_events(job_id, id);
create index job_events_by_run on job_events(run_id);

create table activity (
    job_id integer not null references jobs(id) on delete cascade,
    hour text not null,
    added integer not null default 0,
    updated integer not null default 0,
    rejected integer not null default 0,
    primary key (job_id, hour)
) without rowid;

create table rejected_rows (
    id integer primary key,
    run_id integer not null references runs(id) on delete cascade,
    line integer not null,
    reason text not null,
    text text not null
);
create index rejected_rows_by_run on rejected_rows(run_id, id);

create table streams (
    id integer primary key,
    name text not null unique,
    created_at text not null,
    event_count integer not null default 0,
    last_event_at integer
);

create table stream_fields (
    stream_id integer not null references streams(id) on delete cascade,
    name text not null,
    type text not null,
    samples text not null default '[]',
    seen integer not null default 0,
    first_seen integer,
    last_seen integer,
    primary key (stream_id, name)
) without rowid;

create table events (
    id integer primary key,
    stream_id integer not null,
    run_id integer not null,
    at integer not null,
    data text not null
);
create index events_by_stream on events(stream_id, id);

create table fields (
    id integer primary key,
    name text not null unique collate nocase,
    label text not null default '',
    type text not null,
    merge text not null default 'latest',
    is_identifier integer not null default 0,
    created_at text not null
);

create table mappings (
    id integer primary key,
    stream_id integer not null references streams(id) on delete cascade,
    field_id integer not null references fields(id) on delete cascade,
    expression text not null,
    condition text not null default '',
    unique (stream_id, field_id, expression)
);
create index mappings_by_field on mappings(field_id);

create table profiles (
    _id integer primary key,
    _created text not null,
    _updated text not null,
    _origin_at integer not null,
    _origin_event integer not null,
    _origins text
);

create table identifiers (
    field_id integer not null,
    value text not null,
    profile_id integer not null,
    primary key (field_id, value)
) without rowid;
create index identifiers_by_profile on identifiers(profile_id);

create table profile_events (
    profile_id integer not null,
    event_id integer not null,
    primary key (profile_id, event_id)
) without rowid
"""

SCHEMA_AND_IDENTITY = """
alter table fields add column description text not null default '';
alter table fields add column rank integer;
alter table fields add column capacity integer;
alter table fields add column keep_days integer;
alter table fields add column managed_by text not null default '';
alter table fields add column edited integer not null default 0;
update fields set merge = '',
    rank = (select count(*) from fields as other where other.is_identifier and other.id <= fields.id)
    where is_identifier;

create table mappings_with_keys (
    id integer primary key,
    key text not null unique,
    stream_id integer not null references streams(id) on delete cascade,
    field_id integer not null references fields(id) on delete cascade,
    expression text not null,
    condition text not null default '',
    managed_by text not null default '',
    edited integer not null default 0,
    unique (stream_id, field_id, expression, condition)
);
insert into mappings_with_keys (id, key, stream_id, field_id, expression, condition)
    select id, 'm_' || lower(hex(randomblob(6))), stream_id, field_id, expression, condition from mappings;
drop table mappings;
alter table mappings_with_keys rename to mappings;
create index mappings_by_field on mappings(field_id);

create table schema_versions (
    number integer primary key,
    at text not null,
    by text not null,
    comment text not null,
    document text not null
);
create table schema_draft (
    subject text primary key,
    after text,
    origin text not null,
    at text not null
) without rowid;
create table schema_offers (
    id integer primary key,
    provider text not null,
    subject text not null,
    after text not null,
    at text not null,
    state text not null default 'open'
);

alter table stream_fields add column shape text not null default '{}';

drop index events_by_stream;
create index events_by_stream_time on events(stream_id, at);
alter table runs add column first_event integer;
alter table runs add column last_event integer;

alter table profiles add column _state text;
alter table identifiers add column event_id integer;

create table joins (
    id integer primary key,
    event_id integer not null,
    kept integer not null,
    gone integer not null,
    field_id integer not null,
    value text not null
);
create index joins_by_person on joins(kept);
create table conflicts (
    event_id integer not null,
    profile_id integer not null,
    field_id integer not null,
    value text not null,
    primary key (profile_id, event_id, field_id, value)
) without rowid;
create index conflicts_by_value on conflicts(field_id, value);
create table shared_values (
    field_id integer not null,
    value text not null,
    others integer not null,
    other_field_id integer not null,
    event_id integer not null,
    primary key (field_id, value)
) without rowid;

create table words (profile_id integer primary key, words text not null);
create virtual table word_index using fts5(
    words, content = 'words', content_rowid = 'profile_id',
    tokenize = 'ascii', detail = none, columnsize = 0, prefix = '1 2 3 4 5 6'
);
create table unindexed (profile_id integer primary key);
insert into unindexed select _id from profiles;

create table rebuild (
    id integer primary key check (id = 1),
    undone text not null,
    schema_version integer not null,
    last_event integer not null,
    done integer not null,
    settled integer,
    forgotten text not null default '{}',
    started_at text not null
);

create table erased (digest blob primary key, at integer not null) without rowid;
create table written_files (
    path text primary key,
    kind text not null,
    at text not null,
    size integer not null,
    sha256 text not null,
    about text not null default '[]'
) without rowid
"""

LIFE_OF_JOBS = """
alter table jobs add column schedule text not null default '{}';
alter table jobs add column wakes_at text;
alter table jobs add column waits_for text not null default '';
alter table jobs add column errors integer not null default 0;
alter table jobs add column first_error_at text;
alter table jobs add column changed_at text not null default '';
alter table jobs add column warned_at text;
update jobs set
    errors = status = 'failed',
    first_error_at = case when status = 'failed' then updated_at end,
    changed_at = max(
        updated_at,
        coalesce((select max(coalesce(ended_at, started_at)) from runs where job_id = jobs.id), '')
    );
alter table runs add column reason text not null default '';

alter table jobs add column lines_dropped_at text;
alter table runs add column retries integer references runs(id) on delete set null;
create index runs_by_retried on runs(retries);
create index rejected_rows_by_line on rejected_rows(run_id, line);
alter table runs add column removed integer not null default 0;
alter table runs add column omitted integer not null default 0;
alter table activity add column removed integer not null default 0;
alter table activity add column omitted integer not null default 0;
create table run_requests (
    id integer primary key,
    run_id integer not null references runs(id) on delete cascade,
    at text not null,
    request text not null
);
create index run_requests_by_run on run_requests(run_id, id);
create table alert_requests (
    id integer primary key,
    job_id integer not null references jobs(id) on delete cascade,
    at text not null,
    request text not null
);
create index alert_requests_by_job on alert_requests(job_id, id)
"""

FILES = """
create table imported_files (
    job_id integer not null references jobs(id) on delete cascade,
    path text not null,
    size integer not null,
    modified text,
    tag text not null,
    sha256 text not null,
    run_id integer references runs(id) on delete set null,
    at text not null,
    primary key (job_id, path)
) without rowid;
create index imported_files_by_run on imported_files(run_id);
create table exported_files (
    id integer primary key,
    job_id integer not null references jobs(id) on delete cascade,
    run_id integer references runs(id) on delete set null,
    place text not null,
    path text not null,
    size integer not null,
    sha256 text not null,
    rows integer not null,
    at text not null
);
create index exported_files_by_job on exported_files(job_id, id);
create index exported_files_by_run on exported_files(run_id);
create table transfers (
    id integer primary key,
    name text not null unique,
    document text not null,
    at text not null,
    used_at text,
    outcome text not null default ''
)
"""

MIGRATIONS: tuple[Callable[[SqliteUtilsDatabase], None], ...] = (
    m0001_workspace,
    m0002_schema_and_identity,
    m0003_life_of_jobs,
    m0004_files,
)
