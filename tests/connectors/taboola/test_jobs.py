"""Taboola's file, byte for byte, on a server that speaks S3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from connectors.kit.errors import InputError
from connectors.kit.types import Credentials
from connectors.taboola.jobs import people_export

if TYPE_CHECKING:
    from peers.s3 import S3


def test_ids_go_out_with_the_names_of_their_audiences(
    export: Any, s3_account: Callable[[str], Credentials], s3: S3
) -> None:
    bucket = s3.bucket()
    options = {
        "segment_ids": ["all", "search:ann"], "identifier_field": "email", "bucket": bucket, "timezone": "UTC",
    }  # fmt: skip
    (path,) = export(people_export, s3_account("taboola-aws-keys"), options)
    assert path == "all-search_ann_2026-01-31T23-05-09.csv"
    assert s3.get(bucket, path).decode() == (
        "taboola id,audiences\r\nann@x.example,Everybody&Search “ann”\r\nbob@x.example,Everybody\r\n"
    )


def test_without_the_id_there_is_nothing_to_send(export: Any, s3_account: Callable[[str], Credentials], s3: S3) -> None:
    with pytest.raises(InputError, match="“taboola_id”"):
        export(people_export, s3_account("taboola-aws-keys"), {"segment_ids": ["all"], "bucket": s3.bucket()})
