"""Amazon S3's own: its forms of files, PGP on both ways, roles, and keys of which one is missing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from connectors.amazon_s3.jobs import audience_export, csv_preview, json_preview, list_buckets, list_files, open_place
from connectors.kit.errors import InputError, SignInError
from connectors.kit.places.s3_account import check_s3_account
from connectors.kit.types import Credentials

if TYPE_CHECKING:
    from peers.pgp import PgpPeer
    from peers.s3 import S3

Account = Callable[[str], Credentials]
COLUMNS = {"segment_id": "all", "fields": ["email", "tags"], "filename": "people"}


def test_people_as_one_table_as_several_and_as_json(export: Any, s3_account: Account, s3: S3) -> None:
    options = {**COLUMNS, "bucket": s3.bucket(), "directory": "/out/"}

    def exported(form: str) -> dict[str, str]:
        paths = export(audience_export, s3_account("aws-keys"), {**options, "filetype": form})
        return {path: s3.get(options["bucket"], path).decode() for path in paths}

    assert exported("csv") == {"out/people.csv": "email,tags\r\nann@x.example,a&b&vip\r\nbob@x.example,\r\n,vip\r\n"}
    tables = exported("multi-csv")
    assert list(tables) == ["out/people.csv", "out/people_tags.csv"]
    assert "tags" not in tables["out/people.csv"].splitlines()[0]
    (text,) = exported("json").values()
    assert [json.loads(line).get("tags") for line in text.splitlines()] == [["a&b", "vip"], None, ["vip"]]


def test_what_is_encrypted_for_a_key_is_read_with_it(export: Any, s3_account: Account, s3: S3, pgp: PgpPeer) -> None:
    bucket = s3.bucket()
    usual = s3_account("aws-keys-public-pgp")
    sends = replace(usual, settings={**usual.settings, "pgppublickey": pgp.curve.public})
    options = {**COLUMNS, "bucket": bucket, "compress": "gz"}
    (path,) = export(audience_export, sends, options)
    assert path.startswith("people.csv.gz.")
    assert b"ann@x.example" not in s3.get(bucket, path)

    usual = s3_account("aws-keys-pgp")
    reads = replace(usual, secrets={**usual.secrets, "pgpprivatekey": pgp.curve.private})
    preview = asyncio.run(csv_preview(reads, {"bucket": bucket, "filename": path}))
    assert [row[0] for row in preview.rows] == ["ann@x.example", "bob@x.example", ""]
    wrong = replace(usual, secrets={**usual.secrets, "pgpprivatekey": pgp.other.private})
    with pytest.raises(InputError, match="key"):
        asyncio.run(csv_preview(wrong, {"bucket": bucket, "filename": path}))


def test_a_bucket_is_chosen_then_a_file_in_it(s3_account: Account, s3: S3) -> None:
    bucket = s3.bucket()
    s3.put(bucket, "in/people.json", b'{"email": "ann@x.example", "user": {"city": "Lund"}}\n')
    account = s3_account("aws-keys")
    # Whatever is chosen so far, all buckets are offered.
    assert bucket in [one.value for one in asyncio.run(list_buckets(account, {"bucket": "other"}, ""))]
    (folder,) = asyncio.run(list_files(account, {"bucket": bucket}, ""))
    assert (folder.value, folder.folder) == ("in/", True)
    (file,) = asyncio.run(list_files(account, {"bucket": bucket}, folder.value))
    preview = asyncio.run(json_preview(account, {"bucket": bucket, "filename": file.value}))
    assert [column.name for column in preview.columns] == ["email", "user.city"]


def test_a_role_says_whose_it_is(s3_account: Account) -> None:
    usual = s3_account("aws-delegated")
    role = "arn:aws:iam::123456789012:role/partner"
    lent = replace(usual, settings={**usual.settings, "role_arn": role, "external_id": "shop-7"})
    assert asyncio.run(check_s3_account(lent)).description == f"role {role}, with access key AKIAIOSFODNN7EXAMPLE"
    wrong = replace(usual, settings={**usual.settings, "role_arn": "partner"})
    with pytest.raises(InputError):
        asyncio.run(check_s3_account(wrong))


def test_of_two_keys_one_is_missing(s3_account: Account) -> None:
    with pytest.raises(SignInError, match="no secret key"):
        open_place(replace(s3_account("aws-keys"), secrets={}), {})
    with pytest.raises(SignInError, match="no access key"):
        open_place(replace(s3_account("aws-keys"), settings={}), {})
