"""Rows that were in the previous file of a series already: told by digests that lie in a file, not in memory.

The digests of a file are put in the place of the previous ones only when the file is done, so a run that is killed
compares with the same file when it goes on.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from connectors.kit.errors import InputError
from connectors.kit.types import DoneFile

CURRENT, NEXT = "rows.sqlite", "rows-next.sqlite"
DIGEST_SIZE = 16
SEPARATOR = "\x1f"
LOOKED_UP = 500
"""Digests in one question, well under what every SQLite takes."""


class Digests:
    """The rows of one file while it is read, and those of the file before it."""

    def __init__(
        self, folder: Path, columns: tuple[str, ...], done: Mapping[str, DoneFile], sha256: str, begun: str | None
    ) -> None:
        """`done` are the files that were read, `sha256` is of the one that is read now.

        `begun` is the same, unless a run goes on in a file that has become longer: then that of the shorter one, whose
        rows are remembered already.
        """
        folder.mkdir(parents=True, exist_ok=True)
        settle(folder, done)
        self.skipped = 0
        self._folder = folder
        self._heading = SEPARATOR.join(columns)
        self._database = _open(folder / NEXT)
        if _about(self._database).get("begun") not in (sha256, begun):
            self._database.close()
            _remove(folder / NEXT)
            self._database = _open(folder / NEXT)
        _tell(self._database, begun=sha256, heading=self._heading)
        self._previous = self._open_previous(done)

    def _open_previous(self, done: Mapping[str, DoneFile]) -> sqlite3.Connection | None:
        """The rows of the previous file; None where there is none, or it was undone, or has other columns."""
        if not (self._folder / CURRENT).exists():
            return None
        database = _open(self._folder / CURRENT)
        about = _about(database)
        file = done.get(about.get("path", ""))
        if file is not None and file.sha256 == about.get("sha256") and about.get("heading") == self._heading:
            return database
        database.close()
        return None

    def new_rows(self, rows: list[list[str]]) -> list[list[str]]:
        """Those that the previous file does not have; all are remembered (`save` keeps them)."""
        digests = [
            hashlib.blake2b(SEPARATOR.join(row).encode("utf-8", "surrogatepass"), digest_size=DIGEST_SIZE).digest()
            for row in rows
        ]
        with _told(self._folder):
            self._database.executemany("insert into rows values (?)", [(digest,) for digest in digests])
            if self._previous is None:
                return rows
            known = self._known(digests)
        new = [row for row, digest in zip(rows, digests, strict=True) if digest not in known]
        self.skipped += len(rows) - len(new)
        return new

    def _known(self, digests: list[bytes]) -> set[bytes]:
        """Those that the previous file has."""
        assert self._previous is not None
        known: set[bytes] = set()
        for start in range(0, len(digests), LOOKED_UP):
            some = digests[start : start + LOOKED_UP]
            marks = ", ".join("?" * len(some))
            found = self._previous.execute(f"select digest from rows where digest in ({marks})", some)
            known.update(row[0] for row in found)
        return known

    def save(self) -> None:
        """Keep what was read so far: a run that goes on does not read it again."""
        with _told(self._folder):
            self._database.commit()

    def complete(self, file: DoneFile) -> None:
        """All rows were read. They count once the file is known to be done."""
        # Sorted once at the end: five times as fast for some millions of rows as keeping them sorted all the time.
        with _told(self._folder):
            self._database.execute("create index if not exists by_digest on rows(digest)")
            _tell(self._database, path=file.path, sha256=file.sha256)

    def finish(self) -> None:
        """The file is done: the next one is compared with it."""
        self.close()
        (self._folder / NEXT).replace(self._folder / CURRENT)

    def close(self) -> None:
        self._database.close()
        if self._previous is not None:
            self._previous.close()


def settle(folder: Path, done: Mapping[str, DoneFile]) -> None:
    """Do what a killed run left undone: put the digests of a file that is done in place."""
    if not (folder / NEXT).exists():
        return
    with closing(_open(folder / NEXT)) as database:
        about = _about(database)
    file = done.get(about.get("path", ""))
    if file is not None and file.sha256 == about.get("sha256"):
        (folder / NEXT).replace(folder / CURRENT)


def forget(folder: Path) -> None:
    """Rows of a file that is not the previous one any more say nothing."""
    for name in (CURRENT, NEXT):
        _remove(folder / name)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Failures of the disk as a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise InputError(
            "What is remembered of the previous file can't be read or written.",
            advice=f"Check the room on the disk. If there is enough, delete {folder} to begin anew.",
            details=str(error),
        ) from error


def _open(path: Path) -> sqlite3.Connection:
    with _told(path.parent):
        database = sqlite3.connect(path)
        database.execute("create table if not exists rows (digest blob not null)")
        database.execute("create table if not exists about (name text primary key, value text not null)")
    return database


def _about(database: sqlite3.Connection) -> dict[str, str]:
    return dict(database.execute("select name, value from about"))


def _tell(database: sqlite3.Connection, **values: str) -> None:
    with database:
        database.executemany("insert or replace into about values (?, ?)", list(values.items()))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(path.name + "-journal").unlink(missing_ok=True)
