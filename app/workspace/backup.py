"""A backup is one zip file: the database as one consistent copy, and the secrets file in its encrypted form."""

from __future__ import annotations

import contextlib
import errno
import shutil
import sqlite3
import tempfile
import zipfile
from pathlib import Path

from app.errors import DatabaseCorrupt, DiskFull, Refused
from app.workspace.folder import DATABASE, SQLITE_MAGIC, Workspace, open_workspace

SECRETS = "secrets"
MEMBERS = (DATABASE, f"{SECRETS}/long.json", f"{SECRETS}/file.json")
"""What a backup may hold. Names from the archive are never used as paths."""


def back_up(workspace: Workspace, target: Path) -> Path:
    """Write a backup; the workspace may be in use meanwhile. Raises Refused and DiskFull.

    Secrets in the keyring are not part of it: on another computer authorizations must be re-authorized.
    """
    target = target.expanduser().absolute()
    part = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            copy = Path(folder) / DATABASE
            copied = sqlite3.connect(copy)
            with contextlib.closing(copied), workspace.database.read() as connection:
                connection.backup(copied)
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(copy, DATABASE)
                for name in MEMBERS[1:]:
                    if (workspace.folder / name).is_file():
                        archive.write(workspace.folder / name, name)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _not_written(target, error) from error
    return target


def restore(archive: Path, folder: Path) -> Workspace:
    """Make a workspace of a backup in a new or empty folder and open it.

    Raises Refused where the folder is in use or the file is no backup, DatabaseCorrupt for a damaged one.
    """
    folder = folder.expanduser().absolute()
    if folder.exists() and any(folder.iterdir()):
        raise Refused(f"The folder {folder} is not empty.", advice="Choose a new or an empty folder.")
    try:
        with zipfile.ZipFile(archive) as backup:
            names = set(backup.namelist())
            if DATABASE not in names:
                raise Refused(f"{archive} is no backup of a workspace.", advice="Choose a file that Causeway wrote.")
            folder.mkdir(parents=True, exist_ok=True)
            for name in MEMBERS:
                if name in names:
                    (folder / name).parent.mkdir(exist_ok=True)
                    with backup.open(name) as source, (folder / name).open("wb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
                    (folder / name).chmod(0o600)
        _check(folder / DATABASE, archive)
    except zipfile.BadZipFile as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DatabaseCorrupt(
            f"{archive} is no backup of a workspace, or it is damaged.",
            advice="Choose another backup; nothing was restored.",
            details=str(error),
        ) from error
    except FileNotFoundError as error:
        raise Refused(f"There is no file {archive}.", advice="Check the name of the backup.") from error
    except OSError as error:
        raise _not_written(folder, error) from error
    except DatabaseCorrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return open_workspace(folder)


def _check(database: Path, archive: Path) -> None:
    with database.open("rb") as file:
        sound = file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    if sound:
        connection = sqlite3.connect(database)
        with contextlib.closing(connection):
            try:
                sound = connection.execute("pragma quick_check(1)").fetchone()[0] == "ok"
            except sqlite3.DatabaseError:
                sound = False
    if not sound:
        raise DatabaseCorrupt(
            f"The database in {archive} is damaged.", advice="Choose another backup; nothing was restored."
        )


def _not_written(target: Path, error: OSError) -> DiskFull | Refused:
    if error.errno == errno.ENOSPC:
        return DiskFull(f"There is no space left to write {target}.", advice="Free some space, or choose another disk.")
    return Refused(
        f"{target} can't be written: {error.strerror}.", advice="Choose a folder that exists and belongs to you."
    )
