"""Signing in to an SFTP server with what the usual fields of an authorization hold (connectors/kit/shared.yaml)."""

from __future__ import annotations

from contextlib import closing

from connectors.kit.errors import InputError
from connectors.kit.places.sftp import SftpPlace, connect
from connectors.kit.types import Account, Credentials

USUAL_PORT = 22


def open_sftp(credentials: Credentials) -> SftpPlace:
    """The folder of an authorization with `host`, `port`, `user`, `password`, `privatekey`, `folder`. See `connect`."""
    settings, secrets = credentials.settings, credentials.secrets
    return connect(
        settings["host"],
        _port(settings.get("port", "")),
        settings["user"],
        password=secrets.get("password") or None,
        private_key=secrets.get("privatekey") or None,
        passphrase=secrets.get("passphrase") or None,
        known_host_key=settings.get("host_key") or None,
        folder=settings.get("folder", ""),
    )


async def check_sftp_account(credentials: Credentials) -> Account:
    """Sign in and look into the folder."""
    with closing(open_sftp(credentials)) as place:
        place.list("")
    settings = credentials.settings
    folder = f", folder {settings['folder']}" if settings.get("folder") else ""
    return Account(f"{settings['user']} on {settings['host']}{folder}")


def _port(text: str) -> int:
    if not text:
        return USUAL_PORT
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise InputError(f"{text} is no port.", advice="Enter a number from 1 to 65535, usually 22.")
    return int(text)
