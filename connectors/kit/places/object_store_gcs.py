"""Google Cloud Storage by its JSON interface, signed in to as a service account.

Google's own library would bring protobuf and OpenTelemetry for the eight requests that are here, and google-auth asks
a second host in the background where the account may be used.
Sources: https://cloud.google.com/storage/docs/json_api/v1,
https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.kit.errors import InputError
from connectors.kit.http import checked_address, retry_after
from connectors.kit.network import proxy, trusted
from connectors.kit.places.base import Progress
from connectors.kit.places.object_store import Found, ObjectPlace, part_size
from connectors.kit.places.object_store_faults import NOT_THE_SERVICE, Fault
from connectors.kit.places.object_store_web import CONNECT_SECONDS, SILENT_SECONDS, TRIES, api_address

CHUNK = 1024 * 1024
PIECE = 64 * 1024
ADDRESS = "https://storage.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
INCOMPLETE = 308
"""The status by which Google says that it has a part and waits for the next."""
NEEDED = ("client_email", "private_key", "token_uri")
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 3600
EARLIER = 300
"""Seconds before its end at which a token counts as over, so that no request is on its way with one that ended."""
PASSING = frozenset({408, 500, 502, 503, 504})
"""What is worth another try at once."""


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.details)
        self.fault = fault


def open_gcs(cert_json: str, bucket: str = "", *, project: str = "", address: str = "") -> ObjectPlace:
    """A bucket, or all of a project (of the service account's own, if none is named). Raises InputError."""
    return ObjectPlace(GcsStore(cert_json, project=project, address=address), bucket)


class GcsStore:
    """A project at Google. See `connectors.kit.places.object_store.Store`."""

    scheme = "gs"
    bucket_word = "bucket"

    errors: tuple[type[Exception], ...] = (ApiError, httpx.HTTPError)

    def __init__(self, cert_json: str, *, project: str = "", address: str = "") -> None:
        document = service_account(cert_json)
        self._project = project or str(document.get("project_id", ""))
        own = api_address(address)
        self._address = own or ADDRESS
        self.host = urlsplit(self._address).netloc
        self.service = self.host if own else "Google Cloud Storage"
        self._client = httpx.Client(
            auth=ServiceAccount(document),
            verify=trusted(),
            proxy=proxy(),
            timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
        )

    def fault(self, error: Exception) -> Fault:
        if isinstance(error, ApiError):
            return error.fault
        host = ""
        if isinstance(error, httpx.RequestError):
            # Tokens come from another host. Not every such error knows its request.
            with suppress(RuntimeError):
                host = error.request.url.netloc.decode()
        return Fault(0, cause=error, host=host)

    def buckets(self) -> Iterator[Found]:
        for page in self._pages("/storage/v1/b", {"project": self._project}):
            for bucket in _objects(page.get("items", [])):
                yield Found(str(bucket.get("name")), modified=_moment(bucket.get("timeCreated")), is_folder=True)

    def keys(self, bucket: str, prefix: str) -> Iterator[Found]:
        for page in self._pages(f"/storage/v1/b/{_quoted(bucket)}/o", {"prefix": prefix, "delimiter": "/"}):
            for folder in page.get("prefixes", ()):
                yield Found(str(folder), is_folder=True)
            for document in _objects(page.get("items", [])):
                yield _found(document)

    def head(self, bucket: str, key: str) -> Found:
        return _found(self._json("GET", self._object(bucket, key)))

    def read(self, bucket: str, key: str, offset: int, size: int, tag: str) -> Iterator[bytes]:
        # Asked for with gzip, it sends what lies there; otherwise it unpacks what was stored with that encoding.
        headers = {"Range": f"bytes={offset}-{offset + size - 1}", "Accept-Encoding": "gzip"}
        query = {"alt": "media"} | ({"ifGenerationMatch": tag} if tag else {})
        with closing(self._request("GET", self._object(bucket, key), query, headers=headers, stream=True)) as answer:
            yield from answer.iter_raw(CHUNK)

    def send(self, local: Path, bucket: str, key: str, size: int, progress: Progress | None) -> Found:
        begun = self._request(
            "POST",
            f"/upload/storage/v1/b/{_quoted(bucket)}/o",
            {"uploadType": "resumable", "name": key},
            headers={"X-Upload-Content-Length": str(size), "X-Upload-Content-Type": "application/octet-stream"},
            json={},
        )
        upload = str(begun.headers.get("Location", ""))
        checked_address(upload)
        try:
            document = self._send_parts(upload, local, size, progress)
        except BaseException:
            with suppress(*self.errors):
                self._client.delete(upload)
            raise
        return _found(document)

    def _send_parts(self, upload: str, local: Path, size: int, progress: Progress | None) -> Mapping[str, Any]:
        done, step = 0, part_size(size)
        with local.open("rb") as file:
            while True:
                file.seek(done)
                data = file.read(step)
                end = done + len(data)
                if (len(data) < step and end != size) or end > size:
                    raise InputError(f"{local.name} changed while it was being sent.", advice="Send it again.")
                span = f"bytes {done}-{end - 1}/{size}" if data else f"bytes */{size}"
                # Google takes a part that it has already without keeping it twice, so that it may be tried again.
                headers = {"Content-Range": span, "Content-Length": str(len(data))}
                pieces = _Pieces(data)
                answer = self._answer("PUT", upload, content=pieces, headers=headers)
                # The answer keeps its request for as long as the collector of cycles likes.
                pieces.data = b""
                if answer.status_code != INCOMPLETE:
                    if progress is not None:
                        progress(size, size)
                    return _document(answer)
                before, done = done, _kept(answer)
                if not before < done <= end:
                    raise ApiError(Fault(503, "IncompletePart", str(answer.headers.get("Range", ""))))
                if progress is not None:
                    progress(done, size)

    def copy(self, bucket: str, key: str, to: tuple[str, str], found: Found) -> None:
        path = f"{self._object(bucket, key)}/rewriteTo/b/{_quoted(to[0])}/o/{_quoted(to[1])}"
        query = {"ifGenerationMatch": "0", "ifSourceGenerationMatch": found.tag}
        # Large objects are copied piece by piece, each piece a request.
        while not (answer := self._json("POST", path, query)).get("done"):
            query["rewriteToken"] = str(answer["rewriteToken"])

    def delete(self, bucket: str, key: str) -> None:
        self._request("DELETE", self._object(bucket, key))

    def close(self) -> None:
        self._client.close()

    def _object(self, bucket: str, key: str) -> str:
        return f"/storage/v1/b/{_quoted(bucket)}/o/{_quoted(key)}"

    def _pages(self, path: str, query: dict[str, str]) -> Iterator[Mapping[str, Any]]:
        while True:
            page = self._json("GET", path, query)
            yield page
            following = str(page.get("nextPageToken") or "")
            if following and following == query.get("pageToken"):
                raise ApiError(Fault(200, NOT_THE_SERVICE))
            if not following:
                return
            query["pageToken"] = following

    def _json(self, method: str, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        return _document(self._request(method, path, query))

    def _request(self, method: str, path: str, query: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        return self._answer(method, self._address + path, params=query, **more)

    def _answer(self, method: str, url: str, *, stream: bool = False, **more: Any) -> httpx.Response:
        """The answer, if it is a success; what may pass is tried a few times. Raises ApiError, httpx.HTTPError."""
        for left in range(TRIES - 1, -1, -1):
            try:
                answer = self._client.send(self._client.build_request(method, url, **more), stream=stream)
                if answer.is_success or answer.status_code == INCOMPLETE:
                    return answer
                fault = _fault(answer)
                if not left or fault.status not in PASSING:
                    raise ApiError(fault)
            except httpx.TransportError:
                # Of a POST nobody knows whether it was done.
                if not left or method == "POST":
                    raise
            time.sleep(2.0 ** (TRIES - 1 - left))
        raise AssertionError("the last try returns or raises")


class _Pieces:
    """A part of a file to be sent, as often as it takes: handed over whole, it would be copied whole several times."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self.data), PIECE):
            yield self.data[start : start + PIECE]


class ServiceAccount(httpx.Auth):
    """Signs requests in: with a token that is got for a signature, and got anew before it runs out."""

    def __init__(self, document: Mapping[str, Any], clock: Callable[[], float] = time.time) -> None:
        """Raises InputError when the private key can't be read."""
        self._document = document
        self._clock = clock
        self._token = ""
        self._until = 0.0
        try:
            key = serialization.load_pem_private_key(str(document["private_key"]).encode(), None)
        except (ValueError, TypeError) as error:
            raise InputError(
                "The private key of the service account can't be read.",
                advice="Paste the whole file that Google gave you, without changing it.",
                details=type(error).__name__,
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise InputError("The private key of the service account is of a kind that Google does not use.")
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._clock() > self._until - EARLIER:
            began = self._clock()
            answer = yield httpx.Request(
                "POST", self._document["token_uri"], data={"grant_type": GRANT, "assertion": self._assertion(began)}
            )
            if not answer.is_success:
                raise ApiError(_token_fault(answer))
            document = _document(answer)
            self._token = str(document.get("access_token", ""))
            self._until = began + float(document.get("expires_in", TOKEN_SECONDS))
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def _assertion(self, now: float) -> str:
        """Who asks, for what and until when, signed: a JSON Web Token."""
        head = {"alg": "RS256", "typ": "JWT", "kid": self._document.get("private_key_id")}
        claims = {
            "iss": self._document["client_email"],
            "scope": SCOPE,
            "aud": self._document["token_uri"],
            "iat": int(now),
            "exp": int(now) + TOKEN_SECONDS,
        }
        text = b".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        return (text + b"." + _encoded(self._key.sign(text, padding.PKCS1v15(), hashes.SHA256()))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def service_account(text: str) -> dict[str, Any]:
    """The document that Google gives for a service account. Raises InputError when it is another one."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise InputError(
            "The service account is not JSON.", advice="Paste the whole file that Google gave you.", details=str(error)
        ) from error
    kind = document.get("type") if isinstance(document, dict) else None
    if kind != "service_account":
        raise InputError(
            f"This JSON is {f'for “{kind}”' if kind else 'something else'}, not the key of a service account.",
            advice="In Google Cloud, open IAM, Service accounts, Keys, and make a new key of the type JSON.",
        )
    missing = [name for name in NEEDED if not document.get(name)]
    if missing:
        raise InputError(
            f"The service account lacks {', '.join(missing)}.", advice="Paste the whole file that Google gave you."
        )
    checked_address(str(document["token_uri"]))
    return dict(document)


def _fault(answer: httpx.Response) -> Fault:
    """What is wrong, from an answer that is no success, and done with it."""
    with closing(answer):
        text = answer.read()
    code = message = ""
    with suppress(ValueError, LookupError, TypeError):
        said = json.loads(text)["error"]
        message = str(said.get("message", ""))
        code = str(said["errors"][0]["reason"])
    wait = retry_after(answer.headers.get("Retry-After", ""), datetime.now(UTC))
    return Fault(answer.status_code, code, message, wait)


def _token_fault(answer: httpx.Response) -> Fault:
    code = message = ""
    with suppress(ValueError, AttributeError):
        said = json.loads(answer.read())
        code, message = str(said.get("error", "")), str(said.get("error_description", ""))
    return Fault(answer.status_code, code, message)


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        document = json.loads(answer.read())
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ApiError(Fault(200, NOT_THE_SERVICE))
    return document


def _objects(items: Any) -> list[Mapping[str, Any]]:
    """The items of a page. Raises ApiError where they are none."""
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ApiError(Fault(200, NOT_THE_SERVICE))
    return items


def _kept(answer: httpx.Response) -> int:
    """How many bytes Google has of what is being sent: it may keep less than it was given."""
    first, dash, last = str(answer.headers.get("Range", "")).removeprefix("bytes=").partition("-")
    return int(last) + 1 if first == "0" and dash and last.isdecimal() else 0


def _found(document: Mapping[str, Any]) -> Found:
    """An object as Google describes it. Each writing is a generation, which says more than a hash of the content."""
    try:
        size, modified = int(document["size"]), _moment(document.get("updated"))
        return Found(str(document["name"]), size, modified, str(document.get("generation", "")))
    except (KeyError, TypeError, ValueError) as error:
        raise ApiError(Fault(200, NOT_THE_SERVICE)) from error


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except (TypeError, ValueError) as error:
        raise ApiError(Fault(200, NOT_THE_SERVICE)) from error


def _quoted(text: str) -> str:
    return quote(text, safe="")
