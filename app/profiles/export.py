"""People as a file on this computer, written beside and put in place when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.profiles.written import Kind, remember_written
from app.whole_file import whole_file
from connectors.kit.files.cells import request_of
from connectors.kit.files.layout import Form, Packing, standard_layout
from connectors.kit.files.tables import tables_of
from connectors.kit.formats.packing import packing

if TYPE_CHECKING:
    from app.engine import Engine

PACKED: dict[str, Packing] = {".gz": "gz", ".zip": "zip"}
LINES = (".json", ".jsonl", ".ndjson")


def export_profiles(
    engine: Engine,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
    *,
    audience: str = "all",
) -> int:
    """Write the people of an audience to `target`; how many there were.

    Its name says how: a CSV file (UTF-8, commas, a header row of field names), or JSON with one object a line where it
    ends in .json, .jsonl or .ndjson; either of them packed where .gz or .zip comes last. In CSV a text that a
    spreadsheet would run as a formula is written with an apostrophe before it. `progress` is called with
    (done, total). A reader of `target` never sees half a file. Raises Refused, DiskFull, and InputError for an audience
    that there is not.
    """
    how = PACKED.get(target.suffix.lower(), "none")
    plain = target.with_suffix("") if how != "none" else target
    form: Form = "json" if plain.suffix.lower() in LINES else "csv"
    member = plain.name if plain.suffix else f"{plain.name}.csv"
    done = _write(engine, target, progress, audience, form, how, member)
    kind: Kind = "people" if (form, how) == ("csv", "none") else "export"
    remember_written(engine, target, kind)
    return done


def _write(
    engine: Engine,
    target: Path,
    progress: Callable[[int, int], None] | None,
    audience: str,
    form: Form,
    how: Packing,
    member: str,
) -> int:
    # Imported here: jobs need the room of people, which is this one.
    from app.jobs.export_source import source_of

    done = 0
    with (
        engine.workspace.database.read() as connection,
        source_of(connection) as source,
        whole_file(target) as part,
        part.open("wb") as raw,
        packing(raw, how, member) as file,
    ):
        layout = standard_layout(source, {"segment_id": audience}, form)
        (table,) = tables_of(layout, source)
        request = request_of(layout)
        total = source.count([audience])
        file.write(table.head.encode())
        for batch in source.people([audience], request.fields):
            file.write("".join(table.lines(table.rows(request.people(batch)))).encode("utf-8", "replace"))
            done += len(batch)
            if progress is not None:
                progress(done, total)
    return done
