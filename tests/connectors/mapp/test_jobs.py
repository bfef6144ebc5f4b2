"""Mapp's file, byte for byte, on a real SSH server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from connectors.kit.errors import InputError
from connectors.kit.types import Credentials
from connectors.mapp.jobs import people_export

if TYPE_CHECKING:
    from peers.sshd import Sshd


def test_fields_go_out_under_their_names_in_mapp_with_the_audiences(
    export: Any, sftp_account: Callable[..., Credentials], sshd: Sshd
) -> None:
    options = {
        "segment_id": "all", "fields_mapping": {"email": "Email", "name": "user.FirstName"},
        "segments": ["all", "search:ann"], "timezone": "UTC",
    }  # fmt: skip
    (path,) = export(people_export, sftp_account("mapp-sftp"), options)
    assert path == "export-lytics-Everybody-20260131230509.csv"
    assert (sshd.files / path).read_bytes().decode() == (
        "Email,user.FirstName,user.CustomAttribute.SegmentMembership\r\n"
        'ann@x.example,"Ann ""A"", Ångström","Everybody,Search “ann”"\r\n'
        "bob@x.example,=1+1|x\ty,Everybody\r\n"
        ",Eve Holm,Everybody\r\n"
    )


def test_a_field_without_a_name_is_refused(export: Any, sftp_account: Callable[..., Credentials]) -> None:
    with pytest.raises(InputError, match="no name in Mapp"):
        export(people_export, sftp_account("mapp-sftp"), {"segment_id": "all", "fields_mapping": {"email": " "}})
