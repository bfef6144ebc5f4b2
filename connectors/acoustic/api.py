"""The XML API of Acoustic Campaign (once Silverpop Engage), as its XML API reference describes it.

Whatever takes long there is a data job: it is asked for, and looked after with GetJobStatus until it is done. Files go
through an SFTP server of Acoustic's, in its folders `download` and `upload`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import orjson

from connectors.kit.errors import InputError, SignInError, WaitError
from connectors.kit.http import Http, Reply, Witness
from connectors.kit.places.sftp import SftpPlace
from connectors.kit.places.sftp_account import open_sftp
from connectors.kit.types import Credentials

PODS = {
    "1": "us-1", "2": "us-2", "3": "us-3", "4": "us-4", "5": "us-5", "6": "eu-1", "7": "ap-2", "8": "ca-1", "9": "us-6",
    "A": "ap-1",
}  # fmt: skip
"""What the addresses of a pod have in them, by what people call it."""
LIST_TYPES = {"database": "0", "query": "1", "list": "18"}
VISIBILITIES = ("1", "0")
"""Shared sources, and those of the user alone."""
TEXT_COLUMN, YES_NO_COLUMN = "0", "1"
LONGEST_ANSWER = 20_000_000

WAITS = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds between two looks at a data job; the last one from then on."""
LOOKED = 0.5
"""Seconds between two looks whether the run is to end meanwhile."""
PATIENCE = 3_600
"""Seconds after which a run gives up waiting; the next one goes on with the same data job."""

SIGN_IN_AGAIN = "Make a new refresh token in Acoustic under Application account access, and enter it."
Fields = Mapping[str, str | None]
"""Elements of a request; one without a text is empty, as those that only have to be there."""


@dataclass(frozen=True, slots=True)
class DataJob:
    """A data job that was asked for, and the file that it writes ("": none)."""

    number: str
    file: str = ""


class Api:
    """Requests as a user of one pod."""

    def __init__(self, http: Http, address: str, token: str) -> None:
        self._http = http
        self._address = f"{address}/XMLAPI"
        self._headers = {"Content-Type": "text/xml;charset=utf-8", "Authorization": f"Bearer {token}"}

    async def sources(self, kind: str) -> list[tuple[str, str]]:
        """Number and name of each database, query or list, by name."""
        found: dict[str, str] = {}
        for visibility in VISIBILITIES:
            result = await self._call("GetLists", {"VISIBILITY": visibility, "LIST_TYPE": LIST_TYPES[kind]})
            found |= {_text(one, "ID"): _text(one, "NAME") for one in result.iter("LIST")}
        return sorted(found.items(), key=lambda one: one[1].casefold())

    async def columns(self, database: str) -> list[str]:
        """The names of a database's columns."""
        result = await self._call("GetListMetaData", {"LIST_ID": database})
        return [_text(column, "NAME") for column in result.iterfind("COLUMNS/COLUMN")]

    async def add_column(self, database: str, name: str, kind: str) -> None:
        fields = {"LIST_ID": database, "COLUMN_NAME": name, "COLUMN_TYPE": kind, "DEFAULT": ""}
        await self._call("AddListColumn", fields)

    async def export_contacts(self, source: str, since: str | None) -> DataJob:
        """Have the contacts of a source written to a file, since a time only those that changed."""
        asked: dict[str, str | None] = {
            "LIST_ID": source, "EXPORT_TYPE": "ALL", "EXPORT_FORMAT": "CSV", "FILE_ENCODING": "utf-8",
        }  # fmt: skip
        return _data_job(await self._call("ExportList", asked if since is None else asked | {"DATE_START": since}))

    async def export_activity(self, source: str, since: str, until: str, *, children: bool) -> DataJob:
        """Have what contacts did written to a file; `children` with those of the database's queries."""
        asked: dict[str, str | None] = {
            "EVENT_DATE_START": since, "EVENT_DATE_END": until, "LIST_ID": source, "EXPORT_FORMAT": "0",
            "FILE_ENCODING": "utf-8", "MOVE_TO_FTP": None, "RETURN_MAILING_NAME": None, "ALL_EVENT_TYPES": None,
        }  # fmt: skip
        asked |= {"INCLUDE_CHILDREN": None} if children else {}
        return _data_job(await self._call("RawRecipientDataExport", asked))

    async def import_list(self, map_file: str, source_file: str) -> DataJob:
        """Have a file taken in that was uploaded with its mapping."""
        fields = {"MAP_FILE": map_file, "SOURCE_FILE": source_file, "FILE_ENCODING": "UTF-8"}
        return _data_job(await self._call("ImportList", fields))

    async def finished(self, job: DataJob, tell: Callable[[], None]) -> dict[str, str]:
        """Wait until a data job is done; what it says of itself. `tell` is called meanwhile, and may end the wait.

        Raises InputError when it failed, WaitError when it takes too long for one run.
        """
        begin, looks = time.monotonic(), 0
        while True:
            tell()
            result = await self._call("GetJobStatus", {"JOB_ID": job.number})
            status = _text(result, "JOB_STATUS").upper()
            told = {_text(one, "NAME"): _text(one, "VALUE") for one in result.iter("PARAMETER")}
            if status == "COMPLETE":
                return told
            if status in ("ERROR", "CANCELLED", "CANCELED"):
                raise InputError(
                    f"Acoustic's data job {job.number} {'failed' if status == 'ERROR' else 'was cancelled'}.",
                    advice="Acoustic says more under Resources, Data jobs.",
                    details=_text(result, "JOB_DESCRIPTION"),
                )
            if time.monotonic() - begin > PATIENCE:
                raise WaitError(
                    f"Acoustic has not finished its data job {job.number} yet.", advice="It is looked after again."
                )
            until = time.monotonic() + WAITS[min(looks, len(WAITS) - 1)]
            looks += 1
            while (left := until - time.monotonic()) > 0:
                await asyncio.sleep(min(left, LOOKED))
                tell()

    async def _call(self, operation: str, fields: Fields) -> Element:
        """The RESULT of an operation. Raises SignInError, InputError, WaitError."""
        envelope = Element("Envelope")
        request = SubElement(SubElement(envelope, "Body"), operation)
        for name, text in fields.items():
            SubElement(request, name).text = text
        written = ElementTree.tostring(envelope, encoding="unicode")
        reply = await self._http.post_text(self._address, written, self._headers, longest=LONGEST_ANSWER)
        if reply.status in (401, 403):
            raise SignInError("Acoustic does not accept the sign-in any more.", advice=SIGN_IN_AGAIN)
        body = _read(reply)
        result = body.find("RESULT")
        if result is None or _text(result, "SUCCESS").lower() not in ("true", "success"):
            fault = (body.findtext("Fault/FaultString") or "").strip().rstrip(".")
            raise InputError(
                f"Acoustic refuses {operation}: {fault or 'it gives no reason'}.",
                advice="Check the source and the columns of the job, and what the Acoustic user may do.",
                details=f"error {body.findtext('Fault/detail/error/errorid') or 'without a number'}",
            )
        return result


@asynccontextmanager
async def signed_in(credentials: Credentials, witness: Witness | None = None) -> AsyncIterator[Api]:
    """The API with a token that lasts some hours. Raises SignInError, InputError, WaitError."""
    settings, secrets = credentials.settings, credentials.secrets
    address = _address(settings, "api_address", "https://api-campaign-{}.goacoustic.com").rstrip("/")
    form = {
        "grant_type": "refresh_token", "client_id": settings["client_id"].strip(),
        "client_secret": secrets["client_secret"].strip(), "refresh_token": secrets["refresh_token"].strip(),
    }  # fmt: skip
    async with Http(witness, secrets=secrets.values()) as http:
        reply = await http.post_form(f"{address}/oauth/token", form)
    if reply.status in (400, 401, 403):
        raise SignInError(
            "Acoustic does not accept the client ID, its secret or the refresh token.",
            advice=f"Check that they belong together, and that the pod is right. {SIGN_IN_AGAIN}",
            details=reply.text[:500],
        )
    try:
        token = str(orjson.loads(reply.text)["access_token"])
    except (ValueError, KeyError, TypeError):
        raise _no_acoustic(reply) from None
    async with Http(witness, secrets=[*secrets.values(), token]) as http:
        yield Api(http, address, token)


def open_files(credentials: Credentials) -> SftpPlace:
    """Acoustic's SFTP server, with the folders `download` and `upload`."""
    settings, secrets = credentials.settings, dict(credentials.secrets)
    host, _, port = _address(settings, "sftp_address", "transfer-campaign-{}.goacoustic.com").partition(":")
    account = {
        "host": host, "port": port, "user": settings["sftp_user"], "folder": settings.get("folder", ""),
        "host_key": settings.get("host_key", ""),
    }  # fmt: skip
    return open_sftp(Credentials(credentials.method, account, secrets | {"password": secrets.get("sftp_password", "")}))


def _address(settings: Mapping[str, str], name: str, usual: str) -> str:
    typed = settings.get(name, "").strip()
    if typed:
        return typed
    pod = settings["pod"].strip().upper().removeprefix("POD").strip()
    if pod not in PODS:
        raise InputError(
            f"There is no pod {settings['pod']} that this program knows.",
            advice=f"It is one of {', '.join(PODS)}; Acoustic shows it in the account settings.",
        )
    return usual.format(PODS[pod])


def _data_job(result: Element) -> DataJob:
    number = next((_text(one) for one in result.iter("JOB_ID")), "")
    path = next((_text(one) for one in result.iter("FILE_PATH")), "").lstrip("/")
    if path and "/" not in path:
        path = f"download/{path}"
    return DataJob(number, path)


def _read(reply: Reply) -> Element:
    """The body of an answer. Raises InputError for something that is none."""
    try:
        # Acoustic declares no entities; whoever does wants to make much of little.
        root = None if "<!DOCTYPE" in reply.text else ElementTree.fromstring(reply.text)
    except ElementTree.ParseError:
        root = None
    body = None if root is None else root.find("Body")
    if body is None:
        raise _no_acoustic(reply)
    return body


def _no_acoustic(reply: Reply) -> InputError:
    return InputError(
        "What answers is not Acoustic Campaign.",
        advice="Check the pod of the authorization.",
        details=f"status {reply.status}: {reply.text[:200]}",
    )


def _text(element: Element, name: str = "") -> str:
    found = element.findtext(name) if name else element.text
    return (found or "").strip()
