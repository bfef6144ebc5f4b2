"""An engine on a workspace of its own, CSV files for it to import, and people who arrive without a worker process."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.authorizations import add_authorization
from app.clock import now_text
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.profiles.ingest import ChunkResult, Ingest, Target
from app.schema.model import FieldDefinition, MappingDefinition, make_schema
from app.schema.tables import put_in_force, read_schema
from app.store.database import open_connection, transaction
from app.streams.seen import ensure_stream
from app.workspace import create_workspace
from connectors.kit.types import Batch, Rejected

MakeJob = Callable[..., int]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine in charge of a new workspace, its supervisor not started."""
    create_workspace(tmp_path / "workspace", "Test").close()
    opened = Engine.open(tmp_path / "workspace")
    yield opened
    opened.close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder for files to import."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def write_csv(files: Path) -> Callable[[str, Sequence[Sequence[Any]]], Path]:
    """Writes rows to a file of the folder."""

    def write(name: str, rows: Sequence[Sequence[Any]]) -> Path:
        target = files / name
        with target.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        return target

    return write


@pytest.fixture
def import_job(engine: Engine, files: Path) -> MakeJob:
    """Makes a job that imports a file of the folder."""
    authorizations: list[int] = []

    def make(filename: str, **options: Any) -> int:
        if not authorizations:
            authorizations.append(add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)}))
        chosen = {"filename": filename, "stream": "people", **options}
        return create_job(engine, JobDraft(f"Import {filename}", "file-service-csv-import", authorizations[0], chosen))

    return make


DAY = 86_400_000_000
"""In microseconds, as event times are counted."""

FIELDS = (
    FieldDefinition("email", label="Email", merge="", is_identifier=True, rank=1),
    FieldDefinition("phone", label="Phone", merge="", is_identifier=True, rank=2),
    FieldDefinition("cookie", label="Browser", type="[]string", merge="", is_identifier=True, rank=3),
    FieldDefinition("name", label="Full name"),
    FieldDefinition("friend", label="Friend"),
    FieldDefinition("tags", label="Tags", type="[]string", merge="merge"),
    FieldDefinition("visits", label="Visits", type="int", merge="sum"),
)
MAPPINGS = {
    "email": "email(`E-Mail`)",
    "phone": 'replace(`Phone`, " ", "")',
    "cookie": "set(`cookie`)",
    "name": "`name`",
    "friend": "`friend`",
    "tags": "set(`tag`)",
    "visits": "toint(`visits`)",
}


@dataclass
class Arrivals:
    """Records arrive in the stream "shop", in a run of their own, by a job "Shop import"."""

    engine: Engine

    def __post_init__(self) -> None:
        with self.engine.workspace.database.write() as connection:
            connection.execute(
                """insert into jobs (id, name, provider, job_type, kind, options, status, created_by, created_at,
                    updated_at, changed_at)
                values (1, 'Shop import', 'file-service', 'file-service-csv-import', 'import',
                    '{"filename": "shop.csv"}', 'completed', '', ?, ?, ?)""",
                (now_text(),) * 3,
            )
            self.stream = ensure_stream(connection, "shop", now_text())
            mappings = [MappingDefinition(f"m_{name}", "shop", name, text) for name, text in MAPPINGS.items()]
            put_in_force(
                connection,
                read_schema(connection),
                make_schema(FIELDS, mappings, 50),
                comment="test",
                by="",
                origins={},
            )

    def __call__(self, *records: dict[str, Any], at: int = 1, rejected: Sequence[str] = ()) -> ChunkResult:
        """Each record a day after the one before, the first on day `at`."""
        connection = open_connection(self.engine.workspace.database.path)
        try:
            with transaction(connection):
                run = connection.execute(
                    """insert into runs (job_id, trigger, status, started_at, first_event_at)
                    values (1, 'by hand', 'running', ?, 0)""",
                    (now_text(),),
                ).lastrowid
            assert run is not None
            ingest = Ingest(connection, Target(run, 1, self.stream, "shop", {}), 0)
            refused = [Rejected(line, "too many fields", text) for line, text in enumerate(rejected, start=2)]
            times = [(at + place) * DAY for place in range(len(records))]
            return ingest.write(Batch(list(records), {}, times=times, rejected=refused))
        finally:
            connection.close()


@pytest.fixture
def arrive(engine: Engine) -> Callable[..., ChunkResult]:
    """Brings records into the workspace."""
    return Arrivals(engine)


@pytest.fixture
def new_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], tuple[Engine, Arrivals]]]:
    """Makes an engine on a workspace of its own, with what brings records into it, for each example of a test."""
    opened: list[Engine] = []

    def make() -> tuple[Engine, Arrivals]:
        while opened:
            opened.pop().close()
        folder = tmp_path_factory.mktemp("example") / "workspace"
        create_workspace(folder, "Example").close()
        opened.append(Engine.open(folder))
        return opened[0], Arrivals(opened[0])

    yield make
    while opened:
        opened.pop().close()
