"""A private home for GnuPG: nobody's own keys are seen, and nothing is left when it is closed.

gpg keeps keys in a folder and starts an agent that holds the private ones. Both end here with the context, and also
when this process is killed: a shell that waits on a pipe clears up once the pipe closes.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import gnupg
from filelock import FileLock, Timeout

from connectors.kit.errors import InputError
from connectors.kit.pgp.gpg import GpgMissing, advice, find_gpg, find_gpgconf, refuse_old

OPTIONS = [
    # Neither the user's nor the network's opinion counts: what was entered is the key.
    *("--no-options", "--trust-model", "always", "--no-auto-key-locate", "--no-auto-key-retrieve"),
    *("--disable-dirmngr", "--display-charset", "utf-8"),
    # Not a question to a person, whatever the agent would like to ask.
    *("--pinentry-mode", "loopback"),
]

_PREFIX = "causeway-pgp-"
_SOCKET_LIMIT = 107 - len("/S.gpg-agent.browser")
"""Bytes of a folder's path in which an agent's socket can lie; macOS allows four less, and uses short paths."""
_LEFT_AFTER = 60
"""Seconds in which a home that nobody holds is one that is just being made."""
_AGENT = "s2k-count 1048576\n"
"""The agent protects its copy of a key anew. As it is used to, that takes two seconds; the copy lives for minutes."""
_GUARD = 'read -r word || { "$1" --homedir "$2" --kill all; "$1" --homedir "$2" --remove-socketdir; rm -rf -- "$2"; }'


class Home:
    """The open home: `keys` is python-gnupg standing in it."""

    def __init__(self, path: Path, keys: gnupg.GPG) -> None:
        self.path = path
        self.keys = keys

    def command(self, *arguments: str) -> list[str]:
        """A command line of gpg that reads a line with the passphrase, then its input, from its standard input."""
        return list(self.keys.make_args(list(arguments), True))

    def run(self, *arguments: str, passphrase: str) -> str:
        """Let gpg do something that takes a passphrase; what it reported."""
        answer = subprocess.run(
            self.command(*arguments),
            input=passphrase.encode() + b"\n",
            capture_output=True,
            env=self.keys.env,
            check=False,
        )
        return answer.stderr.decode("utf-8", "replace")


@contextmanager
def private_home() -> Iterator[Home]:
    """A home of its own for as long as the context lasts. Raises GpgMissing."""
    gpg = find_gpg()
    gpgconf = find_gpgconf(gpg)
    # It writes the beginning of every key that it imports to its log, and failures that are raised here anyway.
    logging.getLogger("gnupg").disabled = True
    folder = _folder()
    _clear_left_behind(folder, gpgconf)
    try:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    except OSError as error:
        raise InputError(
            f"There is no room for a PGP key ring in {folder}: {error.strerror}.",
            advice="Make room there and try again.",
            details=str(error),
        ) from error
    lock = FileLock(path / "held")
    guard: subprocess.Popen[bytes] | None = None
    try:
        lock.acquire()
        guard = _guard(path, gpgconf)
        (path / "gpg-agent.conf").write_text(_AGENT)
        yield Home(path, _keys(gpg, path))
    finally:
        lock.release()
        _clear(path, gpgconf)
        if guard is not None and guard.stdin is not None:
            with suppress(OSError):
                guard.stdin.write(b"done\n")
                guard.stdin.close()
            guard.wait()


def _keys(gpg: Path, path: Path) -> gnupg.GPG:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("GNUPGHOME", "GPG_TTY", "DEBUG_IPC")
    }
    environment |= {"LC_ALL": "C", "LANGUAGE": "C"}
    try:
        keys = gnupg.GPG(gpgbinary=str(gpg), gnupghome=str(path), options=list(OPTIONS), env=environment)
    except (OSError, ValueError) as error:
        raise GpgMissing("GnuPG is there but can't be started.", advice=advice(), details=str(error)) from error
    refuse_old(keys.version)
    return keys


def _folder() -> Path:
    """The folder for temporary files, or a shorter one where an agent could not put its socket."""
    folder = Path(tempfile.gettempdir())
    longest = len(os.fsencode(folder)) + 1 + len(_PREFIX) + 8
    if os.name == "posix" and longest > _SOCKET_LIMIT and os.access("/tmp", os.W_OK):
        return Path("/tmp")
    return folder


def _guard(path: Path, gpgconf: Path | None) -> subprocess.Popen[bytes] | None:
    """What clears up if this process ends without doing so; Windows has no shell for it, see `_clear_left_behind`."""
    if os.name != "posix" or gpgconf is None:
        return None
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", str(gpgconf), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _clear_left_behind(folder: Path, gpgconf: Path | None) -> None:
    """Delete homes whose processes are gone, as after a power cut: nobody holds their lock any more."""
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError, Timeout):
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or (os.name == "posix" and found.st_uid != os.getuid()):
                continue
            if time.time() - found.st_mtime > _LEFT_AFTER:
                with FileLock(path / "held", timeout=0):
                    pass
                _clear(path, gpgconf)


def _clear(path: Path, gpgconf: Path | None) -> None:
    if gpgconf is not None:
        for action in (("--kill", "all"), ("--remove-socketdir",)):
            with suppress(OSError):
                subprocess.run(
                    [gpgconf, "--homedir", path, *action],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    check=False,
                )
    # The agent takes its sockets away at the same time, so that a file can be gone before its turn comes.
    for _ in range(5):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
