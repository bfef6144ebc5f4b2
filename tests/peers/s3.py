"""A server that speaks S3 and STS: moto's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from peers.running import running

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
_NAMES = count()


@dataclass(frozen=True)
class S3:
    """A running server and a client of it for what tests prepare and look at."""

    address: str
    client: Any

    def bucket(self) -> str:
        """A new, empty bucket."""
        name = f"bucket-{next(_NAMES)}"
        self.client.create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, key: str, data: bytes, **more: Any) -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=data, **more)

    def get(self, bucket: str, key: str) -> bytes:
        with self.client.get_object(Bucket=bucket, Key=key)["Body"] as body:
            data: bytes = body.read()
        return data

    def uploads(self, bucket: str) -> int:
        """How many uploads were begun and neither completed nor given up."""
        return len(self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", []))


@contextmanager
def run_s3() -> Iterator[S3]:
    """A server for the length of the block."""
    import boto3

    with running(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], r"http://127\.0\.0\.1:(\d+)"
    ) as port:
        address = f"http://127.0.0.1:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=address,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
        )
        try:
            yield S3(address, client)
        finally:
            client.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """One server for the whole test session."""
    with run_s3() as server:
        yield server
