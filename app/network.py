"""Whether this computer has a network at all, without sending anything."""

from __future__ import annotations

import socket
from contextlib import suppress

ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that are kept for examples: nobody has them, but the way to them is the way to the world."""


def has_network() -> bool:
    """Whether the system knows a way out. Connecting a datagram socket asks it for the route and sends nothing."""
    for family, address in ELSEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((address, 9))
            return True
    return False
