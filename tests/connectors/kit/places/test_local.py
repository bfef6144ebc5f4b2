"""A folder on this computer, and what must stay outside of it."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from pathlib import Path

import pytest

from connectors.kit.errors import InputError
from connectors.kit.places.disk import not_written
from connectors.kit.places.local import LocalFolder


def test_a_folder_shows_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "Zoo").mkdir()
    (tmp_path / "b.csv").write_bytes(b"12345")
    (tmp_path / "A.csv").write_bytes(b"")
    (tmp_path / "broken").symlink_to("nothing")
    place = LocalFolder(tmp_path)
    assert [(entry.name, entry.path, entry.is_folder) for entry in place.list()] == [
        ("Zoo", "Zoo", True),
        ("A.csv", "A.csv", False),
        ("b.csv", "b.csv", False),
    ]
    assert place.stat("b.csv").size == 5
    (tmp_path / "Zoo" / "c.csv").write_bytes(b"x")
    assert [entry.path for entry in place.list("Zoo")] == ["Zoo/c.csv"]


def test_nothing_leads_out_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.csv").write_bytes(b"a,b\n")
    (inside / "link.csv").symlink_to("../secret.csv")
    (inside / "folder").symlink_to("..")
    place = LocalFolder(inside)
    with pytest.raises(InputError, match="can't contain the character 0"):
        place.stat("a\0.csv")
    for path in ("../secret.csv", str(tmp_path / "secret.csv"), "link.csv", "folder/secret.csv"):
        with pytest.raises(InputError, match="is outside the folder"):
            place.open(path)
    assert place.list() == []


def test_without_a_folder_paths_are_complete(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\n")
    place = LocalFolder("")
    with place.open(str(tmp_path / "a.csv")) as file:
        assert file.read() == b"a\n"
    assert [entry.path for entry in place.list(str(tmp_path))] == [str(tmp_path / "a.csv")]
    with pytest.raises(InputError, match="is not a complete path"):
        place.open("a.csv")


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        LocalFolder(tmp_path / "gone")
    place = LocalFolder(tmp_path)
    with pytest.raises(InputError, match="is not there"):
        place.open("gone.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="is not a file"):
        place.open("folder")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is not a file"):
        place.open("pipe")


def test_fetching_copies_and_notices_changes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    data = os.urandom(3_000_000)
    (source / "a.csv").write_bytes(data)
    target = tmp_path / "target" / "a.csv"
    steps: list[int] = []
    mark = LocalFolder(source).fetch("a.csv", target, progress=lambda done, total: steps.append(done))
    assert (target.read_bytes(), mark.size, steps[-1]) == (data, len(data), len(data))

    def grow(done: int, total: int) -> None:
        with (source / "a.csv").open("ab") as file:
            file.write(b"more")

    with pytest.raises(InputError, match="changed while it was being read"):
        LocalFolder(source).fetch("a.csv", tmp_path / "target" / "b.csv", progress=grow)
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["a.csv"]


def test_sending_shows_a_whole_file_or_the_one_before(tmp_path: Path) -> None:
    local = tmp_path / "people.csv"
    local.write_bytes(os.urandom(3_000_000))
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "people.csv").write_bytes(b"yesterday's")
    place = LocalFolder(folder)

    def stop(done: int, total: int) -> None:
        assert (folder / "people.csv").read_bytes() == b"yesterday's"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.send(local, "people.csv", progress=stop)
    assert [path.name for path in folder.iterdir()] == ["people.csv"]
    mark = place.send(local, "people.csv")
    assert (folder / "people.csv").read_bytes() == local.read_bytes()
    assert mark.size == 3_000_000
    place.send(local, "new/deep/Ümläut.csv")
    assert (folder / "new/deep/Ümläut.csv").read_bytes() == local.read_bytes()

    def grow(done: int, total: int) -> None:
        with local.open("ab") as file:
            file.write(b"more")

    with pytest.raises(InputError, match=r"people\.csv changed while it was being sent"):
        place.send(local, "people.csv", progress=grow)
    assert {path.name for path in folder.iterdir()} == {"people.csv", "new"}


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    local = tmp_path / "people.csv"
    local.write_bytes(bytes(3_000_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
    try:
        with pytest.raises(InputError, match=r"There is no room left on the disk for copy\.csv"):
            LocalFolder(tmp_path).send(local, "copy.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def test_moving_and_deleting(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "link.csv").symlink_to("b.csv")
    place = LocalFolder(tmp_path)
    with pytest.raises(InputError, match=r"b\.csv is there already, so a\.csv stays where it is"):
        place.move("a.csv", "b.csv")
    place.move("a.csv", "done/2026/a.csv")
    assert (tmp_path / "done/2026/a.csv").read_bytes() == b"a.csv"
    with pytest.raises(InputError, match=r"a\.csv is not there"):
        place.move("a.csv", "c.csv")
    place.delete("link.csv")
    assert (tmp_path / "b.csv").read_bytes() == b"b.csv"
    place.delete("b.csv")
    place.delete("b.csv")
    with pytest.raises(InputError, match="done is a folder"):
        place.delete("done")
    assert [path.name for path in tmp_path.iterdir()] == ["done"]


def test_moving_to_another_disk_or_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.csv").write_bytes(b"a")
    place = LocalFolder(tmp_path)
    place.move("a.csv", "b.csv")
    assert (tmp_path / "b.csv").read_bytes() == b"a"
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as elsewhere:
        os.utime(tmp_path / "b.csv", (1, 1))
        LocalFolder().move(str(tmp_path / "b.csv"), f"{elsewhere}/c.csv")
        assert (Path(elsewhere) / "c.csv").read_bytes() == b"a"
        assert (Path(elsewhere) / "c.csv").stat().st_mtime == 1
        # Sending goes across disks as well; the temporary file lies on the target's.
        place.send(Path(elsewhere) / "c.csv", "back.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["back.csv"]


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.csv").write_bytes(b"secret")
    (inside / "link.csv").symlink_to("../secret.csv")
    (inside / "folder").symlink_to("..")
    (inside / "a.csv").write_bytes(b"a")
    place = LocalFolder(inside)
    for path in ("../new.csv", str(tmp_path / "new.csv"), "folder/new.csv", "x/../../new.csv"):
        with pytest.raises(InputError, match="is outside the folder"):
            place.send(inside / "a.csv", path)
        with pytest.raises(InputError, match="is outside the folder"):
            place.move("a.csv", path)
        with pytest.raises(InputError, match="is outside the folder"):
            place.delete(path)
    for path in ("", ".", "..", "x/.."):
        with pytest.raises(InputError, match="is no name of a file"):
            place.send(inside / "a.csv", path)
    with pytest.raises(InputError, match="can't contain the character 0"):
        place.send(inside / "a.csv", "a\0.csv")
    # A link of that name is replaced; where it led is left alone.
    place.send(inside / "a.csv", "link.csv")
    assert (tmp_path / "secret.csv").read_bytes() == b"secret"
    assert not (inside / "link.csv").is_symlink()
    assert {path.name for path in tmp_path.iterdir()} == {"inside", "secret.csv"}


def test_faults_of_disks_are_sentences(tmp_path: Path) -> None:
    for number, sentence in (
        (errno.ENOSPC, "There is no room left on the disk for a.csv."),
        (errno.EDQUOT, "There is no room left on the disk for a.csv."),
        (errno.EROFS, "The disk of /x/a.csv can only be read."),
        (errno.EACCES, "/x/a.csv may not be written by you."),
        (errno.EIO, "/x/a.csv can't be written."),
    ):
        assert not_written(OSError(number, os.strerror(number)), Path("/x/a.csv")).message == sentence
    local = tmp_path / "a.csv"
    local.write_bytes(b"a")
    (tmp_path / "folder").mkdir()
    place = LocalFolder(tmp_path)
    with pytest.raises(InputError, match="can't be the name of a file there"):
        place.send(local, "x" * 300)
    with pytest.raises(InputError, match="folder is a folder"):
        place.send(local, "folder")
    with pytest.raises(InputError, match="something of that name is there"):
        place.send(local, "a.csv/b.csv")
