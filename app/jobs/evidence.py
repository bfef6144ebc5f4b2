"""The evidence of a job or of one run: a zip file with what it was told to do, what it did, and with what program.

It is what a consultant hands over with the invoice. No secret of any authorization is in it.
"""

from __future__ import annotations

import csv
import io
import platform
import sqlite3
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app import __version__
from app.authorizations import get_authorization
from app.clock import now_text
from app.errors import NotFound
from app.jobs.blanking import Blanker
from app.jobs.evidence_page import Evidence, page
from app.jobs.model import JobInfo, LogLine, RejectedInfo, RunInfo
from app.jobs.queries import RUN_COLUMNS, get_job, job_files
from app.profiles.written import remember_written
from app.schema.model import schema_document
from app.schema.tables import read_schema, version_number
from app.store import newest_version
from app.whole_file import whole_file

if TYPE_CHECKING:
    from app.engine import Engine

LOG_HEADER = ("at", "run", "event", "level", "rows", "message")
FILES_HEADER = ("run", "at", "what", "place", "path", "size", "sha256", "rows")
REJECTED_HEADER = ("run", "line", "reason", "row")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many runs, log lines, rejected rows and requests it tells of."""

    runs: int
    lines: int
    rejected: int
    requests: int


def write_evidence(engine: Engine, job_id: int, target: Path, *, run_id: int | None = None) -> Written:
    """Write the evidence of a job, or of one of its runs, as it is at one moment.

    Raises NotFound, Refused, DiskFull; VaultLocked and VaultMissing, since unknown secrets can't be blanked.
    """
    blanker = Blanker.of(engine)
    job = get_job(engine, job_id)
    with engine.workspace.database.read() as connection, whole_file(target) as part:
        connection.execute("begin")
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                written = _Pack(engine, connection, archive, blanker, job, run_id).write()
        finally:
            connection.execute("rollback")
    remember_written(engine, target, "evidence")
    return written


class _Pack:
    """The files of one zip, each written as it is read."""

    def __init__(
        self,
        engine: Engine,
        connection: sqlite3.Connection,
        archive: zipfile.ZipFile,
        blanker: Blanker,
        job: JobInfo,
        run_id: int | None,
    ) -> None:
        self._engine, self._connection, self._archive, self._job = engine, connection, archive, job
        self._blanker, self._run_id = blanker, run_id
        self._of_runs = "run_id = ?" if run_id is not None else "run_id in (select id from runs where job_id = ?)"
        self._number = (job.id if run_id is None else run_id,)

    def write(self) -> Written:
        """Everything; raises NotFound for a run that is not the job's."""
        runs = self._runs()
        configuration, versions = self._configuration(), self._versions()
        self._json("configuration.json", configuration)
        self._json("schema.json", schema_document(read_schema(self._connection)))
        self._json("versions.json", versions)
        self._json("runs.json", [asdict(run) for run in runs])
        lines = self._csv("log.csv", LOG_HEADER, self._log())
        rejected = self._csv("rejected-rows.csv", REJECTED_HEADER, self._rejected())
        requests = self._request_log()
        self._csv("files.csv", FILES_HEADER, self._files())
        written = Written(len(runs), lines, rejected, requests)
        evidence = Evidence(
            workspace=self._engine.workspace.name,
            job=self._job,
            run_id=self._run_id,
            written_at=now_text(),
            runs=runs,
            configuration=configuration,
            versions=versions,
            lines=lines,
            rejected=rejected,
            requests=self._first_requests(),
            warnings=self._warnings(),
            reasons=self._reasons(),
        )
        self._text("summary.html", page(evidence, self._blanker.blank))
        return written

    # what is in it

    def _runs(self) -> list[RunInfo]:
        rows = self._connection.execute(
            f"select {RUN_COLUMNS} from runs where job_id = ? and (? is null or id = ?) order by id",
            (self._job.id, self._run_id, self._run_id),
        ).fetchall()
        if self._run_id is not None and not rows:
            raise NotFound(
                f"{self._job.name} has no run {self._run_id}.",
                advice=f"`causeway job runs {self._job.id}` shows those there are.",
            )
        return [RunInfo(*row) for row in rows]

    def _configuration(self) -> dict[str, Any]:
        """The job as it is set up now, and its authorization without secrets."""
        job = self._job
        authorization: dict[str, Any] | None = None
        if job.authorization_id is not None:
            info = get_authorization(self._engine, job.authorization_id)
            authorization = {
                "name": info.name,
                "method": info.method,
                "settings": info.settings,
                "secrets": list(info.secret_names),
            }
        names = ("id", "name", "description", "provider", "job_type", "created_by", "created_at", "updated_at")
        return {name: getattr(job, name) for name in names} | {
            "status": job.status,
            "reason": job.reason,
            "schedule": job.schedule,
            "options": job.options,
            "authorization": authorization,
        }

    def _versions(self) -> dict[str, Any]:
        libraries = {entry.metadata["Name"]: entry.version for entry in distributions()}
        return {
            "causeway": __version__,
            "workspace_file": newest_version(),
            "schema": version_number(self._connection),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
            "frozen": bool(getattr(sys, "frozen", False)),
            "libraries": dict(sorted(libraries.items(), key=lambda entry: str(entry[0]).casefold())),
        }

    def _log_rows(self, more: str = "", limit: int = -1) -> Iterator[LogLine]:
        of_one = "run_id = ?" if self._run_id is not None else "job_id = ?"
        rows = self._connection.execute(
            f"""select id, run_id, at, event, level, message, rows from job_events where {of_one} {more}
            order by id limit ?""",
            (*self._number, limit),
        )
        return (LogLine(*row) for row in rows)

    def _log(self) -> Iterator[tuple[Any, ...]]:
        for line in self._log_rows():
            yield line.at, line.run_id, line.event, line.level, line.rows, line.message

    def _warnings(self) -> list[LogLine]:
        return list(self._log_rows("and level <> 'info'", 100))

    def _rejected(self) -> Iterator[tuple[Any, ...]]:
        rows = self._connection.execute(
            f"select run_id, line, reason, text from rejected_rows where {self._of_runs} order by run_id, id",
            self._number,
        )
        for row in rows:
            entry = RejectedInfo(*row)
            yield entry.run_id, entry.line, entry.reason, entry.text

    def _files(self) -> Iterator[tuple[Any, ...]]:
        """What was read and written, newest first."""
        for file in job_files(self._connection, self._job.id, self._run_id):
            what = "sent" if file.sent else "read"
            yield file.run_id, file.at, what, file.place, file.path, file.size, file.sha256, file.rows

    def _reasons(self) -> list[tuple[str, int]]:
        """Why rows were rejected, the most frequent reason first."""
        rows = self._connection.execute(
            f"""select reason, count(*) as many from rejected_rows where {self._of_runs}
            group by reason order by many desc, reason limit 20""",
            self._number,
        )
        return [(reason, count) for reason, count in rows]

    def _requests(self) -> Iterator[dict[str, Any]]:
        """Those of runs, then those of an alert, which has no runs."""
        rows = self._connection.execute(
            f"select run_id, at, request from run_requests where {self._of_runs} order by run_id, id", self._number
        )
        for run, at, request in rows:
            yield {"run": run, "at": at, **orjson.loads(request)}
        of_alert = self._connection.execute(
            "select at, request from alert_requests where job_id = ? order by id", (self._job.id,)
        )
        for at, request in of_alert:
            yield {"run": None, "at": at, **orjson.loads(request)}

    def _first_requests(self) -> list[dict[str, Any]]:
        return [entry for entry, _ in zip(self._requests(), range(100), strict=False)]

    def _request_log(self) -> int:
        count = 0

        def lines() -> Iterator[str]:
            nonlocal count
            for entry in self._requests():
                count += 1
                yield self._blanker.blank(orjson.dumps(self._blanker.blank_all(entry)).decode()) + "\n"

        self._text("requests.jsonl", lines())
        return count

    # how it is written

    def _json(self, name: str, value: Any) -> None:
        text = orjson.dumps(self._blanker.blank_all(value), option=orjson.OPT_INDENT_2).decode()
        self._text(name, [self._blanker.blank(text), "\n"])

    def _csv(self, name: str, header: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> int:
        count = 0

        def lines() -> Iterator[str]:
            nonlocal count
            buffer = io.StringIO(newline="")
            writer = csv.writer(buffer)
            writer.writerow(header)
            for row in rows:
                count += 1
                writer.writerow([self._blanker.blank_all(cell) for cell in row])
                yield self._blanker.blank(buffer.getvalue())
                buffer.seek(0)
                buffer.truncate()
            yield self._blanker.blank(buffer.getvalue())

        self._text(name, lines())
        return count

    def _text(self, name: str, parts: Iterable[str]) -> None:
        with self._archive.open(name, "w", force_zip64=True) as file:
            for part in parts:
                file.write(part.encode("utf-8", "replace"))
