"""Starting at login: what each system is told, in a home of the test, and that it reads it back."""

from __future__ import annotations

import os
import plistlib
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.errors import Refused
from app.login_start import (
    RUN_KEY,
    DesktopEntry,
    LaunchAgent,
    RunKey,
    login_start,
    own_command,
    start_at_login,
    starts_at_login,
)

AWKWARD = ["/opt/Cause way/100%/a\"b`c$d\\e'f/causeway", "--in-tray"]


class Registry:
    """The part of winreg that is used, over one dictionary: this module exists on Windows only."""

    HKEY_CURRENT_USER, KEY_SET_VALUE, REG_SZ = "HKCU", 2, 1

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str] = {}

    @contextmanager
    def OpenKey(self, root: str, path: str) -> Iterator[str]:  # noqa: N802 (as in winreg)
        yield f"{root}\\{path}"

    @contextmanager
    def CreateKeyEx(self, root: str, path: str, _reserved: int, access: int) -> Iterator[str]:  # noqa: N802 (as in winreg)
        assert access == self.KEY_SET_VALUE
        yield f"{root}\\{path}"

    def QueryValueEx(self, key: str, name: str) -> tuple[str, int]:  # noqa: N802 (as in winreg)
        if (key, name) not in self.values:
            raise FileNotFoundError
        return self.values[key, name], self.REG_SZ

    def SetValueEx(self, key: str, name: str, _reserved: int, kind: int, value: str) -> None:  # noqa: N802 (as in winreg)
        assert kind == self.REG_SZ
        self.values[key, name] = value

    def DeleteValue(self, key: str, name: str) -> None:  # noqa: N802 (as in winreg)
        if self.values.pop((key, name), None) is None:
            raise FileNotFoundError


def test_each_system_reads_back_what_it_was_told(tmp_path: Path) -> None:
    registry = Registry()
    for keeper in (
        DesktopEntry(tmp_path / "autostart" / "causeway.desktop"),
        LaunchAgent(tmp_path / "LaunchAgents" / "causeway.window.plist"),
        RunKey(registry),
    ):
        assert keeper.read() is None
        assert not starts_at_login(keeper), "off by default"
        start_at_login(keeper, False)
        start_at_login(keeper, True)
        assert keeper.read() == own_command()
        assert starts_at_login(keeper)
        start_at_login(keeper, False)
        assert keeper.read() is None
    for keeper in (DesktopEntry(tmp_path / "a.desktop"), LaunchAgent(tmp_path / "a.plist")):
        keeper.write(AWKWARD)
        assert keeper.read() == AWKWARD
        assert not starts_at_login(keeper), "another copy of the program"
    windows = [r"C:\Program Files\Causeway\causeway.exe", "--in-tray"]
    RunKey(registry).write(windows)
    assert registry.values == {
        (rf"HKCU\{RUN_KEY}", "Causeway"): r'"C:\Program Files\Causeway\causeway.exe" --in-tray',
    }
    assert RunKey(registry).read() == windows


def test_an_entry_that_the_desktop_switched_off_is_off(tmp_path: Path) -> None:
    keeper = DesktopEntry(tmp_path / "causeway.desktop")
    start_at_login(keeper, True)
    text = keeper.file.read_text()
    for line in ("Hidden=true", "X-GNOME-Autostart-enabled=false"):
        keeper.file.write_text(f"{text}{line}\n")
        assert not starts_at_login(keeper)
    agent = LaunchAgent(tmp_path / "causeway.plist")
    agent.file.write_bytes(plistlib.dumps({"ProgramArguments": own_command(), "RunAtLoad": True, "Disabled": True}))
    assert not starts_at_login(agent)
    agent.file.write_bytes(b"no list")
    assert not starts_at_login(agent)


def test_where_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    gnome = {"XDG_CURRENT_DESKTOP": "GNOME"}
    found = {
        "linux": login_start("linux", gnome),
        "moved": login_start("linux", {**gnome, "XDG_CONFIG_HOME": str(tmp_path / "conf")}),
        "darwin": login_start("darwin", {}),
    }
    assert {name: keeper and keeper.place for name, keeper in found.items()} == {
        "linux": str(tmp_path / ".config" / "autostart" / "causeway.desktop"),
        "moved": str(tmp_path / "conf" / "autostart" / "causeway.desktop"),
        "darwin": str(tmp_path / "Library" / "LaunchAgents" / "causeway.window.plist"),
    }
    assert login_start("linux", {}) is None
    with pytest.raises(Refused, match="no desktop"):
        start_at_login(None, True)
    (tmp_path / ".config").write_text("no folder")
    with pytest.raises(Refused, match="can't be made"):
        start_at_login(found["linux"], True)


def test_the_command_that_is_kept_starts_this_program(monkeypatch: pytest.MonkeyPatch) -> None:
    command = own_command()
    assert command[-1] == "--in-tray"
    asked = subprocess.run([*command, "--version"], capture_output=True, text=True, cwd="/", env=_bare(), check=True)
    assert asked.stdout.startswith("causeway ")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command() == [sys.executable, "--in-tray"]


def test_the_command_line_switches_it(tmp_path: Path) -> None:
    def call(*arguments: str, desktop: str = "GNOME") -> Any:
        environment = {**_bare(), "HOME": str(tmp_path), "XDG_CURRENT_DESKTOP": desktop}
        return subprocess.run(
            [*own_command()[:-1], "at-login", *arguments], capture_output=True, text=True, env=environment, check=False
        )

    entry = tmp_path / ".config" / "autostart" / "causeway.desktop"
    assert "does not start at login" in call().stdout
    assert call("on").stdout == f"Causeway starts at login ({entry}).\n"
    line = next(line for line in entry.read_text().splitlines() if line.startswith("Exec="))
    assert shlex.split(line.removeprefix("Exec=")) == own_command()
    assert "does not start" in call("off").stdout
    assert not entry.exists()
    refused = call("on", desktop="")
    assert (refused.returncode, "no desktop" in refused.stderr) == (1, True)


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
