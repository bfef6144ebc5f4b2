"""SFTP against a real OpenSSH server."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import struct
import subprocess
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from peers.sftp_place import reach

from connectors.kit.errors import HostKeyChanged, HostKeyUnknown, InputError, SignInError, WaitError
from connectors.kit.formats.chain import members, unpacked
from connectors.kit.formats.csv import open_csv
from connectors.kit.places import session
from connectors.kit.places.sftp import SftpPlace
from connectors.kit.places.ssh import fingerprint

if TYPE_CHECKING:
    from peers.sshd import Sshd


def make_key(kind: str, form: str, passphrase: str | None) -> tuple[str, str]:
    """A new key pair as text: private in the form asked for, public as in authorized_keys."""
    key: Any = {
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
        "rsa": lambda: rsa.generate_private_key(65537, 2048),
    }[kind]()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        {
            "openssh": serialization.PrivateFormat.OpenSSH,
            "pem": serialization.PrivateFormat.TraditionalOpenSSL,
            "pkcs8": serialization.PrivateFormat.PKCS8,
        }[form],
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


@pytest.mark.parametrize(
    ("kind", "form", "passphrase"),
    [
        ("ed25519", "openssh", None),
        ("ed25519", "openssh", "Käse 7"),
        ("ed25519", "pkcs8", "Käse 7"),
        ("ecdsa", "openssh", "Käse 7"),
        ("ecdsa", "pem", None),
        ("rsa", "openssh", None),
        ("rsa", "pem", "Käse 7"),
        ("rsa", "pkcs8", None),
    ],
)
def test_keys_of_every_kind_sign_in(sshd: Sshd, kind: str, form: str, passphrase: str | None) -> None:
    private, public = make_key(kind, form, passphrase)
    sshd.authorize(public)
    pasted = "\r\n  ".join(private.splitlines())
    opened = reach(sshd, private_key=f"\n {pasted}\n", passphrase=passphrase)
    assert isinstance(opened.list(), list)
    opened.close()


def test_bad_keys_are_told_apart(sshd: Sshd) -> None:
    private, public = make_key("ed25519", "openssh", "right")
    cases = [
        (private, "wrong", "The passphrase does not open the private key."),
        (private, None, "The private key is protected by a passphrase."),
        (private.replace("A", "B", 40), "right", "The private key can't be read: it is damaged or incomplete."),
        (public, None, "This is the public half of a key; signing in needs the private one."),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n", None, "PuTTY's format"),
        (make_key("ed25519", "openssh", None)[0], None, f"does not accept the private key of {sshd.user}"),
    ]
    for key, passphrase, sentence in cases:
        with pytest.raises(SignInError) as caught:
            reach(sshd, private_key=key, passphrase=passphrase)
        assert sentence in caught.value.message
        assert caught.value.advice


def test_password_signs_in(sshd: Sshd) -> None:
    if sshd.password is None:
        # Only sshd as root may look passwords up; then the wrong answer is all there is to see.
        with pytest.raises(SignInError, match="does not accept the password"):
            reach(sshd, private_key=None, password="anything")
        return
    reach(sshd, private_key=None, password=sshd.password).close()
    stranger, _ = make_key("ed25519", "openssh", None)
    reach(sshd, private_key=stranger, password=sshd.password).close()


def test_wrong_password_and_no_secret_at_all(sshd: Sshd) -> None:
    with pytest.raises(SignInError) as caught:
        reach(sshd, private_key=None, password="wrong")
    assert caught.value.message == f"127.0.0.1 does not accept the password of {sshd.user}."
    assert "wrong" not in caught.value.advice + caught.value.details
    with pytest.raises(SignInError, match="Neither a password nor a private key"):
        reach(sshd, private_key=None)


def test_first_contact_shows_the_fingerprint_and_sends_nothing(sshd: Sshd) -> None:
    with pytest.raises(HostKeyUnknown) as caught:
        reach(sshd, known_host_key=None)
    assert (caught.value.fingerprint, caught.value.key) == (sshd.fingerprint, sshd.host_key)
    assert caught.value.key_type == "ED25519"
    reach(sshd, known_host_key=caught.value.key).close()


def test_changed_host_key_is_refused(sshd: Sshd) -> None:
    _, other = make_key("ed25519", "openssh", None)
    with pytest.raises(HostKeyChanged) as caught:
        reach(sshd, known_host_key=other)
    assert caught.value.fingerprint == sshd.fingerprint
    assert caught.value.expected == fingerprint(other)
    _, other_kind = make_key("rsa", "openssh", None)
    with pytest.raises(HostKeyChanged):
        reach(sshd, known_host_key=other_kind)


def test_unreachable_servers_are_named(sshd: Sshd) -> None:
    with pytest.raises(WaitError, match=r"nowhere\.invalid can't be found"):
        reach(sshd, host="nowhere.invalid")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(WaitError, match=f"does not answer on port {port}"):
            reach(sshd, port=port)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(WaitError, match=f"port {port} of 127.0.0.1 is no SFTP server"):
            reach(sshd, port=port, timeout=0.2)


def test_a_folder_of_a_thousand_files(sshd: Sshd, place: SftpPlace) -> None:
    for number in range(1_000):
        sshd.put(f"many/file{number:04}.csv", b"x" * number)
    sshd.put("many/Ümläut, 名前 🎉.csv", b"abc")
    (sshd.files / "many" / "inner").mkdir()
    (sshd.files / "many" / "link").symlink_to("inner")
    (sshd.files / "many" / "broken").symlink_to("nothing")
    entries = place.list("many")
    assert [entry.name for entry in entries[:2]] == ["inner", "link"]
    assert all(entry.is_folder for entry in entries[:2])
    files = {entry.name: entry for entry in entries if not entry.is_folder}
    assert len(files) == 1_001
    assert files["file0123.csv"].size == 123
    assert files["file0123.csv"].modified is not None
    unicode = files["Ümläut, 名前 🎉.csv"]
    assert place.open(unicode.path).read() == b"abc"


def test_missing_and_forbidden_files(sshd: Sshd, place: SftpPlace, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"“gone\.csv” is not on 127\.0\.0\.1"):
        place.fetch("gone.csv", tmp_path / "gone.csv")
    with pytest.raises(InputError, match="is not on"):
        place.list("no/such/folder")
    elsewhere = reach(sshd, folder="/no/such/place")
    with pytest.raises(InputError, match="“/no/such/place” is not on"):
        elsewhere.list()
    elsewhere.close()
    secret = Path(sshd.put("secret.csv", b"a,b\n"))
    secret.chmod(0)
    with pytest.raises(InputError, match=f"{sshd.user} may not read “secret.csv”"):
        place.open("secret.csv")
    sshd.put("folder/file.csv", b"")
    with pytest.raises(InputError, match="is a folder"):
        place.open("folder")
    assert list(tmp_path.iterdir()) == []


def test_fetch_is_whole_and_reports_progress(sshd: Sshd, place: SftpPlace, tmp_path: Path) -> None:
    data = os.urandom(20_000_001)
    path = sshd.put("whole.bin", data)
    seen: list[tuple[int, int]] = []
    mark = place.fetch(path, tmp_path / "whole.bin", progress=lambda done, total: seen.append((done, total)))
    assert (tmp_path / "whole.bin").read_bytes() == data
    assert mark.size == len(data)
    assert seen[-1] == (len(data), len(data))
    assert seen == sorted(seen)
    assert [entry.name for entry in tmp_path.iterdir()] == ["whole.bin"]
    seen.clear()
    place.fetch(path, tmp_path / "whole.bin", progress=lambda done, total: seen.append((done, total)))
    assert seen == []
    place.fetch(sshd.put("empty.bin", b""), tmp_path / "empty.bin")
    assert (tmp_path / "empty.bin").read_bytes() == b""


def test_a_lost_connection_is_told_and_the_fetch_taken_up_again(sshd: Sshd, tmp_path: Path) -> None:
    data = os.urandom(60_000_000)
    path = sshd.put("long.bin", data)
    opened = reach(sshd)
    killed: list[int] = []

    def crash(done: int, total: int) -> None:
        if done > 5_000_000 and not killed:
            killed.append(sshd.kill_sessions())

    with pytest.raises(WaitError, match=r"The connection to 127\.0\.0\.1 was lost"):
        opened.fetch(path, tmp_path / "long.bin", progress=crash)
    opened.close()
    assert killed[0] > 0
    arrived = (tmp_path / "long.bin.part").stat().st_size
    assert 5_000_000 < arrived < len(data)
    assert not (tmp_path / "long.bin").exists()

    again = reach(sshd)
    steps: list[int] = []
    again.fetch(path, tmp_path / "long.bin", progress=lambda done, total: steps.append(done))
    again.close()
    assert steps[0] > arrived
    assert hashlib.sha256((tmp_path / "long.bin").read_bytes()).digest() == hashlib.sha256(data).digest()


class StopError(Exception):
    """The user cancels."""


@pytest.mark.parametrize("replaced", ["with a new time", "keeping the time"])
def test_a_replaced_file_starts_over(sshd: Sshd, place: SftpPlace, tmp_path: Path, replaced: str) -> None:
    path = sshd.put("replaced.bin", os.urandom(9_000_000))

    def stop(done: int, total: int) -> None:
        if done > 3_000_000:
            raise StopError

    with pytest.raises(StopError):
        place.fetch(path, tmp_path / "replaced.bin", progress=stop)
    before = Path(path).stat()
    data = os.urandom(9_000_000)
    sshd.put("replaced.bin", data)
    os.utime(path, (before.st_atime, before.st_mtime + (5 if replaced == "with a new time" else 0)))
    place.fetch(path, tmp_path / "replaced.bin")
    assert (tmp_path / "replaced.bin").read_bytes() == data


def test_a_file_that_changes_meanwhile_is_refused(sshd: Sshd, place: SftpPlace, tmp_path: Path) -> None:
    path = sshd.put("growing.bin", os.urandom(3_000_000))

    def grow(done: int, total: int) -> None:
        with Path(path).open("ab") as file:
            file.write(b"more")

    with pytest.raises(InputError, match="changed on the server while it was being fetched"):
        place.fetch(path, tmp_path / "growing.bin", progress=grow)
    assert list(tmp_path.iterdir()) == []


def test_short_answers_are_asked_on(sshd: Sshd, place: SftpPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """As smaller servers give them; here because more is asked for than OpenSSH answers at once."""
    monkeypatch.setattr(session, "READ_SIZE", 1_000_000)
    data = os.urandom(3_000_000)
    sshd.put("short.bin", data)
    with place.open("short.bin") as file:
        assert b"".join(place.session.read(file.handle, 1_000, len(data))) == data[1_000:]


class Shuffler:
    """A channel to a server that answers in reverse, and never more than 10,000 bytes at once."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int, int]] = []
        self.answers = bytearray(struct.pack(">IBI", 5, 2, 3))
        self.out_max_packet_size = 32768

    def send(self, request: bytes) -> int:
        if request[4] == 5:
            (number,) = struct.unpack_from(">I", request, 5)
            offset, size = struct.unpack(">QI", request[-12:])
            self.asked.append((number, offset, size))
        return len(request)

    def recv(self, count: int) -> bytes:
        while not self.answers and self.asked:
            number, offset, size = self.asked.pop()
            part = self.data[offset : offset + min(size, 10_000)]
            self.answers += struct.pack(">IBII", 9 + len(part), 103, number, len(part)) + part
        taken, self.answers = bytes(self.answers[:count]), self.answers[count:]
        return taken


def test_answers_in_another_order_are_put_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "READ_SIZE", 30_000)
    data = os.urandom(500_000)
    channel: Any = Shuffler(data)
    assert b"".join(session.Session(channel).read(b"h", 7, len(data))) == data[7:]


class Babbler:
    """A channel to a server that greets properly and then answers the requests 1, 2, 3… with anything."""

    def __init__(self, answers: list[tuple[int, bytes]]) -> None:
        self.answers = struct.pack(">IBI", 5, 2, 3)
        for number, (kind, body) in enumerate(answers, 1):
            self.answers += struct.pack(">IBI", 5 + len(body), kind, number) + body
        self.out_max_packet_size = 32768

    def send(self, request: bytes) -> int:
        return len(request)

    def recv(self, count: int) -> bytes:
        taken, self.answers = self.answers[:count], self.answers[count:]
        return taken

    def recv_ready(self) -> bool:
        return bool(self.answers)


@given(st.lists(st.tuples(st.sampled_from([101, 102, 103, 104, 105, 201, 7]), st.binary(max_size=60)), max_size=12))
def test_answers_without_sense_are_a_lost_connection_and_nothing_worse(answers: list[tuple[int, bytes]]) -> None:
    for use in (
        lambda one: list(one.entries(b"folder")),
        lambda one: one.stat(b"file"),
        lambda one: list(one.stats([b"a", b"b"])),
        lambda one: list(one.read(one.open(b"file", session.READ), 0, 100_000)),
        lambda one: list(one.write(one.open(b"file", session.WRITE), 0, io.BytesIO(bytes(90_000)).read)),
        lambda one: (one.room(b"."), one.make_folder(b"x")),
    ):
        channel: Any = Babbler(answers)
        with suppress(OSError, EOFError):
            use(session.Session(channel))


def test_a_preview_reads_only_the_start(sshd: Sshd, place: SftpPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"".join(b"%d,person%d@example.com\n" % (number, number) for number in range(800_000))
    sshd.put("preview.csv", b"id,email\n" + rows)
    moved: list[int] = []
    feed = place.channel.in_buffer.feed
    monkeypatch.setattr(place.channel.in_buffer, "feed", lambda data: (moved.append(len(data)), feed(data)))
    file = place.open("preview.csv")
    reader = open_csv(file)
    batch = next(reader.batches(100))
    file.close()
    assert (reader.columns, len(batch.rows)) == (["id", "email"], 100)
    assert 500_000 < sum(moved) < 2_000_000


def test_archives_are_read_where_they_are(sshd: Sshd, place: SftpPlace, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("email\nann@example.com\n")
    subprocess.run(["gzip", "-k", "a.csv"], cwd=tmp_path, check=True)
    sshd.put("a.csv.gz", (tmp_path / "a.csv.gz").read_bytes())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "a.csv", "people/a.csv")
    sshd.put("a.zip", packed.getvalue())
    with place.open("a.zip") as file:
        assert members(file) == ["people/a.csv"]
    for name in ("a.csv.gz", "a.zip"):
        with place.open(name) as file, unpacked(file) as table:
            (batch,) = open_csv(table).batches()
        assert batch.rows == [["ann@example.com"]]
