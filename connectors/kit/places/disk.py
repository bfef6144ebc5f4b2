"""What goes wrong on this computer's own disks, told in sentences."""

from __future__ import annotations

import errno
from pathlib import Path

from connectors.kit.errors import InputError

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def not_read(error: OSError, path: Path) -> InputError:
    """Why a file or folder can't be read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        message, advice = f"{path} is not there.", "Check the name; perhaps it was moved or not delivered yet."
    elif isinstance(error, PermissionError):
        message, advice = f"{path} may not be read by you.", "Ask its owner for the right to read it."
    else:
        message, advice = f"{path} can't be read.", "Check that its disk is there and in order."
    return InputError(message, advice=advice, details=str(error))


def not_written(error: OSError, path: Path) -> InputError:
    """Why a file can't be written, moved or deleted."""
    if isinstance(error, FileNotFoundError):
        message, advice = f"{path} is not there.", "Check the name; perhaps it was moved."
    elif isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        message, advice = f"{path} can't be written, for something of that name is there.", "Choose another name."
    elif isinstance(error, PermissionError):
        message = f"{path} may not be written by you."
        advice = "Close it if another program has it open, or ask the folder's owner for the right to write in it."
    elif error.errno in _FULL:
        message = f"There is no room left on the disk for {path.name}."
        advice = "Make room and run the job again; it goes on where it stopped."
    elif error.errno == errno.EROFS:
        message, advice = f"The disk of {path} can only be read.", "Choose a folder on another disk."
    elif error.errno in (errno.ENAMETOOLONG, errno.EINVAL):
        message, advice = f"“{path.name}” can't be the name of a file there.", "Choose a shorter, simpler name."
    else:
        message, advice = f"{path} can't be written.", "Check that its disk is there and in order."
    return InputError(message, advice=advice, details=str(error))
