"""What holds for every command: JSON, exit codes, sentences, documentation, a quick start."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import __version__
from app.cli import main
from app.cli.reference import commands, document
from app.workspace import create_workspace

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = dict(commands())
# What each command is given; {…} are things that the test made.
ARGUMENTS = {
    "workspace create": ["{folder}/new"],
    "workspace list": [],
    "workspace info": [],
    "workspace backup": ["{folder}/copy.zip"],
    "workspace restore": ["{folder}/backup.zip", "{folder}/restored"],
    "import": ["{folder}/members.csv", "--stream", "members"],
    "export": ["all", "{folder}/people.csv"],
    "transfer": ["{folder}/members.csv", "{folder}/members.jsonl", "--column", "email"],
    "job list": [],
    "job show": ["1"],
    "job create": ["--type", "file-service-csv-import", "--name", "x", "-o", "filename=a.csv", "-o", "stream=s"],
    "job run": ["1"],
    "job pause": ["2"],
    "job resume": ["3"],
    "job schedule": ["1", "--every", "daily", "--at", "06:00", "--zone", "Europe/Berlin"],
    "job delete": ["1", "--yes"],
    "job logs": ["1"],
    "job runs": ["members.csv"],
    "job undo": ["1", "--yes"],
    "job rejected": ["1"],
    "job retry": ["1"],
    "job evidence": ["1", "{folder}/evidence.zip", "--run", "1"],
    "job export-recipe": ["1", "{folder}/again.causeway-recipe.yaml"],
    "job import-recipe": ["{folder}/recipe.yaml"],
    "auth list": [],
    "auth methods": [],
    "auth add": ["file-service-folder", "--name", "Files", "--value", "folder={folder}"],
    "auth test": ["1"],
    "auth edit": ["1", "--name", "Other"],
    "auth remove": ["1", "--yes"],
    "profile get": ["maja@shop.example", "--events", "--history"],
    "profile search": ["maja"],
    "profile export": ["maja@shop.example", "{folder}/maja.json"],
    "profile count": [],
    "profile delete": ["maja@shop.example", "--yes"],
    "stream list": [],
    "stream fields": ["members"],
    "stream events": ["members"],
    "lql eval": ["email(x)", "--event", '{{"x": "Ann <Ann@x.com>"}}'],
    "lql check": ["{folder}/shop.lql"],
    "lql format": ["{folder}/shop.lql"],
    "schema show": ["--lql"],
    "schema diff": [],
    "schema publish": ["--comment", "Towns"],
    "schema versions": [],
    "schema load": ["1"],
    "schema export": ["{folder}/lql"],
    "schema import": ["{folder}/towns.lql", "--publish"],
    "schema discard": ["--yes"],
    "schema rebuild": [],
    "catalog": [],
    "at-login": [],
    "doctor": [],
    "demo": ["{folder}/demo", "--headless"],
}
SIGNALLED = {"engine"}
"""Ends by a signal only: tried in test_processes.py."""
NEED_NO_WORKSPACE = {
    "workspace create", "workspace list", "workspace restore", "auth methods", "catalog", "demo",
    "lql eval", "lql check", "lql format", "at-login",
}  # fmt: skip


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Path:
    """A folder with a workspace that has people and one job, the file that it imported, and a backup."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "members.csv").write_text("email,name\nmaja@shop.example,Maja\nteo@shop.example,Teo,\n")
    (folder / "shop.lql").write_text("select email(`e-mail`) as email from shop into user by email alias shop_user")
    (folder / "towns.lql").write_text("select tolower(city) as town from towns into user")
    create_workspace(folder / "workspace", "Agency").close()
    where = ("--workspace", str(folder / "workspace"))
    assert main(["import", str(folder / "members.csv"), "--stream", "members", *where], lambda engine: 0) == 0
    assert main(["job", "export-recipe", "1", str(folder / "recipe.yaml"), *where], lambda engine: 0) == 0
    job = ["job", "create", "--type", "file-service-csv-import", "-o", "filename=a.csv", "-o", "stream=s", *where]
    assert main([*job, "--name", "Daily", "--every", "daily", "--at", "06:00"], lambda engine: 0) == 0
    assert main([*job, "--name", "Later"], lambda engine: 0) == 0
    assert main(["workspace", "backup", str(folder / "backup.zip"), *where], lambda engine: 0) == 0
    return folder


@pytest.fixture
def filled(first, tmp_path, monkeypatch) -> Path:
    """A copy of it for one test."""
    folder = tmp_path / "filled"
    shutil.copytree(first, folder)
    monkeypatch.setenv("CAUSEWAY_WORKSPACE", str(folder / "workspace"))
    return folder


def given(command: str, folder: Path) -> list[str]:
    return [*command.split(), *(argument.format(folder=folder) for argument in ARGUMENTS[command])]


def test_every_command_is_tried_here() -> None:
    assert ARGUMENTS.keys() | SIGNALLED == COMMANDS.keys()


@pytest.mark.parametrize("command", ARGUMENTS)
def test_json_is_one_document(call, filled, command) -> None:
    answer = call(*given(command, filled), "--json")
    assert answer.code == 0, answer.err
    assert isinstance(answer.document, dict | list)
    assert "error" not in answer.document


@pytest.mark.parametrize("command", ARGUMENTS)
def test_people_are_told_something(call, filled, command) -> None:
    answer = call(*given(command, filled))
    assert answer.code == 0, answer.err
    assert answer.out.strip()
    assert "Traceback" not in answer.err
    assert "\x1b" not in answer.out


@pytest.mark.parametrize("command", sorted(ARGUMENTS.keys() - NEED_NO_WORKSPACE))
def test_a_workspace_that_is_not_there_is_a_sentence(call, filled, command) -> None:
    nowhere = filled / "nowhere"
    answer = call(*given(command, filled), "--json", "--workspace", nowhere)
    assert answer.code == 1
    if command == "doctor":
        told = next(entry for entry in answer.document["findings"] if entry["name"] == "Workspace")
        assert (told["state"], str(nowhere) in told["found"]) == ("problem", True)
        return
    error = answer.document["error"]
    assert error["kind"] == "NotFound"
    assert error["message"] == f"There is no workspace in {nowhere}."
    assert f"{error['message']} {error['advice']}" == answer.err.strip()


@pytest.mark.parametrize(
    "arguments",
    [
        ["jobs"],
        ["job"],
        ["job", "list", "--all"],
        ["import", "members.csv"],
        ["import", "members.csv", "--stream", "s", "--identifier", "email", "--no-identifier"],
        ["import", "members.csv", "--stream", "s", "--type", "email"],
        ["job", "logs", "1", "--event", "exploded"],
        ["auth", "add", "file-service-sftp", "--name", "x", "--value", "password=secret"],
        ["auth", "add", "file-service-sftp", "--name", "x", "--value", "user=maja"],
        ["job", "create", "--type", "file-service-csv-import", "--name", "x", "-o", "colour=red"],
        ["profile", "search", "--limit", "none"],
        ["transfer", "a.csv", "b.csv", "c.csv"],
        ["transfer", "a.csv", "b.csv", "--split-size", "huge"],
        ["transfer", "Weekly", "--from", "Agency SFTP"],
        ["import", "caf\udce9.csv", "--stream", "s"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_2(call, workspace, arguments) -> None:
    answer = call(*arguments, "--json")
    assert answer.code == 2
    assert answer.err.strip()
    assert answer.document["error"]["kind"] == "WrongUse"
    assert "secret\n" not in answer.err


def test_every_command_and_option_is_documented() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert text == document(), "run: python -m app.cli.reference > docs/command-line.md"
    for name, command in COMMANDS.items():
        section = text.split(f"### causeway {name}\n", 1)[1].split("\n### ", 1)[0]
        for option in command.params:
            assert option.param_type_name == "argument" or f"`{option.opts[0]}" in section + text[:3000]


def test_every_table_of_the_workspace_is_documented(workspace) -> None:
    import sqlite3

    text = (ROOT / "docs" / "workspace-file.md").read_text(encoding="utf-8")
    connection = sqlite3.connect(workspace / "workspace.db")
    tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
    missing = [
        f"{table}.{column}"
        for table in tables
        for (column,) in connection.execute("select name from pragma_table_info(?)", (table,)).fetchall()
        if f"**`{table}`**" not in text
        or (table != "_sqlite_migrations" and not re.search(rf"`{column}`", text.split(f"**`{table}`**")[1]))
    ]
    connection.close()
    assert missing == []


def test_version_starts_nothing() -> None:
    """A command that needs no engine loads none: what is loaded, not the clock, says that it is quick."""
    code = (
        "import sys; from app.cli import main; code = main(['--version'], lambda engine: 0); "
        "print(code, sorted({'rich', 'yaml', 'paramiko', 'keyring', 'asyncio', 'sqlite3'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == f"causeway {__version__}\n0 []\n"


def test_a_defect_shows_its_traceback_only_with_debug(call, workspace, monkeypatch) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("x")

    monkeypatch.setattr("app.profiles.count_profiles", broken)
    answer = call("profile", "count", "--json")
    assert (answer.code, answer.document["error"]["kind"]) == (1, "ZeroDivisionError")
    assert "Traceback" not in answer.err
    assert "Traceback" in call("profile", "count", "--debug").err
