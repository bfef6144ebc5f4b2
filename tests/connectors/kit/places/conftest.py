"""A place on the test server, for every test of places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from peers.sftp_place import reach

from connectors.kit.places.sftp import SftpPlace

if TYPE_CHECKING:
    from peers.sshd import Sshd


@pytest.fixture
def place(sshd: Sshd) -> Iterator[SftpPlace]:
    opened = reach(sshd)
    yield opened
    opened.close()
