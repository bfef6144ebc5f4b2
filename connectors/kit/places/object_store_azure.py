"""Azure Blob Storage through Microsoft's library. What others call a bucket is a container there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.kit.errors import InputError, WaitError
from connectors.kit.http import checked_address
from connectors.kit.places.base import Progress
from connectors.kit.places.object_store import Found, ObjectPlace, part_size
from connectors.kit.places.object_store_faults import NOT_THE_SERVICE, Fault
from connectors.kit.places.object_store_web import CONNECT_SECONDS, SILENT_SECONDS, TRIES, Trust, proxies

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobProperties, BlobServiceClient

CHUNK = 4 * 1024 * 1024
COPY_SECONDS = 600
ENDPOINT_SUFFIX = "core.windows.net"
FOLDER_MARK = "hdi_isfolder"
"""What some of Microsoft's programs write on an empty blob that stands for a folder."""


def open_azure(connection_string: str, container: str = "") -> ObjectPlace:
    """A container, or all of a storage account. Nothing is asked of the service yet. Raises InputError."""
    return ObjectPlace(AzureStore(connection_string), container)


class AzureStore:
    """A storage account at Azure. See `connectors.kit.places.object_store.Store`."""

    scheme = "azure"
    bucket_word = "container"

    def __init__(self, connection_string: str) -> None:
        from azure.core.exceptions import AzureError

        self.errors: tuple[type[Exception], ...] = (AzureError,)
        parts = connection_parts(connection_string)
        address = parts.get("BlobEndpoint") or (
            f"{parts.get('DefaultEndpointsProtocol', 'https')}://{parts['AccountName']}.blob."
            f"{parts.get('EndpointSuffix', ENDPOINT_SUFFIX)}"
        )
        checked_address(address)
        self.host = urlsplit(address).netloc
        self.service = "Azure Blob Storage"
        self._trust = Trust()
        try:
            self._client = _client(address.rstrip("/"), parts, self._trust.path)
        except BaseException:
            self._trust.close()
            raise

    def fault(self, error: Exception) -> Fault:
        from azure.core.exceptions import AzureError, HttpResponseError

        if isinstance(error, HttpResponseError) and error.status_code:
            if error.status_code < 300:
                return Fault(200, NOT_THE_SERVICE)
            code: Any = getattr(error, "error_code", None) or ""
            answer: Any = error.response
            wait = answer.headers.get("Retry-After", "") if answer is not None else ""
            return Fault(
                error.status_code,
                str(getattr(code, "value", code)),
                error.message or "",
                float(wait) if wait.isdecimal() else None,
            )
        cause = error.inner_exception if isinstance(error, AzureError) else None
        return Fault(0, cause=cause or error)

    def buckets(self) -> Iterator[Found]:
        for container in self._client.list_containers():
            yield Found(container.name, modified=container.last_modified, is_folder=True)

    def keys(self, bucket: str, prefix: str) -> Iterator[Found]:
        from azure.storage.blob import BlobPrefix

        container = self._client.get_container_client(bucket)
        found: Any
        for found in container.walk_blobs(name_starts_with=prefix or None, include=["metadata"], delimiter="/"):
            if isinstance(found, BlobPrefix):
                yield Found(found.name, is_folder=True)
            elif str((found.metadata or {}).get(FOLDER_MARK, "")).lower() != "true":
                yield _found(found)

    def head(self, bucket: str, key: str) -> Found:
        return _found(self._blob(bucket, key).get_blob_properties())

    def read(self, bucket: str, key: str, offset: int, size: int, tag: str) -> Iterator[bytes]:
        # Never unpacked by the way: what lies there is what is read.
        stream = self._blob(bucket, key).download_blob(
            offset, size, max_concurrency=1, decompress=False, **_condition(tag)
        )
        yield from stream.chunks()

    def send(self, local: Path, bucket: str, key: str, size: int, progress: Progress | None) -> Found:
        blob, step = self._blob(bucket, key), part_size(size)
        blocks: list[Any] = []
        done = 0
        # Blocks of another sending of the same name, broken off earlier, must not be taken for these.
        ours = uuid.uuid4().hex
        with local.open("rb") as file:
            while (data := file.read(step)) and done + len(data) <= size:
                block = f"{ours}{len(blocks):08}"
                blob.stage_block(block, data, length=len(data))
                blocks.append(block)
                done += len(data)
                if progress is not None:
                    progress(done, size)
        if done != size or data:
            raise InputError(f"{local.name} changed while it was being sent.", advice="Send it again.")
        # Only this makes a blob of them. Blocks without it are thrown away by Azure after a week, free of charge.
        whole: Any = blob.commit_block_list(blocks)
        return Found(key, size, whole["last_modified"], _plain(whole["etag"]))

    def copy(self, bucket: str, key: str, to: tuple[str, str], found: Found) -> None:
        from azure.core import MatchConditions

        target = self._blob(*to)
        copied: Any = target.start_copy_from_url(
            self._blob(bucket, key).url,
            source_etag=_quoted(found.tag),
            source_match_condition=MatchConditions.IfNotModified,
            match_condition=MatchConditions.IfMissing,
        )
        status, waited = copied["copy_status"], 0
        # Within an account it is mostly done at once.
        while status == "pending" and waited < COPY_SECONDS:
            time.sleep(1)
            waited += 1
            status = target.get_blob_properties().copy.status
        if status != "success":
            if status == "pending":
                target.abort_copy(copied["copy_id"])
            raise WaitError(
                f"Azure did not copy “{key}” within {COPY_SECONDS // 60} minutes.", advice="Try again later."
            )

    def delete(self, bucket: str, key: str) -> None:
        self._blob(bucket, key).delete_blob()

    def close(self) -> None:
        self._client.close()
        self._trust.close()

    def _blob(self, bucket: str, key: str) -> BlobClient:
        return self._client.get_blob_client(bucket, key)


def connection_parts(text: str) -> dict[str, str]:
    """The parts of a connection string. Raises InputError when they are not enough to sign in."""
    fields = [field for field in text.strip().strip('"').split(";") if field.strip()]
    parts = {name.strip(): value.strip() for name, found, value in (field.partition("=") for field in fields) if found}
    advice = "Copy it anew: in Azure, open the storage account, then Access keys, then Connection string."
    if len(parts) < len(fields) or not parts:
        raise InputError("This is not a connection string of Azure.", advice=advice)
    if not parts.get("AccountKey") and not parts.get("SharedAccessSignature"):
        raise InputError("The connection string has neither an account key nor a signature in it.", advice=advice)
    if not parts.get("AccountName") and not (parts.get("BlobEndpoint") and parts.get("SharedAccessSignature")):
        raise InputError("The connection string does not say which storage account it is for.", advice=advice)
    return parts


def account(connection_string: str) -> str:
    """What people know the account by: its name, or the host of its endpoint. Raises InputError."""
    parts = connection_parts(connection_string)
    return parts.get("AccountName") or urlsplit(parts["BlobEndpoint"]).netloc


def _client(address: str, parts: dict[str, str], certificates: str) -> BlobServiceClient:
    from azure.storage.blob import BlobServiceClient, ExponentialRetry

    key = parts.get("AccountKey")
    credential: Any = (
        {"account_name": parts["AccountName"], "account_key": key}
        if key
        else parts["SharedAccessSignature"].lstrip("?")
    )
    more: dict[str, Any] = {} if proxies() is None else {"proxies": proxies()}
    try:
        return BlobServiceClient(
            address,
            credential,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=SILENT_SECONDS,
            connection_verify=certificates,
            retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=TRIES - 1),
            # The library holds a whole answer in memory, so a range is read by several.
            max_single_get_size=CHUNK,
            max_chunk_get_size=CHUNK,
            **more,
        )
    except ValueError as error:
        raise InputError(
            "The connection string can't be used.",
            advice="Copy it anew: in Azure, open the storage account, then Access keys, then Connection string.",
            details=str(error),
        ) from None


def _found(properties: BlobProperties) -> Found:
    return Found(properties.name, properties.size, properties.last_modified, _plain(properties.etag))


def _plain(tag: str) -> str:
    """A tag without the quotation marks that it has in some answers and not in others."""
    return tag.strip('"')


def _quoted(tag: str) -> str:
    return f'"{tag}"'


def _condition(tag: str) -> dict[str, Any]:
    from azure.core import MatchConditions

    return {"etag": _quoted(tag), "match_condition": MatchConditions.IfNotModified} if tag else {}
