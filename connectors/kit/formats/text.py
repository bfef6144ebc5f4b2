"""Bytes to physical lines, in blocks, for any encoding, with an exact way back from a line to its byte."""

from __future__ import annotations

import codecs
import io
import re

from connectors.kit.formats.streams import ByteStream, read_fully

LINE_LIMIT = 4 * 1024 * 1024
"""Characters of the longest row. A row of millions of tiny fields takes some twenty times its size in memory."""

BLOCK_SIZE = 128 * 1024
"""Small, for speed: the rows of one block stay in the cache of the processor, which makes a difference of a third."""

_REVERSIBLE = frozenset({"ascii", "utf-8", "utf-16-le", "utf-16-be", "windows-1252", "iso8859-1", "iso8859-15"})
"""Encodings in which a piece of text has one form in bytes, whatever stands before it."""

_LONE = re.compile("[\ud800-\udfff]")


class TextLines:
    """Physical lines of a stream from where it stands; a line ends with CR, LF or CRLF, and keeps its end.

    Bytes that are no text in this encoding become lone surrogates (see `has_bad_bytes`). A line of more than
    LINE_LIMIT characters arrives cut, yet longer than the limit, and memory stays bounded while it passes.
    """

    def __init__(self, stream: ByteStream, encoding: str, *, offset: int = 0) -> None:
        """The first byte to read is the one at `offset` of the file."""
        self._stream = stream
        self._head = b""
        self._encoding = encoding
        self._lenient = "surrogatepass" if encoding.startswith("utf-") and encoding != "utf-8" else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._fed = offset
        self._rest = ""
        self._dropping = False
        self._exact = encoding in _REVERSIBLE
        self._rest_strange = False
        self.strange = False
        """Whether the lines of the last `read` may hold NUL characters or bad bytes."""
        self.ended = False
        self.failure: Exception | None = None
        """Why the stream broke off; the lines before are complete, the last partial one is left out."""

    def begin_with(self, head: bytes, *, ended: bool, failure: Exception | None) -> None:
        """Take bytes that were already read from the stream as the first block; `ended` when they are all."""
        self._head = head
        self.ended = ended or failure is not None
        self.failure = failure

    def read(self, at_least: int = 0) -> list[str]:
        """The next lines, of at least about so many bytes; no lines are possible before `ended`."""
        data, self._head = self._head, b""
        if not data:
            size = max(BLOCK_SIZE, at_least)
            data, self.failure = read_fully(self._stream, size)
            self.ended = self.failure is not None or len(data) < size
        self._fed += len(data)
        text = self._rest + self._decode(data)
        if self._dropping:
            text = self._drop(text)
        self.strange = self._rest_strange or "\0" in text
        lines = list(io.StringIO(text, newline=""))
        self._rest = ""
        if lines and (self.failure is not None or not self.ended) and not lines[-1].endswith("\n"):
            self._rest = lines.pop()
        self._rest_strange = self.strange and bool(self._rest)
        if len(self._rest) > LINE_LIMIT + 1 and not self._dropping:
            lines.append(self._rest[: LINE_LIMIT + 1] + "\n")
            self._rest, self._dropping = "", True
        return lines

    def _decode(self, data: bytes) -> str:
        before = self._decoder.getstate()
        final = self.ended and self.failure is None
        try:
            return self._decoder.decode(data, final)
        except UnicodeDecodeError:
            self._rest_strange = True
        self._decoder.setstate(before)
        self._decoder.errors = self._lenient
        try:
            return self._decoder.decode(data, final)
        except UnicodeDecodeError:
            # Half a character at the very end, or a code that UTF-16 and UTF-32 do not have: neither can be
            # written back to bytes, so positions in this file are given up.
            self._exact = False
            self._decoder.setstate(before)
            self._decoder.errors = "replace"
            return self._decoder.decode(data, final).replace("\ufffd", "\udcff")
        finally:
            self._decoder.errors = "strict"

    def _drop(self, text: str) -> str:
        """Leave out the rest of a line that was cut. A CR at the end waits: its LF may be in the next piece."""
        ends = [at for at in (text.find("\r"), text.find("\n")) if at >= 0]
        if not ends:
            return ""
        after = min(ends) + 1
        if text[after - 1] == "\r":
            if after == len(text) and not self.ended:
                return "\r"
            after += text.startswith("\n", after)
        self._dropping = False
        return text[after:]

    def offset_before(self, lines: list[str]) -> int | None:
        """The byte of the file where `lines`, the last ones that `read` handed out, begin.

        None when that can't be said: in an encoding whose bytes depend on what stands before, or after a cut.
        """
        pending = self._decoder.getstate()[0]
        if not self._exact or self._dropping or any_cut(lines):
            return None
        return self._fed - len(pending) - self.size("".join(lines) + self._rest)

    def size(self, text: str) -> int:
        """Bytes that `text` took in the file."""
        return len(text.encode(self._encoding, self._lenient))


def any_cut(lines: list[str]) -> bool:
    return max(map(len, lines), default=0) > LINE_LIMIT


def has_bad_bytes(text: str) -> bool:
    return _LONE.search(text) is not None


def shown(text: str, limit: int) -> str:
    """`text` as it may be stored and shown: bounded, without what no database or window takes."""
    return _LONE.sub("\ufffd", text[:limit]).replace("\0", "\ufffd").rstrip("\r\n")
