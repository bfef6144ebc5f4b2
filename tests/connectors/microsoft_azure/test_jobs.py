"""What is Azure's own: the prefix of a file's name, the audiences of a person, large files in parts, PGP."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from connectors.kit.types import Credentials
from connectors.microsoft_azure.jobs import csv_export, event_export, json_export

if TYPE_CHECKING:
    from peers.azure import Azure
    from peers.pgp import PgpPeer

METHOD = "azure-storage-connection-string"


def test_json_of_people_begins_with_the_prefix_and_is_cut_at_its_size(export: Any, azure: Azure) -> None:
    container = azure.container()
    account = Credentials(METHOD, {}, {"connection_string": azure.connection_string})
    options = {
        "segment_id": "all", "container": container, "fields": ["email"], "file_prefix": "out/eu-", "timezone": "UTC",
        "include_segs": True, "max_bytes": 80,
    }  # fmt: skip
    paths = export(json_export, account, options)
    assert paths == [f"out/eu-all_2026-01-31T23-05-09_{part}.json" for part in (1, 2)]
    people = [json.loads(line) for path in paths for line in azure.get(container, path).splitlines()]
    assert [one.get("email") for one in people] == ["ann@x.example", "bob@x.example", None]
    assert [one["audiences"] for one in people] == [["all"]] * 3


def test_csv_of_people_joins_as_it_is_told(export: Any, azure: Azure) -> None:
    container = azure.container()
    account = Credentials(METHOD, {}, {"connection_string": azure.connection_string})
    options = {
        "segment_id": "search:ann", "container": container, "fields": ["email", "tags"], "delimiter": "|", "join": ";",
        "include_segs": True,
    }  # fmt: skip
    (path,) = export(csv_export, account, options)
    (row,) = csv.DictReader(io.StringIO(azure.get(container, path).decode()), delimiter="|")
    assert row == {"email": "ann@x.example", "tags": "a&b;vip", "audiences": "search_ann"}


def test_events_are_encrypted_where_there_is_a_key(export: Any, azure: Azure, pgp: PgpPeer) -> None:
    container = azure.container()
    account = Credentials(METHOD, {"pgppublickey": pgp.curve.public}, {"connection_string": azure.connection_string})
    (path,) = export(event_export, account, {"container": container, "streams": ["crm"], "filename": "raw/{job}"})
    rows = list(csv.DictReader(io.StringIO(pgp.decrypt(azure.get(container, path)).decode())))
    assert path.startswith("raw/Daily export.csv.")
    assert [row["id"] for row in rows] == ["M1", "M2", "M3"]
