"""What is Google's own: one import for both forms of files, a series without a file to begin with, the project."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from connectors.google_cloud_storage.jobs import check, csv_export, files_preview, list_buckets
from connectors.kit.errors import InputError
from connectors.kit.types import Credentials

if TYPE_CHECKING:
    from peers.gcs import Gcs


@pytest.fixture
def account(gcs: Gcs) -> Credentials:
    secrets = {"cert_json": json.dumps(gcs.service_account)}
    return Credentials("google-cloud-storage-service-account", {"api_address": gcs.address}, secrets)


def test_the_form_of_a_file_is_chosen_and_a_series_needs_no_first_file(account: Credentials, gcs: Gcs) -> None:
    bucket = gcs.bucket()
    gcs.put(bucket, "new-users-20260102.json", b'{"email": "ann@x.example"}\n')
    gcs.put(bucket, "in/new-users-20260101.csv", b"email,town\nbob@x.example,Lund\n")
    options = {"bucket": bucket, "starting_file": "new-users-20260102.json", "file_type": "json"}
    assert asyncio.run(files_preview(account, options)).rows == (("ann@x.example",),)
    options = {"bucket": bucket, "folder": "in/", "prefix": "new-users-", "continuous_update": True}
    assert asyncio.run(files_preview(account, options)).rows == (("bob@x.example", "Lund"),)


def test_an_export_goes_to_the_bucket_by_its_own_name(account: Credentials, gcs: Gcs, export: Any) -> None:
    bucket = gcs.bucket()
    options = {
        "segment_id": "all", "bucket_name": bucket, "fields": ["email"], "append_segment_slug": True,
        "filename": "people", "write_headers": False,
    }  # fmt: skip
    assert export(csv_export, account, options) == ["people.csv"]
    assert gcs.get(bucket, "people.csv") == b"ann@x.example,all\r\nbob@x.example,all\r\n,all\r\n"
    assert bucket in [one.value for one in asyncio.run(list_buckets(account, options, ""))]
    with pytest.raises(InputError, match="There is no bucket “nobody-s”"):
        export(csv_export, account, {**options, "bucket_name": "nobody-s"})


def test_the_account_is_known_by_its_address(account: Credentials, gcs: Gcs) -> None:
    assert asyncio.run(check(account)).description == gcs.service_account["client_email"]
