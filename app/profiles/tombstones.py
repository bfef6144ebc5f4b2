"""What stops an erased person from coming back: fingerprints of their identifiers, with the time of the erasure.

A fingerprint is BLAKE2b of field name and value under a random key of the workspace, so the table says of nobody
that they were here. Events at or before the erasure that name such an identifier are not stored; later ones are,
and make a new person.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from app.identity.resolve import Row, keys_of

if TYPE_CHECKING:
    from app.schema.mapping import CompiledSchema

KEY = "erasure_key"
KEY_BYTES = 32
DIGEST_BYTES = 16


Mark = tuple[int, int | None]
"""How many identifiers are erased, and the time of the newest erasure."""


def newest_mark(connection: sqlite3.Connection) -> Mark:
    """The mark of what is erased now."""
    count, newest = connection.execute("select count(*), max(at) from erased").fetchone()
    return count, newest


class Tombstones:
    """The erased identifiers of a workspace as they were when they were loaded."""

    def __init__(self, key: bytes, erased: Mapping[bytes, int]) -> None:
        self._key = key
        self._erased = erased
        self._begun: dict[str, hashlib.blake2b] = {}

    @classmethod
    def load(cls, connection: sqlite3.Connection) -> Self:
        """What is erased now. A long run loads again before each chunk: see `loaded_anew`."""
        rows = connection.execute("select digest, at from erased").fetchall()
        return cls(_key(connection), {bytes(row[0]): row[1] for row in rows})

    def loaded_anew(self, connection: sqlite3.Connection) -> Self:
        """These, or those of now when somebody was erased since; asked before each chunk, it costs one small query."""
        return self if self.mark == newest_mark(connection) else type(self).load(connection)

    @property
    def mark(self) -> Mark:
        """What `newest_mark` answers as long as nobody else is erased."""
        return len(self._erased), max(self._erased.values(), default=None)

    def __bool__(self) -> bool:
        """Whether anybody was erased at all."""
        return bool(self._erased)

    def suppresses(self, field_name: str, value: str, at: int) -> bool:
        """Whether an event of the time `at` (µs since 1970) that names this identifier must not be stored."""
        if not self._erased:
            return False
        erased_at = self._erased.get(self._digest(field_name, value))
        return erased_at is not None and at <= erased_at

    def spares(self, schema: CompiledSchema, rows: Sequence[Row], times: Sequence[int]) -> list[int]:
        """The places of those rows that name nobody who was erased after them."""
        keys, _ = keys_of(schema.identifiers, rows)
        names = {identifier.field_id: schema.field_name(identifier.field_id) for identifier in schema.identifiers}
        return [
            place
            for place, (named, at) in enumerate(zip(keys, times, strict=True))
            if not any(self.suppresses(names[field_id], text, at) for field_id, text in named)
        ]

    def _digest(self, field_name: str, value: str) -> bytes:
        begun = self._begun.get(field_name)
        if begun is None:
            # Field names are the same whatever their case, as in the table of fields.
            begun = hashlib.blake2b(f"{field_name.lower()}\0".encode(), digest_size=DIGEST_BYTES, key=self._key)
            self._begun[field_name] = begun
        digest = begun.copy()
        digest.update(value.encode("utf-8", "surrogatepass"))
        return digest.digest()


def fingerprints(connection: sqlite3.Connection, identifiers: Iterable[tuple[str, str]]) -> list[bytes]:
    """The fingerprints of (field name, value) pairs, in the caller's transaction: the first one makes the key."""
    key = _key(connection)
    if not key:
        key = secrets.token_bytes(KEY_BYTES)
        connection.execute("insert into workspace_info (key, value) values (?, ?)", (KEY, key.hex()))
    stones = Tombstones(key, {})
    return [stones._digest(name, value) for name, value in identifiers]


def add_tombstones(connection: sqlite3.Connection, identifiers: Iterable[tuple[str, str]], at: int) -> None:
    """Remember (field name, value) pairs as erased at `at` (µs since 1970), in the caller's transaction."""
    connection.executemany(
        "insert into erased (digest, at) values (?, ?) on conflict (digest) do update set at = max(at, excluded.at)",
        [(digest, at) for digest in fingerprints(connection, identifiers)],
    )


def _key(connection: sqlite3.Connection) -> bytes:
    """The workspace's key; empty as long as nobody was erased."""
    row = connection.execute("select value from workspace_info where key = ?", (KEY,)).fetchone()
    return bytes.fromhex(row[0]) if row is not None else b""
