"""How the libraries of the object stores reach the world: the program's proxy, and whom it trusts."""

from __future__ import annotations

import ssl
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from connectors.kit.errors import InputError
from connectors.kit.http import checked_address
from connectors.kit.network import proxy, trusted

CONNECT_SECONDS = 15
SILENT_SECONDS = 60
"""How long a service may be silent."""
TRIES = 4


class Trust:
    """A file with the authorities that this computer and browsers trust, for libraries that take only a file."""

    def __init__(self) -> None:
        with tempfile.NamedTemporaryFile("w", prefix="causeway-", suffix=".pem", delete=False) as file:
            file.writelines(ssl.DER_cert_to_PEM_cert(found) for found in trusted().get_ca_certs(binary_form=True))
        self.path = file.name

    def close(self) -> None:
        with suppress(OSError):
            Path(self.path).unlink()


def proxies() -> dict[str, str] | None:
    """The proxy that was set, as the libraries take it; None for what the system says."""
    address = proxy()
    return None if address is None else {"http": address, "https": address}


def api_address(text: str) -> str:
    """An address of a service as it was typed, without a "/" at its end. Raises InputError."""
    text = text.strip()
    if not text:
        return ""
    if "://" not in text:
        text = f"https://{text}"
    checked_address(text)
    text = text.rstrip("/")
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username:
        raise InputError(
            "The API address has more in it than an address.",
            advice="Write only its beginning, for example https://storage.agency.example.",
        )
    return text
