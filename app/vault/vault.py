"""One vault a workspace: which secrets it holds, where each lies, what to do when it is locked.

Short secrets are entries of the keyring. Long ones (keys, service accounts) lie in an encrypted file in the
workspace whose random key is in the keyring: Windows takes 1,280 characters an entry. Without a keyring all of them
lie in one encrypted file under a passphrase. Plain text is never written.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.errors import Refused, VaultLocked, VaultMissing
from app.vault.sealed import KEY_BYTES, SealedFile

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

LONGEST_IN_KEYRING = 1_200
PASSPHRASE_LEAST = 8
PEOPLE_CALL_IT = {"win32": "Windows Credential Manager", "darwin": "macOS Keychain", "linux": "GNOME Keyring"}


@dataclass(frozen=True, slots=True)
class VaultState:
    """What the vault of a workspace is: a keyring, a file under a passphrase, or none yet."""

    kind: Literal["keyring", "file", "none"]
    name: str
    locked: bool
    sentence: str


class Vault:
    """Secrets by authorization and name."""

    def __init__(self, workspace_id: str, folder: Path) -> None:
        self._service = f"Causeway {workspace_id}"
        self._long = folder / "secrets" / "long.json"
        self._file = folder / "secrets" / "file.json"
        self._opened: SealedFile | None = None

    def state(self) -> VaultState:
        """Where secrets go, said in a sentence."""
        if self._file.exists():
            if self._opened is None:
                sentence = "Secrets are in the encrypted secrets file, which is locked."
            else:
                sentence = "Secrets are in the encrypted secrets file, open until Causeway is closed."
            return VaultState("file", "Secrets file", self._opened is None, sentence)
        backend = self._keyring()
        if backend is None:
            return VaultState(
                "none", "", True, "This computer offers no keyring. Secrets can be kept in an encrypted file instead."
            )
        name = _backend_name(backend)
        return VaultState("keyring", name, False, f"Secrets are in {name}.")

    def create_file(self, passphrase: str) -> None:
        """Begin a secrets file under a passphrase. Raises Refused for a short one, or where one exists."""
        if len(passphrase) < PASSPHRASE_LEAST:
            raise Refused(
                f"The passphrase is shorter than {PASSPHRASE_LEAST} characters.", advice="Choose a longer one."
            )
        if self._file.exists():
            raise Refused("There is a secrets file already.", advice="Unlock it with its passphrase.")
        self._opened = SealedFile.create(self._file, passphrase)

    def replace_file(self, passphrase: str) -> None:
        """Begin the secrets file anew, without what it held: for a demo, whose secrets are made at each start."""
        self._file.unlink(missing_ok=True)
        self.create_file(passphrase)

    def unlock(self, passphrase: str) -> None:
        """Open the secrets file for as long as the program runs. Raises VaultLocked for a wrong passphrase."""
        if not self._file.exists():
            raise Refused("There is no secrets file in this workspace.")
        self._opened = SealedFile.open(self._file, passphrase)

    def store(self, authorization_id: int, secrets: Mapping[str, str]) -> None:
        """Keep secrets. Raises VaultLocked and VaultMissing; what was stored before the failure is taken back."""
        stored: list[str] = []
        try:
            for name, value in secrets.items():
                stored.append(name)
                self._store(f"{authorization_id}/{name}", value)
        except (VaultLocked, VaultMissing):
            for name in stored[:-1]:
                self._forget(f"{authorization_id}/{name}")
            raise

    def load(self, authorization_id: int, names: Iterable[str]) -> dict[str, str]:
        """The secrets of these names, as far as there are any. Raises VaultLocked and VaultMissing."""
        found = {}
        for name in names:
            value = self._load(f"{authorization_id}/{name}")
            if value is not None:
                found[name] = value
        return found

    def forget(self, authorization_id: int, names: Iterable[str]) -> None:
        """Remove secrets; missing ones are no failure."""
        for name in names:
            self._forget(f"{authorization_id}/{name}")

    def where(self, authorization_id: int, labels: Mapping[str, str]) -> str:
        """Where the secrets with these labels by name lie: "Password: GNOME Keyring"."""
        if not labels:
            return "No secret"
        state = self.state()
        if state.kind != "keyring":
            return f"{_listed(labels.values())}: {'encrypted secrets file' if state.kind == 'file' else 'nowhere'}"
        sealed = SealedFile(self._long, bytes(KEY_BYTES)).names() if self._long.exists() else frozenset()
        long = [label for name, label in labels.items() if f"{authorization_id}/{name}" in sealed]
        short = [label for name, label in labels.items() if f"{authorization_id}/{name}" not in sealed]
        parts = []
        if short:
            parts.append(f"{_listed(short)}: {state.name}")
        if long:
            parts.append(f"{_listed(long)}: encrypted file, key in {state.name}")
        return "; ".join(parts)

    def _store(self, entry: str, value: str) -> None:
        if (opened := self._open_file()) is not None:
            opened.put(entry, value)
        elif len(value) > LONGEST_IN_KEYRING:
            self._sealed(create=True).put(entry, value)
            self._delete(entry)
        else:
            self._set(entry, value)
            if self._long.exists():
                self._sealed(create=False).remove(entry)

    def _load(self, entry: str) -> str | None:
        if (opened := self._open_file()) is not None:
            return opened.get(entry)
        value = self._get(entry)
        if value is None and self._long.exists():
            value = self._sealed(create=False).get(entry)
        return value

    def _forget(self, entry: str) -> None:
        if (opened := self._open_file()) is not None:
            opened.remove(entry)
            return
        self._delete(entry)
        if self._long.exists():
            self._sealed(create=False).remove(entry)

    def _open_file(self) -> SealedFile | None:
        """The secrets file where the workspace has one. Raises VaultLocked."""
        if not self._file.exists():
            return None
        if self._opened is None:
            raise VaultLocked("The secrets file is locked.", advice="Unlock it with its passphrase.")
        return self._opened

    def _sealed(self, *, create: bool) -> SealedFile:
        """The file of long secrets, opened with its key from the keyring."""
        key = self._get("key of long secrets")
        if key is None:
            if not create and self._long.exists():
                raise VaultLocked(
                    "The key of the long secrets is not in the keyring of this computer.",
                    advice="Re-authorize: enter the private key again.",
                )
            key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
            self._set("key of long secrets", key)
        return SealedFile(self._long, base64.b64decode(key))

    def _keyring(self) -> KeyringBackend | None:
        # Imported here: finding the keyring takes longer than all else that a start needs.
        import keyring
        from keyring.backends import fail, null

        backend = keyring.get_keyring()
        return None if isinstance(backend, (fail.Keyring, null.Keyring)) else backend

    def _required(self) -> KeyringBackend:
        backend = self._keyring()
        if backend is None:
            raise VaultMissing(
                "This computer offers no keyring to keep secrets in.",
                advice="Create a secrets file under a passphrase (Authorizations page, or `causeway auth add` asks).",
            )
        return backend

    def _get(self, entry: str) -> str | None:
        from keyring.errors import KeyringError

        backend = self._required()
        try:
            return backend.get_password(self._entry_service(entry), entry)
        except KeyringError as error:
            raise _locked(backend, error) from error

    def _set(self, entry: str, value: str) -> None:
        from keyring.errors import KeyringError

        backend = self._required()
        try:
            backend.set_password(self._entry_service(entry), entry, value)
        except KeyringError as error:
            raise _locked(backend, error) from error

    def _delete(self, entry: str) -> None:
        from keyring.errors import KeyringError, PasswordDeleteError

        backend = self._required()
        try:
            backend.delete_password(self._entry_service(entry), entry)
        except PasswordDeleteError:
            return
        except KeyringError as error:
            raise _locked(backend, error) from error

    def _entry_service(self, entry: str) -> str:
        """One service an entry: Windows' backend rewrites an entry when two share a service."""
        return f"{self._service} {entry}"


def _backend_name(backend: KeyringBackend) -> str:
    module = type(backend).__module__
    if "kwallet" in module:
        return "KWallet"
    return PEOPLE_CALL_IT.get(sys.platform, "the keyring")


def _locked(backend: KeyringBackend, error: Exception) -> VaultLocked:
    name = _backend_name(backend)
    return VaultLocked(
        f"{name} is locked or did not answer.",
        advice="Unlock it (sign in to your desktop again), then try again.",
        details=f"{type(error).__name__}: {error}",
    )


def _listed(labels: Iterable[str]) -> str:
    words = list(labels)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1].lower()}"
