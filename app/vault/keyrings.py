"""The operating system's keyring: which one it is, what people call it, whether it is locked, one entry at a time."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import VaultLocked

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

KEEPS_SECRETS = {
    "keyring.backends.SecretService": "the desktop's keyring",
    "keyring.backends.libsecret": "the desktop's keyring",
    "keyring.backends.kwallet": "KWallet",
    "keyring.backends.macOS": "macOS Keychain",
    "keyring.backends.Windows": "Windows Credential Manager",
}
"""Backends that keep a secret and keep it encrypted, with what people call them. Any other that somebody put into
keyring's configuration counts as none: there are ones that write plain text, and one that forgets at once."""
SECRET_SERVICES = {
    "gnome-keyring-d": "GNOME Keyring",
    "keepassxc": "KeePassXC",
    "kwalletd": "KWallet",
    "ksecretd": "KWallet",
}
"""What people call the program behind the Secret Service, by the beginning of its process's name."""


class Keyring:
    """One keyring. Whatever goes wrong in it is told as VaultLocked: each backend has failures of its own."""

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend
        self._module = type(backend).__module__

    @cached_property
    def name(self) -> str:
        """What people call it."""
        return (_secret_service_name() if self._is_secret_service else "") or KEEPS_SECRETS[self._module]

    @property
    def _is_secret_service(self) -> bool:
        return self._module.endswith(("SecretService", "libsecret"))

    @classmethod
    def find(cls) -> Keyring | None:
        """The keyring of this computer, None where there is none."""
        # Imported here: finding the keyring takes longer than all else that a start needs.
        import keyring
        from keyring.backends.chainer import ChainerBackend

        chosen = keyring.get_keyring()
        candidates = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
        for backend in candidates:
            if type(backend).__module__ in KEEPS_SECRETS:
                return cls(backend)
        return None

    def is_locked(self) -> bool:
        """Whether it is known to be locked, found out without asking the user for anything."""
        if not self._is_secret_service:
            return False
        import secretstorage
        from secretstorage.collection import get_collection_by_alias

        try:
            with closing(secretstorage.dbus_init()) as connection:
                return bool(get_collection_by_alias(connection, "default").is_locked())
        except secretstorage.ItemNotFoundException:
            return False
        except Exception:
            return True

    def get(self, service: str, entry: str) -> str | None:
        """A secret, None if there is none."""
        try:
            return self._backend.get_password(service, entry)
        except Exception as error:
            raise self._locked(error) from error

    def set(self, service: str, entry: str, value: str) -> None:
        """Keep a secret."""
        try:
            self._backend.set_password(service, entry, value)
        except Exception as error:
            raise self._locked(error) from error

    def delete(self, service: str, entry: str) -> None:
        """Forget a secret; a missing one is no failure."""
        from keyring.errors import PasswordDeleteError

        try:
            self._backend.delete_password(service, entry)
        except PasswordDeleteError:
            return
        except Exception as error:
            raise self._locked(error) from error

    def _locked(self, error: Exception) -> VaultLocked:
        return VaultLocked(
            f"{self.name[0].upper()}{self.name[1:]} is locked or did not answer.",
            advice="Unlock it (signing in to your desktop again does that), then try again.",
            details=f"{type(error).__name__}: {error}",
        )


def _secret_service_name() -> str:
    """What people call the program that answers as the Secret Service; "" when that can't be told."""
    if sys.platform != "linux":
        return ""
    import secretstorage
    from jeepney import DBusAddress, new_method_call  # type: ignore[import-untyped]

    bus = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    ask = new_method_call(bus, "GetConnectionUnixProcessID", "s", ("org.freedesktop.secrets",))
    try:
        with closing(secretstorage.dbus_init()) as connection:
            process = connection.send_and_get_reply(ask, timeout=5).body[0]
        program = Path(f"/proc/{int(process)}/comm").read_text("utf-8").strip()
    except Exception:
        return ""
    return next((name for start, name in SECRET_SERVICES.items() if program.startswith(start)), "")
