"""Buckets of objects as a place: what Amazon S3, Google Cloud Storage and Azure Blob have in common.

An object store knows no folders, only keys that may hold "/": what stands before a "/" is shown as a folder. Keys are
taken as they are, so "a//b" and "/a" are other files than "a/b" and "a".
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from connectors.kit.errors import ConnectorError, InputError, WaitError
from connectors.kit.places.base import ENTRY_LIMIT, Entry, FileMark, Progress, in_order
from connectors.kit.places.object_store_faults import Doing, Fault, Replaced, Where, told
from connectors.kit.places.partial import PartialFile

PART = 16 * 1024 * 1024
"""Bytes that are sent at a time; a multiple of 256 KB, as Google wants it, and more than the 5 MB that S3 wants."""
PARTS = 9_000
"""Parts that an object is sent in at most; S3 takes 10,000."""

_FIRST_BLOCK = 256 * 1024
_LARGEST_BLOCK = 8 * 1024 * 1024
_COMPARED = 256 * 1024
"""Bytes at the end of a file fetched before that are read again, to be sure that it is still the same."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object, a common beginning of keys (`is_folder`, its key ends with "/"), or a bucket."""

    key: str
    size: int = 0
    modified: datetime | None = None
    tag: str = ""
    is_folder: bool = False


class Store(Protocol):
    """One service, signed in to. Its functions raise the errors of its library, which `fault` puts in order."""

    @property
    def scheme(self) -> str:
        """What its addresses begin with: "s3"."""
        ...

    @property
    def service(self) -> str:
        """What people call it: "Amazon S3", or the host of another service that speaks the same."""
        ...

    @property
    def host(self) -> str: ...
    @property
    def bucket_word(self) -> str:
        """ "bucket" or "container"."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]: ...
    def fault(self, error: Exception) -> Fault: ...
    def buckets(self) -> Iterator[Found]: ...
    def keys(self, bucket: str, prefix: str) -> Iterator[Found]:
        """Objects whose keys begin with `prefix`; those with a "/" behind it as one folder each. Read page by page."""
        ...

    def head(self, bucket: str, key: str) -> Found: ...
    def read(self, bucket: str, key: str, offset: int, size: int, tag: str) -> Iterator[bytes]:
        """Bytes of an object as they lie there. With a `tag`, only if it is still the object of that tag."""
        ...

    def send(self, local: Path, bucket: str, key: str, size: int, progress: Progress | None) -> Found:
        """Put a whole file under a key at once; when it fails, what was begun is given up."""
        ...

    def copy(self, bucket: str, key: str, to: tuple[str, str], found: Found) -> None:
        """Copy an object inside the service to another bucket and key."""
        ...

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object. One that is not there may be an error of the status 404."""
        ...

    def close(self) -> None: ...


class ObjectPlace:
    """One bucket, where paths are keys; or all buckets of an account, where paths begin with the bucket's name."""

    def __init__(self, store: Store, bucket: str = "") -> None:
        self._store = store
        self._bucket = bucket.strip().strip("/")

    @property
    def label(self) -> str:
        return f"{self._store.scheme}://{self._bucket}" if self._bucket else self._store.service

    def reach(self) -> None:
        """Ask whether the service, the bucket and the keys are right. Who may not list is let in all the same: some may
        only write, and some know only their own bucket. Raises ConnectorError."""
        try:
            with self._told("list", self._bucket, ""):
                next(self._store.keys(self._bucket, "") if self._bucket else self._store.buckets(), None)
        except InputError as error:
            fault = self._fault(error)
            if fault is None or fault.status != 403:
                raise

    def reached(self) -> ObjectPlace:
        """This place, known to be right; closed where it is not. Raises as `reach`."""
        try:
            self.reach()
        except BaseException:
            self.close()
            raise
        return self

    def list(self, path: str = "") -> builtins.list[Entry]:
        bucket, prefix = self._split(path)
        if not bucket:
            with self._told("list", "", ""):
                return in_order(
                    [Entry(found.key, f"{found.key}/", True, 0, found.modified) for found in self._buckets()]
                )
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        before = "" if self._bucket else f"{bucket}/"
        entries: builtins.list[Entry] = []
        with self._told("list", bucket, prefix):
            for found in self._store.keys(bucket, prefix):
                if found.key == prefix and not found.size:
                    # What consoles make so that a folder without files is seen.
                    continue
                if len(entries) >= ENTRY_LIMIT:
                    raise InputError(
                        f"{self._store.scheme}://{bucket}/{prefix} holds more than {ENTRY_LIMIT:,} files.",
                        advice="Type the name of the file, or move old files away.",
                    )
                # "a//b" is a folder without a name in the folder "a".
                name = found.key.removeprefix(prefix).removesuffix("/") or "/"
                entries.append(Entry(name, before + found.key, found.is_folder, found.size, found.modified, found.tag))
        return in_order(entries)

    def stat(self, path: str) -> Entry:
        bucket, key = self._split(path)
        name = key.removesuffix("/").rpartition("/")[2] or "/"
        if not key:
            with self._told("list", bucket, ""):
                next(self._store.keys(bucket, ""), None)
            return Entry(bucket, path, True, 0, None)
        try:
            found = self._head(bucket, key)
        except InputError as missing:
            if not self._is_folder(bucket, key, missing):
                raise
            return Entry(name, path, True, 0, None)
        return Entry(name, path, key.endswith("/") and not found.size, found.size, found.modified, found.tag)

    def open(self, path: str) -> ObjectStream:
        mark = self._mark(path)
        return ObjectStream(self, *self._split(path), mark)

    def fetch(self, path: str, local: Path, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        """As every place does; the object's tag is a condition of each request, so that parts of two never mix."""
        bucket, key = self._split(path)
        mark = self._mark(path)
        source = f"{self._store.scheme}://{self._store.host}/{bucket}/{key}"
        part = PartialFile(local, source, mark, resume=resume)
        compared = min(mark.size, _COMPARED)
        if resume and part.is_there():
            end = self.read_range(bucket, key, mark.size - compared, compared, mark.tag)
            if part.tail_of_whole(_COMPARED) == end:
                return mark
        try:
            with part:
                while part.size < mark.size:
                    self._read_into(part, bucket, key, mark, progress)
            if self._mark(path) != mark:
                raise Replaced(f"“{path}” changed in {self.label} while it was being fetched.")
        except Replaced as error:
            part.discard()
            raise InputError(
                f"“{path}” changed in {self.label} while it was being fetched.",
                advice="Run the job again when whoever writes the file has finished.",
                details=error.details,
            ) from error
        part.finish()
        return mark

    def _read_into(self, part: PartialFile, bucket: str, key: str, mark: FileMark, progress: Progress | None) -> None:
        """Read on until the end or until the connection breaks. Raises WaitError when nothing at all came."""
        before = part.size
        try:
            with self._told("read", bucket, key):
                for data in self._store.read(bucket, key, part.size, mark.size - part.size, mark.tag):
                    part.append(data)
                    if progress is not None:
                        progress(part.size, mark.size)
        except WaitError:
            if part.size == before:
                raise
        if part.size == before or part.size > mark.size:
            raise Replaced(f"{self._store.service} sent another number of bytes than it said that “{key}” has.")

    def send(self, local: Path, path: str, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        """As every place does. An object is there when it is whole, so there is no temporary name.

        What an interrupted sending began is given up and not gone on with: the services keep no parts whose content
        could be compared, so it is simply sent again. Each part is tried several times.
        """
        bucket, key = self._target(path)
        size = local.stat().st_size
        with self._told("write", bucket, key):
            sent = self._store.send(local, bucket, key, size, progress)
        if sent.modified is None:
            try:
                return self._mark(path)
            except InputError:
                # Who may only write sees nothing of what was written.
                return FileMark(size, None, sent.tag)
        return FileMark(sent.size, sent.modified, sent.tag)

    def move(self, path: str, to: str) -> None:
        """As every place does: copied inside the service, then deleted."""
        bucket, key = self._split(path)
        target = self._target(to)
        if target == (bucket, key):
            return
        found = self._head(bucket, key)
        if self._is_there(*target):
            raise InputError(
                f"There is a file “{to}” in {self.label} already; “{path}” was not moved.",
                advice="Move or rename that one first.",
            )
        with self._told("write", *target):
            self._store.copy(bucket, key, target, found)
        if self._head(bucket, key).tag != found.tag:
            self._delete(*target)
            raise InputError(
                f"“{path}” changed in {self.label} while it was being moved.", advice="Try again when it is complete."
            )
        self._delete(bucket, key)

    def delete(self, path: str) -> None:
        self._delete(*self._split(path))

    def close(self) -> None:
        self._store.close()

    def read_range(self, bucket: str, key: str, offset: int, size: int, tag: str) -> bytes:
        """Exactly `size` bytes of an object. Raises Replaced when it is another one by now."""
        parts: builtins.list[bytes] = []
        missing = size
        while missing > 0:
            before = missing
            try:
                with self._told("read", bucket, key):
                    for data in self._store.read(bucket, key, offset + size - missing, missing, tag):
                        parts.append(data)
                        missing -= len(data)
            except WaitError:
                if missing == before:
                    raise
            if missing == before or missing < 0:
                raise Replaced(f"“{key}” changed in {self.label} while it was being read.")
        return b"".join(parts)

    def _buckets(self) -> Iterator[Found]:
        for number, found in enumerate(self._store.buckets()):
            if number >= ENTRY_LIMIT:
                raise InputError(f"There are more than {ENTRY_LIMIT:,} {self._store.bucket_word}s.", advice="Type one.")
            yield found

    def _mark(self, path: str) -> FileMark:
        entry = self.stat(path)
        if entry.is_folder:
            raise InputError(f"“{path}” is a folder, not a file.", advice="Choose a file in it.")
        return FileMark(entry.size, entry.modified, entry.tag)

    def _head(self, bucket: str, key: str) -> Found:
        if not key:
            raise InputError(f"“{bucket}” is a {self._store.bucket_word}, not a file.", advice="Choose a file in it.")
        with self._told("read", bucket, key):
            return self._store.head(bucket, key)

    def _is_there(self, bucket: str, key: str) -> bool:
        try:
            with self._told("read", bucket, key):
                self._store.head(bucket, key)
        except InputError as error:
            fault = self._fault(error)
            if fault is not None and fault.is_missing_object:
                return False
            raise
        return True

    def _is_folder(self, bucket: str, key: str, missing: InputError) -> bool:
        """Whether keys begin with this one and "/". What goes wrong meanwhile matters only if it says more."""
        folder = key if key.endswith("/") else f"{key}/"
        try:
            with self._told("list", bucket, folder):
                return next(self._store.keys(bucket, folder), None) is not None
        except InputError as error:
            fault = self._fault(error)
            if fault is not None and fault.status == 404:
                raise error from missing
            return False

    def _fault(self, error: ConnectorError) -> Fault | None:
        cause = error.__cause__
        return self._store.fault(cause) if isinstance(cause, self._store.errors) else None

    def _delete(self, bucket: str, key: str) -> None:
        if not key:
            raise InputError(f"“{bucket}” is a {self._store.bucket_word}, not a file.", advice="Name a file in it.")
        with self._told("delete", bucket, key):
            try:
                self._store.delete(bucket, key)
            except self._store.errors as error:
                if not self._store.fault(error).is_missing_object:
                    raise

    def _split(self, path: str) -> tuple[str, str]:
        """The bucket, "" for the list of all, and what comes behind it."""
        bucket, key = (self._bucket, path) if self._bucket else path.partition("/")[::2]
        if any(part in (".", "..") for part in key.split("/")):
            # On the way to the server, "a/../b" becomes "b" in some libraries: another file.
            raise InputError(
                f"“{key}” has “.” or “..” as the name of a folder; such files can't be reached.",
                advice="Have the file renamed by the program that wrote it.",
            )
        return bucket, key

    def _target(self, path: str) -> tuple[str, str]:
        """Where to write: without folders that have no name, which nobody means when typing "/exports//day"."""
        bucket, key = self._split(path)
        cleaned = "/".join(part for part in key.split("/") if part)
        if not bucket or not cleaned or key.endswith("/"):
            raise InputError(f"“{path}” is not the name of a file.", advice="Type a name behind the folder.")
        return bucket, cleaned

    def _told(self, doing: Doing, bucket: str, key: str) -> AbstractContextManager[None]:
        return _told(self._store, Where(doing, bucket, key))


@contextmanager
def _told(store: Store, where: Where) -> Iterator[None]:
    """Turn what a library raises into sentences."""
    try:
        yield
    except store.errors as error:
        raise told(store, where, store.fault(error)) from error


class ObjectStream:
    """An object read where it is, in blocks that grow while it is read on and begin small after each leap."""

    def __init__(self, place: ObjectPlace, bucket: str, key: str, mark: FileMark) -> None:
        self._place = place
        self._bucket = bucket
        self._key = key
        self._mark = mark
        self._at = 0
        self._kept = b""
        self._kept_at = 0
        self._block = _FIRST_BLOCK

    def read(self, size: int = -1, /) -> bytes:
        left = max(self._mark.size - self._at, 0)
        size = left if size < 0 else min(size, left)
        parts = []
        while size:
            start = self._at - self._kept_at
            if not 0 <= start < len(self._kept):
                self._fill()
                start = 0
            data = self._kept[start : start + size]
            parts.append(data)
            self._at += len(data)
            size -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _fill(self) -> None:
        """Read the block that begins where we are."""
        goes_on = self._at == self._kept_at + len(self._kept) and bool(self._kept)
        self._block = min(self._block * 2, _LARGEST_BLOCK) if goes_on else _FIRST_BLOCK
        # Let go first: two blocks at once would be twice the memory.
        self._kept = b""
        count = min(self._block, self._mark.size - self._at)
        self._kept = self._place.read_range(self._bucket, self._key, self._at, count, self._mark.tag)
        self._kept_at = self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = max((0, self._at, self._mark.size)[whence] + offset, 0)
        return self._at

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._kept = b""

    def __enter__(self) -> ObjectStream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def part_size(size: int) -> int:
    """Bytes of each part of an object of this size."""
    step = 256 * 1024
    return max(PART, -(-size // PARTS // step) * step + step) if size > PART * PARTS else PART
