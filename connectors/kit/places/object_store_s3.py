"""Amazon S3, and what speaks like it, through boto3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.kit.errors import InputError, SignInError
from connectors.kit.network import causes
from connectors.kit.places.base import Progress
from connectors.kit.places.object_store import Found, ObjectPlace, part_size
from connectors.kit.places.object_store_faults import NOT_THE_SERVICE, Fault, NotTheService
from connectors.kit.places.object_store_web import CONNECT_SECONDS, SILENT_SECONDS, TRIES, Trust, api_address, proxies

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

CHUNK = 1024 * 1024
COPIED_AT_ONCE = 5 * 1024**3
"""Bytes of the largest object that S3 copies in one request."""
HOST = "s3.amazonaws.com"
REGION = "us-east-1"
"""Where one asks when no region is known: S3 says from there in which one a bucket is, and is asked again."""
ROLE_SESSION = "causeway"
"""The name under which a role's owner sees who used it."""


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to sign in: by a pair of keys or by a profile of this computer's AWS tools ("": the one they use
    by themselves), and as a role, if one is named. With an `address`, at another service that speaks S3.
    """

    access_key: str = ""
    secret_key: str = ""
    profile: str = ""
    role: str = ""
    external_id: str = ""
    region: str = ""
    address: str = ""


def open_s3(access: S3Access, bucket: str = "") -> ObjectPlace:
    """A bucket, or all of an account. Nothing is asked of the service yet. Raises InputError, SignInError."""
    return ObjectPlace(S3Store(access), bucket)


class S3Store:
    """An account at S3. See `connectors.kit.places.object_store.Store`."""

    scheme = "s3"
    bucket_word = "bucket"

    def __init__(self, access: S3Access) -> None:
        # Imported here: they take a fifth of a second, which only jobs at S3 shall pay.
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        self.errors: tuple[type[Exception], ...] = (
            BotoCoreError,
            ClientError,
            Boto3Error,
            ResponseParserError,
            NotTheService,
            # How a server that sends everybody elsewhere again and again ends.
            RecursionError,
        )
        address = api_address(access.address)
        self.host = urlsplit(address).netloc or HOST
        self.service = self.host if address else "Amazon S3"
        self._trust = Trust()
        try:
            self._client = _client(access, address, self._trust.path)
        except BaseException:
            self._trust.close()
            raise

    def fault(self, error: Exception) -> Fault:
        from boto3.exceptions import Boto3Error
        from botocore import exceptions
        from botocore.parsers import ResponseParserError

        match error:
            case exceptions.ClientError():
                answer: Any = error.response
                said, about = answer.get("Error", {}), answer.get("ResponseMetadata", {})
                headers = about.get("HTTPHeaders", {})
                if said.get("Code") == "500" and "x-amz-request-id" not in headers:
                    # So the library reads a success that is no XML.
                    return Fault(200, NOT_THE_SERVICE)
                wait = str(headers.get("retry-after", ""))
                return Fault(
                    int(about.get("HTTPStatusCode", 0)),
                    str(said.get("Code", "")),
                    str(said.get("Message", "")),
                    float(wait) if wait.isdecimal() else None,
                )
            case exceptions.ParamValidationError() if "bucket name" in str(error).lower():
                return Fault(400, "InvalidBucketName")
            case exceptions.ParamValidationError() | exceptions.InvalidRegionError():
                return Fault(400, type(error).__name__, str(error))
            case exceptions.NoCredentialsError() | exceptions.CredentialRetrievalError():
                return Fault(401, type(error).__name__, str(error))
            case exceptions.TokenRetrievalError() | exceptions.SSOError():
                return Fault(401, "ExpiredToken", str(error))
            case ResponseParserError() | NotTheService():
                return Fault(200, NOT_THE_SERVICE)
            case Boto3Error() if isinstance(error.__context__, exceptions.ClientError):
                return self.fault(error.__context__)
        if any(isinstance(cause, RecursionError) for cause in causes(error)):
            return Fault(301, "PermanentRedirect")
        return Fault(0, cause=error)

    def buckets(self) -> Iterator[Found]:
        for page in self._client.get_paginator("list_buckets").paginate():
            if "Buckets" not in page:
                raise NotTheService
            for bucket in page["Buckets"]:
                yield Found(bucket.get("Name", ""), modified=bucket.get("CreationDate"), is_folder=True)

    def keys(self, bucket: str, prefix: str) -> Iterator[Found]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        for page in pages:
            if "Name" not in page:
                raise NotTheService
            for folder in page.get("CommonPrefixes", ()):
                yield Found(folder.get("Prefix", ""), is_folder=True)
            for found in page.get("Contents", ()):
                # In seconds, as the answer about one object has it; some services are more exact in lists.
                modified = found["LastModified"].replace(microsecond=0)
                yield Found(found["Key"], found["Size"], modified, found.get("ETag", ""))

    def head(self, bucket: str, key: str) -> Found:
        from botocore.exceptions import ClientError

        try:
            found: Any = self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if self.fault(error).status == 404:
                raise
            # The answer to a HEAD has no body, so it can't say what is wrong. Asked this way, it does.
            found = self._client.get_object(Bucket=bucket, Key=key)
            found["Body"].close()
        if "LastModified" not in found:
            raise NotTheService
        return Found(key, int(found["ContentLength"]), found["LastModified"], str(found.get("ETag", "")))

    def read(self, bucket: str, key: str, offset: int, size: int, tag: str) -> Iterator[bytes]:
        condition: Any = {"IfMatch": tag} if tag else {}
        answer = self._client.get_object(
            Bucket=bucket, Key=key, Range=f"bytes={offset}-{offset + size - 1}", **condition
        )
        with closing(answer["Body"]) as body:
            while data := body.read(CHUNK):
                yield data

    def send(self, local: Path, bucket: str, key: str, size: int, progress: Progress | None) -> Found:
        step = part_size(size)
        if size <= step:
            tag = self._client.put_object(Bucket=bucket, Key=key, Body=local.read_bytes()).get("ETag", "")
            if progress is not None:
                progress(size, size)
            return Found(key, size, tag=tag)
        upload = self._client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        parts: list[Any] = []
        done = 0
        try:
            with local.open("rb") as file:
                while (data := file.read(step)) and done + len(data) <= size:
                    number = len(parts) + 1
                    sent = self._client.upload_part(
                        Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data
                    )
                    # Where each part has a checksum, the whole wants to be told of it.
                    sums = {name: value for name, value in sent.items() if name.startswith("Checksum") and value}
                    parts.append({"PartNumber": number, "ETag": sent["ETag"], **sums})
                    done += len(data)
                    if progress is not None:
                        progress(done, size)
                if done != size or data:
                    raise InputError(f"{local.name} changed while it was being sent.", advice="Send it again.")
            whole = self._client.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            # Parts of an upload that is given up are paid for until somebody deletes them.
            with suppress(*self.errors):
                self._client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
            raise
        return Found(key, size, tag=whole.get("ETag", ""))

    def copy(self, bucket: str, key: str, to: tuple[str, str], found: Found) -> None:
        source: Any = {"Bucket": bucket, "Key": key}
        if found.size > COPIED_AT_ONCE:
            self._client.copy(source, to[0], to[1])
        else:
            self._client.copy_object(Bucket=to[0], Key=to[1], CopySource=source, CopySourceIfMatch=found.tag)

    def delete(self, bucket: str, key: str) -> None:
        self._client.delete_object(Bucket=bucket, Key=key)

    def close(self) -> None:
        self._client.close()
        self._trust.close()


def _client(access: S3Access, address: str, certificates: str) -> S3Client:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    settings: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": SILENT_SECONDS,
        "retries": {"total_max_attempts": TRIES, "mode": "standard"},
        "proxies": proxies(),
        # Where this computer's AWS tools are told to send everything is not for the keys of other accounts.
        "ignore_configured_endpoint_urls": bool(access.access_key),
    }
    if address:
        # Who only speaks like S3 seldom has names of hosts for each bucket, or the newer checksums.
        settings |= {
            "s3": {"addressing_style": "path"},
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
        }
    at: dict[str, Any] = {"endpoint_url": address or None, "verify": certificates, "config": Config(**settings)}
    try:
        session = _session(access)
        if access.role:
            _take_role(session, access, at)
        client: S3Client = session.create_client("s3", **at)
    except BotoCoreError as error:
        raise SignInError(
            f"The AWS profile “{access.profile or 'default'}” of this computer can't be used."
            if not access.access_key
            else "The keys of this authorization can't be used.",
            advice="Check its name, or sign in to it anew." if not access.access_key else "Copy them anew.",
            details=str(error),
        ) from error
    except ValueError as error:
        raise InputError(
            f"“{address or access.region}” can't be used as an address or region.",
            advice="Check API address and region of the authorization.",
            details=str(error),
        ) from error
    return client


def _session(access: S3Access) -> Any:
    """What clients are made from: keys by themselves alone, or what this computer's AWS tools are signed in to."""
    from botocore.session import Session

    if access.access_key:
        # What stands in this computer's AWS settings belongs to other accounts.
        nowhere = (None, None, os.devnull, None)
        session = Session({"profile": (None, None, None, None), "config_file": nowhere, "credentials_file": nowhere})
        session.set_config_variable("region", access.region or REGION)
        session.set_credentials(access.access_key, access.secret_key)
        return session
    session = Session(profile=access.profile or None)
    session.set_config_variable("region", access.region or session.get_config_variable("region") or REGION)
    if session.get_credentials() is None:
        raise SignInError(
            "There are no access keys, and the AWS tools of this computer are signed in nowhere.",
            advice="Enter an access key and its secret key, or set up an AWS profile (aws configure).",
        )
    return session


def _take_role(session: Any, access: S3Access, at: dict[str, Any]) -> None:
    """Let the session act as a role, which is taken anew whenever it runs out, after an hour mostly."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    def client(service: str, **own: Any) -> Any:
        return session.create_client(service, **{**at, **own})

    extra = {"RoleSessionName": ROLE_SESSION}
    if access.external_id:
        extra["ExternalId"] = access.external_id
    fetcher = AssumeRoleCredentialFetcher(client, session.get_credentials(), access.role, extra_args=extra)
    # The public setter takes fixed keys only; this is where a session keeps those that renew themselves.
    session._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
