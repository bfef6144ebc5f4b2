"""What providers' exports are tried with: a workspace with people, and an SFTP account on a real server."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from app.clock import now_text
from app.engine import Engine
from app.jobs.exporting import ExportOrder
from app.jobs.worker import Reporter
from app.profiles.ingest import Ingest, Target
from app.profiles.search_index import index_everybody
from app.schema.model import FieldDefinition, MappingDefinition, make_schema
from app.schema.tables import put_in_force, read_schema
from app.store.database import open_connection, transaction
from app.streams.seen import ensure_stream
from app.workspace import create_workspace
from connectors.kit.types import Batch, Credentials, ExportFunction

if TYPE_CHECKING:
    from peers.s3 import S3
    from peers.sshd import Sshd

STARTED = datetime(2026, 1, 31, 23, 5, 9, tzinfo=UTC)
FIELDS = (
    FieldDefinition("email", label="E-mail", merge="", is_identifier=True, rank=1),
    FieldDefinition("name", label="Name"),
    FieldDefinition("tags", label="Tags", type="[]string", merge="merge"),
    FieldDefinition("visits", label="Visits", type="int", merge="sum"),
    FieldDefinition("member_id", label="Number", merge="", is_identifier=True, rank=2),
)
MAPPINGS = {
    "email": "`email`", "name": "`name`", "tags": "set(`tags`)", "visits": "toint(`visits`)", "member_id": "`id`",
}  # fmt: skip
PEOPLE: list[dict[str, Any]] = [
    {"email": "ann@x.example", "name": 'Ann "A", Ångström', "tags": ["vip", "a&b"], "visits": "3", "id": "M1"},
    {"email": "bob@x.example", "name": "=1+1|x\ty", "id": "M2"},
    {"name": "Eve Holm", "id": "M3", "tags": ["vip"], "visits": "0"},
]
"""A quote, a comma and a letter of its own; a formula, a pipe and a tab; somebody without an email address."""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Engine]:
    """Three people who came in the stream `crm`, the job 7 called “Daily export”, and its run."""
    create_workspace(tmp_path / "workspace", "Agency").close()
    engine = Engine.open(tmp_path / "workspace")
    with engine.workspace.database.write() as connection:
        connection.execute(
            """insert into jobs (id, name, provider, job_type, kind, options, status, created_by, created_at,
                updated_at, changed_at)
            values (7, 'Daily export', 'file-service', 'file-service-sftp-csv-export', 'export', '{}', 'running', '',
                ?, ?, ?)""",
            (now_text(),) * 3,
        )
        connection.execute(
            """insert into runs (id, job_id, trigger, status, started_at, first_event_at)
            values (1, 7, 'by hand', 'running', ?, 0)""",
            (now_text(),),
        )
        stream = ensure_stream(connection, "crm", now_text())
        mappings = [MappingDefinition(f"m_{name}", "crm", name, text) for name, text in MAPPINGS.items()]
        schema = make_schema(FIELDS, mappings, 50)
        put_in_force(connection, read_schema(connection), schema, comment="test", by="", origins={})
    with closing(open_connection(engine.workspace.database.path)) as connection:
        ingest = Ingest(connection, Target(1, 7, stream, "crm", {}), 0)
        ingest.write(Batch([dict(one) for one in PEOPLE], {}, times=[1_000_000, 2_000_000, 3_000_000]))
        with transaction(connection):
            connection.execute("update runs set read = 0, added = 0, cursor = null")
    index_everybody(engine, lambda *_: None)
    yield engine
    engine.close()


@dataclass(frozen=True)
class Exports:
    """Runs the export functions of providers as a worker does, as the run 1 of the job 7."""

    engine: Engine
    scratch: Path

    def __call__(
        self, function: ExportFunction, credentials: Credentials, options: Mapping[str, Any], *,
        cursor: Any = None, previous: Any = None, started: datetime = STARTED,
    ) -> list[str]:  # fmt: skip
        """The paths of the files that arrived, in their order."""
        database = self.engine.workspace.database
        order = ExportOrder(
            database=database.path, job_id=7, run_id=1, job_name="Daily export", function=function,
            credentials=credentials, options=options, cursor=cursor, previous=previous, scratch=self.scratch,
            started=started,
        )  # fmt: skip
        here, there = multiprocessing.Pipe()
        with closing(open_connection(database.path)) as connection, closing(here), closing(there):
            before = connection.execute("select count(*) from exported_files").fetchone()[0]
            # Reports are few, but a pipe that nobody reads is full some day.
            threading.Thread(target=_read_out, args=(here,), daemon=True).start()
            order.carry_out(connection, Reporter(there, threading.Event()))
            rows = connection.execute("select path from exported_files order by id limit -1 offset ?", (before,))
            return [row[0] for row in rows]

    def cursor(self) -> Any:
        """What the run saved last."""
        with self.engine.workspace.database.read() as connection:
            saved = connection.execute("select cursor from runs where id = 1").fetchone()[0]
        return None if saved is None else orjson.loads(saved)


def _read_out(pipe: Any) -> None:
    try:
        while True:
            pipe.recv()
    except (EOFError, OSError):
        return


@pytest.fixture
def export(workspace: Engine, tmp_path: Path) -> Exports:
    """Runs an export of a provider on that workspace."""
    return Exports(workspace, tmp_path / "scratch")


@pytest.fixture
def sftp_account(sshd: Sshd) -> Callable[..., Credentials]:
    """Makes the credentials of an authorization that signs in to the server with a key; more settings by name."""

    def make(method: str, **settings: str) -> Credentials:
        usual = {
            "host": sshd.host, "port": str(sshd.port), "user": sshd.user, "folder": str(sshd.files),
            "host_key": sshd.host_key,
        }  # fmt: skip
        return Credentials(method, usual | settings, {"privatekey": sshd.private_key})

    return make


@pytest.fixture
def s3_account(s3: S3) -> Callable[[str], Credentials]:
    """Makes the credentials of an authorization for the server that speaks S3."""
    from peers.s3 import ACCESS_KEY, SECRET_KEY

    def make(method: str) -> Credentials:
        return Credentials(method, {"access_key": ACCESS_KEY, "api_address": s3.address}, {"secret_key": SECRET_KEY})

    return make
