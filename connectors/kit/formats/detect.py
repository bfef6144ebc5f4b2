"""What kind of text a file is: is it a table at all, in which encoding, and what parts its columns."""

from __future__ import annotations

import codecs
import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

from connectors.kit.errors import InputError

WHITESPACE = "whitespace"
"""The delimiter of columns aligned with runs of blanks or tabs."""

CELL = re.compile(r"[^ \t\r\n]+")
"""One cell of a table aligned by blanks."""

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 200

_AS_CSV = "Export it as CSV and choose that file."
_BINARY: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n", "a PNG picture", ""),
    (b"\xff\xd8\xff", "a JPEG picture", ""),
    (b"GIF8", "a GIF picture", ""),
    (b"%PDF-", "a PDF document", ""),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document", _AS_CSV),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", _AS_CSV),
    (b"\x1f\x8b", "compressed once more", "Unpack it once and choose the file inside."),
    (b"BZh", "compressed with bzip2", "Unpack it and choose the file inside, or use gz or zip."),
    (b"\xfd7zXZ\x00", "compressed with xz", "Unpack it and choose the file inside, or use gz or zip."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it and choose the file inside, or use gz or zip."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and choose the file inside, or use gz or zip."),
    (b"Rar!\x1a", "a RAR archive", "Unpack it and choose the file inside, or use gz or zip."),
    (b"SQLite format 3\x00", "a SQLite database", _AS_CSV),
    (b"PAR1", "a Parquet file", _AS_CSV),
    (b"\x7fELF", "a program", ""),
    (b"MZ\x90\x00", "a program", ""),
    (b"-----BEGIN PGP MESSAGE-----", "encrypted with PGP", "Decrypt it and choose the decrypted file."),
)
_MARKUP = re.compile(rb"\s*(?:<!doctype\b|<html\b|<head\b|<body\b|<\?xml\b|<rss\b|<svg\b)", re.IGNORECASE)
_JSON = re.compile(rb'\s*(?:\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})|\[\s*[\[{\]])')
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")


def refuse_other_kinds(head: bytes, *, wanted: Literal["CSV", "JSON"] = "CSV") -> None:
    """Raise InputError, in one sentence, when a file that starts with `head` is surely not what is wanted."""
    kind, advice = "", ""
    for magic, name, what_to_do in _BINARY:
        if head.startswith(magic):
            kind, advice = name, what_to_do
            break
    body = head.removeprefix(codecs.BOM_UTF8)
    if not kind and _MARKUP.match(body):
        kind = "a web page or XML"
        advice = "Often this is a sign-in or error page that was saved instead of the file. Get the file once more."
    elif not kind and wanted == "CSV" and _JSON.match(body):
        kind, advice = "JSON", _AS_CSV
    if kind:
        if wanted == "JSON":
            advice = advice.replace(_AS_CSV, "Export it as JSON and choose that file.")
        raise InputError(f"This file is no {wanted}: it is {kind}.", advice=advice or f"Choose a {wanted} file.")
    if not head.strip(b" \t\r\n\x00\x1a\xef\xbb\xbf\xfe\xff"):
        raise InputError(
            "The file is empty." if not head.strip(b"\x00") else "The file holds nothing but blank lines.",
            advice="Check whether the export that writes it has finished, then try again.",
        )


def refuse_binary(text: str) -> None:
    """Raise InputError when the decoded start of a file is not something that a person could read.

    A few NUL bytes in later rows are only bad rows; control characters in the first line or all over are not text.
    """
    first = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    strange = len(_CONTROL.findall(text))
    if _CONTROL.search(first) or (len(text) >= 200 and strange > len(text) // 10):
        raise InputError(
            "This file is no CSV: it is not text.",
            advice="Choose a CSV file; data in another format has to be exported as CSV first.",
        )


def detect_encoding(head: bytes, *, whole: bool) -> tuple[str, int]:
    """The encoding of a file that starts with `head`, and how many bytes of byte order mark to leave out.

    `whole` says that `head` is all there is. Without a mark: UTF-16 shows by its NUL bytes on one side; UTF-8 by
    being valid, where a few bad bytes among many good sequences are taken for bad rows; the rest is Windows-1252.
    """
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if head.startswith(mark):
            return name, len(mark)
    pairs = len(head) // 2
    even, odd = head[0 : pairs * 2 : 2].count(0), head[1 : pairs * 2 : 2].count(0)
    if pairs and odd > pairs * 0.3 and even < pairs * 0.05:
        return "utf-16-le", 0
    if pairs and even > pairs * 0.3 and odd < pairs * 0.05:
        return "utf-16-be", 0
    text = codecs.utf_8_decode(head, "surrogateescape", whole)[0]
    bad = 0 if _is_clean(text) else sum(1 for character in text if "\udc80" <= character <= "\udcff")
    if not bad:
        return "utf-8", 0
    good = sum(1 for character in text if character > "\x7f") - bad
    return ("utf-8", 0) if good > bad * 10 else ("windows-1252", 0)


def encoding_name(encoding: str) -> str:
    """An encoding as people write it: `UTF-8`, `UTF-16`, `Windows-1252`."""
    if encoding.startswith("windows-"):
        return encoding.capitalize()
    return encoding.upper().removesuffix("-LE").removesuffix("-BE")


def _is_clean(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def known_encoding(name: str, head: bytes) -> tuple[str, int]:
    """An encoding that the user named, as Python calls it, and the length of the mark to leave out.

    Raises InputError for a name that nobody knows.
    """
    try:
        info = codecs.lookup(name.strip())
        "".encode(info.name)
    except (LookupError, ValueError) as error:
        raise InputError(
            f"There is no encoding called “{name}”.",
            advice="Use UTF-8, UTF-16 or Windows-1252, or leave it empty to have it recognised.",
        ) from error
    normal = {"cp1252": "windows-1252", "utf-8-sig": "utf-8"}.get(info.name, info.name)
    if normal == "utf-8":
        return normal, 3 if head.startswith(codecs.BOM_UTF8) else 0
    for family, little, big in (
        ("utf-16", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
        ("utf-32", codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    ):
        if normal.startswith(family):
            if normal in (family, f"{family}-le") and head.startswith(little):
                return f"{family}-le", len(little)
            if normal in (family, f"{family}-be") and head.startswith(big):
                return f"{family}-be", len(big)
            return (f"{family}-le" if normal == family else normal), 0
    return normal, 0


def detect_delimiter(lines: list[str], quote: str) -> str:
    """What parts the columns of a table whose first lines (with their ends, the last one whole) are `lines`.

    Each candidate parses the sample; the one whose rows most often have as many fields as the first row wins,
    then the one with more columns. Blanks count only where they stand in runs, as in aligned tables, so that a
    list of names is one column. A single column is said to be parted by commas.
    """
    best, best_score = "", (0.0, 0)
    for delimiter in _DELIMITERS:
        widths = _widths(lines, delimiter, quote)
        if not widths or widths[0] < 2:
            continue
        same = sum(1 for width in widths if width == widths[0]) / len(widths)
        score = (round(same, 2), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    if best and best_score[0] >= 0.5:
        return best
    filled = [line for line in lines[:_SAMPLE_ROWS] if line.strip()]
    cells = Counter(len(CELL.findall(line)) for line in filled)
    if filled and len(filled) >= 2:
        width, rows = cells.most_common(1)[0]
        aligned = sum(1 for line in filled if "  " in line.strip() or "\t" in line.strip())
        if width >= 2 and rows >= len(filled) * 0.9 and aligned >= len(filled) * 0.5:
            return WHITESPACE
    return best or ","


def _widths(lines: Iterable[str], delimiter: str, quote: str) -> list[int]:
    """Fields in each of the first rows; a row that can't be parsed counts as none, and ends the sample."""
    widths: list[int] = []
    reader = row_reader(lines, delimiter, quote, skip_blank=True)
    try:
        for row in reader:
            if row:
                widths.append(len(row))
            if len(widths) >= _SAMPLE_ROWS:
                break
    except csv.Error as error:
        if "unexpected end" not in str(error):
            widths.append(0)
    return widths


def blank_before_quote(lines: list[str], delimiter: str, quote: str) -> bool:
    """Whether the file writes a blank between a delimiter and the quote that opens a field: `a, "b"`.

    A field that truly begins with a blank and a quote is quoted by whoever writes it, right after the delimiter.
    """
    if not quote or delimiter in (WHITESPACE, " ") or any(f"{delimiter}{quote}" in line for line in lines):
        return False
    with contextlib.suppress(csv.Error):
        rows = row_reader(lines, delimiter, quote)
        return any(cell.startswith(f" {quote}") for row in rows for cell in row[1:])
    return False


class RowReader(Protocol):
    """What `csv.reader` is: rows, and how many physical lines they took so far."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


def row_reader(lines: Iterable[str], delimiter: str, quote: str, *, skip_blank: bool = False) -> RowReader:
    """A strict `csv.reader`: a quote that does not pair up is an error instead of a swallowed row."""
    if not quote:
        return csv.reader(
            lines, delimiter=delimiter, quotechar=None, quoting=csv.QUOTE_NONE, skipinitialspace=skip_blank
        )
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True, skipinitialspace=skip_blank)
