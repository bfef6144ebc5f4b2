"""What Responsys does: its Connect jobs put files of Contact Event Data on an SFTP server, one for each kind of event.

Names and columns are as Oracle describes them in “Contact Event Data output files” and “File Layouts”:
`1234_CLICK_20190103_130532.txt`, for other channels than email `1234_SMS_CLICK_…`; times are in UTC.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from connectors.kit.contexts import Adjusted
from connectors.kit.errors import InputError
from connectors.kit.files import importing
from connectors.kit.files.importing import import_files, preview_file
from connectors.kit.files.series import Series
from connectors.kit.pgp.keys import check_private_key
from connectors.kit.places.base import Place
from connectors.kit.places.sftp_account import check_sftp_account, open_sftp
from connectors.kit.times import parse_time
from connectors.kit.types import Account, Batch, Choice, Credentials, ImportContext, Preview, PreviewColumn

TIME = "event_captured_dt"
"""The column that says when something happened."""
ADDED = ("event", "channel")
"""Columns that rows get from the name of their file."""
_NAME = re.compile(r"([0-9A-Za-z]+)_(?:(SMS|MMS|PUSH|WEBPUSH)_)?([A-Z0-9_]+?)_\d{8}_\d{6}(?!\d)", re.IGNORECASE)


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The folder of an authorization, connected."""
    return open_sftp(credentials)


async def check(credentials: Credentials) -> Account:
    """Sign in, look into the folder, and at the PGP key."""
    if private_key := credentials.secrets.get("pgpprivatekey"):
        check_private_key(private_key, credentials.secrets.get("pgppassphrase") or None)
    return await check_sftp_account(credentials)


async def list_folders(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Folders below `path`."""
    return importing.list_folders(lambda: open_place(credentials, options), path)


async def list_accounts(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The accounts that files in the folder are of."""
    with closing(open_sftp(credentials)) as place:
        entries = place.list(str(options.get("folder") or ""))
    found = {match[1] for entry in entries if not entry.is_folder and (match := _NAME.match(entry.name))}
    return [Choice(account, account) for account in sorted(found)]


async def activity_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The events in the files of the chosen accounts that are new or changed."""
    series = Adjusted(context, _series(context.options), context.cursor, context.previous)
    async for batch in import_files(series, lambda: open_sftp(context.credentials), "csv"):
        yield _as_events(batch)


async def activity_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first events of the newest file."""
    chosen = _series(options)
    series = Series(chosen, "csv")
    with closing(open_sftp(credentials)) as place:
        files = series.files(place.list(series.folder))
    if not files:
        raise InputError(
            f"No file {series.describe()} is there yet.", advice="Choose another folder, or wait for Responsys."
        )
    name = files[-1].path
    preview = preview_file(credentials, {**chosen, "filename": name}, lambda: open_sftp(credentials), "csv")
    told = _told(name)
    columns = tuple(replace(column, name=column.name.lower()) for column in preview.columns)
    return replace(
        preview,
        columns=(*columns, *(PreviewColumn(name, text, "text") for name, text in zip(ADDED, told, strict=True))),
        rows=tuple((*row, *told) for row in preview.rows),
        timestamp=TIME if TIME in [column.name for column in columns] else None,
    )


def _series(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a series that has the files of the chosen accounts."""
    accounts = options.get("account_ids") or ()
    chosen = [accounts] if isinstance(accounts, str) else [str(account) for account in accounts]
    if not chosen:
        raise InputError("No account is chosen.", advice="Choose the accounts whose events are to be imported.")
    names = "|".join(map(re.escape, chosen))
    prefix = f"{chosen[0]}_" if len(chosen) == 1 else f"({names})_"
    return {**options, "continuous_update": True, "filename": "", "prefix": prefix}


def _told(path: str) -> tuple[str, str]:
    """What the name of a file says of its events: which they are, and on which channel."""
    found = _NAME.match(posixpath.basename(path))
    if found is None:
        return "", ""
    channel = (found[2] or "email").lower()
    return f"{channel}_{found[3].lower()}", channel


def _as_events(batch: Batch) -> Batch:
    """Rows under small names, as Oracle writes some of a file's in capitals and some not, with what the file's name
    says of them."""
    told = dict(zip(ADDED, _told(str(batch.cursor["file"]["name"])), strict=True)) if batch.records else {}
    batch.records = [{**{key.lower(): value for key, value in one.items()}, **told} for one in batch.records]
    batch.columns = tuple(batch.records[0]) if batch.records else ()
    batch.times = [parse_time(record[TIME]) for record in batch.records] if TIME in batch.columns else []
    return batch
