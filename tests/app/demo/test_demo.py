"""The demo on a computer without keyring, network and screen: real server, real workers, real files."""

from __future__ import annotations

import asyncio
import csv
import gzip
import time
from collections import Counter
from pathlib import Path

import pytest

from app.authorizations import check_authorization, list_authorizations
from app.demo import create_demo, open_demo, run_demo
from app.demo.shop import MEMBERS, ORDERS, write_files
from app.engine import Engine
from app.errors import Refused
from app.jobs import list_jobs, rejected_rows
from app.profiles import count_profiles, find_profile, get_profile
from app.workspace import create_workspace, recent_workspaces


def read(folder: Path) -> tuple[list[dict[str, str]], list[dict[str, str]], list[list[str]]]:
    """Members, orders, and the guests' rows as they stand in the files."""
    server, local = folder / "sandbox-server" / "outgoing", folder / "demo-files"
    with (server / "loyalty-members.csv").open(encoding="utf-8", newline="") as file:
        members = list(csv.DictReader(file))
    with gzip.open(server / "orders.csv.gz", "rt", encoding="cp1252", newline="") as file:
        orders = list(csv.DictReader(file, delimiter=";"))
    with (local / "event-attendees.csv").open(encoding="utf-8-sig", newline="") as file:
        guests = list(csv.reader(file))[1:]
    return members, orders, guests


def test_the_files_are_quickly_made_and_the_same_each_time(tmp_path: Path) -> None:
    begun = time.perf_counter()
    create_demo(tmp_path / "demo")
    assert time.perf_counter() - begun < 2
    members, orders, guests = read(tmp_path / "demo")
    assert (len(members), len(orders)) == (MEMBERS, ORDERS)
    again = tmp_path / "again"
    again.mkdir()
    write_files(again, again)
    with (again / "loyalty-members.csv").open(encoding="utf-8", newline="") as file:
        assert [row["email"] for row in csv.DictReader(file)] == [member["email"] for member in members]
    buyers = Counter(order["Customer e-mail"].lower() for order in orders)
    assert len({member["email"] for member in members}) == MEMBERS
    assert max(buyers.values()) > 10 > len(orders) / len(buyers) > 2
    addresses = [*buyers, *(member["email"] for member in members), *(guest[1] for guest in guests)]
    assert all(address.split("@")[1] in ("example.com", "example.org", "example.net") for address in addresses)


def test_the_demo_runs_to_its_end_and_brings_the_same_people_together(tmp_path: Path) -> None:
    folder = tmp_path / "demo"

    async def whole() -> None:
        engine = open_demo(folder)
        await engine.start()
        try:
            results, people = await run_demo(engine)
            assert [(result.job, result.status, result.message) for result in results] == [
                ("Loyalty members from SFTP", "completed", results[0].message),
                ("Orders of the web shop", "completed", results[1].message),
                ("Guests of the tasting", "completed", results[2].message),
                ("Everybody for the newsletter", "completed", results[3].message),
            ]
            members, orders, guests = read(folder)
            good = [guest for guest in guests if len(guest) == 4]
            assert [result.read for result in results] == [len(members), len(orders), len(guests), people]
            assert [result.rejected for result in results] == [0, 0, len(guests) - len(good), 0]
            (sent,) = (folder / "sandbox-server" / "outgoing" / "newsletter").iterdir()
            with gzip.open(sent, "rt", encoding="utf-8", newline="") as file:
                assert {row["email"] for row in csv.DictReader(file)} >= {member["email"] for member in members}
            everybody = {member["email"] for member in members}
            everybody |= {order["Customer e-mail"].lower() for order in orders} | {guest[1] for guest in good}
            assert people == count_profiles(engine) == len(everybody)

            # Somebody who stands in all three files, and whose newest order is what the shop wrote last.
            bought = {order["Customer e-mail"].lower(): order for order in orders}
            came = {guest[1] for guest in good}
            member = next(one for one in members if one["email"] in bought and one["email"] in came)
            found = find_profile(engine, member["email"])
            assert found is not None
            values = {value.name: value.value for value in get_profile(engine, found).fields}
            assert values["loyalty_points"] == int(member["points"])
            assert values["town"] == member["town"]
            assert values["last_order"] == bought[member["email"]]["Order no"]
            assert "last_tasting_at" in values
            assert ("loyalty_id", member["member_id"]) in get_profile(engine, found).identifiers
            guests_job = sorted(list_jobs(engine), key=lambda job: job.id)[2]
            reasons = {row.reason for row in rejected_rows(engine, guests_job.id)}
            assert reasons == {"The row has 5 fields, but the table has 4 columns."}
        finally:
            await engine.stop()

    asyncio.run(whole())


def test_its_server_is_up_whenever_its_engine_runs_with_new_secrets_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with open_demo(folder) as engine:
        (server,) = [info for info in list_authorizations(engine) if info.method == "file-service-sftp"]
        check_authorization(engine, server.id)
        before = dict(server.settings)

    async def later() -> dict[str, str]:
        # Opened as any workspace is, for instance by `causeway job run --workspace`.
        engine = Engine.open(folder)
        await engine.start()
        try:
            await asyncio.to_thread(check_authorization, engine, server.id)
            (now,) = [info for info in list_authorizations(engine) if info.id == server.id]
            return dict(now.settings)
        finally:
            await engine.stop()

    after = asyncio.run(later())
    assert after["host_key"] != before["host_key"]
    assert {**after, "port": "", "host_key": ""} == {**before, "port": "", "host_key": ""}
    with open_demo(folder) as engine:
        password = engine.vault.load(server.id, ["password"])["password"].encode()
        engine.workspace.database.close()
        assert [file for file in folder.rglob("*") if file.is_file() and password in file.read_bytes()] == []


def test_the_demo_never_touches_a_workspace_of_its_users(tmp_path: Path) -> None:
    create_workspace(tmp_path / "mine", "Mine").close()
    for anew in (False, True):
        with pytest.raises(Refused, match="is a workspace of its own, not the demo"):
            open_demo(tmp_path / "mine", anew=anew)
    assert (tmp_path / "mine" / "workspace.db").exists()
    with open_demo(tmp_path / "demo"):
        pass
    assert tmp_path / "demo" not in [recent.folder for recent in recent_workspaces()]


def test_making_it_anew_forgets_what_was_tried_in_it(tmp_path: Path) -> None:
    with open_demo(tmp_path / "demo"):
        (tmp_path / "demo" / "demo-files" / "notes.txt").write_text("tried this")
    with open_demo(tmp_path / "demo", anew=True) as engine:
        assert not (tmp_path / "demo" / "demo-files" / "notes.txt").exists()
        assert len(list_jobs(engine)) == 4
