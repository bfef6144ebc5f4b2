"""People as files in a real folder and on a real SSH server: the bytes, the names, and that each part arrives once."""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import itertools
import json
import random
import resource
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.errors import InputError, WaitError
from connectors.kit.files.cells import guarded
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.layout import (
    Audiences,
    Constant,
    FieldValue,
    Layout,
    Made,
    Membership,
    RowAudience,
    standard_layout,
)
from connectors.kit.files.naming import Names, time_text
from connectors.kit.files.splitting import Parts, Wrapping
from connectors.kit.files.tables import csv_lines
from connectors.kit.places.base import Place
from connectors.kit.places.local import LocalFolder
from connectors.kit.places.sftp import connect
from connectors.kit.types import Audience, Credentials, Cursor, Level, ProfileField, SentFile

if TYPE_CHECKING:
    from peers.sshd import Sshd

STARTED = datetime(2026, 1, 31, 23, 5, 9, 120_000, tzinfo=UTC)
FIELDS = (
    ProfileField("email", "E-mail", "string", identifier=True),
    ProfileField("name", "Name", "string"),
    ProfileField("visits", "Visits", "int"),
    ProfileField("vip", "VIP", "bool"),
    ProfileField("tags", "Tags", "[]string"),
    ProfileField("spent", "Spent", "map[string]number"),
)
PEOPLE: list[tuple[Any, ...]] = [
    ("ann@x.example", 'Ann "A", Ångström', -3, True, ["a", "b&c"], {"EUR": 1.5, "SEK": 20}),
    ("bob@x.example", "=1+1", 7, False, None, None),
    (None, "two\nlines\r\nof 漢字", None, None, ["x"], {}),
]
IN_VIPS = (True, False, True)


class Source:
    """Three people, of whom the first and the last are VIPs."""

    fields = FIELDS

    def __init__(self, people: Sequence[tuple[Any, ...]] = PEOPLE) -> None:
        self.everybody = list(people)
        self.asked = 0

    def audience(self, identity: str) -> Audience:
        if identity not in ("all", "vips", "nobody"):
            raise InputError(f"There is no audience “{identity}”.")
        return Audience(identity, {"all": "Everybody", "vips": "VIPs / gold"}.get(identity, "Nobody"), identity)

    def _in(self, identity: str, number: int) -> bool:
        return identity == "all" or (identity == "vips" and IN_VIPS[number % 3])

    def _wanted(self, audiences: Sequence[str]) -> list[int]:
        return [number for number in range(len(self.everybody)) if any(self._in(one, number) for one in audiences)]

    def count(self, audiences: Sequence[str]) -> int:
        return len(self._wanted(audiences))

    def people(
        self, audiences: Sequence[str], fields: Sequence[str], *, memberships: Sequence[str] = (),
        limit: int | None = None,
    ) -> Iterator[list[tuple[Any, ...]]]:  # fmt: skip
        self.asked += 1
        places = [[one.name for one in FIELDS].index(name) for name in fields]
        rows = [
            (
                *(self.everybody[number][place] for place in places),
                *(self._in(one, number) for one in memberships),
            )
            for number in self._wanted(audiences)[:limit]
        ]
        for start in range(0, len(rows), 2):
            yield rows[start : start + 2]


@dataclass
class Context:
    """An export's context that remembers what it was told."""

    scratch: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    source: Any = field(default_factory=Source)
    credentials: Credentials = field(default_factory=lambda: Credentials("folder", {}))
    cursor: Cursor | None = None
    previous: Cursor | None = None
    started: datetime = STARTED
    job_id: int = 7
    job_name: str = "Daily/export"
    files: list[SentFile] = field(default_factory=list)
    logged: list[tuple[str, str]] = field(default_factory=list)

    def save(self, cursor: Cursor) -> None:
        self.cursor = json.loads(json.dumps(cursor))

    def sent(self, file: SentFile, cursor: Cursor | None = None) -> None:
        self.files.append(file)
        if cursor is not None:
            self.save(cursor)

    def log(self, message: str, level: Level = "info") -> None:
        self.logged.append((level, message))

    def request(self, request: Mapping[str, Any]) -> None:
        assert "sha256" in request

    def progress(self, done: int, total: int | None, unit: str, activity: str) -> None:
        assert total is None or done <= total


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path / "scratch")


@pytest.fixture
def place(tmp_path: Path) -> Callable[[], Place]:
    (tmp_path / "out").mkdir()
    return lambda: LocalFolder(tmp_path / "out")


def export(context: Context, place: Callable[[], Place], layout: Layout) -> None:
    asyncio.run(export_people(context, place, layout))


def sent(tmp_path: Path) -> dict[str, bytes]:
    """Everything in the place, by path."""
    out = tmp_path / "out"
    return {str(one.relative_to(out)): one.read_bytes() for one in out.rglob("*") if one.is_file()}


def usual(**options: Any) -> Layout:
    return standard_layout(Source(), {"segment_id": "all", "timezone": "UTC", **options})


def test_the_usual_file_byte_for_byte(context: Context, place: Callable[[], Place], tmp_path: Path) -> None:
    export(context, place, usual(append_segment_slug=True, export_segments=True, segments=["all", "vips"]))
    ((name, data),) = sent(tmp_path).items()
    assert name == "all_2026-01-31T23-05-09.csv"
    assert data.decode() == (
        "email,name,visits,vip,tags,spent,audience_slug,audiences\r\n"
        'ann@x.example,"Ann ""A"", Ångström",-3,true,a&b&c,EUR=1.5&SEK=20,all,all&vips\r\n'
        "bob@x.example,'=1+1,7,false,,,all,all\r\n"
        ',"two\nlines\r\nof 漢字",,,x,,all,all&vips\r\n'
    )
    (told,) = context.files
    assert (told.path, told.rows, told.size, told.table) == (name, 3, len(data), True)
    assert (told.local, told.sha256) == (str(tmp_path / "out" / name), hashlib.sha256(data).hexdigest())
    assert [one.name for one in context.scratch.iterdir()] == ["files.json"]


def test_what_options_change(context: Context, place: Callable[[], Place], tmp_path: Path) -> None:
    layout = usual(
        segment_id="vips", fields=["tags", "email"], delimiter="tab", join=";", write_headers=False, compress="gzip",
        filename="/deep/{segment_name}_{TIMESTAMP}_{WORKID}_{job}", time_format="DD.MM.YY HH:mm", append_segment_name=1,
        timezone="Europe/Berlin", size_limit=1,
    )  # fmt: skip
    export(context, place, layout)
    ((name, data),) = sent(tmp_path).items()
    assert name == "deep/VIPs _ gold_01.02.26 00:05_7_Daily_export.csv.gz"
    assert gzip.decompress(data).decode() == "a;b&c\tann@x.example\tVIPs / gold\r\n"
    assert not context.files[0].table


def test_json_lines_keep_lists_and_leave_out_what_is_missing(
    context: Context, place: Callable[[], Place], tmp_path: Path
) -> None:
    options = {"segment_id": "all", "export_segments": True, "compress": "zip", "filename": "people"}
    export(context, place, standard_layout(Source(), options, "json"))
    ((name, data),) = sent(tmp_path).items()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert (name, archive.namelist()) == ("people.json.zip", ["people.json"])
        rows = [json.loads(line) for line in archive.read("people.json").decode().splitlines()]
    assert rows[0]["tags"] == ["a", "b&c"]
    assert rows[0]["spent"] == {"EUR": 1.5, "SEK": 20}
    assert rows[1] == {"email": "bob@x.example", "name": "=1+1", "visits": 7, "vip": False, "audiences": ["all"]}


def test_several_files_belong_together_by_a_key(context: Context, place: Callable[[], Place], tmp_path: Path) -> None:
    export(context, place, standard_layout(Source(), {"segment_id": "all", "filename": "p"}, "multi-csv"))
    found = {
        name: list(csv.DictReader(io.StringIO(data.decode(), newline=""))) for name, data in sent(tmp_path).items()
    }
    assert set(found) == {"p.csv", "p_tags.csv", "p_spent.csv"}
    ann, _, nobody = (row["join_key"] for row in found["p.csv"])
    assert list(found["p.csv"][0]) == ["join_key", "email", "name", "visits", "vip"]
    assert [tuple(row.values()) for row in found["p_tags.csv"]] == [(ann, "a"), (ann, "b&c"), (nobody, "x")]
    assert [tuple(row.values()) for row in found["p_spent.csv"]] == [(ann, "EUR", "1.5"), (ann, "SEK", "20")]


def test_what_providers_want(context: Context, place: Callable[[], Place], tmp_path: Path) -> None:
    pairs = Made("", (FieldValue("name"), FieldValue("tags")), lambda name, tags: f"name={name}|tags={tags}")
    layout = Layout(
        columns=(FieldValue("email"), pairs, Membership("gold", "vips"), Constant("", "c")),
        audiences=("all",), delimiter="\t", header=False, line_end="\n", quoting="never", needed=("email",),
        name="{site}_{TIMESTAMP}", extension="", time_format="YYYY-MM-DD", zone="UTC", packing="gz",
        values={"site": "a/b"},
        follow=lambda file: (f"{file.name}.trigger", f"{file.name} {file.size} {file.md5} {file.rows}".encode()),
    )  # fmt: skip
    export(context, place, layout)
    found = sent(tmp_path)
    data = found["a_b_2026-01-31.gz"]
    assert gzip.decompress(data).decode() == (
        'ann@x.example\tname=Ann "A", Ångström|tags=a&b&c\t1\tc\nbob@x.example\tname==1+1|tags=\t\tc\n'
    )
    told = f"a_b_2026-01-31.gz {len(data)} {hashlib.md5(data).hexdigest()} 2"
    assert found["a_b_2026-01-31.gz.trigger"].decode() == told
    assert [one.path for one in context.files] == ["a_b_2026-01-31.gz", "a_b_2026-01-31.gz.trigger"]
    assert ("warning", "1 person has no email and is left out.") in context.logged


def test_a_row_for_each_person_and_audience(context: Context, place: Callable[[], Place], tmp_path: Path) -> None:
    layout = Layout(
        (FieldValue("email", "ID"), RowAudience("audience", "name")), ("vips", "all"), row_per_audience=True, name="n",
        quoting="all",
    )  # fmt: skip
    export(context, place, layout)
    assert sent(tmp_path)["n.csv"].decode().splitlines() == [
        '"ID","audience"',
        '"ann@x.example","VIPs / gold"', '"ann@x.example","Everybody"', '"bob@x.example","Everybody"',
        '"","VIPs / gold"', '"","Everybody"',
    ]  # fmt: skip


@pytest.mark.parametrize(("write_empty", "names"), [(True, ["nobody.csv"]), (False, [])])
def test_nobody_makes_an_empty_file_or_none_and_it_is_said(
    context: Context, place: Callable[[], Place], tmp_path: Path, write_empty: bool, names: list[str]
) -> None:
    export(context, place, usual(segment_id="nobody", filename="{segment_slug}", write_empty=write_empty))
    assert sorted(sent(tmp_path)) == names
    assert all(data.startswith(b"email,name") for data in sent(tmp_path).values())
    assert any("Nobody is to be exported" in message for _, message in context.logged)
    assert context.cursor is not None
    assert context.cursor["sent"] == len(names)


def test_parts_have_headers_and_never_too_many_bytes(
    context: Context, place: Callable[[], Place], tmp_path: Path
) -> None:
    context.source = Source([(f"p{number}@x.example", "n" * (number % 30), *[None] * 4) for number in range(500)])
    export(context, place, usual(fields=["email", "name"], max_bytes=1_000, filename="p.csv"))
    found = sent(tmp_path)
    head = b"email,name\r\n"
    assert set(found) == {f"p_{number}.csv" for number in range(1, len(found) + 1)}
    ordered = [found[f"p_{number}.csv"] for number in range(1, len(found) + 1)]
    assert all(len(data) <= 1_000 and data.startswith(head) for data in ordered)
    # Each is as full as it can be: the first row of the next one would not fit.
    for data, after in itertools.pairwise(ordered):
        assert len(data) + len(after.splitlines(keepends=True)[1]) > 1_000
    rows = b"".join(data.removeprefix(head) for data in ordered).splitlines()
    assert [row.split(b",")[0] for row in rows] == [f"p{number}@x.example".encode() for number in range(500)]
    assert sum(file.rows for file in context.files) == 500


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=30), st.integers(1, 60))
def test_splitting_loses_nothing(tmp_path_factory: pytest.TempPathFactory, rows: list[str], limit: int) -> None:
    stem = tmp_path_factory.mktemp("parts") / "part"
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    with Parts(stem, Wrapping(), "m", "h\n", limit) as parts:
        for start in range(0, len(lines), 7):
            parts.write(lines[start : start + 7])
        made = parts.finish(write_empty=True)
    texts = [part.local.read_bytes() for part in made]
    assert b"".join(text.removeprefix(b"h\n") for text in texts) == "".join(lines).encode("utf-8", "replace")
    assert all(len(text) <= limit or part.rows <= 1 for text, part in zip(texts, made, strict=True))


@given(
    st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2), max_size=8),
    st.sampled_from(",;|\t"),
    st.sampled_from(["\r\n", "\n"]),
    st.sampled_from(["minimal", "all"]),
)
def test_csv_reads_back_as_it_was(rows: list[list[str]], delimiter: str, line_end: Any, quoting: Any) -> None:
    layout = replace(usual(), delimiter=delimiter, line_end=line_end, quoting=quoting)
    lines = csv_lines(layout)(rows)
    assert len(lines) == len(rows)
    assert list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)) == rows


class Breaks(Exception):
    """Stands for the process that is killed."""


class Breaking(LocalFolder):
    """A folder whose writer is killed before, or just after, the file of some turn has arrived."""

    def __init__(self, folder: Path, turn: int, *, arrived: bool) -> None:
        super().__init__(folder)
        self.turn, self.arrived = turn, arrived

    def send(self, local: Path, path: str, **options: Any) -> Any:
        self.turn -= 1
        if self.turn == 0 and not self.arrived:
            raise Breaks
        mark = super().send(local, path, **options)
        if self.turn == 0:
            raise Breaks
        return mark


@pytest.mark.parametrize("arrived", [False, True])
@pytest.mark.parametrize("turn", [1, 3, 4])
def test_a_run_that_was_killed_sends_the_rest_of_the_same(tmp_path: Path, turn: int, arrived: bool) -> None:
    (tmp_path / "out").mkdir()
    layout = usual(max_bytes=60, fields=["email"], filename="{date_time}")
    source = Source([(f"p{number}@x.example", *[None] * 5) for number in range(12)])
    first = Context(tmp_path / "scratch", source=source)
    with pytest.raises(Breaks):
        export(first, lambda: Breaking(tmp_path / "out", turn, arrived=arrived), layout)
    source.everybody = [("other@x.example", *[None] * 5)]
    second = Context(tmp_path / "scratch", source=source, cursor=first.cursor)
    export(second, lambda: LocalFolder(tmp_path / "out"), layout)
    assert source.asked == 1
    told = [file.path for file in (*first.files, *second.files)]
    assert told == [f"2026-01-31T23-05-09_{number}.csv" for number in range(1, 5)]
    rows = [line for name in told for line in (tmp_path / "out" / name).read_text().splitlines()[1:]]
    assert rows == [f"p{number}@x.example" for number in range(12)]


def test_what_was_made_for_other_options_or_is_gone_is_made_anew(
    context: Context, place: Callable[[], Place], tmp_path: Path
) -> None:
    layout = usual(fields=["email"], filename="a")
    with pytest.raises(Breaks):
        export(context, lambda: Breaking(tmp_path / "out", 1, arrived=False), layout)
    other = replace(context, options={"filename": "b"})
    export(other, place, replace(layout, name="b"))
    assert list(sent(tmp_path)) == ["b.csv"]
    with pytest.raises(Breaks):
        export(context, lambda: Breaking(tmp_path / "out", 1, arrived=False), layout)
    for one in context.scratch.iterdir():
        one.unlink()
    export(context, place, layout)
    assert "a.csv" in sent(tmp_path)
    assert ("warning", "Files that were ready to be sent are gone, so they are made anew.") in context.logged


def test_a_place_that_is_away_is_known_before_anybody_is_read(context: Context) -> None:
    def away() -> Place:
        raise WaitError("sftp.example is not reached.")

    with pytest.raises(WaitError):
        export(context, away, usual())
    assert context.source.asked == 0
    assert context.cursor is None


@pytest.fixture
def server(sshd: Sshd) -> Callable[[], Place]:
    return lambda: connect(
        sshd.host, sshd.port, sshd.user, private_key=sshd.private_key, known_host_key=sshd.host_key,
        folder=str(sshd.files),
    )  # fmt: skip


def test_a_server_gets_the_same_bytes(context: Context, sshd: Sshd, server: Callable[[], Place]) -> None:
    export(context, server, usual(filename="exports/{job}.csv"))
    (told,) = context.files
    data = (sshd.files / "exports" / "Daily_export.csv").read_bytes()
    assert (told.size, told.sha256, told.local) == (len(data), hashlib.sha256(data).hexdigest(), "")
    assert data.count(b"@x.example") == 2


def test_a_server_that_goes_away_in_the_middle_gets_the_rest(
    context: Context, sshd: Sshd, server: Callable[[], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    context.source = Source([(chance.randbytes(4_000).hex(), *[None] * 5) for _ in range(2_000)])
    killed: list[int] = []

    def progress(done: int, total: int | None, unit: str, activity: str) -> None:
        if activity == "Sending" and not killed and total is not None and done > total // 3:
            killed.append(sshd.kill_sessions())

    monkeypatch.setattr(context, "progress", progress)
    layout = usual(filename="cut.csv", fields=["email"])
    with pytest.raises(WaitError):
        export(context, server, layout)
    assert killed
    assert not (sshd.files / "cut.csv").exists()
    export(context, server, layout)
    assert context.source.asked == 1
    (told,) = context.files
    assert hashlib.sha256((sshd.files / "cut.csv").read_bytes()).hexdigest() == told.sha256
    assert [one.name for one in sshd.files.iterdir() if "cut" in one.name] == ["cut.csv"]


@pytest.mark.parametrize("compress", ["none", "zip"])
def test_a_full_disk_is_said_and_nothing_is_sent(
    context: Context, place: Callable[[], Place], tmp_path: Path, compress: str
) -> None:
    chance = random.Random(1)
    context.source = Source([(chance.randbytes(400).hex(), *[None] * 5) for _ in range(2_000)])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(InputError, match="no room left"):
            export(context, place, usual(compress=compress))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sent(tmp_path) == {}
    assert list(context.scratch.iterdir()) == []
    export(context, place, usual(compress=compress))
    assert context.files[0].rows == 2_000


@pytest.mark.parametrize(
    ("pattern", "packings", "path"),
    [
        ("{segment}", (), "a_b.csv"),
        ("{SEGMENT}.txt", (".gz",), "a_b.txt.gz"),
        ("x.csv.gz", (".gz", ".pgp"), "x.csv.gz.pgp"),
        ("x.zip", (".zip",), "x.zip"),
        ("/in//./{segment}/x", (), "in/a_b/x.csv"),
        ("v1.2", (), "v1.2.csv"),
    ],
)
def test_names(pattern: str, packings: tuple[str, ...], path: str) -> None:
    names = Names(pattern, {"segment": "a/b"}, extension=".csv", packings=packings)
    assert names.path() == path
    again = names.path()
    assert again.casefold() != path
    assert names.path(part=2) not in (path, again)


@pytest.mark.parametrize("pattern", ["", "..", "../x", "a\\b", "{nothing}", "{empty}", "x/", "a\nb", "é" * 101])
def test_names_that_are_refused(pattern: str) -> None:
    with pytest.raises(InputError):
        Names(pattern, {"empty": ""}, extension=".csv", packings=())


def test_times_in_names() -> None:
    assert time_text(STARTED, "YYYYMMDD-HHmmss.SSS", UTC) == "20260131-230509.120"
    assert time_text(STARTED, "MM is not mm", UTC) == "01 is not 05"
    assert time_text(STARTED, "unix", UTC) == "1769900709"
    assert time_text(STARTED, "unix_ms", UTC) == "1769900709120"


def test_formulas_are_guarded_and_numbers_are_not() -> None:
    assert [guarded(text) for text in ("=1", "+49 30.1", "-x", "@a", "\tx", "", "a=b", "-5")] == [
        "'=1", "+49 30.1", "'-x", "'@a", "'\tx", "", "a=b", "-5",
    ]  # fmt: skip


def test_the_preview_shows_the_rows_and_the_name() -> None:
    preview = preview_export(Source(), usual(filename="{segment_slug}_{job}", compress="gz"), now=STARTED)
    assert (preview.file, preview.total) == ("all_{job}.csv.gz", 3)
    assert preview.rows[1] == ("bob@x.example", "'=1+1", "7", "false", "", "")
    assert [(column.name, column.type) for column in preview.columns[2:4]] == [("visits", "int"), ("vip", "bool")]


def test_options_that_make_no_file_are_refused() -> None:
    for wrong in ({"delimiter": "||"}, {"compress": "rar"}, {"size_limit": "-1"}, {"max_bytes": "1.5"},
                  {"segment_id": ""}, {"segment_id": "unknown"}, {"fields": ["unknown"]}):  # fmt: skip
        with pytest.raises(InputError):
            usual(**wrong)


def test_headers_are_never_alike() -> None:
    source = Source()
    source.fields = (*FIELDS, ProfileField("audiences", "", "string"))  # type: ignore[misc]
    layout = standard_layout(source, {"segment_id": "all", "export_segments": True})
    assert [one.header for one in layout.columns if isinstance(one, Audiences)] == ["audiences_2"]
