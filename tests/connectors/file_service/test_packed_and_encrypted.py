"""Files that lie packed and encrypted on a real SSH server, made by the real gpg."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import io
import random
import time
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import zstandard

from connectors.file_service.jobs import check_sftp, csv_preview
from connectors.kit.errors import InputError
from connectors.kit.places.remote import RemoteFile
from connectors.kit.types import Credentials

if TYPE_CHECKING:
    from peers.pgp import PgpPeer
    from peers.sshd import Sshd

MANY = 60_000


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


Encrypt = Callable[..., bytes]

CHAINS: dict[str, Callable[[Encrypt, bytes], bytes]] = {
    ".csv.pgp": lambda encrypt, data: encrypt(data),
    ".csv.asc": lambda encrypt, data: encrypt(data, "--armor"),
    ".csv.gz.pgp": lambda encrypt, data: encrypt(gzip.compress(data, 1)),
    ".csv.pgp.gz": lambda encrypt, data: gzip.compress(encrypt(data), 1),
    ".zip": lambda encrypt, data: zipped(data),
    ".zip.pgp": lambda encrypt, data: encrypt(zipped(data)),
    ".csv.bz2": lambda encrypt, data: bz2.compress(data),
    ".csv.zst": lambda encrypt, data: zstandard.compress(data),
}


@pytest.mark.parametrize("chain", list(CHAINS))
def test_a_preview_through_any_chain_reads_the_head_of_a_remote_file(
    sshd: Sshd, pgp: PgpPeer, plain: bytes, chain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encrypt(data: bytes, *options: str) -> bytes:
        return pgp.encrypt(data, pgp.curve, options=options)

    data = CHAINS[chain](encrypt, plain)
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
    seen = asyncio.run(csv_preview(server(sshd, pgp.curve.private), {"filename": "people.dat"}))
    assert time.monotonic() - begin < 20
    assert [row[1] for row in seen.rows] == [f"p{number}@example.com" for number in range(100)]
    assert (seen.columns[1].identifier, seen.size) == (True, len(data))
    # bz2 has blocks of 900 kB, and gpg is fed while it works.
    assert sum(moved) < len(data) * 0.75
    steps = seen.summary[:-3]
    assert len(steps) == len(chain.replace(".csv", "")[1:].split("."))


def test_a_wrong_key_and_a_missing_one_are_told(sshd: Sshd, pgp: PgpPeer) -> None:
    sshd.put("people.csv.pgp", pgp.encrypt(b"id\n1\n", pgp.curve))
    with pytest.raises(InputError, match="there is no private key to decrypt it with"):
        asyncio.run(csv_preview(server(sshd), {"filename": "people.csv.pgp"}))
    with pytest.raises(InputError, match="is encrypted for another key"):
        asyncio.run(csv_preview(server(sshd, pgp.other.private), {"filename": "people.csv.pgp"}))


def test_a_check_looks_at_the_key_too(sshd: Sshd, pgp: PgpPeer) -> None:
    assert sshd.user in asyncio.run(check_sftp(server(sshd, pgp.curve.private))).description
    with pytest.raises(InputError, match="public key"):
        asyncio.run(check_sftp(server(sshd, pgp.curve.public)))
