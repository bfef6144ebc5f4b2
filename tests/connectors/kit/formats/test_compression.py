"""gz and zip as they come, and as they are made to do harm."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from connectors.kit.errors import InputError
from connectors.kit.formats import compression
from connectors.kit.formats.compression import decompress, zip_members
from connectors.kit.formats.csv import open_csv

TABLE = b"id,email\n" + b"".join(b"%d,person%d@example.com\n" % (n, n * 7919) for n in range(100_000))


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    packed.seek(0)
    return packed


def count_rows(stream: io.BytesIO, member: str | None = None) -> int:
    return sum(len(batch.rows) for batch in open_csv(decompress(stream, member=member)).batches())


def test_contents_decide_not_names() -> None:
    assert count_rows(io.BytesIO(TABLE)) == 100_000
    assert count_rows(io.BytesIO(gzip.compress(TABLE))) == 100_000
    halves = TABLE[:500_000], TABLE[500_000:]
    assert count_rows(io.BytesIO(b"".join(map(gzip.compress, halves)))) == 100_000
    assert count_rows(zipped({"export/": b"", "export/people.txt": TABLE, "__MACOSX/._people.txt": b"x"})) == 100_000
    assert count_rows(zipped({"people.csv": TABLE}, zipfile.ZIP_BZIP2)) == 100_000


def test_positions_hold_inside_an_archive() -> None:
    first = next(open_csv(decompress(io.BytesIO(gzip.compress(TABLE)))).batches(1_000))
    stream = decompress(io.BytesIO(gzip.compress(TABLE)))
    rest = open_csv(stream, position=first.position).batches()
    assert next(rest).rows[0] == ["1000", "person7919000@example.com"]


def test_several_files_are_chosen_by_name() -> None:
    files = {"a.csv": b"a\n1\n", "b.csv": b"b\n1\n2\n"}
    assert zip_members(zipped(files)) == ["a.csv", "b.csv"]
    assert zip_members(io.BytesIO(b"a,b\n")) is None
    assert count_rows(zipped(files), member="b.csv") == 2
    with pytest.raises(InputError, match="holds 2 files, and only one can be imported") as caught:
        decompress(zipped(files))
    assert caught.value.advice == "Name the one to read: a.csv, b.csv"
    with pytest.raises(InputError, match=r"no file “c\.csv”"):
        decompress(zipped(files), member="c.csv")
    with pytest.raises(InputError, match="zip archive is empty"):
        decompress(zipped({}))


def test_a_cut_off_gz_gives_its_rows_and_then_says_so() -> None:
    packed = gzip.compress(TABLE)
    batches = open_csv(decompress(io.BytesIO(packed[: len(packed) // 2]))).batches()
    rows: list[list[str]] = []
    with pytest.raises(InputError, match="The gz file ends in the middle: it was cut off"):
        rows.extend(row for batch in batches for row in batch.rows)
    assert 30_000 < len(rows) < 70_000
    assert rows == [row.decode().split(",") for row in TABLE.split(b"\n")[1 : len(rows) + 1]]


def test_damage_is_noticed() -> None:
    packed = bytearray(gzip.compress(TABLE))
    packed[-6] ^= 0xFF
    with pytest.raises(InputError, match="The gz file is damaged"):
        count_rows(io.BytesIO(bytes(packed)))
    whole = zipped({"a.csv": TABLE}).getvalue()
    with pytest.raises(InputError, match="incomplete or damaged"):
        decompress(io.BytesIO(whole[: len(whole) // 2]))
    broken = bytearray(zipped({"a.csv": TABLE}, zipfile.ZIP_STORED).getvalue())
    broken[5_000] ^= 0xFF
    with pytest.raises(InputError, match="The zip archive is damaged"):
        count_rows(io.BytesIO(bytes(broken)))


def test_a_protected_file_is_told() -> None:
    packed = bytearray(zipped({"secret.csv": b"a,b\n"}).getvalue())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + flags] |= 1
    with pytest.raises(InputError, match=r"“secret\.csv” in the zip archive is protected by a password"):
        decompress(io.BytesIO(bytes(packed)))


def test_bombs_are_refused() -> None:
    bomb = decompress(io.BytesIO(gzip.compress(bytes(100_000_000))))
    with pytest.raises(InputError, match="unpacks to far more than a table does"):
        list(iter(lambda: bomb.read(1_000_000), b""))
    directory = bytearray(zipped({"a.csv": b"a\n"}).getvalue())
    end = directory.rindex(b"PK\x05\x06")
    struct.pack_into("<I", directory, end + 12, compression.DIRECTORY_LIMIT + 1)
    with pytest.raises(InputError, match="holds too many files"):
        decompress(io.BytesIO(bytes(directory)))


def test_archives_of_other_programs(tmp_path: Path) -> None:
    """A gz made by gzip itself carries a name and a time; a streamed zip has its sizes behind the data."""
    (tmp_path / "people.csv").write_bytes(TABLE)
    subprocess.run(["gzip", "-9", "people.csv"], cwd=tmp_path, check=True)
    with (tmp_path / "people.csv.gz").open("rb") as file:
        assert sum(len(batch.rows) for batch in open_csv(decompress(file)).batches()) == 100_000
    program = (
        "import sys, zipfile; zipfile.ZipFile(sys.stdout.buffer, 'w').writestr('people.csv', sys.stdin.buffer.read())"
    )
    command = [sys.executable, "-c", program]
    streamed = io.BytesIO(subprocess.run(command, input=TABLE[:20_000], check=True, stdout=subprocess.PIPE).stdout)
    assert count_rows(streamed) == TABLE[:20_000].count(b"\n")
