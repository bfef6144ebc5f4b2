"""All people as a CSV file, written beside and put in place when it is whole."""

from __future__ import annotations

import csv
import errno
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import DiskFull, Refused
from app.schema.fields import list_fields

if TYPE_CHECKING:
    from app.engine import Engine

ROWS = 5_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export_profiles(engine: Engine, target: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Write every person to `target` (UTF-8, comma, header row of field names); how many there were.

    A text that a spreadsheet would run as a formula is written with an apostrophe before it. `progress` is called
    with (done, total). A reader of `target` never sees half a file. Raises Refused and DiskFull.
    """
    part = target.with_name(f".{target.name}.part")
    done = 0
    try:
        with engine.workspace.database.read() as connection, part.open("w", newline="", encoding="utf-8") as file:
            connection.execute("begin")
            try:
                fields = list_fields(connection)
                total = connection.execute("select count(*) from profiles").fetchone()[0]
                names = [field.name for field in fields]
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(names)
                listed = ", ".join(f'"{name}"' for name in names) or "_id"
                people = connection.execute(f"select {listed} from profiles order by _id")
                people.row_factory = None
                while rows := people.fetchmany(ROWS):
                    writer.writerows([_guarded(row) for row in rows] if names else [() for _ in rows])
                    done += len(rows)
                    if progress is not None:
                        progress(done, total)
            finally:
                connection.execute("commit")
        part.replace(target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(
                f"There is no space left to write {target}.", advice="Free some space, or choose another disk."
            ) from error
        raise Refused(
            f"{target} can't be written: {error.strerror}.", advice="Choose a folder that exists and belongs to you."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return done


def _guarded(row: tuple[Any, ...]) -> list[Any]:
    return [
        f"'{value}" if value.__class__ is str and value.startswith(FORMULA_STARTS) and not _is_number(value) else value
        for value in row
    ]


def _is_number(text: str) -> bool:
    """A sign before digits is a number or a phone number, and no formula."""
    return text[:1] in "+-" and text[1:].replace(" ", "").replace(".", "").isdigit()
