"""Lotame's file, byte for byte, on a server that speaks S3."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from connectors.kit.errors import InputError
from connectors.kit.types import Credentials
from connectors.lotame.jobs import people_export

if TYPE_CHECKING:
    from peers.s3 import S3

Account = Callable[[str], Credentials]
FOLDER = "onboarding/in/client_id=12345/type=DATA/"


def test_addresses_are_hashed_and_have_their_segments(export: Any, s3_account: Account, s3: S3) -> None:
    bucket = s3.bucket()
    options = {
        "segment_ids": ["all", "search:ann"], "identifier_field": "email", "client": "12345", "bucket": bucket,
        "timezone": "UTC",
    }  # fmt: skip
    (path,) = export(people_export, s3_account("lotame-aws-keys"), options)
    assert path == f"{FOLDER}all-search_ann_20260131230509_EMAIL_SHA256.json"
    ann, bob = (hashlib.sha256(f"{name}@x.example".encode()).hexdigest() for name in ("ann", "bob"))
    assert s3.get(bucket, path).decode() == (
        f'{{"userid":"{ann}","segments":["Everybody","Search “ann”"]}}\n{{"userid":"{bob}","segments":["Everybody"]}}\n'
    )


def test_addresses_can_go_as_they_are(export: Any, s3_account: Account, s3: S3) -> None:
    bucket = s3.bucket()
    options = {
        "segment_ids": ["search:bob"], "identifier_field": "email", "client": "12345", "bucket": bucket,
        "email_form": "EMAIL", "compress": "gz", "timezone": "UTC",
    }  # fmt: skip
    (path,) = export(people_export, s3_account("lotame-aws-keys"), options)
    assert path == f"{FOLDER}search_bob_20260131230509_EMAIL.json.gz"
    assert gzip.decompress(s3.get(bucket, path)).decode() == '{"userid":"bob@x.example","segments":["Search “bob”"]}\n'
    with pytest.raises(InputError, match="no client ID"):
        export(people_export, s3_account("lotame-aws-keys"), {**options, "client": "../other"})
