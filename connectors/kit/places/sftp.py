"""Files on an SFTP server as a place."""

from __future__ import annotations

import posixpath
import stat as stat_module
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import paramiko

from connectors.kit.errors import ConnectorError, InputError, WaitError
from connectors.kit.places import session as protocol
from connectors.kit.places.base import ENTRY_LIMIT, Entry, FileMark, Progress, in_order
from connectors.kit.places.partial import PartialFile
from connectors.kit.places.refusals import not_read, not_written
from connectors.kit.places.remote import RemoteFile
from connectors.kit.places.sending import COMPARED, Sending
from connectors.kit.places.session import UNCONFIRMED, Attributes, ProtocolError, Session, StatusError
from connectors.kit.places.ssh import connect_ssh
from connectors.kit.places.syncing import Syncing
from connectors.kit.places.transfer import open_channel

_Found = TypeVar("_Found")


class SftpPlace:
    """Files below a folder on a server; made by `connect`. A path that begins with / is taken from the top."""

    def __init__(self, transport: paramiko.Transport, host: str, username: str, folder: str) -> None:
        self._transport = transport
        self._host = host
        self._username = username
        self._folder = folder
        try:
            channel = open_channel(transport)
            self.session = Session(channel)
        except (paramiko.SSHException, EOFError, OSError) as error:
            if transport.is_active() or isinstance(error, paramiko.ChannelException | ProtocolError):
                raise InputError(
                    f"{host} lets {username} in but offers no file transfer (SFTP).",
                    advice="Ask the server's owner to switch on SFTP for this user.",
                    details=str(error),
                ) from error
            raise self._lost(error) from error
        self.channel = channel

    @property
    def label(self) -> str:
        return f"{self._username}@{self._host}"

    def list(self, path: str = "") -> list[Entry]:
        entries: list[Entry] = []
        links: list[Entry] = []
        with self.reading(path or self._folder or "."):
            for found in self._call(path, lambda folder: self._named(folder, path)):
                name = _text(found.name)
                if not name or "/" in name or "\0" in name:
                    # No name of a file, but perhaps an attempt to be taken for a path.
                    continue
                entry, is_link = _entry(name, posixpath.join(path, name), found.attributes, found.listing[:1])
                (links if is_link else entries).append(entry)
            # Only the target of a link says whether it is a folder; one that leads nowhere is no file.
            targets = self.session.stats([self._absolute(link.path) for link in links])
            for link, attributes in zip(links, targets, strict=True):
                if attributes is not None:
                    entries.append(_entry(link.name, link.path, attributes)[0])
        return in_order(entries)

    def _named(self, folder: bytes, path: str) -> Sequence[protocol.Named]:
        found: deque[protocol.Named] = deque()
        for one in self.session.entries(folder):
            if len(found) >= ENTRY_LIMIT:
                raise InputError(
                    f"The folder “{path or self._folder or '.'}” holds more than {ENTRY_LIMIT:,} files.",
                    advice="Type the name of the file, or have old files moved away.",
                )
            found.append(one)
        return found

    def stat(self, path: str) -> Entry:
        with self.reading(path):
            attributes = self._call(path, self.session.stat)
        return _entry(posixpath.basename(path), path, attributes)[0]

    def open(self, path: str) -> RemoteFile:
        with self.reading(path):
            attributes = self._call(path, self.session.stat)
            if stat_module.S_ISDIR(attributes.mode or 0):
                raise InputError(f"“{path}” is a folder, not a file.", advice="Choose a file in it.")
            handle = self._call(path, lambda name: self.session.open(name, protocol.READ))
        return RemoteFile(self, handle, path, attributes.size or 0)

    def fetch(self, path: str, local: Path, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        with self.open(path) as remote:
            mark = self._mark(path)
            part = PartialFile(local, f"sftp://{self._host}{self._joined(path)}", mark, resume=resume)
            if resume and part.is_there() and part.tail_of_whole(COMPARED) == remote.tail(mark.size, COMPARED):
                return mark
            if part.size and part.tail(COMPARED) != remote.tail(part.size, COMPARED):
                part.discard()
            with part, self.reading(path):
                for data in self.session.read(remote.handle, part.size, mark.size):
                    part.append(data)
                    if progress is not None:
                        progress(part.size, mark.size)
            if self._mark(path) != mark or part.size != mark.size:
                part.discard()
                raise InputError(
                    f"“{path}” changed on the server while it was being fetched.",
                    advice="Run the job again when whoever writes the file has finished.",
                )
        part.finish()
        return mark

    def send(self, local: Path, path: str, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        """As the Protocol says. It is written as `.NAME.part` beside its name (`NAME.part` where the server takes no
        names with a dot) and renamed at the end; where a server can't replace a file in one step, the one that was
        there is `.NAME.old` for that moment.

        With `resume`, what an interrupted sending of the same file left there is kept as far as it agrees with ours;
        which one that was, `.LOCALNAME.sending` beside the local file tells. A server that shows neither what was
        written nor when is believed when it confirms.
        """
        if posixpath.basename(path) in ("", ".", ".."):
            raise InputError(f"“{path}” is no name of a file.", advice="Choose a name for the file.")
        target = self._absolute(path)
        with Sending(local, f"sftp://{self._username}@{self._host}/{self._joined(path)}") as sent, self.writing(path):
            with suppress(StatusError):
                if stat_module.S_ISDIR(self.session.stat(target).mode or 0):
                    raise InputError(f"“{path}” is a folder, not a file.", advice="Choose another name for the file.")
            part, confirmed = sent.part() if resume else ("", 0)
            if not (part and confirmed == sent.size and self._has_arrived(_bytes(part), target, sent)):
                self._publish(self._write_part(path, part, confirmed, sent, progress), target)
        sent.forget()
        with suppress(ConnectorError):
            # Some servers move a file away the moment that it has its name.
            mark = self._mark(path)
            if mark.size == sent.size:
                return mark
        return FileMark(sent.size, None)

    def _write_part(self, path: str, kept: str, confirmed: int, sent: Sending, progress: Progress | None) -> bytes:
        """Write the file under a temporary name, from where an earlier attempt ended; its path."""
        part, handle, start = self._begin(path, kept, confirmed, sent)
        done = start
        try:
            sent.go_to(start)
            with closing(Syncing(self._transport, self.session, part)) as syncing:
                for done in self.session.write(handle, start, sent.read):
                    syncing.reached(done)
                    if progress is not None:
                        progress(done, sent.size)
            with suppress(StatusError):
                # Not every server can; one that fails here is found out by the size or when closing.
                self.session.sync(handle)
            whole, handle = handle, b""
            self.session.close(whole)
            sent.refuse_change()
            with suppress(StatusError):
                size = self.session.stat(part).size
                if size is not None and size != sent.size:
                    raise InputError(
                        f"Of the {sent.size:,} bytes of “{path}” {size:,} are on {self._host}.",
                        advice="Run the job again; if it happens again, ask the server's owner to look into it.",
                    )
        except (StatusError, InputError) as error:
            # Nothing to go on with: what was written is no beginning of the file, or there is no room for it. How
            # much room there is has to be asked before it is given back.
            again = start > 0 and isinstance(error, StatusError)
            told = self._not_written(error, path) if isinstance(error, StatusError) else None
            with suppress(OSError, EOFError, paramiko.SSHException):
                if handle:
                    with suppress(StatusError):
                        self.session.close(handle)
                self.session.remove(part)
            sent.forget()
            if again:
                # Some servers only write files from the beginning.
                return self._write_part(path, "", 0, sent, progress)
            if told is not None:
                raise told from error
            raise
        except BaseException:
            sent.note(part.decode("utf-8"), done)
            with suppress(OSError, EOFError, paramiko.SSHException):
                if handle:
                    self.session.close(handle)
            raise
        # Before the renaming, whose answer may be lost.
        sent.note(part.decode("utf-8"), sent.size)
        return part

    def _begin(self, path: str, kept: str, confirmed: int, sent: Sending) -> tuple[bytes, bytes, int]:
        """A temporary file to be written: its path, its handle, and how much of it is there already."""
        if kept:
            part = _bytes(kept)
            start = self._agreed(part, confirmed, sent)
            if start:
                with suppress(StatusError):
                    return part, self.session.open(part, protocol.WRITE), start
        folder, name = posixpath.split(self._joined(path))
        refused: StatusError | None = None
        for temporary in (f".{name}.part", f"{name}.part"):
            joined = posixpath.join(folder, temporary)
            part = _bytes(joined)
            # Not only emptied: a session that the server has not given up yet may still write into the old one.
            with suppress(StatusError):
                self.session.remove(part)
            try:
                handle = self._create(part)
            except StatusError as error:
                if error.is_missing:
                    raise
                refused = refused or error
                continue
            sent.note(joined)
            return part, handle, 0
        assert refused is not None
        raise refused

    def _create(self, part: bytes) -> bytes:
        flags = protocol.WRITE | protocol.CREATE | protocol.TRUNCATE
        try:
            return self.session.open(part, flags)
        except StatusError as error:
            if not error.is_missing:
                raise
        self._make_folders(posixpath.dirname(part))
        return self.session.open(part, flags)

    def _agreed(self, part: bytes, confirmed: int, sent: Sending) -> int:
        """How much of what lies on the server is the beginning of our file; 0 where it can't be seen."""
        try:
            size = self.session.stat(part).size
            if not size or size > sent.size:
                return 0
            if 0 < confirmed <= size:
                return sent.agrees(self._tail(part, confirmed, COMPARED), confirmed)
            # A server that writes in parallel may have left holes, but only in what it had not confirmed.
            return sent.agrees(self._tail(part, size, UNCONFIRMED + COMPARED), size)
        except StatusError:
            return 0

    def _tail(self, path: bytes, end: int, size: int) -> bytes:
        handle = self.session.open(path, protocol.READ)
        try:
            return b"".join(self.session.read(handle, max(0, end - size), end))
        finally:
            self.session.close(handle)

    def _has_arrived(self, part: bytes, target: bytes, sent: Sending) -> bool:
        """Whether the connection was lost after the file got its name, but before we heard of it."""
        try:
            self.session.stat(part)
        except StatusError as error:
            if not error.is_missing:
                return False
        else:
            return False
        try:
            size = self.session.stat(target).size
            return size == sent.size and sent.agrees(self._tail(target, size, COMPARED), size) == size
        except StatusError:
            return False

    def _publish(self, part: bytes, target: bytes) -> None:
        """Give a whole file its name, in one step where the server can."""
        try:
            self.session.replace(part, target)
            return
        except StatusError as error:
            if error.code != protocol.UNSUPPORTED:
                raise
        folder, name = posixpath.split(target)
        aside = posixpath.join(folder, b"." + name + b".old")
        try:
            self.session.rename(part, target)
        except StatusError as error:
            # By the rules it fails when there is a file of that name; that one is kept until ours has the name.
            try:
                self.session.rename(target, aside)
            except StatusError:
                raise error from None
            try:
                self.session.rename(part, target)
            except StatusError:
                self.session.rename(aside, target)
                raise
        with suppress(StatusError):
            self.session.remove(aside)

    def move(self, path: str, to: str) -> None:
        """As the Protocol says. Asked first and then done, since some servers replace what is there."""
        target = self._absolute(to)
        with self.writing(path):
            with suppress(StatusError):
                self.session.lstat(target)
                raise InputError(
                    f"“{to}” is on {self._host} already, so “{path}” stays where it is.",
                    advice="Move the other file away, or choose another name.",
                )
            try:
                self._call(path, lambda name: self.session.rename(name, target))
            except StatusError as error:
                if not error.is_missing:
                    raise
                self._call(path, self.session.lstat)
                self._make_folders(posixpath.dirname(target))
                self._call(path, lambda name: self.session.rename(name, target))

    def delete(self, path: str) -> None:
        with self.writing(path):
            try:
                self._call(path, self.session.remove)
            except StatusError as error:
                if error.is_missing:
                    return
                with suppress(StatusError):
                    if stat_module.S_ISDIR(self._call(path, self.session.lstat).mode or 0):
                        raise InputError(f"“{path}” is a folder, not a file.", advice="Choose a file in it.") from error
                raise

    def close(self) -> None:
        self._transport.close()

    def _make_folders(self, folder: bytes) -> None:
        """Make a folder and those above it, but not the place's own: that one missing is a mistake to be told."""
        if folder == _bytes(self._folder.rstrip("/")):
            raise InputError(
                f"The folder “{self._folder or '.'}” is not on {self._host}.",
                advice="Check the folder of the authorization, or ask the server's owner to make it.",
            )
        try:
            self.session.make_folder(folder)
        except StatusError as error:
            if error.is_missing and posixpath.dirname(folder) not in (b"", folder):
                self._make_folders(posixpath.dirname(folder))
                self.session.make_folder(folder)
            elif not stat_module.S_ISDIR(self.session.stat(folder).mode or 0):
                # Somebody may have made it in between.
                raise

    def _mark(self, path: str) -> FileMark:
        entry = self.stat(path)
        return FileMark(entry.size, entry.modified)

    def _joined(self, path: str) -> str:
        return posixpath.join(self._folder, path) if self._folder or path else "."

    def _absolute(self, path: str) -> bytes:
        if "\0" in path:
            raise InputError("A file's name can't contain the character 0.", advice="Choose another name.")
        return _bytes(self._joined(path))

    def _call(self, path: str, function: Callable[[bytes], _Found]) -> _Found:
        """Do something with a path, in the older spelling (Latin-1) if the server knows no other."""
        try:
            return function(self._absolute(path))
        except StatusError as error:
            older = self._joined(path).encode("latin-1", "replace")
            if not error.is_missing or path.isascii() or _text(older) != self._joined(path):
                raise
            return function(older)

    @contextmanager
    def reading(self, path: str) -> Iterator[None]:
        """Turn what goes wrong with reading into sentences."""
        try:
            yield
        except StatusError as error:
            raise not_read(error, path, self._host, self._username) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error

    @contextmanager
    def writing(self, path: str) -> Iterator[None]:
        """The same with writing, which may also fail for want of room."""
        try:
            yield
        except StatusError as error:
            raise self._not_written(error, path) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error

    def _not_written(self, error: StatusError, path: str) -> InputError:
        room = None
        with suppress(OSError, EOFError, paramiko.SSHException):
            room = self.session.room(posixpath.dirname(self._absolute(path)) or b".")
        return not_written(error, path, self._host, self._username, room)

    def _lost(self, error: Exception) -> WaitError:
        return WaitError(
            f"The connection to {self._host} was lost.",
            advice="Run the job again; it goes on where it stopped.",
            details=str(error),
        )


def connect(
    host: str,
    port: int,
    username: str,
    *,
    password: str | None = None,
    private_key: str | None = None,
    passphrase: str | None = None,
    known_host_key: str | None = None,
    folder: str = "",
    timeout: float = 15,
) -> SftpPlace:
    """Sign in and stand in `folder` (empty: the user's home). See `connect_ssh` for the rest and for errors."""
    transport = connect_ssh(
        host,
        port,
        username,
        password=password,
        private_key=private_key,
        passphrase=passphrase,
        known_host_key=known_host_key,
        timeout=timeout,
    )
    try:
        return SftpPlace(transport, host, username, folder)
    except BaseException:
        transport.close()
        raise


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "replace")


def _text(name: bytes) -> str:
    """A name as text: UTF-8, or Latin-1 as older servers have it, which takes any bytes."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _entry(name: str, path: str, attributes: Attributes, kind: bytes = b"-") -> tuple[Entry, bool]:
    """An entry as the server describes it, and whether it is a link, whose description says nothing of its target.

    `kind` is how the entry's line begins in a long listing, for servers that send no mode.
    """
    mode = attributes.mode
    is_folder = stat_module.S_ISDIR(mode) if mode else kind == b"d"
    is_link = stat_module.S_ISLNK(mode) if mode else kind == b"l"
    modified = None if attributes.modified is None else datetime.fromtimestamp(attributes.modified, UTC)
    return Entry(name, path, is_folder, attributes.size or 0, modified), is_link
