"""An HTTP server on the loopback address that keeps what it is sent and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook:
    """`posts` are the JSON documents that arrived; `answer` is (status, text, headers), or a function of one."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/services/T0/B0/very-secret?sig=abc123"
        self.posts: list[Any] = []
        self.heads = 0
        self.answer: Any = (200, "ok", {})


@contextmanager
def webhook_server() -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.posts.append(document)
            self._reply(hook.answer(document) if callable(hook.answer) else hook.answer)

        def do_HEAD(self) -> None:
            hook.heads += 1
            self._reply((405, "", {}))

        def _reply(self, answer: tuple[int, str, dict[str, str]]) -> None:
            status, text, headers = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """What arrives is in `posts`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook = Webhook(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
