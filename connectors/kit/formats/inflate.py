"""gz, bz2 and zstd read as streams, from sources that need not be able to seek, and without trust in them."""

from __future__ import annotations

import bz2
import io
import zlib
from typing import Literal, Protocol

import zstandard

from connectors.kit.errors import InputError
from connectors.kit.formats.streams import ByteStream

Kind = Literal["gz", "bz2", "zstd"]

RATIO_LIMIT = 400
"""Deflate cannot pass about 1,030; real tables stay under 50, very repetitive ones reach 200."""
RATIO_CHECKED_FROM = 64 * 1024 * 1024
SIZE_LIMIT = 512 * 1024**3

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
_MAGICS: dict[Kind, tuple[bytes, ...]] = {
    "gz": (b"\x1f\x8b",),
    "bz2": (b"BZh",),
    "zstd": (ZSTD_MAGIC, *_SKIPPABLE),
}
_CHUNK_SIZE = 128 * 1024
_ZSTD_PIECE = 1024
"""Four bytes of zstd can stand for 128 KB, and it hands out all that its input makes: 32 MB from so many bytes."""
_ZSTD_WINDOW = 128 * 1024 * 1024
"""What the zstd program, too, allows by itself."""


def refuse_bomb(produced: int, consumed: int, kind: str) -> None:
    """Raise InputError when `consumed` bytes have unpacked to more than a table ever does."""
    if produced >= RATIO_CHECKED_FROM and (produced > RATIO_LIMIT * max(consumed, 1) or produced > SIZE_LIMIT):
        raise InputError(
            f"The {kind} unpacks to far more than a table does, so reading it was stopped.",
            advice="Unpack it yourself and look at it before importing it.",
            details=f"{produced:,} bytes from {consumed:,}",
        )


def cut_off(kind: str, details: str = "") -> InputError:
    return InputError(
        f"The {kind} ends in the middle: it was cut off.",
        advice="Probably it was not copied completely. Get the file once more.",
        details=details,
    )


def damaged(kind: str, details: str = "") -> InputError:
    return InputError(
        f"The {kind} is damaged: its contents do not match its checksum.",
        advice="Get the file once more.",
        details=details,
    )


class _Decoder(Protocol):
    """One member of a packed file: a gz member, a bz2 stream, a zstd frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decode(self, data: bytes, size: int) -> tuple[bytes, bytes]:
        """At most about `size` bytes from `data`, and what of `data` is still to be given again."""
        ...


class _Gz:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decode(self, data: bytes, size: int) -> tuple[bytes, bytes]:
        part = self._inner.decompress(data, size)
        # At the end the rest is in both.
        return part, b"" if self._inner.eof else self._inner.unconsumed_tail


class _Bz2:
    def __init__(self) -> None:
        self._inner = bz2.BZ2Decompressor()

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decode(self, data: bytes, size: int) -> tuple[bytes, bytes]:
        if not self._inner.needs_input:
            # It still has of what it was given before, and would pile up whatever came on top.
            return self._inner.decompress(b"", size), data
        return self._inner.decompress(data, size), b""


class _Zstd:
    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decode(self, data: bytes, size: int) -> tuple[bytes, bytes]:
        return self._inner.decompress(data[:_ZSTD_PIECE]), data[_ZSTD_PIECE:]


_DECODERS: dict[Kind, type[_Gz | _Bz2 | _Zstd]] = {"gz": _Gz, "bz2": _Bz2, "zstd": _Zstd}


class Inflated:
    """The contents of a packed stream that stands at its start; several packed parts in a row are one.

    Reading raises InputError when the file is damaged or unpacks to a multiple that no table has, and after the last
    good bytes when it was cut off. `packed` stays open.
    """

    def __init__(self, packed: ByteStream, kind: Kind) -> None:
        self._packed = packed
        self._kind = kind
        self._label = f"{kind} file"
        self._decoder: _Decoder = _DECODERS[kind]()
        self._left = b""
        self._consumed = 0
        self._produced = 0
        self._ended = False
        self._failure: InputError | None = None

    def read(self, size: int, /) -> bytes:
        parts: list[bytes] = []
        wanted = min(size, _CHUNK_SIZE)
        while wanted > 0 and not self._ended and self._failure is None:
            part = self._more(wanted)
            parts.append(part)
            wanted -= len(part)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if not data and self._failure is not None:
            raise self._failure
        self._produced += len(data)
        refuse_bomb(self._produced, self._consumed, self._label)
        return data

    def _more(self, size: int) -> bytes:
        """Some of the contents; may be empty. Notes the end, or why there is none."""
        if self._decoder.eof and not self._next_part():
            return b""
        last = False
        if not self._left:
            last = not self._fill()
        try:
            part, self._left = self._decoder.decode(self._left, size)
        except (zlib.error, zstandard.ZstdError, OSError, EOFError, ValueError) as error:
            self._failure = self._told(str(error))
            return b""
        if last and not part and not self._decoder.eof:
            self._failure = cut_off(self._label)
        return part

    def _fill(self) -> bool:
        self._left = self._packed.read(_CHUNK_SIZE)
        self._consumed += len(self._left)
        return bool(self._left)

    def _next_part(self) -> bool:
        """Go on to what follows a part that is complete; False at the end of the file."""
        rest, self._left = self._decoder.unused_data + self._left, b""
        while True:
            if self._kind == "gz":
                # A file that was on a tape is filled up with zeros.
                rest = rest.lstrip(b"\0")
            if len(rest) >= 4 or not self._fill():
                break
            rest, self._left = rest + self._left, b""
        if not rest:
            self._ended = True
        elif not rest.startswith(_MAGICS[self._kind]):
            self._failure = InputError(
                f"The {self._label} is followed by something else, so it can't be trusted to be whole.",
                advice="Get the file once more.",
            )
        else:
            self._decoder, self._left = _DECODERS[self._kind](), rest
            return True
        return False

    def _told(self, details: str) -> InputError:
        if "too much memory" in details:
            return InputError(
                "The zstd file is packed with a window of more than 128 MB, which takes too much memory.",
                advice="Pack it again without --long or --ultra.",
                details=details,
            )
        return damaged(self._label, details)

    def seek(self, offset: int, /) -> int:
        raise io.UnsupportedOperation("a packed file is read from front to back")

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._produced

    def close(self) -> None:
        self._ended = True
