"""All people as a CSV file, written beside and put in place when it is whole."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.profiles.written import remember_written
from app.schema.fields import list_fields
from app.whole_file import whole_file

if TYPE_CHECKING:
    from app.engine import Engine

ROWS = 5_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def export_profiles(engine: Engine, target: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Write every person to `target` (UTF-8, comma, header row of field names); how many there were.

    A text that a spreadsheet would run as a formula is written with an apostrophe before it. `progress` is called
    with (done, total). A reader of `target` never sees half a file. Raises Refused and DiskFull.
    """
    done = _write(engine, target, progress)
    remember_written(engine, target, "people")
    return done


def _write(engine: Engine, target: Path, progress: Callable[[int, int], None] | None) -> int:
    done = 0
    with (
        whole_file(target) as part,
        engine.workspace.database.read() as connection,
        part.open("w", newline="", encoding="utf-8") as file,
    ):
        connection.execute("begin")
        try:
            fields = list_fields(connection)
            total = connection.execute("select count(*) from profiles").fetchone()[0]
            names = [field.name for field in fields]
            # Lines end with both characters: otherwise Python does not quote a value that has one of them in it.
            writer = csv.writer(file)
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
    return done


def _guarded(row: tuple[Any, ...]) -> list[Any]:
    return [
        f"'{value}" if value.__class__ is str and value.startswith(FORMULA_STARTS) and not _is_number(value) else value
        for value in row
    ]


def _is_number(text: str) -> bool:
    """A sign before digits is a number or a phone number, and no formula."""
    return text[:1] in "+-" and text[1:].replace(" ", "").replace(".", "").isdigit()
