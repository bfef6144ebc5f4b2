"""What the name of a file tells: what it is about, and whether there is a date in it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

FILE_ENDINGS = frozenset(
    {
        ".gz", ".zip", ".bz2", ".zst", ".pgp", ".gpg", ".asc",
        ".csv", ".tsv", ".tab", ".txt", ".dat", ".json", ".jsonl", ".ndjson",
    }
)  # fmt: skip
DATE_PART = re.compile(r"(?:[-_. ]*(?:19|20)\d{2}[-_.]?\d{2}(?:[-_.]?\d{2})?(?:[T_-]?\d{4,6})?)+$|[-_. ]+\d{6,14}$")


def file_stem(file: str) -> str:
    """The telling part of a file's name: "/outgoing/loyalty-20261122.csv.gz" is about "loyalty"."""
    name = _without_endings(file)
    return DATE_PART.sub("", name) or name


def is_dated(file: str) -> bool:
    """Whether the next file of its kind will have another name."""
    return DATE_PART.search(_without_endings(file)) is not None


def _without_endings(file: str) -> str:
    path = PurePosixPath(file.replace("\\", "/"))
    while path.suffix.lower() in FILE_ENDINGS:
        path = path.with_suffix("")
    return path.name
