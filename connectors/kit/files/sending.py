"""Files that are whole on their way to a place: each arrives once, under one name, however often the run begins."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
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
LIST = "files.json"


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
    return _sum(orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS))


def prepared(context: ExportContext) -> list[Outgoing] | None:
    """The files that an interrupted run has ready, None if it has to make them (anew)."""
    cursor = context.cursor or {}
    if cursor.get("made_for") != made_for(context):
        return None
    files = _listed(context, cursor.get("list", ""))
    if files is None or not all(_is_there(context, file) for file in files[cursor["sent"] :]):
        context.log("Files that were ready to be sent are gone, so they are made anew.", "warning")
        return None
    return files


def _listed(context: ExportContext, known: str) -> list[Outgoing] | None:
    """The list of files in the scratch folder, if it is the one that the cursor is about."""
    try:
        text = (context.scratch / LIST).read_bytes()
    except OSError:
        return None
    return [Outgoing(**one) for one in orjson.loads(text)] if _sum(text) == known else None


def _is_there(context: ExportContext, file: Outgoing) -> bool:
    path = context.scratch / file.local
    return path.is_file() and path.stat().st_size == file.size


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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

    The files' names are in a list beside them before the first is sent: a run that goes on sends the same under the
    same names. The cursor only says which list it is and how far it is done.
    """
    listed = orjson.dumps(files)
    cursor: dict[str, Any] = {"made_for": made_for(context), "list": _sum(listed)}
    before = context.cursor or {}
    done = int(before["sent"]) if cursor.items() <= before.items() else 0
    cursor |= {"sent": done} | (further or {})
    path = context.scratch / LIST
    part = path.with_suffix(".part")
    try:
        context.scratch.mkdir(parents=True, exist_ok=True)
        part.write_bytes(listed)
        part.replace(path)
    except OSError as error:
        raise not_written(error, path) from error
    context.save(cursor)
    if done == len(files):
        return
    with closing(open_place()) as place:
        for number, file in enumerate(files[done:], done + 1):
            _send(context, place, file, cursor | {"sent": number})


def _send(context: ExportContext, place: Place, file: Outgoing, cursor: dict[str, Any]) -> None:
    """Send one file; the cursor is what stands once it has arrived."""
    local = context.scratch / file.local

    def moved(done: int, total: int) -> None:
        context.progress(done, total, "bytes", "Sending")

    place.send(local, file.path, progress=moved)
    where = {"place": place.label, "name": file.path, "size": file.size, "sha256": file.sha256}
    context.request({"action": "send", **where, "rows": file.rows})
    here = _on_this_computer(place, file.path)
    context.sent(SentFile(place.label, file.path, file.size, file.sha256, file.rows, here, file.table), cursor)
    local.unlink(missing_ok=True)


def _on_this_computer(place: Place, path: str) -> str:
    if not isinstance(place, LocalFolder):
        return ""
    return path if Path(path).is_absolute() else str(Path(place.label) / path)
