"""A folder on this computer as a place."""

from __future__ import annotations

import errno
import os
import stat as stat_module
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from connectors.kit.errors import InputError
from connectors.kit.places.base import ENTRY_LIMIT, Entry, FileMark, Progress, in_order
from connectors.kit.places.disk import not_read, not_written
from connectors.kit.places.partial import PartialFile

_COPY_SIZE = 1024 * 1024
_CAN_LINK = os.link in os.supports_follow_symlinks
"""Whether a link can get a hard link itself. It can't on Windows, where a renaming never replaces anything."""


class LocalFolder:
    """Files below `folder`, which links may not leave; with an empty `folder`, any file by its absolute path."""

    def __init__(self, folder: str | Path = "") -> None:
        """Raises InputError when there is no such folder."""
        self._root: Path | None = None
        if str(folder) not in ("", "."):
            root = Path(folder).expanduser()
            if not root.is_dir():
                raise InputError(f"There is no folder {root} on this computer.", advice="Choose a folder that exists.")
            self._root = root.resolve()

    @property
    def label(self) -> str:
        return str(self._root) if self._root is not None else "this computer"

    def list(self, path: str = "") -> list[Entry]:
        folder = self._find(path)
        entries: list[Entry] = []
        try:
            with os.scandir(folder) as found:
                for item in found:
                    if len(entries) >= ENTRY_LIMIT:
                        raise InputError(
                            f"The folder {folder} holds more than {ENTRY_LIMIT:,} files.",
                            advice="Type the name of the file, or move old files away.",
                        )
                    target = Path(item.path)
                    if self._root is not None and not target.resolve().is_relative_to(self._root):
                        continue
                    try:
                        entries.append(self._entry(target))
                    except OSError:
                        # A link to nowhere, or a file that went away while the folder was read.
                        continue
        except OSError as error:
            raise not_read(error, folder) from error
        return in_order(entries)

    def stat(self, path: str) -> Entry:
        target = self._find(path)
        try:
            return self._entry(target)
        except OSError as error:
            raise not_read(error, target) from error

    def open(self, path: str) -> BinaryIO:
        target = self._find(path)
        try:
            if not stat_module.S_ISREG(target.stat().st_mode):
                raise InputError(f"{target} is not a file.", advice="Choose a file.")
            return target.open("rb")
        except OSError as error:
            raise not_read(error, target) from error

    def fetch(self, path: str, local: Path, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        with self.open(path) as source:
            mark = _mark(os.fstat(source.fileno()))
            with PartialFile(local, str(self._find(path)), mark, resume=resume) as part:
                source.seek(part.size)
                while data := source.read(min(_COPY_SIZE, mark.size - part.size)):
                    part.append(data)
                    if progress is not None:
                        progress(part.size, mark.size)
            if _mark(os.fstat(source.fileno())) != mark or part.size != mark.size:
                part.discard()
                raise InputError(
                    f"{path} changed while it was being read.", advice="Try again when its writer has finished."
                )
        part.finish()
        return mark

    def send(self, local: Path, path: str, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        """As the Protocol says. It is written as `.NAME.part` beside its name; a copy begins anew each time."""
        target = self._name(path)
        part = target.with_name(f".{target.name}.part")
        try:
            source = local.open("rb")
        except OSError as error:
            raise not_read(error, local) from error
        with source:
            before = _mark(os.fstat(source.fileno()))
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.is_dir():
                    raise InputError(f"{target} is a folder.", advice="Choose another name for the file.")
                with part.open("wb") as written:
                    done = 0
                    while data := _read(source, min(_COPY_SIZE, before.size - done), local):
                        written.write(data)
                        done += len(data)
                        if progress is not None:
                            progress(done, before.size)
                    written.flush()
                    os.fsync(written.fileno())
                if part.stat().st_size != before.size or _mark(os.fstat(source.fileno())) != before:
                    raise InputError(
                        f"{local.name} changed while it was being sent.",
                        advice="Try again when its writer has finished.",
                    )
                part.replace(target)
            except OSError as error:
                raise not_written(error, target) from error
            finally:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
        return _mark(target.stat())

    def move(self, path: str, to: str) -> None:
        source, target = self._name(path), self._name(to)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(target):
                raise InputError(
                    f"{target} is there already, so {source.name} stays where it is.",
                    advice="Move the other file away, or choose another name.",
                )
            if not _CAN_LINK:
                self._move_otherwise(source, target)
                return
            try:
                # A link is made only where there is nothing yet; a renaming would replace what came meanwhile.
                os.link(source, target, follow_symlinks=False)
            except FileExistsError:
                raise
            except OSError as error:
                if error.errno == errno.ENOENT:
                    raise
                self._move_otherwise(source, target)
            else:
                try:
                    source.unlink()
                except OSError:
                    target.unlink()
                    raise
        except OSError as error:
            raise not_written(error, source) from error

    def _move_otherwise(self, source: Path, target: Path) -> None:
        """Where there are no hard links, or the target is on another disk."""
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            whole = LocalFolder()
            info = source.stat()
            whole.send(source, str(target))
            os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
            source.unlink()

    def delete(self, path: str) -> None:
        target = self._name(path)
        try:
            if target.is_dir() and not target.is_symlink():
                raise InputError(f"{target} is a folder, not a file.", advice="Choose a file in it.")
            target.unlink(missing_ok=True)
        except OSError as error:
            raise not_written(error, target) from error

    def close(self) -> None:
        """A folder holds nothing open."""

    def _name(self, path: str) -> Path:
        """Where a name lies, which may be a link's own name: it is what is replaced, moved or deleted, not its target.

        Raises InputError when it leaves the folder.
        """
        _refuse_zero(path)
        name = Path(path).name
        if name in ("", ".", ".."):
            raise InputError(f"“{path}” is no name of a file.", advice="Choose a file.")
        return self._find(str(Path(path).parent)) / name

    def _find(self, path: str) -> Path:
        """The real path. Raises InputError when it leaves the folder."""
        _refuse_zero(path)
        if self._root is None:
            target = Path(path).expanduser() if path else Path.home()
            if not target.is_absolute():
                raise InputError(
                    f"“{path}” is not a complete path.", advice="Choose the file, or type its path from the top."
                )
            return target
        target = (self._root / path).resolve()
        if not target.is_relative_to(self._root):
            raise InputError(
                f"“{path}” is outside the folder {self._root}.",
                advice="Choose a file in the folder, or change the folder of the authorization.",
            )
        return target

    def _entry(self, target: Path) -> Entry:
        info = target.stat()
        mark = _mark(info)
        path = str(target) if self._root is None else target.relative_to(self._root).as_posix()
        return Entry(
            target.name,
            "" if path == "." else path,
            stat_module.S_ISDIR(info.st_mode),
            mark.size,
            mark.modified,
        )


def _refuse_zero(path: str) -> None:
    if "\0" in path:
        raise InputError("A file's name can't contain the character 0.", advice="Choose another name.")


def _mark(info: os.stat_result) -> FileMark:
    return FileMark(info.st_size, datetime.fromtimestamp(info.st_mtime, UTC))


def _read(source: BinaryIO, size: int, path: Path) -> bytes:
    try:
        return source.read(size)
    except OSError as error:
        raise not_read(error, path) from error
