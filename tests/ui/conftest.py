"""Real widgets on Qt's offscreen platform, dressed by the real theme, with settings of their own."""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before Qt is imported by anybody: a test window never opens on the developer's screen.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import qasync
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.authorizations import add_authorization, change_setting, list_authorizations
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.workspace import create_workspace
from ui.theme import Theme, current_theme


def pytest_configure(config: pytest.Config) -> None:
    # What the offscreen platform cannot do (least sizes, raising, grabbing for menus) it says at each use.
    config.addinivalue_line("qt_log_ignore", "^This plugin does not support ")


@pytest.fixture(scope="session")
def qapp(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> QApplication:
    """The application with the light theme; its settings lie in a folder of the test run."""
    qapp.setOrganizationName("Causeway tests")
    qapp.setApplicationName("Causeway tests")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    folder = str(tmp_path_factory.mktemp("settings"))
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)
    Theme("light").apply(qapp)
    return qapp


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test awaits may take long on a busy machine; one that waits in vain fails all the same."""
    monkeypatch.setitem(QtBot.waitUntil.__kwdefaults__, "timeout", 30_000)


@pytest.fixture(autouse=True)
def _fresh_settings(qapp: QApplication) -> Iterator[None]:
    """No test sees what another kept, and every one starts in the light."""
    QSettings().clear()
    current_theme().choose("light")
    yield
    # What was told to be deleted is deleted now, not in the middle of the next test.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def pictures() -> Path | None:
    """Where to keep pictures of what a test shows, when CAUSEWAY_PICTURES names a folder; else None."""
    folder = os.environ.get("CAUSEWAY_PICTURES")
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


@pytest.fixture(scope="session")
def _imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace into which two files were imported: 250 members, and 3 orders of two of them."""
    folder = tmp_path_factory.mktemp("imported")
    files = folder / "files"
    files.mkdir()
    cities = ("Malmö", "Berlin", "Porto")
    members = [
        (
            f"member{n}@example.com",
            f"NB-{n:04}",
            f"Maja{n}",
            "Lindholm",
            cities[n % 3],
            1000 + n,
            "2026-11-21T18:02:00Z",
        )
        for n in range(250)
    ]
    orders = [
        ("member7@example.com", "W-1", "412.50", "2026-11-14T09:41:00Z"),
        ("member7@example.com", "W-2", "19.90", "2026-11-15T09:41:00Z"),
        ("member8@example.com", "W-3", "7", "2026-11-15T10:00:00Z"),
    ]
    for name, rows in (
        ("members.csv", [("email", "member_id", "first_name", "last_name", "city", "points", "updated"), *members]),
        ("orders.csv", [("email", "order_no", "total", "ordered"), *orders]),
    ):
        with (files / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    create_workspace(folder / "workspace", "Northbeam Coffee").close()
    asyncio.run(_import(folder / "workspace", files))
    return folder / "workspace"


async def _import(workspace: Path, files: Path) -> None:
    engine = Engine.open(workspace)
    await engine.start()
    assert engine.supervisor is not None
    place = add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})
    for name, options in (
        (
            "Loyalty members",
            {
                "filename": "members.csv",
                "stream": "loyalty_members",
                "identifiers": ["email", "member_id"],
                "timestamp_field": "updated",
                "types": {"points": "integer"},
                "targets": {"updated": ""},
            },
        ),
        (
            "Web shop",
            {
                "filename": "orders.csv",
                "stream": "shop_orders",
                "identifiers": ["email"],
                "timestamp_field": "ordered",
                "types": {"total": "number"},
            },
        ),
    ):
        job = create_job(engine, JobDraft(name, "file-service-csv-import", place, options))
        run = await engine.supervisor.finished(await engine.supervisor.run(job))
        assert (run.status, run.rejected) == ("completed", 0), run.message
    await engine.stop()


@pytest.fixture
def shop(_imported: Path, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a copy of the imported workspace and of its files, its supervisor not started."""
    folder, files = tmp_path / "northbeam", tmp_path / "northbeam-files"
    shutil.copytree(_imported, folder)
    shutil.copytree(_imported.parent / "files", files)
    with Engine.open(folder) as engine:
        (place,) = list_authorizations(engine)
        change_setting(engine, place.id, "folder", str(files))
        yield engine


class NotedShell:
    """Stands for the window: notes where a page leads."""

    def __init__(self) -> None:
        self.went: list[tuple[str, dict[str, Any]]] = []
        self.forgotten: list[str] = []

    def navigate(self, key: str, /, **args: Any) -> None:
        self.went.append((key, args))

    def back(self) -> None:
        self.went.append(("back", {}))

    def forget(self, key: str) -> None:
        self.forgotten.append(key)


@pytest.fixture
def shell() -> NotedShell:
    """What a page thinks is the window."""
    return NotedShell()


@pytest.fixture
def running(shop: Engine, qapp: QApplication) -> Iterator[Engine]:
    """The engine with its supervisor at work in Qt's loop, as in the program."""
    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    loop.run_until_complete(shop.start())
    # `waitUntil` turns Qt's loop itself; without this the engine's coroutines would not know that they are in theirs.
    asyncio._set_running_loop(loop)
    yield shop
    asyncio._set_running_loop(None)
    assert shop.supervisor is not None
    loop.run_until_complete(shop.supervisor.stop())
    loop.close()
    asyncio.set_event_loop(None)
