"""Where the elements of a JSON array begin and end, without holding the array.

A block of elements is cut where one element seems to end and parsed as a whole: if that succeeds, the cut was right,
since JSON can be read in one way only. What does not parse is walked through character by character.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.kit.errors import InputError
from connectors.kit.formats.streams import ByteStream
from connectors.kit.formats.text import LINE_LIMIT

TOO_LONG = f"The record is longer than {LINE_LIMIT:,} bytes."
UNPAIRED = "A quotation mark in this record has no partner."
KEPT_SIZE = 16_000
"""Bytes of an element that can't be read which are kept to be shown."""

LEVELS_SEEN = 20
"""Levels of brackets that are looked for quickly; few records have more."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_BLOCK_SIZE = 256 * 1024
_TRIES = 8
"""Places that are tried as the end of a block. Most that are wrong lie in lists within elements."""
_TAIL_SIZE = 64 * 1024

_BETWEEN = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
_OPENING = re.compile(rb'\{[ \t\r\n]*"[^"]{0,200}"')
_BETWEEN_LINES = re.compile(rb"\}[ \t\r]*\n[ \t\r\n]*\{")
_SEPARATORS = re.compile(rb"[ \t\r\n,]*")
_SCALAR = re.compile(rb"[^ \t\r\n,\[\]{\"]+|.", re.DOTALL)
_MARK = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\\n]')


class Lost(Exception):
    """The next element can't be found; the message says why, as part of a sentence."""


@dataclass(slots=True)
class Elements:
    """Elements in a row, the bytes that they took with what stands around them, and what is wrong with some.

    A bad element stands as None; `faults` has its reason and its text, by its index. `deep` is whether there may be
    more than LEVELS_SEEN levels in one of them, `nul` whether there may be NUL characters.
    """

    values: list[Any]
    size: int
    faults: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    deep: bool = False
    nul: bool = False

    def take(self, other: Elements) -> None:
        """Put others behind these."""
        self.faults |= {len(self.values) + index: fault for index, fault in other.faults.items()}
        self.values += other.values
        self.deep |= other.deep
        self.nul |= other.nul


class ElementScanner:
    """Elements of an array whose opening bracket is behind, or (not `array`) values in a row until the end.

    `read` gives the next bytes, b"" at the end. `indent` is what stands before each element that begins a line, if they
    all do: where an element is broken, the next one can be found by it.
    """

    def __init__(self, read: Callable[[], bytes], *, array: bool, indent: bytes | None) -> None:
        self._read = read
        self._array = array
        self._indent = indent
        self._data = b""
        self._size = 0
        self._ended = False
        self._closed = False

    def blocks(self) -> Iterator[Elements]:
        """All elements. Raises Lost after the ones before it."""
        while True:
            while len(self._data) < _BLOCK_SIZE and self._fill():
                pass
            if self._between_and_done():
                return
            elements = self._many()
            lost: Lost | None = None
            if elements is None:
                elements, lost = self._some(len(self._data))
            elements.size, self._size = self._size, 0
            if elements.values:
                yield elements
            if lost is not None:
                raise lost

    def _some(self, size: int) -> tuple[Elements, Lost | None]:
        """Elements one by one, until at least `size` bytes have passed: what is wrong with them stays so till then."""
        elements, end = Elements([], 0), self._size + size
        try:
            while self._size < end and not self._between_and_done():
                elements.take(self._one())
        except Lost as lost:
            return elements, lost
        return elements, None

    def _fill(self) -> bool:
        if not self._ended:
            data = self._read()
            self._data += data
            self._ended = not data
        return not self._ended

    def _drop(self, size: int) -> None:
        self._data = self._data[size:]
        self._size += size

    def _skip_separators(self) -> None:
        while True:
            found = _SEPARATORS.match(self._data)
            self._drop(found.end() if found else 0)
            if self._data or not self._fill():
                return

    def _between_and_done(self) -> bool:
        """Pass what stands between two elements; whether none is left."""
        if self._closed:
            return True
        self._skip_separators()
        if not self._data:
            if self._array:
                raise Lost("the array is not closed: the file was cut off")
            return True
        if self._array and self._data.startswith(b"]"):
            self._drop(1)
            self._skip_separators()
            if self._data:
                raise Lost("the array is closed, but something follows it")
            self._closed = True
        return self._closed

    def _many(self) -> Elements | None:
        """The elements up to a place near the end of what is there; None where no such place is found."""
        data = self._data
        if self._ended and (values := self._whole(data, closed=self._array)) is not None:
            self._closed = True
            return self._good(values, len(data))
        between = _BETWEEN if self._array else _BETWEEN_LINES
        places = list(between.finditer(data, max(0, len(data) - _TAIL_SIZE)))
        # Elements mostly begin alike; objects in a list within them begin otherwise.
        opening = found[0] if (found := _OPENING.match(data)) else b""
        places.sort(key=lambda place: data.startswith(opening, place.end() - 1))
        for place in reversed(places[-_TRIES:]):
            if (values := self._whole(data[: place.start() + 1], closed=False)) is not None:
                return self._good(values, place.end() - 1)
        return None

    def _whole(self, data: bytes, *, closed: bool) -> list[Any] | None:
        """The elements in `data`, if that ends where one of them does; `closed` says that the array's end follows."""
        if not self._array:
            # No text has a line break in it, so this can't be within one.
            data = _BETWEEN_LINES.sub(b"},{", data)
        try:
            values: list[Any] = orjson.loads(b"[%b" % data if closed else b"[%b]" % data)
        except orjson.JSONDecodeError:
            return None
        return values

    def _good(self, values: list[Any], size: int) -> Elements:
        data = self._data[:size]
        self._drop(size)
        return Elements(values, 0, deep=_may_be_deep(data), nul=b"\\u0000" in data)

    def _one(self) -> Elements:
        """The next element."""
        first = self._data[:1]
        if first not in (b"{", b"[", b'"'):
            return self._parsed(self._scalar_end())
        depth, position, in_string, head = 0, 0, False, b""
        while True:
            found = (_IN_STRING if in_string else _MARK).search(self._data, position)
            if found is None:
                position = max(position, len(self._data))
                if head or len(self._data) > LINE_LIMIT:
                    head = head or self._data[:KEPT_SIZE]
                    position -= len(self._data)
                    self._drop(len(self._data))
                if not self._fill():
                    raise Lost("it is not complete: the file was cut off")
                continue
            position, mark = found.end(), found[0]
            if in_string:
                if mark == b"\\":
                    position += 1
                elif mark == b"\n":
                    return self._unpaired(head, position)
                else:
                    in_string = False
            elif mark == b'"':
                in_string = True
            else:
                depth += 1 if mark in b"{[" else -1
            if depth == 0 and not in_string:
                break
        if head or position > LINE_LIMIT:
            head = head or self._data[:KEPT_SIZE]
            self._drop(position)
            return Elements([None], 0, {0: (TOO_LONG, head)})
        return self._parsed(position)

    def _scalar_end(self) -> int:
        while True:
            found = _SCALAR.match(self._data)
            end = found.end() if found else len(self._data)
            if end < len(self._data) or end > LINE_LIMIT or not self._fill():
                return end

    def _parsed(self, size: int) -> Elements:
        data = self._data[:size]
        try:
            return self._good([orjson.loads(data)], size)
        except orjson.JSONDecodeError as error:
            self._drop(size)
            return Elements([None], 0, {0: (why(data, error), data[:KEPT_SIZE])})

    def _unpaired(self, head: bytes, position: int) -> Elements:
        """Give up an element with a text that does not end in its line, and go on at the next that begins a line."""
        if self._indent is None:
            raise Lost("a quotation mark in it has no partner")
        head = head or self._data[: position - 1][:KEPT_SIZE]
        begin = b"\n" + self._indent + b"{"
        position -= 1
        while (found := self._data.find(begin, position)) < 0:
            self._drop(max(0, len(self._data) - len(begin) + 1))
            position = 0
            if not self._fill():
                self._drop(len(self._data))
                self._closed = True
                return Elements([None], 0, {0: (UNPAIRED, head)})
        self._drop(found + 1)
        return Elements([None], 0, {0: (UNPAIRED, head)})


def _may_be_deep(data: bytes) -> bool:
    """Whether pairs of brackets remain after the innermost ones were taken off some times; texts may hold more."""
    brackets = data.translate(None, _NO_BRACKETS)
    for _ in range(LEVELS_SEEN):
        if not brackets:
            break
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return bool(brackets)


def why(data: bytes, error: orjson.JSONDecodeError) -> str:
    """A sentence for what a parser met in the bytes of a record."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "The record contains bytes that are no UTF-8 text."
    if "depth limit" in error.msg:
        return "The record is nested too deeply."
    if error.pos >= len(data.rstrip()):
        return "The record is no JSON: it ends in the middle."
    return f"The record is no JSON: it can't be read from character {error.pos + 1:,} on."


class Transcoded:
    """A text file in another encoding, as UTF-8. What is no text in it becomes bytes that are no UTF-8 either."""

    def __init__(self, head: bytes, stream: ByteStream, encoding: str) -> None:
        """`head` are bytes that were already read from `stream`, without the byte order mark."""
        self._head = head
        self._stream = stream
        wide = encoding.startswith("utf-")
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass" if wide else "surrogateescape")
        self._escaped = "surrogatepass" if wide else "surrogateescape"
        self._position = 0
        self._ready = b""

    def read(self, size: int, /) -> bytes:
        while not self._ready:
            data, self._head = self._head or self._stream.read(size), b""
            try:
                text = self._decoder.decode(data, not data)
            except UnicodeDecodeError as error:
                raise InputError(
                    "The file ends in the middle of a character, or is not in the encoding that it seems to be in.",
                    advice="Export it again as UTF-8.",
                    details=str(error),
                ) from error
            self._ready = text.encode("utf-8", self._escaped)
            if not data:
                break
        part, self._ready = self._ready[:size], self._ready[size:]
        self._position += len(part)
        return part

    def seek(self, offset: int, /) -> int:
        raise io.UnsupportedOperation("a file in another encoding is read from front to back")

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        self._stream.close()
