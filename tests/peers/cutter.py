"""A line to a server that is cut after so many bytes: a proxy on loopback in front of a real server."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress


class Cutter:
    """Passes connections on to a server until `bytes_left` of both directions together are used up, then resets both
    ends; None passes everything on. `cuts` counts them."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        self.bytes_left: int | None = None
        self.cuts = 0
        self.passed = threading.Event()
        """Set whenever something goes through; clear it to wait for the next."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                with self._lock:
                    kept = data if self.bytes_left is None else data[: self.bytes_left]
                    if self.bytes_left is not None:
                        self.bytes_left -= len(kept)
                        if len(kept) < len(data):
                            self.bytes_left = None
                            self.cuts += 1
                target.sendall(kept)
                self.passed.set()
                if len(kept) < len(data):
                    for end in (source, target):
                        # Closing with this option sends a reset in place of a farewell.
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
