"""Imports of one file and of series, on real files in a folder."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.kit.errors import InputError
from connectors.kit.files import importing, reading
from connectors.kit.files.importing import import_files, list_prefixes, preview_file
from connectors.kit.places.base import FileMark, Progress
from connectors.kit.places.local import LocalFolder
from connectors.kit.times import parse_time
from connectors.kit.types import Again, Batch, Credentials, Cursor, DoneFile, Level

if TYPE_CHECKING:
    from peers.pgp import PgpPeer

NOBODY = Credentials("folder", {})
BEGIN = datetime(2026, 1, 15, tzinfo=UTC)


@dataclass
class Context:
    """A job's context over several runs: what the engine keeps of a run is there in the next one."""

    options: dict[str, Any]
    scratch: Path
    credentials: Credentials = NOBODY
    cursor: Cursor | None = None
    previous: Cursor | None = None
    again: Again | None = None
    done_files: dict[str, DoneFile] = field(default_factory=dict)
    logged: list[tuple[str, str]] = field(default_factory=list)
    requested: list[Mapping[str, Any]] = field(default_factory=list)
    saved: list[Batch] = field(default_factory=list)

    @property
    def keep(self) -> Path:
        return self.scratch / "kept"

    def committed(self) -> None:
        """Each batch is saved before the next one is asked for."""

    def request(self, request: Mapping[str, Any]) -> None:
        self.requested.append(request)

    def log(self, message: str, level: Level = "info") -> None:
        self.logged.append((level, message))

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        assert total is None or done <= total

    def told(self, level: Level) -> list[str]:
        return [message for one, message in self.logged if one == level]


class RemoteFolder(LocalFolder):
    """A folder that is fetched from, as a server is."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fetched: list[str] = []

    @property
    def label(self) -> str:
        return "maja@sftp.agency.example"


class Remote:
    """The same, as something that is no folder of this computer."""

    def __init__(self, folder: RemoteFolder) -> None:
        self._folder = folder
        for name in ("label", "list", "stat", "open", "send", "move", "delete", "close"):
            setattr(self, name, getattr(folder, name))

    def fetch(self, path: str, local: Path, *, progress: Progress | None = None, resume: bool = True) -> FileMark:
        self._folder.fetched.append(path)
        return self._folder.fetch(path, local, progress=progress, resume=resume)


def run(
    context: Context, folder: Path | RemoteFolder, form: Literal["csv", "json"] = "csv", batches: int | None = None
) -> list[dict[str, Any]]:
    """A run to its end, or until so many batches are saved and its process is killed; the records of it."""
    context.logged.clear()
    context.requested.clear()
    place = Remote(folder) if isinstance(folder, RemoteFolder) else LocalFolder(folder)

    async def collect() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        source = import_files(context, lambda: place, form)  # type: ignore[arg-type, return-value]
        count = 0
        async for batch in source:
            count += 1
            context.saved.append(batch)
            context.cursor = batch.cursor
            if batch.file is not None:
                context.done_files[batch.file.path] = batch.file
            found += batch.records
            if count == batches:
                await source.aclose()  # type: ignore[attr-defined]
                return found
        context.cursor = None
        return found

    return asyncio.run(collect())


def put(folder: Path, name: str, text: str | bytes, *, minutes: float = 0) -> Path:
    """A file that was changed so many minutes after the begin of all."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode() if isinstance(text, str) else text)
    moment = (BEGIN + timedelta(minutes=minutes)).timestamp()
    os.utime(target, (moment, moment))
    return target


def table(*ids: object) -> str:
    return "id,town\n" + "".join(f"{one},Malmö\n" for one in ids)


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["id"] for record in records]


@pytest.fixture
def series(tmp_path: Path) -> tuple[Context, Path]:
    folder = tmp_path / "files"
    folder.mkdir()
    return Context({"filename": "c_20260115.csv", "continuous_update": True}, tmp_path / "job"), folder


def test_each_file_of_a_series_is_read_once_in_the_order_of_its_changes(series: tuple[Context, Path]) -> None:
    context, folder = series
    put(folder, "c_20260114.csv", table("before"), minutes=-1)
    put(folder, "c_20260115.csv", table("a"))
    put(folder, "c_20260117.csv", table("c"), minutes=5)
    put(folder, "c_20260116.csv", table("b"), minutes=5)
    for name in ("c_eu_20260116.csv", "d_20260116.csv", ".c_20260118.csv", "c_20260118.csv.part", "c_20260116.csv.md5"):
        put(folder, name, table("other"), minutes=6)
    assert ids(run(context, folder)) == ["a", "b", "c"]
    assert run(context, folder) == []
    assert context.told("info") == ["No new file named “c_…”."]
    put(folder, "c_20260118.csv.gz", gzip.compress(table("d").encode()), minutes=9)
    assert ids(run(context, folder)) == ["d"]
    assert [request["name"] for request in context.requested if request["action"] == "open"] == ["c_20260118.csv.gz"]


def test_a_changed_file_is_read_again_and_one_that_was_only_touched_is_not(series: tuple[Context, Path]) -> None:
    context, folder = series
    put(folder, "c_20260115.csv", table("a"))
    run(context, folder)
    put(folder, "c_20260115.csv", table("a"), minutes=1)
    assert run(context, folder) == []
    assert context.told("info") == [
        "c_20260115.csv was touched, but holds what was imported before; there is nothing new."
    ]
    run(context, folder)
    assert context.told("info") == ["No new file named “c_…”."]
    put(folder, "c_20260115.csv", table("a", "b"), minutes=2)
    assert ids(run(context, folder)) == ["a", "b"]
    assert "c_20260115.csv was changed since it was imported; it is imported again." in context.told("info")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 6), max_size=8), st.booleans(), st.booleans())
def test_a_series_that_is_killed_at_any_batch_goes_on_in_the_middle_of_a_file(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    kill_after: list[int],
    diff: bool,
    remote: bool,
) -> None:
    tmp_path = tmp_path_factory.mktemp("killed")
    monkeypatch.setattr(reading, "BATCH_ROWS", 10)
    folder = tmp_path / "files"
    for day in range(1, 8):
        # Each file has the rows of the one before, and nine new ones.
        first = 0 if diff else (day - 1) * 9
        put(folder, f"c_2026010{day}.csv", table(*range(first, day * 9)), minutes=day)
    options = {"filename": "c_20260101.csv", "continuous_update": True, "diff": diff, "after_import": "move"}
    context = Context(options | {"move_to": "done"}, tmp_path / "job")
    taken: list[str] = []
    for count in (*kill_after, None):
        taken += ids(run(context, RemoteFolder(folder) if remote else folder, batches=count))
    assert taken == [str(number) for number in range(63)]
    assert sorted(path.name for path in folder.iterdir()) == ["done"]
    assert len(list((folder / "done").iterdir())) == 7


def test_rows_of_the_previous_file_are_skipped_also_when_that_one_was_changed_or_undone(
    series: tuple[Context, Path],
) -> None:
    context, folder = series
    context.options["diff"] = True
    put(folder, "c_20260115.csv", table("a", "b", "b"))
    assert ids(run(context, folder)) == ["a", "b", "b"]
    put(folder, "c_20260116.csv", table("b", "c", "a"), minutes=1)
    assert ids(run(context, folder)) == ["c"]
    assert "c_20260116.csv: 2 rows were in the previous file too and were skipped." in context.told("info")
    put(folder, "c_20260117.csv", table("c"), minutes=2)
    put(folder, "c_20260118.csv", table("a", "c"), minutes=3)
    assert ids(run(context, folder)) == ["a"]
    # An undone import takes its files back: what they held is new again.
    del context.done_files["c_20260118.csv"]
    assert ids(run(context, folder)) == ["a", "c"]
    put(folder, "c_20260119.csv", "id,city\na,Malmö\n", minutes=4)
    assert run(context, folder) == [{"id": "a", "city": "Malmö"}]


def test_a_file_that_lacks_an_identifier_is_refused_before_anything_of_it_is_there(
    series: tuple[Context, Path],
) -> None:
    context, folder = series
    context.options["identifiers"] = ["id"]
    put(folder, "c_20260115.csv", table("a"))
    put(folder, "c_20260116.csv", "id,town,new\nb,Lund,1\n", minutes=1)
    put(folder, "c_20260117.csv", "ID,town\nc,Lund\n", minutes=2)
    with pytest.raises(InputError, match="no column “id”, which is chosen as identifier"):
        run(context, folder)
    assert list(context.done_files) == ["c_20260115.csv", "c_20260116.csv"]
    assert context.saved[-1].records == [{"id": "b", "town": "Lund", "new": "1"}]
    context.options["skip_bad_files"] = True
    put(folder, "c_20260118.csv", table("d"), minutes=3)
    assert ids(run(context, folder)) == ["d"]
    assert context.told("error")[0].startswith("c_20260117.csv was skipped: The file has no column “id”")
    assert run(context, folder) == []


def test_a_cut_off_file_keeps_its_good_rows_and_is_gone_on_with_once_it_is_whole(
    series: tuple[Context, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, folder = series
    whole = gzip.compress(table(*range(40_000)).encode(), mtime=0)
    put(folder, "c_20260115.csv.gz", whole[: len(whole) // 2])
    context.options |= {"filename": "c_20260115.csv.gz", "diff": True}
    with pytest.raises(InputError, match="cut off"):
        run(context, folder)
    first = [record for batch in context.saved for record in batch.records]
    assert 5_000 < len(first) < 35_000
    put(folder, "c_20260115.csv.gz", whole, minutes=3)
    rest = run(context, folder)
    assert any("has become longer" in message for message in context.told("info"))
    assert ids(first + rest) == [str(number) for number in range(40_000)]
    put(folder, "c_20260116.csv", table(*range(40_001)), minutes=5)
    assert ids(run(context, folder)) == ["40000"]


def test_a_file_that_is_being_written_is_left_for_the_next_run(
    series: tuple[Context, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, folder = series
    put(folder, "c_20260115.csv", table("a"))
    growing = put(folder, "c_20260116.csv", table("b"), minutes=1)
    os.utime(growing)

    async def written(seconds: float) -> None:
        growing.write_text(table("b", "c"))

    monkeypatch.setattr(importing, "SETTLED", timedelta(hours=1))
    monkeypatch.setattr(importing.asyncio, "sleep", written)
    monkeypatch.setattr(importing, "LOOKED", 0)
    now = datetime.now(UTC)
    moments = iter([now, now])
    monkeypatch.setattr(importing, "utc_now", lambda: next(moments, now + timedelta(hours=2)))
    assert ids(run(context, folder)) == ["a"]
    assert context.told("warning") == ["c_20260116.csv is still being written; it is read at the next run."]
    assert ids(run(context, folder)) == ["b", "c"]


def test_a_file_that_goes_away_between_list_and_reading_is_left_out(
    series: tuple[Context, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, folder = series
    put(folder, "c_20260115.csv", table("a"))
    gone = put(folder, "c_20260116.csv", table("b"), minutes=1)
    put(folder, "c_20260117.csv", table("c"), minutes=2)
    listed = LocalFolder.list

    def racing(place: LocalFolder, path: str = "") -> Any:
        entries = listed(place, path)
        gone.unlink(missing_ok=True)
        return entries

    monkeypatch.setattr(LocalFolder, "list", racing)
    assert ids(run(context, folder)) == ["a", "c"]
    assert "c_20260116.csv was there a moment ago and is gone" in context.told("warning")[0]


def test_a_missing_next_file_is_told_once_it_is_late(series: tuple[Context, Path]) -> None:
    context, folder = series
    context.options["file_frequency"] = "daily"
    now = datetime.now(UTC)
    for name, hours, warned in (("c_20260115.csv", 31, True), ("c_20260116.csv", 25, False)):
        file = put(folder, name, table(name))
        os.utime(file, ((now - timedelta(hours=hours)).timestamp(),) * 2)
        context.options["filename"] = "c_20260115.csv"
        run(context, folder)
        run(context, folder)
        assert bool(context.told("warning")) == warned
        if warned:
            assert context.told("warning")[0].startswith("The file after c_20260115.csv should have come by 20")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"filename": "c_20260115.csv", "since": "2026-01-15 00:04"}, ["late", "eu"][:1]),
        ({"filename": "", "prefix": "c_"}, ["old", "a", "late", "eu"]),
        ({"filename": "c_20260115.csv", "prefix": "c_(eu_)?"}, ["a", "late", "eu"]),
        ({"filename": "c_20260115.csv", "prefix": "c_("}, ["a", "late"]),
    ],
)
def test_where_a_series_begins_and_what_its_names_begin_with(
    series: tuple[Context, Path], options: dict[str, str], expected: list[str]
) -> None:
    context, folder = series
    context.options |= options
    put(folder, "c_20260114.csv", table("old"), minutes=-5)
    put(folder, "c_20260115.csv", table("a"))
    put(folder, "c_20260116.csv", table("late"), minutes=5)
    put(folder, "c_eu_20260116.csv", table("eu"), minutes=6)
    if options.get("prefix") == "c_(":
        # No regular expression: it stands for itself, and no file is called so but the chosen one.
        expected = ["a"]
    assert ids(run(context, folder)) == expected


def test_a_series_whose_first_file_is_not_there_says_so(series: tuple[Context, Path]) -> None:
    context, folder = series
    put(folder, "c_20260116.csv", table("b"), minutes=5)
    with pytest.raises(InputError, match=r"c_20260115\.csv"):
        run(context, folder)
    assert ids(run(Context(context.options | {"since": "2026-01-15"}, context.scratch), folder)) == ["b"]


@pytest.mark.parametrize("what", ["move", "delete"])
def test_what_becomes_of_a_file_is_done_only_once_its_rows_are_saved(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "files"
    put(folder, "in/a.csv", table("a"))
    put(folder, "done/a.csv", table("other"))
    options = {"filename": "in/a.csv", "after_import": what, "move_to": "done"}
    context = Context(options, tmp_path / "job")
    run(context, folder, batches=1)
    assert (folder / "in/a.csv").exists()
    # The process was killed after the last rows: the run that goes on reads nothing and does what is left.
    assert run(context, folder) == []
    assert not (folder / "in/a.csv").exists()
    assert (folder / "done/a.csv").read_text() == table("other")
    assert (folder / "done/a_2.csv").exists() == (what == "move")
    assert context.requested[-1]["action"] == what


def test_a_file_that_was_imported_before_anybody_wished_so_is_not_deleted(series: tuple[Context, Path]) -> None:
    context, folder = series
    put(folder, "c_20260115.csv", table("a"))
    run(context, folder)
    context.options["after_import"] = "delete"
    put(folder, "c_20260116.csv", table("b"), minutes=1)
    run(context, folder)
    assert [path.name for path in folder.iterdir()] == ["c_20260115.csv"]


@pytest.mark.parametrize("wish", [{"move_to": ""}, {"move_to": "in/"}, {"move_to": "./in"}])
def test_a_folder_that_files_cannot_be_moved_to_is_refused_before_anything_is_read(
    tmp_path: Path, wish: dict[str, str]
) -> None:
    put(tmp_path, "in/a.csv", table("a"))
    context = Context({"filename": "in/a.csv", "after_import": "move", **wish}, tmp_path / "job")
    with pytest.raises(InputError, match=r"to move imported files to|which is where they lie"):
        run(context, tmp_path)
    assert context.saved == []


def test_the_first_of_several_timestamps_that_can_be_read_counts(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "updated,created\n2026-01-02,2026-01-01\n,2026-01-01\nsoon,2026-01-03\n,\n")
    options = {"filename": "a.csv", "timestamp_field": "updated", "timestamps": ["created"]}
    context = Context(options, tmp_path / "job")
    run(context, tmp_path)
    days = ["2026-01-02", "2026-01-01", "2026-01-03"]
    assert context.saved[0].times == [*map(parse_time, days), None]
    assert context.told("warning") == [
        "1 row has no readable time in updated or created; the time of the import stands for it."
    ]


JSON_LINES = [
    {"user": {"email": "maja@example.com", "city": "Lund"}, "at": {"seen": 1768469400}, "tags": ["a", "b"], "n": 1},
    {"user": {"email": "bob@example.com"}, "at": {"seen": "2026-01-15T09:31:00Z"}, "orders": [{"id": 1}]},
]


@pytest.mark.parametrize("shape", ["lines", "array"])
def test_json_keeps_its_levels_and_only_the_chosen_fields(tmp_path: Path, shape: str) -> None:
    lines = "\n".join(json.dumps(record) for record in JSON_LINES)
    put(tmp_path, "e.json.gz", gzip.compress((lines if shape == "lines" else json.dumps(JSON_LINES)).encode()))
    options: dict[str, Any] = {"filename": "e.json.gz", "timestamp_field": "at.seen"}
    context = Context(options, tmp_path / "job")
    assert run(context, tmp_path, "json") == JSON_LINES
    assert context.saved[0].times == [parse_time("2026-01-15T09:30:00Z"), parse_time("2026-01-15T09:31:00Z")]
    chosen = Context(options | {"fields": ["user.city", "tags"], "identifiers": ["user.email"]}, tmp_path / "job")
    assert run(chosen, tmp_path, "json") == [
        {"user": {"email": "maja@example.com", "city": "Lund"}, "tags": ["a", "b"]},
        {"user": {"email": "bob@example.com"}},
    ]
    seen = preview_file(NOBODY, options, lambda: LocalFolder(tmp_path), "json")
    assert [(column.name, column.type, column.sample) for column in seen.columns] == [
        ("user.email", "email", "maja@example.com"),
        ("user.city", "text", "Lund"),
        ("at.seen", "text", "1768469400"),
        ("tags", "list", '["a","b"]'),
        ("n", "integer", "1"),
        ("orders", "list", '[{"id":1}]'),
    ]
    assert seen.notes == ("orders holds objects in a list: it stays in the events and fills no field.",)
    assert seen.summary[:2] == ("gz", "UTF-8")


def test_rejected_rows_of_a_series_are_read_again_where_one_file_was_read(series: tuple[Context, Path]) -> None:
    context, folder = series
    put(folder, "c_20260115.csv", table("a") + "b,Lund,?\n")
    put(folder, "c_20260116.csv", table("c") + "d,Lund,?\n", minutes=1)
    del context.options["continuous_update"]
    run(context, folder)
    context.options["continuous_update"] = True
    assert [row.line for row in context.saved[0].rejected] == [3]
    one = Context(context.options, context.scratch, again=Again(frozenset({3}), tuple(context.requested)))
    run(one, folder)
    assert [(row.line, row.reason.partition(":")[0]) for row in one.saved[0].rejected] == [(3, "c_20260115.csv")]
    run(both := Context(context.options, context.scratch), folder)
    both.again = Again(frozenset({3}), tuple(both.requested))
    with pytest.raises(InputError, match="That run read 2 files"):
        run(both, folder)


def test_an_encrypted_file_is_gone_on_with_and_one_that_was_cut_off_fails_after_its_rows(
    tmp_path: Path, pgp: PgpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 1_000)
    whole = pgp.encrypt(gzip.compress(table(*range(30_000)).encode(), 1), pgp.rsa)
    put(tmp_path / "files", "a.csv", whole)
    secrets = {"pgpprivatekey": pgp.rsa.private, "pgppassphrase": pgp.rsa.passphrase or ""}
    context = Context({"filename": "a.csv"}, tmp_path / "job", Credentials("folder", {}, secrets))
    first = run(context, tmp_path / "files", batches=3)
    rest = run(context, tmp_path / "files")
    assert ids(first + rest) == [str(number) for number in range(30_000)]
    put(tmp_path / "files", "a.csv", whole[: len(whole) * 3 // 4], minutes=1)
    context.saved.clear()
    with pytest.raises(InputError, match="cut off"):
        run(context, tmp_path / "files")
    assert 10_000 < sum(len(batch.records) for batch in context.saved) < 30_000
    assert not any(batch.file for batch in context.saved)


def test_a_prefix_is_offered_for_the_chosen_file() -> None:
    offered = list_prefixes({"filename": "outgoing/customers_20260115_093000.csv.gz.pgp"})
    assert [choice.value for choice in offered] == ["customers_"]
    assert list_prefixes({}) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (",".join(f"c{number}" for number in range(100_000)) + "\n1\n", "100,000 columns"),
        ("id,town\n\x00\x01\x02\xff\n" * 100, "is not text"),
    ],
)
def test_what_no_table_has_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    put(tmp_path, "a.csv", text)
    context = Context({"filename": "a.csv"}, tmp_path / "job")
    with pytest.raises(InputError, match=sentence):
        run(context, tmp_path)
    assert context.saved == []


def test_duplicate_headers_and_bytes_of_two_encodings_are_told(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "id,Town,town\n1,Malmö,x\n".encode() + "2,Malmö,y\n".encode("latin-1"))
    context = Context({"filename": "a.csv", "encoding": "utf-8"}, tmp_path / "job")
    assert run(context, tmp_path) == [{"id": "1", "Town": "Malmö", "town_2": "x"}]
    assert len(context.saved[0].rejected) == 1
    assert context.told("warning") == ["The header row has town more than once; column 3 is called town_2."]
