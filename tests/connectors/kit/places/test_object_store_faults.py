"""What object stores complain of, and servers that are none: each time a sentence, and no secret in it."""

from __future__ import annotations

import gzip
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from peers.azure import ACCOUNT, KEY, Azure
from peers.cutter import Cutter
from peers.gcs import Gcs
from peers.s3 import ACCESS_KEY, S3, SECRET_KEY, run_s3

from connectors.kit.errors import ConnectorError, InputError, SignInError, WaitError
from connectors.kit.network import trusted
from connectors.kit.places import object_store, object_store_azure, object_store_gcs, object_store_s3
from connectors.kit.places.object_store import PART, PARTS, ObjectPlace, part_size
from connectors.kit.places.object_store_azure import open_azure
from connectors.kit.places.object_store_gcs import ServiceAccount, open_gcs
from connectors.kit.places.object_store_s3 import S3Access, open_s3
from connectors.kit.places.object_store_web import Trust

SIGNATURE = "sig=very-secret"


@pytest.fixture(autouse=True)
def _one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits here between one try and the next."""
    for module in (object_store_s3, object_store_gcs, object_store_azure):
        monkeypatch.setattr(module, "TRIES", 1)


@contextmanager
def answering(status: int, body: str, headers: dict[str, str] | None = None) -> Iterator[str]:
    """The address of a server that answers everything alike; a HEAD without the body, as HTTP has it."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in {"Content-Type": "application/xml", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body.encode())

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - names of the library

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def s3_at(address: str, bucket: str = "bucket") -> ObjectPlace:
    return open_s3(S3Access(ACCESS_KEY, SECRET_KEY, address=address), bucket)


def azure_at(address: str, container: str = "bucket") -> ObjectPlace:
    text = f"BlobEndpoint={address}/{ACCOUNT};SharedAccessSignature=sv=2024&{SIGNATURE}"
    return open_azure(text, container)


def xml(code: str, message: str = "…") -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'


def raised(place: ObjectPlace, act: Callable[[ObjectPlace], Any]) -> ConnectorError:
    with closing(place), pytest.raises(ConnectorError) as caught:
        act(place)
    told = f"{caught.value} {caught.value.advice} {caught.value.details}"
    assert SECRET_KEY not in told
    assert "very-secret" not in told
    assert caught.value.advice
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "kind", "sentence"),
    [
        (403, "SignatureDoesNotMatch", SignInError, "does not accept the keys"),
        (403, "InvalidAccessKeyId", SignInError, "does not accept the keys"),
        (400, "ExpiredToken", SignInError, "has expired"),
        (403, "RequestTimeTooSkewed", InputError, "the clock of this computer is wrong"),
        (403, "AccessDenied", InputError, "may not read “in/a.csv” in s3://bucket"),
        (403, "InvalidObjectState", InputError, "“in/a.csv” is in an archive"),
        (301, "PermanentRedirect", InputError, "“bucket” is in another region"),
        (404, "NoSuchBucket", InputError, "There is no bucket “bucket”"),
        (503, "SlowDown", WaitError, "asks to wait"),
        (500, "InternalError", WaitError, "is in trouble (error 500)"),
        (507, "XMinioStorageFull", InputError, "There is no room left"),
        (418, "Teapot", InputError, "could not read “in/a.csv”"),
    ],
)
def test_what_s3_says(status: int, code: str, kind: type[ConnectorError], sentence: str) -> None:
    with answering(status, xml(code)) as address:
        error = raised(s3_at(address), lambda place: place.open("in/a.csv"))
    assert isinstance(error, kind)
    assert sentence in error.message


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "sentence"),
    [
        (403, "AuthenticationFailed", "Server failed to authenticate the request.", SignInError, "does not accept"),
        (403, "AuthenticationFailed", "Request date header too old", InputError, "the clock of this computer is wrong"),
        (403, "AuthorizationPermissionMismatch", "…", InputError, "may not read “in/a.csv” in azure://bucket"),
        (404, "ContainerNotFound", "The specified container does not exist.", InputError, "no container “bucket”"),
        (409, "BlobArchived", "…", InputError, "“in/a.csv” is in an archive"),
        (400, "InvalidResourceName", "…", InputError, "“bucket” is not the name of a container"),
        (503, "ServerBusy", "…", WaitError, "asks to wait"),
    ],
)
def test_what_azure_says(status: int, code: str, message: str, kind: type[ConnectorError], sentence: str) -> None:
    with answering(status, xml(code, message), {"x-ms-error-code": code}) as address:
        # What the answer to a HEAD says, it says in headers; the clock is only in the body of another.
        act = ObjectPlace.list if "date" in message else lambda place: place.open("in/a.csv")
        error = raised(azure_at(address), act)
    assert isinstance(error, kind)
    assert sentence in error.message


def google(reason: str, message: str) -> str:
    return json.dumps({"error": {"message": message, "errors": [{"reason": reason, "message": message}]}})


@pytest.mark.parametrize(
    ("status", "reason", "message", "kind", "sentence"),
    [
        (401, "authError", "Invalid Credentials", SignInError, "does not accept the keys"),
        (
            403,
            "forbidden",
            "… does not have storage.objects.get access",
            InputError,
            "may not read “in/a.csv”",
        ),
        (404, "notFound", "The specified bucket does not exist.", InputError, "There is no bucket “bucket”"),
        (429, "rateLimitExceeded", "Too many requests", WaitError, "asks to wait"),
        (403, "userRateLimitExceeded", "Too many requests", WaitError, "is in trouble"),
    ],
)
def test_what_google_says(
    gcs: Gcs, status: int, reason: str, message: str, kind: type[ConnectorError], sentence: str
) -> None:
    with answering(status, google(reason, message), {"Retry-After": "77"}) as address:
        place = open_gcs(json.dumps(gcs.service_account), "bucket", address=address)
        error = raised(place, lambda place: place.open("in/a.csv"))
    assert isinstance(error, kind)
    assert sentence in error.message
    if isinstance(error, WaitError):
        assert error.retry_after == 77


@pytest.mark.parametrize("service", ["s3", "azure", "gcs"])
def test_an_address_where_something_else_answers_or_nobody(gcs: Gcs, service: str) -> None:
    def at(address: str) -> ObjectPlace:
        if service == "gcs":
            return open_gcs(json.dumps(gcs.service_account), "bucket", address=address)
        return s3_at(address) if service == "s3" else azure_at(address)

    with answering(200, "<!doctype html><p>Welcome to our shop") as address:
        error = raised(at(address), ObjectPlace.list)
        assert isinstance(error, InputError)
        assert "does not answer like" in error.message
    error = raised(at(address), ObjectPlace.list)
    assert isinstance(error, WaitError)
    assert "127.0.0.1" in error.message
    for nonsense in ("http://storage.agency.example", "https://", "ftp://127.0.0.1", "http://127.0.0.1:99999"):
        with pytest.raises(InputError):
            at(nonsense)


def test_keys_that_s3_itself_looks_at(tmp_path: Path) -> None:
    """moto checks signatures and rights when it is told to; what it is asked before makes a user without any."""
    import boto3

    with run_s3() as server:
        bucket = server.bucket()
        server.put(bucket, "a.csv", b"a")
        iam = boto3.client(
            "iam",
            endpoint_url=server.address,
            aws_access_key_id="x",
            aws_secret_access_key="x",
            region_name="us-east-1",
        )
        iam.create_user(UserName="maja")
        keys = iam.create_access_key(UserName="maja")["AccessKey"]
        iam.close()
        httpx.post(f"{server.address}/moto-api/reset-auth", content="0").raise_for_status()

        def opened(access_key: str, secret_key: str, bucket: str = bucket) -> ObjectPlace:
            return open_s3(S3Access(access_key, secret_key, address=server.address), bucket)

        mine = keys["AccessKeyId"], keys["SecretAccessKey"]
        error = raised(opened("AKIANOBODYKNOWSTHIS1", SECRET_KEY), ObjectPlace.list)
        assert isinstance(error, SignInError)
        for act in (ObjectPlace.list, lambda place: place.open("a.csv")):
            error = raised(opened(mine[0], SECRET_KEY), act)
            assert isinstance(error, SignInError), error
        error = raised(opened(*mine), lambda place: place.open("a.csv"))
        assert isinstance(error, InputError)
        assert f"may not read “a.csv” in s3://{bucket}" in error.message
        error = raised(opened(*mine, ""), ObjectPlace.list)
        assert error.message == f"These keys may not list the buckets at {server.address.partition('//')[2]}."
        with closing(opened(*mine)) as place:
            place.reach()


def test_a_service_account_whose_signature_or_clock_is_wrong(gcs: Gcs, tmp_path: Path) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    changed = {**gcs.service_account, "private_key": other.decode()}
    error = raised(open_gcs(json.dumps(changed), "bucket", address=gcs.address), ObjectPlace.list)
    assert isinstance(error, SignInError)
    assert "Invalid JWT Signature" in error.details

    slow = ServiceAccount(gcs.service_account, clock=lambda: time.time() - 7200)
    place = open_gcs(json.dumps(gcs.service_account), "bucket", address=gcs.address)
    place._store._client.auth = slow  # type: ignore[attr-defined]
    error = raised(place, ObjectPlace.list)
    assert isinstance(error, InputError)
    assert "the clock of this computer is wrong" in error.message


def test_who_gives_out_tokens_is_not_there(gcs: Gcs) -> None:
    with answering(200, "{}") as gone:
        pass
    elsewhere = {**gcs.service_account, "token_uri": f"{gone}/token"}
    error = raised(open_gcs(json.dumps(elsewhere), "bucket", address=gcs.address), ObjectPlace.list)
    assert isinstance(error, WaitError)
    assert gone.rpartition("/")[2] in error.message


def test_a_token_is_got_once_and_anew_before_it_ends(gcs: Gcs) -> None:
    now = [time.time()]
    auth, asked = ServiceAccount(gcs.service_account, clock=lambda: now[0]), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"access_token": f"t{len(asked)}", "expires_in": 3600})

    with httpx.Client(auth=auth, transport=httpx.MockTransport(answer)) as client:
        for later in (0, 60, 3200, 200):
            now[0] += later
            client.get("https://storage.example/o")
    assert asked == ["/token", "/o", "/o", "/o", "/token", "/o"]


def test_google_may_keep_less_than_it_was_given(gcs: Gcs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "PART", 1 << 20)
    data = random.Random(8).randbytes(2_500_000)
    (tmp_path / "out.bin").write_bytes(data)
    kept = bytearray()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t"})
        if request.method == "POST":
            return httpx.Response(200, headers={"Location": "https://storage.googleapis.com/upload?upload_id=1"})
        begin, end = request.headers["Content-Range"].removeprefix("bytes ").partition("/")[0].split("-")
        assert int(begin) == len(kept)
        body = request.read()
        assert len(body) == int(end) - int(begin) + 1 == int(request.headers["Content-Length"])
        kept.extend(body[: max(len(body) * 2 // 3, 100_000)])
        if len(kept) < len(data):
            return httpx.Response(308, headers={"Range": f"bytes=0-{len(kept) - 1}"})
        return httpx.Response(200, json={"name": "out.bin", "size": str(len(kept)), "updated": "2026-01-31T10:00:00Z"})

    place = open_gcs(json.dumps(gcs.service_account), "bucket")
    place._store._client = httpx.Client(  # type: ignore[attr-defined]
        auth=ServiceAccount(gcs.service_account), transport=httpx.MockTransport(answer)
    )
    steps: list[int] = []
    with closing(place):
        place.send(tmp_path / "out.bin", "out.bin", progress=lambda done, _: steps.append(done))
    assert bytes(kept) == data
    assert steps == sorted(steps)
    assert steps[-1] == len(data)


@pytest.mark.parametrize(
    "page", [{"items": "no"}, {"items": ["a"]}, {"items": [{"name": "a"}]}, {"nextPageToken": "1"}, [], "x"]
)
def test_lists_of_google_that_are_none(gcs: Gcs, page: Any) -> None:
    with answering(200, json.dumps(page)) as address:
        error = raised(open_gcs(json.dumps(gcs.service_account), "bucket", address=address), ObjectPlace.list)
    assert "does not answer like" in error.message


def test_lists_of_google_have_pages(gcs: Gcs) -> None:
    pages = {
        "": {"prefixes": ["in/old/"], "nextPageToken": "two"},
        # A page may be empty and still not be the last.
        "two": {"nextPageToken": "three"},
        "three": {"items": [{"name": "in/a.csv", "size": "1", "generation": "7", "updated": "2026-01-31T10:00:00Z"}]},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t"})
        asked = request.url.params
        assert (request.url.path, asked["prefix"], asked["delimiter"]) == ("/storage/v1/b/bucket/o", "in/", "/")
        return httpx.Response(200, json=pages[asked.get("pageToken", "")])

    with closing(open_gcs(json.dumps(gcs.service_account), "bucket")) as place:
        place._store._client = httpx.Client(  # type: ignore[attr-defined]
            auth=ServiceAccount(gcs.service_account), transport=httpx.MockTransport(answer)
        )
        assert [(entry.path, entry.tag) for entry in place.list("in")] == [("in/old/", ""), ("in/a.csv", "7")]


def test_a_name_that_no_bucket_can_have(s3: S3) -> None:
    for name in ("My Bucket!", "s3://bucket"):
        error = raised(s3_at(s3.address, name), ObjectPlace.list)
        assert isinstance(error, InputError)
        assert error.message == f"“{name}” is not the name of a bucket."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not JSON"),
        ("[]", "not the key of a service account"),
        ('{"type": "authorized_user"}', "This JSON is for “authorized_user”"),
        ('{"type": "service_account", "client_email": "a@b"}', "lacks private_key, token_uri"),
        (
            '{"type": "service_account", "client_email": "a", "private_key": "x", "token_uri": "http://evil.example"}',
            "not safe",
        ),
        (
            '{"type": "service_account", "client_email": "a", "private_key": "x", "token_uri": "https://t.example"}',
            "private key of the service account can't be read",
        ),
    ],
)
def test_what_is_no_service_account(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        open_gcs(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not a connection string"),
        ("my key", "not a connection string"),
        ("AccountName=shop", "neither an account key nor a signature"),
        (f"AccountKey={KEY}", "does not say which storage account"),
        ("AccountName=shop;AccountKey=%%%;BlobEndpoint=http://shop.example", "not safe"),
    ],
)
def test_what_is_no_connection_string(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        open_azure(text)


def test_a_connection_cut_at_any_byte_changes_no_file(s3: S3, tmp_path: Path) -> None:
    data = random.Random(6).randbytes(3_000_000)
    bucket, chance = s3.bucket(), random.Random(7)
    s3.put(bucket, "in.bin", data)
    line = Cutter("127.0.0.1", int(s3.address.rpartition(":")[2]))
    access = S3Access(ACCESS_KEY, SECRET_KEY, address=f"http://127.0.0.1:{line.port}")
    local, source = tmp_path / "in.bin", tmp_path / "out.bin"
    source.write_bytes(data)
    try:
        with closing(open_s3(access, bucket)) as place:
            while line.cuts < 100:
                line.bytes_left = chance.randrange(1, 1_500_000)
                with suppress(WaitError):
                    if chance.random() < 0.9:
                        place.fetch("in.bin", local)
                        assert local.read_bytes() == data
                        local.unlink()
                    else:
                        place.send(source, "out.bin")
            line.bytes_left = None
            place.fetch("in.bin", local)
            place.send(source, "out.bin")
    finally:
        line.close()
    assert local.read_bytes() == data
    assert s3.get(bucket, "out.bin") == data


def test_a_sending_that_fails_leaves_no_parts_behind(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "PART", 20 * 256 * 1024)
    local, bucket = tmp_path / "big.bin", s3.bucket()
    local.write_bytes(bytes(11_000_000))

    def grow(done: int, total: int) -> None:
        with local.open("ab") as file:
            file.write(b"more")

    with closing(s3_at(s3.address, bucket)) as place:
        with pytest.raises(InputError, match="changed while it was being sent"):
            place.send(local, "big.bin", progress=grow)
        assert place.list() == []
    assert s3.uploads(bucket) == 0


def test_a_role_is_taken_with_keys_and_with_a_profile(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket()
    s3.put(bucket, "a.csv", b"a")
    role = "arn:aws:iam::123456789012:role/partner"
    (tmp_path / "credentials").write_text(
        f"[agency]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    by_keys = S3Access(ACCESS_KEY, SECRET_KEY, role=role, external_id="shop-7", address=s3.address)
    by_profile = S3Access(profile="agency", role=role, address=s3.address)
    for access in (by_keys, by_profile):
        with closing(open_s3(access, bucket)) as place:
            assert [entry.path for entry in place.list()] == ["a.csv"]
            used = place._store._client._request_signer._credentials  # type: ignore[attr-defined]
            assert used.access_key.startswith("ASIA"), "those of the role, not the keys themselves"
    with pytest.raises(SignInError, match="The AWS profile “nobody”"):
        open_s3(S3Access(profile="nobody", address=s3.address))
    with pytest.raises(SignInError, match="There are no access keys"):
        open_s3(S3Access(address=s3.address))
    # A profile that this computer's AWS tools are set to is nothing to keys of another account.
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with closing(open_s3(S3Access(ACCESS_KEY, SECRET_KEY, address=s3.address), bucket)) as place:
        assert [entry.path for entry in place.list()] == ["a.csv"]


def test_what_was_stored_with_an_encoding_stays_packed(s3: S3, gcs: Gcs, azure: Azure) -> None:
    """Web servers are told "Content-Encoding: gzip" so that browsers unpack; a file is fetched as it lies there."""
    from azure.storage.blob import ContentSettings

    data = gzip.compress(b"email\n" * 1000)
    bucket = s3.bucket()
    s3.put(bucket, "a.csv.gz", data, ContentEncoding="gzip")
    container = azure.container()
    azure.put(container, "a.csv.gz", data, content_settings=ContentSettings(content_encoding="gzip"))
    for place in (s3_at(s3.address, bucket), open_azure(azure.connection_string, container)):
        with closing(place), place.open("a.csv.gz") as stream:
            assert stream.read(100_000) == data


def test_a_signature_does_what_it_is_for(azure: Azure, tmp_path: Path) -> None:
    from azure.storage.blob import (
        AccountSasPermissions,
        ContainerSasPermissions,
        ResourceTypes,
        generate_account_sas,
        generate_container_sas,
    )

    until = datetime.now(UTC) + timedelta(hours=1)
    endpoint = re.findall(r"BlobEndpoint=([^;]*)", azure.connection_string)[0]
    everything = generate_account_sas(
        ACCOUNT, KEY, ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, delete=True, list=True, create=True), until,
    )  # fmt: skip
    container = azure.container()
    azure.put(container, "in/a b.csv", b"a")
    with closing(open_azure(f"BlobEndpoint={endpoint};SharedAccessSignature={everything}", container)) as place:
        place.move("in/a b.csv", "done/a b.csv")
        assert azure.get(container, "done/a b.csv") == b"a"
        assert [entry.path for entry in place.list()] == ["done/"]

    writes = generate_container_sas(
        ACCOUNT, container, KEY, permission=ContainerSasPermissions(write=True, create=True), expiry=until
    )
    only = f"AccountName={ACCOUNT};BlobEndpoint={endpoint};SharedAccessSignature={writes}"
    (tmp_path / "out.csv").write_bytes(b"out")
    with closing(open_azure(only, container)) as place:
        place.reach()
        place.send(tmp_path / "out.csv", "out.csv")
    assert azure.get(container, "out.csv") == b"out"
    error = raised(open_azure(only, container), ObjectPlace.list)
    assert f"may not look into the container “{container}”" in error.message


def test_an_object_of_any_size_has_few_enough_parts() -> None:
    for size in (0, 1, PART, PART * PARTS, PART * PARTS + 1, 10**12, 5 * 10**12, 10**13):
        step = part_size(size)
        assert step % (256 * 1024) == 0
        assert -(-size // step) <= 10_000
        assert step < 4_000_000_000


def test_an_archived_object_is_told_so(s3: S3, azure: Azure) -> None:
    bucket, container = s3.bucket(), azure.container()
    s3.put(bucket, "old.csv", b"x", StorageClass="GLACIER")
    azure.put(container, "old.csv", b"x")
    azure.client.get_blob_client(container, "old.csv").set_standard_blob_tier("Archive")
    for place in (s3_at(s3.address, bucket), open_azure(azure.connection_string, container)):
        with closing(place):
            assert [entry.name for entry in place.list()] == ["old.csv"]
            with pytest.raises(InputError, match=r"“old\.csv” is in an archive"), place.open("old.csv") as stream:
                stream.read(1)


def test_earlier_versions_are_neither_listed_nor_read(s3: S3) -> None:
    bucket = s3.bucket()
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for text in (b"first", b"second"):
        s3.put(bucket, "a.csv", text)
    with closing(s3_at(s3.address, bucket)) as place:
        assert [entry.size for entry in place.list()] == [6]
        with place.open("a.csv") as stream:
            assert stream.read(10) == b"second"
        place.delete("a.csv")
        assert place.list() == []
        with pytest.raises(InputError, match="not in"):
            place.stat("a.csv")


def test_the_authorities_of_this_computer_are_given_to_libraries_that_want_a_file() -> None:
    trust = Trust()
    text = Path(trust.path).read_text()
    assert text.count("BEGIN CERTIFICATE") == len(trusted().get_ca_certs())
    trust.close()
    trust.close()
    assert not Path(trust.path).exists()
