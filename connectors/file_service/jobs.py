"""What File Service does: check an account, list files, preview and import a CSV file."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.kit.errors import ConnectorError, InputError, SignInError, SourceChanged
from connectors.kit.formats.compression import decompress
from connectors.kit.formats.csv import CsvBatch, CsvOptions, CsvPosition, CsvReader, open_csv
from connectors.kit.formats.detect import encoding_name
from connectors.kit.formats.guess import guess_timestamp, guess_types
from connectors.kit.formats.streams import ByteStream
from connectors.kit.places.base import FileMark, Place
from connectors.kit.places.local import LocalFolder
from connectors.kit.places.sftp import connect
from connectors.kit.times import parse_time
from connectors.kit.types import (
    Account,
    Again,
    Batch,
    Choice,
    Credentials,
    ImportContext,
    Preview,
    PreviewColumn,
)

PREVIEW_ROWS = 100
BATCH_ROWS = 20_000
HASHED_BYTES = 1 << 22
BATCH_PARTS = 32
"""Bounds the memory of a batch where rows are long."""
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "whitespace": "white space"}


async def check_sftp(credentials: Credentials) -> Account:
    """Sign in, and look into the folder."""
    with _place(credentials) as place:
        place.list("")
    settings = credentials.settings
    return Account(f"{settings['user']} on {settings['host']}{_in_folder(settings)}")


async def check_folder(credentials: Credentials) -> Account:
    """Look into the folder."""
    with _place(credentials) as place:
        place.list("")
    return Account(str(Path(credentials.settings["folder"]).expanduser()))


async def list_files(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """Files and folders below `path`, folders first, then the newest file first."""
    with _place(credentials) as place:
        entries = place.list(path)
    long_ago = datetime(1, 1, 1, tzinfo=UTC)
    entries.sort(key=lambda entry: entry.modified or long_ago, reverse=True)
    entries.sort(key=lambda entry: not entry.is_folder)
    return [
        Choice(
            entry.path,
            entry.name,
            folder=entry.is_folder,
            size=None if entry.is_folder else entry.size,
            modified=entry.modified.isoformat() if entry.modified else None,
        )
        for entry in entries
    ]


async def csv_preview(credentials: Credentials, options: Mapping[str, Any]) -> Preview:
    """The first rows as the import will read them; of a file on a server only the head is moved."""
    filename = str(options.get("filename") or "")
    if not filename:
        raise InputError("No file is chosen.", advice="Choose the file to import.")
    with _place(credentials) as place, _opened(place.open(filename), options) as reader:
        size = place.stat(filename).size
        batch = next(reader.batches(PREVIEW_ROWS), None)
        rows = batch.rows if batch is not None else []
        guesses = guess_types(reader.columns, rows)
        header = "header" if options.get("header", True) and not options.get("columns") else "no header"
        return Preview(
            columns=tuple(
                PreviewColumn(guess.name, guess.sample, guess.kind, guess.is_identifier) for guess in guesses
            ),
            rows=tuple(tuple(row) for row in rows),
            summary=(encoding_name(reader.encoding), DELIMITER_NAMES.get(reader.delimiter, reader.delimiter), header),
            notes=tuple(reader.notes),
            rejected=tuple(batch.rejected) if batch is not None else (),
            timestamp=guess_timestamp(reader.columns, guesses),
            size=size,
        )


async def csv_import(context: ImportContext) -> AsyncIterator[Batch]:
    """The rows of the file, in batches; goes on after the cursor of an interrupted run.

    A file on a server is fetched first, and an interrupted fetch is resumed. Raises InputError when the file is
    another one than the cursor was made for, or changes while it is read.
    """
    options = context.options
    with _place(context.credentials) as place:
        filename = str(options["filename"])
        if isinstance(place, LocalFolder):
            mark = _mark(place, filename)
            if not _is_known(context, filename, mark):
                for batch in _read(context, place, filename, mark):
                    yield batch
            return
        mark = _mark(place, filename)
        if _is_known(context, filename, mark):
            return
        _refuse_other_file(context, filename, mark)
        local = context.scratch / "file"

        def fetched(done: int, total: int) -> None:
            context.progress(done, total, "bytes", "Downloading")

        mark = place.fetch(filename, local, progress=fetched)
    for batch in _read(context, LocalFolder(context.scratch), local.name, mark):
        yield batch


def _read(context: ImportContext, place: LocalFolder, name: str, mark: FileMark) -> Iterator[Batch]:
    options = context.options
    filename = str(options["filename"])
    _refuse_other_file(context, filename, mark)
    _refuse_replaced(context, filename, mark)
    before = _mark(place, name)
    position = None if context.cursor is None else CsvPosition(**context.cursor["position"])
    _keep_as_evidence(context, place, filename, name, mark)
    stream = place.open(name)
    with _opened(stream, options, position) as reader:
        columns = reader.columns
        chosen = _chosen(columns, options)
        timestamp = _index(columns, str(options.get("timestamp_field") or ""), "timestamp field")
        for identifier in options.get("identifiers") or ():
            _index(columns, identifier, "identifier")
        if position is None:
            context.log(
                f"{filename}, {_size(mark.size)}, {encoding_name(reader.encoding)}, "
                f"{DELIMITER_NAMES.get(reader.delimiter, reader.delimiter)}, {len(columns)} columns"
            )
            for note in reader.notes:
                context.log(note, "warning")
        else:
            context.log(f"{filename}: going on at row {position.row + 1:,}")
        no_time = 0
        for batch in _gathered(_batches(reader, _identity(filename, mark), chosen, timestamp, context.again)):
            if _mark(place, name) != before:
                raise InputError(
                    f"{filename} was changed while it was being read.",
                    advice="Wait until the file is complete, then run the import again.",
                )
            no_time += batch.times.count(None)
            batch.done, batch.total = stream.tell(), before.size
            yield batch
    if no_time:
        rows = "1 row has" if no_time == 1 else f"{no_time:,} rows have"
        context.log(
            f"{rows} no readable time in {columns[timestamp or 0]}; the time of the import stands for it.", "warning"
        )


def _keep_as_evidence(context: ImportContext, place: LocalFolder, filename: str, name: str, mark: FileMark) -> None:
    """Which file it was: where it lay, how large it is, when it was changed, and what is in it, by its hash."""
    settings, digest, done = context.credentials.settings, hashlib.sha256(), 0
    with closing(place.open(name)) as stream:
        while block := stream.read(HASHED_BYTES):
            digest.update(block)
            done += len(block)
            context.progress(done, mark.size, "bytes", "Checking")
    where = (
        {"action": "open", "folder": str(Path(settings["folder"]).expanduser())}
        if context.credentials.method == "file-service-folder"
        else {
            "action": "fetch",
            "server": f"{settings['user']}@{settings['host']}:{_port(settings.get('port', ''))}",
            "folder": settings.get("folder", ""),
        }
    )
    context.request({**where, **_identity(filename, mark), "sha256": digest.hexdigest()})


def _batches(
    reader: CsvReader, file: dict[str, Any], chosen: list[int] | None, timestamp: int | None, again: Again | None
) -> Iterator[Batch]:
    """The reader's parts as records, made while a part's texts are still in the processor's cache: half the time."""
    columns = reader.columns
    names = tuple(columns) if chosen is None else tuple(columns[index] for index in chosen)
    for part in reader.batches(BATCH_ROWS):
        cursor: dict[str, Any] = {"file": file, "position": asdict(part.position)}
        if again is not None:
            cursor = {"lines": _only(part, again.lines)}
            if not cursor["lines"]:
                continue
        rows = part.rows if chosen is None else [[row[index] for index in chosen] for row in part.rows]
        yield Batch(
            records=[dict(zip(names, row, strict=True)) for row in rows],
            cursor=cursor,
            columns=names,
            times=[] if timestamp is None else [parse_time(row[timestamp]) for row in part.rows],
            rejected=part.rejected,
        )


def _only(part: CsvBatch, wanted: frozenset[int]) -> list[int]:
    """Leave in a part only the rows that begin at wanted lines; which lines these are."""
    places = [place for place, line in enumerate(part.lines) if line in wanted]
    part.rows = [part.rows[place] for place in places]
    part.rejected = [row for row in part.rejected if row.line in wanted]
    return [*(part.lines[place] for place in places), *(row.line for row in part.rejected)]


def _gathered(parts: Iterator[Batch]) -> Iterator[Batch]:
    """Join the reader's parts, which are some hundred kilobytes each, to batches that are worth a transaction.

    Rows that came before a failure (a gz that is cut off) are handed on before it.
    """
    held: Batch | None = None
    count = 0
    failure: ConnectorError | None = None
    while True:
        try:
            part = next(parts, None)
        except ConnectorError as error:
            part, failure = None, error
        if part is not None:
            count += 1
            if held is None:
                held = part
            else:
                held.records += part.records
                held.times += part.times
                held.rejected += part.rejected
                lines = held.cursor.get("lines", [])
                held.cursor = part.cursor if "lines" not in part.cursor else {"lines": lines + part.cursor["lines"]}
            if count < BATCH_PARTS and len(held.records) < BATCH_ROWS:
                continue
        if held is not None:
            yield held
            held, count = None, 0
        if failure is not None:
            raise failure
        if part is None:
            return


@contextmanager
def _place(credentials: Credentials) -> Iterator[Place]:
    """The folder of an authorization, connected."""
    settings = credentials.settings
    if credentials.method == "file-service-folder":
        place: Place = LocalFolder(settings["folder"])
    else:
        secrets = credentials.secrets
        if not secrets.get("password") and not secrets.get("privatekey"):
            raise SignInError(
                f"There is neither a password nor a private key for {settings['host']}.",
                advice="Enter one of them in the authorization.",
            )
        place = connect(
            settings["host"],
            _port(settings.get("port", "")),
            settings["user"],
            password=secrets.get("password") or None,
            private_key=secrets.get("privatekey") or None,
            passphrase=secrets.get("passphrase") or None,
            known_host_key=settings.get("host_key") or None,
            folder=settings.get("folder", ""),
        )
    with closing(place):
        yield place


def _port(text: str) -> int:
    if not text:
        return 22
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise InputError(f"{text} is no port.", advice="Enter a number from 1 to 65535, usually 22.")
    return int(text)


@contextmanager
def _opened(stream: ByteStream, options: Mapping[str, Any], position: CsvPosition | None = None) -> Iterator[CsvReader]:
    """The table in a file, unpacked, read as the options say."""
    with closing(stream):
        table = decompress(stream, member=str(options.get("member") or "") or None)
        with closing(table):
            yield open_csv(table, _csv_options(options), position=position)


def _csv_options(options: Mapping[str, Any]) -> CsvOptions:
    names = options.get("columns") or ""
    columns = names if isinstance(names, list) else [name.strip() for name in str(names).split(",") if name.strip()]
    quote = str(options.get("quote") or '"')
    return CsvOptions(
        delimiter=str(options.get("delimiter") or "") or None,
        quote="" if quote == "none" else quote,
        encoding=str(options.get("encoding") or "") or None,
        columns=columns or None,
        header=bool(options.get("header", True)),
    )


def _chosen(columns: list[str], options: Mapping[str, Any]) -> list[int] | None:
    """Positions of the columns to import, None for all. Identifiers are always among them."""
    fields = list(options.get("fields") or ())
    if not fields:
        return None
    wanted = {*fields, *(options.get("identifiers") or ())}
    for name in wanted:
        _index(columns, name, "field")
    return [index for index, name in enumerate(columns) if name in wanted]


def _index(columns: list[str], name: str, what: str) -> int | None:
    """The position of a column that an option names, None for an empty name."""
    if not name:
        return None
    if name not in columns:
        raise InputError(
            f"The file has no column “{name}”, which is chosen as {what}.",
            advice=f"Its columns are: {', '.join(columns[:20])}{' …' if len(columns) > 20 else ''}.",
        )
    return columns.index(name)


def _mark(place: Place, name: str) -> FileMark:
    entry = place.stat(name)
    if entry.is_folder:
        raise InputError(f"{name} is a folder.", advice="Choose a file in it.")
    return FileMark(entry.size, entry.modified)


def _identity(filename: str, mark: FileMark) -> dict[str, Any]:
    return {
        "name": filename,
        "size": mark.size,
        "modified": mark.modified.isoformat() if mark.modified else None,
    }


def _is_known(context: ImportContext, filename: str, mark: FileMark) -> bool:
    """Whether the file is the one that was imported last, so that there is nothing new in it."""
    previous = context.previous
    if previous is None or previous["file"] != _identity(filename, mark):
        return False
    context.log(f"{filename} is the file that was imported last; there is nothing new.")
    return True


def _refuse_other_file(context: ImportContext, filename: str, mark: FileMark) -> None:
    """An interrupted import goes on only in the very file that it began with."""
    if context.cursor is not None and context.cursor["file"] != _identity(filename, mark):
        raise SourceChanged(
            f"{filename} was replaced since the import was interrupted, so it can't go on in the middle.",
            advice="Duplicate the job and run the copy: it reads the new file from the start.",
        )


def _refuse_replaced(context: ImportContext, filename: str, mark: FileMark) -> None:
    """Rejected rows are read again only where they were: the line of another file says something else."""
    if context.again is None:
        return
    identity = _identity(filename, mark)
    if not any(identity.items() <= request.items() for request in context.again.requests):
        raise InputError(
            f"{filename} is not the file any more that held the rejected rows.",
            advice="Put that file back, or run the job to import the new one.",
        )


def _in_folder(settings: Mapping[str, str]) -> str:
    return f", folder {settings['folder']}" if settings.get("folder") else ""


def _size(size: int) -> str:
    """A size as people read it: "186 MB"."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
