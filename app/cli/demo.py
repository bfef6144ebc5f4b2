"""`causeway demo`: the program on invented people."""

from __future__ import annotations

import click

from app.cli.commands import Command
from app.cli.session import Session


@click.command(cls=Command)
@click.pass_obj
def demo(session: Session) -> None:
    """Show it."""
