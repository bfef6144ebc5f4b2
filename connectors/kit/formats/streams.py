"""The little that a reader needs of a stream of bytes."""

from __future__ import annotations

from typing import Protocol


class ByteStream(Protocol):
    """Bytes read from front to back. Files, `io.BytesIO` and the streams of places and compressions all are one.

    `read(size)` may return fewer bytes than asked for; b"" means the end. `seek` takes an offset from the start.
    """

    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, /) -> int: ...
    def seekable(self) -> bool: ...
    def tell(self) -> int: ...
    def close(self) -> None: ...


def read_fully(stream: ByteStream, size: int) -> tuple[bytes, Exception | None]:
    """`size` bytes, fewer only at the end or before a failure.

    A failure in the middle is returned beside what came before it, so that a reader can hand on the rows that
    did arrive and fail afterwards.
    """
    parts: list[bytes] = []
    while size > 0:
        try:
            part = stream.read(size)
        except Exception as failure:
            return b"".join(parts), failure
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return (parts[0] if len(parts) == 1 else b"".join(parts)), None
