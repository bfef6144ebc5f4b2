"""What a person can do with authorizations: add, check, re-authorize, rename, delete.

All of it may block (network, keyring), so a window calls it off its thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson

from app.catalog import AuthorizationMethod, Field
from app.changes import Change
from app.clock import now_text
from app.errors import CausewayError, NotFound, Refused, VaultLocked, VaultMissing

# Handed on as well: the window knows what a check says and asks by this room.
from connectors.kit.errors import ConnectorError as ConnectorError
from connectors.kit.errors import HostKeyChanged as HostKeyChanged
from connectors.kit.errors import HostKeyUnknown as HostKeyUnknown
from connectors.kit.errors import InputError, Unreached
from connectors.kit.network import through_proxy
from connectors.kit.pgp.gpg import GpgMissing as GpgMissing
from connectors.kit.pgp.keys import KeyInfo as KeyInfo
from connectors.kit.pgp.keys import check_private_key, check_public_key
from connectors.kit.types import Account as Account
from connectors.kit.types import Credentials

if TYPE_CHECKING:
    import sqlite3

    from app.engine import Engine

HOST_KEY = "host_key"
PGP_KEYS = ("pgp-public-key", "pgp-private-key")
"""Types of fields that hold a PGP key."""
PGP_PASSPHRASE = "pgppassphrase"
"""The field with the passphrase of a method's private PGP key."""
SHORTEST_SOUGHT = 6
"""A secret shorter than this would be found by chance in any file."""
SCAN_BLOCK = 1 << 22


class BadKey(Refused):
    """A PGP key can't be used; `field` is the name of the one that it was entered in."""

    def __init__(self, field: str, error: ConnectorError) -> None:
        super().__init__(error.message, advice=error.advice, details=error.details)
        self.field = field


@dataclass(frozen=True, slots=True)
class AuthorizationInfo:
    """One authorization as lists show it. Times are UTC text; `where` says where its secrets lie."""

    id: int
    name: str
    provider: str
    provider_name: str
    method: str
    method_name: str
    settings: dict[str, str]
    secret_names: tuple[str, ...]
    state: Literal["works", "failing", "untested"]
    state_since: str | None
    state_message: str
    checked_at: str | None
    used_by: int
    last_used_at: str | None
    where: str
    created_at: str


def list_authorizations(engine: Engine) -> list[AuthorizationInfo]:
    """Every authorization by name."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            """select *, (select count(*) from jobs where authorization_id = authorizations.id) as used_by
            from authorizations order by name collate nocase"""
        ).fetchall()
    return [_info(engine, row) for row in rows]


def get_authorization(engine: Engine, authorization_id: int) -> AuthorizationInfo:
    """One authorization. Raises NotFound."""
    return _info(engine, _row(engine, authorization_id))


def add_authorization(engine: Engine, method_slug: str, name: str, values: Mapping[str, str]) -> int:
    """Keep a new authorization, its secrets in the vault. Raises Refused (BadKey), VaultLocked, VaultMissing."""
    engine.require_charge()
    method = engine.catalog.method(method_slug)
    settings, secrets = _checked(method, values)
    if not name.strip():
        raise Refused("The authorization needs a name.")
    _check_keys(method, settings | secrets)
    if secrets:
        engine.vault.make_ready()
    with engine.workspace.database.write() as connection:
        authorization_id = connection.execute(
            """insert into authorizations (name, provider, method, settings, secret_names, created_at)
            values (?, ?, ?, ?, ?, ?)""",
            (
                name.strip(),
                engine.catalog.provider_of_method(method_slug).slug,
                method_slug,
                orjson.dumps(settings).decode(),
                orjson.dumps(list(secrets)).decode(),
                now_text(),
            ),
        ).lastrowid
        assert isinstance(authorization_id, int)
        # Within the transaction: without its secrets there is no authorization either.
        engine.vault.store(authorization_id, secrets)
    engine.changes.announce(Change("authorizations", authorization_id))
    return authorization_id


def edit_authorization(
    engine: Engine, authorization_id: int, *, name: str | None = None, values: Mapping[str, str] | None = None
) -> None:
    """Rename, or re-authorize with other values; a secret that is left blank stays as it is."""
    engine.require_charge()
    row = _row(engine, authorization_id)
    if name is not None and not name.strip():
        raise Refused("The authorization needs a name.")
    settings: dict[str, str] = orjson.loads(row["settings"])
    secret_names: list[str] = orjson.loads(row["secret_names"])
    secrets: dict[str, str] = {}
    if values is not None:
        method = engine.catalog.method(row["method"])
        before = settings
        settings, secrets = _checked(method, values, kept=secret_names)
        if all(settings.get(key) == before.get(key) for key in ("host", "port")) and HOST_KEY not in settings:
            settings |= {key: before[key] for key in (HOST_KEY,) if key in before}
        secret_names = [field.name for field in method.fields if field.name in {*secret_names, *secrets}]
        # A passphrase that stays may be that of a key that was entered anew.
        kept = engine.vault.load(authorization_id, [PGP_PASSPHRASE]) if PGP_PASSPHRASE in secret_names else {}
        _check_keys(method, kept | settings | secrets)
    if secrets:
        engine.vault.make_ready()
    with engine.workspace.database.write() as connection:
        connection.execute(
            "update authorizations set name = ?, settings = ?, secret_names = ? where id = ?",
            (
                row["name"] if name is None else name.strip(),
                orjson.dumps(settings).decode(),
                orjson.dumps(secret_names).decode(),
                authorization_id,
            ),
        )
        if values is not None:
            _set_state(connection, authorization_id, "untested", "")
        engine.vault.store(authorization_id, secrets)
    engine.changes.announce(Change("authorizations", authorization_id))


def delete_authorization(engine: Engine, authorization_id: int) -> None:
    """Remove it and forget its secrets. Its jobs stay and can't run until they get another one.

    Raises Refused while a job that uses it runs.
    """
    engine.require_charge()
    row = _row(engine, authorization_id)
    with engine.workspace.database.read() as connection:
        jobs = connection.execute(
            "select id, name from jobs where authorization_id = ?", (authorization_id,)
        ).fetchall()
    for job in jobs:
        if engine.supervisor is not None and engine.supervisor.running_run(job["id"]) is not None:
            raise Refused(f"The job “{job['name']}” uses it and is running.", advice="Stop the job first.")
    secret_names = orjson.loads(row["secret_names"])
    if secret_names:
        # Where the keyring is not on this computer, its secrets are not either. A locked one has to be unlocked first.
        with contextlib.suppress(VaultMissing):
            engine.vault.make_ready()
    with engine.workspace.database.write() as connection:
        connection.execute("update jobs set authorization_id = null where authorization_id = ?", (authorization_id,))
        connection.execute("delete from authorizations where id = ?", (authorization_id,))
        with contextlib.suppress(VaultMissing):
            engine.vault.forget(authorization_id, secret_names)
    engine.changes.announce(Change("authorizations", authorization_id))
    engine.changes.announce(Change("jobs"))


def jobs_using(engine: Engine, authorization_id: int) -> list[str]:
    """Names of the jobs that would stop without it."""
    with engine.workspace.database.read() as connection:
        rows = connection.execute(
            "select name from jobs where authorization_id = ? order by name", (authorization_id,)
        ).fetchall()
    return [row[0] for row in rows]


def check_values(engine: Engine, method_slug: str, values: Mapping[str, str]) -> Account:
    """Try values that are not saved yet. Raises what the provider's check raises."""
    method = engine.catalog.method(method_slug)
    settings, secrets = _checked(method, values)
    _check_keys(method, settings | secrets)
    return _check(engine, method, Credentials(method_slug, settings, secrets))


def check_key(field: Field, text: str, passphrase: str = "") -> KeyInfo:
    """What a PGP key is that was entered in a field of one of PGP_KEYS. Raises BadKey and GpgMissing."""
    try:
        if field.type == "pgp-public-key":
            return check_public_key(text)
        return check_private_key(text, passphrase or None)
    except GpgMissing:
        raise
    except InputError as error:
        raise BadKey(field.name, error) from error


def _check_keys(method: AuthorizationMethod, values: Mapping[str, str]) -> None:
    """Raise BadKey for a PGP key that can't be used."""
    for field in method.fields:
        if field.type in PGP_KEYS and values.get(field.name):
            # Without GnuPG nothing is known against the key; until it is there, the jobs say what is missing.
            with contextlib.suppress(GpgMissing):
                check_key(field, values[field.name], values.get(PGP_PASSPHRASE, ""))


def check_authorization(engine: Engine, authorization_id: int) -> Account:
    """Really sign in, and remember the outcome. Raises what the check raises, after remembering it.

    HostKeyUnknown is a question to the user and a locked keyring says nothing of the authorization: neither is
    remembered. Nor is what is in the way to a provider that took it before: a missing VPN breaks no authorization.
    """
    row = _row(engine, authorization_id)
    method = engine.catalog.method(row["method"])
    try:
        account = _check(engine, method, _credentials(engine, row))
    except (HostKeyUnknown, VaultLocked):
        raise
    except (ConnectorError, CausewayError) as error:
        if row["state"] != "works" or not isinstance(error, Unreached):
            _remember(engine, authorization_id, "failing", error.message)
        raise
    _remember(engine, authorization_id, "works", account.description)
    return account


def confirm_host_key(engine: Engine, authorization_id: int, key: str) -> None:
    """The user compared the fingerprint: this is the server's key from now on."""
    engine.require_charge()
    row = _row(engine, authorization_id)
    settings = orjson.loads(row["settings"]) | {HOST_KEY: key}
    with engine.workspace.database.write() as connection:
        connection.execute(
            "update authorizations set settings = ? where id = ?", (orjson.dumps(settings).decode(), authorization_id)
        )
    engine.changes.announce(Change("authorizations", authorization_id))


def change_setting(engine: Engine, authorization_id: int, name: str, value: str) -> None:
    """Change one setting that is no secret, for example the port of a sandbox that was started again."""
    row = _row(engine, authorization_id)
    settings = orjson.loads(row["settings"]) | {name: value}
    with engine.workspace.database.write() as connection:
        connection.execute(
            "update authorizations set settings = ? where id = ?", (orjson.dumps(settings).decode(), authorization_id)
        )


def open_credentials(engine: Engine, authorization_id: int | None) -> Credentials:
    """An authorization opened for a job. Raises Refused without one, VaultLocked, VaultMissing."""
    if authorization_id is None:
        raise Refused("The job has no authorization any more.", advice="Create the job again with another one.")
    row = _row(engine, authorization_id)
    credentials = _credentials(engine, row)
    if engine.in_charge_elsewhere is None:
        with engine.workspace.database.write() as connection:
            connection.execute(
                "update authorizations set last_used_at = ? where id = ?", (now_text(), authorization_id)
            )
    return credentials


def scan_for_secrets(engine: Engine) -> list[str]:
    """Files of the workspace in which a secret stands in plain text; an empty list is the promise kept.

    Looks for every secret of six characters or more in each file, whole and as JSON writes it; of a key of many
    lines also for one line alone, as a database may part a long text.
    """
    sought: set[bytes] = set()
    for info in list_authorizations(engine):
        for secret in engine.vault.load(info.id, info.secret_names).values():
            lines = secret.strip().splitlines()
            for text in {secret, lines[len(lines) // 2] if lines else ""}:
                if len(text) >= SHORTEST_SOUGHT:
                    sought |= {text.encode(), orjson.dumps(text)[1:-1]}
    if not sought:
        return []
    folder = engine.workspace.folder
    # What jobs fetched is the user's own data; what the program writes is checked.
    files = (path for path in sorted(folder.rglob("*")) if path.relative_to(folder).parts[0] != "downloads")
    return [str(path.relative_to(folder)) for path in files if path.is_file() and _holds_any(path, sought)]


def _holds_any(path: Path, sought: set[bytes]) -> bool:
    overlap = max(map(len, sought)) - 1
    kept = b""
    # A job that runs meanwhile removes files of its own.
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        while block := file.read(SCAN_BLOCK):
            text = kept + block
            if any(secret in text for secret in sought):
                return True
            kept = text[-overlap:]
    return False


def _row(engine: Engine, authorization_id: int) -> sqlite3.Row:
    with engine.workspace.database.read() as connection:
        row: sqlite3.Row | None = connection.execute(
            """select *, (select count(*) from jobs where authorization_id = authorizations.id) as used_by
            from authorizations where id = ?""",
            (authorization_id,),
        ).fetchone()
    if row is None:
        raise NotFound("That authorization does not exist (any more).")
    return row


def _info(engine: Engine, row: sqlite3.Row) -> AuthorizationInfo:
    method = engine.catalog.method(row["method"])
    secret_names = tuple(orjson.loads(row["secret_names"]))
    labels = {field.name: field.label for field in method.fields if field.name in secret_names}
    return AuthorizationInfo(
        id=row["id"],
        name=row["name"],
        provider=row["provider"],
        provider_name=engine.catalog.provider(row["provider"]).name,
        method=row["method"],
        method_name=method.name,
        settings=orjson.loads(row["settings"]),
        secret_names=secret_names,
        state=row["state"],
        state_since=row["state_since"],
        state_message=row["state_message"],
        checked_at=row["checked_at"],
        used_by=row["used_by"],
        last_used_at=row["last_used_at"],
        where=engine.vault.where(row["id"], labels),
        created_at=row["created_at"],
    )


def _credentials(engine: Engine, row: sqlite3.Row) -> Credentials:
    names = orjson.loads(row["secret_names"])
    secrets = engine.vault.load(row["id"], names)
    for name in names:
        if name not in secrets:
            labels = {field.name: field.label for field in engine.catalog.method(row["method"]).fields}
            raise VaultMissing(
                f"“{labels.get(name, name)}” of the authorization “{row['name']}” is not kept on this computer.",
                advice="Re-authorize: enter it again.",
            )
    return Credentials(row["method"], orjson.loads(row["settings"]), secrets)


def _checked(
    method: AuthorizationMethod, values: Mapping[str, str], kept: list[str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Values parted into settings and secrets. `kept` are secrets that may be blank. Raises Refused."""
    known = {field.name for field in method.fields}
    for name in values:
        if name not in known:
            raise Refused(f"{method.name} has no field “{name}”.", advice=f"It has: {', '.join(sorted(known))}.")
    settings: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for field in method.fields:
        value = values.get(field.name, "")
        if not field.secret:
            value = value.strip() or field.default
        if value and field.type == "number" and not value.isdecimal():
            raise Refused(f"“{field.label}” must be a number, not “{value}”.", advice="Correct it.")
        if value:
            (secrets if field.secret else settings)[field.name] = value
        elif field.required and field.name not in (kept or ()):
            raise Refused(f"“{field.label}” is missing.", advice="Fill it in.")
    return settings, secrets


def _check(engine: Engine, method: AuthorizationMethod, credentials: Credentials) -> Account:
    provider = engine.catalog.provider_of_method(method.slug)
    with through_proxy(str(engine.workspace.setting("proxy"))):
        account: Account = asyncio.run(engine.catalog.function(provider.slug, method.check)(credentials))
    return account


def _remember(engine: Engine, authorization_id: int, state: str, message: str) -> None:
    if engine.in_charge_elsewhere is not None:
        return
    with engine.workspace.database.write() as connection:
        _set_state(connection, authorization_id, state, message)
        connection.execute("update authorizations set checked_at = ? where id = ?", (now_text(), authorization_id))
    engine.changes.announce(Change("authorizations", authorization_id))


def _set_state(connection: sqlite3.Connection, authorization_id: int, state: str, message: str) -> None:
    """`state_since` stays while the state does."""
    connection.execute(
        """update authorizations set state_since = case when state = ? then state_since else ? end,
            state = ?, state_message = ? where id = ?""",
        (state, now_text(), state, message, authorization_id),
    )
