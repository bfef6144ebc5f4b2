"""Acoustic Campaign: data jobs at a server that speaks its XML API, files on a real SSH server."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from peers.acoustic import CLIENT_SECRET, DATABASE, REFRESH_TOKEN, Acoustic, acoustic_server

from app.catalog import Catalog
from app.engine import Engine
from app.jobs.importing import ImportOrder
from app.jobs.worker import Reporter
from app.profiles import search_profiles
from app.store.database import open_connection
from connectors.acoustic import api
from connectors.acoustic.jobs import (
    activity_import,
    check,
    contacts_import,
    list_databases,
    list_sources,
    people_export,
    recipients_export,
)
from connectors.kit.errors import InputError, SignInError, WaitError
from connectors.kit.types import Credentials, ImportFunction

if TYPE_CHECKING:
    from peers.sshd import Sshd

CONTACTS = (
    "RECIPIENT_ID,Email,First Name,Opted Out,Opt In Date\n"
    "501,ann@x.example,Ann,F,01/31/2026\n502,new@x.example,Åsa,T,02/01/2026\n"
)
ACTIVITY = (
    "Recipient Id,Recipient Type,Mailing Id,Report Id,Campaign Id,Email,Event Type,Event Timestamp,Body Type,URL,,\n"
    '501,Normal,9876,50361,"",ann@x.example,Sent,08/29/2026 12:00:08,"","","",""\n'
    '501,Normal,9876,50361,"",ann@x.example,Click Through,08/29/2026 13:00:00,HTML,https://shop.example/a?b=1,"",""\n'
)


@pytest.fixture
def acoustic(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Acoustic]:
    monkeypatch.setattr(api, "WAITS", (0.0,))
    for folder in ("upload", "download"):
        (sshd.files / folder).mkdir(exist_ok=True)
        sshd.own(sshd.files / folder)
    with acoustic_server(sshd) as server:
        yield server


@pytest.fixture
def account(acoustic: Acoustic, sshd: Sshd) -> Credentials:
    """Signs in to the SSH server with a key, as only root's server knows passwords."""
    settings = {
        "client_id": "client-1", "pod": "2", "sftp_user": sshd.user, "folder": str(sshd.files),
        "host_key": sshd.host_key, "api_address": acoustic.url, "sftp_address": f"{sshd.host}:{sshd.port}",
    }  # fmt: skip
    secrets = {"client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN, "privatekey": sshd.private_key}
    return Credentials("acoustic-full-auth", settings, secrets)


class Imports:
    """Runs the import functions as a worker does, as the run 1 of the job 7."""

    def __init__(self, engine: Engine, folder: Path, account: Credentials) -> None:
        self.engine, self._folder, self._account = engine, folder, account
        self._runs = 0

    def __call__(
        self, function: ImportFunction, stream: str, *, previous: Any = None, cursor: Any = None, **options: Any
    ) -> Any:
        """The cursor that stands at the end."""
        path = self.engine.workspace.database.path
        self._runs += 1
        if self._runs > 1:
            with self.engine.workspace.database.write() as connection:
                connection.execute(
                    """insert into runs (id, job_id, trigger, status, started_at, first_event_at)
                    select ?, 7, 'by hand', 'running', started_at, (select ifnull(max(id), 0) + 1 from events)
                    from runs where id = 1""",
                    (self._runs,),
                )
        with closing(open_connection(path)) as connection:
            first = connection.execute("select ifnull(max(id), 0) + 1 from events").fetchone()[0]
            order = ImportOrder(
                database=path, job_id=7, run_id=self._runs, function=function, credentials=self._account,
                options={"silverpop_database": DATABASE, "stream": stream, "timezone": "UTC"} | options,
                cursor=cursor, scratch=self._folder / "scratch", keep=self._folder / "keep", first_event_at=first,
                events_before=0, previous=previous, provider="acoustic", provider_name="Acoustic",
                default_mapping=Catalog.load().default_mapping("acoustic", stream),
            )  # fmt: skip
            here, there = multiprocessing.Pipe()
            with closing(here), closing(there):
                threading.Thread(target=drain, args=(here,), daemon=True).start()
                order.carry_out(connection, Reporter(there, threading.Event()))
        return self.cursor(self._runs)

    def cursor(self, run: int) -> Any:
        """What a run saved last."""
        with self.engine.workspace.database.read() as connection:
            return orjson.loads(connection.execute("select cursor from runs where id = ?", (run,)).fetchone()[0])


def drain(pipe: Any) -> None:
    try:
        while True:
            pipe.recv()
    except (EOFError, OSError):
        return


@pytest.fixture
def imports(workspace: Engine, tmp_path: Path, account: Credentials) -> Imports:
    return Imports(workspace, tmp_path, account)


def zipped(name: str, text: str) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, text)
    return data.getvalue()


def test_an_account_is_checked_at_both_servers(account: Credentials) -> None:
    assert asyncio.run(check(account)).description == f"{account.settings['sftp_user']} in pod 2"
    bad = Credentials(account.method, account.settings, {**account.secrets, "refresh_token": "old"})
    with pytest.raises(SignInError, match="does not accept the client ID"):
        asyncio.run(check(bad))
    with pytest.raises(InputError, match="no pod 77"):
        asyncio.run(check(Credentials(account.method, {**account.settings, "pod": "77", "api_address": ""})))


def test_sources_are_listed_whether_shared_or_not(account: Credentials) -> None:
    databases = asyncio.run(list_databases(account, {}, ""))
    assert [(one.value, one.label) for one in databases] == [(DATABASE, f"Customers ({DATABASE})"), ("7", "Mine (7)")]
    lists = asyncio.run(list_sources(account, {"source_type": "list"}, ""))
    assert [one.label for one in lists] == ["A list (7)"]


def test_contacts_are_asked_for_and_read(imports: Imports, acoustic: Acoustic) -> None:
    acoustic.writes["ExportList"] = ("Customers.csv", CONTACTS.encode())
    cursor = imports(contacts_import, "silverpop_users")
    assert "DATE_START" not in acoustic.asked("ExportList")
    ann = search_profiles(imports.engine, "ann@x.example")[0].fields
    assert (ann["member_id"], ann["first_name"]) == ("M1", "Ann")
    assert ann["sp_list_optout_status"] == f'{{"{DATABASE}":"F"}}'
    assert search_profiles(imports.engine, "new@x.example")[0].fields["first_name"] == "Åsa"

    cursor["asked"]["until"] = "2026-01-31T12:00:00+00:00"
    imports(contacts_import, "silverpop_users", previous=cursor)
    assert acoustic.asked("ExportList")["DATE_START"] == "01/30/2026 12:00:00"


def test_activity_goes_on_where_the_last_run_ended(imports: Imports, acoustic: Acoustic) -> None:
    name = "Raw Recipient Data Export 1.zip"
    acoustic.writes["RawRecipientDataExport"] = (name, zipped("Raw Recipient Data Export 1.csv", ACTIVITY))
    cursor = imports(activity_import, "silverpop_activity", activity_start="2026-01-31", timezone="Europe/Berlin")
    asked = acoustic.asked("RawRecipientDataExport")
    assert (asked["LIST_ID"], asked["EVENT_DATE_START"]) == (DATABASE, "01/31/2026 00:00:00")
    assert {"MOVE_TO_FTP", "ALL_EVENT_TYPES", "INCLUDE_CHILDREN"} <= set(asked)
    ann = search_profiles(imports.engine, "ann@x.example")[0].fields
    assert (ann["sv_clickct"], ann["sv_email_urls"]) == (1, '["https://shop.example/a?b=1"]')
    assert ann["sv_firstclick_ts"].startswith("2026-08-29T11:00:00")
    assert (ann["sv_list_ids"], ann["sv_email_event"]) == (f'["{DATABASE}"]', '{"Click Through":1,"Sent":1}')

    cursor["asked"]["until"] = "2026-08-30T10:00:00+00:00"
    imports(activity_import, "silverpop_activity", previous=cursor, timezone="Europe/Berlin")
    assert acoustic.asked("RawRecipientDataExport")["EVENT_DATE_START"] == "08/30/2026 12:00:01"


def test_a_run_that_was_killed_does_not_ask_again(imports: Imports, acoustic: Acoustic, sshd: Sshd) -> None:
    acoustic.writes["ExportList"] = ("Customers.csv", CONTACTS.encode())
    acoustic.ends = "ERROR"
    with pytest.raises(InputError, match="data job 100 failed"):
        imports(contacts_import, "silverpop_users")
    assert imports.cursor(1)["asked"]["job"] == {"number": "100", "file": "download/Customers.csv"}
    acoustic.ends = "COMPLETE"
    acoustic.calls.clear()
    imports(contacts_import, "silverpop_users", cursor=imports.cursor(1))
    assert acoustic.operations() == ["GetJobStatus"]
    assert len(search_profiles(imports.engine, "new@x.example")) == 1


def test_people_go_up_with_their_mapping_and_are_taken_in(
    export: Any, account: Credentials, acoustic: Acoustic, sshd: Sshd
) -> None:
    options: Mapping[str, Any] = {
        "segment_ids": ["all", "search:ann"], "silverpop_database": DATABASE, "sync_fields": {"email": "Email"},
        "mappings": {"name": "First Name"}, "add_contacts": True, "update_existing": False,
    }  # fmt: skip
    paths = export(people_export, account, options)
    name = paths[0].removeprefix("upload/").removesuffix(".csv")
    assert paths == [f"upload/{name}.csv", f"upload/{name}_map.xml"]
    assert acoustic.took == [
        [
            "Email,First Name,all,search_ann",
            'ann@x.example,"Ann ""A"", Ångström",Yes,Yes',
            "bob@x.example,=1+1|x\ty,Yes,No",
        ]
    ]
    assert acoustic.columns == ["Email", "First Name", "all", "search_ann"]
    assert acoustic.operations() == ["GetListMetaData", "AddListColumn", "ImportList", "GetJobStatus"]
    assert acoustic.asked("AddListColumn")["COLUMN_TYPE"] == "1"
    assert (sshd.files / paths[1]).read_text() == MAPPING.format(
        columns=mapped("Email", "First Name", "all", "search_ann")
    )
    assert export.cursor()["job"]["number"] == "102"

    export(people_export, account, options, cursor=export.cursor())
    assert len(acoustic.took) == 1


def test_one_column_has_all_audiences_and_recipients_are_matched_by_number(
    export: Any, account: Credentials, acoustic: Acoustic
) -> None:
    options = {
        "segment_ids": ["search:ann", "search:holm"], "silverpop_database": DATABASE, "recipient_id": "member_id",
        "single_segment_field": "Audiences", "single_segment_empty_string": "null",
    }  # fmt: skip
    export(recipients_export, account, options)
    assert acoustic.took == [["RECIPIENT_ID,Audiences", "M1,search_ann", "M3,search_holm"]]
    assert "<USE_RECIPIENT_ID>true</USE_RECIPIENT_ID>" in acoustic.maps[0]
    assert "<ACTION>UPDATE_ONLY</ACTION>" in acoustic.maps[0]
    assert "SYNC_FIELDS" not in acoustic.maps[0]
    assert acoustic.asked("AddListColumn")["COLUMN_TYPE"] == "0"


def test_without_people_nothing_is_taken_in(export: Any, account: Credentials, acoustic: Acoustic) -> None:
    options = {"segment_ids": ["search:nobody"], "silverpop_database": DATABASE, "sync_fields": {"email": "Email"}}
    assert export(people_export, account, options) == []
    assert acoustic.took == []


def test_what_acoustic_refuses_is_told(
    export: Any, account: Credentials, acoustic: Acoustic, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"segment_ids": ["all"], "silverpop_database": DATABASE, "sync_fields": {"email": "E-Mail"}}
    with pytest.raises(InputError, match="refuses ImportList: Column E-Mail does not exist"):
        export(people_export, account, options)
    monkeypatch.setattr(api, "PATIENCE", -1)
    with pytest.raises(WaitError, match="has not finished its data job 102"):
        export(people_export, account, {**options, "sync_fields": {"email": "Email"}})


def mapped(*names: str) -> str:
    column = """
    <COLUMN>
      <INDEX>{index}</INDEX>
      <NAME>{name}</NAME>
      <INCLUDE>true</INCLUDE>
    </COLUMN>"""
    return "".join(column.format(index=index, name=name) for index, name in enumerate(names, 1))


MAPPING = """<?xml version='1.0' encoding='utf-8'?>
<LIST_IMPORT>
  <LIST_INFO>
    <ACTION>ADD_ONLY</ACTION>
    <LIST_ID>59294</LIST_ID>
    <FILE_TYPE>0</FILE_TYPE>
    <HASHEADERS>true</HASHEADERS>
  </LIST_INFO>
  <SYNC_FIELDS>
    <SYNC_FIELD>
      <NAME>Email</NAME>
    </SYNC_FIELD>
  </SYNC_FIELDS>
  <MAPPING>{columns}
  </MAPPING>
</LIST_IMPORT>"""
