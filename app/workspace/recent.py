"""The workspaces that this user had open, the last one first. A broken list is an empty list."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import orjson
from platformdirs import user_state_path

from app.clock import now_text

MOST = 12


@dataclass(frozen=True, slots=True)
class RecentWorkspace:
    """A workspace that was open at `opened_at` (UTC text)."""

    name: str
    folder: Path
    opened_at: str


def recent_workspaces() -> list[RecentWorkspace]:
    """Those that are still there."""
    try:
        entries = orjson.loads(_file().read_bytes())
        found = [RecentWorkspace(entry["name"], Path(entry["folder"]), entry["opened_at"]) for entry in entries]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return []
    return [workspace for workspace in found if (workspace.folder / "workspace.db").is_file()]


def remember(name: str, folder: Path) -> None:
    """Put a workspace first. A list that can't be written is no reason not to open a workspace."""
    others = [entry for entry in recent_workspaces() if entry.folder != folder][: MOST - 1]
    entries = [RecentWorkspace(name, folder, now_text()), *others]
    text = orjson.dumps(
        [{"name": entry.name, "folder": str(entry.folder), "opened_at": entry.opened_at} for entry in entries]
    )
    with contextlib.suppress(OSError):
        file = _file()
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.{os.getpid()}")
        part.write_bytes(text)
        part.replace(file)


def _file() -> Path:
    return user_state_path("causeway", appauthor=False) / "recent.json"
