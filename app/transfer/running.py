"""A transfer that runs: begun, watched, stopped, remembered. It needs no supervisor, only the running loop."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import orjson

from app.changes import Change
from app.errors import CausewayError
from app.jobs.model import RunProgress
from app.jobs.process import WorkerProcess
from app.jobs.worker import Outcome
from app.profiles.written import remember_written
from app.transfer.model import Transfer
from app.transfer.opening import Prepared, prepare
from app.transfer.saved import note_used, remember_transfer
from app.transfer.work import TransferOrder, TransferResult

if TYPE_CHECKING:
    from app.engine import Engine

STALE_SECONDS = 7 * 86_400
"""After that long nobody goes on with an interrupted transfer, and what it has fetched is let go."""


class TransferRun:
    """One transfer under way: `run = await TransferRun.begin(engine, transfer)`, then `await run.finished()`."""

    def __init__(self, engine: Engine, prepared: Prepared, saved: int | None) -> None:
        self.progress: RunProgress | None = None
        self.result: TransferResult | None = None
        self.transfer = prepared.transfer
        """What is made, its target a whole path."""
        self._engine = engine
        self._saved = saved
        self._outcome: Outcome | None = None
        self._stopping = self._forgetting = False
        self._scratch = scratch_folder(engine, prepared.transfer)
        self._ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._worker: WorkerProcess | None = None
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    async def begin(cls, engine: Engine, transfer: Transfer, passphrase: str = "") -> Self:
        """Begin it in a process of its own. It is remembered among the last ones where this process is in charge.

        Raises what `prepare` raises.
        """
        prepared = await asyncio.to_thread(prepare, engine, transfer, passphrase)
        saved = None
        if engine.in_charge_elsewhere is None:
            saved = await asyncio.to_thread(remember_transfer, engine, transfer)
        run = cls(engine, prepared, saved)
        await asyncio.to_thread(_tidy, run._scratch.parent)
        worker = run._worker = await asyncio.to_thread(WorkerProcess)
        engine.transfers.add(run)
        worker.listen(run._received, run._gone)
        memory = int(engine.workspace.setting("run_memory_mb"))
        rejected = engine.workspace.folder / "rejected"
        worker.give(TransferOrder(engine.workspace.database.path, prepared, run._scratch, rejected, memory))
        return run

    @property
    def busy(self) -> bool:
        """Whether it is under way."""
        return not self._ended.done()

    async def finished(self) -> Outcome:
        """How it ended, once it has."""
        return await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """End it. Nothing of it stays: not at the target, and what was fetched is let go."""
        self._forgetting = True
        await self.interrupt()

    async def interrupt(self) -> None:
        """End it for now: made again, it goes on where it was."""
        if self._worker is not None and self.busy:
            self._stopping = True
            await self._worker.stop()
        await self.finished()

    def _received(self, message: RunProgress | TransferResult | Outcome) -> None:
        match message:
            case Outcome():
                self._outcome = message
            case TransferResult():
                self.result = message
            case _:
                self.progress = message
                self._engine.changes.announce(Change("progress"))

    def _gone(self) -> None:
        outcome = self._outcome
        if outcome is None and self._stopping:
            outcome = Outcome("cancelled")
        if outcome is None:
            code = self._worker.exit_code if self._worker is not None else None
            outcome = Outcome(
                "failed",
                f"The process that made the transfer ended unexpectedly (exit code {code}).",
                "Nothing was sent in part. Run it again, and it goes on where it was.",
            )
        self._ending = asyncio.get_running_loop().create_task(self._end(outcome))

    async def _end(self, outcome: Outcome) -> None:
        if outcome.status == "cancelled" and self._forgetting:
            await asyncio.to_thread(shutil.rmtree, self._scratch, ignore_errors=True)
        self.progress = None
        if self._saved is not None:
            # The transfer is over, whatever becomes of the note.
            with suppress(CausewayError):
                await asyncio.to_thread(self._note, self._saved, outcome)
        self._engine.transfers.discard(self)
        self._ended.set_result(outcome)
        self._engine.changes.announce(Change("transfers"))

    def _note(self, saved: int, outcome: Outcome) -> None:
        if self.result is not None and self.result.rejected_file:
            # Rows that nobody could read may name people, so an erasure looks into them.
            remember_written(self._engine, Path(self.result.rejected_file), "rejected")
        note_used(self._engine, saved, outcome, self.result)


def scratch_folder(engine: Engine, transfer: Transfer) -> Path:
    """Where a transfer between these two ends fetches and prepares, also after it was changed in other ways."""
    ends = [[end.authorization, end.path] for end in (transfer.source, transfer.target)]
    mark = hashlib.sha256(orjson.dumps(ends)).hexdigest()[:16]
    return engine.workspace.folder / "downloads" / f"transfer-{mark}"


def _tidy(downloads: Path) -> None:
    """Let go of what transfers left behind that nobody went on with."""
    long_ago = time.time() - STALE_SECONDS
    for folder in downloads.glob("transfer-*"):
        with suppress(OSError):
            if folder.stat().st_mtime < long_ago:
                shutil.rmtree(folder)
