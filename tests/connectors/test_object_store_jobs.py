"""The jobs of the object stores from end to end: the engine runs them in worker processes against real servers."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from peers.azure import Azure
from peers.gcs import EMAIL, Gcs
from peers.s3 import ACCESS_KEY, S3, SECRET_KEY
from peers.secret_service import SecretService

from app.authorizations import add_authorization, check_authorization, open_credentials, scan_for_secrets
from app.engine import Engine
from app.jobs import JobDraft, create_job
from app.profiles import count_profiles, search_profiles
from app.workspace import create_workspace


@dataclass(frozen=True)
class Provider:
    """One of the three: how to sign in, what its jobs and their bucket options are called."""

    slug: str
    method: str
    values: dict[str, str]
    account: str
    bucket: str
    put: Callable[[str, str, bytes], None]
    get: Callable[[str, str], bytes]
    importing: str
    chosen: str
    into: str
    exporting: str
    events: str
    export_bucket: str
    more: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(params=["s3", "gcs", "azure"])
def provider(request: pytest.FixtureRequest) -> Provider:
    server: Any = request.getfixturevalue(request.param)
    match server:
        case S3():
            return Provider(
                "amazon-s3",
                "aws-keys",
                {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "api_address": server.address},
                f"access key {ACCESS_KEY}",
                server.bucket(),
                server.put,
                server.get,
                "s3-import",
                "filename",
                "bucket",
                "s3-user-csv-export",
                "s3-event-export",
                "bucket",
                {"directory": "out/", "filename": "{segment_slug}"},
            )
        case Gcs():
            return Provider(
                "google-cloud-storage",
                "google-cloud-storage-service-account",
                {"cert_json": json.dumps(server.service_account), "api_address": server.address},
                EMAIL,
                server.bucket(),
                server.put,
                server.get,
                "google-cloud-storage-import-files",
                "starting_file",
                "bucket",
                "google-cloud-storage-csv-export",
                "google-cloud-storage-event-export",
                "bucket_name",
                {"directory": "out", "filename": "{segment_slug}"},
            )
        case Azure():
            return Provider(
                "microsoft-azure",
                "azure-storage-connection-string",
                {"connection_string": server.connection_string},
                "storage account devstoreaccount1",
                server.container(),
                server.put,
                server.get,
                "azure-import-data",
                "filename",
                "container",
                "azure-export-audiences-csv",
                "azure-export-events",
                "container",
                {"file_prefix": "out/eu-"},
            )
    raise AssertionError(server)


@pytest.fixture
def engine(tmp_path: Path, secret_service: SecretService) -> Iterator[Engine]:
    create_workspace(tmp_path / "workspace", "Test").close()
    with Engine.open(tmp_path / "workspace") as opened:
        yield opened


def people(*rows: tuple[str, str]) -> bytes:
    text = "".join(f"{email},{town}\n" for email, town in [("email", "town"), *rows])
    return gzip.compress(text.encode())


def names(engine: Engine, provider: Provider, authorization: int, path: str) -> list[str]:
    """What the wizard's browser shows of a folder of the bucket."""
    function = engine.catalog.function(provider.slug, "list_files")
    options = {provider.into: provider.bucket, provider.export_bucket: provider.bucket}
    return [one.label for one in asyncio.run(function(open_credentials(engine, authorization), options, path))]


def test_files_come_from_a_bucket_and_go_to_one(engine: Engine, provider: Provider) -> None:
    authorization = add_authorization(engine, provider.method, "Storage", provider.values)
    assert check_authorization(engine, authorization).description == provider.account
    buckets = engine.catalog.function(provider.slug, "list_containers" if "azure" in provider.slug else "list_buckets")
    assert provider.bucket in [
        one.value for one in asyncio.run(buckets(open_credentials(engine, authorization), {}, ""))
    ]

    provider.put(provider.bucket, "in/people_2026-01-01.csv.gz", people(("ann@x.com", "Malmö"), ("bob@x.com", "Lund")))
    options = {
        provider.into: provider.bucket,
        provider.chosen: "in/people_2026-01-01.csv.gz",
        "stream": "people",
        "identifiers": ["email"],
        "continuous_update": True,
        "after_import": "move",
        "move_to": "done/",
    }
    importing = create_job(engine, JobDraft("Import", provider.importing, authorization, options))
    exporting = create_job(
        engine,
        JobDraft(
            "Export",
            provider.exporting,
            authorization,
            {
                "segment_id": "all",
                provider.export_bucket: provider.bucket,
                "fields": ["email", "town"],
                **provider.more,
            },
        ),
    )
    events = create_job(
        engine,
        JobDraft(
            "Events",
            provider.events,
            authorization,
            {provider.export_bucket: provider.bucket, "filename": "raw/events", "compress": "gz"},
        ),
    )

    async def scenario() -> None:
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None

        async def run(job: int) -> None:
            ended = await supervisor.finished(await supervisor.run(job))
            assert ended.status == "completed", ended.message

        await run(importing)
        assert count_profiles(engine) == 2
        provider.put(
            provider.bucket, "in/people_2026-01-02.csv.gz", people(("ann@x.com", "Oslo"), ("eve@x.com", "Bergen"))
        )
        await run(importing)
        await run(importing)
        await run(exporting)
        await run(events)
        await supervisor.stop()

    asyncio.run(scenario())
    assert count_profiles(engine) == 3
    assert search_profiles(engine, "ann@x.com")[0].fields["town"] == "Oslo"
    assert names(engine, provider, authorization, "in") == []
    assert sorted(names(engine, provider, authorization, "done")) == [
        "people_2026-01-01.csv.gz",
        "people_2026-01-02.csv.gz",
    ]
    (name,) = names(engine, provider, authorization, "out")
    rows = list(csv.DictReader(io.StringIO(provider.get(provider.bucket, f"out/{name}").decode())))
    assert sorted((row["email"], row["town"]) for row in rows) == [
        ("ann@x.com", "Oslo"),
        ("bob@x.com", "Lund"),
        ("eve@x.com", "Bergen"),
    ]
    raw = gzip.decompress(provider.get(provider.bucket, "raw/events.csv.gz")).decode()
    assert [row["email"] for row in csv.DictReader(io.StringIO(raw))] == [
        "ann@x.com",
        "bob@x.com",
        "ann@x.com",
        "eve@x.com",
    ]
    assert scan_for_secrets(engine) == []
