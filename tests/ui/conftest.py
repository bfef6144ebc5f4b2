"""Real widgets on Qt's offscreen platform, dressed by the real theme, with settings of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before Qt is imported by anybody: a test window never opens on the developer's screen.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtWidgets import QApplication

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
