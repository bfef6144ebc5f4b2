"""What an SFTP server refuses, told in sentences."""

from __future__ import annotations

from connectors.kit.errors import InputError
from connectors.kit.places import session
from connectors.kit.places.session import StatusError

NO_ROOM = 256 * 1024
"""A disk with less than this left is called full: servers only say that something failed."""


def not_read(error: StatusError, path: str, host: str, username: str) -> InputError:
    """Why a file or folder can't be read or listed."""
    if error.is_missing:
        message = f"“{path}” is not on {host}."
        advice = "Check the name and the folder; perhaps the file has not been delivered yet."
    elif error.code == session.NOT_ALLOWED:
        message = f"{username} may not read “{path}” on {host}."
        advice = "Ask the server's owner for the right to read it."
    else:
        message, advice = f"{host} could not read “{path}”.", "Ask the server's owner to look into it."
    return InputError(message, advice=advice, details=str(error))


def not_written(error: StatusError, path: str, host: str, username: str, room: int | None) -> InputError:
    """Why a file can't be written, moved or deleted; `room` is what is left on the server's disk, if it tells."""
    words = error.words.casefold()
    if error.is_missing:
        message, advice = f"“{path}” is not on {host}.", "Check the name and the folder."
    elif error.code == session.QUOTA or "quota" in words:
        message = f"{username} has used up the space that {host} grants."
        advice = "Have old files deleted or the limit raised, then run the job again."
    elif error.code == session.NO_SPACE or "no space" in words or (room is not None and room < NO_ROOM):
        message = f"There is no room left on {host} for “{path}”."
        advice = "Ask the server's owner to make room, then run the job again."
    elif error.code in (session.NOT_ALLOWED, session.WRITE_PROTECTED):
        message = f"{username} may not write “{path}” on {host}."
        advice = "Ask the server's owner for the right to write, rename and delete in this folder."
    elif error.code == session.ALREADY_THERE:
        message = f"“{path}” is on {host} already."
        advice = "Choose another name, or move the other file away."
    elif error.code == session.INVALID_NAME or "name too long" in words:
        message, advice = f"{host} takes no files named “{path}”.", "Choose a shorter, simpler name."
    else:
        message = f"{host} could not write “{path}”."
        advice = "Its disk may be full or a limit reached; ask the server's owner to look into it."
    return InputError(message, advice=advice, details=str(error))
