"""The folders of a workspace that belong to one job."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.engine import Engine


def scratch_folder(engine: Engine, job_id: int) -> Path:
    """What a run fetches or prepares: there until it is complete."""
    return engine.workspace.folder / "downloads" / f"job-{job_id}"


def keep_folder(engine: Engine, job_id: int) -> Path:
    """What a job remembers from run to run: there as long as the job is."""
    return engine.workspace.folder / "kept" / f"job-{job_id}"


def remove_folders(engine: Engine, job_id: int) -> None:
    """Remove both, as far as they are there."""
    for folder in (scratch_folder(engine, job_id), keep_folder(engine, job_id)):
        shutil.rmtree(folder, ignore_errors=True)
