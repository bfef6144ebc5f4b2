"""The command line: every command of `causeway`, over the same operations as the window."""

from app.cli.program import main

__all__ = ["main"]
