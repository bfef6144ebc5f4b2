"""Files compressed while they are written: the same bytes make the same file, whenever and wherever."""

from __future__ import annotations

import errno
import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from connectors.kit.errors import InputError

How = Literal["none", "gz", "zip"]

LEVEL = 6
"""zlib's own choice, which a zip is packed with too; level 9 takes twice the time to save little."""

_BUFFER_SIZE = 256 * 1024


@contextmanager
def packing(target: Path | BinaryIO, how: How, member: str) -> Iterator[BinaryIO]:
    """A file to write plain bytes to. `target` is a path, or a file that is written to, such as an encrypting one.

    A path exists once the context was left without an error, and is whole then. `member` is the name of the file in a
    zip. Raises InputError when the disk is full.
    """
    if not isinstance(target, Path):
        with _packed(target, how, member) as file:
            yield file
        return
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb", buffering=_BUFFER_SIZE) as outer, _packed(outer, how, member) as file:
            yield file
        part.replace(target)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(
            f"There is no room left on the disk for {target.name}.",
            advice="Make room and run the job again.",
            details=str(error),
        ) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _packed(target: BinaryIO, how: How, member: str) -> Iterator[BinaryIO]:
    if how == "gz":
        # Neither a time nor a name: two exports of the same people are the same bytes.
        with (
            gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=target, mtime=0) as packed,
            io.BufferedWriter(cast(io.RawIOBase, packed), _BUFFER_SIZE) as file,
        ):
            yield cast(BinaryIO, file)
    elif how == "zip":
        info = zipfile.ZipInfo(member, date_time=(1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        # Nobody knows the size yet, and it may pass 4 GB.
        with zipfile.ZipFile(target, "w") as archive, archive.open(info, "w", force_zip64=True) as inner:
            yield cast(BinaryIO, inner)
    else:
        yield target
