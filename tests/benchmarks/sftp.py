"""Download speed against OpenSSH's own sftp, in one run on one machine: `python tests/benchmarks/sftp.py [MB]`.

Both fetch the same file of random bytes from the same sshd over loopback, in turns, five times; each in a process
of its own, so that memory is told apart. OpenSSH uses the ciphers it chooses by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from peers.sshd import Sshd, run_sshd  # noqa: E402

from connectors.kit.places.sftp import connect  # noqa: E402

ROUNDS = 5


def by_openssh(server: Sshd, remote: str, local: Path) -> float:
    """Seconds that `sftp` takes."""
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
    started = time.perf_counter()
    subprocess.run(
        [
            *("sftp", "-q", "-b", "-", "-i", server.key_file, "-P", str(server.port)),
            *(part for option in options for part in ("-o", option)),
            f"{server.user}@{server.host}",
        ],
        input=f"get {remote} {local}\n",
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def by_us(server: Sshd, remote: str, local: Path) -> tuple[float, float]:
    """Seconds, and megabytes of memory on top of those before the transfer, of a fetch in a process of its own."""
    wanted = [server.host, server.port, server.user, server.private_key, server.host_key, remote, str(local)]
    answer = subprocess.run(
        [sys.executable, __file__, "--fetch"], input=json.dumps(wanted), text=True, check=True, capture_output=True
    )
    seconds, memory = json.loads(answer.stdout)
    return seconds, memory


def fetch() -> None:
    """The other process: sign in, fetch, tell."""
    host, port, user, key, host_key, remote, local = json.load(sys.stdin)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    place = connect(host, port, user, private_key=key, known_host_key=host_key)
    place.fetch(remote, Path(local), resume=False)
    seconds = time.perf_counter() - started
    place.close()
    print(json.dumps([seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(megabytes: int) -> None:
    with run_sshd() as server:
        source = server.files / "big.bin"
        with source.open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(1_000_000))
        server.own(source)
        target = server.files.parent / "target.bin"
        expected = checksum(source)
        ours: list[float] = []
        theirs: list[float] = []
        memory = 0.0
        for _ in range(ROUNDS):
            theirs.append(by_openssh(server, str(source), target))
            target.unlink()
            seconds, extra = by_us(server, str(source), target)
            ours.append(seconds)
            memory = max(memory, extra)
            assert checksum(target) == expected
            target.unlink()
        for name, seconds in (("OpenSSH sftp", theirs), ("Causeway", ours)):
            best, middle = min(seconds), statistics.median(seconds)
            print(f"{name:14} median {megabytes / middle:6.0f} MB/s   best {megabytes / best:6.0f} MB/s")
        print(f"ratio of medians {statistics.median(theirs) / statistics.median(ours):.2f} (wanted: 0.75 or better)")
        print(f"memory on top of a started process, at most {memory:.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:] == ["--fetch"]:
        fetch()
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1000)
