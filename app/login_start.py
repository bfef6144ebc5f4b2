"""Starting with the computer: a note to the desktop that the program begins, in its tray, when the user logs in.

Nothing of this is kept in a workspace: what holds is what the desktop finds, and it is asked there each time.
"""

from __future__ import annotations

import importlib
import os
import plistlib
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from app.errors import Refused
from app.whole_file import whole_file

IN_TRAY = "--in-tray"
NAME = "Causeway"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"
NO_DESKTOP = "This session has no desktop that would start Causeway at login."
AS_SERVICE = "`causeway engine` runs jobs without one; the system's own services can start it with the computer."


class LoginStart(Protocol):
    """Where one system keeps what begins at login. `place` names it; `write` raises Refused."""

    place: str

    def read(self) -> Sequence[str] | None:
        """The command that begins at login, None for none, and for one that the user switched off there."""

    def write(self, command: Sequence[str] | None) -> None:
        """Keep a command, or with None none."""


class DesktopEntry:
    """Linux and its kin: a .desktop file in the user's autostart folder (XDG Desktop Application Autostart)."""

    def __init__(self, file: Path) -> None:
        self.file, self.place = file, str(file)

    def read(self) -> Sequence[str] | None:
        lines = _text(self.file).splitlines()
        # Desktops don't delete an entry that is switched off in their own settings.
        if "Hidden=true" in lines or "X-GNOME-Autostart-enabled=false" in lines:
            return None
        command = next((line.removeprefix("Exec=") for line in lines if line.startswith("Exec=")), None)
        return None if command is None else _exec_words(command)

    def write(self, command: Sequence[str] | None) -> None:
        if command is None:
            _remove(self.file)
            return
        lines = (
            "[Desktop Entry]",
            "Type=Application",
            f"Name={NAME}",
            "Comment=Runs jobs as they fall due",
            f"Exec={' '.join(map(_exec_word, command))}",
            "Terminal=false",
        )
        _write(self.file, "".join(f"{line}\n" for line in lines).encode())


class LaunchAgent:
    """macOS: a property list in the user's LaunchAgents, read by launchd at login."""

    def __init__(self, file: Path) -> None:
        self.file, self.place = file, str(file)

    def read(self) -> Sequence[str] | None:
        try:
            agent = plistlib.loads(self.file.read_bytes())
        except (OSError, plistlib.InvalidFileException, ValueError):
            return None
        if not isinstance(agent, dict) or agent.get("Disabled") or not agent.get("RunAtLoad"):
            return None
        return [str(word) for word in agent.get("ProgramArguments", ())]

    def write(self, command: Sequence[str] | None) -> None:
        if command is None:
            _remove(self.file)
            return
        agent = {
            "Label": self.file.stem,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "LimitLoadToSessionType": "Aqua",
            "ProcessType": "Interactive",
        }
        _write(self.file, plistlib.dumps(agent))


class RunKey:
    """Windows: a value in the user's Run key. `registry` is the module winreg, which other systems don't have."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self.place = rf"HKEY_CURRENT_USER\{RUN_KEY}"

    def read(self) -> Sequence[str] | None:
        registry = self._registry
        try:
            with registry.OpenKey(registry.HKEY_CURRENT_USER, RUN_KEY) as key:
                line, _kind = registry.QueryValueEx(key, NAME)
        except OSError:
            return None
        return _windows_words(str(line))

    def write(self, command: Sequence[str] | None) -> None:
        registry = self._registry
        try:
            with registry.CreateKeyEx(registry.HKEY_CURRENT_USER, RUN_KEY, 0, registry.KEY_SET_VALUE) as key:
                if command is None:
                    with suppress(FileNotFoundError):
                        registry.DeleteValue(key, NAME)
                else:
                    registry.SetValueEx(key, NAME, 0, registry.REG_SZ, subprocess.list2cmdline(command))
        except OSError as error:
            raise Refused(
                f"{self.place} can't be changed: {error.strerror}.", advice="Your administrator may have locked it."
            ) from error


def login_start(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> LoginStart | None:
    """Where this system keeps what begins at login; None where it has no such thing."""
    if platform == "win32":
        return RunKey(importlib.import_module("winreg"))
    home = Path.home()
    if platform == "darwin":
        return LaunchAgent(home / "Library" / "LaunchAgents" / "causeway.window.plist")
    # Sessions name their desktop; without one, nobody would read the entry.
    if not environment.get("XDG_CURRENT_DESKTOP"):
        return None
    return DesktopEntry(Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "autostart" / "causeway.desktop")


def own_command() -> list[str]:
    """How this very program is started in its tray: the bundle, the script beside this Python, or the module."""
    if getattr(sys, "frozen", False):
        return [sys.executable, IN_TRAY]
    script = Path(sys.executable).with_name("causeway.exe" if sys.platform == "win32" else "causeway")
    if script.is_file():
        return [str(script), IN_TRAY]
    return [sys.executable, "-m", "ui.main", IN_TRAY]


def starts_at_login(keeper: LoginStart | None) -> bool:
    """Whether this very program begins at login; an entry of another copy of it does not count."""
    return keeper is not None and keeper.read() == own_command()


def start_at_login(keeper: LoginStart | None, on: bool) -> None:
    """Begin at login from now on, or no more. Raises Refused, also where the system has no such thing."""
    if keeper is None:
        raise Refused(NO_DESKTOP, advice=AS_SERVICE)
    keeper.write(own_command() if on else None)


def _exec_word(word: str) -> str:
    """A word of Exec: quoted, with what is special in quotes escaped, and once more as the file's format asks."""
    quoted = '"' + re.sub(r'(["`$\\])', r"\\\1", word) + '"'
    return quoted.replace("\\", "\\\\").replace("%", "%%")


def _exec_words(line: str) -> list[str]:
    plain = line.replace("%%", "%").replace("\\\\", "\\")
    return [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', plain)]


def _windows_words(line: str) -> list[str]:
    """The words of a command line as `subprocess.list2cmdline` writes them for paths, in which no quote can be."""
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', line)]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _write(file: Path, content: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"{file.parent} can't be made: {error.strerror}.", advice="Look at whom the folder above it belongs to."
        ) from error
    with whole_file(file) as part:
        part.write_bytes(content)


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"{file} can't be removed: {error.strerror}.", advice="Remove it in a file manager.") from error
