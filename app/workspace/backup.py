"""A backup is one zip file: the database as one consistent copy, and the secrets file in its encrypted form."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from pathlib import Path

from app.errors import DatabaseCorrupt, DiskFull, Refused
from app.store.database import translated
from app.whole_file import whole_file
from app.workspace.folder import DATABASE, SQLITE_MAGIC, Workspace, open_workspace

SECRETS = "secrets"
MEMBERS = (DATABASE, f"{SECRETS}/long.json", f"{SECRETS}/file.json")
"""What a backup may hold. Names from the archive are never used as paths."""


def back_up(workspace: Workspace, target: Path) -> Path:
    """Write a backup; the workspace may be in use meanwhile. Raises Refused and DiskFull.

    Secrets in the keyring are not part of it: on another computer authorizations must be re-authorized.
    """
    target = target.expanduser().absolute()
    with whole_file(target) as part, tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copy = Path(folder) / DATABASE
        with (
            translated(workspace.database.path),
            # A connection of its own: SQLite waits without end for a transaction on the one that it copies.
            contextlib.closing(sqlite3.connect(workspace.database.path)) as source,
            contextlib.closing(sqlite3.connect(copy)) as copied,
        ):
            source.backup(copied)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(copy, DATABASE)
            for name in MEMBERS[1:]:
                if (workspace.folder / name).is_file():
                    archive.write(workspace.folder / name, name)
    return target


def restore(archive: Path, folder: Path) -> Workspace:
    """Make a workspace of a backup in a new or empty folder and open it.

    Raises Refused where the folder is in use or the file is no backup, DatabaseCorrupt for a damaged one,
    NewerWorkspace, DiskFull. Nothing is left behind then.
    """
    archive, folder = archive.expanduser().absolute(), folder.expanduser().absolute()
    if folder.exists() and not (folder.is_dir() and next(folder.iterdir(), None) is None):
        raise Refused(f"{folder} is not an empty folder.", advice="Choose a new or an empty folder.")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        _unpack(archive, folder)
        _check(folder / DATABASE, archive)
        workspace = open_workspace(folder)
        with workspace.database.write() as connection:
            # The keyring with their secrets may be another computer's.
            connection.execute(
                """update authorizations set state = 'untested', state_since = null,
                    state_message = 'Restored from a backup'"""
            )
        return workspace
    except BaseException as error:
        _remove(folder, made)
        if isinstance(error, OSError):
            raise _not_written(folder, error) from error
        raise


def _unpack(archive: Path, folder: Path) -> None:
    """Raises Refused and DatabaseCorrupt, and OSError for what is wrong with the folder."""
    try:
        backup = zipfile.ZipFile(archive)
    except FileNotFoundError as error:
        raise Refused(f"There is no file {archive}.", advice="Check the name of the backup.") from error
    except OSError as error:
        raise Refused(f"{archive} can't be read: {error.strerror}.", advice="Check its permissions.") from error
    except zipfile.BadZipFile as error:
        raise DatabaseCorrupt(
            f"{archive} is no backup of a workspace, or it is damaged.",
            advice="Choose another backup; nothing was restored.",
            details=str(error),
        ) from error
    with backup:
        members = [member for member in backup.infolist() if member.filename in MEMBERS]
        names = [member.filename for member in members]
        if DATABASE not in names or len(names) > len(set(names)):
            raise Refused(f"{archive} is no backup of a workspace.", advice="Choose a file that Causeway wrote.")
        folder.mkdir(parents=True, exist_ok=True)
        if sum(member.file_size for member in members) > shutil.disk_usage(folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        for member in members:
            path = folder / member.filename
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.touch(0o600)
            try:
                with backup.open(member) as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
            except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
                # RuntimeError: a part is encrypted or packed in a way that zipfile does not know.
                raise DatabaseCorrupt(
                    f"The backup {archive} is damaged.",
                    advice="Choose another backup; nothing was restored.",
                    details=str(error),
                ) from error


def _remove(folder: Path, made: list[Path]) -> None:
    """Take back what a failed restore wrote; a folder that was there before stays, empty as it was."""
    for name in MEMBERS:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                (folder / f"{name}{suffix}").unlink()
    for path in (folder / SECRETS, *made):
        with contextlib.suppress(OSError):
            path.rmdir()


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
