"""Secrets in a real Secret Service, in a file under a passphrase, and what is said when neither can be had."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backends import chainer, fail, null
from peers.secret_service import SecretService

from app.errors import DiskFull, Refused, VaultLocked, VaultMissing
from app.vault import Vault, sealed
from app.vault.vault import LONGEST_IN_KEYRING

# keyring leaves its connection to the bus open when it fails.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

LONG = "-----BEGIN PRIVATE KEY-----\n" + "".join(f"{line:064}\n" for line in range(60)) + "-----END PRIVATE KEY-----\n"
LABELS = {"privatekey": "Private key", "pgp": "PGP key", "password": "Password"}
PASSPHRASE = "four words of mine"

KILLED_AT_FSYNC = """
import os, signal, sys
from pathlib import Path
from app.vault import Vault
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
vault = Vault("w1", Path(sys.argv[1]))
vault.unlock(sys.argv[2])
vault.store(1, {"password": "lost"})
"""


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault("w1", tmp_path)


def written(folder: Path) -> bytes:
    """All that a folder holds."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_short_secrets_lie_in_the_keyring_long_ones_in_a_file_with_its_key_there(
    secret_service: SecretService, vault: Vault, tmp_path: Path
) -> None:
    secrets = {"password": "žluťoučký kůň 🐎", "privatekey": LONG, "pgp": "x" * 100_000}
    vault.store(7, secrets)
    assert Vault("w1", tmp_path).load(7, [*secrets, "absent"]) == secrets
    assert vault.state().kind == "keyring"
    assert vault.state().sentence == "Secrets are in GNOME Keyring."
    assert vault.where(7, LABELS) == (
        "Private key and PGP key: encrypted file, key in GNOME Keyring; Password: GNOME Keyring"
    )
    held = secret_service.holds()
    assert len(held) == 2
    assert all(len(value) <= LONGEST_IN_KEYRING for value in held)
    assert secrets["password"] in held
    assert not any(line in written(tmp_path) for line in (b"0" * 60, b"PRIVATE KEY", b"x" * 20))
    file = tmp_path / "secrets" / "long.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    vault.forget(7, secrets)
    assert vault.load(7, secrets) == {}
    assert len(secret_service.holds()) == 1


def test_a_secret_that_changes_its_length_changes_its_place(secret_service: SecretService, vault: Vault) -> None:
    for value in ("a" * LONGEST_IN_KEYRING, "b" * (LONGEST_IN_KEYRING + 1), "c", "🐎" * 700, "d"):
        vault.store(1, {"password": value})
        assert vault.load(1, ["password"]) == {"password": value}
        in_keyring = len(value.encode("utf-16-le")) <= 2 * LONGEST_IN_KEYRING
        assert (value in secret_service.holds()) is in_keyring
        assert ("encrypted file" in vault.where(1, {"password": "Password"})) is not in_keyring


def test_workspaces_do_not_see_each_others_secrets(secret_service: SecretService, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Vault(name, tmp_path / name).store(1, {"password": name})
    assert Vault("one", tmp_path / "one").load(1, ["password"]) == {"password": "one"}


def test_a_locked_keyring_says_what_to_do_and_changes_nothing(secret_service: SecretService, vault: Vault) -> None:
    vault.store(1, {"password": "before"})
    secret_service.lock()
    assert vault.state().locked
    assert vault.state().sentence == "Secrets are in GNOME Keyring, which is locked."
    for act in (
        lambda: vault.load(1, ["password"]),
        lambda: vault.store(1, {"password": "after"}),
        lambda: vault.forget(1, ["password"]),
        vault.make_ready,
    ):
        with pytest.raises(VaultLocked, match="GNOME Keyring is locked or did not answer") as caught:
            act()
        assert "Unlock it" in caught.value.advice


def test_a_keyring_that_dies_or_whose_bus_is_gone_is_told_in_a_sentence(
    secret_service: SecretService, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_service.end()
    with pytest.raises(VaultLocked, match="did not answer"):
        vault.store(1, {"password": "x"})
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
    with pytest.raises(VaultLocked, match="did not answer"):
        vault.load(1, ["password"])
    assert vault.state().locked


def test_a_full_disk_half_way_puts_back_what_was_there(
    secret_service: SecretService, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    vault.store(1, {"password": "before"})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match="No space left"):
            vault.store(1, {"password": "after", "passphrase": "new", "privatekey": LONG})
    assert vault.load(1, ["password", "passphrase", "privatekey"]) == {"password": "before"}
    assert "new" not in secret_service.holds()
    assert list((tmp_path / "secrets").iterdir()) == []


def test_long_secrets_whose_key_is_lost_can_be_entered_again(
    secret_service: SecretService, vault: Vault, tmp_path: Path
) -> None:
    vault.store(1, {"privatekey": LONG})
    elsewhere = Vault("another computer", tmp_path)
    with pytest.raises(VaultMissing, match="not in the keyring of this computer") as caught:
        elsewhere.load(1, ["privatekey"])
    assert "Re-authorize" in caught.value.advice
    elsewhere.store(1, {"privatekey": LONG + "new"})
    assert elsewhere.load(1, ["privatekey"]) == {"privatekey": LONG + "new"}


def test_without_a_keyring_a_file_under_a_passphrase_keeps_everything(vault: Vault, tmp_path: Path) -> None:
    assert vault.state().kind == "none"
    with pytest.raises(VaultMissing, match="no keyring") as missing:
        vault.store(1, {"password": "hunter22"})
    assert "passphrase" in missing.value.advice
    with pytest.raises(Refused, match="shorter than 8"):
        vault.create_file("short")
    vault.create_file(PASSPHRASE)
    with pytest.raises(Refused, match="already"):
        vault.create_file(PASSPHRASE)
    secrets = {"password": "hunter22", "privatekey": LONG}
    vault.store(1, secrets)
    assert not any(text in written(tmp_path) for text in (b"hunter22", b"PRIVATE KEY", PASSPHRASE.encode()))
    assert stat.S_IMODE((tmp_path / "secrets" / "file.json").stat().st_mode) == 0o600
    assert vault.where(1, {"password": "Password"}) == "Password: encrypted secrets file"

    later = Vault("w1", tmp_path)
    assert (later.state().kind, later.state().locked) == ("file", True)
    with pytest.raises(VaultLocked, match="locked") as locked:
        later.load(1, secrets)
    assert "passphrase" in locked.value.advice
    with pytest.raises(VaultLocked, match="does not open"):
        later.unlock(PASSPHRASE.upper())
    assert later.state().locked
    later.unlock(PASSPHRASE)
    assert later.load(1, secrets) == secrets
    later.forget(1, ["password"])
    assert vault.load(1, secrets) == {"privatekey": LONG}


def test_values_of_the_file_can_not_be_exchanged_or_altered(vault: Vault, tmp_path: Path) -> None:
    vault.create_file(PASSPHRASE)
    vault.store(1, {"password": "mine"})
    vault.store(2, {"password": "theirs"})
    file = tmp_path / "secrets" / "file.json"
    document = json.loads(file.read_text())
    values = document["values"]
    values["1/password"], values["2/password"] = values["2/password"], values["1/password"]
    file.write_text(json.dumps(document))
    with pytest.raises(VaultLocked, match="does not open with its key"):
        vault.load(1, ["password"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"values": {}}',
        b'{"scrypt": {"n": 1073741824, "r": 64, "p": 9, "salt": "AAAA"}, "values": {}}',
        b'{"scrypt": {"n": 3, "r": 8, "p": 1, "salt": "AAAA"}, "values": {}}',
        b'{"scrypt": {"n": 65536, "r": 8, "p": 1, "salt": 5}, "values": {}}',
    ],
)
def test_a_damaged_secrets_file_is_told_in_a_sentence(vault: Vault, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secrets" / "file.json"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(VaultLocked, match="damaged"):
        vault.unlock(PASSPHRASE)
    assert file.read_bytes() == content
    assert vault.where(1, {"password": "Password"}).startswith("Password: ")


def test_what_was_stored_before_the_secrets_file_was_made_stays_readable(
    secret_service: SecretService, vault: Vault
) -> None:
    vault.store(1, {"password": "in the keyring"})
    vault.create_file(PASSPHRASE)
    vault.store(2, {"password": "in the file"})
    assert vault.load(1, ["password"]) == {"password": "in the keyring"}
    assert vault.where(1, {"password": "Password"}) == "Password: GNOME Keyring"
    vault.forget(1, ["password"])
    assert "in the keyring" not in secret_service.holds()


def test_a_write_that_is_killed_leaves_the_file_whole(vault: Vault, tmp_path: Path) -> None:
    vault.create_file(PASSPHRASE)
    vault.store(1, {"password": "kept"})
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT_FSYNC, tmp_path, PASSPHRASE],
        cwd=Path(sealed.__file__).parents[2],
        check=False,
    )
    assert killed.returncode == -9
    assert vault.load(1, ["password"]) == {"password": "kept"}


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring, chainer.ChainerBackend])
def test_a_keyring_that_keeps_nothing_counts_as_none(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, backend: type
) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend())
    assert vault.state().kind == "none"
    assert vault.where(1, {"password": "Password"}) == "Password: not on this computer"
    with pytest.raises(VaultMissing):
        vault.store(1, {"password": "x"})
