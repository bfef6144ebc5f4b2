"""Files on an SFTP server as a place."""

from __future__ import annotations

import errno
import posixpath
import stat as stat_module
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import paramiko

from connectors.kit.errors import InputError, WaitError
from connectors.kit.places.base import ENTRY_LIMIT, Entry, FileMark, Progress, in_order
from connectors.kit.places.partial import PartialFile
from connectors.kit.places.ssh import connect_ssh
from connectors.kit.places.transfer import open_channel, read_range

ANSWER_SECONDS = 60
"""How long the server may be silent before the connection counts as lost."""

_AHEAD = 256 * 1024
_COMPARED = 256 * 1024
"""Bytes at the end of an interrupted fetch that are read again, to be sure that they are of the same file."""


class SftpPlace:
    """Files below a folder on a server; made by `connect`. A path that begins with / is taken from the top."""

    def __init__(self, transport: paramiko.Transport, host: str, username: str, folder: str) -> None:
        self._transport = transport
        self._host = host
        self._username = username
        self._folder = folder
        channel: paramiko.Channel | None = None
        try:
            self._sftp = open_channel(transport)
            channel = self._sftp.get_channel()
        except paramiko.ChannelException as error:
            raise InputError(
                f"{host} lets {username} in but offers no file transfer (SFTP).",
                advice="Ask the server's owner to switch on SFTP for this user.",
                details=str(error),
            ) from error
        except (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError) as error:
            if transport.is_active():
                raise InputError(
                    f"{host} lets {username} in but offers no file transfer (SFTP).",
                    advice="Ask the server's owner to switch on SFTP for this user.",
                    details=str(error),
                ) from error
            raise self._lost(error) from error
        assert channel is not None
        self.channel = channel
        channel.settimeout(ANSWER_SECONDS)

    @property
    def label(self) -> str:
        return f"{self._username}@{self._host}"

    def list(self, path: str = "") -> list[Entry]:
        folder = self._absolute(path)
        entries: list[Entry] = []
        with self._told(path or self._folder or "."):
            for attributes in self._sftp.listdir_iter(folder):
                if len(entries) >= ENTRY_LIMIT:
                    raise InputError(
                        f"The folder {folder} holds more than {ENTRY_LIMIT:,} files.",
                        advice="Type the name of the file, or have old files moved away.",
                    )
                name = attributes.filename
                if "/" in name or "\0" in name:
                    continue
                entries.append(_entry(name, posixpath.join(path, name), attributes))
            links = [entry for entry in entries if entry.size < 0]
        for entry in links:
            # Only the target of a link says whether it is a folder; one that leads nowhere is no file.
            entries.remove(entry)
            with suppress(InputError):
                entries.append(self.stat(entry.path))
        return in_order(entries)

    def stat(self, path: str) -> Entry:
        with self._told(path):
            attributes = self._sftp.stat(self._absolute(path))
        return _entry(posixpath.basename(path), path, attributes)

    def open(self, path: str) -> RemoteFile:
        with self._told(path):
            attributes = self._sftp.stat(self._absolute(path))
            if stat_module.S_ISDIR(attributes.st_mode or 0):
                raise InputError(f"“{path}” is a folder, not a file.", advice="Choose a file in it.")
            file = self._sftp.open(self._absolute(path), "rb")
        return RemoteFile(self, file, path, attributes.st_size or 0)

    def fetch(self, path: str, local: Path, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        with self.open(path) as remote:
            mark = self._mark(path)
            part = PartialFile(local, f"sftp://{self._host}{self._absolute(path)}", mark, resume=resume)
            if resume and part.is_there() and part.tail_of_whole(_COMPARED) == remote.tail(mark.size, _COMPARED):
                return mark
            if part.size and part.tail(_COMPARED) != remote.tail(part.size, _COMPARED):
                part.discard()
            with part, self._told(path):
                for data in read_range(self.channel, remote.handle, part.size, mark.size - part.size):
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
        """As the Protocol says. It is written as `.NAME.part` beside its name."""
        target = self._absolute(path)
        folder, name = posixpath.split(target)
        part = posixpath.join(folder, f".{name}.part")
        with self._told(path):
            self._make_folders(folder)
            with local.open("rb") as source:
                self._sftp.putfo(source, part, callback=progress, confirm=False)
            try:
                self._sftp.posix_rename(part, target)
            except OSError:
                with suppress(OSError):
                    self._sftp.remove(target)
                self._sftp.rename(part, target)
        try:
            return self._mark(path)
        except InputError:
            return FileMark(local.stat().st_size, None)

    def move(self, path: str, to: str) -> None:
        with self._told(path):
            self._make_folders(posixpath.dirname(self._absolute(to)))
            self._sftp.rename(self._absolute(path), self._absolute(to))

    def delete(self, path: str) -> None:
        with self._told(path):
            try:
                self._sftp.remove(self._absolute(path))
            except FileNotFoundError:
                return

    def _make_folders(self, folder: str) -> None:
        missing: list[str] = []
        while folder not in ("", "/"):
            try:
                self._sftp.stat(folder)
                break
            except FileNotFoundError:
                missing.append(folder)
                folder = posixpath.dirname(folder)
        for one in reversed(missing):
            self._sftp.mkdir(one)

    def close(self) -> None:
        self._transport.close()

    def read_range(self, handle: bytes, path: str, offset: int, size: int) -> bytes:
        """Up to `size` bytes of an open file, fewer only at its end."""
        with self._told(path):
            return b"".join(read_range(self.channel, handle, offset, size))

    def _mark(self, path: str) -> FileMark:
        entry = self.stat(path)
        return FileMark(entry.size, entry.modified)

    def _absolute(self, path: str) -> str:
        return posixpath.join(self._folder, path) if self._folder or path else "."

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        """Turn what paramiko raises into sentences."""
        try:
            yield
        except (TimeoutError, EOFError, paramiko.SSHException) as error:
            raise self._lost(error) from error
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self._host} uses file names in “{path}” that are not UTF-8.",
                advice="Type the name of the file instead of choosing it, or rename the files on the server.",
                details=str(error),
            ) from error
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise InputError(
                    f"“{path}” is not on {self._host}.",
                    advice="Check the name and the folder; perhaps the file has not been delivered yet.",
                    details=str(error),
                ) from error
            if error.errno == errno.EACCES:
                raise InputError(
                    f"{self._username} may not read “{path}” on {self._host}.",
                    advice="Ask the server's owner for the right to read it.",
                    details=str(error),
                ) from error
            if not self._transport.is_active() or self.channel.closed:
                raise self._lost(error) from error
            raise InputError(
                f"{self._host} could not read “{path}”.",
                advice="Ask the server's owner to look into it.",
                details=str(error),
            ) from error

    def _lost(self, error: Exception) -> WaitError:
        return WaitError(
            f"The connection to {self._host} was lost.",
            advice="Run the job again; it goes on where it stopped.",
            details=str(error),
        )


class RemoteFile:
    """A file on the server, read where it is; keeps a quarter of a megabyte so that small reads cost no journey."""

    def __init__(self, place: SftpPlace, file: paramiko.SFTPFile, path: str, size: int) -> None:
        # What the stubs call an object of its own is the server's handle, plain bytes.
        self.handle = cast(bytes, file.handle)
        self._place = place
        self._file = file
        self._path = path
        self._size = size
        self._at = 0
        self._kept = b""
        self._kept_at = 0

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            size = max(self._size - self._at, 0)
        start = self._at - self._kept_at
        if not 0 <= start <= len(self._kept) - size:
            count = max(min(max(size, _AHEAD), self._size - self._at), 0)
            self._kept = self._place.read_range(self.handle, self._path, self._at, count) if count else b""
            self._kept_at, start = self._at, 0
        data = self._kept[start : start + size]
        self._at += len(data)
        if len(self._kept) > _AHEAD:
            self._kept = b""
        return data

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
        # Nothing is lost with a connection that is gone already.
        with suppress(OSError, EOFError, paramiko.SSHException):
            self._file.close()

    def __enter__(self) -> RemoteFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


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


def _entry(name: str, path: str, attributes: paramiko.SFTPAttributes) -> Entry:
    """An entry as the server describes it; a link has size -1, for its description says nothing of its target."""
    mode = attributes.st_mode or 0
    modified = None if attributes.st_mtime is None else datetime.fromtimestamp(attributes.st_mtime, UTC)
    size = -1 if stat_module.S_ISLNK(mode) else attributes.st_size or 0
    return Entry(name, path, stat_module.S_ISDIR(mode), size, modified)
