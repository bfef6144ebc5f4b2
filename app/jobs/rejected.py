"""Rejected rows, read once more where they were: after the configuration was mended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app.errors import NotFound, Refused
from app.jobs.queries import get_job, job_runs, rejected_count

if TYPE_CHECKING:
    from app.engine import Engine


def run_to_retry(engine: Engine, job_id: int, run_id: int | None = None) -> int:
    """The run whose rejected rows can be read again: the one named, else the newest that has some.

    Raises NotFound, and Refused where there is none or where it makes no sense now.
    """
    job = get_job(engine, job_id)
    if not engine.catalog.job_type(job.job_type).rereads:
        raise Refused(f"{job.type_name} can't read rejected rows again.", advice="Run the job again instead.")
    runs = job_runs(engine, job_id)
    chosen = run_id
    if chosen is None:
        with engine.workspace.database.read() as connection:
            chosen = connection.execute(
                "select max(run_id) from rejected_rows where run_id in (select id from runs where job_id = ?)",
                (job_id,),
            ).fetchone()[0]
    if chosen is not None and chosen not in [run.id for run in runs]:
        raise NotFound(f"{job.name} has no run {chosen}.", advice="Choose one of its own runs.")
    if chosen is None or not rejected_count(engine, job_id, run_id=chosen):
        raise Refused(f"No rejected row of “{job.name}” is left.")
    newest = next((run for run in runs if run.retries is None), None)
    if newest is not None and newest.status not in ("completed", "undone"):
        raise Refused(
            f"The last run of “{job.name}” did not complete.",
            advice="Run the job to its end first; then its rejected rows can be read again.",
        )
    return chosen


async def retry_rejected(engine: Engine, job_id: int, run_id: int | None = None) -> int:
    """Begin a run that reads only rejected rows again; its number. Rows that it can take leave the list.

    Raises NotFound and Refused.
    """
    engine.require_charge()
    if engine.supervisor is None:
        raise Refused("Causeway is still starting.", advice="Try again in a moment.")
    chosen = await asyncio.to_thread(run_to_retry, engine, job_id, run_id)
    return await engine.supervisor.run(job_id, "rejected rows", f"Rejected rows of run {chosen}", retries=chosen)
