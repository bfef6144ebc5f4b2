"""Waiting for what other processes do, as Linux tells it: files that are written, processes that end."""

from __future__ import annotations

import ctypes
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0
WRITTEN = 0x002 | 0x080 | 0x100
"""IN_MODIFY, IN_MOVED_TO, IN_CREATE (inotify(7))."""
SHOWN = 0.25
"""Seconds by which SQLite shows to others what it wrote: that is told in shared memory, of which nothing is heard."""


def until(condition: Callable[[], bool], folder: Path, pid: int) -> None:
    """Wait until `condition` holds, asking whenever something is written in the folder; fail if `pid` ends before."""
    end = time.monotonic() + PATIENCE
    with _written(folder) as written, _ended(pid) as ended:
        while not condition():
            assert time.monotonic() < end, "that did not happen in time"
            ready, _, _ = select.select([written, ended], [], [], SHOWN)
            if written in ready:
                os.read(written, 1 << 16)
            assert ended not in ready or condition(), f"process {pid} ended before that happened"


def until_ended(pid: int) -> None:
    """Wait until a process is gone, or only waits for its parent to notice."""
    try:
        with _ended(pid) as ended:
            assert select.select([ended], [], [], PATIENCE)[0], f"process {pid} is still there"
    except ProcessLookupError:
        return


@contextmanager
def _ended(pid: int) -> Iterator[int]:
    """A file that can be read from when the process has ended."""
    file = os.pidfd_open(pid)
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _written(folder: Path) -> Iterator[int]:
    """A file that can be read from when something was written in the folder."""
    system = ctypes.CDLL(None, use_errno=True)
    file = system.inotify_init1(os.O_CLOEXEC)
    if file < 0 or system.inotify_add_watch(file, os.fsencode(folder), WRITTEN) < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    try:
        yield file
    finally:
        os.close(file)
