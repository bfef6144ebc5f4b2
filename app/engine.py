"""The engine: a workspace with everything that acts on it. It is handed to the window and the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from app.catalog import Catalog
from app.changes import Changes
from app.clock import Clock
from app.errors import WorkspaceInUse
from app.network import has_network, network_here
from app.vault import Vault
from app.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from app.jobs.supervisor import Supervisor
    from app.transfer.running import TransferRun


class Engine:
    """One open workspace.

    `supervisor` is there after `start()`, and only in the one process that is in charge of the workspace; another
    process can read, and `in_charge_elsewhere` is the sentence that says who is.
    """

    def __init__(self, workspace: Workspace, catalog: Catalog, vault: Vault) -> None:
        self.workspace = workspace
        self.catalog = catalog
        self.vault = vault
        self.changes = Changes()
        self.clock = Clock()
        self.has_network: Callable[[], bool] = has_network
        self.network: Callable[[], str] = network_here
        self.supervisor: Supervisor | None = None
        self.in_charge_elsewhere: WorkspaceInUse | None = None
        self.sandbox_is_up = False
        self.transfers: set[TransferRun] = set()
        """Transfers of files under way."""
        self._at_start: list[Callable[[], Coroutine[None, None, None]]] = []
        self._at_stop: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a workspace folder and, if no other process is in charge of it, take charge."""
        workspace = open_workspace(folder)
        engine = cls(workspace, Catalog.load(), Vault(workspace.id, workspace.folder))
        try:
            workspace.take_charge()
        except WorkspaceInUse as error:
            engine.in_charge_elsewhere = error
        return engine

    async def start(self) -> None:
        """Begin to watch over jobs, in the running asyncio loop. Does nothing where another process is in charge."""
        if self.in_charge_elsewhere is not None or self.supervisor is not None:
            return
        if self.workspace.is_demo:
            # Imported here: the demo is built on the engine, and only its own workspace pays for it.
            from app.demo import start_sandbox

            await asyncio.to_thread(start_sandbox, self)
        # Imported here: a command that only reads does without, and starts a fifth sooner.
        from app.jobs.supervisor import Supervisor

        supervisor = Supervisor(self, int(self.workspace.setting("workers")))
        await supervisor.start()
        self.supervisor = supervisor
        self._tasks = [asyncio.get_running_loop().create_task(begin()) for begin in self._at_start]

    async def stop(self) -> None:
        """End what runs (it can be continued) and close the workspace."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(run.interrupt() for run in self.transfers))
        if self.supervisor is not None:
            await self.supervisor.stop()
            self.supervisor = None
        self.close()

    def at_start(self, begin: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begin a task of this kind when the engine starts; it is cancelled when the engine stops."""
        self._at_start.append(begin)

    def at_stop(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the engine closes, the last one first."""
        self._at_stop.append(callback)

    def close(self) -> None:
        """Close the workspace of an engine that was not started."""
        while self._at_stop:
            self._at_stop.pop()()
        self.workspace.close()

    def require_charge(self) -> None:
        """Raises WorkspaceInUse where another process is in charge: only that one may change jobs."""
        if self.in_charge_elsewhere is not None:
            raise self.in_charge_elsewhere

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
