"""A small encrypted file of secrets: JSON whose values are AES-256-GCM under one key.

The key is random and lies in the keyring, or is derived from a passphrase with scrypt (RFC 7914); the derivation's
salt and cost stand in the file. Each value is bound to its name, so values can't be exchanged.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.errors import DiskFull, VaultLocked, WorkspaceReadOnly

KEY_BYTES = 32
NONCE_BYTES = 12
SCRYPT = {"n": 2**16, "r": 8, "p": 1}
"""64 MiB and about 0.2 s for each guess of a passphrase."""
MOST_SCRYPT = {"n": 2**20, "r": 8, "p": 4}
PROOF = "proof of the key"


class SealedFile:
    """The file at `path`; `key` opens it."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._cipher = AESGCM(key)

    @classmethod
    def create(cls, path: Path, passphrase: str) -> SealedFile:
        """A new file under a passphrase."""
        salt = os.urandom(16)
        sealed = cls(path, _derive(passphrase, salt, SCRYPT))
        sealed._write({"scrypt": {**SCRYPT, "salt": base64.b64encode(salt).decode()}, "values": {}})
        sealed.put(PROOF, PROOF)
        return sealed

    @classmethod
    def open(cls, path: Path, passphrase: str) -> SealedFile:
        """An existing file. Raises VaultLocked for a wrong passphrase."""
        try:
            cost = _read(path)["scrypt"]
            key = _derive(passphrase, base64.b64decode(cost["salt"]), cost)
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(path, error) from error
        sealed = cls(path, key)
        try:
            sealed.get(PROOF)
        except VaultLocked:
            raise VaultLocked(
                "The passphrase does not open the secrets file.", advice="Check it and enter it again."
            ) from None
        return sealed

    def get(self, name: str) -> str | None:
        """A value, None if there is none. Raises VaultLocked when the key does not fit."""
        sealed = _read(self._path)["values"].get(name)
        if sealed is None:
            return None
        try:
            blob = base64.b64decode(sealed)
            return self._cipher.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], name.encode()).decode()
        except (InvalidTag, TypeError, ValueError) as error:
            raise VaultLocked(
                f"A secret in {self._path} does not open with its key.",
                advice="Re-authorize: enter the secret again.",
                details=type(error).__name__,
            ) from None

    @staticmethod
    def names_in(path: Path) -> frozenset[str]:
        """The names of the values, which are no secret; none where the file is not there."""
        return frozenset(_read(path)["values"])

    def put(self, name: str, value: str) -> None:
        """Keep a value."""
        nonce = os.urandom(NONCE_BYTES)
        document = _read(self._path)
        sealed = nonce + self._cipher.encrypt(nonce, value.encode(), name.encode())
        document["values"][name] = base64.b64encode(sealed).decode()
        self._write(document)

    def remove(self, name: str) -> None:
        """Forget a value."""
        document = _read(self._path)
        if document["values"].pop(name, None) is not None:
            self._write(document)

    def _write(self, document: dict[str, Any]) -> None:
        """All or nothing, readable by its owner only."""
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(document))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            kind = DiskFull if error.errno == errno.ENOSPC else WorkspaceReadOnly
            raise kind(f"The secrets file {self._path} can't be written: {error.strerror}.") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
        return {**document, "values": dict(document["values"])}
    except FileNotFoundError:
        return {"values": {}}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> VaultLocked:
    return VaultLocked(
        f"The secrets file {path} is damaged or can't be read.",
        advice="Restore it from a backup; or remove it and enter the secrets again.",
        details=f"{type(error).__name__}: {error}",
    )


def _derive(passphrase: str, salt: bytes, cost: dict[str, Any]) -> bytes:
    """The key. Raises ValueError for a cost that no file of ours has, rather than spend any memory on it."""
    n, r, p = int(cost["n"]), int(cost["r"]), int(cost["p"])
    if n > MOST_SCRYPT["n"] or r > MOST_SCRYPT["r"] or p > MOST_SCRYPT["p"]:
        raise ValueError(f"scrypt with n={n}, r={r}, p={p}")
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=KEY_BYTES)
