"""Transfers of files: what arrives, what is rejected, and what stays when something goes wrong."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers.s3 import ACCESS_KEY, S3, SECRET_KEY
from peers.sshd import Sshd

from app.authorizations import add_authorization
from app.engine import Engine
from app.errors import Refused
from app.transfer.model import Column, End, Key, Reading, Transfer, Writing, at_target, by_names, check
from app.transfer.opening import list_folder, prepare
from app.transfer.parts import numbered
from app.transfer.preview import look, preview, replaced
from app.transfer.reading import Block, Style
from app.transfer.running import scratch_folder
from app.transfer.work import TransferOrder, TransferResult
from app.transfer.writing import Unwritable, _Table
from connectors.kit.errors import HostKeyUnknown, InputError, SignInError, WaitError
from connectors.kit.formats.csv import CsvOptions, open_csv


@dataclass
class Notes:
    """Stands for the worker's reporter: what it was told, and a chance to look around meanwhile."""

    look: Callable[[Any], None] = lambda progress: None
    told: list[Any] = field(default_factory=list)
    activities: list[str] = field(default_factory=list)

    def report(self, progress: Any) -> None:
        if progress.activity not in self.activities:
            self.activities.append(progress.activity)
        self.look(progress)

    def check(self) -> None:
        """Nobody cancels."""

    def tell(self, message: Any) -> None:
        self.told.append(message)


Make = Callable[..., TransferResult]


@pytest.fixture
def make(engine: Engine) -> Make:
    """Make a transfer to its end, in this process."""

    def run(transfer: Transfer, notes: Notes | None = None, passphrase: str = "") -> TransferResult:
        notes = notes or Notes()
        prepared = prepare(engine, transfer, passphrase)
        scratch = scratch_folder(engine, prepared.transfer)
        order = TransferOrder(engine.workspace.database.path, prepared, scratch, engine.workspace.folder / "rejected")
        connection = sqlite3.connect(":memory:")
        try:
            order.carry_out(connection, notes)  # type: ignore[arg-type]
        finally:
            connection.close()
        [result] = notes.told
        assert not scratch.exists()
        return result

    return run


def local(source: Path, target: Path, **settings: Any) -> Transfer:
    """A transfer between two files of this computer."""
    return Transfer(source=End(str(source)), target=End(str(target)), **settings)


@dataclass(frozen=True)
class Gpg:
    """A key of somebody, and gpg in a home of its own."""

    home: Path
    public_key: str
    private_key: str

    def __call__(self, *arguments: str, given: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--trust-model", "always", *arguments]
        return subprocess.run(command, input=given, check=True, capture_output=True).stdout

    def encrypted(self, plain: bytes) -> bytes:
        return self("--recipient", "partner@shop.example", "--encrypt", given=plain)

    def decrypted(self, data: bytes) -> bytes:
        return self("--decrypt", given=data)


@pytest.fixture(scope="session")
def gpg() -> Iterator[Gpg]:
    """A partner with a key on curve 25519."""
    # An agent's socket does not take a long path.
    home = Path(tempfile.mkdtemp(prefix="cw-gpg-"))
    base = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]
    name = "Partner <partner@shop.example>"
    try:
        subprocess.run([*base, "--quick-generate-key", name, "future-default", "default", "never"], check=True)
        keys = [
            subprocess.run([*base, "--armor", how], check=True, capture_output=True, text=True).stdout
            for how in ("--export", "--export-secret-keys")
        ]
        yield Gpg(home, *keys)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def server(engine: Engine, sshd: Sshd) -> int:
    """An authorization for a server of this computer."""
    engine.vault.create_file("four words of mine")
    (sshd.files / "drop").mkdir(exist_ok=True)
    sshd.own(sshd.files / "drop")
    values = {
        "host": sshd.host,
        "port": str(sshd.port),
        "user": sshd.user,
        "privatekey": sshd.private_key,
        "folder": str(sshd.files),
        "host_key": sshd.host_key,
    }
    return add_authorization(engine, "file-service-sftp", "Agency SFTP", values)


def holds(folder: Path, secret: bytes) -> list[str]:
    """Files below a folder that hold these bytes."""
    found = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            if path.is_file() and secret in path.read_bytes():
                found.append(str(path))
    return found


MEMBERS = 'email,name,city\nmaja@shop.example,Maja Ł,"Gent, BE"\nteo@shop.example,Teo,"Lille\nFR"\n'


@pytest.fixture
def members(files: Path) -> Path:
    file = files / "members.csv"
    file.write_text(MEMBERS)
    return file


def test_without_a_change_bytes_arrive_as_they_are(make: Make, files: Path) -> None:
    source, folder = files / "anything.bin", files / "out"
    source.write_bytes(bytes(range(256)) * 5_000)
    folder.mkdir()
    result = make(local(source, folder))
    [arrived] = result.files
    assert (folder / "anything.bin").read_bytes() == source.read_bytes()
    assert arrived.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (arrived.size, arrived.rows, result.unchanged) == (1_280_000, 0, True)
    assert result.local == (str(folder / "anything.bin"),)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"columns": (Column("city", "Town"), Column("email"))},
         b'Town,email\n"Gent, BE",maja@shop.example\n"Lille\nFR",teo@shop.example\n'),
        ({"columns": (Column("email"),), "writing": Writing(header=False)}, b"maja@shop.example\nteo@shop.example\n"),
        ({"columns": (Column("name"), Column("email")), "writing": Writing(encoding="utf-16", line_end="crlf")},
         b"\xff\xfe" + "name,email\r\nMaja Ł,maja@shop.example\r\nTeo,teo@shop.example\r\n".encode("utf-16-le")),
        ({"columns": (Column("name"),), "writing": Writing(encoding="utf-8-sig", quote="'", quote_all=True)},
         "\ufeff'name'\n'Maja Ł'\n'Teo'\n".encode()),
        ({"writing": Writing(delimiter="|")},
         'email|name|city\nmaja@shop.example|Maja Ł|Gent, BE\nteo@shop.example|Teo|"Lille\nFR"\n'.encode()),
        ({"writing": Writing(form="json"), "columns": (Column("name", "who"),)},
         '{"who":"Maja Ł"}\n{"who":"Teo"}\n'.encode()),
    ],
)  # fmt: skip
def test_a_table_is_rewritten(make: Make, members: Path, settings: dict[str, Any], expected: bytes) -> None:
    target = members.with_name("out")
    result = make(local(members, target, **settings))
    assert target.read_bytes() == expected
    assert (result.rows, result.rejected, result.unchanged) == (2, 0, False)


def test_json_becomes_a_table_with_all_its_keys(make: Make, files: Path) -> None:
    source, target = files / "people.json", files / "people.csv"
    source.write_text('[{"id": 1, "at": {"city": "Gent"}}, {"id": 2, "tags": ["a", "b"], "vip": true, "x": null}]')
    assert make(by_names(local(source, target))).rows == 2
    assert target.read_text() == 'id,at.city,tags,vip,x\n1,Gent,,,\n2,,"[""a"",""b""]",true,\n'
    chosen = local(source, target, columns=(Column("at.city", "city"), Column("vip")), writing=Writing(form="csv"))
    make(chosen)
    assert target.read_text() == "city,vip\nGent,\n,true\n"
    lines = files / "people.jsonl"
    make(local(source, lines, columns=(Column("id"), Column("at.city", "city"))))
    assert [json.loads(line) for line in lines.read_text().splitlines()] == [{"id": 1, "city": "Gent"}, {"id": 2}]


def test_rejected_rows_are_kept_beside_with_their_reasons(make: Make, files: Path) -> None:
    source, target = files / "in.csv", files / "out" / "in.csv"
    source.write_text("email,name\nmaja@shop.example,Łukasz\nteo@shop.example\nana@shop.example,Ana\n")
    result = make(local(source, target, writing=Writing(encoding="cp1252")))
    assert target.read_bytes() == b"email,name\nana@shop.example,Ana\n"
    assert (result.rows, result.rejected) == (1, 2)
    assert result.rejected_file == str(files / "out" / "in.csv.rejected.csv")
    rows = open_csv(io.BytesIO(Path(result.rejected_file).read_bytes()))
    found = {row[0]: row[1:] for batch in rows.batches() for row in batch.rows}
    assert found["2"] == ["It holds “Ł”, which Windows-1252 does not have.", "maja@shop.example Łukasz"]
    assert found["3"] == ["The row has 1 field, but the table has 2 columns.", "teo@shop.example"]
    source.write_text("email,name\nŁ,Ł\n")
    with pytest.raises(InputError, match=r"None of the 1 rows of in\.csv could be taken over"):
        make(local(source, files / "none.csv", writing=Writing(encoding="cp1252")))
    assert not (files / "none.csv").exists()


def test_parts_have_whole_rows_and_a_header_each(make: Make, files: Path) -> None:
    source, target = files / "all.csv", files / "out" / "all.csv.gz"
    rows = [f"{number},{'x' * (number % 90)}\n" for number in range(5_000)]
    source.write_text("id,text\n" + "".join(rows))
    result = make(by_names(local(source, target, split_bytes=20_000)))
    parts = [gzip.decompress(Path(name).read_bytes()).decode() for name in result.local]
    assert result.local[0].endswith("/all_1.csv.gz")
    assert len(parts) > 10
    assert all(len(part) <= 20_000 and part.startswith("id,text\n") for part in parts)
    # A part ends only where the next row would not have gone in.
    assert all(len(part) > 20_000 - 100 for part in parts[:-1])
    assert "".join(part.removeprefix("id,text\n") for part in parts) == "".join(rows)
    result = make(local(source, files / "rows.csv", split_rows=1_500))
    assert [file.rows for file in result.files] == [1_500, 1_500, 1_500, 500]
    texts = [Path(name).read_text().removeprefix("id,text\n") for name in result.local]
    assert "".join(texts) == "".join(rows)
    [only] = make(local(source, files / "one.csv", split_rows=5_000)).files
    assert (only.rows, only.path) == (5_000, str(files / "one.csv"))


@given(
    st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=2), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from("\"'"),
    st.sampled_from(("\n", "\r\n")),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16-le")),
)
def test_what_is_written_is_read_back(
    rows: list[list[str]], delimiter: str, quote: str, line_end: str, encoding: str
) -> None:
    table = _Table(lambda block: block.rows, ["a", "b"], Style(encoding, delimiter, quote, line_end))
    written = []
    for row in rows:
        try:
            table.encode([row])
        except Unwritable:
            continue
        if "\0" not in "".join(row):
            written.append(row)
    data = table.begin + table.encode(table.items(Block([], [], rows=written)))
    reader = open_csv(io.BytesIO(data), CsvOptions(delimiter=delimiter, quote=quote))
    assert [row for batch in reader.batches() for row in batch.rows] == written


def test_packed_and_encrypted_on_a_server_to_a_server(
    make: Make, engine: Engine, server: int, sshd: Sshd, gpg: Gpg, files: Path
) -> None:
    key, public = files / "private.asc", files / "public.asc"
    key.write_text(gpg.private_key)
    public.write_text(gpg.public_key)
    plain = b"email,name\n" + b"".join(b"p%d@shop.example,Zwolle\n" % number for number in range(40_000))
    sshd.put("members.csv.gz.pgp", gpg.encrypted(gzip.compress(plain) + b""))
    seen: list[str] = []

    def look(_: object) -> None:
        seen.extend(holds(engine.workspace.folder / "downloads", b"Zwolle"))

    notes = Notes(look)
    transfer = by_names(
        Transfer(
            End("members.csv.gz.pgp", server),
            End("drop/members.csv.zip.pgp", server),
            columns=(Column("name"), Column("email", "EMAIL")),
            decrypt=Key(file=str(key)),
            encrypt=Key(file=str(public)),
        )
    )
    assert (transfer.pack, transfer.opens) == ("zip", True)
    result = make(transfer, notes)
    assert notes.activities == ["Fetching", "Rewriting", "Sending members.csv.zip.pgp"]
    assert not seen, "plain text lay on the disk"
    arrived = (sshd.files / "drop" / "members.csv.zip.pgp").read_bytes()
    with zipfile.ZipFile(io.BytesIO(gpg.decrypted(arrived))) as archive:
        lines = archive.read("members.csv").splitlines()
    assert (lines[0], lines[-1], len(lines)) == (b"name,EMAIL", b"Zwolle,p39999@shop.example", 40_001)
    assert result.files[0].sha256 == hashlib.sha256(arrived).hexdigest()
    assert result.files[0].place.startswith(f"{sshd.user}@127.0.0.1")
    assert sorted(path.name for path in (sshd.files / "drop").iterdir()) == ["members.csv.zip.pgp"]
    wrong = Transfer(End("members.csv.gz.pgp", server), End(str(files / "plain.csv")), unpack=True)
    with pytest.raises(InputError, match="there is no private key"):
        make(wrong)


def test_what_is_encrypted_on_its_way_never_lies_here_in_the_clear(
    make: Make, engine: Engine, server: int, sshd: Sshd, gpg: Gpg, files: Path
) -> None:
    public = files / "public.asc"
    public.write_text(gpg.public_key)
    lines = b"".join(b'{"name": "Zwolle", "at": %d}\n' % number for number in range(30_000))
    sshd.put("people.json", lines + b'{"late": 1}\n')
    seen: list[str] = []
    notes = Notes(lambda _: seen.extend(holds(engine.workspace.folder, b"Zwolle")))
    transfer = Transfer(
        End("people.json", server),
        End(str(files / "p.csv.pgp")),
        writing=Writing(form="csv"),
        encrypt=Key(file=str(public)),
    )
    make(transfer, notes)
    assert not seen, "plain text lay on the disk"
    assert notes.activities == ["Looking for the columns", "Rewriting", "Sending p.csv.pgp"]
    rows = gpg.decrypted((files / "p.csv.pgp").read_bytes()).splitlines()
    assert (rows[0], rows[1], rows[-1], len(rows)) == (b"name,at,late", b"Zwolle,0,", b",,1", 30_002)


def test_a_connection_that_was_cut_is_gone_on_with(make: Make, server: int, sshd: Sshd, files: Path) -> None:
    data = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(1_000_000))
    sshd.put("big.bin", data)
    cut: list[int] = []

    def cut_at(activity: str) -> Notes:
        def look(progress: Any) -> None:
            if progress.activity.startswith(activity) and progress.done > 8_000_000 and not cut:
                cut.append(progress.done)
                sshd.kill_sessions()

        return Notes(look)

    there = Transfer(End("big.bin", server), End(str(files / "big.bin")))
    with pytest.raises(WaitError):
        make(there, cut_at("Fetching"))
    assert not (files / "big.bin").exists()
    first = Notes()
    begun: list[int] = []
    first.look = lambda progress: begun.append(progress.done) if progress.activity == "Fetching" else None
    make(there, first)
    assert (files / "big.bin").read_bytes() == data
    assert begun[0] >= 8_000_000, "it began anew"
    cut.clear()
    back = Transfer(End(str(files / "big.bin")), End("drop/back.bin", server))
    with pytest.raises(WaitError):
        make(back, cut_at("Sending"))
    assert not (sshd.files / "drop" / "back.bin").exists()
    make(back)
    assert (sshd.files / "drop" / "back.bin").read_bytes() == data
    assert sorted(path.name for path in files.iterdir()) == ["big.bin"]


def test_a_wrong_password_is_known_before_anything_is_read(
    make: Make, engine: Engine, server: int, sshd: Sshd, files: Path
) -> None:
    (files / "in.csv").write_text(MEMBERS)
    values = {"host": sshd.host, "port": str(sshd.port), "user": sshd.user, "password": "wrong"}
    wrong = add_authorization(engine, "file-service-sftp", "Partner", values | {"host_key": sshd.host_key})
    notes = Notes()
    with pytest.raises(SignInError, match=sshd.user):
        make(Transfer(End(str(files / "in.csv")), End("in.csv", wrong), pack="gz"), notes)
    assert notes.activities == []
    unknown = add_authorization(engine, "file-service-sftp", "Unknown", values)
    with pytest.raises(HostKeyUnknown):
        replaced(engine, Transfer(End(str(files / "in.csv")), End("in.csv", unknown)))


def test_from_an_object_store_to_a_server(
    make: Make, engine: Engine, server: int, sshd: Sshd, s3: S3, files: Path
) -> None:
    bucket = s3.bucket()
    s3.put(bucket, "out/members.csv", MEMBERS.encode())
    store = add_authorization(
        engine,
        "aws-keys",
        "Store",
        {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "api_address": s3.address},
    )
    names = [choice.value for choice in list_folder(engine, store, f"{bucket}/out")]
    assert names == [f"{bucket}/out/members.csv"]
    make(by_names(Transfer(End(names[0], store), End("drop/", server), columns=(Column("email"),), pack="gz")))
    arrived = sshd.files / "drop" / "members.csv.gz"
    assert gzip.decompress(arrived.read_bytes()) == b"email\nmaja@shop.example\nteo@shop.example\n"
    result = make(Transfer(End("drop/members.csv.gz", server), End(f"{bucket}/back.csv.gz", store)))
    assert (s3.get(bucket, "back.csv.gz"), result.unchanged) == (arrived.read_bytes(), True)


def test_nothing_half_written_takes_the_place_of_what_is_there(make: Make, files: Path) -> None:
    target = files / "out.csv"
    target.write_text("before")
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 200_000)
    (files / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError):
        make(by_names(local(files / "cut.csv.gz", target)))
    with pytest.raises(InputError):
        make(local(files / "cut.csv.gz", target, columns=(Column("a"),)))
    with pytest.raises(InputError, match="no column “c”"):
        make(local(files / "cut.csv.gz", target, columns=(Column("c"),)))
    with pytest.raises(InputError, match="is not there"):
        make(local(files / "missing.csv", target))
    assert target.read_text() == "before"
    assert sorted(path.name for path in files.iterdir()) == ["cut.csv.gz", "out.csv"]


def test_a_full_disk_is_a_sentence(make: Make, files: Path) -> None:
    source = files / "in.csv"
    source.write_bytes(b"a,b\n" + os.urandom(2_000_000).hex().encode() + b",1\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        for settings in ({"pack": "gz"}, {"writing": Writing(delimiter=";")}, {}):
            with pytest.raises(InputError, match="no room left"):
                make(local(source, files / "out", **settings))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(path.name for path in files.iterdir()) == ["in.csv"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("a.csv", "b.csv"), {}),
        (("a.csv.gz.pgp", "b.csv.gz.pgp"), {}),
        (("a.pdf", "b.pdf.gz"), {"pack": "gz"}),
        (("a.csv.gz", "b.csv"), {"unpack": True}),
        (("a.csv.gz", "b.jsonl"), {"unpack": True, "writing": Writing(form="json")}),
        (("a.zip", "b.csv.gz"), {"unpack": True, "pack": "gz"}),
        (("a.csv.pgp", "b.csv"), {"unpack": True}),
        (("a.json", "b.json"), {}),
        (("a.json", "b.jsonl.gz"), {"writing": Writing(form="json"), "pack": "gz"}),
        (("a.csv", "b.tsv"), {"writing": Writing(delimiter="\t")}),
        (("a.psv", "b.csv"), {"writing": Writing(delimiter=",")}),
    ],
)
def test_names_say_what_to_do(names: tuple[str, str], expected: dict[str, Any]) -> None:
    bare = Transfer(End(f"/in/{names[0]}"), End(f"/out/{names[1]}"))
    assert by_names(bare) == Transfer(bare.source, bare.target, **expected)


def test_what_can_not_be_made_is_refused() -> None:
    for names, match in ((("a.csv", "b.csv.pgp"), "no key"), (("a.csv", "b.csv.bz2"), "only reads")):
        with pytest.raises(Refused, match=match):
            by_names(Transfer(*map(End, names)))
    ends = End("/a.csv"), End("/b.csv")
    for transfer, match in (
        (Transfer(End(), End("/b")), "No file"),
        (Transfer(End("/a"), End("/a")), "replace itself"),
        (Transfer(*ends, columns=(Column("a", "x"), Column("b", "X"))), "would be called “x”"),
        (Transfer(*ends, writing=Writing(delimiter="||")), "one character"),
        (Transfer(*ends, writing=Writing(delimiter='"')), "are the same"),
        (Transfer(*ends, writing=Writing(encoding="klingon")), "no encoding"),
        (Transfer(*ends, writing=Writing(form="json", encoding="cp1252")), "always written in UTF-8"),
    ):
        with pytest.raises(Refused, match=match):
            check(transfer)
    assert (
        at_target(Transfer(End("/in/a.csv.gz"), End("/out/"), unpack=True, pack="zip")).target.path == "/out/a.csv.zip"
    )
    into = Transfer(End("/in/a.csv.gz"), End("drop/", 1))
    assert by_names(into) == into
    json_there = Transfer(End("/in/a.csv"), End("drop/", 1), writing=Writing(form="json"), encrypt=Key(1))
    assert at_target(json_there).target.path == "drop/a.jsonl.pgp"
    assert at_target(Transfer(End("x/a.csv", 1), End("", 1), pack="gz")).target.path == "a.csv.gz"
    assert numbered("out/members.csv.gz.pgp", 2) == "out/members_2.csv.gz.pgp"
    assert numbered("members", 3) == "members_3"


def test_the_preview_shows_before_and_after(engine: Engine, members: Path, files: Path) -> None:
    transfer = local(
        members, files / "out.csv", columns=(Column("name", "who"), Column("city")), writing=Writing(encoding="cp1252")
    )
    found = preview(look(engine, transfer), transfer)
    assert found.before is not None
    assert found.before.columns == ("email", "name", "city")
    assert found.after is not None
    assert (found.after.columns, found.after.rows) == (("who", "city"), (("Teo", "Lille\nFR"),))
    assert [(row.line, row.reason) for row in found.rejected] == [
        (2, "It holds “Ł”, which Windows-1252 does not have.")
    ]
    assert (found.summary, replaced(engine, transfer)) == (("UTF-8", "comma", "header row"), "")
    (files / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
    copy = local(files / "logo.png", members)
    found = preview(look(engine, copy), copy)
    assert (found.before, replaced(engine, copy)) == (None, str(members))
    assert "The file is transferred all the same." in found.notes[0]


def test_rejected_rows_of_an_encrypted_file_are_kept_without_their_text(
    make: Make, engine: Engine, gpg: Gpg, files: Path
) -> None:
    engine.vault.create_file("four words of mine")
    folder = add_authorization(
        engine,
        "file-service-folder-pgp-private",
        "Encrypted files",
        {"folder": str(files), "pgpprivatekey": gpg.private_key},
    )
    (files / "in.csv.pgp").write_bytes(gpg.encrypted(b"a,b\n1,2\nZwolle\n"))
    result = make(Transfer(End("in.csv.pgp", folder), End(str(files / "out.csv")), writing=Writing(delimiter=";")))
    assert (files / "out.csv").read_text() == "a;b\n1;2\n"
    assert holds(files, b"Zwolle") == holds(engine.workspace.folder, b"Zwolle") == []
    assert "1 field" in Path(result.rejected_file).read_text()


def test_a_file_without_names_gets_them(make: Make, files: Path) -> None:
    (files / "in.txt").write_text("1;x\n2;y\n")
    reading = Reading(columns=("id", "letter"), delimiter=";")
    make(local(files / "in.txt", files / "a.jsonl", reading=reading, writing=Writing(form="json")))
    assert (files / "a.jsonl").read_text() == '{"id":"1","letter":"x"}\n{"id":"2","letter":"y"}\n'
    make(local(files / "in.txt", files / "b.csv", reading=reading, columns=(Column("letter"),)))
    assert (files / "b.csv").read_text() == "x\ny\n"
    make(local(files / "in.txt", files / "c.csv", reading=reading, writing=Writing(header=True)))
    assert (files / "c.csv").read_text() == "id;letter\n1;x\n2;y\n"
