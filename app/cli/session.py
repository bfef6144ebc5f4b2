"""What every command is given: which workspace, how to answer, and the doors to the engine."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import output

if TYPE_CHECKING:
    from app.engine import Engine

WORKSPACE_VARIABLE = "CAUSEWAY_WORKSPACE"
OpenWindow = Callable[["Engine"], int]


class Ended(Exception):
    """The command ends with code 1: `error` is told on standard error, `document` beside it where JSON is asked for."""

    def __init__(self, error: Exception, document: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.error = error
        self.document = document


@dataclass
class Session:
    """One call of the command line."""

    open_window: OpenWindow
    workspace: Path | None = None
    json: bool = False
    debug: bool = False
    open_in_tray: OpenWindow | None = None
    """Opens the window in the tray of the desktop, where the program has one."""
    in_tray: bool = False
    passphrase_from_input: bool = False
    _lines: list[str] = field(default_factory=list)

    def answer(self, document: Any, people: Callable[[], None]) -> None:
        """Print the result: the document with --json, else what `people` prints."""
        if self.json:
            output.print_json(document)
        else:
            people()

    def folder(self) -> Path:
        """The workspace's folder: --workspace, the environment, the last one used, or the default one, made now."""
        chosen = self.chosen_folder()
        if chosen is not None:
            return chosen
        from app.workspace import create_workspace, default_folder
        from app.workspace.folder import DATABASE

        folder = default_folder()
        if not (folder / DATABASE).exists():
            create_workspace(folder, folder.name).close()
            output.say(f"Made the workspace {output.path_text(folder)}.")
        return folder

    def chosen_folder(self) -> Path | None:
        """The folder of a workspace that is asked for or was used before; None on a first start."""
        if self.workspace is not None:
            return self.workspace.expanduser().absolute()
        if named := os.environ.get(WORKSPACE_VARIABLE):
            return Path(named).expanduser().absolute()
        from app.workspace import recent_workspaces

        return next((recent.folder for recent in recent_workspaces()), None)

    def show(self, engine: Engine) -> int:
        """Open the window on an engine; its exit code. What signals do there is the window's own affair."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return (self.open_in_tray if self.in_tray and self.open_in_tray else self.open_window)(engine)

    @contextmanager
    def reading(self) -> Iterator[Engine]:
        """The engine for a look: another process may be in charge meanwhile, and may take charge at any time."""
        from app.catalog import Catalog
        from app.engine import Engine
        from app.vault import Vault
        from app.workspace import open_workspace

        workspace = open_workspace(self.folder())
        with Engine(workspace, Catalog.load(), Vault(workspace.id, workspace.folder)) as engine:
            yield engine

    @contextmanager
    def changing(self) -> Iterator[Engine]:
        """The engine in charge of the workspace. Raises WorkspaceInUse where another process is."""
        from app.engine import Engine

        with Engine.open(self.folder()) as engine:
            engine.require_charge()
            yield engine

    def first_line(self) -> str:
        """The passphrase that a script hands over as the first line of standard input."""
        return sys.stdin.readline().rstrip("\r\n")

    def interactive(self) -> bool:
        """Whether somebody can be asked."""
        return sys.stdin.isatty()

    def confirm(self, question: str, yes: bool) -> None:
        """Go on only when the person says yes, or said so with --yes. Raises Refused."""
        from app.errors import Refused

        if yes:
            return
        if not self.interactive():
            raise Refused("Nothing was changed: nobody is there to confirm it.", advice="Add --yes to go on.")
        if not click.confirm(output.clean(question), default=False, err=True):
            raise Refused("Nothing was changed.")
