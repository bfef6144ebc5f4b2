"""How this computer reaches the world: the proxy that was set, whom to trust, and what may be in the way."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address

from connectors.kit.errors import Unreached

SECONDS = 30.0
"""How long a server may be silent."""
ALWAYS_THERE = "example.com"
"""A name that is kept for examples: who can find any name finds this one. It is looked up, never talked to."""
NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, 10050, 10051, 10065})
"""What the system says of a host to which no network leads; the numbers are those of Windows."""
BROWSER = "Does this Wi-Fi want you to sign in first? Open any page in a browser to see."
_PROXY: ContextVar[str] = ContextVar("proxy", default="")


@contextmanager
def through_proxy(address: str) -> Iterator[None]:
    """Send what the block requests through a proxy ("http://proxy.agency.example:3128"); "": the system's, if any."""
    before = _PROXY.set(address)
    try:
        yield
    finally:
        _PROXY.reset(before)


def proxy() -> str | None:
    """The proxy that was set, None for what the system says."""
    return _PROXY.get() or None


def trusted() -> ssl.SSLContext:
    """TLS that checks certificate and name, by the authorities of this computer and those that browsers know.

    The second matters for a program in a bundle, which finds no system's certificates; the first for a company's own.
    """
    # Imported here: the engine asks this module about the proxy, long before anything is sent.
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def is_this_computer(host: str) -> bool:
    """Whether a host's name is this computer's own, so that nothing leaves it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def obstacle(host: str, error: BaseException) -> Unreached | None:
    """What kept a connection to `host` from being made, where the system told; None where it may be anything.

    A failed name makes it look up another one, so this takes as long as the first look-up took.
    """
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            if _finds(ALWAYS_THERE):
                return Unreached(
                    f"{host} can't be found; is a VPN needed, or is the name wrong?",
                    advice="Other names are found. Check the spelling, or connect to the network that it belongs to.",
                    details=str(error),
                )
            return Unreached(
                f"{host} can't be found, and no other name either.",
                advice=f"Check that this computer is online. {BROWSER}",
                details=str(error),
            )
        if isinstance(cause, OSError) and cause.errno in NO_WAY:
            return Unreached(
                f"No network that this computer is in leads to {host}; is a VPN needed?",
                advice="Connect to the network that it belongs to. If nothing else is reached either, this computer "
                "is offline.",
                details=str(error),
            )
        if isinstance(cause, TimeoutError) and _is_private(host):
            return Unreached(
                f"{host} does not answer; is a VPN needed?",
                advice="Its address belongs to a private network. Connect to that one, or check host and port.",
                details=str(error),
            )
    return None


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, the outermost first; of several tries at once, each."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            for one in cause.exceptions:
                yield from causes(one)
        cause = cause.__cause__ or cause.__context__


def _addresses(host: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError):
        return []


def _finds(name: str) -> bool:
    return bool(_addresses(name))


def _is_private(host: str) -> bool:
    found = [ip_address(address.partition("%")[0]) for address in _addresses(host)]
    return bool(found) and all(address.is_private and not address.is_loopback for address in found)
