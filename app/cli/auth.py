"""`causeway auth`: sign-ins. Secrets come by prompt or standard input, never as an argument."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import output
from app.cli.commands import Group
from app.cli.passphrase import passphrase_option, unlock, unlock_to_store
from app.cli.resolve import authorization_named
from app.cli.session import Ended, Session
from app.errors import CausewayError, Refused
from connectors.kit.errors import HostKeyChanged, HostKeyUnknown

if TYPE_CHECKING:
    from app.catalog import AuthorizationMethod, Field
    from app.engine import Engine

value_option = click.option(
    "--value", "pairs", multiple=True, metavar="NAME=VALUE", help="One field that is no secret, e.g. host=sftp.example."
)
secrets_option = click.option(
    "--secrets-stdin",
    is_flag=True,
    help='Read the secrets from standard input as a JSON object, e.g. {"password": "…"}.',
)
host_key_option = click.option(
    "--accept-host-key",
    metavar="FINGERPRINT",
    help="Trust the SSH server if it shows the key with this fingerprint (SHA256:…), without asking.",
)


@click.group(cls=Group)
def auth() -> None:
    """Authorizations: add, test, edit, remove. NAME is an authorization's name or number."""


@auth.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Every authorization: whether it works, what uses it, and where its secrets lie."""
    from app.authorizations import list_authorizations

    with session.reading() as engine:
        found = list_authorizations(engine)
    session.answer(
        {"authorizations": found},
        lambda: (
            output.print_table(
                ("Number", "Name", "Method", "State", "Jobs", "Secrets", "Last used"),
                [
                    (
                        str(entry.id),
                        entry.name,
                        entry.method_name,
                        f"{entry.state}: {entry.state_message}" if entry.state == "failing" else entry.state,
                        entry.used_by,
                        entry.where,
                        output.local_time(entry.last_used_at),
                    )
                    for entry in found
                ],
                right=("Number", "Jobs"),
            )
            if found
            else output.tell("There is no authorization yet. `causeway auth add METHOD --name NAME` makes one.")
        ),
    )


@auth.command()
@click.pass_obj
def methods(session: Session) -> None:
    """The ways to sign in that `auth add` knows, with their fields."""
    from app.catalog import Catalog

    known = [(provider, method) for provider in Catalog.load().providers for method in provider.authorizations]
    document = [
        {
            "method": method.slug,
            "name": method.name,
            "provider": provider.slug,
            "summary": method.summary,
            "fields": [
                {"name": field.name, "label": field.label, "required": field.required, "secret": field.secret}
                for field in asked(method)
            ],
        }
        for provider, method in known
    ]

    def people() -> None:
        for provider, method in known:
            output.tell(f"{method.slug}  {provider.name} · {method.name}")
            for field in asked(method):
                notes = [text for text, told in (("required", field.required), ("secret", field.secret)) if told]
                output.tell(f"    {field.name:<14} {field.label}{' (' + ', '.join(notes) + ')' if notes else ''}")

    session.answer({"methods": document}, people)


@auth.command()
@click.argument("method")
@click.option("--name", required=True, help="What to call it.")
@value_option
@secrets_option
@host_key_option
@passphrase_option
@click.pass_obj
def add(
    session: Session, method: str, name: str, pairs: tuple[str, ...], secrets_stdin: bool, accept_host_key: str | None
) -> None:
    """Sign in by METHOD (`auth methods` lists them), test it, and keep it.

    What is missing is asked for. A first contact with an SSH server shows its fingerprint and asks.
    """
    from app.authorizations import HOST_KEY, add_authorization, check_authorization, check_values, get_authorization

    with session.changing() as engine:
        known = engine.catalog.method(method)
        values = read_values(known, pairs)
        if session.interactive() and not secrets_stdin:
            ask_missing(known, values)
        else:
            values = {field.name: field.default for field in asked(known) if field.default} | values
        secret_names = {field.name for field in known.fields if field.secret}
        if session.passphrase_from_input:
            unlock_to_store(session, engine)
        if secrets_stdin:
            values |= read_secrets(known)
        elif session.interactive():
            values |= ask_secrets(known, keep=False)
        missing = [field for field in asked(known) if field.required and not values.get(field.name)]
        if missing:
            how = "standard input (--secrets-stdin)" if missing[0].secret else f"--value {missing[0].name}=…"
            raise click.UsageError(f"“{missing[0].label}” is missing; give it by {how}.")
        if any(values.get(secret) for secret in secret_names):
            unlock_to_store(session, engine)
        while True:
            try:
                check_values(engine, method, values)
                break
            except (HostKeyUnknown, HostKeyChanged) as error:
                confirm_host(session, error, accept_host_key, known=values.get(HOST_KEY))
                values[HOST_KEY] = error.key
        added = add_authorization(engine, method, name, values)
        account = check_authorization(engine, added)
        entry = get_authorization(engine, added)
    session.answer(
        {"authorization": entry, "account": account.description},
        lambda: output.tell(f"{name} works: {account.description}. {entry.where}."),
    )


@auth.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Test every authorization, one after the other.")
@host_key_option
@passphrase_option
@click.pass_obj
def test(session: Session, name: str | None, every: bool, accept_host_key: str | None) -> None:
    """Sign in with the authorization NAME and say whose account it is; or with all of them.

    With --all, the exit code is that of a failure if one of them does not work.
    """
    if every == (name is not None):
        raise click.UsageError("Give the NAME of an authorization, or --all.")
    if name is None:
        test_all(session)
        return
    with session.changing() as engine:
        entry = authorization_named(engine, name)
        if entry.secret_names:
            unlock(session, engine)
        account = tested(session, engine, entry.id, accept_host_key)
    session.answer(
        {"authorization": entry.id, "name": entry.name, "account": account},
        lambda: output.tell(f"{entry.name} works: {account}."),
    )


@auth.command()
@click.argument("name")
@click.option("--name", "new_name", help="Another name.")
@value_option
@click.option("--secrets", is_flag=True, help="Ask for new secrets; an empty answer keeps the present one.")
@secrets_option
@host_key_option
@passphrase_option
@click.pass_obj
def edit(
    session: Session,
    name: str,
    new_name: str | None,
    pairs: tuple[str, ...],
    secrets: bool,
    secrets_stdin: bool,
    accept_host_key: str | None,
) -> None:
    """Change the authorization NAME, then test it. What is not named stays as it is."""
    from app.authorizations import HOST_KEY, edit_authorization

    with session.changing() as engine:
        entry = authorization_named(engine, name)
        method = engine.catalog.method(entry.method)
        values = read_values(method, pairs)
        if session.passphrase_from_input:
            unlock_to_store(session, engine)
        if secrets_stdin:
            values |= read_secrets(method)
        elif secrets:
            values |= ask_secrets(method, keep=True)
        if not values and new_name is None:
            raise click.UsageError("Nothing to change: give --name, --value, --secrets or --secrets-stdin.")
        if entry.secret_names or any(field.secret and values.get(field.name) for field in method.fields):
            unlock_to_store(session, engine)
        if values:
            # The key of a server is confirmed again when the server is another one.
            values = {key: value for key, value in entry.settings.items() if key != HOST_KEY} | values
        edit_authorization(engine, entry.id, name=new_name, values=values or None)
        account = tested(session, engine, entry.id, accept_host_key)
    session.answer(
        {"authorization": entry.id, "name": new_name or entry.name, "account": account},
        lambda: output.tell(f"{new_name or entry.name} was changed and works: {account}."),
    )


@auth.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@passphrase_option
@click.pass_obj
def remove(session: Session, name: str, yes: bool) -> None:
    """Remove the authorization NAME with its secrets. Jobs that use it can't run any more."""
    from app.authorizations import delete_authorization, jobs_using

    with session.changing() as engine:
        entry = authorization_named(engine, name)
        stopped = jobs_using(engine, entry.id)
        consequence = f" These jobs can't run any more: {', '.join(stopped)}." if stopped else ""
        session.confirm(f"Remove {entry.name} with its secrets?{consequence}", yes)
        if entry.secret_names:
            unlock(session, engine)
        delete_authorization(engine, entry.id)
    session.answer(
        {"removed": entry.id, "name": entry.name, "jobs": stopped},
        lambda: output.tell(f"{entry.name} was removed.{consequence}"),
    )


class SomeFail(CausewayError):
    """Authorizations that were tested do not work."""


def test_all(session: Session) -> None:
    """Sign in with every authorization and tell of each. Raises Ended when one does not work."""
    from app.authorizations import list_authorizations
    from app.health import check_quietly

    with session.changing() as engine:
        entries = list_authorizations(engine)
        if any(entry.secret_names for entry in entries):
            unlock(session, engine)
        wrong = {entry.id: check_quietly(engine, entry.id) for entry in entries}
        found = list_authorizations(engine)

    def people() -> None:
        for entry in found:
            problem = wrong[entry.id]
            output.tell(f"{entry.name} {f'works: {entry.state_message}.' if problem is None else f'fails. {problem}'}")
        if not found:
            output.tell("There is no authorization yet. `causeway auth add METHOD --name NAME` makes one.")

    document = {
        "authorizations": [
            {"authorization": entry.id, "name": entry.name, "account": entry.state_message, "problem": wrong[entry.id]}
            for entry in found
        ]
    }
    failing = [entry.name for entry in found if wrong[entry.id] is not None]
    if not failing:
        session.answer(document, people)
        return
    if not session.json:
        people()
    raise Ended(
        SomeFail(f"Not working: {', '.join(failing)}.", advice="`causeway auth edit NAME` takes new values."), document
    )


def tested(session: Session, engine: Engine, authorization_id: int, accepted: str | None) -> str:
    """Test it, confirming the server's key where that is needed; whose account it is."""
    from app.authorizations import check_authorization, confirm_host_key

    trusted: str | None = None
    while True:
        try:
            return check_authorization(engine, authorization_id).description
        except (HostKeyUnknown, HostKeyChanged) as error:
            confirm_host(session, error, accepted, known=trusted)
            confirm_host_key(engine, authorization_id, error.key)
            trusted = error.key


def confirm_host(
    session: Session, error: HostKeyUnknown | HostKeyChanged, accepted: str | None, *, known: str | None
) -> None:
    """Ask whether to trust the key that a server shows; raises the error when nobody says so."""
    if known == error.key:
        raise error
    if accepted is not None:
        if accepted != error.fingerprint:
            raise Refused(
                f"{error.host} shows the key {error.fingerprint}, not {accepted}. Nothing was sent to it.",
                advice="Ask the server's owner which one is right.",
            )
        return
    if not session.interactive():
        error.advice = f"{error.advice} In a script: --accept-host-key {error.fingerprint}"
        raise error
    output.say(f"{error.message} {error.advice}")
    if not click.confirm("Trust this key?", default=False, err=True):
        raise Refused("The server is not trusted; nobody signed in to it.")


def asked(method: AuthorizationMethod) -> list[Field]:
    """The fields that a person fills in."""
    return [field for field in method.fields if field.type != "hidden"]


def read_values(method: AuthorizationMethod, pairs: Sequence[str]) -> dict[str, str]:
    """The fields given as NAME=VALUE. Raises click.UsageError, for a secret too: arguments can be seen by others."""
    fields = {field.name: field for field in asked(method)}
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in fields:
            known = ", ".join(name for name, field in fields.items() if not field.secret)
            raise click.UsageError(f"“{name}” is no field of {method.name}; write NAME=VALUE with one of: {known}.")
        if fields[name].secret:
            raise click.UsageError(
                f"“{fields[name].label}” is a secret: other programs can read arguments. "
                "Leave it out to be asked, or use --secrets-stdin."
            )
        values[name] = str(Path(value).expanduser()) if fields[name].type == "folder" else value
    return values


def read_secrets(method: AuthorizationMethod) -> dict[str, str]:
    """Secrets as a JSON object from (the rest of) standard input. Raises click.UsageError."""
    import orjson

    names = [field.name for field in method.fields if field.secret]
    try:
        given = orjson.loads(sys.stdin.read())
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise click.UsageError('Standard input must hold a JSON object of texts, like {"password": "…"}.')
    unknown = [name for name in given if name not in names]
    if unknown:
        raise click.UsageError(f"“{unknown[0]}” is no secret of {method.name}. It has: {', '.join(names) or 'none'}.")
    return dict(given)


def ask_missing(method: AuthorizationMethod, values: dict[str, str]) -> None:
    """Ask for the fields that are no secrets and were not given."""
    for field in asked(method):
        if field.secret or field.name in values or (field.advanced and not field.required):
            continue
        default = None if field.required and not field.default else field.default
        values[field.name] = click.prompt(field.label, default=default, show_default=bool(default), err=True)
        if field.type == "folder":
            values[field.name] = str(Path(values[field.name]).expanduser())


def ask_secrets(method: AuthorizationMethod, *, keep: bool) -> dict[str, str]:
    """Ask for secrets without showing them; a long one is read from its file. Empty answers are left out."""
    empty = "empty keeps it" if keep else "empty for none"
    values: dict[str, str] = {}
    for field in asked(method):
        if not field.secret:
            continue
        long = field.type == "multiline"
        question = f"{field.label}: file to read it from ({empty})" if long else f"{field.label} ({empty})"
        answer: str = click.prompt(question, default="", show_default=False, hide_input=not long, err=True)
        if answer:
            values[field.name] = Path(answer).expanduser().read_text(encoding="utf-8") if long else answer
    return values
