"""What the rail says of a real engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.changes import Change
from app.engine import Engine
from app.workspace import create_workspace
from ui.shell.engine_view import EngineView, _at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_workspace(tmp_path / "northbeam", "Northbeam Coffee").close()
    return tmp_path / "northbeam"


def test_counts_and_state_of_a_new_workspace(folder: Path, tmp_path: Path) -> None:
    create_workspace(tmp_path / "harbour", "Harbour Books").close()
    with Engine.open(folder) as engine:
        view = EngineView(engine)
        assert (view.workspace_name, view.workspace_place) == ("Northbeam Coffee", "On this computer")
        assert view.counts() == {"jobs": 0, "authorizations": 0, "profiles": 0, "schema": "", "notifications": 0}
        assert view.state().tone == "idle"
        assert [one.name for one in view.recent_workspaces()] == ["Harbour Books"], "not the one that is open"


def test_a_workspace_that_another_process_runs_can_only_be_watched(folder: Path) -> None:
    with Engine.open(folder), Engine.open(folder) as second:
        view = EngineView(second)
        assert view.workspace_place == "Read only"
        assert (view.state().tone, view.state().line) == ("warn", "In use elsewhere")


def test_progress_does_not_make_the_rail_count_anew(folder: Path) -> None:
    heard: list[bool] = []
    with Engine.open(folder) as engine:
        end = EngineView(engine).subscribe(lambda: heard.append(True))
        engine.changes.announce(Change("progress", 1))
        assert heard == []
        engine.changes.announce(Change("jobs", 1))
        end()
        engine.changes.announce(Change("jobs", 1))
        assert heard == [True]


def test_when_the_next_run_is() -> None:
    now = datetime.now(UTC)
    assert _at((now + timedelta(days=1)).isoformat()) == "tomorrow"
    assert _at(now.isoformat()).startswith("at ")
    assert _at("2030-02-03T12:00:00Z") == "on 3 Feb 2030"
