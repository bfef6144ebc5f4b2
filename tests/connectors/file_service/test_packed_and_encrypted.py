"""Files that lie packed and encrypted on a real SSH server, made by the real gpg."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import io
import random
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard

from connectors.file_service.jobs import check_sftp, csv_preview
from connectors.kit.errors import InputError
from connectors.kit.places.remote import RemoteFile
from connectors.kit.types import Credentials

if TYPE_CHECKING:
    from peers.sshd import Sshd

MANY = 60_000


@dataclass
class Gpg:
    """Somebody's key, in a home of its own."""

    home: Path
    private_key: str
    public_key: str

    def encrypted(self, data: bytes, *, armor: bool = False) -> bytes:
        extra = ["--armor"] if armor else []
        command = [*_gpg(self.home), *extra, "--trust-model", "always", "-r", "maja@example.com", "--encrypt"]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def _gpg(home: Path) -> list[str]:
    return ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]


@pytest.fixture(scope="module")
def gpg() -> Iterator[Gpg]:
    """A key on curve 25519, made by gpg."""
    # In the temporary folder itself: the path of the agent's socket must be short.
    home = Path(tempfile.mkdtemp(prefix="cw-key-"))
    make = [*_gpg(home), "--quick-gen-key", "Maja <maja@example.com>", "future-default", "default", "never"]
    subprocess.run(make, capture_output=True, check=True)
    public, private = (
        subprocess.run([*_gpg(home), "--armor", what], capture_output=True, check=True, text=True).stdout
        for what in ("--export", "--export-secret-keys")
    )
    yield Gpg(home, private, public)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    shutil.rmtree(home, ignore_errors=True)


def server(sshd: Sshd, private_key: str = "") -> Credentials:
    settings = {
        "host": sshd.host, "port": str(sshd.port), "user": sshd.user, "host_key": sshd.host_key,
        "folder": str(sshd.files),
    }  # fmt: skip
    secrets = {"privatekey": sshd.private_key} | ({"pgpprivatekey": private_key} if private_key else {})
    return Credentials("file-service-sftp-pgp-private", settings, secrets)


def zipped(data: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", data)
    return target.getvalue()


@pytest.fixture(scope="module")
def plain() -> bytes:
    """Some megabytes that no packing makes small."""
    noise = random.Random(7)
    return b"id,email,token\n" + b"".join(
        b"%d,p%d@example.com,%s\n" % (number, number, noise.randbytes(60).hex().encode()) for number in range(MANY)
    )


CHAINS: dict[str, Callable[[bytes, Gpg], bytes]] = {
    ".csv.pgp": lambda data, gpg: gpg.encrypted(data),
    ".csv.asc": lambda data, gpg: gpg.encrypted(data, armor=True),
    ".csv.gz.pgp": lambda data, gpg: gpg.encrypted(gzip.compress(data, 1)),
    ".csv.pgp.gz": lambda data, gpg: gzip.compress(gpg.encrypted(data), 1),
    ".zip": lambda data, gpg: zipped(data),
    ".zip.pgp": lambda data, gpg: gpg.encrypted(zipped(data)),
    ".csv.bz2": lambda data, gpg: bz2.compress(data),
    ".csv.zst": lambda data, gpg: zstandard.compress(data),
}


@pytest.mark.parametrize("chain", list(CHAINS))
def test_a_preview_through_any_chain_reads_the_head_of_a_remote_file(
    sshd: Sshd, gpg: Gpg, plain: bytes, chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = CHAINS[chain](plain, gpg)
    # The name says nothing, and nobody asks it.
    sshd.put("people.dat", data)
    moved: list[int] = []
    read = RemoteFile.read

    def watched(file: RemoteFile, size: int = -1, /) -> bytes:
        found = read(file, size)
        moved.append(len(found))
        return found

    monkeypatch.setattr(RemoteFile, "read", watched)
    begin = time.monotonic()
    seen = asyncio.run(csv_preview(server(sshd, gpg.private_key), {"filename": "people.dat"}))
    assert time.monotonic() - begin < 20
    assert [row[1] for row in seen.rows] == [f"p{number}@example.com" for number in range(100)]
    assert (seen.columns[1].identifier, seen.size) == (True, len(data))
    # bz2 has blocks of 900 kB, and gpg is fed while it works.
    assert sum(moved) < len(data) * 0.75
    steps = seen.summary[:-3]
    assert len(steps) == len(chain.replace(".csv", "")[1:].split("."))


def test_a_wrong_key_and_a_missing_one_are_told(sshd: Sshd, gpg: Gpg, tmp_path: Path) -> None:
    sshd.put("people.csv.pgp", gpg.encrypted(b"id\n1\n"))
    with pytest.raises(InputError, match="there is no private key to decrypt it with"):
        asyncio.run(csv_preview(server(sshd), {"filename": "people.csv.pgp"}))
    other = Path(tempfile.mkdtemp(prefix="cw-key-"))
    subprocess.run(
        [*_gpg(other), "--quick-gen-key", "Bob <bob@example.com>", "future-default", "default", "never"],
        capture_output=True, check=True,
    )  # fmt: skip
    private = subprocess.run(
        [*_gpg(other), "--armor", "--export-secret-keys"], capture_output=True, check=True, text=True
    ).stdout
    subprocess.run(["gpgconf", "--homedir", str(other), "--kill", "all"], check=False)
    shutil.rmtree(other, ignore_errors=True)
    with pytest.raises(InputError, match="is encrypted for another key"):
        asyncio.run(csv_preview(server(sshd, private), {"filename": "people.csv.pgp"}))


def test_a_check_looks_at_the_key_too(sshd: Sshd, gpg: Gpg) -> None:
    assert sshd.user in asyncio.run(check_sftp(server(sshd, gpg.private_key))).description
    with pytest.raises(InputError, match="public key"):
        asyncio.run(check_sftp(server(sshd, gpg.public_key)))
