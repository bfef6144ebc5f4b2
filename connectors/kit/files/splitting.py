"""One file, or the parts of one that would get too large, written, packed and encrypted as it grows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from connectors.kit.errors import InputError
from connectors.kit.files.layout import Packing
from connectors.kit.formats.packing import packing
from connectors.kit.pgp.streams import encrypting
from connectors.kit.places.disk import not_read, not_written

MOST_PARTS = 10_000
ENDINGS: dict[str, str] = {"none": "", "gz": ".gz", "zip": ".zip"}
ENCRYPTED = ".pgp"


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What is done to a file before it leaves: packing, then encryption for whoever has the key."""

    packing: Packing = "none"
    public_key: str = ""

    @property
    def endings(self) -> tuple[str, ...]:
        return tuple(filter(None, (ENDINGS[self.packing], ENCRYPTED if self.public_key else "")))

    @contextmanager
    def writing(self, target: Path, member: str) -> Iterator[BinaryIO]:
        """A file to write plain bytes to; `target` is there once the block was left without an error. What is to be
        encrypted never touches the disk before. Raises InputError and GpgMissing."""
        try:
            if not self.public_key:
                with packing(target, self.packing, member) as file:
                    yield file
                return
            # Who wants it small has it packed, so gpg need not try again, which would take ten times as long.
            with (
                encrypting(target, self.public_key, compress=False) as sealed,
                packing(sealed, self.packing, member) as file,
            ):
                yield file
        except OSError as error:
            raise not_written(error, target) from error


def encrypted_name(name: str) -> str:
    """What a file of this name is called once it is encrypted."""
    return name if not name or name.lower().endswith(ENCRYPTED) else f"{name}{ENCRYPTED}"


@dataclass(frozen=True, slots=True)
class Part:
    """A file that is whole, on this computer."""

    local: Path
    rows: int


class Parts:
    """The file or files of one table; leave the block to have the last one whole. `parts` are in order.

    `head` is what each begins with, `limit` how many bytes one gets before it is packed, 0 for any. A row that is
    larger than that has a file to itself.
    """

    def __init__(self, stem: Path, wrapping: Wrapping, member: str, head: str, limit: int) -> None:
        self._stem, self._wrapping, self._member, self._limit = stem, wrapping, member, limit
        self._head = head.encode()
        self._stack = ExitStack()
        self._file: BinaryIO | None = None
        self._rows = self._size = 0
        self._current = stem
        self.parts: list[Part] = []

    def __enter__(self) -> Parts:
        return self

    def write(self, lines: list[str]) -> None:
        """Add rows, each with its end."""
        if not lines:
            return
        if not self._limit:
            self._add("".join(lines).encode("utf-8", "replace"), len(lines))
            return
        rows = [line.encode("utf-8", "replace") for line in lines]
        while rows:
            room = self._limit - (self._size if self._file is not None else len(self._head))
            fitting = sum(1 for end in accumulate(map(len, rows)) if end <= room)
            if fitting == 0 and self._rows:
                self._finish()
                continue
            self._add(b"".join(rows[: fitting or 1]), fitting or 1)
            rows = rows[fitting or 1 :]

    def finish(self, *, write_empty: bool) -> list[Part]:
        """Make the last file whole; all of them. Without a row there is one only if an empty one is to be written."""
        if self._file is None and not self.parts and write_empty:
            self._open()
        if self._file is not None:
            self._finish()
        return self.parts

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _add(self, data: bytes, rows: int) -> None:
        file = self._file or self._open()
        try:
            file.write(data)
        except OSError as error:
            raise not_written(error, self._current) from error
        self._size += len(data)
        self._rows += rows

    def _open(self) -> BinaryIO:
        number = len(self.parts) + 1
        if number > MOST_PARTS:
            raise InputError(
                f"This would make more than {MOST_PARTS:,} files.", advice="Allow larger files, or export fewer people."
            )
        self._current = self._stem.with_name(f"{self._stem.name}-{number}")
        member = self._member
        if number > 1:
            name, dot, ending = self._member.rpartition(".")
            member = f"{name}_{number}{dot}{ending}" if dot else f"{ending}_{number}"
        self._file = self._stack.enter_context(self._wrapping.writing(self._current, member))
        self._file.write(self._head)
        self._size, self._rows = len(self._head), 0
        return self._file

    def _finish(self) -> None:
        self._stack.close()
        self._stack = ExitStack()
        self._file = None
        self.parts.append(Part(self._current, self._rows))
        self._rows = self._size = 0


def sums(path: Path) -> tuple[int, str, str]:
    """Bytes, MD5 and SHA-256 of a file. Raises InputError."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                md5.update(block)
                sha256.update(block)
                size += len(block)
    except OSError as error:
        raise not_read(error, path) from error
    return size, md5.hexdigest(), sha256.hexdigest()
