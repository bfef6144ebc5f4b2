"""PGP keys for tests, made by GnuPG itself when they are first asked for, and GnuPG as the other side."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

PASSPHRASE = "Käse & Brot"


@dataclass(frozen=True)
class KeyPair:
    """Both halves of a key as people paste them, and what opens the private one."""

    fingerprint: str
    public: str
    private: str
    passphrase: str | None = None


@dataclass
class PgpPeer:
    """Somebody who uses GnuPG: makes keys, encrypts, decrypts. `folder` is their home."""

    folder: Path
    gpg: str = field(default_factory=lambda: shutil.which("gpg") or "gpg")

    def run(self, *arguments: str, data: bytes = b"", passphrase: str = "") -> bytes:
        """What gpg writes. Fails with what it says."""
        command = [self.gpg, "--batch", "--homedir", str(self.folder), "--trust-model", "always", "--quiet"]
        command += ["--pinentry-mode", "loopback", "--passphrase", passphrase, "--status-fd", "2", *arguments]
        result = subprocess.run(command, input=data, capture_output=True, check=False)
        assert result.returncode == 0, result.stderr.decode(errors="replace")
        return result.stdout

    def make(
        self, name: str, kind: str, usage: str, *, until: str = "none", when: str = "", secret: str = ""
    ) -> KeyPair:
        """A new key. `when` is the day it is made on, as 20200101."""
        clock = ("--faked-system-time", f"{when}T000000") if when else ()
        owner = f"{name} <{name.lower()}@example.com>"
        self.run(*clock, "--quick-generate-key", owner, kind, usage, until, passphrase=secret)
        listed = self.run("--with-colons", "--list-keys", owner).decode()
        return self.exported(re.findall(r"^fpr:+(\w+):", listed, re.MULTILINE)[0], secret)

    def exported(self, fingerprint: str, secret: str = "") -> KeyPair:
        public = self.run("--armor", "--export", fingerprint).decode()
        private = self.run("--armor", "--export-secret-keys", fingerprint, passphrase=secret).decode()
        return KeyPair(fingerprint, public, private, secret or None)

    @cached_property
    def rsa(self) -> KeyPair:
        """RSA 4096 with a passphrase that is not ASCII."""
        pair = self.make("Rosa", "rsa4096", "sign", secret=PASSPHRASE)
        self.run("--quick-add-key", pair.fingerprint, "rsa4096", "encrypt", "never", passphrase=PASSPHRASE)
        return self.exported(pair.fingerprint, PASSPHRASE)

    @cached_property
    def curve(self) -> KeyPair:
        """Curve 25519 without a passphrase."""
        return self.make("Käthe", "future-default", "default")

    @cached_property
    def other(self) -> KeyPair:
        return self.make("Otto", "future-default", "default")

    @cached_property
    def signing(self) -> KeyPair:
        """A key that can't encrypt."""
        return self.make("Signe", "ed25519", "sign")

    @cached_property
    def expired(self) -> KeyPair:
        """A key of 2020 that was valid for a year."""
        return self.make("Alma", "future-default", "default", until="1y", when="20200101")

    @cached_property
    def revoked(self) -> KeyPair:
        pair = self.make("Rita", "future-default", "default")
        certificate = (self.folder / "openpgp-revocs.d" / f"{pair.fingerprint}.rev").read_text(encoding="utf-8")
        self.run("--import", data=certificate.replace(":-----BEGIN", "-----BEGIN").encode())
        return self.exported(pair.fingerprint)

    def encrypt(self, data: bytes, *keys: KeyPair, options: tuple[str, ...] = ()) -> bytes:
        recipients = [part for key in keys for part in ("--recipient", key.fingerprint)]
        return self.run(*options, *recipients, "--encrypt", data=data)

    def decrypt(self, data: bytes, passphrase: str | None = None) -> bytes:
        return self.run("--decrypt", data=data, passphrase=passphrase or "")


@pytest.fixture(scope="session")
def pgp() -> Iterator[PgpPeer]:
    """One for all tests of a process: an RSA key takes seconds to make. In a short path, for its agent's socket."""
    folder = Path(tempfile.mkdtemp(prefix="pgp-"))
    try:
        yield PgpPeer(folder)
    finally:
        with suppress(OSError):
            subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
