"""Files for the user are written beside their place and put there when they are whole."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.errors import DiskFull, Refused


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """The path to write to; at the end of the block it becomes `target`, after a failure it is gone.

    A reader of `target` never sees half a file. Raises Refused and DiskFull, as sentences about `target`.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        part.replace(target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(
                f"There is no space left to write {target}.", advice="Free some space, or choose another disk."
            ) from error
        raise Refused(
            f"{target} can't be written: {error.strerror}.", advice="Choose a folder that exists and belongs to you."
        ) from error
    finally:
        # Where even the folder can't be reached, what matters was said already.
        with suppress(OSError):
            part.unlink(missing_ok=True)
