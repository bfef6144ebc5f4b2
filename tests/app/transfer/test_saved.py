"""Transfers as the workspace keeps them and as files for others; and one in a process of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from app.authorizations import add_authorization
from app.engine import Engine
from app.errors import NotFound, Refused
from app.jobs.model import RunProgress
from app.profiles.erasure import erase_person
from app.profiles.written import list_written
from app.transfer.model import Column, End, Key, Reading, Transfer, Writing
from app.transfer.recipes import read_recipe, recipe_of, recipe_text, write_recipe
from app.transfer.running import TransferRun, scratch_folder
from app.transfer.saved import delete_transfer, list_transfers, save_transfer, transfer_named

BARE = "causeway_transfer: 1\nfrom:\n  path: /a.csv\nto:\n  path: /b.csv\n"


@pytest.fixture
def folder(engine: Engine, files: Path) -> int:
    return add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})


def full(folder: int) -> Transfer:
    """Everything that can be said of a transfer."""
    return Transfer(
        source=End("in/members.csv.gz.pgp", folder),
        target=End("/out/members.csv"),
        name="Members for the partner",
        reading=Reading("csv", "cp1252", ";", "'", header=False, columns=("id", "on", "no"), member="a.csv"),
        columns=(Column("id"), Column("on", "DATE")),
        writing=Writing("csv", "utf-16", "\t", "none", quote_all=False, line_end="crlf", header=True),
        split_rows=5_000,
        split_bytes=1_000_000,
        unpack=True,
        pack="zip",
        decrypt=Key(folder),
        encrypt=Key(file="/keys/partner.asc"),
    )


def test_a_transfer_is_the_same_in_the_workspace_and_in_a_file(engine: Engine, folder: int, files: Path) -> None:
    transfer = full(folder)
    save_transfer(engine, transfer)
    saved = transfer_named(engine, transfer.name)
    assert (saved.transfer, saved.kept, saved.source_name) == (transfer, True, "Files")
    file = files / "members.causeway-transfer.yaml"
    write_recipe(engine, transfer, file)
    recipe = read_recipe(engine, file)
    assert recipe.transfer(recipe.same()) == transfer
    # Words that YAML takes for something else stay words.
    assert "columns:\n- id\n- name: 'on'\n  to: DATE\n" in file.read_text()
    assert recipe_text(engine, Transfer(End("/a.csv"), End("/b.csv"))).split("\n", 1)[1] == BARE


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ("colour: red\n", "colour is unknown"),
        ("pack: rar\n", "none of gz, zip"),
        ("decrypt: {authorization: Nobody}\n", "no authorization Nobody in the recipe"),
        ("encrypt: {passphrase: secret}\n", "passphrase"),
        ("split_rows: 0\n", "split_rows"),
        ("unpack: &a true\n", "no aliases"),
        ("causeway_transfer: 1\n", "there twice"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(engine: Engine, more: str, match: str) -> None:
    with pytest.raises(Refused, match=match) as refused:
        recipe_of(engine, BARE + more, "x.yaml")
    assert str(refused.value).startswith("x.yaml can't be used as a transfer recipe: line ")


def test_an_authorization_of_a_recipe_has_to_be_chosen(engine: Engine, folder: int) -> None:
    text = recipe_text(engine, replace(full(folder), decrypt=None)).replace("Files", "Their files")
    recipe = recipe_of(engine, text, "x.yaml")
    assert recipe.same() == {}
    with pytest.raises(Refused, match="Their files"):
        recipe.transfer({})
    assert recipe.transfer({"Their files": folder}).source.authorization == folder


def test_the_last_transfers_without_a_name_are_kept(engine: Engine, files: Path) -> None:
    save_transfer(engine, Transfer(End("/in/a.csv"), End("/out/a.csv"), name="Kept"))
    for number in range(33):
        save_transfer(engine, Transfer(End(f"/in/{number}.csv"), End("/out/a.csv")))
    names = [one.name for one in list_transfers(engine)]
    assert (len(names), names[0], names[-1]) == (31, "32.csv to a.csv", "Kept")
    delete_transfer(engine, transfer_named(engine, "Kept").id)
    with pytest.raises(NotFound):
        transfer_named(engine, "Kept")


def test_a_transfer_runs_in_a_process_of_its_own_and_can_be_stopped(engine: Engine, files: Path) -> None:
    source = files / "in.csv"
    with source.open("w") as file:
        file.write("id,text\n")
        file.writelines(f"{number},{'x' * 100}\n" for number in range(300_000))
    transfer = Transfer(End(str(source)), End(str(files / "out.csv")), writing=Writing(delimiter=";"))
    seen: list[RunProgress] = []
    scratch = scratch_folder(engine, transfer)
    scratch.mkdir(parents=True)

    async def run() -> None:
        with FileLock(scratch / "lock"):
            twin = await TransferRun.begin(engine, transfer)
            assert (await twin.finished()).message == "This transfer is under way already."
        first = await TransferRun.begin(engine, transfer)
        loop = asyncio.get_running_loop()
        under_way: asyncio.Future[None] = loop.create_future()

        def look(change: object) -> None:
            if first.progress is not None:
                seen.append(first.progress)
                if not under_way.done():
                    under_way.set_result(None)

        engine.changes.subscribe(look)
        assert (await first.finished()).status == "completed"
        assert first.result is not None
        assert first.result.rows == 300_000
        (files / "out.csv").unlink()
        first = await TransferRun.begin(engine, transfer)
        under_way = loop.create_future()
        await under_way
        assert engine.transfers == {first}
        await first.interrupt()
        assert not engine.transfers
        assert scratch.exists(), "it could not be gone on with"
        first = await TransferRun.begin(engine, transfer)
        under_way = loop.create_future()
        await under_way
        await first.stop()
        assert (await first.finished()).status == "cancelled"
        assert not first.busy

    asyncio.run(run())
    assert sorted(path.name for path in files.iterdir()) == ["in.csv"]
    assert not scratch.exists()
    [saved] = list_transfers(engine)
    assert (saved.name, saved.kept, saved.status) == ("in.csv to out.csv", False, "cancelled")
    assert {one.unit for one in seen} == {"bytes"}
    assert seen[0].done <= (seen[0].total or 0)


def test_an_erasure_reaches_rejected_rows_and_waits_for_transfers(engine: Engine, files: Path) -> None:
    (files / "in.csv").write_text("email,name\nmaja@shop.example\nteo@shop.example,Teo\n")
    transfer = Transfer(End(str(files / "in.csv")), End(str(files / "out.csv")), columns=(Column("email"),))

    async def run() -> None:
        under_way = await TransferRun.begin(engine, transfer)
        with pytest.raises(Refused, match="while a file is being transferred"):
            erase_person(engine, 1)
        assert (await under_way.finished()).status == "completed"

    asyncio.run(run())
    with engine.workspace.database.read() as connection:
        [written] = list_written(connection)
    assert (written.path, written.kind) == (files / "out.csv.rejected.csv", "rejected")
