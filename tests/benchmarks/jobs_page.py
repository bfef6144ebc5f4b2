"""How quickly jobs are looked at in a big workspace: 500 jobs, 2,000 runs a day for 30 days, 1 million lines of log.

    .venv/bin/python tests/benchmarks/jobs_page.py [FOLDER]

The workspace is made in FOLDER (kept, and used again) or in a temporary one. Shown are the reading of the list, the
opening of the Jobs page until its rows stand in the table, its filters, the page of the job with the longest history,
and searches of the longest log that a job can have: for a word that stands everywhere, for one that stands nowhere.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QWidget

from app.authorizations import add_authorization
from app.clock import text_of
from app.engine import Engine
from app.jobs import JobDraft, activity, create_job, get_job, job_log, job_runs, list_jobs
from app.workspace import create_workspace
from ui.pages.jobs.page import JobsPage
from ui.pages.jobs.summary import JobPage
from ui.theme import Theme

JOBS, RUNS_A_DAY, DAYS, LINES = 500, 2_000, 30, 1_000_000
LONGEST_LOG = 100_000
"""The most lines that the setting keep_log_lines allows."""
TIMES = 9


class Nowhere:
    """A shell that goes nowhere."""

    def navigate(self, key: str, **args: object) -> None:
        raise AssertionError(key)


def fill(folder: Path) -> None:
    """Make the workspace."""
    create_workspace(folder, "Big").close()
    with Engine.open(folder) as engine:
        files = add_authorization(engine, "file-service-folder", "Files", {"folder": str(folder)})
        for number in range(JOBS):
            options = {"filename": f"{number}.csv", "stream": f"stream_{number}"}
            create_job(engine, JobDraft(f"Import {number}", "file-service-csv-import", files, options, "Every day"))
        dice, start = random.Random(7), datetime.now(UTC) - timedelta(days=DAYS)
        runs = []
        for run in range(RUNS_A_DAY * DAYS):
            at = text_of(start + timedelta(days=run / RUNS_A_DAY))
            runs.append((run + 1, run % JOBS + 1, at, at, dice.randrange(1_000), dice.randrange(100)))
        lines = []
        for number in range(LINES):
            run = runs[number % len(runs)]
            # One job has the longest log that there can be.
            job = 1 if number < LONGEST_LOG else run[1]
            level = "warning" if number % 50 == 0 else "info"
            text = (
                f"Rows {number:,} to {number + 900:,}: {dice.randrange(900)} new people, {dice.randrange(900)} updated"
            )
            lines.append((job, run[0], run[2], "synced", level, text, 900))
        hours = [
            (job + 1, f"{start + timedelta(hours=hour):%Y-%m-%dT%H}", 10, 5, 1)
            for job in range(JOBS)
            for hour in range(24 * DAYS)
        ]
        with engine.workspace.database.write() as connection:
            connection.executemany(
                """insert into runs (id, job_id, trigger, status, started_at, ended_at, first_event_at, added, updated)
                values (?, ?, 'schedule', 'completed', ?, ?, 0, ?, ?)""",
                runs,
            )
            connection.executemany(
                """insert into job_events (job_id, run_id, at, event, level, message, rows)
                values (?, ?, ?, ?, ?, ?, ?)""",
                lines,
            )
            connection.executemany(
                "insert into activity (job_id, hour, added, updated, rejected) values (?, ?, ?, ?, ?)", hours
            )


def timed(what: str, limit: float | None, act: Callable[[], object]) -> None:
    """Print the median and the worst of several goes, in milliseconds."""
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1000)
    told = f"{what:<58} {median(taken):7.1f} {max(taken):7.1f}"
    print(told if limit is None else f"{told}   under {limit:.0f}: {'yes' if median(taken) < limit else 'NO'}")


def until(application: QApplication, ready: Callable[[], bool]) -> None:
    while not ready():
        application.processEvents()


def measure(folder: Path) -> None:
    application = QApplication([])
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "settings"))
    Theme("light").apply(application)
    with Engine.open(folder) as engine:
        print(f"{'':<58} {'median':>7} {'worst':>7} ms")
        timed("list_jobs", None, lambda: list_jobs(engine))
        shown: list[QWidget] = []

        def open_page() -> None:
            page = JobsPage(engine, Nowhere())  # type: ignore[arg-type]
            page.resize(1060, 760)
            page.show()
            page.open()
            until(application, lambda: page.model.rowCount() == JOBS)
            page.repaint()
            shown.append(page)

        timed("Jobs page: opened, all rows there and painted", 200, open_page)
        page = shown[-1]
        assert isinstance(page, JobsPage)

        with_4 = sum("4" in str(number) for number in range(JOBS))

        def search(text: str, count: int) -> None:
            page.search.setText(text)
            page._filter()
            page.repaint()
            assert page.model.rowCount() == count

        def filtered(status: str, count: int) -> None:
            page._status_chosen(status)
            page.repaint()
            assert page.model.rowCount() == count

        timed("Jobs page: search, painted", 50, lambda: search("import 4", with_4))
        search("", JOBS)
        timed("Jobs page: another status, painted", 50, lambda: filtered("failed", 0))
        timed("Jobs page: every status, painted", 50, lambda: filtered("all", JOBS))

        def open_job() -> None:
            one = JobPage(engine, Nowhere())  # type: ignore[arg-type]
            one.resize(1060, 760)
            one.show()
            one.open(job_id=1)
            until(application, lambda: one.logs.model.rowCount() > 0 and one.runs.model.rowCount() > 0)
            one.repaint()
            shown.append(one)

        timed("Job page: opened, with runs and log", None, open_job)
        timed(
            "the same, read only", None, lambda: (get_job(engine, 1), activity(engine, 1, "90d"), job_runs(engine, 1))
        )
        timed("log: first page", 100, lambda: job_log(engine, 1))
        timed("log search: a word of every line", 100, lambda: job_log(engine, 1, search="new people"))
        timed("log search: a word of few lines", 100, lambda: job_log(engine, 1, search="Rows 77,"))
        timed("log search: a word of no line, 100,000 lines looked at", 100, lambda: job_log(engine, 1, search="zebra"))
        timed(
            "log search: warnings with a word of no line",
            100,
            lambda: job_log(engine, 1, search="zebra", levels=["warning"]),
        )
        for widget in shown:
            widget.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary) / "big"
        if not (folder / "workspace.db").exists():
            fill(folder)
        measure(folder)


if __name__ == "__main__":
    main()
