"""How this computer reaches the world: the proxy that was set, and whom to trust."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address

SECONDS = 30.0
"""How long a server may be silent."""
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
