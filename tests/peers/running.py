"""A server in a process of its own, for as long as a test session needs it."""

from __future__ import annotations

import re
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running(command: Sequence[str | Path], ready: str) -> Iterator[int]:
    """Its port: what the pattern `ready` catches in a line of its output, which also says that it listens."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    ports: list[int] = []
    last: deque[str] = deque(maxlen=30)
    decided = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        # To its end: a server whose output nobody takes stands still.
        for line in process.stdout:
            last.append(line)
            if not ports and (found := re.search(ready, line)):
                ports.append(int(found[1]))
                decided.set()
        decided.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        decided.wait(60)
        if not ports:
            raise RuntimeError(f"{command[0]} did not start:\n{''.join(last)}")
        yield ports[0]
    finally:
        process.kill()
        process.wait()
        listener.join()
        assert process.stdout is not None
        process.stdout.close()
