"""Having a server bring a large file to its disk while the rest of it is still on its way.

A server deals with the requests of a session one after the other, so that a single request at the end makes the
sender wait for as long as the whole file takes to be written. A second session on the same connection does not.
"""

from __future__ import annotations

from contextlib import suppress

import paramiko

from connectors.kit.places.session import WRITE, Session, StatusError
from connectors.kit.places.transfer import open_channel

SYNC_EVERY = 32 * 1024 * 1024
"""Bytes after which the server is asked again; a file of less is brought to the disk at its end and that is all."""


class Syncing:
    """Told how much of a file the server has confirmed, it asks for that to be brought to the disk.

    Whatever is refused here (a second session, the request itself) is left out: only the end of it is a promise, and
    that is asked for in the session of the file.
    """

    def __init__(self, transport: paramiko.Transport, session: Session, path: bytes) -> None:
        self._transport = transport
        self._path = path
        self._session: Session | None = None
        self._handle = b""
        self._number: int | None = None
        self._asked_at = 0
        self._given_up = not session.can_sync

    def reached(self, confirmed: int) -> None:
        """So much is there now."""
        if self._given_up or confirmed - self._asked_at < SYNC_EVERY:
            return
        try:
            if self._session is None:
                self._session = Session(open_channel(self._transport))
                self._handle = self._session.open(self._path, WRITE)
            if self._number is not None:
                if not self._session.is_answered(self._number):
                    return
                self._session.end_sync(self._number)
            self._number = self._session.begin_sync(self._handle)
            self._asked_at = confirmed
        except (StatusError, paramiko.ChannelException):
            self._given_up = True

    def close(self) -> None:
        """Wait for what was asked for last, and give the session up."""
        if self._session is not None:
            session, self._session = self._session, None
            with suppress(StatusError):
                if self._number is not None:
                    session.end_sync(self._number)
            with suppress(OSError, EOFError, paramiko.SSHException):
                session.end()
