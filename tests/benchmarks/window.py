"""How quickly the window is there, and whether it stays smooth while an import runs.

    python tests/benchmarks/window.py [ROWS]

Start: from the start of the process to a painted Jobs page with 200 jobs, the median of five. Smoothness: gaps
between the beats of a 5 ms timer in the window's loop, idle and while ROWS rows are imported with the page open.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from people_file import TYPES, write_people

JOBS = 200
STARTS = 5
BEAT_MS = 5


def fill(folder: Path, source: Path) -> None:
    """A workspace with many jobs that import `source`."""
    from app.authorizations import add_authorization
    from app.engine import Engine
    from app.jobs import JobDraft, create_job
    from app.workspace import create_workspace

    create_workspace(folder, "Benchmark").close()
    with Engine.open(folder) as engine:
        authorization = add_authorization(engine, "file-service-folder", "Folder", {"folder": str(source.parent)})
        options = {"filename": source.name, "stream": "people", "identifiers": ["email"], "types": TYPES}
        for number in range(JOBS):
            create_job(engine, JobDraft(f"Job {number}", "file-service-csv-import", authorization, options))


def start(folder: Path) -> None:
    """In a process of its own: open the window as the program does, and say when the jobs are painted."""
    begun = float(os.environ["CAUSEWAY_BENCHMARK_BEGUN"])
    from PySide6.QtTest import QTest

    from app.engine import Engine
    from ui.pages.registry import page_specs
    from ui.shell.application import make_application
    from ui.shell.engine_view import EngineView
    from ui.shell.window import MainWindow

    make_application(sys.argv[:1])
    engine = Engine.open(folder)
    window = MainWindow(EngineView(engine), page_specs(engine))
    window.start()
    window.show()

    def painted() -> bool:
        page = window.page()
        return page is not None and page.table.model().rowCount() == JOBS  # type: ignore[attr-defined]

    while not painted():
        QTest.qWait(1)
    window.grab()
    print(time.time() - begun)
    window.close()
    engine.close()


async def beats(seconds: float, until: asyncio.Future[object] | None = None) -> list[float]:
    """Milliseconds between beats of the loop's timer, for some seconds or until something is done."""
    from PySide6.QtCore import Qt, QTimer

    gaps: list[float] = []
    last = time.perf_counter()

    def beat() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps.append((now - last) * 1000)
        last = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    timer.start(BEAT_MS)
    await (asyncio.sleep(seconds) if until is None else until)
    timer.stop()
    return gaps


def smoothness(folder: Path) -> None:
    """The gaps, idle and during an import with the Jobs page open."""
    import qasync

    from app.engine import Engine
    from app.jobs import list_jobs
    from ui.pages.registry import page_specs
    from ui.shell.application import make_application
    from ui.shell.engine_view import EngineView
    from ui.shell.window import MainWindow

    application, _ = make_application(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(application)
    asyncio.set_event_loop(loop)

    async def watch() -> None:
        engine = Engine.open(folder)
        window = MainWindow(EngineView(engine), page_specs(engine))
        window.start()
        window.show()
        await engine.start()
        assert engine.supervisor is not None
        await asyncio.sleep(2)
        tell("idle", await beats(5))
        job = list_jobs(engine)[0]
        run = await engine.supervisor.run(job.id)
        done = asyncio.ensure_future(engine.supervisor.finished(run))
        tell("while importing", await beats(0, done))
        ended = done.result()
        print(f"{ended.read:,} rows were imported meanwhile")
        window.close()
        await engine.stop()

    with loop:
        loop.run_until_complete(watch())


def tell(what: str, gaps: list[float]) -> None:
    """One line of percentiles."""
    cuts = statistics.quantiles(gaps, n=100)
    print(
        f"{what:16} {len(gaps):6,} beats  median {cuts[49]:5.2f}  95 % {cuts[94]:5.2f}  99 % {cuts[98]:5.2f}"
        f"  longest {max(gaps):6.1f} ms"
    )


def main(rows: int) -> None:
    """Print the figures."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as name:
        # Settings of its own: the window would open on the page that somebody saw last.
        os.environ["XDG_CONFIG_HOME"] = name
        folder, source = Path(name) / "workspace", Path(name) / "people.csv"
        write_people(source, rows)
        fill(folder, source)
        times = []
        for _ in range(STARTS):
            environment = os.environ | {"CAUSEWAY_BENCHMARK_BEGUN": str(time.time())}
            done = subprocess.run(
                [sys.executable, __file__, "--start", str(folder)],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            times.append(float(done.stdout))
        print(
            f"start to a painted page of {JOBS} jobs: median {statistics.median(times):.2f} s, worst {max(times):.2f} s"
        )
        smoothness(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--start"]:
        start(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
