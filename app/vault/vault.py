"""One vault a workspace: which secrets it holds, where each lies, what to do when it is locked.

Short secrets are entries of the keyring. Long ones (keys, service accounts) lie in an encrypted file in the
workspace whose random key is in the keyring: Windows takes 1,280 characters an entry. Without a keyring all of them
lie in one encrypted file under a passphrase. Plain text is never written.
"""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.errors import CausewayError, Refused, VaultLocked, VaultMissing
from app.vault.keyrings import Keyring
from app.vault.sealed import KEY_BYTES, SealedFile

LONGEST_IN_KEYRING = 1_200
"""In UTF-16 code units, as Windows counts."""
PASSPHRASE_LEAST = 8
KEY_OF_LONG = "key of long secrets"


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
        self._keyring_name: str | None = None

    def state(self) -> VaultState:
        """Where secrets go, said in a sentence."""
        if self._file.exists():
            if self._opened is None:
                sentence = "Secrets are in the encrypted secrets file, which is locked."
            else:
                sentence = "Secrets are in the encrypted secrets file, open until Causeway is closed."
            return VaultState("file", "Secrets file", self._opened is None, sentence)
        keyring = Keyring.find()
        if keyring is None:
            return VaultState(
                "none", "", True, "This computer offers no keyring. Secrets can be kept in an encrypted file instead."
            )
        locked = keyring.is_locked()
        return VaultState(
            "keyring", keyring.name, locked, f"Secrets are in {keyring.name}{', which is locked' if locked else ''}."
        )

    def make_ready(self) -> None:
        """Have the vault open, which may ask the user to unlock the keyring and so take any time.

        Raises VaultLocked and VaultMissing. Called before a database transaction that keeps secrets: one that waits
        for the user would hold up every running job.
        """
        if self._open_file() is None:
            self._get(KEY_OF_LONG)

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
        """Keep secrets, all or none: after a failure those of before are there again.

        Raises VaultLocked, VaultMissing, DiskFull, WorkspaceReadOnly.
        """
        before: dict[str, str | None] = {}
        try:
            for name, value in secrets.items():
                entry = f"{authorization_id}/{name}"
                try:
                    before[entry] = self._load(entry)
                except CausewayError:
                    # One that can't be read any more is what re-authorizing is for.
                    before[entry] = None
                self._store(entry, value)
        except CausewayError:
            for entry, old in before.items():
                with contextlib.suppress(CausewayError):
                    if old is None:
                        self._forget(entry)
                    else:
                        self._store(entry, old)
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
        """Where the secrets with these labels by name lie: "Password: GNOME Keyring". Opens nothing, raises nothing."""
        if not labels:
            return "No secret"
        places: dict[str, list[str]] = {}
        try:
            in_file, long = SealedFile.names_in(self._file), SealedFile.names_in(self._long)
        except VaultLocked:
            return f"{_listed(labels.values())}: secrets file damaged"
        if self._keyring_name is None:
            keyring = Keyring.find()
            self._keyring_name = keyring.name if keyring else None
        for name, label in labels.items():
            entry = f"{authorization_id}/{name}"
            if entry in in_file:
                place = "encrypted secrets file"
            elif self._keyring_name is None:
                place = "not on this computer"
            else:
                place = f"encrypted file, key in {self._keyring_name}" if entry in long else self._keyring_name
            places.setdefault(place, []).append(label)
        return "; ".join(f"{_listed(found)}: {place}" for place, found in places.items())

    def _store(self, entry: str, value: str) -> None:
        if (opened := self._open_file()) is not None:
            opened.put(entry, value)
        elif len(value.encode("utf-16-le")) // 2 > LONGEST_IN_KEYRING:
            self._sealed(create=True).put(entry, value)
            self._delete(entry)
        else:
            self._set(entry, value)
            if self._holds_long(entry):
                self._sealed(create=False).remove(entry)

    def _load(self, entry: str) -> str | None:
        if (opened := self._open_file()) is not None:
            value = opened.get(entry)
            # What was stored before the secrets file was made is still where it was.
            if value is not None or Keyring.find() is None:
                return value
        if self._holds_long(entry):
            return self._sealed(create=False).get(entry)
        return self._get(entry)

    def _forget(self, entry: str) -> None:
        if (opened := self._open_file()) is not None:
            opened.remove(entry)
            if Keyring.find() is None:
                return
        if self._holds_long(entry):
            # Needs no key, so that it can be removed where the key is lost.
            SealedFile(self._long, bytes(KEY_BYTES)).remove(entry)
        self._delete(entry)

    def _open_file(self) -> SealedFile | None:
        """The secrets file where the workspace has one. Raises VaultLocked."""
        if not self._file.exists():
            return None
        if self._opened is None:
            raise VaultLocked("The secrets file is locked.", advice="Unlock it with its passphrase.")
        return self._opened

    def _holds_long(self, entry: str) -> bool:
        return entry in SealedFile.names_in(self._long)

    def _sealed(self, *, create: bool) -> SealedFile:
        """The file of long secrets, opened with its key from the keyring."""
        key = self._get(KEY_OF_LONG)
        if key is None:
            if not create:
                raise VaultMissing(
                    "The key that opens the long secrets of this workspace is not in the keyring of this computer.",
                    advice="Re-authorize: enter the private key again.",
                )
            # What an earlier key sealed can't be opened any more.
            self._long.unlink(missing_ok=True)
            key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
            self._set(KEY_OF_LONG, key)
        return SealedFile(self._long, base64.b64decode(key))

    def _required(self) -> Keyring:
        keyring = Keyring.find()
        if keyring is None:
            raise VaultMissing(
                "This computer offers no keyring to keep secrets in.",
                advice="Create a secrets file under a passphrase (Authorizations page, or `causeway auth add` asks).",
            )
        return keyring

    def _get(self, entry: str) -> str | None:
        return self._required().get(self._entry_service(entry), entry)

    def _set(self, entry: str, value: str) -> None:
        self._required().set(self._entry_service(entry), entry, value)

    def _delete(self, entry: str) -> None:
        self._required().delete(self._entry_service(entry), entry)

    def _entry_service(self, entry: str) -> str:
        """One service an entry: Windows' backend rewrites an entry when two share a service."""
        return f"{self._service} {entry}"


def _listed(labels: Iterable[str]) -> str:
    words = list(labels)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {_in_running_text(words[-1])}"


def _in_running_text(label: str) -> str:
    """The label “Private key” becomes “private key”; “PGP key” stays."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
