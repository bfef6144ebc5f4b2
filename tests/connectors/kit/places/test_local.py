"""A folder on this computer, and what must stay outside of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.kit.errors import InputError
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
