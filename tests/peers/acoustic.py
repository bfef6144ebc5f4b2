"""Acoustic Campaign as its XML API reference describes it: tokens, requests and data jobs, with files in a folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from peers.sshd import Sshd

TOKEN, CLIENT_SECRET, REFRESH_TOKEN = "access-token-1", "client-secret-1", "refresh-token-1"
DATABASE = "59294"


@dataclass
class Acoustic:
    """A running server. `calls` are the requests that arrived, `writes` is what the next exports put in files by
    operation, `columns` those of the database, `took` the rows of each import by column, `ends` how jobs end."""

    url: str
    sshd: Sshd
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    writes: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    columns: list[str] = field(default_factory=lambda: ["Email", "First Name"])
    took: list[list[str]] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    ends: str = "COMPLETE"
    _looks: dict[str, int] = field(default_factory=dict)

    def operations(self) -> list[str]:
        """What was asked for, each kind in a row once."""
        names = [name for name, _ in self.calls]
        return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]

    def asked(self, operation: str) -> dict[str, str]:
        """What the last request of a kind had in it."""
        return [fields for name, fields in self.calls if name == operation][-1]

    def answer(self, body: Element) -> str:
        (request,) = body
        fields = {one.tag: (one.text or "") for one in request}
        self.calls.append((request.tag, fields))
        match request.tag:
            case "GetLists":
                found = {("0", "1"): "Customers", ("0", "0"): "Mine", ("18", "1"): "A list"}
                name = found.get((fields["LIST_TYPE"], fields["VISIBILITY"]))
                number = DATABASE if name == "Customers" else "7"
                return "" if name is None else f"<LIST><ID>{number}</ID><NAME>{name}</NAME><TYPE>0</TYPE></LIST>"
            case "GetListMetaData":
                listed = "".join(f"<COLUMN><NAME>{name}</NAME></COLUMN>" for name in self.columns)
                return f"<ID>{fields['LIST_ID']}</ID><COLUMNS>{listed}</COLUMNS>"
            case "AddListColumn":
                self.columns.append(fields["COLUMN_NAME"])
                return ""
            case "ExportList":
                return f"<JOB_ID>100</JOB_ID><FILE_PATH>/download/{self.writes['ExportList'][0]}</FILE_PATH>"
            case "RawRecipientDataExport":
                name = self.writes["RawRecipientDataExport"][0]
                return f"<MAILING><JOB_ID>101</JOB_ID><FILE_PATH>{name}</FILE_PATH></MAILING>"
            case "ImportList":
                return self._take(fields["MAP_FILE"], fields["SOURCE_FILE"])
            case "GetJobStatus":
                return self._status(fields["JOB_ID"])
        raise ValueError("Invalid XML Request")

    def _status(self, job: str) -> str:
        self._looks[job] = self._looks.get(job, 0) + 1
        if self._looks[job] % 2:
            return f"<JOB_ID>{job}</JOB_ID><JOB_STATUS>RUNNING</JOB_STATUS>"
        for name, data in self.writes.values():
            self.sshd.put(f"download/{name}", data)
        counts = {"SQL_ADDED": "1", "SQL_UPDATED": "2", "BAD_RECORDS": "1", "ERROR_FILE_NAME": "55.err"}
        listed = "".join(
            f"<PARAMETER><NAME>{key}</NAME><VALUE>{value}</VALUE></PARAMETER>" for key, value in counts.items()
        )
        return f"<JOB_ID>{job}</JOB_ID><JOB_STATUS>{self.ends}</JOB_STATUS><PARAMETERS>{listed}</PARAMETERS>"

    def _take(self, map_file: str, source_file: str) -> str:
        upload = self.sshd.files / "upload"
        for name in (map_file, source_file):
            if not (upload / name).is_file():
                raise ValueError(f"File {name} not found")
        self.maps.append((upload / map_file).read_text("utf-8"))
        mapping = ElementTree.fromstring(self.maps[-1])
        for name in mapping.iterfind("MAPPING/COLUMN/NAME"):
            if name.text not in [*self.columns, "RECIPIENT_ID"]:
                raise ValueError(f"Column {name.text} does not exist")
        self.took.append((upload / source_file).read_text("utf-8").splitlines())
        return "<JOB_ID>102</JOB_ID>"


@contextmanager
def acoustic_server(sshd: Sshd) -> Iterator[Acoustic]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path == "/oauth/token":
                form = {name: values[0] for name, values in parse_qs(data).items()}
                good = (form["grant_type"], form["client_secret"], form["refresh_token"]) == (
                    "refresh_token", CLIENT_SECRET, REFRESH_TOKEN,
                )  # fmt: skip
                told = f'{{"access_token": "{TOKEN}", "expires_in": 14399}}' if good else '{"error": "invalid_client"}'
                self._reply(200 if good else 401, "application/json", told)
            elif self.path != "/XMLAPI" or self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._reply(401, "text/plain", "")
            else:
                try:
                    result = f"<RESULT><SUCCESS>TRUE</SUCCESS>{server.answer(ElementTree.fromstring(data)[0])}</RESULT>"
                except ValueError as error:
                    fault = f"<FaultString>{error}</FaultString><detail><error><errorid>51</errorid></error></detail>"
                    result = f"<RESULT><SUCCESS>false</SUCCESS></RESULT><Fault><Request/>{fault}</Fault>"
                self._reply(200, "text/xml", f"<Envelope><Body>{result}</Body></Envelope>")

        def _reply(self, status: int, kind: str, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """What arrives is in `calls`."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Acoustic(f"http://127.0.0.1:{http.server_address[1]}", sshd)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
