"""A ceiling for what a run may hold in memory, so that one strange file does not take the computer down.

What counts is what a process has to itself: pages of files that it reads can be dropped by the system at any time. On
Linux that is told exactly, also of the process beside. Elsewhere only of the process itself: Windows tells what it has
to itself, macOS what it held at most.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEGABYTE = 1024 * 1024
LOOK_SECONDS = 0.1
"""A process can ask for a hundred megabytes or so in that time."""


def held() -> int:
    """Bytes that this process and those it has made hold; 0 where the system does not say."""
    if sys.platform == "linux":
        found = sum(_held_on_linux(pid) for pid in (os.getpid(), *_made()))
    elif sys.platform == "darwin":
        import resource

        found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    elif sys.platform == "win32":
        found = _held_on_windows()
    else:
        found = 0
    return found


def kill_made() -> None:
    """Kill the processes that this one has made, as far as they are known; the others end with their pipes."""
    for pid in _made():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _made() -> list[int]:
    """Processes that the main thread has made, on Linux. Asking `multiprocessing` would take their exit codes."""
    try:
        return [int(one) for one in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def _held_on_linux(pid: int) -> int:
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
    except (OSError, ValueError):
        # It has just ended.
        return 0
    return (resident - shared) * mmap.PAGESIZE


class _Counters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS_EX of Windows, whose last member is what a process has to itself."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("faults", ctypes.c_uint32),
        *((f"other_{number}", ctypes.c_size_t) for number in range(8)),
        ("private", ctypes.c_size_t),
    )


def _held_on_windows() -> int:
    counters = _Counters()
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        ask = kernel.K32GetProcessMemoryInfo
        ask.argtypes = (ctypes.c_void_p, ctypes.POINTER(_Counters), ctypes.c_uint32)
        # Where it does not tell, all stays nought.
        ask(kernel.GetCurrentProcess(), ctypes.byref(counters), ctypes.sizeof(counters))
    return int(counters.private)


@contextmanager
def ceiling(most: int, exceeded: Callable[[], None]) -> Iterator[None]:
    """Call `exceeded`, in a thread, as soon as more than `most` bytes are held while the block runs."""
    over = threading.Event()

    def watch() -> None:
        while held() <= most:
            if over.wait(LOOK_SECONDS):
                return
        exceeded()

    thread = threading.Thread(target=watch, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
