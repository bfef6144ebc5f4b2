"""Who is at this computer, by the name that the system knows."""

from __future__ import annotations

import getpass


def user_name() -> str:
    """The name, or "" where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
