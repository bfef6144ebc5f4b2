"""Opening the window, where there is a screen for it."""

from __future__ import annotations

import os
import sys

from app.cli.session import Session
from app.errors import Refused

SCREENLESS = ("offscreen", "minimal")
"""Qt platforms that draw to nowhere; nobody could close such a window."""
OWN_SCREEN = ("eglfs", "linuxfb", "vnc", "vkkhrdisplay")
"""Qt platforms that need no display server."""


def has_screen() -> bool:
    """Whether a person would see a window."""
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0].split(";")[0]
    if platform in SCREENLESS:
        return False
    if sys.platform in ("win32", "darwin") or platform in OWN_SCREEN:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_on_screen(session: Session) -> int:
    """Open the window on the workspace; its exit code. An explicit QT_QPA_PLATFORM is taken at its word."""
    from app.engine import Engine

    if not has_screen() and not os.environ.get("QT_QPA_PLATFORM"):
        raise Refused(
            "There is no screen here to open the window on.",
            advice="`causeway --help` lists commands that need none; `causeway demo --headless` shows what they do.",
        )
    return session.show(Engine.open(session.folder()))
