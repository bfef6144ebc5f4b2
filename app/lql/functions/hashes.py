"""Hashes and encodings."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from siphash24 import siphash24  # type: ignore[import-not-found]

from app.lql.functions.base import Function
from app.lql.values.reading import first, integer_of, text_of

SIP_KEY = (0).to_bytes(8, "little") + (1).to_bytes(8, "little")


def _bytes(value: Any) -> bytes | None:
    """What is hashed: the text in UTF-8; None when there is none."""
    text = value if value.__class__ is str else text_of(value)
    return text.encode(errors="surrogatepass") if text else None


def sip(value: Any) -> int | None:
    """Of text only, as a signed number of 64 bits."""
    text = first(value)
    if text.__class__ is not str or not text:
        return None
    return int.from_bytes(siphash24(text.encode(errors="surrogatepass"), key=SIP_KEY).digest(), "little", signed=True)


def md5(value: Any) -> str | None:
    data = _bytes(value)
    return None if data is None else hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha1(value: Any) -> str | None:
    data = _bytes(value)
    return None if data is None else hashlib.sha1(data, usedforsecurity=False).hexdigest()


def sha256(value: Any) -> str | None:
    data = _bytes(value)
    return None if data is None else hashlib.sha256(data).hexdigest()


def sha512(value: Any) -> str | None:
    data = _bytes(value)
    return None if data is None else hashlib.sha512(data).hexdigest()


def b64encode(value: Any) -> str | None:
    data = _bytes(value)
    return None if data is None else base64.b64encode(data).decode()


def b64decode(value: Any) -> str | None:
    """The text that was encoded; line ends may stand in between. What is no text when decoded: None."""
    text = text_of(value)
    if not text:
        return None
    try:
        return base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def unsign(value: Any) -> str | None:
    """A signed number of 64 bits as the unsigned one of the same bits."""
    value = first(value)
    if value.__class__ is float and not value.is_integer():
        return None
    number = integer_of(value)
    return None if number is None else str(number % 2**64)


HASHES = (
    Function("hash.sip", sip, 1, 1, "int", "The SipHash of a text, an int of 64 bits.", aliases=("hash",), stored=sip),
    Function("hash.md5", md5, 1, 1, "string", "The MD5 of a text in hexadecimal figures.", stored=md5),
    Function("hash.sha1", sha1, 1, 1, "string", "The SHA-1 of a text in hexadecimal figures.", stored=sha1),
    Function(
        "hash.sha256", sha256, 1, 1, "string",
        "The SHA-256 of a text in hexadecimal figures; lower-case an address first.",
        stored=sha256,
    ),
    Function("hash.sha512", sha512, 1, 1, "string", "The SHA-512 of a text in hexadecimal figures.", stored=sha512),
    Function("encoding.b64encode", b64encode, 1, 1, "string", "The text in Base64."),
    Function("encoding.b64decode", b64decode, 1, 1, "string", "The text that Base64 stands for."),
    Function("unsign", unsign, 1, 1, "string", "A signed number of 64 bits shown as unsigned."),
)  # fmt: skip
