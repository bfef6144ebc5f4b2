"""A small SFTP server inside the program: a folder of this computer as a server that demos and tests can sign in to.

It listens on loopback only, makes a host key and a password of its own at each start, and serves nothing outside
of its folder.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)
from paramiko.sftp import SFTP_OK, SFTP_PERMISSION_DENIED

from connectors.kit.places.ssh import silence

USER = "demo"


class FileServiceSandbox:
    """The server, up from `start` to `stop`; `settings` and `secrets` are what an authorization for it needs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._key = _host_key()
        self._password = secrets.token_urlsafe(16)
        self._listener: socket.socket | None = None
        self._transports: list[paramiko.Transport] = []

    def start(self) -> None:
        """Listen on a free port."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, args=(self._listener,), name="sftp-sandbox", daemon=True).start()

    def stop(self) -> None:
        """End all sessions."""
        if self._listener is not None:
            # A thread that waits in accept() is woken by shutdown only; close() alone leaves it there.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        for transport in self._transports:
            transport.close()

    @property
    def settings(self) -> dict[str, str]:
        """What an authorization keeps in the open, with the host key as confirmed."""
        if self._listener is None:
            raise RuntimeError("the sandbox was not started")
        return {
            "host": "127.0.0.1",
            "port": str(self._listener.getsockname()[1]),
            "user": USER,
            "host_key": f"{self._key.get_name()} {self._key.get_base64()}",
        }

    @property
    def secrets(self) -> dict[str, str]:
        """The password of this start."""
        return {"password": self._password}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport = paramiko.Transport(connection)
            silence(transport)
            transport.add_server_key(self._key)
            transport.set_subsystem_handler("sftp", SFTPServer, _Files, self._folder)
            self._transports = [one for one in self._transports if one.is_active()] + [transport]
            try:
                transport.start_server(server=_SignIn(self._password), event=threading.Event())
            except (paramiko.SSHException, OSError, EOFError):
                transport.close()


class _SignIn(paramiko.ServerInterface):
    """One user with one password, who may open SFTP sessions and nothing else."""

    def __init__(self, password: str) -> None:
        self._password = password

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        right = secrets.compare_digest(password.encode(), self._password.encode())
        return AUTH_SUCCESSFUL if username == USER and right else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class _Files(SFTPServerInterface):
    """Reading and writing files below one folder."""

    def __init__(self, server: paramiko.ServerInterface, folder: Path) -> None:
        super().__init__(server)
        self._folder = folder

    def list_folder(self, path: str) -> list[SFTPAttributes] | int:
        real = self._real(path)
        if real is None:
            return SFTP_PERMISSION_DENIED
        try:
            # A link that leads out of the folder, or to nowhere, is not shown.
            targets = {path.name: path.resolve() for path in real.iterdir()}
            return [
                SFTPAttributes.from_stat(target.stat(), name)
                for name, target in targets.items()
                if target.is_relative_to(self._folder) and target.exists()
            ]
        except OSError as error:
            return int(SFTPServer.convert_errno(error.errno or 0))

    def stat(self, path: str) -> SFTPAttributes | int:
        real = self._real(path)
        if real is None:
            return SFTP_PERMISSION_DENIED
        try:
            return SFTPAttributes.from_stat(real.stat())
        except OSError as error:
            return int(SFTPServer.convert_errno(error.errno or 0))

    lstat = stat

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> SFTPHandle | int:
        real = self._real(path)
        if real is None or real == self._folder:
            return SFTP_PERMISSION_DENIED
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR))
        try:
            file = os.fdopen(os.open(real, flags | getattr(os, "O_BINARY", 0), 0o644), "r+b" if writes else "rb")
        except OSError as error:
            return int(SFTPServer.convert_errno(error.errno or 0))
        handle = SFTPHandle(flags)
        # paramiko reads, writes and closes it by these names.
        handle.readfile = file  # type: ignore[attr-defined]
        if writes:
            handle.writefile = file  # type: ignore[attr-defined]
        return handle

    def remove(self, path: str) -> int:
        return self._change(lambda real: real.unlink(), path)

    def mkdir(self, path: str, attr: SFTPAttributes) -> int:
        return self._change(lambda real: real.mkdir(), path)

    def rename(self, oldpath: str, newpath: str) -> int:
        """By the rules of the protocol: a file that has the name already keeps it."""
        return self._change(_rename, oldpath, newpath)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        return self._change(lambda real, target: real.replace(target), oldpath, newpath)

    def _change(self, change: Callable[..., object], *paths: str) -> int:
        """Do something with names themselves, links among them, but never with the folder as a whole."""
        names: list[Path] = []
        for path in paths:
            whole = PurePosixPath(self.canonicalize(path))
            folder = self._real(str(whole.parent))
            if folder is None or not whole.name:
                return SFTP_PERMISSION_DENIED
            names.append(folder / whole.name)
        try:
            change(*names)
        except OSError as error:
            return int(SFTPServer.convert_errno(error.errno or 0))
        return SFTP_OK

    def _real(self, path: str) -> Path | None:
        """The file behind a path of the server, None for one outside of the folder, links included."""
        try:
            real = (self._folder / self.canonicalize(path).lstrip("/")).resolve()
        except (OSError, ValueError):
            return None
        return real if real.is_relative_to(self._folder) else None


def _rename(real: Path, target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "there is one already")
    real.rename(target)


def _host_key() -> paramiko.PKey:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return paramiko.Ed25519Key.from_private_key(io.StringIO(pem.decode()))
