"""File Service on real files and a real SSH server."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.file_service.jobs import check_folder, check_sftp, csv_import, csv_preview, list_files
from connectors.kit.errors import InputError, SignInError
from connectors.kit.files import reading
from connectors.kit.formats.streams import ByteStream
from connectors.kit.places.sftp import SftpPlace
from connectors.kit.times import parse_time
from connectors.kit.types import Again, Batch, Credentials, Cursor, DoneFile, Level

if TYPE_CHECKING:
    from peers.sshd import Sshd


@dataclass
class Context:
    """An import's context that remembers what it was told."""

    credentials: Credentials
    scratch: Path
    options: Mapping[str, Any]
    cursor: Cursor | None = None
    previous: Cursor | None = None
    again: Again | None = None
    done_files: Mapping[str, DoneFile] = field(default_factory=dict)
    logged: list[tuple[str, str]] = field(default_factory=list)
    reported: list[tuple[int, int | None, str, str]] = field(default_factory=list)
    requested: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def keep(self) -> Path:
        return self.scratch / "kept"

    def committed(self) -> None:
        """Everything that was handed over counts as saved."""

    def request(self, request: Mapping[str, Any]) -> None:
        self.requested.append(request)

    def log(self, message: str, level: Level = "info") -> None:
        self.logged.append((level, message))

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        self.reported.append((done, total, unit, activity))


def folder(path: Path) -> Credentials:
    return Credentials("file-service-folder", {"folder": str(path)})


def server(sshd: Sshd) -> Credentials:
    settings = {
        "host": sshd.host, "port": str(sshd.port), "user": sshd.user, "host_key": sshd.host_key,
        "folder": str(sshd.files),
    }  # fmt: skip
    return Credentials("file-service-sftp", settings, {"privatekey": sshd.private_key})


def run(context: Context, batches: int | None = None) -> list[Batch]:
    """All batches, or the first few as if the process was killed then."""

    async def collect() -> list[Batch]:
        taken: list[Batch] = []
        source = csv_import(context)
        async for batch in source:
            taken.append(batch)
            if len(taken) == batches:
                await source.aclose()  # type: ignore[attr-defined]
                break
        return taken

    return asyncio.run(collect())


def records(batches: list[Batch]) -> list[dict[str, Any]]:
    return [record for batch in batches for record in batch.records]


def people(count: int) -> bytes:
    return b"email,town,seen\n" + b"".join(
        b"p%d@example.com,Malm\xc3\xb6,2026-01-15T10:%02d:00Z\n" % (number, number % 60) for number in range(count)
    )


def test_an_import_reads_records_with_times_and_says_what_it_reads(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(people(3) + b"late,Lund,once\n")
    context = Context(folder(tmp_path), tmp_path, {"filename": "people.csv", "timestamp_field": "seen"})
    (batch,) = run(context)
    assert batch.records[1] == {"email": "p1@example.com", "town": "Malmö", "seen": "2026-01-15T10:01:00Z"}
    assert batch.times == [parse_time(f"2026-01-15T10:0{minute}:00Z") for minute in range(3)] + [None]
    assert (batch.done, batch.total) == ((tmp_path / "people.csv").stat().st_size,) * 2
    assert context.logged == [
        ("info", "people.csv, 160 bytes, UTF-8, comma, 3 columns"),
        ("warning", "1 row has no readable time in seen; the time of the import stands for it."),
    ]


def test_chosen_fields_come_with_the_identifiers_and_in_the_files_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,c,d\n1,2,3,4\n")
    options = {"filename": "a.csv", "fields": ["d"], "identifiers": ["b"], "timestamp_field": "a"}
    (batch,) = run(Context(folder(tmp_path), tmp_path, options))
    assert (batch.records, batch.columns) == ([{"b": "2", "d": "4"}], ("b", "d"))


@pytest.mark.parametrize(
    ("options", "what"),
    [({"fields": ["x"]}, "field"), ({"identifiers": ["x"]}, "identifier"), ({"timestamp_field": "x"}, "timestamp")],
)
def test_a_column_that_is_not_there_is_told_before_anything_is_read(
    tmp_path: Path, options: dict[str, Any], what: str
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=f"no column “x”, which is chosen as {what}") as caught:
        run(Context(folder(tmp_path), tmp_path, {"filename": "a.csv", **options}))
    assert caught.value.advice == "Its columns are: a, b."


def test_options_say_how_to_read_what_cannot_be_found_out(tmp_path: Path) -> None:
    (tmp_path / "aligned.txt").write_text("   1  19970101  1  11.77\n   2  19970112  1  12.00\n")
    options = {"filename": "aligned.txt", "delimiter": "whitespace", "header": False, "columns": "id, day, items, paid"}
    context = Context(folder(tmp_path), tmp_path, options)
    assert records(run(context))[1] == {"id": "2", "day": "19970112", "items": "1", "paid": "12.00"}
    assert "white space, 4 columns" in context.logged[0][1]


def packed(kind: str, data: bytes) -> bytes:
    if kind == "gz":
        return gzip.compress(data)
    if kind == "zip":
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("people.csv", data)
        return target.getvalue()
    return data


@pytest.mark.parametrize("kind", ["plain", "gz", "zip"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kill_after=st.lists(st.integers(1, 3), max_size=4), batch_rows=st.integers(40, 400))
def test_killed_at_any_batch_no_row_is_lost_and_none_is_there_twice(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    kill_after: list[int],
    batch_rows: int,
) -> None:
    tmp_path = tmp_path_factory.mktemp("killed")
    data = people(1_000) + b"too,few\n" + people(500).partition(b"\n")[2]
    (tmp_path / "p").write_bytes(packed(kind, data))
    monkeypatch.setattr(reading, "BATCH_ROWS", batch_rows)
    cursor: Cursor | None = None
    taken: list[Batch] = []
    for count in (*kill_after, None):
        batches = run(Context(folder(tmp_path), tmp_path, {"filename": "p"}, cursor), count)
        taken += batches
        cursor = batches[-1].cursor if batches else cursor
    expected = [f"p{number}@example.com" for number in (*range(1_000), *range(500))]
    assert [record["email"] for record in records(taken)] == expected
    assert [rejected.line for batch in taken for rejected in batch.rejected] == [1_002]


def test_a_resumed_import_says_where_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 100)
    (tmp_path / "p.csv").write_bytes(people(250))
    first = run(Context(folder(tmp_path), tmp_path, {"filename": "p.csv"}), 1)
    context = Context(folder(tmp_path), tmp_path, {"filename": "p.csv"}, first[-1].cursor)
    run(context)
    assert context.logged == [("info", "p.csv: going on at row 101")]


@pytest.mark.parametrize("change", ["longer", "same size"])
def test_a_file_that_was_replaced_meanwhile_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 100)
    target = tmp_path / "p.csv"
    target.write_bytes(people(250))
    first = run(Context(folder(tmp_path), tmp_path, {"filename": "p.csv"}), 1)
    target.write_bytes((people(260) if change == "longer" else people(250)).replace(b"p0@", b"q0@"))
    os.utime(target, (1_700_000_000,) * 2)
    with pytest.raises(InputError, match=r"p\.csv was replaced since the import was interrupted"):
        run(Context(folder(tmp_path), tmp_path, {"filename": "p.csv"}, first[-1].cursor))


def test_a_file_that_is_replaced_during_the_import_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 100)
    target = tmp_path / "p.csv"
    target.write_bytes(people(250))
    taken: list[Batch] = []

    async def disturbed() -> None:
        async for batch in csv_import(Context(folder(tmp_path), tmp_path, {"filename": "p.csv"})):
            taken.append(batch)
            (tmp_path / "new").write_bytes(people(300))
            (tmp_path / "new").replace(target)

    with pytest.raises(InputError, match=r"p\.csv was changed while it was being read"):
        asyncio.run(disturbed())
    assert len(taken) == 1


def test_rows_before_the_place_where_a_gz_was_cut_off_are_kept(tmp_path: Path) -> None:
    whole = gzip.compress(people(30_000))
    (tmp_path / "p.gz").write_bytes(whole[: len(whole) // 2])
    taken: list[Batch] = []

    async def collect() -> None:
        async for batch in csv_import(Context(folder(tmp_path), tmp_path, {"filename": "p.gz"})):
            taken.extend([batch])

    with pytest.raises(InputError, match="cut off"):
        asyncio.run(collect())
    assert 10_000 < len(records(taken)) < 20_000


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "empty"), (b"\x89PNG\r\n\x1a\n" + bytes(300), "picture|image|PNG"), (b"%PDF-1.7\n%\xe2\xe3\n" * 20, "PDF")],
)
def test_what_is_no_table_is_refused_before_the_first_batch(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    context = Context(folder(tmp_path), tmp_path, {"filename": "x.csv"})
    with pytest.raises(InputError, match=sentence):
        run(context)
    assert context.logged == []


def test_an_import_from_a_server_is_fetched_with_progress_and_not_fetched_again(sshd: Sshd, tmp_path: Path) -> None:
    sshd.put("people.csv.gz", packed("gz", people(25_000)))
    context = Context(server(sshd), tmp_path, {"filename": "people.csv.gz"})
    first = run(context, 1)
    fetched = [report for report in context.reported if report[3] == "Downloading"][-1]
    assert fetched[0] == fetched[1] == (sshd.files / "people.csv.gz").stat().st_size
    again = Context(server(sshd), tmp_path, {"filename": "people.csv.gz"}, first[-1].cursor)
    rest = run(again)
    assert [record["email"] for record in records(first + rest)] == [f"p{n}@example.com" for n in range(25_000)]
    sshd.put("people.csv.gz", packed("gz", people(25_001)))
    with pytest.raises(InputError, match="was replaced since"):
        run(Context(server(sshd), tmp_path, {"filename": "people.csv.gz"}, first[-1].cursor))


@pytest.mark.parametrize("where", ["folder", "server"])
def test_a_file_that_was_imported_last_is_left_alone(sshd: Sshd, tmp_path: Path, where: str) -> None:
    sshd.put("daily.csv", people(3))
    place = server(sshd) if where == "server" else folder(sshd.files)
    (batch,) = run(Context(place, tmp_path, {"filename": "daily.csv"}))
    again = Context(place, tmp_path, {"filename": "daily.csv"}, previous=batch.cursor)
    assert run(again) == []
    assert again.logged == [("info", "daily.csv is the file that was imported last; there is nothing new.")]
    assert again.reported == []
    sshd.put("daily.csv", people(4))
    assert len(records(run(Context(place, tmp_path, {"filename": "daily.csv"}, previous=batch.cursor)))) == 4


def test_a_series_on_a_server_is_fetched_moved_and_kept_as_evidence(sshd: Sshd, tmp_path: Path) -> None:
    for day in (1, 2):
        name = f"series/c_2026-01-0{day}.csv"
        sshd.put(name, people(day))
        os.utime(sshd.files / name, (1_700_000_000 + day,) * 2)
    sshd.own(sshd.files / "series")
    options = {
        "filename": "series/c_2026-01-01.csv",
        "continuous_update": True,
        "after_import": "move",
        "move_to": "series/done",
    }
    context = Context(server(sshd), tmp_path, options)
    batches = run(context)
    assert len(records(batches)) == 3
    assert [batch.file.path for batch in batches if batch.file] == [
        "series/c_2026-01-01.csv",
        "series/c_2026-01-02.csv",
    ]
    assert sorted(path.name for path in (sshd.files / "series").iterdir()) == ["done"]
    assert [(told["action"], told["name"]) for told in context.requested if "name" in told] == [
        (action, f"series/c_2026-01-0{day}.csv") for day in (1, 2) for action in ("fetch", "move")
    ]
    fetched = context.requested[1]
    assert fetched["server"] == f"{sshd.user}@{sshd.host}"
    assert (fetched["size"], len(fetched["sha256"])) == (len(people(1)), 64)
    assert not any(tmp_path.glob("file-*"))


def test_a_preview_shows_the_first_rows_and_moves_only_the_head(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    data = people(200_000).replace(b"seen", b"last_seen", 1)
    sshd.put("people.csv", data)
    moved: list[int] = []
    open_file = SftpPlace.open

    def watched(place: SftpPlace, path: str) -> ByteStream:
        stream = open_file(place, path)
        read = stream.read
        monkeypatch.setattr(stream, "read", lambda size: moved.append(size) or read(size), raising=False)
        return stream

    monkeypatch.setattr(SftpPlace, "open", watched)
    seen = asyncio.run(csv_preview(server(sshd), {"filename": "people.csv"}))
    assert (len(seen.rows), seen.size, seen.timestamp) == (100, len(data), "last_seen")
    assert 0 < sum(moved) < len(data) / 4
    assert seen.summary == ("UTF-8", "comma", "header")
    assert [(column.name, column.type, column.identifier) for column in seen.columns] == [
        ("email", "email", True),
        ("town", "text", False),
        ("last_seen", "date", False),
    ]
    assert seen.columns[1].sample == "Malmö"
    assert seen.rows[99][0] == "p99@example.com"


def test_a_preview_without_a_file_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No file is chosen"):
        asyncio.run(csv_preview(folder(tmp_path), {}))


@pytest.mark.parametrize("where", ["folder", "server"])
def test_browsing_shows_folders_first_and_the_newest_file_first(sshd: Sshd, tmp_path: Path, where: str) -> None:
    base = tmp_path if where == "folder" else sshd.files / "browse"
    (base / "outgoing").mkdir(parents=True)
    for name, age in (("b-old.csv", 300), ("a-older.csv", 900), ("z-new.csv", 0)):
        (base / name).write_bytes(b"a\n1\n")
        os.utime(base / name, (1_700_000_000 - age,) * 2)
    if where == "server":
        for path in (base, *base.iterdir()):
            sshd.own(path)
    credentials = folder(tmp_path) if where == "folder" else server(sshd)
    found = asyncio.run(list_files(credentials, {}, "" if where == "folder" else "browse"))
    assert [choice.label for choice in found] == ["outgoing", "z-new.csv", "b-old.csv", "a-older.csv"]
    assert [choice.folder for choice in found] == [True, False, False, False]
    assert (found[1].size, found[1].modified) == (4, "2023-11-14T22:13:20+00:00")
    assert asyncio.run(list_files(credentials, {}, found[0].value)) == []


def test_a_check_says_whose_account_it_is(sshd: Sshd, tmp_path: Path) -> None:
    good = server(sshd)
    account = asyncio.run(check_sftp(good))
    assert account.description == f"{sshd.user} on {sshd.host}, folder {sshd.files}"
    assert asyncio.run(check_folder(folder(tmp_path))).description == str(tmp_path)


@pytest.mark.parametrize(
    ("settings", "secrets", "kind", "sentence"),
    [
        ({}, {"password": "wrong", "privatekey": ""}, SignInError, "password"),
        ({}, {"privatekey": ""}, SignInError, "Neither a password nor a private key"),
        ({"port": "ssh"}, {}, InputError, "ssh is no port"),
        ({"port": "0"}, {}, InputError, "0 is no port"),
        ({"folder": "nowhere"}, {}, InputError, "nowhere"),
    ],
)
def test_a_check_that_fails_says_why(
    sshd: Sshd, settings: dict[str, str], secrets: dict[str, str], kind: type[Exception], sentence: str
) -> None:
    good = server(sshd)
    bad = Credentials(good.method, {**good.settings, **settings}, {**good.secrets, **secrets})
    with pytest.raises(kind, match=sentence):
        asyncio.run(check_sftp(bad))


def test_a_folder_that_is_not_there_fails_its_check(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone"):
        asyncio.run(check_folder(folder(tmp_path / "gone")))
