"""Files with people in them that the program wrote for the user: which they are, and taking somebody out of them."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import sqlite3
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import orjson

from app.clock import now_text
from app.errors import CausewayError
from app.profiles.tombstones import fingerprints
from app.profiles.traces import Wanted, folded
from app.whole_file import whole_file
from connectors.kit.errors import InputError
from connectors.kit.files.layout import JOIN

if TYPE_CHECKING:
    from app.engine import Engine

Kind = Literal["people", "person", "rejected", "evidence", "export"]
"""An "export" is a file of a job from which rows can't be taken out: packed, encrypted, or of another shape."""
Act = Literal["delete", "rewrite", "by hand", "missing"]

BLOCK = 1 << 20
REJECTED_TEXT = "row"
"""The column of a file of rejected rows that has the row itself."""


@dataclass(frozen=True, slots=True)
class FileEffect:
    """What an erasure does with a file: delete it, take out rows, or nothing, and the sentence that says so."""

    path: Path
    act: Act
    sentence: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file as it was when it was written; `about` are fingerprints of the one person that it tells of."""

    key: str | bytes
    path: Path
    kind: Kind
    size: int
    sha256: str
    about: frozenset[str]


def remember_written(engine: Engine, path: Path, kind: Kind, about: Iterable[tuple[str, str]] = ()) -> None:
    """Keep in mind that a file with people was written, so that an erasure can reach it.

    `about` are the identifiers, (field, value), of the one person that a file of the kind "person" tells of.
    """
    size, digest = _measured(path)
    with engine.workspace.database.write() as connection:
        people = orjson.dumps([one.hex() for one in fingerprints(connection, about)] if about else []).decode()
        remember(connection, path, kind, size, digest, people)


def remember(
    connection: sqlite3.Connection, path: Path, kind: Kind, size: int, digest: str, people: str = "[]"
) -> None:
    """The same for a file that was measured, in the caller's transaction; `people` are fingerprints as JSON."""
    connection.execute(
        """insert into written_files (path, kind, at, size, sha256, about) values (?, ?, ?, ?, ?, ?)
        on conflict (path) do update set kind = excluded.kind, at = excluded.at, size = excluded.size,
            sha256 = excluded.sha256, about = excluded.about""",
        (_key(path.absolute()), kind, now_text(), size, digest, people),
    )


def list_written(connection: sqlite3.Connection) -> list[WrittenFile]:
    """Every file that was written, oldest first."""
    rows = connection.execute("select path, kind, size, sha256, about from written_files order by at, path")
    return [WrittenFile(row[0], _path(row[0]), row[1], row[2], row[3], frozenset(orjson.loads(row[4]))) for row in rows]


def effect_on(file: WrittenFile, wanted: Wanted, people: Iterable[str]) -> FileEffect | None:
    """What an erasure of those who are `wanted` has to do with a file; None where they are not in it.

    `people` are the fingerprints of their identifiers.
    """
    path = file.path
    if file.kind == "person" and file.about.isdisjoint(people):
        return None
    try:
        if file.kind == "export":
            return _effect_on_export(path, wanted)
        untouched = path.stat().st_size == file.size and _measured(path)[1] == file.sha256
        if not untouched:
            names = _evidence_names if file.kind == "evidence" else _names_any
            if file.kind != "person" and not names(path, wanted):
                return None
            return by_hand(path, "was changed since Causeway wrote it")
        if file.kind == "person":
            return FileEffect(path, "delete", f"{path} is deleted: it is about this person.")
        if file.kind == "evidence":
            return by_hand(path, "is evidence that names them") if _evidence_names(path, wanted) else None
        rows = sum(before != after for before, after in _records(path, file.kind, wanted))
    except FileNotFoundError:
        return FileEffect(path, "missing", f"{path} is no longer there.")
    except (OSError, UnicodeDecodeError, csv.Error, zipfile.BadZipFile) as error:
        return by_hand(path, f"can't be read ({_reason(error)})")
    if not rows:
        return None
    return FileEffect(path, "rewrite", f"They are taken out of {rows:,} {'row' if rows == 1 else 'rows'} of {path}.")


def _effect_on_export(path: Path, wanted: Wanted) -> FileEffect | None:
    """A file of a job that can't be changed: where it can be read, whether one of their identifiers stands in it."""
    try:
        found = any(text in line for line in _folded_lines(path) for text in wanted.texts)
    except (InputError, UnicodeDecodeError):
        return by_hand(path, "is encrypted, so nobody can tell whether they are in it,")
    return by_hand(path, "may name them") if found else None


def _folded_lines(path: Path) -> Iterator[str]:
    """The lines of a file, unpacked if it is packed, as identifiers are compared: in addresses case means nothing.
    Written both ways, one of them is found."""
    # Imported here: the tools of every packing take a while, and hardly any start of the program needs them.
    from connectors.kit.formats.chain import unpacked

    rest = b""
    with path.open("rb") as file, unpacked(file) as plain:
        while block := plain.read(BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                text = line.decode()
                yield f"{text}\0{text.casefold()}"
    text = rest.decode()
    yield f"{text}\0{text.casefold()}"


def by_hand(path: Path, why: str) -> FileEffect:
    """A file that stays as it is."""
    return FileEffect(path, "by hand", f"{path} {why} and stays as it is: delete it, or take them out of it yourself.")


def carry_out(engine: Engine, file: WrittenFile, effect: FileEffect, wanted: Wanted) -> str:
    """Do what `effect_on` said with a file; the sentence about what could not be done, or "".

    A file that is no longer as it was looked at is left as it is.
    """
    path = file.path
    try:
        if _measured(path) != (file.size, file.sha256):
            return by_hand(path, "was changed since Causeway wrote it").sentence
        if effect.act == "delete":
            path.unlink()
            with engine.workspace.database.write() as connection:
                connection.execute("delete from written_files where path = ?", (file.key,))
            return ""
        mode = stat.S_IMODE(path.stat().st_mode)
        with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as target:
            target.writelines(after for _, after in _records(path, file.kind, wanted))
            part.chmod(mode)
        size, digest = _measured(path)
        with engine.workspace.database.write() as connection:
            connection.execute("update written_files set size = ?, sha256 = ? where path = ?", (size, digest, file.key))
    except CausewayError as error:
        return by_hand(path, f"can't be changed ({error.message.rstrip('.')})").sentence
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return by_hand(path, f"can't be changed ({_reason(error)})").sentence
    return ""


def _records(path: Path, kind: Kind, wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Each record of a CSV file as it is written there, and as it is without the erased: "" where it is theirs."""
    taken: list[str] = []

    def lines(file: IO[str]) -> Iterator[str]:
        for line in file:
            taken.append(line)
            yield line

    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(lines(file))
        header = next(reader, [])
        text = "".join(taken)
        yield text, text
        names = [name.removeprefix("\ufeff").lower() for name in header]
        theirs = _rejected_test(names, wanted) if kind == "rejected" else _people_test(names, wanted)
        taken.clear()
        for row in reader:
            text = "".join(taken)
            taken.clear()
            if theirs(row):
                yield text, ""
            elif wanted.told_in(text):
                changed = io.StringIO(newline="")
                csv.writer(changed).writerow(map(wanted.taken_out, row))
                yield text, changed.getvalue()
            else:
                yield text, text


def _people_test(names: list[str], wanted: Wanted) -> Callable[[list[str]], bool]:
    by_column = [(position, wanted.by_field[name]) for position, name in enumerate(names) if name in wanted.by_field]

    def theirs(row: list[str]) -> bool:
        return any(
            position < len(row) and not values.isdisjoint(_values(row[position])) for position, values in by_column
        )

    return theirs


def _values(cell: str) -> list[str]:
    """The values of a cell: one, or those of a set. An apostrophe guards it against spreadsheets."""
    text = cell.removeprefix("'")
    if text.startswith("["):
        # Files of former versions have sets as JSON.
        try:
            return [folded(str(value)) for value in orjson.loads(text)]
        except (orjson.JSONDecodeError, TypeError):
            pass
    return [folded(cell), folded(text), *map(folded, text.split(JOIN))]


def _rejected_test(names: list[str], wanted: Wanted) -> Callable[[list[str]], bool]:
    position = names.index(REJECTED_TEXT) if REJECTED_TEXT in names else len(names) - 1
    return lambda row: position < len(row) and wanted.named_in(row[position])


def _names_any(path: Path, wanted: Wanted) -> bool:
    """Whether a file that was changed names them. What is no text any more may do so."""
    try:
        with path.open(encoding="utf-8") as file:
            return any(wanted.told_in(line) for line in file)
    except UnicodeDecodeError:
        return True


def _evidence_names(path: Path, wanted: Wanted) -> bool:
    """Whether something in a zip file names them."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as member, io.TextIOWrapper(member, encoding="utf-8") as lines:
                if any(wanted.told_in(line) for line in lines):
                    return True
    return False


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, zipfile.BadZipFile):
        return "it is no zip file"
    return "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else "it is no CSV file"


def _key(path: Path) -> str | bytes:
    """A path as the table keeps it: text, or its bytes where those are no text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return str(path)


def _path(key: str | bytes) -> Path:
    return Path(os.fsdecode(key))
