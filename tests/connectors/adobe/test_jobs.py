"""Adobe's files, byte for byte, on a real SSH server."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from connectors.adobe.jobs import analytics_preview, people_export, traits_export
from connectors.kit.errors import InputError
from connectors.kit.types import Credentials

if TYPE_CHECKING:
    from peers.sshd import Sshd

Account = Callable[..., Credentials]


def test_campaign_takes_a_csv_file(export: Any, sftp_account: Account, sshd: Sshd) -> None:
    options = {
        "segment_id": "search:ann", "fields": ["email", "name", "tags"], "delimiter": ";", "timezone": "UTC",
        "filename": "campaign/{segment_slug}_{TIMESTAMP}", "append_segment_slug": True,
    }  # fmt: skip
    (path,) = export(people_export, sftp_account("adobe-sftp"), options)
    assert path == "campaign/search_ann_20260131.csv"
    assert (sshd.files / path).read_bytes().decode() == (
        'email;name;tags;audience_slug\r\nann@x.example;"Ann ""A"", Ångström";a&b&vip;search_ann\r\n'
    )


def test_audience_manager_takes_pairs_after_a_tab(export: Any, sftp_account: Account, sshd: Sshd) -> None:
    options = {
        "segment_ids": ["all", "search:ann"], "identifier_field": "member_id", "data_source": "478",
        "fields_mapping": {"name": "name", "tags": "tag", "visits": "visits"},
    }  # fmt: skip
    (path,) = export(traits_export, sftp_account("adobe-sftp"), options)
    assert path == "ftp_dpm_478_1769900709.sync"
    assert (sshd.files / path).read_bytes().decode() == (
        'M1\t"name"="Ann \'A\', Ångström","tag"="a&b","tag"="vip","visits"="3","audience"="all",'
        '"audience"="search_ann"\n'
        'M2\t"name"="=1+1|x y","audience"="all"\n'
        'M3\t"name"="Eve Holm","tag"="vip","visits"="0","audience"="all"\n'
    )
    with pytest.raises(InputError, match="no number of a data source"):
        export(traits_export, sftp_account("adobe-sftp"), {**options, "data_source": "4x"})


def test_an_overwriting_file_is_split_and_packed_by_adobes_names(
    export: Any, sftp_account: Account, sshd: Sshd
) -> None:
    options = {
        "segment_ids": ["all"], "identifier_field": "member_id", "data_source": "20914", "target": "21",
        "audience_key": "seg", "mode": "overwrite", "compress": "gz", "max_bytes": 30,
    }  # fmt: skip
    paths = export(traits_export, sftp_account("adobe-sftp"), options)
    assert paths == [f"ftp_dpm_20914_21_1769900709.overwrite.{part}.gz" for part in (1, 2)]
    parts = [gzip.decompress((sshd.files / path).read_bytes()).decode() for path in paths]
    assert parts == ['M1\t"seg"="all"\nM2\t"seg"="all"\n', 'M3\t"seg"="all"\n']


def test_files_of_analytics_are_read(sftp_account: Account, sshd: Sshd) -> None:
    sshd.put("report_2026-01-31.tsv", b"visitor\tpage\nv1\t/shop\n")
    preview = asyncio.run(analytics_preview(sftp_account("adobe-sftp"), {"filename": "report_2026-01-31.tsv"}))
    assert [column.name for column in preview.columns] == ["visitor", "page"]
    assert preview.rows == (("v1", "/shop"),)
