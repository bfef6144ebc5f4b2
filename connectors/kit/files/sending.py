"""Files that are whole on their way to a place: each arrives once, under one name, however often the run begins."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from connectors.kit.files.splitting import sums
from connectors.kit.places.base import Place
from connectors.kit.places.disk import not_written
from connectors.kit.places.local import LocalFolder
from connectors.kit.types import ExportContext, SentFile

OpenPlace = Callable[[], Place]

PUBLIC_KEY = "pgppublickey"
"""The setting of an authorization that says for whom files are encrypted."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file that is to be sent: `local` is its name in the scratch folder, `path` the one that it gets."""

    local: str
    path: str
    size: int
    sha256: str
    rows: int
    table: bool = False


def outgoing(file: Path, path: str, rows: int, *, table: bool = False) -> Outgoing:
    """A file of the scratch folder, measured."""
    size, _, sha256 = sums(file)
    return Outgoing(file.name, path, size, sha256, rows, table)


def made_for(context: ExportContext) -> str:
    """What tells one configuration of a job from another: files that were made for another one are not sent."""
    credentials = context.credentials
    told = [credentials.method, dict(credentials.settings), dict(context.options)]
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)).hexdigest()


def prepared(context: ExportContext) -> list[Outgoing] | None:
    """The files that an interrupted run has ready, None if it has to make them (anew)."""
    cursor = context.cursor or {}
    if cursor.get("made_for") != made_for(context) or "files" not in cursor:
        return None
    files = [Outgoing(**one) for one in cursor["files"]]
    for file in files[cursor["sent"] :]:
        path = context.scratch / file.local
        if not path.is_file() or path.stat().st_size != file.size:
            context.log("Files that were ready to be sent are gone, so they are made anew.", "warning")
            return None
    return files


def empty_scratch(context: ExportContext) -> Path:
    """The scratch folder without what an interrupted run left there."""
    try:
        if context.scratch.is_dir():
            shutil.rmtree(context.scratch)
        context.scratch.mkdir(parents=True)
    except OSError as error:
        raise not_written(error, context.scratch) from error
    return context.scratch


def send_all(
    context: ExportContext, open_place: OpenPlace, files: Sequence[Outgoing], further: dict[str, Any] | None = None
) -> None:
    """Send what is not sent yet, in order. `further` is kept in the cursor with it.

    The files' names are in the cursor before the first is sent: a run that goes on sends the same under the same names.
    """
    mark = made_for(context)
    done = context.cursor["sent"] if prepared_before(context, files) and context.cursor is not None else 0
    cursor: dict[str, Any] = {"made_for": mark, "files": [asdict(one) for one in files], "sent": done} | (further or {})
    context.save(cursor)
    if done == len(files):
        return
    with closing(open_place()) as place:
        for number in range(done, len(files)):
            file = files[number]

            def moved(moved_bytes: int, total: int) -> None:
                context.progress(moved_bytes, total, "bytes", "Sending")

            local = context.scratch / file.local
            place.send(local, file.path, progress=moved)
            context.request(
                {
                    "action": "send", "place": place.label, "name": file.path, "size": file.size,
                    "sha256": file.sha256, "rows": file.rows,
                }
            )  # fmt: skip
            context.sent(
                SentFile(place.label, file.path, file.size, file.sha256, file.rows, _on_this_computer(place, file.path),
                         file.table),
                cursor | {"sent": number + 1},
            )  # fmt: skip
            local.unlink(missing_ok=True)


def prepared_before(context: ExportContext, files: Sequence[Outgoing]) -> bool:
    """Whether these are the very files that the interrupted run had begun to send."""
    cursor = context.cursor or {}
    return cursor.get("made_for") == made_for(context) and cursor.get("files") == [asdict(one) for one in files]


def _on_this_computer(place: Place, path: str) -> str:
    if not isinstance(place, LocalFolder):
        return ""
    return path if Path(path).is_absolute() else str(Path(place.label) / path)
