"""Omeda's file, byte for byte, on a real SSH server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.kit.types import Credentials
from connectors.omeda.jobs import people_export

if TYPE_CHECKING:
    from peers.sshd import Sshd


def test_people_go_out_under_the_time_of_the_run(
    export: Any, sftp_account: Callable[..., Credentials], sshd: Sshd
) -> None:
    options = {"segment_id": "all", "fields": ["member_id", "name", "tags"], "timezone": "UTC"}
    (path,) = export(people_export, sftp_account("omeda-sftp"), options)
    assert path == "2026-01-31-230509.csv"
    assert (sshd.files / path).read_bytes().decode() == (
        'member_id,name,tags\r\nM1,"Ann ""A"", Ångström",a&b&vip\r\nM2,=1+1|x\ty,\r\nM3,Eve Holm,vip\r\n'
    )
