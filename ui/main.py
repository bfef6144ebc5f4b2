"""The program's entry: the command line, which opens the window when nothing else was asked for.

Qt is imported when a window is opened and not before, so commands start quickly and work without a screen.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.cli import main as command_line

if TYPE_CHECKING:
    from app.engine import Engine


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, or the window; the exit code."""
    multiprocessing.freeze_support()
    return command_line(argv, open_window, open_in_tray)


def open_window(engine: Engine) -> int:
    """Show the window on an open engine until it is closed."""
    from ui.application import run_window

    return run_window(engine)


def open_in_tray(engine: Engine) -> int:
    """The same, but the window is not seen before somebody asks for it."""
    from ui.application import run_window

    return run_window(engine, in_tray=True)


if __name__ == "__main__":
    sys.exit(main())
