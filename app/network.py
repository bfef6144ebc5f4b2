"""Whether this computer has a network, and whether it is another one than before, without sending anything."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress

ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that are kept for examples: nobody has them, but the way to them is the way to the world."""


PRIVATE = tuple((socket.AF_INET, address) for address in ("10.255.255.254", "172.31.255.254", "192.168.255.254"))
"""Addresses at the ends of those that offices use: the way to them changes with a VPN, also with one for them alone."""


def has_network() -> bool:
    """Whether the system knows a way out."""
    return any(_ways(ELSEWHERE))


def network_here() -> str:
    """What tells the network that this computer is in from others; "" where it is in none.

    It changes when a VPN or a cable is connected, and in another Wi-Fi unless that gives the same address.
    """
    out = _ways(ELSEWHERE)
    if not any(out):
        return ""
    adapters = sorted(name for _, name in socket.if_nameindex())
    return " ".join((*out, *_ways(PRIVATE), *adapters))


def _ways(there: Iterable[tuple[socket.AddressFamily, str]]) -> list[str]:
    """The address by which this computer would set out to each of these, "" where there is no way.

    Connecting a datagram socket asks the system for the route and sends nothing.
    """
    ways = []
    for family, address in there:
        way = ""
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((address, 9))
            way = str(asked.getsockname()[0])
        ways.append(way)
    return ways
