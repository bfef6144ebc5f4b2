"""The sandbox against the same client that real servers are reached with."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from connectors.file_service.jobs import check_sftp, csv_preview, list_files
from connectors.file_service.sandbox import FileServiceSandbox
from connectors.kit.errors import HostKeyChanged, InputError, SignInError, WaitError
from connectors.kit.places.sftp import SftpPlace, connect
from connectors.kit.types import Credentials


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    (folder / "outgoing").mkdir(parents=True)
    (folder / "outgoing" / "people.csv").write_text("email\nada@example.com\n")
    (tmp_path / "secret.txt").write_text("not yours")
    return folder


@pytest.fixture
def sandbox(served: Path) -> Iterator[FileServiceSandbox]:
    with FileServiceSandbox(served) as server:
        yield server


def account(sandbox: FileServiceSandbox, **settings: str) -> Credentials:
    return Credentials("file-service-sftp", {**sandbox.settings, **settings}, sandbox.secrets)


def place(sandbox: FileServiceSandbox) -> SftpPlace:
    known = sandbox.settings
    return connect(
        known["host"],
        int(known["port"]),
        known["user"],
        password=sandbox.secrets["password"],
        private_key=None,
        passphrase=None,
        known_host_key=known["host_key"],
        folder="",
    )


def test_it_is_a_server_like_any_other(sandbox: FileServiceSandbox) -> None:
    credentials = account(sandbox, folder="outgoing")
    assert asyncio.run(check_sftp(credentials)).description == "demo on 127.0.0.1, folder outgoing"
    (found,) = asyncio.run(list_files(credentials, {}, ""))
    seen = asyncio.run(csv_preview(credentials, {"filename": found.value}))
    assert (seen.columns[0].identifier, seen.rows) == (True, (("ada@example.com",),))


def test_it_starts_at_once_and_each_start_has_its_own_secrets(served: Path) -> None:
    begun = time.perf_counter()
    with FileServiceSandbox(served) as one, FileServiceSandbox(served) as other:
        assert time.perf_counter() - begun < 0.2
        assert one.settings["port"] != other.settings["port"]
        assert one.settings["host_key"] != other.settings["host_key"]
        assert one.secrets != other.secrets
        with pytest.raises(HostKeyChanged):
            asyncio.run(check_sftp(account(one, host_key=other.settings["host_key"])))
        with pytest.raises(SignInError):
            asyncio.run(check_sftp(Credentials("file-service-sftp", one.settings, other.secrets)))


def test_nothing_outside_of_its_folder_is_served(sandbox: FileServiceSandbox, served: Path) -> None:
    (served / "link").symlink_to(served.parent / "secret.txt")
    (served / "nowhere").symlink_to(served / "missing")
    with paramiko.Transport((sandbox.settings["host"], int(sandbox.settings["port"]))) as transport:
        transport.connect(username="demo", password=sandbox.secrets["password"])
        client = paramiko.SFTPClient.from_transport(transport)
        assert client is not None
        assert sorted(client.listdir("/")) == ["outgoing"]
        for path in ("link", "/../secret.txt", "outgoing/../../secret.txt", str(served.parent / "secret.txt")):
            with pytest.raises(OSError, match=r"denied|No such file"):
                client.open(path)
        for act in (
            lambda: client.open("../new.csv", "w"),
            lambda: client.open("link", "w"),
            lambda: client.remove("/"),
            lambda: client.mkdir("../more"),
            lambda: client.rename("outgoing/people.csv", "../../people.csv"),
            lambda: client.posix_rename("outgoing/people.csv", "/../people.csv"),
        ):
            # What a path of a server can't leave it does not leave: "/.." is "/".
            with contextlib.suppress(OSError):
                act()
        with pytest.raises(paramiko.SSHException):
            transport.open_session().exec_command("id")
    assert {path.name for path in served.parent.iterdir()} == {"served", "secret.txt"}
    assert (served.parent / "secret.txt").read_text() == "not yours"


def test_files_can_be_sent_to_it(sandbox: FileServiceSandbox, served: Path, tmp_path: Path) -> None:
    local = tmp_path / "local.csv"
    opened = place(sandbox)
    for text in ("first", "second and longer"):
        local.write_text(text)
        assert opened.send(local, "incoming/new/people.csv").size == len(text)
        assert (served / "incoming/new/people.csv").read_text() == text
    opened.move("incoming/new/people.csv", "done/people.csv")
    with pytest.raises(InputError, match="already"):
        opened.move("outgoing/people.csv", "done/people.csv")
    opened.delete("done/people.csv")
    opened.close()
    assert [path for path in served.rglob("*") if path.is_file()] == [served / "outgoing" / "people.csv"]


def test_stopping_ends_its_sessions_and_its_threads(served: Path) -> None:
    before = set(threading.enumerate())
    sandbox = FileServiceSandbox(served)
    sandbox.start()
    credentials = account(sandbox)
    opened = place(sandbox)
    sandbox.stop()
    with pytest.raises(WaitError):
        opened.list("")
    opened.close()
    with pytest.raises(WaitError):
        asyncio.run(check_sftp(credentials))
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), thread.name
