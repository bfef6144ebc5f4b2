"""A local file on its way to a server, and the note by which a sending that broke off is taken up again."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from connectors.kit.errors import InputError
from connectors.kit.places.disk import not_read

COMPARED = 64 * 1024
"""Bytes at the end of a part that must be the same as ours for the rest of it to be trusted."""

_BLOCK = 4096


class Sending:
    """The file that is sent, open while the block lasts, and `.NAME.sending` beside it as long as it has not arrived.

    The note says which file in which state went where under which temporary name. Without it nothing is taken up
    again: a file of the same name and size, with the same end, may still differ in the middle.
    """

    def __init__(self, local: Path, target: str) -> None:
        """`target` names the place and the path there. Raises InputError when the file can't be read."""
        self._local = local
        self._note = local.with_name(f".{local.name}.sending")
        try:
            self._file: BinaryIO = local.open("rb")
        except OSError as error:
            raise not_read(error, local) from error
        info = os.fstat(self._file.fileno())
        self.size = info.st_size
        self._state: dict[str, Any] = {"target": target, "size": info.st_size, "changed": info.st_mtime_ns}

    def __enter__(self) -> Sending:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """The next bytes, of those that were there at the beginning."""
        try:
            return self._file.read(min(size, max(self.size - self._file.tell(), 0)))
        except OSError as error:
            raise not_read(error, self._local) from error

    def read_at(self, offset: int, size: int) -> bytes:
        """Bytes from anywhere; what is read next is what follows them."""
        self._file.seek(offset)
        return self.read(size)

    def go_to(self, offset: int) -> None:
        """Let `read` begin there."""
        self._file.seek(offset)

    def refuse_change(self) -> None:
        """Raises InputError when the file is not what it was at the beginning."""
        info = os.fstat(self._file.fileno())
        if (info.st_size, info.st_mtime_ns) != (self._state["size"], self._state["changed"]):
            raise InputError(
                f"{self._local.name} changed while it was being sent.",
                advice="Try again when its writer has finished.",
            )

    def part(self) -> tuple[str, int]:
        """Under which temporary name this very file was on its way to this target (empty: it was not), and how much of
        it the server had confirmed, as far as we still know."""
        try:
            noted = json.loads(self._note.read_text(encoding="utf-8"))
            part, confirmed = noted.pop("part"), noted.pop("confirmed")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return "", 0
        return (str(part), int(confirmed)) if noted == self._state else ("", 0)

    def note(self, part: str, confirmed: int = 0) -> None:
        """Remember it. In a folder that can't be written a sending that breaks off begins anew, and that is all."""
        with suppress(OSError):
            self._note.write_text(json.dumps(self._state | {"part": part, "confirmed": confirmed}), encoding="utf-8")

    def forget(self) -> None:
        with suppress(OSError):
            self._note.unlink()

    def agrees(self, tail: bytes, end: int) -> int:
        """Up to where a part that ends at `end` with `tail` is ours; 0 if too little of it is."""
        begin = end - len(tail)
        ours = self.read_at(begin, len(tail))
        blocks = range(0, len(tail), _BLOCK)
        same = next((at for at in blocks if ours[at : at + _BLOCK] != tail[at : at + _BLOCK]), len(tail))
        return begin + same if begin == 0 or same >= COMPARED else 0
