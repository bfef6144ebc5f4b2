"""What every place can do: show what is in it, read the start of a file, fetch a whole one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from connectors.kit.formats.streams import ByteStream

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all; what it raises ends the transfer, which can be resumed later."""

ENTRY_LIMIT = 50_000
"""Entries of one folder that are read; a list of more helps nobody and may not end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder. `path` is what the place's other functions take, `modified` is in UTC.

    `tag` is the place's own mark of the content (an ETag), if it has one.
    """

    name: str
    path: str
    is_folder: bool
    size: int
    modified: datetime | None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class FileMark:
    """What tells one state of a file from another: bytes, time of the last change in UTC, and the place's own tag."""

    size: int
    modified: datetime | None
    tag: str = ""


class Place(Protocol):
    """Files somewhere, named by paths with / that are relative to the folder the place was opened with.

    All functions block and are called from one thread at a time. They raise InputError for a file that is not
    there or may not be read or written, WaitError when the place cannot be reached any more.
    """

    @property
    def label(self) -> str:
        """Where it is, for people: `maja@sftp.agency.example`, `s3://bucket`, `/home/maja/files`."""
        ...

    def list(self, path: str = "") -> list[Entry]:
        """What is in a folder, folders first, then by name."""
        ...

    def stat(self, path: str) -> Entry: ...

    def open(self, path: str) -> ByteStream:
        """A file to be read and sought in; only what is read is moved. The caller closes it."""
        ...

    def fetch(self, path: str, local: Path, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        """Bring a whole file to `local`, which appears only when it is complete.

        With `resume`, what an interrupted fetch left beside `local` is used if the file is still the same, and
        nothing is moved if `local` is that file already.
        Raises InputError when the file changes meanwhile.
        """
        ...

    def send(self, local: Path, path: str, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        """Put a whole local file in the place, under its name only when it is complete; replaces a file of that name.

        Folders on the way are made. With `resume`, what an interrupted sending of the same file has left there is used.
        """
        ...

    def move(self, path: str, to: str) -> None:
        """Give a file another path in the same place; folders on the way are made. Never replaces another file."""
        ...

    def delete(self, path: str) -> None:
        """Delete a file; one that is not there any more is no error."""
        ...

    def close(self) -> None: ...


def in_order(entries: list[Entry]) -> list[Entry]:
    """Folders first, then by name as people sort them."""
    return sorted(entries, key=lambda entry: (not entry.is_folder, entry.name.casefold(), entry.name))
