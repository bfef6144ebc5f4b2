"""Imports of a file, or of a series of files, from any place.

What lies on this computer is read where it lies; anything else is fetched first, as it is (what is encrypted stays
so), and an interrupted fetch is resumed. The cursor says which file and where in it, so a run that is killed goes on
in the middle of the seventh file.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.kit.errors import InputError, SourceChanged
from connectors.kit.files import diff
from connectors.kit.files.after import After
from connectors.kit.files.batching import BATCH_PARTS, gathered
from connectors.kit.files.browsing import (
    OpenPlace,
    chosen_file,
    list_files,
    list_folders,
    list_members,
    list_prefixes,
    preview_file,
)
from connectors.kit.files.connection import Connection
from connectors.kit.files.reading import CsvFile, Form, JsonFile, opened
from connectors.kit.files.series import Series, Waiting, mark_of, same_mark
from connectors.kit.places.base import FileMark, Place
from connectors.kit.places.local import LocalFolder
from connectors.kit.types import Batch, DoneFile, ImportContext

__all__ = [
    "OpenPlace", "import_files", "list_files", "list_folders", "list_members", "list_prefixes", "preview_file",
]  # fmt: skip

HASHED_BYTES = 1 << 22
SETTLED = timedelta(seconds=5)
"""How long a file must have been left alone, where one can be seen before it is complete."""
LOOKED = 0.25
"""Seconds between two looks whether the run is to end, while it waits for a file to settle."""


async def import_files(context: ImportContext, open_place: OpenPlace, form: Form) -> AsyncIterator[Batch]:
    """The records of the chosen file or, with `continuous_update`, of all files of its series that are new or changed.

    Goes on after the cursor of an interrupted run. Raises InputError for a file that can't be read as the options
    say, SourceChanged when the single file is another one than the cursor was made for.
    """
    with closing(Connection(open_place)) as connection:
        importing = _Import(context, connection, form)
        if context.again is not None:
            for batch in importing.rejected_rows():
                yield batch
        elif context.options.get("continuous_update"):
            async for batch in importing.series():
                yield batch
        else:
            for batch in importing.single():
                yield batch


class _Left(Exception):
    """A file of a series can't be read now; the sentence says why."""


class _Import:
    """One run."""

    def __init__(self, context: ImportContext, connection: Connection, form: Form) -> None:
        self._context = context
        self._connection = connection
        self._form = form
        self._after = After(context)
        self._done = dict(context.done_files)
        self._is_series = bool(context.options.get("continuous_update"))
        self._before, self._all = 0, 0
        """Bytes of the files of this run that are done, and of all."""

    # which files

    def single(self) -> Iterator[Batch]:
        """The chosen file."""
        context, path = self._context, self._chosen()
        if self._after.planned():
            self._after.carry_out(self._connection.place, self._done)
        cursor = context.cursor
        if cursor is not None and cursor.get("done") and cursor["file"]["name"] == path:
            # The run that this one goes on from had read all.
            return
        self._after.refuse_same_folder(path)
        mark = _mark(self._connection.place, path)
        previous = context.previous
        if previous is not None and previous["file"] == _identity(path, mark):
            context.log(f"{path} is the file that was imported last; there is nothing new.")
            return
        self._all = mark.size
        yield from self._file(path, mark, known=None if previous is None else previous.get("sha256"))

    async def series(self) -> AsyncIterator[Batch]:
        """Each file of the series that is new or changed, once, in order."""
        context, series = self._context, Series(self._context.options, self._form)
        if context.options.get("diff"):
            diff.settle(context.keep, self._done)
        else:
            diff.forget(context.keep)
        place = self._connection.place
        self._after.carry_out(place, self._done)
        entries = place.list(series.folder)
        context.request({"action": "list", "server": place.label, "folder": series.folder, "files": len(entries)})
        files = series.files(entries)
        if series.begins_with_chosen and not series.read(self._done):
            # Nothing was read yet: if where to begin is not there, this says so.
            _mark(place, series.chosen)
        waiting = series.waiting(entries, self._done)
        self._all = sum(one.entry.size for one in waiting)
        if not waiting:
            self._nothing_new(series, len(files))
        elif len(waiting) > 1:
            context.log(f"{len(waiting):,} files are waiting: {_some([one.entry.name for one in waiting])}")
        for one in waiting:
            self._after.refuse_same_folder(one.entry.path)
            try:
                mark = await self._settled(one)
                for batch in self._next_of_series(one, mark):
                    yield batch
            except _Left as left:
                context.log(str(left), "warning")
            self._before += one.entry.size

    def _nothing_new(self, series: Series, there: int) -> None:
        context = self._context
        late = series.late(self._done, utc_now())
        if late is not None:
            name, expected = late
            context.log(
                f"The file after {name} should have come by {expected:%Y-%m-%d %H:%M} UTC and is not there yet. "
                "It is looked for again at the next run.",
                "warning",
            )
        elif there or self._done:
            context.log(f"No new file {series.describe()}.")
        else:
            context.log(f"No file {series.describe()} is there yet.", "warning")

    async def _settled(self, one: Waiting) -> FileMark:
        """The file's state once nobody writes it any more. Raises _Left."""
        entry = one.entry
        if not entry.tag and entry.modified is not None:
            age = utc_now() - entry.modified
            while timedelta(0) <= age < SETTLED:
                self._context.progress(self._before, self._all, "bytes", f"Waiting until {entry.name} is complete")
                await asyncio.sleep(min(LOOKED, (SETTLED - age).total_seconds()))
                age = utc_now() - entry.modified
        mark = self._look_again(entry.path)
        if not same_mark(mark, mark_of(entry)):
            raise _Left(f"{entry.path} is still being written; it is read at the next run.")
        return mark

    def _look_again(self, path: str) -> FileMark:
        try:
            return _mark(self._connection.place, path)
        except InputError as error:
            raise _Left(f"{path} was there a moment ago and is gone; it is left out. {error}") from error

    def _next_of_series(self, one: Waiting, mark: FileMark) -> Iterator[Batch]:
        """A file of the series. Raises _Left where it can't be read now, but may be later."""
        path = one.entry.path
        read = False
        try:
            for batch in self._file(path, mark, changed=one.changed):
                read = True
                yield batch
        except InputError as error:
            if not read and not same_mark(self._look_again(path), mark):
                raise _Left(f"{path} was changed while it was being fetched; it is read at the next run.") from error
            if not self._context.options.get("skip_bad_files"):
                raise
            yield self._skipped(path, mark, error)

    def _skipped(self, path: str, mark: FileMark, error: InputError) -> Batch:
        """A file that can't be read counts as done, as the options wish."""
        self._context.log(f"{path} was skipped: {error}", "error")
        file = DoneFile(path, mark.size, _text_of(mark), mark.tag, "")
        self._done[path] = file
        cursor = {"file": _identity(path, mark), "done": True}
        return Batch([], cursor, done=self._before + mark.size, total=self._all, file=file)

    def rejected_rows(self) -> Iterator[Batch]:
        """Only the rows that an earlier run rejected."""
        again = self._context.again
        assert again is not None
        opened_then = [one for one in again.requests if one.get("action") in ("open", "fetch") and "name" in one]
        names = list(dict.fromkeys(str(one["name"]) for one in opened_then))
        if self._is_series and len(names) > 1:
            raise InputError(
                f"That run read {len(names)} files, so a line alone does not say where a rejected row is.",
                advice="Correct the rows in a file of their own, and have that one imported.",
            )
        path = names[0] if self._is_series and names else self._chosen()
        mark = _mark(self._connection.place, path)
        identity = _identity(path, mark)
        if not any(identity.items() <= request.items() for request in opened_then):
            raise InputError(
                f"{path} is not the file any more that held the rejected rows.",
                advice="Put that file back, or run the job to import the new one.",
            )
        self._all = mark.size
        yield from self._file(path, mark)

    def _chosen(self) -> str:
        path = chosen_file(self._context.options)
        if not path:
            raise InputError("No file is chosen.", advice="Choose the file to import.")
        return path

    # one file

    def _file(self, path: str, mark: FileMark, *, changed: bool = False, known: str | None = None) -> Iterator[Batch]:
        """The records of a file. `known` is the hash of the one that was imported last, if that must be another."""
        context = self._context
        cursor = context.cursor if context.again is None else None
        if cursor is not None and cursor.get("done"):
            cursor = None
        mine = cursor is not None and cursor["file"]["name"] == path and "position" in cursor
        if cursor is not None and (mine or not self._is_series) and not self._may_go_on(cursor, path, mark):
            self._refuse_other_file(path)
            mine = False
        folder, name = self._bring(path, mark)
        in_place = folder is self._connection.held
        before = _mark(folder, name)
        sha256 = self._look(folder, name, path, mark, in_place=in_place)
        file = DoneFile(path, mark.size, _text_of(mark), mark.tag, sha256)
        done = self._done.get(path)
        if sha256 == known or (changed and done is not None and done.sha256 == sha256):
            context.log(f"{path} was touched, but holds what was imported before; there is nothing new.")
            nothing = Batch([], {})
            self._prepare_end(nothing, file, None)
            yield nothing
            self._end(file, None)
        else:
            if mine and cursor is not None and cursor["file"] != _identity(path, mark):
                mine = self._was_completed(folder, name, path, cursor)
            if changed and not mine:
                context.log(f"{path} was changed since it was imported; it is imported again.")
            yield from self._records(folder, name, file, before, cursor if mine else None)
        if not in_place:
            (context.scratch / name).unlink(missing_ok=True)

    def _bring(self, path: str, mark: FileMark) -> tuple[Place, str]:
        """Where the bytes of a file can be read: in their place, or in this job's own folder."""
        context, place = self._context, self._connection.place
        if isinstance(place, LocalFolder):
            return place, path
        local = context.scratch / f"file-{hashlib.sha256(path.encode('utf-8', 'replace')).hexdigest()[:16]}"

        def fetched(done: int, total: int) -> None:
            context.progress(done, total, "bytes", "Downloading")

        got = place.fetch(path, local, progress=fetched)
        if not same_mark(got, mark):
            raise InputError(f"{path} was replaced while it was being fetched.", advice="Run the import again.")
        self._connection.rest(mark.size)
        return LocalFolder(context.scratch), local.name

    def _look(self, folder: Place, name: str, path: str, mark: FileMark, *, in_place: bool) -> str:
        """The hash of a file. Which file it was is kept as evidence: where it lay, its size, time and hash."""
        sha256 = _hash(folder, name, mark.size, self._context)
        where = (
            {"action": "open", "folder": folder.label}
            if in_place
            else {
                "action": "fetch",
                "server": self._connection.label,
                "folder": self._context.credentials.settings.get("folder", ""),
            }
        )
        self._context.request({**where, **_identity(path, mark), "sha256": sha256})
        return sha256

    def _may_go_on(self, cursor: Mapping[str, Any], path: str, mark: FileMark) -> bool:
        """Whether it may be the file of an interrupted run: the very one, or one that has grown."""
        file = cursor["file"]
        has_grown = file["name"] == path and mark.size > int(file["size"]) and "sha256" in cursor
        return has_grown or bool(file == _identity(path, mark))

    def _refuse_other_file(self, path: str) -> None:
        """A single import goes on only in the file that it began with; one of a series is read from its start."""
        if not self._is_series:
            raise SourceChanged(
                f"{path} was replaced since the import was interrupted, so it can't go on in the middle.",
                advice="Duplicate the job and run the copy: it reads the new file from the start.",
            )
        self._context.log(
            f"{path} was replaced since the import was interrupted; it is read from its start.", "warning"
        )

    def _was_completed(self, folder: Place, name: str, path: str, cursor: Mapping[str, Any]) -> bool:
        """Whether a file begins with all that was there when the run was interrupted: what was cut off was mended."""
        if _hash(folder, name, int(cursor["file"]["size"]), self._context) != cursor["sha256"]:
            self._refuse_other_file(path)
            return False
        self._context.log(f"{path} has become longer since the import was interrupted; what was read is still there.")
        return True

    def _records(
        self, folder: Place, name: str, file: DoneFile, before: FileMark, cursor: Mapping[str, Any] | None
    ) -> Iterator[Batch]:
        """The records of a file after `cursor`, and what follows once they are saved."""
        position = None if cursor is None else cursor["position"]
        context, again = self._context, self._context.again
        stream = folder.open(name)
        rows, no_time, finished = None, 0, False
        with ExitStack() as stack:
            reader = stack.enter_context(opened(stream, self._form, context.options, context.credentials, position))
            self._tell_begin(reader, file, position)
            rows = None if again is not None else self._digests(reader, file, cursor, stack)
            lines = None if again is None else again.lines
            parts = reader.parts(lines, rows) if isinstance(reader, CsvFile) else reader.parts(lines)
            for batch, last in gathered(parts, BATCH_PARTS[self._form]):
                if _mark(folder, name) != before:
                    raise InputError(
                        f"{file.path} was changed while it was being read.",
                        advice="Wait until the file is complete, then run the import again.",
                    )
                no_time += batch.times.count(None)
                if self._is_series:
                    batch.rejected = [replace(row, reason=f"{file.path}: {row.reason}") for row in batch.rejected]
                batch.done, batch.total = self._before + min(stream.tell(), file.size), max(self._all, file.size)
                if again is not None:
                    if batch.cursor:
                        yield batch
                    continue
                batch.cursor = {"file": _identity_of(file), "sha256": file.sha256, **batch.cursor}
                if rows is not None:
                    rows.save()
                if last:
                    finished = True
                    self._prepare_end(batch, file, rows)
                yield batch
        if no_time:
            count = "1 row has" if no_time == 1 else f"{no_time:,} rows have"
            names = " or ".join(reader.times_from)
            context.log(f"{count} no readable time in {names}; the time of the import stands for it.", "warning")
        if finished:
            self._end(file, rows)

    def _tell_begin(self, reader: CsvFile | JsonFile, file: DoneFile, position: Mapping[str, Any] | None) -> None:
        context = self._context
        if position is not None:
            context.log(f"{file.path}: going on at row {position['row'] + 1:,}")
            return
        context.log(", ".join((file.path, _size(file.size), *reader.summary)))
        for note in reader.notes:
            context.log(note, "warning")

    def _digests(
        self, reader: CsvFile | JsonFile, file: DoneFile, cursor: Mapping[str, Any] | None, stack: ExitStack
    ) -> diff.Digests | None:
        if not (self._is_series and self._context.options.get("diff") and isinstance(reader, CsvFile)):
            return None
        begun = file.sha256 if cursor is None else cursor.get("sha256")
        rows = diff.Digests(self._context.keep, reader.columns, self._done, file.sha256, begun)
        return stack.enter_context(closing(rows))

    def _prepare_end(self, batch: Batch, file: DoneFile, rows: diff.Digests | None) -> None:
        """Make a batch the last one of a file."""
        batch.cursor = {"file": _identity_of(file), "sha256": file.sha256, **batch.cursor, "done": True}
        batch.done, batch.total, batch.file = self._before + file.size, max(self._all, file.size), file
        self._after.plan(file)
        if rows is not None:
            rows.complete(file)
            if rows.skipped:
                self._context.log(f"{file.path}: {rows.skipped:,} rows were in the previous file too and were skipped.")

    def _end(self, file: DoneFile, rows: diff.Digests | None) -> None:
        """The last batch of a file was taken, and the file is closed: do what follows once the records are saved."""
        self._done[file.path] = file
        planned = self._after.planned()
        if rows is not None or planned:
            self._context.committed()
        if rows is not None:
            rows.finish()
        if planned:
            self._after.carry_out(self._connection.place, self._done)


def utc_now() -> datetime:
    return datetime.now(UTC)


def _hash(place: Place, name: str, size: int, context: ImportContext) -> str:
    """The SHA-256 of the first `size` bytes of a file."""
    digest, done = hashlib.sha256(), 0
    with closing(place.open(name)) as stream:
        while done < size and (block := stream.read(min(HASHED_BYTES, size - done))):
            digest.update(block)
            done += len(block)
            context.progress(done, size, "bytes", "Checking")
    return digest.hexdigest()


def _mark(place: Place, name: str) -> FileMark:
    entry = place.stat(name)
    if entry.is_folder:
        raise InputError(f"{name} is a folder.", advice="Choose a file in it.")
    return mark_of(entry)


def _text_of(mark: FileMark) -> str | None:
    return mark.modified.isoformat() if mark.modified else None


def _identity(path: str, mark: FileMark) -> dict[str, Any]:
    return _identity_of(DoneFile(path, mark.size, _text_of(mark), mark.tag, ""))


def _identity_of(file: DoneFile) -> dict[str, Any]:
    found: dict[str, Any] = {"name": file.path, "size": file.size, "modified": file.modified}
    return found | ({"tag": file.tag} if file.tag else {})


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _size(size: int) -> str:
    """A size as people read it: "186 MB"."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
