"""A real OpenSSH server on loopback for tests and benchmarks.

As root, the way CI runs, it serves a system user made for the occasion and removed afterwards: sshd then checks a
real password against the real shadow file, and file permissions mean something, which they do not for root. As
anybody else, sshd runs unprivileged and lets in the user who started it by key; it cannot check passwords, so
every password is wrong there.
"""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@dataclass(frozen=True)
class Sshd:
    """A running server: where it is, who may come in, and `files`, a folder of that user to put files into."""

    host: str
    port: int
    user: str
    password: str | None
    private_key: str
    key_file: Path
    host_key: str
    fingerprint: str
    authorized_keys: Path
    files: Path
    process: subprocess.Popen[bytes]

    def put(self, name: str, data: bytes) -> str:
        """Write a file that the user owns; its absolute path on the server."""
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.own(path)
        return str(path)

    def own(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, self.user)

    def authorize(self, public_key: str) -> None:
        """Let a further key in."""
        with self.authorized_keys.open("a") as file:
            file.write(public_key.strip() + "\n")

    def kill_sessions(self) -> int:
        """Kill the processes that serve connections, as a crash of the server does; how many there were."""
        return len(self._signal_sessions(signal.SIGKILL))

    def stop_sessions(self) -> list[int]:
        """Let these processes do nothing any more until they are sent SIGCONT."""
        return self._signal_sessions(signal.SIGSTOP)

    def _signal_sessions(self, number: signal.Signals) -> list[int]:
        found = _descendants(self.process.pid)
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return found


def _processes() -> Iterator[tuple[int, int]]:
    """Each process with its parent; from /proc, as a small Linux has no ps, and by ps where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True)
        for line in listed.stdout.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                yield int(entry.name), int(fields[1])


def _descendants(ancestor: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid, parent in _processes():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    waiting = [ancestor]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.append(child)
            waiting.append(child)
    return found


def _user_command(*command: str | Path, given: str | None = None) -> None:
    """Change the system's users; one process at a time, as the commands fail while another one is at work."""
    with FileLock(Path(tempfile.gettempdir()) / "causeway-sshd.lock"):
        subprocess.run(command, input=given, text=True, check=True, stderr=subprocess.DEVNULL)


@contextmanager
def run_sshd(*, without: str = "") -> Iterator[Sshd]:
    """A server for the length of the block, which refuses the SFTP requests `without` names ("stat,posix-rename")."""
    root = os.geteuid() == 0
    home = Path(tempfile.mkdtemp(prefix="causeway-sshd-"))
    home.chmod(0o755)
    files = home / "files"
    files.mkdir()
    user = f"causeway-{os.getpid()}-{secrets.token_hex(2)}" if root else getpass.getuser()
    password = secrets.token_urlsafe(12) if root else None
    if root:
        # sshd as root changes into this folder before it knows who is there; the package makes it at boot only.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        _user_command("useradd", "--home-dir", files, "--no-create-home", "--shell", "/bin/sh", user)
        _user_command("chpasswd", given=f"{user}:{password}\n")
        shutil.chown(files, user)
    process: subprocess.Popen[bytes] | None = None
    try:
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", home / name], check=True)
        authorized = home / "authorized_keys"
        authorized.write_text((home / "user_key.pub").read_text())
        authorized.chmod(0o644)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        (home / "sshd_config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host_key\nPidFile none\n"
            f"AuthorizedKeysFile {authorized}\nUsePAM no\nStrictModes no\nUseDNS no\n"
            "PasswordAuthentication yes\nKbdInteractiveAuthentication no\nMaxStartups 100\n"
            f"Subsystem sftp internal-sftp{f' -P {without}' if without else ''}\n"
        )
        log = (home / "log").open("wb")
        # Signals stay as Python has them: a file that grows beyond a limit is then an error, not the end of a session.
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", home / "sshd_config"], stderr=log, restore_signals=False)
        log.close()
        _wait_until_ready(process, port, home / "log")
        host_key = " ".join((home / "host_key.pub").read_text().split()[:2])
        shown = subprocess.run(
            ["ssh-keygen", "-l", "-f", home / "host_key.pub"], check=True, capture_output=True, text=True
        )
        yield Sshd(
            host="127.0.0.1",
            port=port,
            user=user,
            password=password,
            private_key=(home / "user_key").read_text(),
            key_file=home / "user_key",
            host_key=host_key,
            fingerprint=shown.stdout.split()[1],
            authorized_keys=authorized,
            files=files,
            process=process,
        )
    finally:
        if process is not None:
            for pid in _descendants(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.terminate()
            process.wait()
        if root:
            _user_command("userdel", "--force", user)
        shutil.rmtree(home)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the server greets. It binds its port late, so refusals are answered by asking again."""
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            if probe.recv(4) == b"SSH-":
                return
    raise RuntimeError(f"sshd did not start: {log.read_text(errors='replace')}")


@pytest.fixture(scope="session")
def sshd() -> Iterator[Sshd]:
    """One server for the whole test session, in which a key agent of who runs the tests has no part."""
    with pytest.MonkeyPatch.context() as patch, run_sshd() as server:
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        yield server
