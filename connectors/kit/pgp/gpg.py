"""Where GnuPG is on this computer, and how to get it where it is not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from connectors.kit.errors import InputError

OLDEST = (2, 1)
"""Before it there was no agent that takes a passphrase from a pipe in every case."""

# A program that is started from a menu has a shorter path than a terminal, and installers for macOS and Windows put
# gpg where only a terminal would look for it.
_FOLDERS = {
    "darwin": ("/opt/homebrew/bin", "/usr/local/bin", "/usr/local/MacGPG2/bin", "/opt/local/bin"),
    "win32": (r"C:\Program Files\GnuPG\bin", r"C:\Program Files (x86)\GnuPG\bin"),
}
_PACKAGES = (
    (("debian", "ubuntu"), "sudo apt install gnupg"),
    (("fedora", "rhel", "centos"), "sudo dnf install gnupg2"),
    (("arch",), "sudo pacman -S gnupg"),
    (("suse", "opensuse"), "sudo zypper install gpg2"),
)


class GpgMissing(InputError):
    """GnuPG is not on this computer, or too old; the advice says how to get it here."""


def find_gpg() -> Path:
    """The gpg program. Raises GpgMissing."""
    found = _which("gpg") or _which("gpg2")
    if found is None:
        raise GpgMissing("Files encrypted with PGP need GnuPG, which is not on this computer.", advice=advice())
    return found


def find_gpgconf(gpg: Path) -> Path | None:
    """The program beside gpg that ends its agent."""
    found = shutil.which("gpgconf", path=str(gpg.parent)) or shutil.which("gpgconf")
    return None if found is None else Path(found)


def gpg_version() -> str:
    """What the doctor shows: `2.2.40`. Raises GpgMissing when there is none or it is too old."""
    try:
        answer = subprocess.run(
            [find_gpg(), "--version"], capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GpgMissing("GnuPG is there but can't be started.", advice=advice(), details=str(error)) from error
    found = re.search(r"^gpg .*?(\d+(?:\.\d+)+)", answer.stdout, re.MULTILINE)
    version = found[1] if found else ""
    refuse_old(tuple(map(int, version.split("."))) if version else None)
    return version


def refuse_old(version: tuple[int, ...] | None) -> None:
    """Raise GpgMissing for a GnuPG of before version 2.1, or one whose version can't be told."""
    if version is None or version < OLDEST:
        shown = ".".join(map(str, version)) if version else "of unknown version"
        raise GpgMissing(f"The GnuPG on this computer is {shown}, but 2.1 or newer is needed.", advice=advice())


def advice(system: str = sys.platform, release: Path = Path("/etc/os-release")) -> str:
    """How GnuPG comes onto this system."""
    if system == "darwin":
        return "Install it with `brew install gnupg`, or from gpgtools.org."
    if system == "win32":
        return "Install Gpg4win from gpg4win.org, then start Causeway anew."
    try:
        text = release.read_text(encoding="utf-8")
    except OSError:
        text = ""
    names = set(re.findall(r"[\w-]+", " ".join(re.findall(r'^ID(?:_LIKE)?="?([^"\n]*)', text, re.MULTILINE)).lower()))
    for systems, command in _PACKAGES:
        if not names.isdisjoint(systems):
            return f"Install it with `{command}`."
    return "Install the package gnupg (in some systems gnupg2) with your package manager."


def _which(name: str) -> Path | None:
    folders = [os.environ.get("PATH", os.defpath), *_FOLDERS.get(sys.platform, ())]
    found = shutil.which(name, path=os.pathsep.join(folders))
    return None if found is None else Path(found)
