"""gz and zip, recognised by what is in the file and not by its name, and read as streams.

Nothing is ever unpacked to a disk, so names inside an archive are only labels.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from connectors.kit.errors import InputError
from connectors.kit.formats.streams import ByteStream, read_fully

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")

RATIO_LIMIT = 400
"""Deflate cannot pass about 1,030; real tables stay under 50, very repetitive ones reach 200."""
RATIO_CHECKED_FROM = 64 * 1024 * 1024
SIZE_LIMIT = 512 * 1024**3
DIRECTORY_LIMIT = 16 * 1024 * 1024
"""Bytes of a zip's table of contents; Python keeps the whole of it in memory, some ten times larger."""


def decompress(stream: ByteStream, *, member: str | None = None) -> ByteStream:
    """The plain bytes of `stream`, which stands at its start and is seekable.

    A file that is neither gz nor zip comes back as it is. `member` names the file to read in a zip with several.
    Raises InputError: for an encrypted, damaged or ambiguous archive at once; for one that is cut off or unpacks
    to a multiple that no table has, when reading gets there. Closing the result closes `stream` too.
    """
    magic, failure = read_fully(stream, 4)
    if failure is not None:
        raise failure
    stream.seek(0)
    if magic.startswith(GZIP_MAGIC):
        unpacked = gzip.GzipFile(fileobj=cast(IO[bytes], stream), mode="rb")
        return _Unpacked(cast(IO[bytes], unpacked), stream, "gz file")
    if magic in ZIP_MAGICS:
        archive = _open_zip(stream)
        return _Unpacked(_open_member(archive, member), stream, "zip archive")
    return stream


def zip_members(stream: ByteStream) -> list[str] | None:
    """Names of the files in a zip archive, in its order; None when `stream` is no zip. Rewinds the stream."""
    magic, failure = read_fully(stream, 4)
    if failure is not None:
        raise failure
    stream.seek(0)
    if magic not in ZIP_MAGICS:
        return None
    names = [info.filename for info in _files(_open_zip(stream))]
    stream.seek(0)
    return names


class _Unpacked:
    """A decompressor whose failures are sentences and whose appetite has an end."""

    def __init__(self, unpacked: IO[bytes], packed: ByteStream, kind: str) -> None:
        self._unpacked = unpacked
        self._packed = packed
        self._kind = kind
        self._start = 0

    def read(self, size: int, /) -> bytes:
        with self._told():
            data = self._unpacked.read(size)
        self._refuse_bomb(self._unpacked.tell())
        return data

    def seek(self, offset: int, /) -> int:
        """Go to a byte of the contents; everything before it is unpacked on the way."""
        with self._told():
            return self._unpacked.seek(offset)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except EOFError as error:
            raise InputError(
                f"The {self._kind} ends in the middle: it was cut off.",
                advice="Probably it was not copied completely. Get the file once more.",
                details=str(error),
            ) from error
        except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            raise InputError(
                f"The {self._kind} is damaged: its contents do not match its checksum.",
                advice="Get the file once more.",
                details=str(error),
            ) from error

    def _refuse_bomb(self, produced: int) -> None:
        if produced < RATIO_CHECKED_FROM:
            return
        if produced > RATIO_LIMIT * max(self._packed.tell(), 1) or produced > SIZE_LIMIT:
            raise InputError(
                f"The {self._kind} unpacks to far more than a table does, so reading it was stopped.",
                advice="Unpack it yourself and look at it before importing it.",
                details=f"{produced:,} bytes from {self._packed.tell():,}",
            )

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._unpacked.tell()

    def close(self) -> None:
        self._unpacked.close()
        self._packed.close()


def _open_zip(stream: ByteStream) -> zipfile.ZipFile:
    damaged = "The zip archive is incomplete or damaged."
    try:
        if _directory_size(stream) > DIRECTORY_LIMIT:
            raise InputError("The zip archive holds too many files.", advice="Pack only the file to import.")
        return zipfile.ZipFile(cast(IO[bytes], stream))
    except (zipfile.BadZipFile, struct.error, ValueError, OverflowError) as error:
        raise InputError(
            damaged,
            advice="Probably it was not copied completely. Get the file once more.",
            details=str(error),
        ) from error


def _directory_size(stream: ByteStream) -> int:
    """Bytes of the table of contents as the archive's end record states them (APPNOTE.TXT 4.3.14 to 4.3.16)."""
    seeker = cast(IO[bytes], stream)
    size = seeker.seek(0, io.SEEK_END)
    tail_start = max(0, size - 22 - 65_535 - 20)
    seeker.seek(tail_start)
    tail, failure = read_fully(stream, size - tail_start)
    if failure is not None:
        raise failure
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        raise zipfile.BadZipFile("no end record")
    (directory,) = struct.unpack_from("<I", tail, end + 12)
    if end >= 20 and tail[end - 20 : end - 16] == b"PK\x06\x07":
        (wide_end,) = struct.unpack_from("<Q", tail, end - 12)
        seeker.seek(wide_end)
        record, _ = read_fully(stream, 56)
        (directory,) = struct.unpack_from("<Q", record, 40)
    seeker.seek(0)
    return int(directory)


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """What a person means by the files in an archive: no folders, none of the shadows that macOS adds."""
    return [
        info
        for info in archive.infolist()
        if not info.is_dir()
        and not info.filename.startswith("__MACOSX/")
        and info.filename.rsplit("/", 1)[-1] != ".DS_Store"
    ]


def _open_member(archive: zipfile.ZipFile, member: str | None) -> IO[bytes]:
    files = _files(archive)
    if not files:
        raise InputError("The zip archive is empty.", advice="Choose an archive with a file in it.")
    names = ", ".join(info.filename for info in files[:10]) + (" …" if len(files) > 10 else "")
    if member:
        chosen = next((info for info in files if info.filename == member), None)
        if chosen is None:
            raise InputError(f"The zip archive has no file “{member}”.", advice=f"Choose one of these: {names}")
    elif len(files) > 1:
        raise InputError(
            f"The zip archive holds {len(files)} files, and only one can be imported at a time.",
            advice=f"Name the one to read: {names}",
        )
    else:
        chosen = files[0]
    if chosen.flag_bits & 0x1:
        raise InputError(
            f"“{chosen.filename}” in the zip archive is protected by a password.",
            advice="Unpack it with its password and import the file itself.",
        )
    try:
        return archive.open(chosen)
    except NotImplementedError as error:
        raise InputError(
            "The zip archive is packed by a method that can't be read here.",
            advice="Pack it again with the normal method (deflate), or import the file itself.",
            details=str(error),
        ) from error
    except zipfile.BadZipFile as error:
        raise InputError(
            "The zip archive is incomplete or damaged.", advice="Get the file once more.", details=str(error)
        ) from error
