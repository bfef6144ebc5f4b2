"""What File Service does: check an account, list files, preview and import a file or a series of files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from connectors.kit.errors import InputError, SignInError
from connectors.kit.files import importing
from connectors.kit.files.importing import import_files, preview_file
from connectors.kit.places.base import Place
from connectors.kit.places.local import LocalFolder
from connectors.kit.places.sftp import connect
from connectors.kit.types import Account, Batch, Choice, Credentials, ImportContext, Preview


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The folder of an authorization, connected."""
    settings = credentials.settings
    if credentials.method.startswith("file-service-folder"):
        return LocalFolder(settings["folder"])
    secrets = credentials.secrets
    if not secrets.get("password") and not secrets.get("privatekey"):
        raise SignInError(
            f"There is neither a password nor a private key for {settings['host']}.",
            advice="Enter one of them in the authorization.",
        )
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


def _port(text: str) -> int:
    if not text:
        return 22
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise InputError(f"{text} is no port.", advice="Enter a number from 1 to 65535, usually 22.")
    return int(text)


async def check_sftp(credentials: Credentials) -> Account:
    """Sign in, and look into the folder."""
    with closing(open_place(credentials, {})) as place:
        place.list("")
    settings = credentials.settings
    folder = f", folder {settings['folder']}" if settings.get("folder") else ""
    return Account(f"{settings['user']} on {settings['host']}{folder}")


async def check_folder(credentials: Credentials) -> Account:
    """Look into the folder."""
    with closing(open_place(credentials, {})) as place:
        place.list("")
    return Account(str(Path(credentials.settings["folder"]).expanduser()))


async def list_files(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Files and folders below `path`, folders first, then the newest file first."""
    return importing.list_files(lambda: open_place(credentials, options), path)


async def list_folders(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Folders below `path`."""
    return importing.list_folders(lambda: open_place(credentials, options), path)


async def list_prefixes(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """What the names of further files may begin with."""
    return importing.list_prefixes(options)


async def csv_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first rows of a CSV file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), "csv")


async def json_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first records of a JSON file as the import will read them."""
    return preview_file(credentials, options, lambda: open_place(credentials, options), "json")


async def csv_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The rows of a CSV file, or of a series of them."""
    async for batch in import_files(context, lambda: open_place(context.credentials, context.options), "csv"):
        yield batch


async def json_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The objects of a JSON file, or of a series of them."""
    async for batch in import_files(context, lambda: open_place(context.credentials, context.options), "json"):
        yield batch
