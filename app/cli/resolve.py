"""Finding the job or authorization that a person means by its number or name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import NotFound, Refused

if TYPE_CHECKING:
    from app.authorizations import AuthorizationInfo
    from app.engine import Engine
    from app.jobs import JobInfo


def job_named(engine: Engine, text: str) -> JobInfo:
    """The job with this number or, else, this name. Raises NotFound and Refused."""
    from app.jobs import get_job, list_jobs

    if is_number(text):
        return get_job(engine, int(text))
    found = [job for job in list_jobs(engine) if job.name == text]
    if not found:
        raise NotFound(
            f"There is no job “{text}” in this workspace.", advice="`causeway job list` shows those there are."
        )
    if len(found) > 1:
        numbers = ", ".join(str(job.id) for job in found)
        raise Refused(f"Several jobs are called “{text}”.", advice=f"Use the number of one of them: {numbers}.")
    return found[0]


def authorization_named(engine: Engine, text: str) -> AuthorizationInfo:
    """The authorization with this number or, else, this name. Raises NotFound and Refused."""
    from app.authorizations import list_authorizations

    known = list_authorizations(engine)
    found = [entry for entry in known if entry.name == text]
    if not found and is_number(text):
        found = [entry for entry in known if entry.id == int(text)]
    if not found:
        raise NotFound(
            f"There is no authorization “{text}” in this workspace.",
            advice="`causeway auth list` shows those there are.",
        )
    if len(found) > 1:
        numbers = ", ".join(str(entry.id) for entry in found)
        raise Refused(f"Several authorizations are called “{text}”.", advice=f"Use the number of one: {numbers}.")
    return found[0]


def is_number(text: str) -> bool:
    """Whether it can be the number of something."""
    return text.isascii() and text.isdigit() and len(text) < 19
