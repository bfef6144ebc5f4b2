"""Selligent's file, byte for byte, on a real SSH server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.kit.types import Credentials
from connectors.selligent.jobs import people_export

if TYPE_CHECKING:
    from peers.sshd import Sshd


def test_people_go_out_under_the_name_that_the_recurring_import_looks_for(
    export: Any, sftp_account: Callable[..., Credentials], sshd: Sshd
) -> None:
    options = {
        "segment_id": "search:eve", "fields": ["email", "name"], "append_segment_name": True,
        "append_segment_slug": True, "timezone": "UTC",
    }  # fmt: skip
    (path,) = export(people_export, sftp_account("selligent-sftp"), options)
    assert path == "export-lytics-search_eve-2026-01-31T23:05:09.csv"
    assert (sshd.files / path).read_bytes().decode() == (
        "email,name,audience_name,audience_slug\r\n,Eve Holm,Search “eve”,search_eve\r\n"
    )
