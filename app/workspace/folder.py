"""Creating and opening a workspace folder, and who is in charge of it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from pathlib import Path

import orjson
from filelock import FileLock, Timeout
from platformdirs import user_documents_path

from app.clock import now_text
from app.errors import DatabaseCorrupt, NotFound, Refused, WorkspaceInUse, WorkspaceReadOnly
from app.store import Database, current_version, migrate, newest_version
from app.store.database import translated
from app.workspace.recent import remember
from app.workspace.settings import SETTINGS, Setting

DATABASE = "workspace.db"
LOCK = "workspace.lock"
HOLDER = "workspace.owner"
SQLITE_MAGIC = b"SQLite format 3\x00"


class Workspace:
    """An open workspace: its database and settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(folder / DATABASE)
        try:
            with self.database.read() as connection:
                info = dict(connection.execute("select key, value from workspace_info").fetchall())
            self.id: str = info["id"]
            self.name: str = info["name"]
        except BaseException:
            self.database.close()
            raise
        self.is_demo = info.get("demo") == "1"
        self._lock: FileLock | None = None

    def take_charge(self) -> None:
        """Become the one process that runs jobs here. Raises WorkspaceInUse, and releases it at close()."""
        # A window takes it in one thread and gives it up in another.
        lock = FileLock(self.folder / LOCK, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise WorkspaceInUse(
                f"The workspace “{self.name}” is in use by {_holder(self.folder)}.",
                advice="Close it there first. Until then you can look, but not run or change jobs.",
            ) from None
        except OSError as error:
            raise _read_only(self.folder, error) from error
        self._lock = lock
        with contextlib.suppress(OSError):
            (self.folder / HOLDER).write_text(str(os.getpid()), "utf-8")

    def rename(self, name: str) -> None:
        """Give the workspace another name."""
        if not name.strip():
            raise Refused("The workspace needs a name.")
        with self.database.write() as connection:
            connection.execute("update workspace_info set value = ? where key = 'name'", (name.strip(),))
        self.name = name.strip()

    def setting(self, name: str) -> str | int | bool:
        """A setting's value, its default where it was never set."""
        declared = SETTINGS[name]
        with self.database.read() as connection:
            row = connection.execute("select value from settings where name = ?", (name,)).fetchone()
        if row is None:
            return declared.default
        try:
            return declared.checked(orjson.loads(row[0]))
        except (Refused, orjson.JSONDecodeError):
            # Another version could have kept what this one does not know; that is no reason not to start.
            return declared.default

    def change_setting(self, name: str, value: str | int | bool) -> None:
        """Keep a setting. Raises Refused for a value that it can't have."""
        declared: Setting = SETTINGS[name]
        with self.database.write() as connection:
            connection.execute(
                "insert into settings values (?, ?) on conflict (name) do update set value = excluded.value",
                (name, orjson.dumps(declared.checked(value)).decode()),
            )

    def close(self) -> None:
        """Close the database and let another process take charge."""
        self.database.close()
        if self._lock is not None:
            (self.folder / HOLDER).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None


def default_folder() -> Path:
    """Where the first workspace is made when nobody says where."""
    return user_documents_path() / "Causeway" / "My workspace"


def create_workspace(folder: Path, name: str, *, demo: bool = False) -> Workspace:
    """Make a workspace in a new or empty folder. Raises Refused and WorkspaceReadOnly."""
    folder = folder.expanduser().absolute()
    if not name.strip():
        raise Refused("The workspace needs a name.")
    if (folder / DATABASE).exists():
        raise Refused(f"{folder} already is a workspace.", advice="Open it, or choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Refused(f"The folder {folder} is not empty.", advice="Choose a new or an empty folder.")
        migrate(folder / DATABASE)
    except OSError as error:
        raise _read_only(folder, error) from error
    database = Database(folder / DATABASE)
    with database.write() as connection:
        connection.executemany(
            "insert into workspace_info values (?, ?)",
            [
                ("id", uuid.uuid4().hex),
                ("name", name.strip()),
                ("created_at", now_text()),
                ("demo", "1" if demo else "0"),
            ],
        )
    database.close()
    return open_workspace(folder)


def open_workspace(folder: Path) -> Workspace:
    """Open a workspace; an older one is migrated after its file was copied.

    Raises NotFound, NewerWorkspace, DatabaseCorrupt, WorkspaceReadOnly.
    """
    folder = folder.expanduser().absolute()
    path = folder / DATABASE
    try:
        with path.open("rb") as file:
            magic = file.read(len(SQLITE_MAGIC))
    except FileNotFoundError:
        raise NotFound(
            f"There is no workspace in {folder}.", advice="Check the folder, or create a workspace there."
        ) from None
    except OSError as error:
        raise _read_only(folder, error) from error
    if magic != SQLITE_MAGIC:
        raise DatabaseCorrupt(
            f"{path} is no workspace file, or it is damaged.",
            advice="Restore the workspace from its last backup; the file is left as it is.",
        )
    if not (os.access(folder, os.W_OK) and os.access(path, os.W_OK)):
        raise _read_only(folder, PermissionError("no permission to write"))
    version = current_version(path)
    if version == 0:
        # An SQLite file of somebody else that happens to have this name: tables of ours have no business in it.
        raise DatabaseCorrupt(
            f"{path} is no workspace file.", advice="Choose the folder of a workspace, or create one in a new folder."
        )
    if version < newest_version():
        _copy_before(path, version)
        migrate(path)
    try:
        workspace = Workspace(folder)
    except (KeyError, sqlite3.OperationalError) as error:
        raise DatabaseCorrupt(
            f"{path} lacks what a workspace file has.",
            advice="Restore the workspace from its last backup; the file is left as it is.",
            details=str(error),
        ) from error
    if not workspace.is_demo:
        # Whoever looked at the demo must not import into it next.
        remember(workspace.name, folder)
    return workspace


def _copy_before(path: Path, version: int) -> None:
    """Keep the file as the older version wrote it, through SQLite, so that an unfolded WAL is in the copy."""
    kept = path.with_name(f"{path.name}.before-{version + 1:04}")
    with (
        translated(path),
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(kept)) as target,
    ):
        source.backup(target)


def _holder(folder: Path) -> str:
    try:
        return f"another Causeway (process {int((folder / HOLDER).read_text('utf-8'))})"
    except (OSError, ValueError):
        return "another Causeway"


def _read_only(folder: Path, error: OSError) -> WorkspaceReadOnly:
    return WorkspaceReadOnly(
        f"The folder {folder} can't be written to.",
        advice="Choose a folder that belongs to you, or change its permissions.",
        details=str(error),
    )
