"""The secrets file of a computer without a keyring: asking for its passphrase, or taking it from a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli import output
from app.cli.session import Session
from app.errors import Refused, VaultLocked, VaultMissing

if TYPE_CHECKING:
    from app.engine import Engine
    from app.jobs import JobInfo

PASSPHRASE_STDIN = "Add --passphrase-stdin and hand the passphrase over as the first line of standard input."


def _note(context: click.Context, _option: click.Parameter, value: bool) -> None:
    session: Session = context.obj
    session.passphrase_from_input = value


passphrase_option = click.option(
    "--passphrase-stdin",
    is_flag=True,
    expose_value=False,
    callback=_note,
    help="Where secrets lie in a file: its passphrase is the first line of standard input.",
)


def unlock(session: Session, engine: Engine) -> None:
    """Open the secrets file where there is one that is locked. Raises VaultLocked."""
    state = engine.vault.state()
    if state.kind != "file" or not state.locked:
        return
    if session.passphrase_from_input:
        engine.vault.unlock(session.first_line())
    elif session.interactive():
        engine.vault.unlock(click.prompt("Passphrase of the secrets file", hide_input=True, err=True))
    else:
        raise VaultLocked("The secrets file of this workspace is locked.", advice=PASSPHRASE_STDIN)


def unlock_to_store(session: Session, engine: Engine) -> None:
    """Make sure that secrets can be stored: on a computer without a keyring in a new encrypted file."""
    state = engine.vault.state()
    if state.kind != "none":
        unlock(session, engine)
        return
    if session.passphrase_from_input:
        passphrase = session.first_line()
        if not passphrase:
            raise Refused("The passphrase is empty; nothing was saved.", advice="Choose one of several words.")
    elif session.interactive():
        output.say(f"{state.sentence} Secrets go into an encrypted file under a passphrase of yours.")
        passphrase = click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise VaultMissing(state.sentence, advice=PASSPHRASE_STDIN)
    engine.vault.create_file(passphrase)


def unlock_for_job(session: Session, engine: Engine, job: JobInfo) -> None:
    """Open the secrets file if the job's authorization has secrets."""
    from app.authorizations import get_authorization

    if job.authorization_id is not None and get_authorization(engine, job.authorization_id).secret_names:
        unlock(session, engine)
