"""The three object stores, each against a server that speaks like it, through the one place they share."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from peers.azure import Azure
from peers.gcs import Gcs
from peers.s3 import ACCESS_KEY, S3, SECRET_KEY

from connectors.kit.errors import InputError
from connectors.kit.places import object_store
from connectors.kit.places.base import FileMark
from connectors.kit.places.object_store import ObjectPlace
from connectors.kit.places.object_store_azure import open_azure
from connectors.kit.places.object_store_gcs import open_gcs
from connectors.kit.places.object_store_s3 import S3Access, open_s3

ODD = ["dir//inner.csv", "ünï/ço d.csv", "sp ace/%41.csv", "q?x#y&z=1.csv", "😀.csv", "it's “quoted”.csv", "plus+.csv"]


@dataclass(frozen=True)
class Peer:
    """One of the servers: `bucket` makes a bucket, `open` a place in it ("": of all buckets)."""

    scheme: str
    bucket: Callable[[], str]
    put: Callable[..., None]
    get: Callable[[str, str], bytes]
    open: Callable[[str], ObjectPlace]


@pytest.fixture(params=["s3", "gcs", "azure"])
def peer(request: pytest.FixtureRequest) -> Peer:
    server: Any = request.getfixturevalue(request.param)
    match server:
        case S3():
            access = S3Access(ACCESS_KEY, SECRET_KEY, address=server.address)
            return Peer("s3", server.bucket, server.put, server.get, lambda bucket: open_s3(access, bucket))
        case Gcs():
            text = json.dumps(server.service_account)
            return Peer(
                "gs",
                server.bucket,
                server.put,
                server.get,
                lambda bucket: open_gcs(text, bucket, address=server.address),
            )
        case Azure():
            return Peer(
                "azure",
                server.container,
                server.put,
                server.get,
                lambda bucket: open_azure(server.connection_string, bucket),
            )
    raise AssertionError(server)


@pytest.fixture
def bucket(peer: Peer) -> str:
    return peer.bucket()


@pytest.fixture
def place(peer: Peer, bucket: str) -> Iterator[ObjectPlace]:
    with closing(peer.open(bucket)) as place:
        yield place


def test_folders_are_what_stands_before_a_slash_and_lists_agree_with_single_looks(
    peer: Peer, place: ObjectPlace, bucket: str
) -> None:
    for key in ("b.csv", "A.csv", "day/1.csv", "day/2.csv", "day/old/3.csv", "empty/sub/4.csv"):
        peer.put(bucket, key, key.encode())

    found = place.list()
    assert [(entry.name, entry.path, entry.is_folder) for entry in found] == [
        ("day", "day/", True),
        ("empty", "empty/", True),
        ("A.csv", "A.csv", False),
        ("b.csv", "b.csv", False),
    ]
    assert [entry.path for entry in place.list("day")] == ["day/old/", "day/1.csv", "day/2.csv"]
    assert place.list("day") == place.list("day/")
    assert place.list("nobody/was/here") == []
    assert place.stat("day/1.csv") == place.list("day")[1]
    assert place.stat("b.csv").size == 5
    assert place.stat("day").is_folder
    assert place.stat("day/old/").is_folder
    with pytest.raises(InputError, match=f"“day/none.csv” is not in {peer.scheme}://{bucket}"):
        place.stat("day/none.csv")
    with pytest.raises(InputError, match="“day” is a folder"):
        place.open("day")

    with closing(peer.open("")) as every:
        assert (bucket, f"{bucket}/", True) in [(entry.name, entry.path, entry.is_folder) for entry in every.list()]
        assert [entry.path for entry in every.list(f"{bucket}/day")] == [
            f"{bucket}/day/old/",
            f"{bucket}/day/1.csv",
            f"{bucket}/day/2.csv",
        ]
        with every.open(f"{bucket}/b.csv") as stream:
            assert stream.read(100) == b"b.csv"
        assert every.stat(bucket).is_folder
        with pytest.raises(InputError, match="not a file"):
            every.open(f"{bucket}/")


def test_odd_keys_are_themselves_and_nothing_else(peer: Peer, place: ObjectPlace, bucket: str, tmp_path: Path) -> None:
    for key in [*ODD, "/top.csv"]:
        peer.put(bucket, key, key.encode())
    for key in [*ODD, "/top.csv"]:
        folder = key.rpartition("/")[0] + "/" if "/" in key else ""
        assert key in [entry.path for entry in place.list(folder)], key
        with place.open(key) as stream:
            assert stream.read(1000) == key.encode()
        place.fetch(key, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == key.encode()
    assert [(entry.name, entry.path) for entry in place.list("dir")] == [("/", "dir//")]
    with pytest.raises(InputError, match="not in"):
        place.open("top.csv")

    for path in ("../other/x.csv", "day/../../x.csv", "./x.csv"):
        for act in (place.stat, place.open, place.list, place.delete):
            with pytest.raises(InputError, match="can't be reached"):
                act(path)
        with pytest.raises(InputError, match="can't be reached"):
            place.send(tmp_path / "file", path)
    local = tmp_path / "sent.csv"
    local.write_bytes(b"sent")
    place.send(local, "/exports//ünï/tägliche 1%.csv")
    assert peer.get(bucket, "exports/ünï/tägliche 1%.csv") == b"sent"
    for path in ("", "/", "exports/"):
        with pytest.raises(InputError, match="not the name of a file"):
            place.send(local, path)


def test_what_stands_for_a_folder_is_no_file(peer: Peer, place: ObjectPlace, bucket: str) -> None:
    if peer.scheme != "gs":  # Its emulator has no objects whose names end so.
        peer.put(bucket, "inbox/", b"")
        assert [entry.path for entry in place.list()] == ["inbox/"]
        assert place.list("inbox") == []
        assert place.stat("inbox").is_folder
    if peer.scheme == "azure":
        peer.put(bucket, "marked", b"", metadata={"hdi_isfolder": "true"})
        assert [entry.path for entry in place.list()] == ["inbox/"]


def test_a_file_is_read_where_it_is_and_leaps_are_right(
    peer: Peer, place: ObjectPlace, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "_FIRST_BLOCK", 1000)
    monkeypatch.setattr(object_store, "_LARGEST_BLOCK", 5000)
    data = random.Random(1).randbytes(50_000)
    peer.put(bucket, "data.bin", data)
    with place.open("data.bin") as stream:
        assert b"".join(iter(lambda: stream.read(777), b"")) == data
        chance = random.Random(2)
        for _ in range(30):
            at, size = chance.randrange(55_000), chance.randrange(9_000)
            stream.seek(at)
            assert stream.read(size) == data[at : at + size]
        assert stream.seek(-10, 2) == 49_990
        assert stream.read() == data[-10:]
        assert stream.read(5) == b""
    peer.put(bucket, "nothing.csv", b"")
    with place.open("nothing.csv") as stream:
        assert stream.read(10) == b""


def test_a_fetch_goes_on_where_it_broke_off_and_notices_another_file(
    peer: Peer, place: ObjectPlace, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = random.Random(3).randbytes(9_000_000)
    peer.put(bucket, "big.bin", data)
    local = tmp_path / "big.bin"
    calls: list[int] = []

    def stop(done: int, total: int) -> None:
        calls.append(done)
        assert total == len(data)
        if done >= 4_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.fetch("big.bin", local, progress=stop)
    assert not local.exists()
    calls.clear()
    mark = place.fetch("big.bin", local, progress=lambda done, _: calls.append(done))
    assert local.read_bytes() == data
    assert calls[0] > 4_000_000
    entry = place.stat("big.bin")
    assert mark == FileMark(entry.size, entry.modified, entry.tag)
    calls.clear()
    assert place.fetch("big.bin", local, progress=lambda done, _: calls.append(done)) == mark
    assert calls == []

    # Another file of the same name and size, begun and broken off: nothing of the first may be in the second.
    other = random.Random(4).randbytes(9_000_000)
    local.unlink()
    with pytest.raises(KeyboardInterrupt):
        place.fetch("big.bin", local, progress=stop)
    peer.put(bucket, "big.bin", other)
    place.fetch("big.bin", local)
    assert local.read_bytes() == other

    def replace(done: int, _: int) -> None:
        if done < len(data):
            peer.put(bucket, "big.bin", data[:8_000_000])

    local.unlink()
    with pytest.raises(InputError, match=r"changed in .* while it was being fetched"):
        place.fetch("big.bin", local, progress=replace)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_there_only_when_it_is_whole(
    peer: Peer, place: ObjectPlace, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Parts as small as the services allow: S3 wants 5 MB, Google multiples of 256 KB.
    monkeypatch.setattr(object_store, "PART", 20 * 256 * 1024)
    data = random.Random(5).randbytes(12_345_678)
    local = tmp_path / "out.csv"
    local.write_bytes(data)

    def stop(done: int, total: int) -> None:
        assert total == len(data)
        if done < total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.send(local, "exports/out.csv", progress=stop)
    assert place.list("exports") == []
    steps: list[int] = []
    mark = place.send(local, "exports/out.csv", progress=lambda done, _: steps.append(done))
    assert steps[-1] == len(data)
    assert len(steps) == 3
    assert hashlib.sha256(peer.get(bucket, "exports/out.csv")).digest() == hashlib.sha256(data).digest()
    entry = place.stat("exports/out.csv")
    assert mark == FileMark(entry.size, entry.modified, entry.tag)

    local.write_bytes(b"second")
    assert place.send(local, "exports/out.csv").size == 6
    assert peer.get(bucket, "exports/out.csv") == b"second"
    local.write_bytes(b"")
    assert place.send(local, "exports/empty.csv").size == 0
    assert peer.get(bucket, "exports/empty.csv") == b""


def test_a_move_never_replaces_and_what_is_gone_may_be_deleted_again(
    peer: Peer, place: ObjectPlace, bucket: str
) -> None:
    peer.put(bucket, "in/a b.csv", b"a")
    peer.put(bucket, "done/b.csv", b"b")
    with pytest.raises(InputError, match=r"There is a file “done/b\.csv” in .* already"):
        place.move("in/a b.csv", "done/b.csv")
    place.move("in/a b.csv", "done/2026/ä.csv")
    assert peer.get(bucket, "done/2026/ä.csv") == b"a"
    assert place.list("in") == []
    place.move("done/b.csv", "done/b.csv")
    assert peer.get(bucket, "done/b.csv") == b"b"
    with pytest.raises(InputError, match="not in"):
        place.move("in/none.csv", "done/none.csv")
    place.delete("done/b.csv")
    place.delete("done/b.csv")
    assert [entry.name for entry in place.list("done")] == ["2026"]


def test_a_folder_of_very_many_files_is_bounded(
    peer: Peer, place: ObjectPlace, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        peer.put(bucket, f"many/{number}.csv", b"x")
    monkeypatch.setattr(object_store, "ENTRY_LIMIT", 12)
    assert len(place.list("many")) == 12
    monkeypatch.setattr(object_store, "ENTRY_LIMIT", 11)
    with pytest.raises(InputError, match=f"{peer.scheme}://{bucket}/many/ holds more than 11 files"):
        place.list("many")


def test_a_bucket_that_is_not_there_is_named(peer: Peer, tmp_path: Path) -> None:
    local = tmp_path / "x.csv"
    local.write_bytes(b"x")
    with closing(peer.open("no-such-bucket")) as place:
        for act in (place.list, lambda: place.stat("x.csv")):
            with pytest.raises(InputError, match=r"There is no (bucket|container) “no-such-bucket”"):
                act()
        # Google's emulator says of what is written only that something is not there.
        with pytest.raises(InputError, match="no-such-bucket"):
            place.send(local, "x.csv")
