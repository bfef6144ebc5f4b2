"""What object stores complain of, in sentences; the three services have a code of their own for each thing."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass
from typing import Literal, Protocol

from connectors.kit.errors import ConnectorError, InputError, SignInError, Unreached, WaitError
from connectors.kit.network import BROWSER, causes, obstacle

Doing = Literal["list", "read", "write", "delete"]

WRONG_KEY = frozenset(
    {
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidToken",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAuthenticationInfo",
        "AuthenticationFailed",
        "NoAuthenticationInformation",
        "authError",
        "required",
        "invalid_grant",
        "invalid_client",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
CLOCK = frozenset({"RequestTimeTooSkewed"})
CLOCK_WORDS = ("date header", "reasonable timeframe", "too skewed")
NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"})
NO_BUCKET_WORDS = ("bucket does not exist", "container does not exist")
BAD_NAME = frozenset({"InvalidBucketName", "InvalidResourceName", "OutOfRangeInput"})
ELSEWHERE = frozenset(
    {"PermanentRedirect", "Redirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
ARCHIVED = frozenset({"InvalidObjectState", "BlobArchived", "BlobBeingRehydrated"})
FULL = frozenset(
    {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "quotaExceeded", "TooManyBuckets"}
)
SLOW = frozenset({"SlowDown", "ServerBusy", "OperationTimedOut", "rateLimitExceeded", "userRateLimitExceeded"})
NOT_THE_SERVICE = "NotTheService"
"""The code of an answer that no object store gives: a web page, for instance."""

LONGEST = 300
"""Characters of a service's own words that are kept."""
_VERBS: dict[Doing, str] = {"list": "look into", "read": "read", "write": "write", "delete": "delete"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What a library raised. `status` is the one of HTTP, 0 when there was no answer; then `cause` says why, and `host`
    whose answer it was, where that is not the service itself."""

    status: int
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    cause: BaseException | None = None
    host: str = ""

    @property
    def is_missing_object(self) -> bool:
        return self.status == 404 and not self.is_missing_bucket

    @property
    def is_missing_bucket(self) -> bool:
        return self.code in NO_BUCKET or any(words in self.message for words in NO_BUCKET_WORDS)

    @property
    def details(self) -> str:
        """The service's own words, without what comes behind the first line: there it quotes the request."""
        first = self.message.strip().partition("\n")[0]
        return " ".join(part for part in (str(self.status), self.code, first[:LONGEST]) if part)


@dataclass(frozen=True, slots=True)
class Where:
    """What was being done with which object."""

    doing: Doing
    bucket: str
    key: str


class NotTheService(Exception):
    """An answer that no object store gives, though it looks like a success."""


class Replaced(InputError):
    """The object is another one than when reading it began."""


class Service(Protocol):
    """Who said it."""

    @property
    def scheme(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def bucket_word(self) -> str: ...


def told(service: Service, where: Where, fault: Fault) -> ConnectorError:
    """What happened, to what, and what to do."""
    if fault.cause is not None and not fault.status:
        return no_answer(fault.host or service.host, fault.cause)
    return (
        _of_the_sign_in(service, fault) or _of_the_place(service, where, fault) or _of_the_object(service, where, fault)
    )


def _of_the_sign_in(service: Service, fault: Fault) -> ConnectorError | None:
    name, message = service.service, fault.message
    if fault.code in CLOCK or any(words in message for words in CLOCK_WORDS):
        return InputError(
            f"{name} refuses the request because the clock of this computer is wrong.",
            advice="Set date and time, best by themselves, then try again.",
            details=fault.details,
        )
    if fault.code in EXPIRED:
        return SignInError(
            f"The sign-in to {name} has expired.",
            advice="Enter new keys in the authorization, or sign in to the AWS profile anew.",
            details=fault.details,
        )
    if fault.code in WRONG_KEY or fault.status == 401 or "failed to authenticate" in message:
        return SignInError(
            f"{name} does not accept the keys of this authorization.",
            advice="Copy them anew; perhaps they were replaced or switched off.",
            details=fault.details,
        )
    return None


def _of_the_place(service: Service, where: Where, fault: Fault) -> ConnectorError | None:
    name, word = service.service, service.bucket_word
    if fault.code == NOT_THE_SERVICE:
        return InputError(
            f"{service.host} does not answer like {service.scheme.upper()} storage.",
            advice="Check the API address of the authorization.",
            details=fault.details,
        )
    # To the question for a list, even an empty one, this can only mean the bucket.
    if fault.is_missing_bucket or (fault.status == 404 and where.doing == "list"):
        return InputError(
            f"There is no {word} “{where.bucket}” at {name}.",
            advice=f"Check the name of the {word}; capital letters count.",
            details=fault.details,
        )
    if fault.code in BAD_NAME:
        return InputError(
            f"“{where.bucket}” is not the name of a {word}.",
            advice="Type only its name, without an address or a folder.",
            details=fault.details,
        )
    if fault.code in ELSEWHERE or fault.status in (301, 307):
        return InputError(
            f"The {word} “{where.bucket}” is in another region.",
            advice="Set the region of the authorization to that of the bucket.",
            details=fault.details,
        )
    if fault.code in SLOW or fault.status in (408, 429) or (fault.status >= 500 and fault.status != 507):
        return WaitError(
            f"{name} asks to wait." if fault.status in (429, 503) else f"{name} is in trouble (error {fault.status}).",
            advice="It is tried again by itself.",
            details=fault.details,
            retry_after=fault.retry_after,
        )
    if fault.code in FULL or fault.status == 507:
        return InputError(
            f"There is no room left for “{where.key}” in the {word} “{where.bucket}”.",
            advice=f"Ask the owner of the {word} for more room, or have old files deleted.",
            details=fault.details,
        )
    return None


def _of_the_object(service: Service, where: Where, fault: Fault) -> ConnectorError:
    name = service.service
    what = f"“{where.key}”" if where.key else f"the {service.bucket_word} “{where.bucket}”" if where.bucket else ""
    inside = f"{service.scheme}://{where.bucket}"
    if fault.code in ARCHIVED:
        return InputError(
            f"{what} is in an archive and can't be read from there.",
            advice=f"Have it restored at {name}, which takes hours, then try again.",
            details=fault.details,
        )
    if fault.status == 412:
        return Replaced(f"{what} changed in {inside} while it was being read.", details=fault.details)
    if fault.status == 404:
        advice = "Check the name and the folder; perhaps the file has not been delivered yet."
        if where.key.startswith("/"):
            advice += " Names in a bucket seldom begin with “/”: try it without."
        return InputError(f"{what} is not in {inside}.", advice=advice, details=fault.details)
    if fault.status == 403:
        if not what:
            return InputError(
                f"These keys may not list the {service.bucket_word}s at {name}.",
                advice=f"Type the name of the {service.bucket_word}.",
                details=fault.details,
            )
        return InputError(
            f"These keys may not {_VERBS[where.doing]} {what}{f' in {inside}' if where.key else ''}.",
            advice=f"Ask the owner of the {service.bucket_word} for the right to do so. Without the right to list, a "
            "file that is not there looks the same.",
            details=fault.details,
        )
    return InputError(
        f"{name} could not {_VERBS[where.doing]} {what or f'the {service.bucket_word}s'}.",
        advice="The details have the service's own words.",
        details=fault.details,
    )


def no_answer(host: str, error: BaseException) -> ConnectorError:
    """Why nothing was heard of a host. What the libraries say themselves is left out: it quotes whole addresses."""
    found = list(causes(error))
    root = next((cause for cause in reversed(found) if isinstance(cause, OSError)), found[-1])
    for cause in found:
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
                advice=f"{BROWSER} If not, check the API address of the authorization.",
                details=cause.reason or "",
            )
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return InputError("There is no room left on the disk of this computer.", advice="Make room and try again.")
    in_the_way = obstacle(host, root)
    if in_the_way is not None:
        return in_the_way
    return WaitError(
        f"The connection to {host} could not be made, or was lost.",
        advice="Check that this computer is online. It is tried again by itself.",
        details=f"{type(root).__name__}: {getattr(root, 'strerror', None) or ''}".rstrip(": "),
    )
