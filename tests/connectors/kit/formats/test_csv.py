"""Tables: every shape that comes, every fault that a row or a file can have."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.errors import InputError
from connectors.kit.formats import text
from connectors.kit.formats.csv import CsvOptions, CsvPosition, CsvReader, open_csv
from connectors.kit.formats.rows import TEXT_LIMIT
from connectors.kit.types import Rejected


def read(data: bytes | str, **options: Any) -> tuple[CsvReader, list[list[str]], list[int], list[Rejected]]:
    """Everything in a file: the reader, rows, their lines, rejected rows."""
    reader = open_csv(io.BytesIO(data.encode() if isinstance(data, str) else data), CsvOptions(**options))
    batches = list(reader.batches())
    return (
        reader,
        [row for batch in batches for row in batch.rows],
        [line for batch in batches for line in batch.lines],
        [rejected for batch in batches for rejected in batch.rejected],
    )


# --- What is written comes back, wherever it is cut and taken up again ---------------------------------------

ENCODINGS = {
    "utf-8": "",
    "utf-8-sig": "",
    "utf-16": "",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "cp1252": "windows-1252",
    "shift_jis": "shift_jis",
}

texts = st.text(st.sampled_from("ab1 ,;\t|\"'\n\réß€名🎉"), max_size=8)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str, str, str]:
    """Rows, delimiter, line end and encoding; only what the encoding can write."""
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    width = draw(st.integers(1, 4))
    cells = texts.filter(lambda cell: _writable(cell, encoding))
    # In a table of one column a blank field makes a blank line, which is no row.
    cell = cells.filter(str.strip) if width == 1 else cells
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=12))
    return rows, draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n", "\r"])), encoding


def _writable(cell: str, encoding: str) -> bool:
    try:
        return cell.encode(encoding).decode(encoding) == cell
    except UnicodeEncodeError:
        return False


@given(tables(), st.integers(1, 5), st.integers(1, 40), st.data())
@settings(max_examples=150, deadline=None)
def test_rows_come_back_in_any_batch_from_any_place(
    table: tuple[list[list[str]], str, str, str], max_rows: int, block: int, data: st.DataObject
) -> None:
    rows, delimiter, line_end, encoding = table
    width = len(rows[0]) if rows else 2
    header = [f"column {number}" for number in range(width)]
    written = io.StringIO()
    # The writer leaves line ends unquoted that are not its own.
    quoting = csv.QUOTE_MINIMAL if line_end == "\r\n" else csv.QUOTE_ALL
    writer = csv.writer(written, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    starts: list[int] = []
    for row in [header, *rows]:
        starts.append(len(list(io.StringIO(written.getvalue(), newline=""))) + 1)
        writer.writerow(row)
    raw = written.getvalue().encode(encoding)
    options = CsvOptions(delimiter=delimiter, encoding=ENCODINGS[encoding] or None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK_SIZE", block)
        patch.setattr("connectors.kit.formats.csv.HEAD_SIZE", 512 + block)
        reader = open_csv(io.BytesIO(raw), options)
        batches = list(reader.batches(max_rows))
        assert [row for batch in batches for row in batch.rows] == rows
        assert [line for batch in batches for line in batch.lines] == starts[1:]
        assert all(len(batch.rows) <= max_rows and not batch.rejected for batch in batches)
        for batch in batches:
            resumed = open_csv(io.BytesIO(raw), options, position=batch.position)
            later = list(resumed.batches(2))
            rest = [pair for after in later for pair in zip(after.rows, after.lines, strict=True)]
            expected = list(zip(rows, starts[1:], strict=True))[batch.rows_seen :]
            assert rest == expected
            if encoding != "shift_jis":
                assert batch.position.offset is not None
        start = data.draw(st.integers(0, len(rows)))
        skipped = open_csv(io.BytesIO(raw), options, start_row=start)
        assert [row for batch in skipped.batches(3) for row in batch.rows] == rows[start:]


@given(
    st.lists(st.sampled_from(['"', "a", "b", ",", "\n", "\r\n", "\0", "\udce9", "é", " "]), max_size=60),
    st.sampled_from([text.LINE_LIMIT, 12]),
)
@settings(max_examples=300, deadline=None)
def test_bad_files_give_the_same_rows_however_they_are_cut(pieces: list[str], limit: int) -> None:
    raw = ("h1,h2\n" + "".join(pieces)).encode("utf-8", "surrogateescape")

    def outcome(block: int, start: CsvPosition | None = None) -> tuple[list[Any], list[CsvPosition]]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text, "BLOCK_SIZE", block)
            patch.setattr("connectors.kit.formats.csv.HEAD_SIZE", 512)
            patch.setattr("connectors.kit.formats.csv.detect.refuse_binary", lambda head: None)
            patch.setattr(text, "LINE_LIMIT", limit)
            patch.setattr("connectors.kit.formats.rows.LINE_LIMIT", limit)
            stream = io.BytesIO(raw + b"\nx,y\n" * 90)
            reader = open_csv(stream, CsvOptions(encoding="utf-8", delimiter=","), position=start)
            found: list[Any] = []
            positions: list[CsvPosition] = []
            for batch in reader.batches(7):
                found += sorted(
                    [(line, tuple(row)) for line, row in zip(batch.lines, batch.rows, strict=True)]
                    + [(bad.line, bad.reason if limit > 12 else "rejected") for bad in batch.rejected]
                )
                positions.append(batch.position)
                assert positions[-1].row == batch.rows_seen
            return found, positions

    whole, _ = outcome(1_000_000)
    found, positions = outcome(3)
    assert found == whole
    for position in positions[:20]:
        assert outcome(50, position)[0] == whole[position.row :]
    assert whole[-1] == (raw.count(b"\n") + 2 * 90 + _lone_returns(raw), ("x", "y"))


def _lone_returns(raw: bytes) -> int:
    return raw.replace(b"\r\n", b"\n").count(b"\r")


# --- Bad rows ------------------------------------------------------------------------------------------------


def test_each_bad_row_is_rejected_alone() -> None:
    data = (
        b"email,name\n"
        b"a@x.com,Ann\n"
        b"b@x.com\n"  # 3
        b"c@x.com,Cleo,extra\n"  # 4
        b"\n"
        b'd@x.com,"Dan\nthe man"\n'
        b'e@x.com,"Eve\n'  # 8: never closed
        b"f@x.com,Fay\n"
        b"g@x.com,G\0g\n"  # 10
        b"h@x.com,Ha\xff\xe9\n"  # 11
        b'i@x.com,"I" da\n'  # 12
        b"  \n" + "j@x.com,Jörg\n".encode() * 30
    )
    _, rows, lines, rejected = read(data)
    assert [row[0][0] for row in rows[:4]] == ["a", "d", "f", "j"]
    assert lines[:4] == [2, 6, 9, 14]
    assert rows[1] == ["d@x.com", "Dan\nthe man"]
    assert [(bad.line, bad.reason) for bad in rejected] == [
        (3, "The row has 1 field, but the table has 2 columns."),
        (4, "The row has 3 fields, but the table has 2 columns."),
        (8, "A quotation mark in this row has no partner."),
        (10, "The row contains NUL characters, which no text has."),
        (11, "The row contains bytes that are no UTF-8 text."),
        (12, "A quotation mark in this row has no partner."),
    ]
    assert [bad.text for bad in rejected][2:5] == ['e@x.com,"Eve', "g@x.com,G\ufffdg", "h@x.com,Ha\ufffd\ufffd"]


def test_a_quote_closed_by_a_later_row_swallows_nothing() -> None:
    _, rows, _, rejected = read('a,b,c\n1,"open,x\n2,y,z\n3,"q",w\n4,ok,"fine"\n')
    assert rows == [["2", "y", "z"], ["3", "q", "w"], ["4", "ok", "fine"]]
    assert [bad.line for bad in rejected] == [2]


def test_a_delimiter_too_many_is_left_out_only_if_all_rows_have_it() -> None:
    assert read("a;b\n1;2;\n3;4;\n")[1] == [["1", "2"], ["3", "4"]]
    _, rows, _, rejected = read("a;b\n1;2;\n3;4\n")
    assert (rows, [bad.line for bad in rejected]) == ([["3", "4"]], [2])


def test_a_bad_byte_after_half_a_gigabyte_costs_one_row() -> None:
    """Told by the decoder's state, so a small block stands for the large file."""
    data = b"a,b\n" + b"1,2\n" * 400_000 + b"3,\xe9\n" + b"4,5\n"
    _, rows, _, rejected = read(data)
    assert len(rows) == 400_001
    assert rejected == [Rejected(400_002, "The row contains bytes that are no UTF-8 text.", "3,\ufffd")]


def test_a_gigabyte_in_one_line_is_rejected_in_bounded_memory() -> None:
    """In a process of its own, whose memory counts from its start."""
    program = """
import resource
from connectors.kit.formats.csv import open_csv

class Endless:
    parts = [b"a,b\\n1,2\\n3,\\"", *[b"x,y" * 30_000] * 12_000, b"\\n5,6\\n"]
    def __init__(self): self.at = 0; self.left = b""
    def read(self, size):
        if not self.left and self.at < len(self.parts):
            self.left = self.parts[self.at]; self.at += 1
        data, self.left = self.left[:size], self.left[size:]
        return data
    def seekable(self): return False

stream = Endless()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for batch in open_csv(stream).batches():
    print(batch.rows, [(bad.line, bad.reason, len(bad.text)) for bad in batch.rejected])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    root = Path(text.__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    *printed, megabytes = done.stdout.splitlines()
    assert printed == [
        "[['1', '2']] []",
        f"[] [(3, 'The row is longer than {text.LINE_LIMIT:,} characters.', {TEXT_LIMIT})]",
        "[['5', '6']] []",
    ]
    assert int(megabytes) < 60


# --- Files that are no tables --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf", "The file holds nothing but blank lines."),
        (b"\n \r\n\n", "The file holds nothing but blank lines."),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "This file is no CSV: it is a PNG picture."),
        (b"%PDF-1.7\n%\xe2\xe3", "This file is no CSV: it is a PDF document."),
        (b"PK\x03\x04\x14\0", "This file is no CSV: it is a zip archive or an Excel workbook."),
        (b"\x1f\x8b\x08\0", "This file is no CSV: it is compressed once more."),
        (b"\n<!DOCTYPE html><html>", "This file is no CSV: it is a web page or XML."),
        (b'[{"email": "a@x.com"}]', "This file is no CSV: it is JSON."),
        (bytes(range(256)) * 20, "This file is no CSV: it is not text."),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        open_csv(io.BytesIO(data))
    assert caught.value.message == sentence
    assert caught.value.advice


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="The rows of the file have 2 fields, but 3 column names are given"):
        read("1,2\n3,4\n", columns=["a", "b", "c"])
    with pytest.raises(InputError, match="no encoding called “klingon”"):
        read("a,b\n", encoding="klingon")
    with pytest.raises(InputError, match="The delimiter must be one character"):
        read("a,b\n", delimiter=";;")
    with pytest.raises(InputError, match=r"The first row can't be read: a quotation mark .* \(line 2\)"):
        read('a,"b\nc,d\n')
    with pytest.raises(InputError, match="The table has 3,000 columns"):
        read(",".join("x" * 3_000))


# --- What is found out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("name;amount\nAnn;1,50\nBen;2,75\n", ";"),
        ("name\tnote\nAnn\tone, two; three\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('name,notes\nAnn,"a;b;c;d"\nBen,"a;b;c;d"\n', ","),
        ('"Last, First";age\n"Smith, Ann";41\n"Jones, Ben";39\n', ";"),
        ("id,tags\n1,a|b|c\n2,a|b|c\n", ","),
        ("email\nann@x.com\nben@x.com\n", ","),
        ("name\nAnn Smith\nBen Jones\n", ","),
        (" 00001 19970101  1   11.77\n 00002 19970112  1   12.00\n", "whitespace"),
        ("sep=|\na|b;c\n1|2;3\n", "|"),
        ('a, "b"\n1, "x, y"\n', ","),
    ],
)
def test_delimiters_of_real_shapes(sample: str, delimiter: str) -> None:
    assert read(sample)[0].delimiter == delimiter


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("name,town\nAnn,Köln\n".encode(), "utf-8"),
        ("name,town\nAnn,Köln\n".encode("utf-8-sig"), "utf-8"),
        ("name,town\nAnn,Köln\n".encode("utf-16"), "utf-16-le"),
        ("name,town\nAnn,Köln\n".encode("utf-16-le"), "utf-16-le"),
        ("name,town\nAnn,Köln\n".encode("utf-16-be"), "utf-16-be"),
        ("name,town\nAnn,Köln\n".encode("cp1252"), "windows-1252"),
        ("name,town\nAnn,“Köln” – 5 €\n".encode("cp1252"), "windows-1252"),
        (("name,town\n" + "Ann,Köln\n" * 20).encode() + b"Ben,K\xf6ln\n", "utf-8"),
    ],
)
def test_encodings_are_recognised(data: bytes, encoding: str) -> None:
    reader, rows, _, _ = read(data)
    assert reader.encoding == encoding
    assert reader.columns == ["name", "town"]
    assert "Köln" in rows[0][1]


def test_columns_get_names_that_differ() -> None:
    reader, _, _, _ = read("name,,Name, name ,name_2\n1,2,3,4,5\n")
    assert reader.columns == ["name", "column_2", "Name_3", "name_4", "name_2"]
    assert reader.notes == [
        "Column 2 has no name in the header row; it is called column_2.",
        "The header row has Name more than once; column 3 is called Name_3.",
        "The header row has name more than once; column 4 is called name_4.",
    ]
    assert read("1,2\n3,4\n", header=False)[0].columns == ["column_1", "column_2"]
    reader, rows, lines, _ = read("1,2\n3,4\n", columns=["a", "b"])
    assert (reader.columns, rows, lines) == (["a", "b"], [["1", "2"], ["3", "4"]], [1, 2])


def test_a_header_alone_is_a_table_without_rows() -> None:
    reader, rows, _, rejected = read("a,b\n")
    assert (reader.columns, rows, rejected) == (["a", "b"], [], [])


def test_a_stream_that_breaks_hands_on_the_rows_before() -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if not data:
                raise InputError("The gz file ends in the middle: it was cut off.")
            return data

    batches = open_csv(Breaking(b"a,b\n" + b"1,2\n" * 200_000 + b"3,")).batches(max_rows=1_000_000)
    seen: list[int] = []
    with pytest.raises(InputError, match="cut off"):
        seen.extend(batch.rows_seen for batch in batches)
    assert seen[-1] == 200_000


# --- Real data -----------------------------------------------------------------------------------------------


def record_shop(name: str) -> Path:
    """A file of the CDNOW data that the package `lifetimes` carries."""
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "datasets" / name


def test_a_record_shops_purchases_are_read_completely() -> None:
    with record_shop("CDNOW_master.txt").open("rb") as file:
        header, *body = file.read().splitlines(keepends=True)
    names = header.decode().split()
    for data, options in (
        (header + b"".join(body), {}),
        (b"".join(body), {"delimiter": "whitespace", "columns": names}),
        (b"".join(body), {"columns": names}),
    ):
        reader, rows, lines, rejected = read(data, **options)
        assert (reader.delimiter, reader.columns, rejected) == ("whitespace", names, [])
        assert len(rows) == 69_659
        assert rows[0] == ["00001", "19970101", "1", "11.77"]
        assert lines[-1] - lines[0] == 69_658
        assert round(sum(float(row[3]) for row in rows), 2) == 2_500_315.63
        assert sum(int(row[2]) for row in rows) == 167_881


def test_a_record_shops_customers_are_read_completely() -> None:
    reader, rows, _, rejected = read(record_shop("cdnow_customers_summary_with_transactions.csv").read_bytes())
    assert reader.columns == ["ID", "x", "t_x", "T", "zbar"]
    assert (len(rows), rejected) == (2_357, [])
    assert rows[-1][0] == "2357"
