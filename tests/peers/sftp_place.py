"""Signing in to the test server as a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.kit.places.sftp import SftpPlace, connect

if TYPE_CHECKING:
    from peers.sshd import Sshd


def reach(sshd: Sshd, **changes: Any) -> SftpPlace:
    """A place in the folder of the test server, signed in with its key unless told otherwise."""
    wanted: dict[str, Any] = {
        "host": sshd.host,
        "port": sshd.port,
        "username": sshd.user,
        "private_key": sshd.private_key,
        "known_host_key": sshd.host_key,
        "folder": str(sshd.files),
    }
    return connect(**(wanted | changes))
