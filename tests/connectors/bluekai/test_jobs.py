"""BlueKai's two files, byte for byte and in their order, on a real SSH server."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.bluekai.jobs import people_export
from connectors.kit.types import Credentials

if TYPE_CHECKING:
    from peers.sshd import Sshd

Account = Callable[..., Credentials]


def test_an_offline_file_is_followed_by_its_trigger(export: Any, sftp_account: Account, sshd: Sshd) -> None:
    account = sftp_account("bluekai-userkey", partner_name="Acme", site_id="4711")
    options = {
        "segment_ids": ["all"], "identifier_field": "email", "fields": ["name", "tags", "visits"],
        "export_segments": True, "timezone": "UTC",
    }  # fmt: skip
    paths = export(people_export, account, options)
    assert paths == ["Acme_4711_2026-01-31.gz", "Acme_4711_2026-01-31.gz.trigger"]
    packed = (sshd.files / paths[0]).read_bytes()
    assert gzip.decompress(packed).decode() == (
        'ann@x.example\tname=Ann "A", Ångström|tags=a&b&vip|visits=3|audiences=all\n'
        "bob@x.example\tname==1+1 x y|audiences=all\n"
    )
    assert (sshd.files / paths[1]).read_text() == (
        f"Acme_4711_2026-01-31.gz\t{len(packed)}\t{hashlib.md5(packed).hexdigest()}\n"
    )


def test_only_the_audiences_can_be_told(export: Any, sftp_account: Account, sshd: Sshd) -> None:
    account = sftp_account("bluekai-userkey", partner_name="Acme", site_id="4711")
    options = {
        "segment_ids": ["search:ann", "search:bob"], "identifier_field": "member_id", "skip_user_fields": True,
        "append_segment_name": True, "timezone": "UTC",
    }  # fmt: skip
    path, _ = export(people_export, account, options)
    assert gzip.decompress((sshd.files / path).read_bytes()).decode() == (
        "M1\taudience_name=Search “ann”\nM2\taudience_name=Search “bob”\n"
    )
