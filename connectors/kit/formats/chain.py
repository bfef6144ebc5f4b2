"""Whatever a file is packed in, in any order and nesting, taken off as a stream: by what is in it, not by its name."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Literal

from connectors.kit.errors import InputError
from connectors.kit.formats import zips
from connectors.kit.formats.inflate import ZSTD_MAGIC, Inflated, refuse_bomb
from connectors.kit.formats.streams import ByteStream, read_fully
from connectors.kit.pgp.streams import decrypted

DEPTH_LIMIT = 6
HEAD_SIZE = 512

_ASYMMETRIC = (b"", b"\x01", b"\x02", b"\x10", b"\x12", b"\x19", b"\x1a")
"""RSA, ElGamal, ECDH, X25519 and X448."""
_SYMMETRIC = (b"", *(bytes([number]) for number in range(1, 14)))
_ARMOR = b"-----BEGIN PGP MESSAGE-----"
_BEFORE_ARMOR = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*")

Packing = Literal["PGP", "gz", "bz2", "zstd", "zip"]


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens encrypted files: an armored private key, and its passphrase if it has one."""

    private_key: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)


class Unpacked:
    """The contents of a file. `steps` says what was taken off, from the outside ("PGP", "gz", "zip: people.csv").

    `name` is that of the file in a zip, else "". Seekable only where nothing is packed. Closing is the context's.
    """

    def __init__(self, inner: ByteStream, outer: ByteStream, steps: tuple[str, ...], name: str) -> None:
        self.steps = steps
        self.name = name
        self._inner = inner
        self._outer = outer

    def read(self, size: int, /) -> bytes:
        data = self._inner.read(size)
        if self.steps:
            # Each step has its own limit; a packing within a packing would multiply them.
            refuse_bomb(self._inner.tell(), self._outer.tell(), "file")
        return data

    def seek(self, offset: int, /) -> int:
        if self.steps:
            raise io.UnsupportedOperation("a packed file is read from front to back")
        return self._inner.seek(offset)

    def seekable(self) -> bool:
        return not self.steps and self._inner.seekable()

    def tell(self) -> int:
        return self._inner.tell()

    def close(self) -> None:
        """Nothing: what was opened is closed when the context is left."""


@contextmanager
def unpacked(stream: ByteStream, *, keys: Keys | None = None, member: str | None = None) -> Iterator[Unpacked]:
    """The plain contents of `stream`, which stands at its start and stays open.

    `member` names the file to read in a zip with several. Raises InputError: at once for an archive that is damaged,
    protected or ambiguous and for a file that `keys` do not open; when reading gets there for one that was cut off,
    changed or unpacks to a multiple that no table has.
    """
    with ExitStack() as stack:
        current, steps, name = stream, list[str](), ""
        while True:
            kind, current = _recognised(current)
            if kind is None:
                break
            if len(steps) == DEPTH_LIMIT:
                raise InputError(
                    f"The file is packed more than {DEPTH_LIMIT} times over.",
                    advice="Unpack it yourself and look at it before importing it.",
                )
            if kind == "PGP":
                if keys is None or not keys.private_key.strip():
                    raise InputError(
                        "The file is encrypted with PGP, and there is no private key to decrypt it with.",
                        advice="Enter the PGP private key in the authorization.",
                    )
                current = stack.enter_context(decrypted(current, keys.private_key, keys.passphrase))
                steps.append(kind)
            elif kind == "zip":
                name, current = zips.open_member(current, member)
                stack.callback(current.close)
                steps.append(f"zip: {name}")
            else:
                current = Inflated(current, kind)
                steps.append(kind)
        yield Unpacked(current, stream, tuple(steps), name)


def members(stream: ByteStream, *, keys: Keys | None = None) -> list[str]:
    """Names of the files in a zip archive, whatever that is packed in; empty where there is none.

    `stream` stands at its start and stays open; where the archive is packed once more, all of it is read.
    """
    with ExitStack() as stack:
        current = stream
        for _ in range(DEPTH_LIMIT):
            kind, current = _recognised(current)
            if kind == "zip":
                return zips.members(current)
            if kind is None or (kind == "PGP" and keys is None):
                break
            if kind == "PGP" and keys is not None:
                current = stack.enter_context(decrypted(current, keys.private_key, keys.passphrase))
            elif kind != "PGP":
                current = Inflated(current, kind)
    return []


def _recognised(stream: ByteStream) -> tuple[Packing | None, ByteStream]:
    """What a stream is packed in, and the stream at its start again."""
    head, failure = read_fully(stream, HEAD_SIZE)
    if failure is not None and not head:
        raise failure
    kind = _kind(head)
    skipped = 0
    if kind == "PGP" and (found := _BEFORE_ARMOR.match(head)):
        # gpg expects the armor at the start of a line.
        skipped = found.end()
    if stream.seekable():
        stream.seek(skipped)
        return kind, stream
    return kind, _Peeked(head[skipped:], stream, failure)


def _kind(head: bytes) -> Packing | None:
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head[:3] == b"BZh" and (head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90") or len(head) < 10):
        return "bz2"
    if head.startswith(ZSTD_MAGIC):
        return "zstd"
    if head.startswith(zips.MAGICS):
        return "zip"
    if head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n").startswith(_ARMOR) or _is_pgp(head):
        return "PGP"
    return None


def _is_pgp(head: bytes) -> bool:
    """Whether a binary file begins with a packet that holds a key of the message (RFC 9580, 4.2, 5.1, 5.3).

    That is tag 1, for a public key, or tag 3, for a passphrase. Their versions, lengths and algorithms are looked at,
    since Windows-1252 and UTF-16 have texts that begin with the same byte.
    """
    if not head or not head[0] & 0x80:
        return False
    if head[0] & 0x40:
        tag = head[0] & 0x3F
        start = 2 if head[1:2] < b"\xc0" else 3
        size = head[1] if start == 2 and len(head) > 1 else int.from_bytes(head[1:3], "big") - 0xC000 + 192
    else:
        tag = head[0] >> 2 & 0xF
        start = (2, 3, 5, 1)[head[0] & 3]
        size = int.from_bytes(head[1:start], "big")
    body = head[start:]
    if tag == 1:
        # A file that was cut off before these bytes is still one.
        known = body[:1] == b"\x06" or (body[:1] == b"\x03" and body[9:10] in _ASYMMETRIC)
        return known and 20 <= size <= 4_200
    if tag == 3:
        return body[:1] in (b"\x04", b"\x05", b"\x06") and body[1:2] in _SYMMETRIC and 4 <= size <= 300
    return False


class _Peeked:
    """A stream that can't seek, from its start again after its head was looked at."""

    def __init__(self, head: bytes, rest: ByteStream, failure: Exception | None) -> None:
        self._head = head
        self._rest = rest
        self._failure = failure
        self._position = 0

    def read(self, size: int, /) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
        elif self._failure is not None:
            raise self._failure
        else:
            data = self._rest.read(size)
        self._position += len(data)
        return data

    def seek(self, offset: int, /) -> int:
        raise io.UnsupportedOperation("a packed file is read from front to back")

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        self._rest.close()
