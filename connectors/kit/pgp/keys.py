"""PGP keys as people paste them: found in the text, mended where that is safe, and looked at before they are kept."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal

from connectors.kit.errors import InputError
from connectors.kit.pgp.home import Home, private_home

Half = Literal["public", "private"]

TEXT_LIMIT = 1024 * 1024
"""Characters of a key; one with a hundred signatures and a photograph stays under a tenth of it."""

_DASHES = r"[-\u2010-\u2015\u2212]"
_MARK = re.compile(rf"{_DASHES}+[ ]*(BEGIN|END) PGP ([A-Z ]+?)[ ]*{_DASHES}+", re.IGNORECASE)
_BREAKS = re.compile(r"<br\s*/?>|</(?:p|div|li|pre|tr)>|\\r\\n|\\n|\r\n?", re.IGNORECASE)
_TAGS = re.compile(r"</?[a-z][^<>]{0,200}>", re.IGNORECASE)
_HEADER = re.compile(r"^(?:version|comment|messageid|hash|charset)[ ]*:.*$", re.IGNORECASE | re.MULTILINE)
_BODY = re.compile(r"([A-Za-z0-9+/]+={0,2})(?:=([A-Za-z0-9+/]{4}))?")
_FULL_LINE = 40
"""Characters of a word that is surely data and not part of a comment that lost its line break."""

_BLOCKS: dict[str, Half] = {
    "PUBLIC KEY BLOCK": "public",
    "PRIVATE KEY BLOCK": "private",
    "SECRET KEY BLOCK": "private",
}
_OTHERS = {
    "MESSAGE": "an encrypted message",
    "SIGNED MESSAGE": "a signed message",
    "SIGNATURE": "a signature",
}
_ALGORITHMS = {"1": "RSA", "2": "RSA", "3": "RSA", "16": "ElGamal", "17": "DSA", "20": "ElGamal"}
_CURVES = {
    "ed25519": "Curve 25519",
    "cv25519": "Curve 25519",
    "ed448": "Curve 448",
    "cv448": "Curve 448",
    "nistp256": "NIST P-256",
    "nistp384": "NIST P-384",
    "nistp521": "NIST P-521",
}
_BAD_PASSPHRASE, _NO_PASSPHRASE = 11, 177
"""Codes of libgpg-error, in the lower 16 bits of what gpg reports."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a key is: `algorithm` as "RSA 4096" or "Curve 25519", `names` its owners as they wrote them.

    `expires` is the day after which nothing can be encrypted with it; None: never.
    """

    fingerprint: str
    algorithm: str
    names: tuple[str, ...]
    private: bool
    created: date
    expires: date | None
    can_encrypt: bool


def check_public_key(text: str, *, now: date | None = None) -> KeyInfo:
    """The one public key in a pasted text, fit to encrypt with, today or at the end of the day `now`.

    Raises InputError, a sentence for each fault, and GpgMissing.
    """
    data = key_bytes(text, "public")
    with private_home() as home:
        return load_public_key(home, data, now=now)


def check_private_key(text: str, passphrase: str | None) -> KeyInfo:
    """The one private key in a pasted text, which `passphrase` opens (None or "" for one without).

    An expired one still reads what was encrypted with it. Raises InputError, a sentence for each fault, and GpgMissing.
    """
    data = key_bytes(text, "private")
    usable_passphrase(passphrase)
    with private_home() as home:
        info = load_private_key(home, data)
        report = home.run("--dry-run", "--passwd", info.fingerprint, passphrase=passphrase or "")
    refuse_passphrase(report, info.names, passphrase)
    return info


def refuse_passphrase(report: str, names: tuple[str, ...], passphrase: str | None) -> None:
    """Raise InputError when gpg reports that the passphrase does not open the key."""
    codes = re.findall(r"^\[GNUPG:\] ERROR (?:keyedit\.passwd|pkdecrypt_failed) (\d+)", report, re.MULTILINE)
    if not {int(code) & 0xFFFF for code in codes} & {_BAD_PASSPHRASE, _NO_PASSPHRASE}:
        return
    if not passphrase:
        raise InputError(
            f"The private key of {_owner(names)} is protected by a passphrase, and none was given.",
            advice="Enter the passphrase of the key.",
        )
    raise InputError(
        f"The passphrase does not open the private key of {_owner(names)}.",
        advice="Enter the passphrase that was chosen when the key was made.",
    )


def usable_passphrase(passphrase: str | None) -> None:
    """Raise InputError for a passphrase that can't be one line."""
    if passphrase and re.search(r"[\r\n\0]", passphrase):
        raise InputError(
            "The passphrase contains a line break, which no passphrase of a key can have.",
            advice="Enter it again without the line break.",
        )


def load_public_key(home: Home, data: bytes, *, now: date | None = None) -> KeyInfo:
    """Put a public key into a home and look at it. Raises InputError as `check_public_key`."""
    key = _load(home, data, "public")
    moment = datetime.now(UTC) if now is None else datetime.combine(now, time.max, UTC)
    names = _names(key)
    if key["trust"] == "r":
        raise InputError(
            f"The key of {_owner(names)} was revoked: its owner has taken it back.",
            advice="Ask the owner for the present public key.",
        )
    parts = [part for part in _parts(key) if "e" in part["cap"]]
    if not parts:
        raise InputError(
            f"The key of {_owner(names)} can't encrypt: it is for signing only.",
            advice="Ask the owner for a key that can encrypt too.",
        )
    valid = [part for part in parts if part["trust"] not in ("r", "i", "d")]
    if not valid:
        raise InputError(
            f"The part of the key of {_owner(names)} that encrypts was revoked by its owner.",
            advice="Ask the owner for the present public key.",
        )
    info = _info(key, valid, private=False)
    if info.expires is not None and min(_ends(key), max(map(_ends, valid))) <= moment.timestamp():
        raise InputError(
            f"The key of {_owner(names)} expired on {info.expires.isoformat()}.",
            advice="Ask the owner for the present public key, or for this one with a later date.",
        )
    return info


def load_private_key(home: Home, data: bytes) -> KeyInfo:
    """Put a private key into a home and look at it, but for its passphrase. Raises InputError."""
    key = _load(home, data, "private")
    parts = [part for part in _parts(key) if "e" in part["cap"]]
    # What stands for a private part: + is there, # is not, anything else is the number of a card.
    there = [part for part in parts if part["token"] in ("", "+")]
    if not there:
        why = "it is for signing only" if not parts else "the part that decrypts is not in it"
        raise InputError(
            f"The private key of {_owner(_names(key))} can't decrypt: {why}.",
            advice="Export the whole private key, with its subkeys, and paste that.",
        )
    return _info(key, there, private=True)


def _load(home: Home, data: bytes, wanted: Half) -> dict[str, Any]:
    result = home.keys.import_keys(data)
    found: list[dict[str, Any]] = list(home.keys.list_keys(wanted == "private"))
    if not found:
        if int(result.no_user_id):
            raise InputError(
                "The key has no name in it, so it can't be used.",
                advice="Export the key again, with its user ID.",
            )
        raise InputError(
            f"GnuPG can't read this {wanted} key: it is damaged or of a kind that it does not know.",
            advice="Export the key again and paste it whole.",
            details=_without_text(str(result.stderr)),
        )
    if len(found) > 1:
        names = ", ".join(_owner(_names(key)) for key in found[:5])
        raise InputError(
            f"The text holds {len(found)} keys ({names}), and only one can be used.",
            advice="Paste only the key that is to be used.",
        )
    return found[0]


def _parts(key: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [key, *key.get("subkey_info", {}).values()]


def _ends(part: Mapping[str, Any]) -> float:
    return float(part["expires"]) if part["expires"] else float("inf")


def _info(key: Mapping[str, Any], parts: list[Mapping[str, Any]], *, private: bool) -> KeyInfo:
    end = min(_ends(key), max(map(_ends, parts)))
    size = f"{_ALGORITHMS.get(key['algo'], 'Key of')} {key['length']}"
    return KeyInfo(
        fingerprint=key["fingerprint"],
        algorithm=_CURVES.get(key["curve"].lower(), key["curve"] or size),
        names=_names(key),
        private=private,
        created=datetime.fromtimestamp(int(key["date"]), UTC).date(),
        expires=None if end == float("inf") else datetime.fromtimestamp(end, UTC).date(),
        can_encrypt=True,
    )


def _names(key: Mapping[str, Any]) -> tuple[str, ...]:
    """Owners; python-gnupg reads gpg's output as Latin-1, but names in it are UTF-8."""
    return tuple(name.encode("latin-1", "replace").decode("utf-8", "replace") for name in key["uids"])


def _owner(names: tuple[str, ...]) -> str:
    return names[0] if names else "an unknown owner"


def _without_text(report: str) -> str:
    return "\n".join(line for line in report.splitlines() if line.startswith("gpg: "))


def key_bytes(text: str, wanted: Half) -> bytes:
    """The keys of one half in a pasted text, without armor; blanks, line ends, HTML and quoting don't matter.

    Raises InputError, a sentence for each fault that shows without GnuPG.
    """
    example = f"-----BEGIN PGP {wanted.upper()} KEY BLOCK-----"
    if not text.strip():
        raise InputError(f"No {wanted} key is entered.", advice=f"Paste the key, from {example} on.")
    if "\0" in text or text.count("\ufffd") > 10:
        raise InputError(
            "The key is not text: it was exported in binary form.",
            advice="Export it as text (armored), which begins with -----BEGIN PGP.",
        )
    if len(text) > TEXT_LIMIT:
        raise InputError("The text is far too long for a key.", advice=f"Paste only the key, from {example} on.")
    text = html.unescape(_BREAKS.sub("\n", text))
    text = re.sub("[\u200b\u200c\u200d\ufeff]", "", text.replace("\u00a0", " "))
    text = re.sub(r"^[ \t]*(?:>[ \t]*)+", "", text, flags=re.MULTILINE)
    blocks = _split(text, example)
    halves = {half for half, _ in blocks}
    if wanted == "public" and "private" in halves:
        raise InputError(
            "This is a private key, and the public key is asked for. Never give a private key to anybody.",
            advice=f"Paste the public key, which begins with {example}.",
        )
    if wanted not in halves:
        raise InputError(
            "This is a public key, and it takes the private key to decrypt.",
            advice=f"Paste the private key, which begins with {example}.",
        )
    return b"".join(_decoded(body) for half, body in blocks if half == wanted)


def _split(text: str, example: str) -> list[tuple[Half, str]]:
    """The bodies of the armored blocks in a text, each with what it is."""
    marks = list(_MARK.finditer(text))
    if not marks:
        raise InputError(f"This is no PGP key: {_guess(text)}", advice=f"A key begins with {example}.")
    blocks: list[tuple[Half, str]] = []
    begun: tuple[str, int] | None = None
    for mark in marks:
        word, kind = mark[1].upper(), " ".join(mark[2].upper().split())
        if kind in _OTHERS:
            raise InputError(f"This is {_OTHERS[kind]} and no key.", advice=f"A key begins with {example}.")
        if kind not in _BLOCKS:
            raise InputError(f"“{kind}” is no key that can be used here.", advice=f"A key begins with {example}.")
        if word == "BEGIN":
            if begun is not None:
                break
            begun = kind, mark.end()
        elif begun is None:
            raise InputError(
                f"The first line of the key, -----BEGIN PGP {kind}-----, is missing.",
                advice="Copy the key again, with its first and last line.",
            )
        else:
            blocks.append((_BLOCKS[begun[0]], text[begun[1] : mark.start()]))
            begun = None
    if begun is not None:
        raise InputError(
            f"The last line of the key, -----END PGP {begun[0]}-----, is missing: it was cut off.",
            advice="Copy the key again, with its first and last line.",
        )
    return blocks


def _guess(text: str) -> str:
    if "OPENSSH PRIVATE KEY" in text or re.match(r"\s*(?:ssh-|ecdsa-)", text):
        return "it is a key for SSH."
    if re.search(r"-----BEGIN [A-Z ]*(?:KEY|CERTIFICATE)-----", text):
        return "it is a key or certificate for TLS."
    return "the line with BEGIN PGP is missing."


def _decoded(body: str) -> bytes:
    """The bytes of one block, its checksum compared where there is one."""
    bare = _TAGS.sub("", body).strip()
    words = _HEADER.sub("", bare).split() if "\n" in bare else bare.split()
    if "\n" not in bare:
        # All in one line, so that only its length tells data from the words of a comment.
        first = next((place for place, word in enumerate(words) if len(word) >= _FULL_LINE), 0)
        words = words[first:]
    found = _BODY.fullmatch("".join(words))
    damaged = "The key is damaged: some of its characters are missing or were changed."
    if found is None:
        raise InputError(damaged, advice="Copy the key again, from its first to its last line.")
    try:
        data = base64.b64decode(found[1], validate=True)
        checksum = None if found[2] is None else int.from_bytes(base64.b64decode(found[2], validate=True), "big")
    except binascii.Error as error:
        raise InputError(damaged, advice="Copy the key again, from its first to its last line.") from error
    if checksum is not None and checksum != _crc24(data):
        raise InputError(damaged, advice="Copy the key again, from its first to its last line.")
    return data


def _crc24(data: bytes) -> int:
    """The checksum of armor (RFC 4880, 6.1)."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc
