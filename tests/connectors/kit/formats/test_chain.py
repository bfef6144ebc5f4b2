"""Files packed in every way and order, as they come and as they are made to do harm."""

from __future__ import annotations

import bz2
import gzip
import io
import random
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peers.pgp import PgpPeer

from connectors.kit.errors import InputError
from connectors.kit.formats import zips
from connectors.kit.formats.chain import Keys, members, unpacked
from connectors.kit.formats.csv import open_csv
from connectors.kit.formats.packing import How, packing
from connectors.kit.formats.streams import ByteStream
from connectors.kit.pgp.streams import encrypting

TABLE = b"id,email\n" + b"".join(b"%d,person%d@example.com\n" % (n, n * 7919) for n in range(50_000))


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, data)
    return packed.getvalue()


def streamed_zip(data: bytes) -> bytes:
    """An archive written into a pipe: the sizes stand behind the data."""
    program = (
        "import sys, zipfile; zipfile.ZipFile(sys.stdout.buffer, 'w', 8).writestr('a.csv', sys.stdin.buffer.read())"
    )
    return subprocess.run([sys.executable, "-c", program], input=data, check=True, stdout=subprocess.PIPE).stdout


class Pipe:
    """What can't seek, such as the inside of another packing."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        return self._inner.read(min(size, 5_000))

    def seek(self, offset: int, /) -> int:
        raise io.UnsupportedOperation

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._inner.tell()

    def close(self) -> None: ...


def read_all(stream: ByteStream) -> bytes:
    return b"".join(iter(lambda: stream.read(100_000), b""))


def contents(stream: ByteStream | bytes, *, keys: Keys | None = None, member: str | None = None) -> bytes:
    source = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    with unpacked(source, keys=keys, member=member) as plain:
        return read_all(plain)


def keys_of(pgp: PgpPeer) -> Keys:
    return Keys(pgp.curve.private)


PACKED: dict[str, tuple[Callable[[bytes], bytes], tuple[str, ...]]] = {
    "plain": (lambda data: data, ()),
    "gz": (gzip.compress, ("gz",)),
    "gz in parts, filled up": (lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:]) + bytes(999), ("gz",)),
    "bz2": (bz2.compress, ("bz2",)),
    "bz2 in parts": (lambda data: bz2.compress(data[:99]) + bz2.compress(data[99:]), ("bz2",)),
    "zstd": (zstandard.compress, ("zstd",)),
    "zstd in parts": (lambda data: zstandard.compress(data[:99]) + zstandard.compress(data[99:]), ("zstd",)),
    "zip": (lambda data: zipped({"in/": b"", "in/a.csv": data, "__MACOSX/in/._a.csv": b"x"}), ("zip: in/a.csv",)),
    "zip, not compressed": (lambda data: zipped({"a.csv": data}, zipfile.ZIP_STORED), ("zip: a.csv",)),
    "zip, written into a pipe": (streamed_zip, ("zip: a.csv",)),
    "gz in zip": (lambda data: zipped({"a.csv.gz": gzip.compress(data)}), ("zip: a.csv.gz", "gz")),
    "zip in gz": (lambda data: gzip.compress(zipped({"a.csv": data})), ("gz", "zip: a.csv")),
    "three": (lambda data: bz2.compress(zstandard.compress(gzip.compress(data))), ("bz2", "zstd", "gz")),
}


@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize(("pack", "steps"), PACKED.values(), ids=PACKED)
def test_contents_decide_not_names(pack: Callable[[bytes], bytes], steps: tuple[str, ...], seekable: bool) -> None:
    packed = pack(TABLE)
    stream: ByteStream = io.BytesIO(packed) if seekable else Pipe(packed)
    with unpacked(stream) as plain:
        assert plain.steps == steps
        assert plain.seekable() == (seekable and not steps)
        assert read_all(plain) == TABLE


def test_pgp_stands_anywhere_in_a_chain(pgp: PgpPeer) -> None:
    keys = keys_of(pgp)
    inside = pgp.encrypt(zipped({"people.csv": TABLE}), pgp.curve)
    outside = zipped({"people.csv.pgp": pgp.encrypt(TABLE, pgp.curve, options=("--armor",))})
    for packed, steps in ((inside, ("PGP", "zip: people.csv")), (outside, ("zip: people.csv.pgp", "PGP"))):
        with unpacked(io.BytesIO(packed), keys=keys) as plain:
            assert plain.steps == steps
            assert plain.name in steps[0] + steps[1]
            assert read_all(plain) == TABLE
    armored = b"\xef\xbb\xbf\r\n  " + pgp.encrypt(gzip.compress(TABLE), pgp.curve, options=("--armor",))
    assert contents(armored, keys=keys) == TABLE
    with pytest.raises(InputError, match="encrypted with PGP, and there is no private key"):
        contents(inside)
    assert pgp.curve.private not in repr(keys)


def test_text_is_not_taken_for_pgp() -> None:
    for encoding in ("utf-8", "utf-16", "utf-16-le", "windows-1252", "utf-32"):
        for text in ("…\x01\x03", "Ä,b\n1,2\n", "\u8c8d\u0404\n", "Á\x03\x03", "id\n1"):
            data = text.encode(encoding, "ignore")
            with unpacked(io.BytesIO(data)) as plain:
                assert (plain.steps, read_all(plain)) == ((), data)


def test_several_files_are_chosen_by_name(pgp: PgpPeer) -> None:
    files = zipped({"a.csv": b"a\n1\n", "b.csv": b"b\n1\n2\n"})
    assert members(io.BytesIO(files)) == members(Pipe(files)) == ["a.csv", "b.csv"]
    assert members(io.BytesIO(pgp.encrypt(files, pgp.curve)), keys=keys_of(pgp)) == ["a.csv", "b.csv"]
    assert members(io.BytesIO(b"a,b\n")) == members(io.BytesIO(gzip.compress(b"a,b\n"))) == []
    for make in (io.BytesIO, Pipe):
        assert contents(make(files), member="b.csv") == b"b\n1\n2\n"
        with pytest.raises(InputError, match="holds 2 files, and only one can be imported") as caught:
            contents(make(files))
        assert caught.value.advice == "Name the one to read: a.csv, b.csv"
        with pytest.raises(InputError, match=r"no file “c\.csv”"):
            contents(make(files), member="c.csv")
        with pytest.raises(InputError, match="zip archive is empty"):
            contents(make(zipped({})))
        with pytest.raises(InputError, match="Excel workbook"):
            contents(make(zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""})))


def test_names_in_an_archive_are_only_labels() -> None:
    name = "../../etc/passwd"
    with unpacked(io.BytesIO(zipped({name: TABLE}))) as plain:
        assert (plain.name, read_all(plain)) == (name, TABLE)


@pytest.mark.parametrize("make", [io.BytesIO, Pipe])
def test_a_protected_file_is_told(make: Callable[[bytes], ByteStream]) -> None:
    packed = bytearray(zipped({"secret.csv": b"a,b\n"}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(mark) + flags] |= 1
    with pytest.raises(InputError, match=r"“secret\.csv” in the zip archive is protected by a password"):
        contents(make(bytes(packed)))


def test_a_cut_off_gz_gives_its_rows_and_then_says_so() -> None:
    packed = gzip.compress(TABLE)
    rows: list[list[str]] = []
    with (
        unpacked(io.BytesIO(packed[: len(packed) // 2])) as plain,
        pytest.raises(InputError, match="The gz file ends in the middle: it was cut off"),
    ):
        rows.extend(row for batch in open_csv(plain).batches() for row in batch.rows)
    assert 15_000 < len(rows) < 35_000
    assert rows == [row.decode().split(",") for row in TABLE.split(b"\n")[1 : len(rows) + 1]]


def test_damage_is_noticed() -> None:
    for pack, kind in ((gzip.compress, "gz file"), (bz2.compress, "bz2 file")):
        packed = bytearray(pack(TABLE))
        packed[-6] ^= 0xFF
        with pytest.raises(InputError, match=f"The {kind} is damaged"):
            contents(bytes(packed))
        with pytest.raises(InputError, match=f"The {kind} is followed by something else"):
            contents(pack(TABLE) + b"and this")
    broken = bytearray(zipped({"a.csv": TABLE}, zipfile.ZIP_STORED))
    broken[5_000] ^= 0xFF
    for make in (io.BytesIO, Pipe):
        with pytest.raises(InputError, match="The zip archive is damaged"):
            contents(make(bytes(broken)))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, zstandard.compress])
def test_a_bomb_is_refused(pack: Callable[[bytes], bytes]) -> None:
    for bomb in (pack(bytes(100_000_000)), gzip.compress(pack(bytes(100_000_000)))):
        with pytest.raises(InputError, match="unpacks to far more than a table does"):
            contents(bomb)


def test_a_bomb_within_an_archive_is_refused(pgp: PgpPeer) -> None:
    for bomb in (zipped({"a.csv": bytes(100_000_000)}), pgp.encrypt(bytes(100_000_000), pgp.curve)):
        for make in (io.BytesIO, Pipe):
            with pytest.raises(InputError, match="unpacks to far more than a table does"):
                contents(make(bomb), keys=keys_of(pgp))
    directory = bytearray(zipped({"a.csv": b"a\n"}))
    struct.pack_into("<I", directory, directory.rindex(b"PK\x05\x06") + 12, zips.DIRECTORY_LIMIT + 1)
    with pytest.raises(InputError, match="holds too many files"):
        contents(bytes(directory))
    nested = TABLE
    for _ in range(7):
        nested = gzip.compress(nested)
    with pytest.raises(InputError, match="packed more than 6 times over"):
        contents(nested)


def test_a_zstd_window_that_takes_gigabytes_is_refused() -> None:
    with pytest.raises(InputError, match="takes too much memory"):
        contents(zstandard.FRAME_HEADER + bytes([0x00, 0xA0]) + bytes(20))


def write(data: bytes, how: How, *, to: Path, pgp: PgpPeer | None) -> bytes:
    """A file as an export makes it."""
    if pgp is None:
        with packing(to, how, "a.csv") as file:
            file.write(data)
    else:
        with encrypting(to, pgp.curve.public, compress=how == "none") as outer, packing(outer, how, "a.csv") as file:
            file.write(data)
    return to.read_bytes()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "zstd": zstandard.compress,
    "zip": lambda data: zipped({"a.csv": data}),
    "stored": lambda data: zipped({"a.csv": data}, zipfile.ZIP_STORED),
}


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3_000), st.lists(st.sampled_from(sorted(PACKINGS)), max_size=6), st.data())
def test_any_chain_comes_out_equal_and_any_cut_is_told(data: bytes, chain: list[str], draw: st.DataObject) -> None:
    data = b"id\n" + data
    packed = data
    for name in chain:
        packed = PACKINGS[name](packed)
    assert contents(packed) == contents(Pipe(packed)) == data
    if chain:
        cut = packed[: draw.draw(st.integers(10, len(packed) - 1))]
        for make in (io.BytesIO, Pipe):
            with pytest.raises(InputError):
                contents(make(cut))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=3_000), st.sampled_from(["none", "gz", "zip"]), st.integers(0))
def test_what_is_packed_and_encrypted_comes_out_equal(pgp: PgpPeer, data: bytes, how: How, seed: int) -> None:
    data = b"id\n" + data
    with tempfile.TemporaryDirectory() as folder:
        packed = write(data, how, to=Path(folder) / "out", pgp=pgp)
    assert contents(packed, keys=keys_of(pgp)) == data
    with pytest.raises(InputError):
        contents(packed[: random.Random(seed).randrange(10, len(packed))], keys=keys_of(pgp))
