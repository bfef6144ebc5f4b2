"""Zip archives: one member read as a stream, from a file by its table of contents, from a pipe as its parts pass.

Nothing is ever unpacked to a disk, so names inside an archive are only labels.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from connectors.kit.errors import InputError
from connectors.kit.formats.inflate import cut_off, damaged, refuse_bomb
from connectors.kit.formats.streams import ByteStream, read_fully

MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
DIRECTORY_LIMIT = 16 * 1024 * 1024
"""Bytes of a zip's table of contents; Python keeps the whole of it in memory, some ten times larger."""
MEMBER_LIMIT = 10_000
"""Members of an archive that is read as it passes, for which there is no table of contents to look at first."""

_LABEL = "zip archive"
_CHUNK_SIZE = 128 * 1024
_END_LIMIT = 22 + 65_535
"""Bytes of the record that ends an archive, with the longest comment."""
_HEADER = struct.Struct("<4s5H3I2H")
_ENCRYPTED, _SIZES_BEHIND, _UTF8 = 0x1, 0x8, 0x800


def is_data(name: str) -> bool:
    """What a person means by a file in an archive: no folder, none of the shadows that macOS adds."""
    return not (name.endswith("/") or name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] == ".DS_Store")


def members(stream: ByteStream) -> list[str]:
    """Names of the files in an archive, in its order. `stream` stands at its start, and afterwards anywhere."""
    if stream.seekable():
        with _open(stream) as archive:
            return [info.filename for info in archive.infolist() if is_data(info.filename)]
    return _Passing(stream).names()


def open_member(stream: ByteStream, member: str | None) -> tuple[str, ByteStream]:
    """Name and contents of one file of an archive; `stream`, which stands at its start, stays open.

    `member` names the file; without it there must be only one. Raises InputError for an archive that is encrypted,
    damaged or ambiguous at once, or, where the stream can't seek, when reading gets there.
    """
    if stream.seekable():
        archive = _open(stream)
        info = _chosen(archive.infolist(), member)
        return info.filename, _Member(archive, info, stream)
    passing = _Passing(stream)
    return passing.open(member), passing


class _Member:
    """A member of an archive whose table of contents is known; failures are sentences, and appetite has an end."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, packed: ByteStream) -> None:
        self._archive = archive
        self._packed_size = info.compress_size
        try:
            self._inner: IO[bytes] = archive.open(info)
        except NotImplementedError as error:
            raise _unknown_method(str(error)) from error
        except zipfile.BadZipFile as error:
            raise _broken(str(error)) from error
        self._packed = packed

    def read(self, size: int, /) -> bytes:
        try:
            data = self._inner.read(size)
        except EOFError as error:
            raise cut_off(_LABEL, str(error)) from error
        except (zipfile.BadZipFile, zlib.error) as error:
            raise damaged(_LABEL, str(error)) from error
        refuse_bomb(self._inner.tell(), min(self._packed.tell(), self._packed_size), _LABEL)
        return data

    def seek(self, offset: int, /) -> int:
        raise io.UnsupportedOperation("a packed file is read from front to back")

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._inner.tell()

    def close(self) -> None:
        self._inner.close()
        self._archive.close()


def _open(stream: ByteStream) -> zipfile.ZipFile:
    try:
        _look_at_end(stream)
        return zipfile.ZipFile(cast(IO[bytes], stream))
    except (zipfile.BadZipFile, struct.error, ValueError, OverflowError) as error:
        raise _broken(str(error)) from error


def _look_at_end(stream: ByteStream) -> None:
    """Compare what the end record states of the table of contents (APPNOTE.TXT 4.3.14 to 4.3.16) with where it is.

    An archive within an archive that was cut off would else be taken for the archive: zipfile looks for the last end.
    """
    seeker = cast(IO[bytes], stream)
    size = seeker.seek(0, io.SEEK_END)
    tail_start = max(0, size - _END_LIMIT - 20)
    seeker.seek(tail_start)
    tail, failure = read_fully(stream, size - tail_start)
    if failure is not None:
        raise failure
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        raise zipfile.BadZipFile("no end record")
    directory, offset = struct.unpack_from("<2I", tail, end + 12)
    directory_end = tail_start + end
    if end >= 20 and tail[end - 20 : end - 16] == b"PK\x06\x07":
        (directory_end,) = struct.unpack_from("<Q", tail, end - 12)
        seeker.seek(directory_end)
        record, _ = read_fully(stream, 56)
        directory, offset = struct.unpack_from("<2Q", record, 40)
    seeker.seek(0)
    if directory > DIRECTORY_LIMIT:
        raise InputError("The zip archive holds too many files.", advice="Pack only the file to import.")
    if offset + directory != directory_end:
        raise zipfile.BadZipFile(f"the table of contents ends at {directory_end:,}, not {offset + directory:,}")


def _chosen(infos: list[zipfile.ZipInfo], member: str | None) -> zipfile.ZipInfo:
    files = [info for info in infos if is_data(info.filename)]
    _refuse_workbook(info.filename for info in infos)
    if not files:
        raise _empty()
    if member:
        chosen = next((info for info in files if info.filename == member), None)
        if chosen is None:
            raise _absent(member, [info.filename for info in files])
    elif len(files) > 1:
        raise _ambiguous([info.filename for info in files])
    else:
        chosen = files[0]
    if chosen.flag_bits & _ENCRYPTED:
        raise _protected(chosen.filename)
    return chosen


@dataclass(slots=True)
class _Entry:
    """What stands before a member's data (APPNOTE.TXT 4.3.7); `wide` says that sizes have eight bytes."""

    name: str
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    wide: bool


class _Passing:
    """An archive that passes once, from a pipe: its members as they come, one of them as a stream."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._held = b""
        self._consumed = 0
        self._names: list[str] = []
        self._member: str | None = None
        self._contents: Iterator[bytes] = iter(())
        self._ready = b""
        self._produced = 0
        self._ended = False

    def names(self) -> list[str]:
        """All members; everything is read over."""
        while (entry := self._entry()) is not None:
            for _ in self._data(entry):
                pass
        return [name for name in self._names if is_data(name)]

    def open(self, member: str | None) -> str:
        """Go to the member, which `read` then reads; its name."""
        self._member = member
        while (entry := self._entry()) is not None:
            if is_data(entry.name) and member in (None, "", entry.name):
                if entry.flags & _ENCRYPTED:
                    raise _protected(entry.name)
                self._contents = self._data(entry)
                return entry.name
            for _ in self._data(entry):
                pass
        files = [name for name in self._names if is_data(name)]
        raise _absent(member, files) if member and files else _empty()

    def read(self, size: int, /) -> bytes:
        while not self._ready and not self._ended:
            part = next(self._contents, None)
            if part is None:
                self._finish()
                self._ended = True
                break
            self._ready = part
            self._produced += len(part)
            refuse_bomb(self._produced, self._consumed, _LABEL)
        data, self._ready = self._ready[:size], self._ready[size:]
        return data

    def _finish(self) -> None:
        """See that no other file follows when none was named, and let the stream come to its own end."""
        if not self._member:
            others = self.names()
            if len(others) > 1:
                raise _ambiguous(others)
        tail = self._held
        while data := self._stream.read(_CHUNK_SIZE):
            tail = (tail + data)[-_END_LIMIT:]
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or len(tail) - end < 22 + int.from_bytes(tail[end + 20 : end + 22], "little"):
            raise cut_off(_LABEL)

    def _fill(self) -> bool:
        data = self._stream.read(_CHUNK_SIZE)
        self._held += data
        self._consumed += len(data)
        return bool(data)

    def _take(self, size: int) -> bytes:
        while len(self._held) < size:
            if not self._fill():
                raise cut_off(_LABEL)
        data, self._held = self._held[:size], self._held[size:]
        return data

    def _entry(self) -> _Entry | None:
        """The head of the next member; None where the table of contents begins."""
        magic = self._take(4)
        if magic in (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06"):
            self._held = magic + self._held
            return None
        if magic == b"PK\x07\x08" and not self._names:
            # An archive that was to be split but fits into one file begins so.
            magic = self._take(4)
        if magic != b"PK\x03\x04" or len(self._names) >= MEMBER_LIMIT:
            raise _broken(f"{magic!r} after {len(self._names)} members")
        fields = _HEADER.unpack(magic + self._take(_HEADER.size - 4))
        _, _, flags, method, _, _, crc, packed_size, size, name_length, extra_length = fields
        name = self._take(name_length).decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        extra, wide = self._take(extra_length), False
        while len(extra) >= 4:
            kind, length = struct.unpack_from("<2H", extra)
            if kind == 1:
                wide = True
                if length >= 16 and size == 0xFFFFFFFF:
                    size, packed_size = struct.unpack_from("<2Q", extra, 4)
            extra = extra[4 + length :]
        self._names.append(name)
        _refuse_workbook([name])
        return _Entry(name, flags, method, crc, packed_size, size, wide)

    def _data(self, entry: _Entry) -> Iterator[bytes]:
        """The contents of a member, compared with its checksum at the end. All of it must be taken."""
        behind = bool(entry.flags & _SIZES_BEHIND)
        crc = size = 0
        if entry.flags & _ENCRYPTED or entry.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            if behind or (is_data(entry.name) and self._member in (None, "", entry.name)):
                raise _protected(entry.name) if entry.flags & _ENCRYPTED else _unknown_method(str(entry.method))
            for _ in self._stored(entry.packed_size):
                pass
            return
        if entry.method == zipfile.ZIP_STORED and behind and not entry.name.endswith("/"):
            raise InputError(
                "The zip archive does not say how long its files are, so it can't be read as it comes.",
                advice="Pack it again with the normal method (deflate), or with gz.",
            )
        parts = self._stored(entry.packed_size) if entry.method == zipfile.ZIP_STORED else self._inflated()
        for part in parts:
            crc, size = zlib.crc32(part, crc), size + len(part)
            yield part
        if behind:
            entry.crc, entry.size = self._behind(entry.wide)
        if (crc, size) != (entry.crc, entry.size):
            raise damaged(_LABEL, entry.name)

    def _stored(self, size: int) -> Iterator[bytes]:
        while size > 0:
            if not self._held and not self._fill():
                raise cut_off(_LABEL)
            part, self._held = self._held[:size], self._held[size:]
            size -= len(part)
            yield part

    def _inflated(self) -> Iterator[bytes]:
        inner = zlib.decompressobj(wbits=-15)
        ended = False
        while not ended:
            more = bool(self._held) or self._fill()
            data, self._held = self._held, b""
            try:
                part = inner.decompress(data, _CHUNK_SIZE)
            except zlib.error as error:
                raise damaged(_LABEL, str(error)) from error
            ended = inner.eof
            self._held = inner.unused_data if ended else inner.unconsumed_tail
            if not more and not part and not ended:
                raise cut_off(_LABEL)
            yield part

    def _behind(self, wide: bool) -> tuple[int, int]:
        """Checksum and size, where they were not known when the member was begun (APPNOTE.TXT 4.3.9)."""
        first = self._take(4)
        if first == b"PK\x07\x08":
            first = self._take(4)
        _, size = struct.unpack("<2Q" if wide else "<2I", self._take(16 if wide else 8))
        return int.from_bytes(first, "little"), size

    def seek(self, offset: int, /) -> int:
        raise io.UnsupportedOperation("a packed file is read from front to back")

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._produced - len(self._ready)

    def close(self) -> None:
        self._ended = True


def _refuse_workbook(names: Iterable[str]) -> None:
    if "[Content_Types].xml" in names:
        raise InputError(
            "This file is an Excel workbook or another Office document.",
            advice="Export the sheet as CSV and choose that file.",
        )


def _empty() -> InputError:
    return InputError("The zip archive is empty.", advice="Choose an archive with a file in it.")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:10]) + (" …" if len(names) > 10 else "")


def _absent(member: str, names: list[str]) -> InputError:
    return InputError(f"The zip archive has no file “{member}”.", advice=f"Choose one of these: {_listed(names)}")


def _ambiguous(names: list[str]) -> InputError:
    return InputError(
        f"The zip archive holds {len(names)} files, and only one can be imported at a time.",
        advice=f"Name the one to read: {_listed(names)}",
    )


def _protected(name: str) -> InputError:
    return InputError(
        f"“{name}” in the zip archive is protected by a password.",
        advice="Unpack it with its password and import the file itself.",
    )


def _unknown_method(details: str) -> InputError:
    return InputError(
        "The zip archive is packed by a method that can't be read here.",
        advice="Pack it again with the normal method (deflate), or import the file itself.",
        details=details,
    )


def _broken(details: str) -> InputError:
    return InputError(
        "The zip archive is incomplete or damaged.",
        advice="Probably it was not copied completely. Get the file once more.",
        details=details,
    )
