"""Requests to a provider over HTTPS: TLS checked, bounded in time, errors told by what to do next.

Each request leaves a line in the log and an entry in the evidence, secrets blanked. What an answer means is the
provider's to say; only that somebody has to wait is the same everywhere: no connection, 429, and the server's own
errors are WaitError.
"""

from __future__ import annotations

import asyncio
import ssl
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit, urlunsplit

import httpx

from connectors.kit.errors import InputError, Unreached, WaitError
from connectors.kit.network import BROWSER, SECONDS, causes, is_this_computer, obstacle, proxy, trusted

BLANK = "•••"
SIGN_IN_TO_NETWORK = 511
"""The status by which a network says that somebody has to sign in to it first (RFC 6585)."""
LONGEST_ANSWER = 4_000
"""Characters of an answer that are kept."""


class Witness(Protocol):
    """Whom requests are told to: the context of a job."""

    def log(self, message: str) -> None: ...
    def request(self, request: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: the status and the beginning of the text, secrets blanked."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Http:
    """Requests of one piece of work: `async with Http(context, secrets=[…]) as http: await http.post_json(url, {})`."""

    def __init__(self, witness: Witness | None = None, *, secrets: Iterable[str] = ()) -> None:
        self._witness = witness
        # The longest first: one may be part of another.
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)
        try:
            self._client = httpx.AsyncClient(verify=trusted(), timeout=SECONDS, proxy=proxy(), follow_redirects=False)
        except (ValueError, httpx.InvalidURL):
            raise InputError(
                "The proxy that is set is no address.",
                advice="Write it like http://proxy.agency.example:3128 in the settings.",
            ) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def post_json(self, url: str, document: Any) -> Reply:
        """Send JSON. Raises WaitError."""
        return await self._request("POST", url, json=document)

    async def post_form(self, url: str, form: Mapping[str, str]) -> Reply:
        """Send what a form on a web page would. Raises WaitError."""
        return await self._request("POST", url, data=form)

    async def post_text(self, url: str, text: str, headers: Mapping[str, str], *, longest: int) -> Reply:
        """Send text; of the answer, so many characters are kept. Raises WaitError."""
        return await self._request("POST", url, longest, content=text.encode(), headers=headers)

    async def head(self, url: str) -> Reply:
        """Knock. Raises WaitError."""
        return await self._request("HEAD", url)

    async def _request(self, method: str, url: str, longest: int = LONGEST_ANSWER, **what: Any) -> Reply:
        host = checked_address(url)
        began = time.monotonic()
        try:
            response = await self._client.request(method, url, **what)
        except httpx.HTTPError as error:
            self._tell(method, url, None, f"no answer ({type(error).__name__})", began)
            # What it asks the system meanwhile may take a while.
            raise await asyncio.to_thread(_no_answer, host, error) from None
        except ValueError as error:
            raise InputError(f"The address at {host} can't be used: {self._blanked(str(error))}.") from None
        self._tell(method, url, response, str(response.status_code), began)
        if response.status_code == SIGN_IN_TO_NETWORK:
            raise Unreached(
                f"Between this computer and {host} is a network that wants you to sign in first.", advice=BROWSER
            )
        if response.status_code == 429 or response.status_code >= 500:
            raise WaitError(
                f"{host} asks to wait."
                if response.status_code == 429
                else f"{host} is in trouble (error {response.status_code}).",
                advice="It is tried again by itself.",
                details=self._blanked(response.text[:LONGEST_ANSWER]),
                retry_after=retry_after(response.headers.get("Retry-After", ""), datetime.now(UTC)),
            )
        return Reply(response.status_code, self._blanked(response.text[:longest]))

    def _tell(self, method: str, url: str, response: httpx.Response | None, outcome: str, began: float) -> None:
        if self._witness is None:
            return
        took = round((time.monotonic() - began) * 1000)
        self._witness.log(f"{method} {self._blanked(url)}: {outcome}, {took} ms")
        entry: dict[str, Any] = {"method": method, "address": self._address(url)}
        if response is None:
            entry |= {"status": None, "error": outcome}
        else:
            entry |= {
                "status": response.status_code,
                "bytes_sent": len(response.request.content),
                "bytes_received": len(response.content),
            }
        self._witness.request(entry | {"milliseconds": took})

    def _address(self, url: str) -> str:
        """Without name, password and query, which are where addresses carry keys."""
        parts = urlsplit(url)
        return self._blanked(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))

    def _blanked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, BLANK)
        return text


def checked_address(url: str) -> str:
    """The host of an address that may be used: https, or http on this computer itself. Raises InputError."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or any(character.isspace() for character in url):
        raise InputError("That is no address of the web.", advice="Copy it anew: it begins with https://.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_this_computer(host)):
        raise InputError(
            f"The address at {host} is not safe: what is sent could be read on the way.", advice="Use https."
        )
    return host


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, be it a number or a date; None for one that says nothing."""
    if value.strip().isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo is not None else at.replace(tzinfo=UTC)) - now).total_seconds())


def _no_answer(host: str, error: httpx.HTTPError) -> WaitError:
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreached(
                f"{host} can't prove that it is {host}; nothing was sent.",
                advice=f"{BROWSER} If your company looks into the traffic, its certificate must be known to this "
                "computer.",
                details=cause.verify_message,
            )
        if isinstance(cause, ssl.SSLError):
            return Unreached(
                f"Something that does not speak TLS answers in place of {host}; nothing was sent.",
                advice=BROWSER,
                details=cause.reason or "",
            )
    if isinstance(error, httpx.ProxyError):
        return WaitError(
            "The proxy does not let it through.", advice="Check the proxy in the settings.", details=str(error)
        )
    met = _met_first(host)
    found = obstacle(met, error) if met and isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else None
    if found is not None:
        return found
    if isinstance(error, httpx.TimeoutException):
        return WaitError(f"{host} did not answer within {SECONDS:.0f} seconds.", advice="It is tried again by itself.")
    return WaitError(
        f"{host} can't be reached.",
        advice="Check that this computer is online.",
        details=type(error).__name__,
    )


def _met_first(host: str) -> str:
    """Whom a connection is made to: the proxy that was set, or the host; "" where a proxy of the system's may be."""
    set_here = proxy()
    if set_here is not None:
        return urlsplit(set_here).hostname or ""
    return "" if urllib.request.getproxies() and not is_this_computer(host) else host
