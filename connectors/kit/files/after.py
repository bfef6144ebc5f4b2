"""What becomes of a file once its records are saved: it stays, is moved to a folder, or is deleted.

What is to be done is noted in the job's own folder before the last records are handed over, so that a run that is
killed in between leaves it to the next one; a file that was imported without such a wish is never touched.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from typing import Any

from connectors.kit.errors import InputError
from connectors.kit.files.series import mark_of, same_state
from connectors.kit.files.stamps import ending_of
from connectors.kit.places.base import Place
from connectors.kit.types import DoneFile, ImportContext

NOTE = "after.json"
TRIES = 100


class After:
    """What a job's options wish for. Raises InputError for a wish that can't be."""

    def __init__(self, context: ImportContext) -> None:
        options = context.options
        self.wish = "delete" if options.get("delete_file") else str(options.get("after_import") or "leave")
        self._folder = str(options.get("move_to") or "").strip().rstrip("/")
        self._context = context
        self._note = context.keep / NOTE
        if self.wish == "move" and not self._folder:
            raise InputError("No folder is chosen to move imported files to.", advice="Choose one, or leave the files.")

    def refuse_same_folder(self, path: str) -> None:
        """Files that are moved to where they lie would be found again each time."""
        here = posixpath.normpath(posixpath.dirname(path) or ".")
        if self.wish == "move" and here == posixpath.normpath(self._folder):
            raise InputError(
                f"Imported files are to be moved to {self._folder}, which is where they lie.",
                advice="Choose another folder.",
            )

    def plan(self, file: DoneFile) -> None:
        """The last records of a file are about to be handed over."""
        if self.wish in ("move", "delete"):
            plan = {"wish": self.wish, "folder": self._folder, "sha256": file.sha256}
            self._write({**self.planned(), file.path: plan})

    def planned(self) -> dict[str, Any]:
        """What was noted and not done yet, by path."""
        try:
            found = json.loads(self._note.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def carry_out(self, place: Place, done: Mapping[str, DoneFile]) -> None:
        """Do what is planned with files that are saved; one that was changed since is left alone.

        A file that the server does not let go is told in the log: its records are saved all the same.
        """
        plans = self.planned()
        for path, plan in list(plans.items()):
            file = done.get(path)
            if file is not None and file.sha256 == plan["sha256"]:
                try:
                    self._one(place, file, plan)
                except InputError as error:
                    verb = "moved" if plan["wish"] == "move" else "deleted"
                    self._context.log(f"{path} was imported, but could not be {verb}: {error}", "warning")
            del plans[path]
            self._write(plans)

    def _one(self, place: Place, file: DoneFile, plan: Mapping[str, Any]) -> None:
        try:
            if not same_state(file, mark_of(place.stat(file.path))):
                self._context.log(f"{file.path} was changed after it was read, so it stays where it is.", "warning")
                return
        except InputError:
            # It is gone already: a run was killed right after it did this.
            return
        told = {"server": place.label, "name": file.path, "size": file.size, "sha256": file.sha256}
        if plan["wish"] == "delete":
            place.delete(file.path)
            self._context.request({"action": "delete", **told})
            self._context.log(f"{file.path} was imported and deleted.")
            return
        target = _free(place, posixpath.join(plan["folder"], posixpath.basename(file.path)))
        place.move(file.path, target)
        self._context.request({"action": "move", **told, "to": target})
        self._context.log(f"{file.path} was imported and moved to {target}.")

    def _write(self, plans: Mapping[str, Any]) -> None:
        if not plans:
            self._note.unlink(missing_ok=True)
            return
        self._note.parent.mkdir(parents=True, exist_ok=True)
        part = self._note.with_name(self._note.name + ".part")
        part.write_text(json.dumps(plans), "utf-8")
        part.replace(self._note)


def _free(place: Place, target: str) -> str:
    """A path that no file has yet: a number before the ending where the name is taken."""
    ending = ending_of(posixpath.basename(target))
    stem = target[: len(target) - len(ending)]
    for number in range(1, TRIES):
        tried = target if number == 1 else f"{stem}_{number}{ending}"
        try:
            place.stat(tried)
        except InputError:
            return tried
    return target
