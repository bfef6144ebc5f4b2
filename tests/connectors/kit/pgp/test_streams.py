"""Files that pass through gpg, against gpg itself; what is cut off, changed or for somebody else; nothing is left."""

from __future__ import annotations

import io
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from peers.pgp import PASSPHRASE, KeyPair, PgpPeer
from peers.watching import until_ended

from connectors.kit.errors import InputError, WaitError
from connectors.kit.formats.streams import ByteStream
from connectors.kit.pgp.home import private_home
from connectors.kit.pgp.streams import decrypted, encrypting

ROOT = Path(__file__).resolve().parents[4]
TABLE = b"id,email\n" + b"".join(b"%d,person%d@example.com\n" % (n, n * 7919) for n in range(50_000))


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary files of this test alone, in which nothing may be left; not in pytest's long path."""
    folder = Path(tempfile.mkdtemp(prefix="t-"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder)


def read_all(stream: ByteStream) -> bytes:
    return b"".join(iter(lambda: stream.read(100_000), b""))


def collect(stream: ByteStream, got: bytearray) -> None:
    """Read to the end or to a failure; what came before it is in `got`."""
    while part := stream.read(10_000):
        got += part


def plain(data: bytes, key: KeyPair, passphrase: str | None = None) -> bytes:
    with decrypted(io.BytesIO(data), key.private, passphrase or key.passphrase) as stream:
        return read_all(stream)


@pytest.mark.parametrize("options", [(), ("--armor",), ("--compress-algo", "none"), ("--compress-algo", "bzip2")])
@pytest.mark.parametrize("name", ["rsa", "curve"])
def test_what_gpg_encrypts_we_decrypt(pgp: PgpPeer, temporary: Path, name: str, options: tuple[str, ...]) -> None:
    key: KeyPair = getattr(pgp, name)
    assert plain(pgp.encrypt(TABLE, key, options=options), key) == TABLE
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("name", ["rsa", "curve"])
def test_what_we_encrypt_gpg_decrypts(pgp: PgpPeer, temporary: Path, tmp_path: Path, name: str, compress: bool) -> None:
    key: KeyPair = getattr(pgp, name)
    target = tmp_path / "people.csv.pgp"
    with encrypting(target, key.public, compress=compress) as file:
        for start in range(0, len(TABLE), 77_777):
            file.write(TABLE[start : start + 77_777])
        assert not target.exists()
    assert pgp.decrypt(target.read_bytes(), key.passphrase) == TABLE
    assert (target.stat().st_size < len(TABLE) / 2) == compress
    assert list(tmp_path.iterdir()) == [target]
    assert list(temporary.iterdir()) == []


def test_a_file_on_the_disk_is_read_from_where_it_stands(pgp: PgpPeer, tmp_path: Path) -> None:
    file = tmp_path / "people.pgp"
    data = pgp.encrypt(TABLE, pgp.rsa)
    file.write_bytes(b"before" + data)
    with file.open("rb") as stream:
        stream.read(100)
        stream.seek(6)
        with decrypted(stream, pgp.rsa.private, PASSPHRASE) as out:
            assert read_all(out) == TABLE
        assert stream.tell() == len(data) + 6
    file.write_bytes(data[: len(data) // 2])
    got = bytearray()
    with (
        file.open("rb") as stream,
        pytest.raises(InputError, match="cut off or changed"),
        decrypted(stream, pgp.rsa.private, PASSPHRASE) as out,
    ):
        collect(out, got)
    assert got
    assert TABLE.startswith(got)


def test_one_of_several_recipients_is_enough(pgp: PgpPeer) -> None:
    data = pgp.encrypt(TABLE, pgp.other, pgp.curve)
    assert plain(data, pgp.curve) == plain(data, pgp.other) == TABLE


def test_an_empty_file_is_a_file(pgp: PgpPeer, tmp_path: Path) -> None:
    with encrypting(tmp_path / "empty", pgp.curve.public, compress=False):
        pass
    assert plain((tmp_path / "empty").read_bytes(), pgp.curve) == b""


def test_a_preview_moves_only_the_head(pgp: PgpPeer, temporary: Path) -> None:
    content = random.Random(1).randbytes(40_000_000)
    stream = io.BytesIO(pgp.encrypt(content, pgp.curve, options=("--compress-algo", "none")))
    with decrypted(stream, pgp.curve.private, None) as head:
        assert head.read(1_000) == content[:1_000]
    assert stream.tell() < 10_000_000
    assert not stream.closed
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("armor", [False, True])
def test_a_cut_is_never_taken_for_the_end(pgp: PgpPeer, armor: bool) -> None:
    data = pgp.encrypt(TABLE, pgp.curve, options=("--armor",) if armor else ("--compress-algo", "none"))
    places = [*random.Random(2).sample(range(len(data) - 100), 4), 1, 60, len(data) - 60]
    if not armor:
        places.append(len(data) - 1)
    for place in places:
        got = bytearray()
        with (
            pytest.raises(InputError, match=r"cut off or changed|incomplete or damaged"),
            decrypted(io.BytesIO(data[:place]), pgp.curve.private, None) as stream,
        ):
            collect(stream, got)
        assert TABLE.startswith(got)


def test_a_change_is_noticed(pgp: PgpPeer) -> None:
    data = bytearray(pgp.encrypt(TABLE, pgp.curve, options=("--compress-algo", "none")))
    data[len(data) // 2] ^= 1
    with pytest.raises(InputError, match="cut off or changed on its way") as caught:
        plain(bytes(data), pgp.curve)
    assert "manipulated" in caught.value.details


def test_another_key_or_passphrase_is_told(pgp: PgpPeer) -> None:
    with pytest.raises(InputError, match=r"encrypted for another key .*\(Otto <otto@example.com>"):
        plain(pgp.encrypt(TABLE, pgp.curve), pgp.other)
    data = pgp.encrypt(TABLE, pgp.rsa)
    with pytest.raises(InputError, match="The passphrase does not open the private key of Rosa"):
        plain(data, pgp.rsa, "wrong")
    with (
        pytest.raises(InputError, match="protected by a passphrase, and none was given"),
        decrypted(io.BytesIO(data), pgp.rsa.private, None) as stream,
    ):
        stream.read(1)
    with pytest.raises(InputError, match="encrypted with a passphrase and not for a key"):
        plain(pgp.run("--symmetric", data=TABLE, passphrase="x"), pgp.curve)
    with pytest.raises(InputError, match="incomplete or damaged"):
        plain(b"hello", pgp.curve)


class Failing(io.BytesIO):
    """A server that goes away after so many bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 500_000:
            raise WaitError("The connection was lost.")
        return super().read(size)


def test_a_lost_connection_stays_what_it_is(pgp: PgpPeer) -> None:
    stream = Failing(pgp.encrypt(TABLE, pgp.curve, options=("--compress-algo", "none")))
    got = bytearray()
    with pytest.raises(WaitError, match="connection was lost"), decrypted(stream, pgp.curve.private, None) as out:
        collect(out, got)
    assert len(got) > 400_000
    assert TABLE.startswith(got)


def write_and_fail(file: BinaryIO) -> None:
    file.write(TABLE)
    file.flush()
    raise ValueError("no number of that name")


def test_a_failed_export_leaves_the_file_of_before(pgp: PgpPeer, temporary: Path, tmp_path: Path) -> None:
    target = tmp_path / "people.csv.pgp"
    target.write_bytes(b"before")
    with pytest.raises(ValueError, match="no number"), encrypting(target, pgp.curve.public, compress=False) as file:
        write_and_fail(file)
    assert target.read_bytes() == b"before"
    with (
        pytest.raises(InputError, match=r"Alma .* expired"),
        encrypting(target, pgp.expired.public, compress=False),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv.pgp"]
    assert list(temporary.iterdir()) == []


def gpg_that(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Put a shell script before gpg; `"$REAL"` in it is the true one."""
    folder.mkdir()
    program = folder / "gpg"
    program.write_text(f"#!/bin/sh\nREAL={shlex.quote(shutil.which('gpg') or '')}\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_full_disk_is_told(pgp: PgpPeer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The true gpg writes to a device that is always full."""
    key = pgp.curve.public
    # Never as the name after --output: gpg takes a file of that name away to make its own, which as root it can.
    to_full = (
        'case "$*" in *--encrypt*) ;; *) exec "$REAL" "$@";; esac\n'
        'for a; do case "$a" in *.part) a=-;; esac; set -- "$@" "$a"; shift; done; exec "$REAL" "$@" > /dev/full'
    )
    gpg_that(monkeypatch, tmp_path / "bin", to_full)
    target = tmp_path / "people.csv.pgp"
    with (
        pytest.raises(InputError, match=r"no room left on the disk for people\.csv\.pgp"),
        encrypting(target, key, compress=False) as file,
    ):
        file.write(TABLE * 20)
    assert not target.exists()


def test_secrets_are_in_no_argument_and_no_environment(
    pgp: PgpPeer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, seen = pgp.encrypt(TABLE, pgp.rsa), tmp_path / "seen"
    record = f'{{ echo "$@"; env; }} >> {shlex.quote(str(seen))}; exec "$REAL" "$@"'
    gpg_that(monkeypatch, tmp_path / "bin", record)
    assert plain(data, pgp.rsa) == TABLE
    with encrypting(tmp_path / "out", pgp.rsa.public, compress=False) as file:
        file.write(TABLE)
    told = seen.read_text(encoding="utf-8", errors="replace")
    assert "--decrypt" in told
    assert "--no-auto-key-locate" in told
    assert PASSPHRASE not in told
    assert "PRIVATE KEY" not in told
    assert capfd.readouterr() == ("", "")


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from connectors.kit.pgp.streams import decrypted
with open(sys.argv[2], "rb") as stream, decrypted(stream, open(sys.argv[3]).read(), None) as out:
    out.read(10)
    print(int(open("/proc/self/task/%d/children" % __import__("os").getpid()).read().split()[0]), flush=True)
    sys.stdin.read()
"""


def test_a_reader_that_is_killed_leaves_neither_agent_nor_key(pgp: PgpPeer, temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(pgp.encrypt(TABLE * 20, pgp.curve, options=("--compress-algo", "none")))
    (tmp_path / "key").write_text(pgp.curve.private, encoding="utf-8")
    command = [sys.executable, "-c", KILLED, str(ROOT), str(tmp_path / "data"), str(tmp_path / "key")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        guard = int(process.stdout.readline())
        (home,) = temporary.iterdir()
        agent = agent_of(home)
        process.kill()
    until_ended(guard)
    until_ended(agent)
    assert not home.exists()


def agent_of(home: Path) -> int:
    """The number of the process that holds the keys of a home."""
    answer = subprocess.run(
        ["gpg-connect-agent", "--homedir", home, "--no-autostart", "getinfo pid", "/bye"],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(answer.stdout.split()[1])


def test_what_a_power_cut_left_is_cleared_and_what_is_in_use_stays(temporary: Path) -> None:
    left = temporary / "causeway-pgp-left"
    (left / "private-keys-v1.d").mkdir(parents=True)
    with private_home() as home:
        for folder in (left, home.path):
            os.utime(folder, (0, 0))
        with private_home():
            assert not left.exists()
            assert home.path.exists()
    assert list(temporary.iterdir()) == []


def test_a_long_path_for_temporary_files_is_no_obstacle(pgp: PgpPeer, temporary: Path) -> None:
    deep = temporary / ("d" * 90)
    deep.mkdir()
    tempfile.tempdir = str(deep)
    assert plain(pgp.encrypt(b"hello", pgp.curve), pgp.curve) == b"hello"
