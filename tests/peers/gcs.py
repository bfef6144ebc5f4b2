"""A server that speaks like Google Cloud Storage, and one that gives out tokens for a service account's signature."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, quote

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from peers.running import running

# The emulator's own command does not say which port it was given, and answers one question at a time.
START = """
import http.server
http.server.HTTPServer = http.server.ThreadingHTTPServer
from gcp_storage_emulator.server import create_server
server = create_server("127.0.0.1", 0, in_memory=True)
server.start()
print("port", server._api._httpd.server_port, flush=True)
"""
PROJECT = "agency-project"
EMAIL = "causeway@agency-project.iam.gserviceaccount.com"
TOKEN = "ya29.test-token"
_NAMES = count()


@dataclass(frozen=True)
class Gcs:
    """A running server, and `service_account`, the document that signs in to it."""

    address: str
    service_account: dict[str, Any]

    def bucket(self) -> str:
        """A new, empty bucket."""
        name = f"bucket-{next(_NAMES)}"
        httpx.post(f"{self.address}/storage/v1/b", json={"name": name}).raise_for_status()
        return name

    def put(self, bucket: str, key: str, data: bytes, **metadata: Any) -> None:
        url = f"{self.address}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name={quote(key, safe='')}"
        begun = httpx.post(url, json=metadata).raise_for_status()
        span = f"bytes 0-{len(data) - 1}/{len(data)}" if data else "bytes */0"
        httpx.put(begun.headers["Location"], content=data, headers={"Content-Range": span}).raise_for_status()

    def get(self, bucket: str, key: str) -> bytes:
        answer = httpx.get(f"{self.address}/storage/v1/b/{bucket}/o/{quote(key, safe='')}?alt=media")
        return answer.raise_for_status().content


def _key() -> tuple[str, rsa.RSAPublicKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return text.decode(), key.public_key()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _fault(assertion: str, public: rsa.RSAPublicKey) -> str:
    """What Google says of a signature that is wrong or of another time, "" for a good one."""
    head, claims, signature = assertion.split(".")
    try:
        public.verify(_decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return "Invalid JWT Signature."
    told = json.loads(_decoded(claims))
    if not told["iat"] - 60 < time.time() < told["exp"]:
        return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    return "" if told["iss"] == EMAIL else "Invalid grant: account not found"


@contextmanager
def _token_server(public: rsa.RSAPublicKey) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            fault = _fault(form["assertion"][0], public)
            answer = (
                {"error": "invalid_grant", "error_description": fault}
                if fault
                else {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
            )
            text = json.dumps(answer).encode()
            self.send_response(400 if fault else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/token"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def run_gcs() -> Iterator[Gcs]:
    """Both servers for the length of the block."""
    private, public = _key()
    with running([sys.executable, "-c", START], r"port (\d+)") as port, _token_server(public) as token_uri:
        document = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "1",
            "private_key": private,
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": token_uri,
        }
        yield Gcs(f"http://127.0.0.1:{port}", document)


@pytest.fixture(scope="session")
def gcs() -> Iterator[Gcs]:
    """One server for the whole test session."""
    with run_gcs() as server:
        yield server
