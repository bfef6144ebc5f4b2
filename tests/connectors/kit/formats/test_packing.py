"""Files that are packed while they are written, read by the programs that others use."""

from __future__ import annotations

import gzip
import io
import subprocess
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest

from connectors.kit.errors import InputError
from connectors.kit.formats.packing import How, packing

TABLE = b"id,email\n" + b"".join(b"%d,person%d@example.com\n" % (n, n * 7919) for n in range(20_000))


def write_slowly(file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    for line in TABLE.decode().splitlines(keepends=True):
        text.write(line)
    text.detach()


@pytest.mark.parametrize("how", ["none", "gz", "zip"])
def test_the_same_rows_make_the_same_file(tmp_path: Path, how: How) -> None:
    for name in ("one", "two"):
        with packing(tmp_path / name, how, "people.csv") as file:
            write_slowly(file)
            assert not (tmp_path / name).exists()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_other_programs_read_them(tmp_path: Path) -> None:
    with packing(tmp_path / "people.csv.gz", "gz", "people.csv") as file:
        write_slowly(file)
    gunzip = subprocess.run(["gzip", "-dc", tmp_path / "people.csv.gz"], check=True, capture_output=True)
    assert gunzip.stdout == TABLE
    with packing(tmp_path / "people.zip", "zip", "people.csv") as file:
        write_slowly(file)
    with zipfile.ZipFile(tmp_path / "people.zip") as archive:
        assert archive.testzip() is None
        assert (archive.namelist(), archive.read("people.csv")) == (["people.csv"], TABLE)


def write_and_fail(file: BinaryIO) -> None:
    file.write(TABLE)
    raise ValueError("no such field")


@pytest.mark.parametrize("how", ["none", "gz", "zip"])
def test_a_failure_leaves_the_file_of_before(tmp_path: Path, how: How) -> None:
    target = tmp_path / "people"
    target.write_bytes(b"before")
    with pytest.raises(ValueError, match="no such field"), packing(target, how, "people.csv") as file:
        write_and_fail(file)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def write_much(file: BinaryIO) -> None:
    file.write(gzip.compress(TABLE))
    file.write(TABLE)


class FullDisk(io.BytesIO):
    """A disk with room for so many bytes."""

    def write(self, data: object, /) -> int:
        if self.tell() > 10_000:
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["none", "gz", "zip"])
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: How) -> None:
    monkeypatch.setattr(Path, "open", lambda *_, **__: FullDisk())
    with (
        pytest.raises(InputError, match=r"no room left on the disk for people\.csv"),
        packing(tmp_path / "people.csv", how, "people.csv") as file,
    ):
        write_much(file)
