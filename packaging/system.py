"""What the operating system must bring: libraries that Qt loads, programs that the tests run against.

A library counts as there when it can be loaded, a program when it is on the path, so the answer is right on
every distribution. Only the names of packages differ. Standard library only, like bootstrap.py.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

# What must be there -> the package that brings it: apt, dnf, pacman, zypper.
QT_LIBRARIES = {
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd", "Mesa-libGL1"),
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd", "Mesa-libEGL1"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon", "libxkbcommon0"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig", "libfontconfig1"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus", "libdbus-1-3"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libglib-2_0-0"),
}
# A real window under X11 loads these in addition; without them it does not open.
SCREEN_LIBRARIES = {
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor", "libxcb-cursor0"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms", "libxcb-keysyms1"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image", "libxcb-image0"),
    "libxcb-render-util.so.0": (
        "libxcb-render-util0",
        "xcb-util-renderutil",
        "xcb-util-renderutil",
        "libxcb-render-util0",
    ),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb", "libxcb", "libxcb-randr0"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb", "libxcb-shape0"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb", "libxcb", "libxcb-xkb1"),
    "libxkbcommon-x11.so.0": (
        "libxkbcommon-x11-0",
        "libxkbcommon-x11",
        "libxkbcommon-x11",
        "libxkbcommon-x11-0",
    ),
}
# The tests run against the real things: an SSH server, GnuPG, a Secret Service, a screen.
TEST_PROGRAMS = {
    "sshd": ("openssh-server", "openssh-server", "openssh", "openssh-server"),
    "ssh-keygen": ("openssh-client", "openssh", "openssh", "openssh-clients"),
    "sftp": ("openssh-client", "openssh-clients", "openssh", "openssh-clients"),
    "gpg": ("gnupg", "gnupg2", "gnupg", "gpg2"),
    "gnome-keyring-daemon": ("gnome-keyring", "gnome-keyring", "gnome-keyring", "gnome-keyring"),
    "dbus-run-session": ("dbus", "dbus-daemon", "dbus", "dbus-1"),
    "Xvfb": ("xvfb", "xorg-x11-server-Xvfb", "xorg-server-xvfb", "xorg-x11-server-Xvfb"),
    "xauth": ("xauth", "xorg-x11-xauth", "xorg-xauth", "xauth"),
}
# Package manager -> (column in the tables above, how to install with it).
MANAGERS = {
    "apt-get": (0, ["apt-get", "install", "-y", "--no-install-recommends"]),
    "dnf": (1, ["dnf", "install", "-y"]),
    "pacman": (2, ["pacman", "-S", "--needed", "--noconfirm"]),
    "zypper": (3, ["zypper", "--non-interactive", "install"]),
}
# Where servers lie that are not on an ordinary user's path.
SERVER_FOLDERS = os.pathsep.join(["/usr/sbin", "/sbin", "/usr/local/sbin"])


def package_manager() -> str:
    """The first package manager that is known here and present, "" if there is none."""
    return next((name for name in MANAGERS if shutil.which(name)), "")


def may_install() -> bool:
    """Whether packages may be installed without asking anybody: as root only."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def missing(for_tests: bool) -> list[str]:
    """Names of libraries and programs that are needed and not there. Always empty on macOS and Windows."""
    if not sys.platform.startswith("linux"):
        return []
    lacking = [name for name in {**QT_LIBRARIES, **SCREEN_LIBRARIES} if not _loads(name)]
    if for_tests:
        path = os.environ.get("PATH", os.defpath) + os.pathsep + SERVER_FOLDERS
        lacking += [name for name in TEST_PROGRAMS if not shutil.which(name, path=path)]
    return lacking


def install_line(names: list[str], manager: str) -> list[str]:
    """The command that brings `names` (as `missing` gives them) on a system with this package manager."""
    column, command = MANAGERS[manager]
    known = {**QT_LIBRARIES, **SCREEN_LIBRARIES, **TEST_PROGRAMS}
    return command + sorted({known[name][column] for name in names})


def install(command: list[str]) -> str:
    """Run an installing command as root; its output is kept back. Returns "" or the output's last lines."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if command[0] == "apt-get":
        # A new machine has no list of packages, or an old one: without this the names are not found.
        _quietly(["apt-get", "update"], environment)
    result = _quietly(command, environment)
    return "" if result.returncode == 0 else "\n".join(result.stdout.splitlines()[-15:])


def _quietly(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
