"""LiveRamp's files, byte for byte, on a server that speaks S3 and on a real SSH server."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from connectors.kit.errors import InputError
from connectors.kit.types import Credentials
from connectors.liveramp.jobs import eu_export, identifier_export, list_buckets, people_export

if TYPE_CHECKING:
    from peers.s3 import S3
    from peers.sshd import Sshd

Account = Callable[..., Credentials]
UNIX = "1769900709"
"""The moment when the run began."""


def test_the_bucket_can_be_chosen(s3_account: Account, s3: S3) -> None:
    bucket = s3.bucket()
    assert bucket in [one.value for one in asyncio.run(list_buckets(s3_account("liveramp-aws-keys"), {}, ""))]


def test_audiences_are_columns_with_1_or_nothing(export: Any, s3_account: Account, s3: S3) -> None:
    bucket = s3.bucket()
    options = {
        "segment_ids": ["all"], "segments": ["search:ann", "search:holm"], "identifier_field": "member_id",
        "fields": ["member_id", "email", "tags"], "bucket": bucket, "directory": "in/daily", "delimiter": "|",
        "filename": "people-{TIMESTAMP}", "compress": "gz", "export_segments": True,
    }  # fmt: skip
    paths = export(people_export, s3_account("liveramp-aws-keys"), options)
    assert paths == [f"in/daily/people-{UNIX}.csv.gz"]
    assert gzip.decompress(s3.get(bucket, paths[0])).decode() == (
        "member_id|email|tags|search_ann|search_holm|audiences\r\n"
        "M1|ann@x.example|a&b&vip|1||search_ann\r\n"
        "M2|bob@x.example||||\r\n"
        "M3||vip||1|search_holm\r\n"
    )


def test_on_the_server_the_audiences_that_are_exported_are_told(export: Any, sftp_account: Account, sshd: Sshd) -> None:
    options = {"segment_ids": ["search:ann", "search:bob"], "identifier_field": "email", "fields": ["name"]}
    (path,) = export(people_export, sftp_account("liveramp-sftp-userkey"), options)
    assert path == f"search_ann-search_bob_{UNIX}.csv"
    assert (sshd.files / path).read_bytes().decode() == (
        'email,name,search_ann,search_bob\r\nann@x.example,"Ann ""A"", Ångström",1,\r\nbob@x.example,=1+1|x\ty,,1\r\n'
    )


def test_the_eu_format_has_its_own_columns(export: Any, sftp_account: Account, sshd: Sshd) -> None:
    options = {
        "segment_ids": ["all", "search:ann"], "identifier_field": "member_id", "delimiter": "t",
        "custom_field_mapping": {"email": "EMAIL1", "name": "FIRSTNAME"}, "append_segment_name": True,
        "filename": "eu_{WORKID}_{TIMESTAMP}", "timezone": "UTC",
    }  # fmt: skip
    (path,) = export(eu_export, sftp_account("liveramp-sftp-userkey"), options)
    assert path == "eu_7_20260131.csv"
    assert (sshd.files / path).read_bytes().decode() == (
        "CustomerID\tEMAIL1\tFIRSTNAME\tlytics_audiences\r\n"
        'M1\tann@x.example\t"Ann ""A"", Ångström"\tEverybody&Search “ann”\r\n'
        'M2\tbob@x.example\t"=1+1|x\ty"\tEverybody\r\n'
        "M3\t\tEve Holm\tEverybody\r\n"
    )
    twice = {**options, "custom_field_mapping": {"email": "EMAIL1", "name": "EMAIL1"}}
    with pytest.raises(InputError, match="2 fields go to EMAIL1"):
        export(eu_export, sftp_account("liveramp-sftp-userkey"), twice)


def test_an_identifier_has_a_line_for_each_audience(export: Any, sftp_account: Account, sshd: Sshd) -> None:
    options = {
        "segment_ids": ["all", "search:ann"], "identifier_type": "IDENTITYLINK", "identifier_field": "email",
    }  # fmt: skip
    (path,) = export(identifier_export, sftp_account("liveramp-sftp-userkey"), options)
    assert (sshd.files / path).read_bytes().decode() == (
        "IDENTITYLINK,lytics_audiences\r\n"
        "ann@x.example,Everybody\r\n"
        "ann@x.example,Search “ann”\r\n"
        "bob@x.example,Everybody\r\n"
    )
