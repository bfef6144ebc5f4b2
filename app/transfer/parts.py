"""What a transfer writes before it is sent: one file or several, packed and encrypted while they are written."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self

from app.transfer.model import file_name, without_packings
from connectors.kit.errors import InputError
from connectors.kit.files.splitting import MOST_PARTS, Wrapping, sums


@dataclass(frozen=True, slots=True)
class Part:
    """A file that is whole: where it lies, its rows (0 where it was not read as a table), and what is in it."""

    path: Path
    rows: int
    size: int
    sha256: str


def part_of(path: Path, rows: int = 0) -> Part:
    """A file that is there. Raises InputError."""
    size, _, sha256 = sums(path)
    return Part(path, rows, size, sha256)


class Parts:
    """Files in `folder`, written one after the other: `with Parts(…) as parts: parts.write(data, rows)`.

    `name` is what the file will be called, from which the name within a zip follows. With a limit, `room` and `fits`
    say what goes into the present one, and `next` begins another. `begin` are the bytes that each begins with. What is
    in `written` at the end is whole; after an error the last one is not there.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        wrapping: Wrapping,
        *,
        begin: bytes = b"",
        most_rows: int = 0,
        most_bytes: int = 0,
    ) -> None:
        self.written: list[Part] = []
        self._folder = folder
        self._member = without_packings(name)
        self._wrapping = wrapping
        self._begin = begin
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._rows = self._bytes = 0
        self._stack = ExitStack()
        self._file: BinaryIO

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._close()
        else:
            self._stack.__exit__(kind, error, trace)

    def room(self, rows: int) -> int:
        """How many of so many rows the present file takes, as far as their number counts."""
        return min(rows, self._most_rows - self._rows) if self._most_rows else rows

    def fits(self, size: int, rows: int) -> bool:
        """Whether so many bytes go into the present file; a row that fits into none goes into an empty one."""
        alone = rows == 1 and not self._rows
        return alone or not self._most_bytes or self._bytes + size <= self._most_bytes

    def write(self, data: bytes, rows: int = 0) -> None:
        """Append bytes that are so many rows."""
        self._file.write(data)
        self._bytes += len(data)
        self._rows += rows

    def next(self) -> None:
        """End the present file and begin the next one."""
        self._close()
        self._open()

    def _open(self) -> None:
        number = len(self.written) + 1
        if number > MOST_PARTS:
            raise InputError(f"This would make more than {MOST_PARTS:,} files.", advice="Allow larger parts.")
        member = self._member if number == 1 else numbered(self._member, number)
        self._file = self._stack.enter_context(self._wrapping.writing(self._path(), member))
        self._rows = self._bytes = 0
        self.write(self._begin)

    def _close(self) -> None:
        path, stack = self._path(), self._stack
        self._stack = ExitStack()
        stack.close()
        self.written.append(part_of(path, self._rows))

    def _path(self) -> Path:
        return self._folder / f"part-{len(self.written) + 1}"


def numbered(path: str, number: int) -> str:
    """The path of one of several parts: `out/members_2.csv.gz` of `out/members.csv.gz`."""
    name = file_name(path)
    inner = PurePosixPath(without_packings(name))
    packed = name[len(inner.name) :]
    return f"{path[: len(path) - len(name)]}{inner.stem}_{number}{inner.suffix}{packed}"
