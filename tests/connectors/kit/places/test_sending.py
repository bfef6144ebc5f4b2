"""Files on their way to and from a real OpenSSH server, with all that comes between."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko
import pytest
from peers.cutter import Cutter
from peers.sftp_place import reach
from peers.sshd import run_sshd

from connectors.kit.errors import InputError, SignInError, WaitError
from connectors.kit.places import ssh, syncing, transfer
from connectors.kit.places.refusals import not_written
from connectors.kit.places.session import Attributes, Session, StatusError
from connectors.kit.places.sftp import SftpPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peers.sshd import Sshd


@pytest.fixture
def inbox(sshd: Sshd) -> Iterator[Path]:
    """An empty folder on the server."""
    folder = sshd.files / "inbox"
    folder.mkdir()
    sshd.own(folder)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def bare() -> Iterator[Sshd]:
    """A server without the additions of OpenSSH, which refuses to look at files or to set anything."""
    without = "posix-rename,statvfs,fsync,hardlink,limits,expand-path,stat,lstat,fstat,setstat,fsetstat"
    with run_sshd(without=without) as server:
        yield server


def make_file(folder: Path, size: int, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_bytes(os.urandom(size))
    return path


class StopError(Exception):
    """The user cancels."""


def stop_after(size: int) -> Callable[[int, int], None]:
    def stop(done: int, total: int) -> None:
        if done >= size:
            raise StopError

    return stop


def test_a_file_arrives_whole_under_its_name_or_not_at_all(
    sshd: Sshd, place: SftpPlace, inbox: Path, tmp_path: Path
) -> None:
    local = make_file(tmp_path, 9_000_001)
    (inbox / "people.csv").write_bytes(b"yesterday's")
    sshd.own(inbox / "people.csv")
    steps: list[int] = []

    def watch(done: int, total: int) -> None:
        steps.append(done)
        assert total == 9_000_001
        assert (inbox / "people.csv").read_bytes() == b"yesterday's"
        assert {path.name for path in inbox.iterdir()} == {"people.csv", ".people.csv.part"}

    mark = place.send(local, "inbox/people.csv", progress=watch)
    assert (inbox / "people.csv").read_bytes() == local.read_bytes()
    assert (mark.size, steps[-1], steps) == (9_000_001, 9_000_001, sorted(steps))
    assert mark.modified is not None
    place.send(make_file(tmp_path, 0, "empty"), "inbox/new/deep/Ümläut 名前 'x' #1.csv")
    assert (inbox / "new/deep/Ümläut 名前 'x' #1.csv").read_bytes() == b""
    assert {path.name for path in inbox.iterdir()} == {"people.csv", "new"}
    assert {path.name for path in tmp_path.iterdir()} == {"people.csv", "empty"}


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_hundred_cuts_at_random_bytes(
    sshd: Sshd, inbox: Path, tmp_path: Path, direction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "SYNC_EVERY", 500_000)
    chance = random.Random(direction)
    cutter = Cutter(sshd.host, sshd.port)
    rounds = 0
    try:
        while cutter.cuts < 100:
            rounds += 1
            size = chance.randrange(3_000_000, 5_000_000)
            there, here = inbox / f"{rounds}.bin", tmp_path / f"{rounds}.bin"
            arrival = there if direction == "up" else here
            data = chance.randbytes(size)
            if direction == "up":
                here.write_bytes(data)
            else:
                sshd.put(f"inbox/{rounds}.bin", data)
            arrived = False
            while not arrived:
                cutter.bytes_left = chance.randrange(1_500_000) if cutter.cuts < 100 else None
                try:
                    place = reach(sshd, port=cutter.port, timeout=5)
                    try:
                        if direction == "up":
                            place.send(here, f"inbox/{rounds}.bin")
                        else:
                            place.fetch(f"inbox/{rounds}.bin", here)
                        arrived = True
                    finally:
                        place.close()
                except WaitError:
                    # It may have arrived although we were not told so any more; half of it never.
                    assert not arrival.exists() or arrival.read_bytes() == data
            assert hashlib.sha256(arrival.read_bytes()).digest() == hashlib.sha256(data).digest()
    finally:
        cutter.close()
    names = {path.name for path in [*inbox.iterdir(), *tmp_path.iterdir()]}
    assert names == {f"{number}.bin" for number in range(1, rounds + 1)}
    assert rounds < 60


def test_a_sending_that_broke_off_goes_on(sshd: Sshd, place: SftpPlace, inbox: Path, tmp_path: Path) -> None:
    local = make_file(tmp_path, 20_000_000)
    with pytest.raises(StopError):
        place.send(local, "inbox/people.csv", progress=stop_after(12_000_000))
    note = (tmp_path / ".people.csv.sending").read_text()
    place.close()
    steps: list[int] = []
    again = reach(sshd)
    with pytest.raises(StopError):
        again.send(local, "inbox/people.csv", progress=lambda done, total: (steps.append(done), stop_after(0)(done, 0)))
    assert steps[0] > 12_000_000

    # A process that was killed could not write down how much was confirmed.
    (tmp_path / ".people.csv.sending").write_text(note.replace(str(note.split('"confirmed": ')[1]), "0}"))
    steps.clear()
    again.send(local, "inbox/people.csv", progress=lambda done, total: steps.append(done))
    again.close()
    assert steps[0] > 12_000_000
    assert (inbox / "people.csv").read_bytes() == local.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize("replaced", ["our file", "the part", "the note"])
def test_what_does_not_belong_together_is_sent_anew(
    place: SftpPlace, inbox: Path, tmp_path: Path, replaced: str
) -> None:
    local = make_file(tmp_path, 9_000_000)
    with pytest.raises(StopError):
        place.send(local, "inbox/people.csv", progress=stop_after(5_000_000))
    if replaced == "our file":
        # The same size and end; only the beginning differs.
        with local.open("r+b") as file:
            file.write(b"another beginning")
    elif replaced == "the part":
        (inbox / ".people.csv.part").write_bytes(os.urandom(6_000_000))
    else:
        (tmp_path / ".people.csv.sending").write_text("[]")
    place.send(local, "inbox/people.csv")
    assert (inbox / "people.csv").read_bytes() == local.read_bytes()


@pytest.mark.parametrize("sessions", ["several", "one only"])
def test_a_large_file_is_brought_to_the_disk_on_the_way(
    sshd: Sshd, place: SftpPlace, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sessions: str
) -> None:
    monkeypatch.setattr(syncing, "SYNC_EVERY", 1_000_000)
    begun: list[int] = []
    begin = Session.begin_sync
    monkeypatch.setattr(Session, "begin_sync", lambda one, handle: (begun.append(1), begin(one, handle))[1])
    if sessions == "one only":

        def refuse(transport: paramiko.Transport) -> paramiko.Channel:
            raise paramiko.ChannelException(1, "Administratively prohibited")

        monkeypatch.setattr(syncing, "open_channel", refuse)
    local = make_file(tmp_path, 20_000_000)
    place.send(local, "inbox/people.csv")
    assert (inbox / "people.csv").read_bytes() == local.read_bytes()
    assert bool(begun) == (sessions == "several")


def test_a_lost_answer_to_the_renaming_sends_nothing_twice(
    sshd: Sshd, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = make_file(tmp_path, 3_000_000)
    place = reach(sshd)
    rename = place.session.replace

    def lose(part: bytes, target: bytes) -> None:
        rename(part, target)
        sshd.kill_sessions()
        place.session.stat(target)

    monkeypatch.setattr(place.session, "replace", lose)
    with pytest.raises(WaitError, match=r"The connection to 127\.0\.0\.1 was lost"):
        place.send(local, "inbox/people.csv")
    place.close()
    again = reach(sshd)
    steps: list[int] = []
    mark = again.send(local, "inbox/people.csv", progress=lambda done, total: steps.append(done))
    again.close()
    assert (mark.size, steps) == (3_000_000, [])


def test_a_server_that_offers_and_shows_next_to_nothing(bare: Sshd, tmp_path: Path) -> None:
    local = make_file(tmp_path, 2_000_000)
    place = reach(bare)
    assert place.session.offers.keys() & {b"posix-rename@openssh.com", b"fsync@openssh.com"} == set()
    for _ in range(2):
        mark = place.send(local, "drop/people.csv")
        assert (mark.size, mark.modified) == (2_000_000, None)
        assert (bare.files / "drop/people.csv").read_bytes() == local.read_bytes()
    assert [path.name for path in (bare.files / "drop").iterdir()] == ["people.csv"]
    place.close()


def test_a_refused_renaming_leaves_what_was_there(bare: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bare.files / "old"
    folder.mkdir()
    bare.own(folder)
    bare.put("old/people.csv", b"yesterday's")
    place = reach(bare)
    rename = place.session.rename

    def refuse(path: bytes, to: bytes) -> None:
        if path.endswith(b".part"):
            raise StatusError(4, "Failure")
        rename(path, to)

    monkeypatch.setattr(place.session, "rename", refuse)
    with pytest.raises(InputError, match=r"could not write “old/people\.csv”"):
        place.send(make_file(tmp_path, 1_000), "old/people.csv")
    assert (folder / "people.csv").read_bytes() == b"yesterday's"
    place.close()


def test_a_server_that_writes_files_from_the_beginning_only(
    sshd: Sshd, place: SftpPlace, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = make_file(tmp_path, 9_000_000)
    with pytest.raises(StopError):
        place.send(local, "inbox/people.csv", progress=stop_after(5_000_000))
    write = place.session.write

    def refuse(handle: bytes, offset: int, source: Callable[[int], bytes]) -> Iterator[int]:
        if offset:
            raise StatusError(8, "Appending is not supported")
        return write(handle, offset, source)

    monkeypatch.setattr(place.session, "write", refuse)
    place.send(local, "inbox/people.csv")
    assert (inbox / "people.csv").read_bytes() == local.read_bytes()


def test_a_server_that_takes_no_names_with_a_dot(
    place: SftpPlace, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = make_file(tmp_path, 5_000_000)
    create = place.session.open

    def refuse(path: bytes, flags: int) -> bytes:
        if b"/." in path:
            raise StatusError(3, "Permission denied")
        return create(path, flags)

    monkeypatch.setattr(place.session, "open", refuse)
    with pytest.raises(StopError):
        place.send(local, "inbox/people.csv", progress=stop_after(1_000_000))
    assert [path.name for path in inbox.iterdir()] == ["people.csv.part"]
    steps: list[int] = []
    place.send(local, "inbox/people.csv", progress=lambda done, total: steps.append(done))
    assert (inbox / "people.csv").read_bytes() == local.read_bytes()
    assert steps[0] > 1_000_000


def test_a_folder_in_which_one_may_only_drop_files(sshd: Sshd, place: SftpPlace, inbox: Path, tmp_path: Path) -> None:
    inbox.chmod(0o333)
    local = make_file(tmp_path, 1_000_000)
    place.send(local, "inbox/people.csv")
    place.send(local, "inbox/people.csv")
    with pytest.raises(InputError, match="may not read “inbox”"):
        place.list("inbox")
    assert (inbox / "people.csv").read_bytes() == local.read_bytes()


def test_a_server_that_takes_the_file_away_at_once(
    place: SftpPlace, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = place.session.replace

    def take(part: bytes, target: bytes) -> None:
        rename(part, target)
        Path(os.fsdecode(target)).rename(inbox / "taken")

    monkeypatch.setattr(place.session, "replace", take)
    mark = place.send(make_file(tmp_path, 1_000), "inbox/people.csv")
    assert (mark.size, mark.modified) == (1_000, None)
    assert [path.name for path in inbox.iterdir()] == ["taken"]


def test_a_server_that_keeps_times_and_modes_to_itself(
    place: SftpPlace, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "folder").mkdir()
    local = make_file(tmp_path, 1_000)
    entries, look = place.session.entries, place.session.stat
    monkeypatch.setattr(place.session, "stat", lambda path: Attributes(look(path).size, None, None))
    monkeypatch.setattr(
        place.session,
        "entries",
        lambda path: (
            type(one)(one.name, one.listing, Attributes(one.attributes.size, None, None)) for one in entries(path)
        ),
    )
    assert place.send(local, "inbox/people.csv").modified is None
    assert [(one.name, one.is_folder, one.modified) for one in place.list("inbox")] == [
        ("folder", True, None),
        ("people.csv", False, None),
    ]
    assert place.fetch("inbox/people.csv", tmp_path / "back.csv").modified is None
    assert (tmp_path / "back.csv").read_bytes() == local.read_bytes()


def test_a_full_disk_is_told_and_nothing_is_left_behind(
    sshd: Sshd, place: SftpPlace, inbox: Path, tmp_path: Path
) -> None:
    (inbox / "people.csv").write_bytes(b"yesterday's")
    local = make_file(tmp_path, 6_000_000)
    before = resource.prlimit(sshd.process.pid, resource.RLIMIT_FSIZE, (4_000_000, resource.RLIM_INFINITY))
    limited = reach(sshd)
    resource.prlimit(sshd.process.pid, resource.RLIMIT_FSIZE, before)
    with pytest.raises(InputError, match=r"could not write “inbox/people\.csv”") as caught:
        limited.send(local, "inbox/people.csv")
    limited.close()
    assert "full or a limit reached" in caught.value.advice
    # A disk of its own is to be had as root only, and not in every container.
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "none", inbox], check=False).returncode == 0:
        try:
            with pytest.raises(InputError, match=r"There is no room left on 127\.0\.0\.1 for “inbox/people\.csv”"):
                place.send(local, "inbox/people.csv")
            assert list(inbox.iterdir()) == []
        finally:
            subprocess.run(["umount", "--lazy", inbox], check=True)
    assert [(path.name, path.read_bytes()) for path in inbox.iterdir()] == [("people.csv", b"yesterday's")]


def test_a_full_disk_of_our_own_is_told_and_the_fetch_goes_on_later(
    sshd: Sshd, place: SftpPlace, tmp_path: Path
) -> None:
    data = os.urandom(6_000_000)
    sshd.put("large.bin", data)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, before[1]))
    try:
        with pytest.raises(InputError, match=r"There is no room left on the disk for large\.bin"):
            place.fetch("large.bin", tmp_path / "large.bin")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "large.bin").exists()
    steps: list[int] = []
    place.fetch("large.bin", tmp_path / "large.bin", progress=lambda done, total: steps.append(done))
    assert steps[0] > 3_000_000
    assert (tmp_path / "large.bin").read_bytes() == data


def test_refusals_are_told_apart() -> None:
    for error, room, sentence in (
        (StatusError(4, "Failure"), 1_000, "There is no room left on h for “a.csv”."),
        (StatusError(4, "Failure"), None, "h could not write “a.csv”."),
        (StatusError(4, "Disk quota exceeded"), 10**9, "u has used up the space that h grants."),
        (StatusError(14, ""), None, "There is no room left on h for “a.csv”."),
    ):
        assert not_written(error, "a.csv", "h", "u", room).message == sentence


def test_what_may_not_be_written_is_told(sshd: Sshd, place: SftpPlace, inbox: Path, tmp_path: Path) -> None:
    local = make_file(tmp_path, 1_000)
    inbox.chmod(0o555)
    with pytest.raises(InputError, match=f"{sshd.user} may not write “inbox/people.csv” on 127.0.0.1"):
        place.send(local, "inbox/people.csv")
    inbox.chmod(0o755)
    for path, sentence in (
        ("inbox", "“inbox” is a folder, not a file"),
        ("inbox/", "“inbox/” is no name of a file"),
        ("inbox/..", "is no name of a file"),
        ("inbox/a\0.csv", "can't contain the character 0"),
        ("inbox/" + "x" * 300, "could not write|takes no files named"),
    ):
        with pytest.raises(InputError, match=sentence):
            place.send(local, path)
    with pytest.raises(InputError, match=r"gone\.csv is not there"):
        place.send(tmp_path / "gone.csv", "inbox/people.csv")
    elsewhere = reach(sshd, folder=str(sshd.files / "typo"))
    with pytest.raises(InputError, match=r"The folder “.*/typo” is not on 127\.0\.0\.1"):
        elsewhere.send(local, "new/people.csv")
    elsewhere.close()
    assert list(inbox.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"people.csv"}

    def grow(done: int, total: int) -> None:
        with local.open("ab") as file:
            file.write(b"more")

    with pytest.raises(InputError, match=r"people\.csv changed while it was being sent"):
        place.send(local, "inbox/people.csv", progress=grow)
    assert list(inbox.iterdir()) == []


def test_moving_and_deleting(sshd: Sshd, place: SftpPlace, inbox: Path) -> None:
    for name in ("a.csv", "b.csv"):
        sshd.put(f"inbox/{name}", name.encode())
    (inbox / "link.csv").symlink_to("b.csv")
    with pytest.raises(InputError, match=r"“inbox/b\.csv” is on 127\.0\.0\.1 already, so “inbox/a\.csv” stays"):
        place.move("inbox/a.csv", "inbox/b.csv")
    place.move("inbox/a.csv", "inbox/done/2026/a.csv")
    assert (inbox / "done/2026/a.csv").read_bytes() == b"a.csv"
    with pytest.raises(InputError, match=r"“inbox/a\.csv” is not on"):
        place.move("inbox/a.csv", "inbox/other/a.csv")
    place.delete("inbox/link.csv")
    assert (inbox / "b.csv").read_bytes() == b"b.csv"
    place.delete("inbox/b.csv")
    place.delete("inbox/b.csv")
    with pytest.raises(InputError, match="“inbox/done” is a folder, not a file"):
        place.delete("inbox/done")
    assert [path.name for path in inbox.iterdir()] == ["done"]


def test_names_of_older_servers(sshd: Sshd, place: SftpPlace, inbox: Path, tmp_path: Path) -> None:
    odd = ["back\\slash.csv", "new\nline.csv", " blank .csv", "-rf", "quote\"'.csv", "..csv"]
    for name in odd:
        sshd.put(f"inbox/{name}", name.encode())
    older = Path(os.fsdecode(os.fsencode(inbox) + b"/caf\xe9.csv"))
    older.write_bytes(b"coffee")
    sshd.own(older)
    assert {entry.name for entry in place.list("inbox")} == {*odd, "café.csv"}
    for name in odd:
        place.fetch(f"inbox/{name}", tmp_path / "fetched", resume=False)
        assert (tmp_path / "fetched").read_bytes() == name.encode()
    with reach(sshd).open("inbox/café.csv") as file:
        assert file.read() == b"coffee"
    place.move("inbox/café.csv", "inbox/tea.csv")
    assert (inbox / "tea.csv").read_bytes() == b"coffee"


def test_reading_on_and_jumping_about(sshd: Sshd, place: SftpPlace) -> None:
    data = os.urandom(12_000_000)
    sshd.put("read.bin", data)
    chance = random.Random(7)
    with place.open("read.bin") as file, place.open("read.bin") as other:
        found = hashlib.sha256()
        while part := file.read(chance.choice([1, 1000, 70_000, 600_000])):
            found.update(part)
            if chance.random() < 0.2:
                # Other requests on the same connection must not disturb what is under way.
                offset = chance.randrange(len(data))
                other.seek(offset)
                assert other.read(5_000) == data[offset : offset + 5_000]
                assert place.stat("read.bin").size == len(data)
        assert found.digest() == hashlib.sha256(data).digest()
        file.seek(-5, 2)
        assert (file.read(), file.read(), file.tell()) == (data[-5:], b"", len(data))


def test_files_that_grow_or_shrink_while_they_are_read(sshd: Sshd, place: SftpPlace) -> None:
    path = Path(sshd.put("live.bin", bytes(3_000_000)))
    with place.open("live.bin") as file:
        file.read(10)
        with path.open("ab") as writer:
            writer.write(b"more")
        assert len(file.read()) == 3_000_000 - 10
    with place.open("live.bin") as file:
        file.read(10)
        os.truncate(path, 1_000_000)
        with pytest.raises(InputError, match="became shorter while it was being read"):
            file.read()


def test_the_keys_of_an_agent_sign_in(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(SignInError, match="Neither a password nor a private key is given"):
        reach(sshd, private_key=None)
    with Path(os.devnull).open("wb") as nowhere:
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=nowhere, stderr=nowhere)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        while subprocess.run(["ssh-add", "-l"], check=False, capture_output=True).returncode == 2:
            # Not listening yet.
            assert agent.poll() is None
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "key"], check=True)
        subprocess.run(["ssh-add", "-q", tmp_path / "key"], check=True)
        with pytest.raises(SignInError, match="does not accept any key of the ssh-agent"):
            reach(sshd, private_key=None)
        sshd.authorize((tmp_path / "key.pub").read_text())
        place = reach(sshd, private_key=None)
        assert stat.S_ISDIR(place.session.stat(b".").mode or 0)
        place.close()
    finally:
        agent.terminate()
        agent.wait()


def test_a_quiet_connection_is_kept_alive(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "KEEPALIVE_SECONDS", 0.2)
    cutter = Cutter(sshd.host, sshd.port)
    place = reach(sshd, port=cutter.port)
    for _ in range(3):
        cutter.passed.clear()
        assert cutter.passed.wait(10)
    place.close()
    cutter.close()


def test_a_server_that_says_nothing_any_more_is_given_up(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "ANSWER_SECONDS", 0.3)
    place = reach(sshd)
    sessions = sshd.stop_sessions()
    try:
        with pytest.raises(WaitError, match=r"The connection to 127\.0\.0\.1 was lost"):
            place.stat("people.csv")
    finally:
        for pid in sessions:
            os.kill(pid, signal.SIGCONT)
        place.close()
