"""`causeway at-login`: whether the window opens in the tray when the user logs in."""

from __future__ import annotations

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.session import Session
from app.login_start import AS_SERVICE, NO_DESKTOP, login_start, start_at_login, starts_at_login


@click.command(cls=Command)
@click.argument("state", type=click.Choice(["on", "off"]), required=False)
@click.pass_obj
def at_login(session: Session, state: str | None) -> None:
    """Open Causeway in the tray at each login, or no more; without an argument, say what holds.

    The window opens on the workspace that was used last and runs what falls due.
    """
    keeper = login_start()
    if state is not None:
        start_at_login(keeper, state == "on")
    on = starts_at_login(keeper)

    def tell() -> None:
        if keeper is None:
            output.tell(f"{NO_DESKTOP} {AS_SERVICE}")
        else:
            output.tell(f"Causeway {'starts' if on else 'does not start'} at login ({keeper.place}).")

    session.answer({"at_login": on, "place": keeper.place if keeper is not None else None}, tell)
