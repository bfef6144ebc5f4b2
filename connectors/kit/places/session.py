"""The SFTP protocol, version 3, as a client speaks it: many requests under way at once, answers told by their codes.

Of https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02, with the additions of OpenSSH
(https://github.com/openssh/openssh-portable/blob/master/PROTOCOL) where a server offers them.

paramiko's own client keeps neither: it waits for each answer, and knows four of the codes that servers send.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import paramiko

IN_FLIGHT = 8 * 1024 * 1024
"""Bytes that are asked for and under way at most: the bound on memory, and on speed over long distances."""

UNCONFIRMED = 4 * 1024 * 1024
"""Bytes that are sent and not confirmed at most. Before them, a file that breaks off has no holes."""

READ_SIZE = 255 * 1024
"""Bytes asked for at once. OpenSSH answers up to 255 KB; servers with less answer short, and are asked for less."""

WRITE_SIZE = 32 * 1024
"""Bytes that every server must take at once; more only where it says so (limits@openssh.com)."""

READ, WRITE, CREATE, TRUNCATE = 0x01, 0x02, 0x08, 0x10
"""What a file is opened for."""

_ANSWER_LIMIT = 16 * 1024 * 1024
_FOLDERS_AHEAD = 8
_STATS_AHEAD = 64
_INIT, _VERSION, _OPEN, _CLOSE, _READ, _WRITE, _LSTAT = 1, 2, 3, 4, 5, 6, 7
_OPENDIR, _READDIR, _REMOVE, _MKDIR, _STAT, _RENAME = 11, 12, 13, 14, 17, 18
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS, _EXTENDED, _EXTENDED_REPLY = 101, 102, 103, 104, 105, 200, 201
_OK = 0
END_OF_FILE, NOT_THERE, NOT_ALLOWED, FAILURE, UNSUPPORTED = 1, 2, 3, 4, 8
# Of later versions of the protocol; some servers send them all the same.
NO_SUCH_PATH, ALREADY_THERE, WRITE_PROTECTED, NO_SPACE, QUOTA, INVALID_NAME = 10, 11, 12, 14, 15, 20


class StatusError(OSError):
    """The server refuses something: `code` of the protocol and its own words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"the server reports {code}: {words}" if words else f"the server reports {code}")
        self.code = code
        self.words = words

    @property
    def is_missing(self) -> bool:
        return self.code in (NOT_THERE, NO_SUCH_PATH)


class ProtocolError(EOFError):
    """The server's answer makes no sense; the connection is of no use any more."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a server says of a file: bytes, Unix mode and seconds since 1970; None for what it keeps to itself."""

    size: int | None
    mode: int | None
    modified: int | None


@dataclass(frozen=True, slots=True)
class Named:
    """An entry of a folder; `listing` is its line as `ls -l` prints it, for servers that send no mode."""

    name: bytes
    listing: bytes
    attributes: Attributes


class Session:
    """One SFTP session on a channel. Functions block, are called from one thread at a time, and take paths as bytes.

    They raise StatusError for what the server refuses, TimeoutError when it is silent, EOFError and other kinds of
    OSError when the connection is lost.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        """Raises ProtocolError when what answers is no SFTP server of this version."""
        self._channel = channel
        self._number = 0
        self._waiting: set[int] = set()
        self._answers: dict[int, bytes] = {}
        self._write_limit: int | None = None
        self._piece = max(channel.out_max_packet_size - 64, 1024)
        self._send(struct.pack(">IBI", 5, _INIT, 3))
        packet = self._packet()
        if packet[0] != _VERSION or int.from_bytes(packet[1:5], "big") != 3:
            raise ProtocolError(f"the server's greeting is {packet[:40]!r}")
        self.offers = _pairs(packet[5:])
        """Additions to the protocol by name, with their versions."""

    def open(self, path: bytes, flags: int) -> bytes:
        """The handle of a file."""
        return self._handle(_OPEN, _text(path) + struct.pack(">II", flags, 0))

    def close(self, handle: bytes) -> None:
        self._done(_CLOSE, _text(handle))

    def stat(self, path: bytes) -> Attributes:
        """Of the file, or of what a link leads to."""
        return self._attributes(_STAT, _text(path))

    def lstat(self, path: bytes) -> Attributes:
        """Of the file or the link itself."""
        return self._attributes(_LSTAT, _text(path))

    def stats(self, paths: list[bytes]) -> Iterator[Attributes | None]:
        """The same as `stat` of many, in their order, None where the server refuses."""
        numbers = deque(self._ask(_STAT, _text(path)) for path in paths[:_STATS_AHEAD])
        following = iter(paths[_STATS_AHEAD:])
        while numbers:
            answer = self._answer(numbers.popleft())
            numbers.extend(self._ask(_STAT, _text(path)) for path in islice(following, 1))
            yield _attributes(answer, 5)[0] if answer[0] == _ATTRS else None

    def entries(self, path: bytes) -> Iterator[Named]:
        """What is in a folder, without itself and the one above. Who asks says when it is too much."""
        handle = self._handle(_OPENDIR, _text(path))
        numbers = deque(self._ask(_READDIR, _text(handle)) for _ in range(_FOLDERS_AHEAD))
        try:
            while True:
                answer = self._answer(numbers.popleft())
                if answer[0] != _NAME:
                    error = _status(answer)
                    if error.code == END_OF_FILE:
                        return
                    raise error
                names = _names(answer)
                if not names:
                    raise ProtocolError("the server lists nothing again and again")
                numbers.append(self._ask(_READDIR, _text(handle)))
                yield from (one for one in names if one.name not in (b".", b".."))
        finally:
            self._forget(numbers)
            self._waiting.discard(self._ask(_CLOSE, _text(handle)))

    def make_folder(self, path: bytes) -> None:
        self._done(_MKDIR, _text(path) + struct.pack(">I", 0))

    def remove(self, path: bytes) -> None:
        self._done(_REMOVE, _text(path))

    def rename(self, path: bytes, to: bytes) -> None:
        """By the rules of version 3: refused if there is a file of that name (some servers replace it)."""
        self._done(_RENAME, _text(path) + _text(to))

    def replace(self, path: bytes, to: bytes) -> None:
        """Give a name to a file in one step, whatever had it before. Raises StatusError UNSUPPORTED."""
        self._extended(b"posix-rename@openssh.com", _text(path) + _text(to))

    @property
    def can_sync(self) -> bool:
        return b"fsync@openssh.com" in self.offers

    def sync(self, handle: bytes) -> None:
        """Have the server bring an open file to its disk. Raises StatusError UNSUPPORTED."""
        self._extended(b"fsync@openssh.com", _text(handle))

    def begin_sync(self, handle: bytes) -> int:
        """The same without waiting: the number under which `end_sync` has the answer."""
        return self._ask(_EXTENDED, _text(b"fsync@openssh.com") + _text(handle))

    def end_sync(self, number: int) -> None:
        _raise_unless_ok(self._answer(number))

    def is_answered(self, number: int) -> bool:
        """Whether an answer has begun to arrive, if it is the only one that is waited for."""
        return number in self._answers or bool(self._channel.recv_ready())

    def end(self) -> None:
        """End the session, but not the connection."""
        self._channel.close()

    def room(self, path: bytes) -> int | None:
        """Bytes that are free for us on the disk of a path; None when the server does not tell."""
        if b"statvfs@openssh.com" not in self.offers:
            return None
        answer = self._answer(self._ask(_EXTENDED, _text(b"statvfs@openssh.com") + _text(path)))
        if answer[0] != _EXTENDED_REPLY or len(answer) < 45:
            return None
        _, unit, _, _, free = struct.unpack_from(">QQQQQ", answer, 5)
        return int(unit * free)

    def read(self, handle: bytes, offset: int, end: int, *, ahead: int = IN_FLIGHT) -> Reading:
        """The bytes of an open file from `offset` to `end`."""
        return Reading(self, handle, offset, end, ahead)

    def write(self, handle: bytes, offset: int, source: Callable[[int], bytes]) -> Iterator[int]:
        """Write what `source(size)` gives until it gives nothing; how far the server has confirmed everything.

        Raises StatusError when a part is refused; what was sent after it may have been written or not.
        """
        size = self._write_size()
        under_way: deque[tuple[int, int]] = deque()
        """Requests in the order of the file: number, and where the part ends."""
        confirmed = offset
        fixed = 13 + 4 + len(handle) + 4
        prefix = _text(handle)
        try:
            while data := source(size):
                self._number = (self._number + 1) & 0xFFFF_FFFF
                self._waiting.add(self._number)
                head = struct.pack(">IBI", fixed + len(data), _WRITE, self._number) + prefix
                self._send(head + struct.pack(">QI", offset, len(data)), data)
                offset += len(data)
                under_way.append((self._number, offset))
                while under_way and (offset - confirmed > UNCONFIRMED - size or self._channel.recv_ready()):
                    number, confirmed = under_way.popleft()
                    _raise_unless_ok(self._answer(number))
                    yield confirmed
            while under_way:
                number, confirmed = under_way.popleft()
                _raise_unless_ok(self._answer(number))
                yield confirmed
        finally:
            self._forget(number for number, _ in under_way)

    def _write_size(self) -> int:
        if self._write_limit is None:
            self._write_limit = WRITE_SIZE
            if b"limits@openssh.com" in self.offers:
                answer = self._answer(self._ask(_EXTENDED, _text(b"limits@openssh.com")))
                if answer[0] == _EXTENDED_REPLY and len(answer) >= 37:
                    (most,) = struct.unpack_from(">Q", answer, 21)
                    self._write_limit = max(WRITE_SIZE, min(most, READ_SIZE))
        return self._write_limit

    def _handle(self, kind: int, body: bytes) -> bytes:
        answer = self._answer(self._ask(kind, body))
        if answer[0] != _HANDLE:
            raise _status(answer)
        return _take(answer, 5)[0]

    def _attributes(self, kind: int, body: bytes) -> Attributes:
        answer = self._answer(self._ask(kind, body))
        if answer[0] != _ATTRS:
            raise _status(answer)
        return _attributes(answer, 5)[0]

    def _done(self, kind: int, body: bytes) -> None:
        _raise_unless_ok(self._answer(self._ask(kind, body)))

    def _extended(self, name: bytes, body: bytes) -> None:
        if name not in self.offers:
            raise StatusError(UNSUPPORTED, "")
        self._done(_EXTENDED, _text(name) + body)

    def _ask(self, kind: int, body: bytes) -> int:
        """Send a request; its number, under which the answer is to be had."""
        self._number = (self._number + 1) & 0xFFFF_FFFF
        self._waiting.add(self._number)
        self._send(struct.pack(">IBI", len(body) + 5, kind, self._number) + body)
        return self._number

    def _answer(self, number: int) -> bytes:
        """The answer to a request, from its type on; those to others are kept until they are asked for."""
        while number not in self._answers:
            packet = self._packet()
            if len(packet) < 5:
                raise ProtocolError(f"the server answers {packet!r}")
            of = int.from_bytes(packet[1:5], "big")
            if of in self._waiting:
                self._answers[of] = packet
        self._waiting.discard(number)
        return self._answers.pop(number)

    def _forget(self, numbers: Iterator[int] | deque[int]) -> None:
        """Have answers thrown away that nobody will ask for."""
        for number in numbers:
            self._waiting.discard(number)
            self._answers.pop(number, None)

    def _send(self, *parts: bytes) -> None:
        """In pieces that fit into a packet of the connection, so that none is copied more than once."""
        for part in parts:
            at = 0
            while at < len(part):
                sent = self._channel.send(part[at : at + self._piece])
                if not sent:
                    raise EOFError("the connection was closed")
                at += sent

    def _packet(self) -> bytes:
        length = int.from_bytes(self._exactly(4), "big")
        if not 1 <= length <= _ANSWER_LIMIT:
            raise ProtocolError("the server's answer makes no sense")
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = self._channel.recv(count)
        while len(data) < count:
            more = self._channel.recv(count - len(data))
            if not more:
                raise EOFError("the connection was closed")
            data += more
        return data


class Reading:
    """The bytes of an open file in order, part by part, with requests for up to `ahead` bytes under way.

    Ends before its end when the file does. Other requests may be made in between. Raises as the session does.
    """

    def __init__(self, session: Session, handle: bytes, offset: int, end: int, ahead: int) -> None:
        self.ahead = ahead
        self._session = session
        self._handle = handle
        self._asked = offset
        self._end = end
        self._size = READ_SIZE
        self._in_flight = 0
        self._waiting: deque[tuple[int, int, int]] = deque()
        """Requests in the order of the file: number, offset, bytes."""

    def __iter__(self) -> Reading:
        return self

    def __next__(self) -> memoryview:
        while self._asked < self._end and (not self._waiting or self._in_flight + self._size <= self.ahead):
            count = min(self._size, self._end - self._asked)
            self._waiting.append((self._ask(self._asked, count), self._asked, count))
            self._asked += count
            self._in_flight += count
        if not self._waiting:
            raise StopIteration
        number, at, count = self._waiting.popleft()
        answer = self._session._answer(number)
        self._in_flight -= count
        if answer[0] != _DATA:
            self.close()
            error = _status(answer)
            if error.code == END_OF_FILE:
                raise StopIteration
            raise error
        data = memoryview(answer)[9 : 9 + int.from_bytes(answer[5:9], "big")]
        if not 0 < len(data) <= count:
            self.close()
            if not data:
                raise StopIteration
            raise ProtocolError("the server sends more than it was asked for")
        if len(data) < count:
            # As smaller servers do; what is missing is asked for at once, and less from then on.
            self._size = max(min(self._size, len(data)), 4096)
            self._waiting.appendleft((self._ask(at + len(data), count - len(data)), at + len(data), count - len(data)))
            self._in_flight += count - len(data)
        return data

    def close(self) -> None:
        """Give up; what is under way is thrown away when it arrives."""
        self._session._forget(number for number, _, _ in self._waiting)
        self._waiting.clear()
        self._asked = self._end
        self._in_flight = 0

    def _ask(self, offset: int, count: int) -> int:
        return self._session._ask(_READ, _text(self._handle) + struct.pack(">QI", offset, count))


def _text(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _take(packet: bytes, at: int) -> tuple[bytes, int]:
    """A text of a packet, and where what follows begins."""
    end = at + 4 + int.from_bytes(packet[at : at + 4], "big")
    if at + 4 > len(packet) or end > len(packet):
        raise ProtocolError("the server's answer is cut off")
    return packet[at + 4 : end], end


def _pairs(packet: bytes) -> dict[bytes, bytes]:
    """The additions that a server offers; what is no pair at the end is of no interest."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(packet):
        try:
            name, at = _take(packet, at)
            found[name], at = _take(packet, at)
        except ProtocolError:
            break
    return found


def _attributes(packet: bytes, at: int) -> tuple[Attributes, int]:
    """Attributes of a packet, and where what follows begins."""
    size = mode = modified = None
    try:
        (flags,) = struct.unpack_from(">I", packet, at)
        at += 4
        if flags & 0x1:
            (size,) = struct.unpack_from(">Q", packet, at)
            at += 8
        if flags & 0x2:
            at += 8
        if flags & 0x4:
            (mode,) = struct.unpack_from(">I", packet, at)
            at += 4
        if flags & 0x8:
            _, modified = struct.unpack_from(">II", packet, at)
            at += 8
        if flags & 0x8000_0000:
            (count,) = struct.unpack_from(">I", packet, at)
            at += 4
            for _ in range(2 * count):
                _, at = _take(packet, at)
    except struct.error as error:
        raise ProtocolError("the server's answer is cut off") from error
    # Servers that keep no times say 1970.
    return Attributes(size, mode, modified or None), at


def _names(packet: bytes) -> list[Named]:
    found: list[Named] = []
    at = 9
    for _ in range(int.from_bytes(packet[5:9], "big")):
        name, at = _take(packet, at)
        listing, at = _take(packet, at)
        attributes, at = _attributes(packet, at)
        found.append(Named(name, listing, attributes))
    return found


def _status(packet: bytes) -> StatusError:
    if packet[0] != _STATUS or len(packet) < 9:
        raise ProtocolError(f"the server answers with an unexpected {packet[0]}")
    words = packet[13 : 13 + int.from_bytes(packet[9:13], "big")]
    return StatusError(int.from_bytes(packet[5:9], "big"), words[:300].decode("utf-8", "replace"))


def _raise_unless_ok(packet: bytes) -> None:
    error = _status(packet)
    if error.code != _OK:
        raise error
