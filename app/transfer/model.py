"""What a transfer is: a file in a place, another place, and what is to be changed on the way."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from app.errors import Refused

Form = Literal["", "csv", "json"]
"""What a file holds: a table, JSON, or (empty) what it looks like or is."""
Pack = Literal["none", "gz", "zip"]
LineEnd = Literal["", "lf", "crlf"]

FORMS: dict[str, tuple[Form, str]] = {
    ".csv": ("csv", ""),
    ".txt": ("csv", ""),
    ".tsv": ("csv", "\t"),
    ".tab": ("csv", "\t"),
    ".psv": ("csv", "|"),
    ".json": ("json", ""),
    ".jsonl": ("json", ""),
    ".ndjson": ("json", ""),
}
"""What a name's ending says of the content: its form, and the delimiter if that is part of it."""
LINES = (".jsonl", ".ndjson")
"""Endings of JSON that is surely one object a line."""
PACKINGS: dict[str, str] = {
    ".gz": "gz",
    ".gzip": "gz",
    ".zip": "zip",
    ".bz2": "bz2",
    ".zst": "zstd",
    ".pgp": "PGP",
    ".gpg": "PGP",
    ".asc": "PGP",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "whitespace": "white space"}
SMALLEST_PART = 1_000
"""Bytes. Smaller parts would be a mistake, or thousands of files."""


@dataclass(frozen=True, slots=True)
class End:
    """A file in a place: with an `authorization` a path in what that opens, else a whole path of this computer."""

    path: str = ""
    authorization: int | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """Where a PGP key is taken from: an authorization that has one, or an armored key in a file."""

    authorization: int | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read the source; what is empty is found out by looking. `columns` name those of a file without names."""

    form: Form = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()
    member: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is taken over, and what it is called from then on (empty: as before)."""

    name: str
    to: str = ""

    @property
    def title(self) -> str:
        return self.to or self.name


@dataclass(frozen=True, slots=True)
class Writing:
    """How to write the target; what is empty, or None, is as in the source. `quote` may be "none"."""

    form: Form = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    quote_all: bool = False
    line_end: LineEnd = ""
    header: bool | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file to be moved from one place to another.

    Without `columns`, `writing` and splitting its content stays as it is, byte by byte. `unpack` takes off what it is
    packed and encrypted in; `pack` and `encrypt` put something on. `columns`, if there are any, are the only ones that
    are taken over, in their order. A file is split after so many rows, or before a part grows over so many bytes.
    """

    source: End = End()
    target: End = End()
    name: str = ""
    reading: Reading = field(default_factory=Reading)
    columns: tuple[Column, ...] = ()
    writing: Writing = field(default_factory=Writing)
    split_rows: int = 0
    split_bytes: int = 0
    unpack: bool = False
    pack: Pack = "none"
    decrypt: Key | None = None
    encrypt: Key | None = None

    @property
    def rewrites(self) -> bool:
        """Whether rows are read and written anew."""
        return bool(self.columns or self.writing != Writing() or self.split_rows or self.split_bytes)

    @property
    def opens(self) -> bool:
        """Whether what the file is packed and encrypted in is taken off."""
        return self.unpack or self.rewrites

    @property
    def copies(self) -> bool:
        """Whether the file arrives as the same bytes."""
        return not (self.opens or self.pack != "none" or self.encrypt)

    def authorizations(self) -> list[int]:
        """The authorizations that it needs, each once."""
        ends: tuple[End | Key | None, ...] = (self.source, self.target, self.decrypt, self.encrypt)
        return list(dict.fromkeys(one.authorization for one in ends if one and one.authorization is not None))


def file_name(path: str) -> str:
    """The name of a file in a path of either form."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def endings(path: str) -> tuple[Form, str, tuple[str, ...]]:
    """What a name says: the form ("" if nothing), its delimiter ("" if any), the packings from the outside in."""
    name = PurePosixPath(file_name(path).lower())
    packings = []
    while (packed := PACKINGS.get(name.suffix)) is not None:
        packings.append(packed)
        name = name.with_suffix("")
    form, delimiter = FORMS.get(name.suffix, ("", ""))
    return form, delimiter, tuple(packings)


def without_packings(path: str) -> str:
    """The name of what is in a file: `members.csv` for `out/members.csv.gz.pgp`."""
    name = file_name(path)
    while name.count(".") and PACKINGS.get(f".{name.rpartition('.')[2].lower()}"):
        name = name.rpartition(".")[0]
    return name


def by_names(transfer: Transfer) -> Transfer:
    """The transfer with what the names of its two files say of form, packing and unpacking, where it says nothing.

    A target that is a folder says nothing. Raises Refused for a name that promises what is not done: an encrypted
    file without a key, another packing.
    """
    if is_folder(transfer.target):
        return transfer
    form, delimiter, packed = endings(transfer.source.path)
    wanted, wanted_delimiter, wanted_packed = endings(transfer.target.path)
    writing = transfer.writing
    lines = _is_lines(transfer.target) and not _is_lines(transfer.source)
    if not writing.form and wanted and form and (wanted != form or lines):
        writing = replace(writing, form=wanted)
    if wanted == "csv" and not writing.delimiter and wanted_delimiter != delimiter:
        writing = replace(writing, delimiter=wanted_delimiter or ",")
    transfer = replace(transfer, writing=writing)
    plain, wanted_plain = _without_pgp(packed), _without_pgp(wanted_packed)
    pgp_goes = "PGP" in packed and "PGP" not in wanted_packed and transfer.encrypt is None
    if plain != wanted_plain or pgp_goes:
        transfer = replace(transfer, unpack=transfer.unpack or bool(packed))
    if transfer.pack == "none" and (transfer.opens or plain != wanted_plain) and wanted_plain:
        if wanted_plain not in (("gz",), ("zip",)):
            raise Refused(
                f"By its name, {file_name(transfer.target.path)} would be packed as {' and '.join(wanted_plain)}, "
                "which Causeway only reads.",
                advice="Choose a name that ends with .gz or .zip, or one without a packing.",
            )
        transfer = replace(transfer, pack="gz" if wanted_plain == ("gz",) else "zip")
    if "PGP" in wanted_packed and transfer.encrypt is None and (transfer.opens or "PGP" not in packed):
        raise Refused(
            f"By its name, {file_name(transfer.target.path)} would be encrypted, but there is no key to do so.",
            advice="Name the PGP public key of whoever receives it, or choose another name.",
        )
    return transfer


def _is_lines(end: End) -> bool:
    return without_packings(end.path).lower().endswith(LINES)


def _without_pgp(packings: Iterable[str]) -> tuple[str, ...]:
    return tuple(packing for packing in packings if packing != "PGP")


def is_folder(end: End) -> bool:
    """Whether a path stands for a folder: it ends as one does, or is one of this computer."""
    if not end.path or end.path.endswith(("/", "\\")):
        return True
    return end.authorization is None and Path(end.path).expanduser().is_dir()


def at_target(transfer: Transfer) -> Transfer:
    """The transfer with a whole path as its target: one that is a folder gets the name that the file will have."""
    if not is_folder(transfer.target):
        return transfer
    name = file_name(transfer.source.path)
    if transfer.opens:
        name = without_packings(name)
        form = transfer.writing.form
        if form and form != FORMS.get(PurePosixPath(name.lower()).suffix, (form, ""))[0]:
            name = f"{PurePosixPath(name).stem}{'.csv' if form == 'csv' else '.jsonl'}"
    if transfer.pack != "none":
        name += f".{transfer.pack}"
    if transfer.encrypt is not None:
        name += ".pgp"
    folder = transfer.target.path
    if folder and not folder.endswith(("/", "\\")):
        folder += "/"
    return replace(transfer, target=replace(transfer.target, path=folder + name))


def check(transfer: Transfer) -> None:
    """Raises Refused where the transfer can't be made whatever the file is."""
    if not transfer.source.path:
        raise Refused("No file is chosen.", advice="Choose the file to transfer.")
    if not transfer.target.path:
        raise Refused("There is no target.", advice="Say where the file is to go.")
    if transfer.source == transfer.target:
        raise Refused("The file would replace itself.", advice="Choose another name or another place for the target.")
    if transfer.split_rows < 0 or (transfer.split_bytes and transfer.split_bytes < SMALLEST_PART):
        raise Refused(f"Parts can't be smaller than {SMALLEST_PART:,} bytes or 1 row.", advice="Choose larger parts.")
    titles = [column.title.casefold() for column in transfer.columns]
    for column in transfer.columns:
        if titles.count(column.title.casefold()) > 1:
            raise Refused(f"Two columns would be called “{column.title}”.", advice="Give one of them another name.")
    _check_writing(transfer)


def _check_writing(transfer: Transfer) -> None:
    reading, writing = transfer.reading, transfer.writing
    for what, sign in (("delimiter", writing.delimiter), ("quote character", writing.quote)):
        if len(sign) > 1 and (what, sign) != ("quote character", "none"):
            raise Refused(f"The {what} must be one character, not “{sign}”.", advice="Correct it.")
        if sign in ("\r", "\n", "\0"):
            raise Refused(f"The {what} can't be the end of a line.", advice="Choose another one.")
    if writing.delimiter and writing.delimiter == (writing.quote or reading.quote):
        raise Refused("The delimiter and the quote character are the same.", advice="Change one of them.")
    if writing.encoding:
        try:
            normal = codecs.lookup(writing.encoding).name
            "a".encode(normal)
        except (LookupError, ValueError):
            raise Refused(
                f"There is no encoding called “{writing.encoding}”.", advice="Use UTF-8, UTF-16 or Windows-1252."
            ) from None
        if writing.form == "json" and normal != "utf-8":
            raise Refused("JSON is always written in UTF-8.", advice="Leave the encoding out, or write CSV.")


def describe(transfer: Transfer) -> str:
    """What happens to the file on its way, in a sentence."""
    if transfer.copies:
        return "The file is copied as it is, byte by byte."
    steps = []
    if transfer.rewrites:
        steps.append(_rewritten(transfer))
    elif transfer.unpack:
        steps.append("unpacked, its content as it is")
    if transfer.pack != "none":
        steps.append(f"packed as {transfer.pack}")
    if transfer.encrypt is not None:
        steps.append("encrypted with PGP")
    if transfer.split_rows:
        steps.append(f"split after every {transfer.split_rows:,} rows")
    if transfer.split_bytes:
        steps.append(f"split into parts of at most {transfer.split_bytes / 1_000_000:,g} MB")
    listed = steps[0] if len(steps) == 1 else f"{', '.join(steps[:-1])} and {steps[-1]}"
    return f"The file is {listed}."


def _rewritten(transfer: Transfer) -> str:
    form = {"csv": " as CSV", "json": " as JSON lines", "": ""}[transfer.writing.form]
    count = len(transfer.columns)
    columns = "" if not count else " with 1 column" if count == 1 else f" with {count:,} columns"
    return f"read row by row and written anew{form}{columns}"
