"""Workspaces are made, opened, held by one process, backed up and restored; what is wrong is told."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlite_utils

from app.errors import (
    CausewayError,
    DatabaseCorrupt,
    DiskFull,
    NewerWorkspace,
    NotFound,
    Refused,
    WorkspaceInUse,
)
from app.store import migrations
from app.workspace import Workspace, back_up, create_workspace, open_workspace, recent_workspaces, restore

ROOT = Path(migrations.__file__).parents[2]


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of recent workspaces of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_workspace(tmp_path / "shop", "Shop").close()
    return tmp_path / "shop"


def test_a_workspace_is_a_folder_with_a_name_and_is_remembered(folder: Path) -> None:
    workspace = open_workspace(folder)
    assert (workspace.name, workspace.is_demo) == ("Shop", False)
    assert recent_workspaces()[0].folder == folder
    workspace.rename("Store")
    workspace.close()
    again = open_workspace(folder)
    assert again.name == "Store"
    again.close()


def test_settings_keep_their_value_and_refuse_others(folder: Path) -> None:
    workspace = open_workspace(folder)
    assert workspace.setting("workers") == 4
    workspace.change_setting("workers", 2)
    assert workspace.setting("workers") == 2
    with pytest.raises(Refused, match="can't be 99"):
        workspace.change_setting("workers", 99)
    with pytest.raises(Refused, match="can't be 'pink'"):
        workspace.change_setting("theme", "pink")
    workspace.close()


def test_a_folder_with_other_things_or_a_workspace_is_not_taken(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="already is a workspace"):
        create_workspace(folder, "Again")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "holiday.jpg").touch()
    with pytest.raises(Refused, match="not empty"):
        create_workspace(tmp_path / "full", "Full")


@pytest.mark.parametrize(
    ("damage", "error", "sentence"),
    [
        (lambda file: file.unlink(), NotFound, "There is no workspace"),
        (lambda file: file.write_bytes(b"hello"), DatabaseCorrupt, "no workspace file"),
        (lambda file: file.write_bytes(file.read_bytes()[:100] + os.urandom(8000)), DatabaseCorrupt, "damaged|lacks"),
    ],
)
def test_a_missing_or_damaged_file_is_told(
    folder: Path, damage: object, error: type[CausewayError], sentence: str
) -> None:
    damage(folder / "workspace.db")  # type: ignore[operator]
    with pytest.raises(error, match=sentence):
        open_workspace(folder)


def test_a_file_of_a_newer_version_is_left_alone(folder: Path) -> None:
    connection = sqlite3.connect(folder / "workspace.db")
    connection.execute("pragma user_version = 9999")
    connection.close()
    with pytest.raises(NewerWorkspace, match="newer version"):
        open_workspace(folder)


def test_an_older_file_is_copied_before_it_is_migrated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = open_workspace(folder)
    workspace.change_setting("workers", 7)

    released = migrations.newest_version()

    def m9998_next(db: sqlite_utils.Database) -> None:
        db.execute("create table added_later (id integer primary key)")

    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, m9998_next))
    # Still open, so what was written last is in the WAL and not yet in the file.
    again = open_workspace(folder)
    with again.database.read() as connection:
        assert connection.execute("select count(*) from added_later").fetchone()[0] == 0
    assert again.setting("workers") == 7
    again.close()
    workspace.close()
    with closing(sqlite3.connect(folder / f"workspace.db.before-{released + 1:04}")) as copy:
        assert copy.execute("pragma user_version").fetchone()[0] == released
        assert copy.execute("select value from settings").fetchall() == [("7",)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def m9998_broken(db: sqlite_utils.Database) -> None:
        db.execute("create table half (id integer primary key)")
        raise ArithmeticError

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, m9998_broken))
        with pytest.raises(ArithmeticError):
            open_workspace(folder)
    workspace = open_workspace(folder)
    with workspace.database.read() as connection:
        assert connection.execute("select count(*) from sqlite_master where name = 'half'").fetchone()[0] == 0
    workspace.close()


def test_a_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "workspace.db")) as other:
        other.execute("create table theirs (id)")
    before = (tmp_path / "workspace.db").read_bytes()
    with pytest.raises(DatabaseCorrupt, match="no workspace file"):
        open_workspace(tmp_path)
    assert (tmp_path / "workspace.db").read_bytes() == before


def read_all(workspace: Workspace) -> None:
    with workspace.database.read() as connection:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            connection.execute(f"select * from {table}").fetchall()


def test_damage_in_the_middle_of_a_file_is_told_when_it_is_met(folder: Path) -> None:
    workspace = open_workspace(folder)
    with workspace.database.write() as connection:
        connection.executemany(
            "insert into streams (name, created_at) values (?, '')", [(f"stream {n}" * 20,) for n in range(300)]
        )
    workspace.close()
    with (folder / "workspace.db").open("r+b") as file:
        # The rows just written are in the last pages.
        file.seek(-4096 * 20, os.SEEK_END)
        file.write(os.urandom(4096 * 20))
    workspace = open_workspace(folder)
    with pytest.raises(DatabaseCorrupt, match="is damaged") as caught:
        read_all(workspace)
    assert "backup" in caught.value.advice
    workspace.close()


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '{"a": 1}', '[{"name": "x"}]', '[{"name": 1, "folder": 2, "opened_at": 3}]']
)
def test_a_broken_list_of_recent_workspaces_is_an_empty_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    open_workspace(folder).close()
    (tmp_path / "state" / "causeway" / "recent.json").write_text(content)
    assert recent_workspaces() == []
    open_workspace(folder).close()
    assert [entry.folder for entry in recent_workspaces()] == [folder]


HOLD = """
import sys
from pathlib import Path
from app.workspace import open_workspace
workspace = open_workspace(Path(sys.argv[1]))
workspace.take_charge()
print("in charge", flush=True)
sys.stdin.read()
"""


def test_one_process_is_in_charge_until_it_ends_however_it_ends(folder: Path) -> None:
    workspace = open_workspace(folder)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in charge\n"
        with pytest.raises(WorkspaceInUse, match=f"“Shop” is in use by another Causeway .process {holder.pid}."):
            workspace.take_charge()
        holder.kill()
    workspace.take_charge()
    workspace.close()


def test_charge_taken_in_one_thread_can_be_given_up_in_another(folder: Path) -> None:
    workspace, other = open_workspace(folder), open_workspace(folder)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(workspace.take_charge).result()
    with pytest.raises(WorkspaceInUse):
        other.take_charge()
    workspace.close()
    other.take_charge()
    other.close()


OPEN = """
import os, sys
from pathlib import Path
from app.errors import WorkspaceReadOnly
from app.workspace import create_workspace, open_workspace
if os.getuid() == 0:
    # Permissions do not hold root back.
    os.setgid(65534)
    os.setuid(65534)
for act in (lambda: open_workspace(Path(sys.argv[1])), lambda: create_workspace(Path(sys.argv[1]) / "new", "New")):
    try:
        act()
        print("no error")
    except WorkspaceReadOnly as error:
        print(error.message)
"""


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that every user can reach, unlike those that pytest makes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_folder_that_may_not_be_written_to_is_told(readable: Path) -> None:
    folder = readable / "shop"
    create_workspace(folder, "Shop").close()
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    told = subprocess.run(
        [sys.executable, "-c", OPEN, str(folder)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert told.stdout.splitlines() == [
        f"The folder {folder} can't be written to.",
        f"The folder {folder / 'new'} can't be written to.",
    ]
    folder.chmod(0o755)


def test_a_backup_of_a_workspace_in_use_restores_what_was_saved(folder: Path, tmp_path: Path) -> None:
    workspace = open_workspace(folder)
    workspace.take_charge()
    (folder / "downloads").mkdir()
    (folder / "downloads" / "members.csv").write_text("email")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "file.json").write_text("{}")
    with workspace.database.write() as connection:
        connection.execute(
            "insert into authorizations (name, provider, method, state, created_at) values ('a', 'b', 'c', 'works', '')"
        )
    with workspace.database.write() as connection:
        connection.execute("insert into streams (name, created_at) values ('not saved yet', '')")
        archive = back_up(workspace, tmp_path / "shop.causeway")
    workspace.close()
    with zipfile.ZipFile(archive) as backup:
        assert backup.namelist() == ["workspace.db", "secrets/file.json"]
    restored = restore(archive, tmp_path / "again")
    assert (restored.id, restored.name) == (workspace.id, "Shop")
    with restored.database.read() as connection:
        assert connection.execute("select count(*) from streams").fetchone()[0] == 0
        assert connection.execute("select state from authorizations").fetchone()[0] == "untested"
    restored.close()
    assert stat.S_IMODE((tmp_path / "again" / "secrets" / "file.json").stat().st_mode) == 0o600
    with pytest.raises(Refused, match="not an empty folder"):
        restore(archive, tmp_path / "again")


def no_zip(archive: Path, sound: Path) -> None:
    archive.write_bytes(b"hello")


def other_zip(archive: Path, sound: Path) -> None:
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../workspace.db", "x")


def damaged_database(archive: Path, sound: Path) -> None:
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("workspace.db", b"SQLite format 3\x00" + os.urandom(5000))
        file.writestr("secrets/file.json", "{}")


def cut_short(archive: Path, sound: Path) -> None:
    archive.write_bytes(sound.read_bytes()[:-200])


def flipped(archive: Path, sound: Path) -> None:
    content = bytearray(sound.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)


def newer(archive: Path, sound: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive, "w") as file:
        with closing(sqlite3.connect(Path(folder) / "workspace.db")) as connection:
            connection.execute("pragma user_version = 9999")
        file.write(Path(folder) / "workspace.db", "workspace.db")


def absent(archive: Path, sound: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (no_zip, "is no backup"),
        (other_zip, "is no backup"),
        (damaged_database, "damaged"),
        (cut_short, "damaged"),
        (flipped, "damaged"),
        (newer, "newer version"),
        (absent, "There is no file"),
    ],
)
@pytest.mark.parametrize("existing", [True, False])
def test_what_is_no_backup_restores_nothing_and_leaves_nothing(
    folder: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], sentence: str, existing: bool
) -> None:
    workspace = open_workspace(folder)
    sound = back_up(workspace, tmp_path / "sound.causeway")
    workspace.close()
    target = tmp_path / "some" / "target"
    if existing:
        target.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    archive = tmp_path / "spoilt.causeway"
    spoil(archive, sound)
    with pytest.raises(CausewayError, match=sentence):
        restore(archive, target)
    assert [path for path in sorted(tmp_path.rglob("*")) if path != archive] == before


def test_a_backup_larger_than_the_disk_is_refused_before_it_is_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = open_workspace(folder)
    archive = back_up(workspace, tmp_path / "shop.causeway")
    with pytest.raises(Refused, match="can't be written"):
        back_up(workspace, tmp_path / "nowhere" / "shop.causeway")
    workspace.close()
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(DiskFull, match="no space left"):
        restore(archive, tmp_path / "target")
    assert not (tmp_path / "target").exists()
