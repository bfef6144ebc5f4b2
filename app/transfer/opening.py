"""What a transfer needs of the workspace: places that can be opened, keys, and who has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.authorizations import AuthorizationInfo, get_authorization, list_authorizations, open_credentials
from app.errors import Refused
from app.transfer.model import End, Key, Transfer, at_target, check
from connectors.kit.formats.chain import Keys
from connectors.kit.network import through_proxy
from connectors.kit.places.base import Place
from connectors.kit.places.local import LocalFolder

# Handed on as well: the window knows what is in a folder by this room.
from connectors.kit.types import Choice as Choice
from connectors.kit.types import Credentials

if TYPE_CHECKING:
    from app.engine import Engine

PRIVATE_KEY, PASSPHRASE, PUBLIC_KEY = "pgpprivatekey", "pgppassphrase", "pgppublickey"
"""What PGP keys are called in authorizations."""
LONGEST_KEY = 1 << 20
THIS_COMPUTER = "This computer"

OpenPlace = Callable[[Credentials, Mapping[str, Any]], Place]


@dataclass(frozen=True, slots=True)
class Door:
    """One end of a transfer, which can be opened in any process; without a function it is this computer."""

    path: str
    function: OpenPlace | None = None
    credentials: Credentials | None = field(default=None, repr=False)

    @contextmanager
    def opened(self) -> Iterator[Place]:
        """The place, connected. Raises ConnectorError."""
        place: Place = LocalFolder()
        if self.function is not None and self.credentials is not None:
            place = self.function(self.credentials, {})
        with closing(place):
            yield place


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transfer with all that it takes to make it, secrets included: for a worker's pipe, and for nothing else."""

    transfer: Transfer
    source: Door
    target: Door
    keys: Keys | None = field(default=None, repr=False)
    public_key: str = field(default="", repr=False)
    proxy: str = ""

    @property
    def has_pgp(self) -> bool:
        """Whether what is in the file is to be seen by its receiver only."""
        return self.keys is not None or bool(self.public_key)


def prepare(engine: Engine, transfer: Transfer, passphrase: str = "") -> Prepared:
    """Open authorizations and keys. `passphrase` is that of a private key in a file. Blocks.

    Raises Refused for a transfer that can't be made, VaultLocked, VaultMissing, NotFound.
    """
    transfer = at_target(transfer)
    check(transfer)
    source, keys, proxy = prepare_source(engine, transfer, passphrase)
    public = "" if transfer.encrypt is None else _public(engine, transfer.encrypt)
    return Prepared(transfer, source, _door(engine, transfer.target), keys, public, proxy)


def prepare_source(engine: Engine, transfer: Transfer, passphrase: str = "") -> tuple[Door, Keys | None, str]:
    """The source, what decrypts it, and the proxy. Blocks, and raises as `prepare`."""
    if not transfer.source.path:
        raise Refused("No file is chosen.", advice="Choose the file to transfer.")
    source = _door(engine, transfer.source)
    keys = None
    if transfer.decrypt is not None:
        keys = _private(engine, transfer.decrypt, passphrase)
    elif source.credentials is not None:
        keys = _keys_of(source.credentials)
    return source, keys, str(engine.workspace.setting("proxy"))


def _door(engine: Engine, end: End) -> Door:
    if end.authorization is None:
        path = Path(end.path).expanduser()
        if not path.is_absolute():
            raise Refused(f"“{end.path}” is not a complete path.", advice="Choose the file, or type the whole path.")
        return Door(str(path))
    return Door(end.path, *_function(engine, end.authorization))


def _function(engine: Engine, authorization: int) -> tuple[OpenPlace, Credentials]:
    info = get_authorization(engine, authorization)
    method = engine.catalog.method(info.method)
    if not method.place:
        raise Refused(
            f"“{info.name}” has no files.", advice="Choose an authorization of a server, a store or a folder."
        )
    return engine.catalog.function(info.provider, method.place), open_credentials(engine, authorization)


def _private(engine: Engine, key: Key, passphrase: str) -> Keys:
    if key.authorization is None:
        return Keys(_key_file(key.file), passphrase or None)
    keys = _keys_of(open_credentials(engine, key.authorization))
    if keys is None:
        raise Refused(
            f"“{get_authorization(engine, key.authorization).name}” has no PGP private key.",
            advice="Choose another authorization, or a file with the key.",
        )
    return keys


def _keys_of(credentials: Credentials) -> Keys | None:
    key = credentials.secrets.get(PRIVATE_KEY)
    return Keys(key, credentials.secrets.get(PASSPHRASE) or None) if key else None


def _public(engine: Engine, key: Key) -> str:
    if key.authorization is None:
        return _key_file(key.file)
    info = get_authorization(engine, key.authorization)
    found = info.settings.get(PUBLIC_KEY, "")
    if not found:
        raise Refused(
            f"“{info.name}” has no PGP public key.", advice="Choose another authorization, or a file with the key."
        )
    return found


def _key_file(file: str) -> str:
    path = Path(file).expanduser()
    advice = "Choose a file with an armored key; it begins with -----BEGIN PGP."
    if not file:
        raise Refused("No PGP key is chosen.", advice=advice)
    try:
        with path.open("rb") as opened:
            data = opened.read(LONGEST_KEY + 1)
    except OSError as error:
        raise Refused(f"The key file {path} can't be read: {error.strerror}.", advice=advice) from error
    try:
        if len(data) > LONGEST_KEY:
            raise ValueError
        return data.decode("utf-8-sig")
    except ValueError:
        raise Refused(f"{path.name} is no armored PGP key.", advice=advice) from None


@dataclass(frozen=True, slots=True)
class Offer:
    """The authorizations that can be an end of a transfer, and those that have a key to decrypt or encrypt."""

    places: tuple[AuthorizationInfo, ...]
    private_keys: tuple[AuthorizationInfo, ...]
    public_keys: tuple[AuthorizationInfo, ...]


def offered(engine: Engine) -> Offer:
    """What the workspace has for transfers, by name."""
    known = list_authorizations(engine)
    return Offer(
        tuple(info for info in known if engine.catalog.method(info.method).place),
        tuple(info for info in known if PRIVATE_KEY in info.secret_names),
        tuple(info for info in known if info.settings.get(PUBLIC_KEY)),
    )


def list_folder(engine: Engine, authorization: int, path: str) -> list[Choice]:
    """What is in a folder of a place, folders first. Blocks. Raises ConnectorError and what opening raises."""
    door = Door(path, *_function(engine, authorization))
    with through_proxy(str(engine.workspace.setting("proxy"))), door.opened() as place:
        entries = place.list(path)
    return [
        Choice(
            entry.path,
            entry.name,
            folder=entry.is_folder,
            size=None if entry.is_folder else entry.size,
            modified=entry.modified.isoformat() if entry.modified else None,
        )
        for entry in entries
    ]


def place_name(engine: Engine, end: End) -> str:
    """The place of an end, for people."""
    return THIS_COMPUTER if end.authorization is None else get_authorization(engine, end.authorization).name
