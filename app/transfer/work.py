"""One transfer under way in its worker process: fetch, rewrite or copy, send. The target shows whole files or none."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from app.errors import Refused
from app.jobs.model import RunProgress
from app.jobs.run_context import limited
from app.jobs.worker import Reporter
from app.transfer.model import Transfer, endings, file_name
from app.transfer.opening import Prepared
from app.transfer.parts import Part, Parts, numbered, part_of
from app.transfer.reading import Source, all_keys, opened
from app.transfer.writing import Shape, Unwritable, shape_of
from connectors.kit.errors import InputError
from connectors.kit.files.splitting import Wrapping
from connectors.kit.formats.chain import unpacked
from connectors.kit.formats.rows import TEXT_LIMIT
from connectors.kit.formats.streams import ByteStream
from connectors.kit.network import through_proxy
from connectors.kit.places.base import Entry, Place
from connectors.kit.places.disk import not_written
from connectors.kit.places.local import LocalFolder
from connectors.kit.types import Rejected

COPIED = 1 << 20
REJECTED_ENDING = ".rejected.csv"
LOCK, STATE, SENT, FETCHED, REJECTED = "lock", "state.json", "sent", "source", "rejected.csv"
KEPT_REASONS = 3


@dataclass(frozen=True, slots=True)
class ArrivedFile:
    """A file at its target: the place in words, its path there, bytes, hash, rows (0: not read as a table)."""

    place: str
    path: str
    size: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class TransferResult:
    """What a transfer brought. `local` are the arrived files that lie on this computer, and so does `rejected_file`."""

    files: tuple[ArrivedFile, ...]
    rows: int
    rejected: int
    rejected_file: str = ""
    local: tuple[str, ...] = ()
    unchanged: bool = False
    """Whether the file arrived as the same bytes."""


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """What the worker of a transfer gets. `scratch` survives an interruption; rejected rows of what goes elsewhere are
    kept in the folder `rejected`."""

    database: Path
    prepared: Prepared = field(repr=False)
    scratch: Path
    rejected: Path
    memory: int = 2_048
    """Megabytes that it may hold."""

    def carry_out(self, connection: sqlite3.Connection, reporter: Reporter) -> None:
        """Make the transfer; its `TransferResult` is told. Raises Cancelled and what places and formats raise."""
        advice = "Nothing was sent in part. Allow more in the settings, and run it again."
        self.scratch.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.scratch / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise Refused("This transfer is under way already.", advice="Wait for it to end.") from None
        try:
            with limited(self.memory, reporter, advice), through_proxy(self.prepared.proxy):
                work = _Work(self, reporter)
                try:
                    result = work.make()
                finally:
                    work.close()
        except OSError as error:
            raise not_written(error, self.scratch) from error
        finally:
            lock.release()
        reporter.tell(result)
        shutil.rmtree(self.scratch, ignore_errors=True)


class _Work:
    """The steps of one transfer, and what they tell."""

    def __init__(self, order: TransferOrder, reporter: Reporter) -> None:
        self._order = order
        self._prepared = order.prepared
        self._transfer: Transfer = order.prepared.transfer
        self._reporter = reporter
        self._began: tuple[str, float, int] = ("", 0.0, 0)
        self._rows = 0
        self._rejects = _Rejects(order.scratch / REJECTED, plain=not order.prepared.has_pgp)

    def make(self) -> TransferResult:
        with self._prepared.target.opened():
            # A wrong password of the target is better known before an hour of reading than after it.
            pass
        parts, rejected, done = self._parts()
        files, local = self._send(parts, done)
        return TransferResult(
            tuple(files),
            sum(part.rows for part in parts),
            rejected,
            self._keep_rejected() if rejected else "",
            tuple(local),
            self._transfer.copies,
        )

    def close(self) -> None:
        """Let go of what is still open after an error."""
        self._rejects.finish()

    def _progress(self, activity: str, done: int, total: int | None) -> None:
        """Tell how far it is, in bytes. Raises Cancelled."""
        self._reporter.check()
        now = time.monotonic()
        if self._began[0] != activity:
            self._began = (activity, now, done)
        _, since, at = self._began
        rate = (done - at) / (now - since) if now > since else 0.0
        left = (total - done) / rate if total is not None and rate > 0 else None
        self._reporter.report(RunProgress(activity, done, total, "bytes", self._rows, rate, left))

    # reading

    def _parts(self) -> tuple[list[Part], int, int]:
        """What is to be sent, rejected rows, and how many parts were sent already."""
        scratch, transfer = self._order.scratch, self._transfer
        parts: list[Part] | None = None
        with self._prepared.source.opened() as place:
            entry = place.stat(transfer.source.path)
            if entry.is_folder:
                raise InputError(f"{transfer.source.path} is a folder.", advice="Choose a file in it.")
            if (known := self._known(entry)) is not None:
                return known
            for left in (*scratch.glob("part-*"), scratch / STATE, scratch / SENT):
                left.unlink(missing_ok=True)
            if self._must_not_lie_here(place):
                with closing(place.open(entry.path)) as stream:
                    parts = self._converted(stream, entry.size)
            else:
                local = self._local(place, entry)
        if parts is None and transfer.copies:
            self._progress("Checking", 0, entry.size)
            parts = [part_of(local)]
        elif parts is None:
            with local.open("rb") as file:
                parts = self._converted(file, entry.size)
            if local.parent == scratch:
                # Room for those who have little; what was made of it is complete.
                local.unlink()
        self._refuse_change(entry)
        rejected = self._rejects.finish()
        self._remember(entry, parts, rejected)
        return parts, rejected, 0

    def _must_not_lie_here(self, place: Place) -> bool:
        """Whether what is encrypted on its way comes here in the clear: then it is read where it is, without a copy."""
        encrypted = "PGP" in endings(self._transfer.source.path)[2]
        return bool(self._prepared.public_key) and not encrypted and not isinstance(place, LocalFolder)

    def _local(self, place: Place, entry: Entry) -> Path:
        """The source on this computer: fetched, unless it is here already."""
        if isinstance(place, LocalFolder):
            with place.open(entry.path) as file:
                return Path(file.name)
        local = self._order.scratch / FETCHED
        place.fetch(
            self._transfer.source.path, local, progress=lambda done, total: self._progress("Fetching", done, total)
        )
        return local

    def _refuse_change(self, before: Entry) -> None:
        """Raises InputError when the file was written to while it was read."""
        with self._prepared.source.opened() as place:
            now = place.stat(self._transfer.source.path)
        if (now.size, now.modified, now.tag) != (before.size, before.modified, before.tag):
            raise InputError(
                f"{before.name} was changed while it was being read.",
                advice="Wait until the file is complete, then run the transfer again.",
            )

    # writing

    def _converted(self, stream: ByteStream, size: int) -> list[Part]:
        transfer, scratch = self._transfer, self._order.scratch
        wrapping = Wrapping(transfer.pack, self._prepared.public_key)
        name = file_name(transfer.target.path)
        if transfer.rewrites:
            return self._rewritten(stream, size, wrapping, name)
        with Parts(scratch, name, wrapping) as parts, self._plain(stream) as plain:
            while block := plain.read(COPIED):
                parts.write(block)
                self._progress("Copying", stream.tell(), size)
        return parts.written

    @contextmanager
    def _plain(self, stream: ByteStream) -> Iterator[ByteStream]:
        if not self._transfer.opens:
            yield stream
            return
        member = self._transfer.reading.member or None
        with unpacked(stream, keys=self._prepared.keys, member=member) as plain:
            yield plain

    def _rewritten(self, stream: ByteStream, size: int, wrapping: Wrapping, name: str) -> list[Part]:
        transfer = self._transfer
        keys = self._columns(stream, size)
        with opened(stream, transfer, self._prepared.keys) as source:
            shape = shape_of(source, transfer, keys)
            with Parts(
                self._order.scratch,
                name,
                wrapping,
                begin=shape.begin,
                most_rows=transfer.split_rows,
                most_bytes=transfer.split_bytes,
            ) as parts:
                self._write(source, shape, parts, stream, size)
            if self._rejects.count and not self._rows:
                count, file = self._rejects.count, file_name(transfer.source.path)
                raise InputError(
                    f"None of the {count:,} rows of {file} could be taken over.",
                    advice="Look at the preview and correct how the file is read.",
                    details="\n".join(self._rejects.reasons),
                )
        return parts.written

    def _columns(self, stream: ByteStream, size: int) -> list[str]:
        """The columns of a table that JSON becomes, if nobody chose them: all keys that it has, read once for them."""
        transfer = self._transfer
        keys: list[str] = []
        if transfer.writing.form != "csv" or transfer.reading.form == "csv" or transfer.columns:
            return keys
        with opened(stream, transfer, self._prepared.keys) as source:
            if source.form == "json":
                for found in all_keys(source):
                    keys = found
                    self._progress("Looking for the columns", stream.tell(), size)
        stream.seek(0)
        return keys

    def _write(self, source: Source, shape: Shape, parts: Parts, stream: ByteStream, size: int) -> None:
        for block in source.blocks():
            self._rejects.add(block.rejected)
            items = shape.items(block)
            start = 0
            while start < len(items):
                if not (room := parts.room(len(items) - start)):
                    parts.next()
                    continue
                some, lines = items[start : start + room], block.lines[start : start + room]
                self._put(shape, parts, some, lines)
                start += room
            self._progress("Rewriting", stream.tell(), size)

    def _put(self, shape: Shape, parts: Parts, items: Sequence[Any], lines: Sequence[int]) -> None:
        """Write rows that the present file takes by their number; one by one where that makes a difference."""
        try:
            data = shape.encode(items)
        except Unwritable:
            data = None
        if data is not None and parts.fits(len(data), len(items)):
            parts.write(data, len(items))
            self._rows += len(items)
            return
        for item, line in zip(items, lines, strict=True):
            try:
                row = shape.encode([item])
            except Unwritable as error:
                shown = " ".join(map(str, shape.shown(item)))[:TEXT_LIMIT]
                self._rejects.add([Rejected(line, str(error), shown)])
                continue
            if not parts.fits(len(row), 1):
                parts.next()
            parts.write(row, 1)
            self._rows += 1

    # sending

    def _send(self, parts: list[Part], done: int) -> tuple[list[ArrivedFile], list[str]]:
        """Send what is not there yet; what arrived, and where it lies if that is this computer."""
        transfer, files, local = self._transfer, [], []
        with self._prepared.target.opened() as place:
            for number, part in enumerate(parts, start=1):
                path = transfer.target.path if len(parts) == 1 else numbered(transfer.target.path, number)
                if number > done:
                    of = f" ({number:,} of {len(parts):,})" if len(parts) > 1 else ""
                    self._send_one(place, part.path, path, f"Sending {file_name(path)}{of}")
                    (self._order.scratch / SENT).write_text(str(number), "utf-8")
                files.append(ArrivedFile(place.label, path, part.size, part.sha256, part.rows))
                if isinstance(place, LocalFolder):
                    with place.open(path) as file:
                        local.append(file.name)
        return files, local

    def _send_one(self, place: Place, local: Path, path: str, activity: str) -> None:
        if local.parent != self._order.scratch and not isinstance(place, LocalFolder):
            # Notes about a sending that breaks off lie beside what is sent, and the user's folder is no place for them.
            link = self._order.scratch / "link"
            link.unlink(missing_ok=True)
            with suppress(OSError):
                link.symlink_to(local)
                local = link
        place.send(local, path, progress=lambda done, total: self._progress(activity, done, total))

    def _keep_rejected(self) -> str:
        """Put the rejected rows beside the target, if that is on this computer, else in the workspace; where."""
        path = f"{self._transfer.target.path}{REJECTED_ENDING}"
        with self._prepared.target.opened() as place:
            if not isinstance(place, LocalFolder):
                place, path = LocalFolder(), str(self._order.rejected / file_name(path))
            place.send(self._rejects.path, path)
            with place.open(path) as file:
                return file.name

    # going on after an interruption

    def _known(self, entry: Entry) -> tuple[list[Part], int, int] | None:
        """What an interrupted transfer of the same file has made already."""
        try:
            state = json.loads((self._order.scratch / STATE).read_text("utf-8"))
            parts = [Part(Path(one["path"]), one["rows"], one["size"], one["sha256"]) for one in state["parts"]]
            whole = all(part.path.stat().st_size == part.size for part in parts)
            if state["source"] == self._mark(entry) and whole:
                sent = self._order.scratch / SENT
                return parts, state["rejected"], int(sent.read_text("utf-8")) if sent.exists() else 0
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return None

    def _remember(self, entry: Entry, parts: list[Part], rejected: int) -> None:
        listed = [asdict(part) | {"path": str(part.path)} for part in parts]
        state = {"source": self._mark(entry), "parts": listed, "rejected": rejected}
        file = self._order.scratch / STATE
        part = file.with_name(f"{STATE}.part")
        part.write_text(json.dumps(state), "utf-8")
        part.replace(file)

    def _mark(self, entry: Entry) -> list[Any]:
        """What the parts were made of: the source in this state, by this transfer, keys included."""
        prepared = self._prepared
        keys = hashlib.sha256(prepared.public_key.encode()).hexdigest()
        modified = entry.modified.isoformat() if entry.modified else None
        return [entry.path, entry.size, modified, entry.tag, repr(self._transfer), keys]


class _Rejects:
    """Rejected rows as a file; without the rows' text unless they may lie on a disk in `plain`."""

    def __init__(self, path: Path, *, plain: bool) -> None:
        self.path = path
        self.count = 0
        self.reasons: list[str] = []
        self._plain = plain
        self._file: IO[str] | None = None

    def add(self, rejected: Sequence[Rejected]) -> None:
        """Keep some more."""
        if not rejected:
            return
        if self._file is None:
            self._file = self.path.open("w", newline="", encoding="utf-8")
            csv.writer(self._file).writerow(("line", "reason", "text"))
        csv.writer(self._file).writerows((row.line, row.reason, row.text if self._plain else "") for row in rejected)
        self.count += len(rejected)
        self.reasons += [f"Line {row.line:,}: {row.reason}" for row in rejected[: KEPT_REASONS - len(self.reasons)]]

    def finish(self) -> int:
        """Close the file; how many there are."""
        if self._file is not None:
            self._file.close()
        return self.count
