"""A file on an SFTP server, read where it is."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from typing import Protocol

import paramiko

from connectors.kit.errors import InputError
from connectors.kit.places.session import IN_FLIGHT, Reading, Session

_AHEAD = 256 * 1024


class _Owner(Protocol):
    @property
    def session(self) -> Session: ...
    def reading(self, path: str) -> AbstractContextManager[None]: ...


class RemoteFile:
    """Bytes from anywhere in a file of `size` bytes; what is longer than that was added meanwhile and is left alone.

    Who reads on and on is given more and more ahead of time, as much as was read so far and 8 MB at most; who jumps
    about, a quarter of a megabyte. Raises as places do, and InputError when the file became shorter.
    """

    def __init__(self, owner: _Owner, handle: bytes, path: str, size: int) -> None:
        self._owner = owner
        self.handle = handle
        self._path = path
        self._size = size
        self._at = 0
        self._kept = memoryview(b"")
        self._kept_at = 0
        self._parts: Reading | None = None
        self._begun_at = 0

    def read(self, size: int = -1, /) -> bytes:
        left = max(self._size - self._at, 0)
        wanted = left if size < 0 else min(size, left)
        data = self._from_kept(wanted)
        if len(data) == wanted:
            return data
        found = [data]
        missing = wanted - len(data)
        while missing:
            self._next_part(missing)
            data = self._from_kept(missing)
            found.append(data)
            missing -= len(data)
        return b"".join(found)

    def _from_kept(self, size: int) -> bytes:
        start = self._at - self._kept_at
        if not 0 <= start < len(self._kept):
            return b""
        data = bytes(self._kept[start : start + size])
        self._at += len(data)
        return data

    def _next_part(self, missing: int) -> None:
        """Keep the part of the file that begins where we are."""
        parts = self._parts
        if parts is None or self._at != self._kept_at + len(self._kept):
            if parts is not None:
                parts.close()
            parts = self._parts = self._owner.session.read(self.handle, self._at, self._size)
            self._begun_at = self._at
        parts.ahead = min(max(self._at - self._begun_at, missing, _AHEAD), IN_FLIGHT)
        self._kept_at = self._at
        with self._owner.reading(self._path):
            part = next(parts, None)
        if part is None:
            raise InputError(
                f"“{self._path}” became shorter while it was being read.",
                advice="Try again when whoever writes the file has finished.",
            )
        self._kept = part

    def tail(self, end: int, size: int) -> bytes:
        """The last `size` bytes before `end`, fewer if there are not so many."""
        self.seek(max(0, end - size))
        return self.read(min(size, end))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        base = (0, self._at, self._size)[whence]
        self._at = max(base + offset, 0)
        return self._at

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if self._parts is not None:
            self._parts.close()
            self._parts = None
        if self.handle:
            handle, self.handle = self.handle, b""
            # Nothing is lost with a connection that is gone already.
            with suppress(OSError, EOFError, paramiko.SSHException):
                self._owner.session.close(handle)

    def __enter__(self) -> RemoteFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
