"""An engine on a workspace of its own, and CSV files for it to import."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.authorizations import add_authorization
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.workspace import create_workspace

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
