"""A file that is being fetched: written beside its final name, taken up again after an interruption."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from connectors.kit.places.base import FileMark
from connectors.kit.places.disk import not_written


class PartialFile:
    """`local` with .part behind its name, and a note of which file it is a part of.

    Bytes are only ever appended, so whatever is on the disk after a crash is a true beginning. `size` says how
    much is there.
    """

    def __init__(self, local: Path, source: str, mark: FileMark, *, resume: bool) -> None:
        """`source` names the remote file; with `resume`, a part of the same file in the same state is kept."""
        self._local = local
        self._mark = mark
        self._path = local.with_name(local.name + ".part")
        self._note = local.with_name(local.name + ".part.json")
        self._source = {
            "source": source,
            "size": mark.size,
            "modified": mark.modified.isoformat() if mark.modified else None,
            "tag": mark.tag,
        }
        if not (resume and mark.modified is not None and self._belongs()):
            self.discard()
        self.size = self._path.stat().st_size if self._path.exists() else 0
        if self.size > mark.size:
            self.discard()
        self._file: BinaryIO | None = None

    def _belongs(self) -> bool:
        try:
            return bool(json.loads(self._note.read_text(encoding="utf-8")) == self._source)
        except (OSError, ValueError):
            return False

    def is_there(self) -> bool:
        """Whether the whole file was fetched before: the same size, and the time that `finish` gave it."""
        try:
            info = self._local.stat()
        except OSError:
            return False
        modified = self._mark.modified
        return modified is not None and (info.st_size, info.st_mtime) == (self._mark.size, modified.timestamp())

    def discard(self) -> None:
        """Forget what is there and start over."""
        self._path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self.size = 0

    def tail(self, size: int) -> bytes:
        """The last bytes that are there, to be compared with the source."""
        return _tail(self._path, size)

    def tail_of_whole(self, size: int) -> bytes:
        """The same of a file that is there as a whole."""
        return _tail(self._local, size)

    def __enter__(self) -> PartialFile:
        try:
            self._local.parent.mkdir(parents=True, exist_ok=True)
            self._note.write_text(json.dumps(self._source), encoding="utf-8")
            self._file = self._path.open("ab", buffering=0)
        except OSError as error:
            raise not_written(error, self._local) from error
        return self

    def append(self, data: bytes | memoryview) -> None:
        """Write the next bytes. Raises InputError when the disk is full or in trouble."""
        assert self._file is not None
        view = memoryview(data)
        try:
            while view:
                written = self._file.write(view)
                self.size += written
                view = view[written:]
        except OSError as error:
            raise not_written(error, self._local) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def finish(self) -> None:
        """Give the complete file its name, and the time of its source."""
        try:
            if self._mark.modified is not None:
                os.utime(self._path, (self._mark.modified.timestamp(),) * 2)
            self._path.replace(self._local)
        except OSError as error:
            raise not_written(error, self._local) from error
        with suppress(OSError):
            self._note.unlink()


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read()
