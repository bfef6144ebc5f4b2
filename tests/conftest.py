"""For all tests: no screen is needed, and nothing of the user's own settings or keyring is touched."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from peers.azure import azure  # noqa: F401
from peers.gcs import gcs  # noqa: F401
from peers.pgp import pgp  # noqa: F401
from peers.s3 import s3  # noqa: F401
from peers.secret_service import secret_service  # noqa: F401
from peers.sshd import sshd  # noqa: F401

FOLDER = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Before Qt or the program is imported; every process of a parallel run gets a folder of its own."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    folder = tempfile.mkdtemp(prefix="causeway-tests-")
    config.stash[FOLDER] = folder
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        os.environ[name] = folder
    # A test of the keyring brings its own; no other may reach the user's.
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)


@pytest.fixture(autouse=True)
def _own_state(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees which workspaces another one opened."""
    monkeypatch.setenv("XDG_STATE_HOME", tempfile.mkdtemp(dir=pytestconfig.stash[FOLDER]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(config.stash[FOLDER], ignore_errors=True)
