"""Transfers against OpenSSH's own sftp, in one run on one machine: `python tests/benchmarks/sftp.py [MB]`.

Both move the same file of random bytes to and from the same sshd over loopback, in turns, five times; each in a
process of its own, so that processor time and memory are told apart. OpenSSH uses the ciphers it chooses by itself.
Signing in is part of every time. We also ask the server to bring what was sent to its disk, which OpenSSH does not.
The last figure is a folder of 10,000 files, listed and put in order.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from peers.sshd import Sshd, run_sshd  # noqa: E402

from connectors.kit.places.sftp import connect  # noqa: E402

ROUNDS = 5
FILES = 10_000
WANTED = {"send": ("put", 0.75), "fetch": ("get", 0.75), "read": ("get", 0.6)}
"""What of ours is compared with what of theirs, and how fast it has to be."""

Cost = tuple[float, float, float]
"""Seconds, seconds of the processor, megabytes of memory on top of a started process (not looked at: NaN)."""


def by_openssh(server: Sshd, command: str) -> Cost:
    """What a command of `sftp` costs."""
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [
            *("sftp", "-q", "-b", "-", "-i", server.key_file, "-P", str(server.port)),
            *(part for option in options for part in ("-o", option)),
            f"{server.user}@{server.host}",
        ],
        input=command + "\n",
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, math.nan


def by_us(server: Sshd, action: str, remote: str, local: Path) -> Cost:
    """What one of our transfers costs in a process of its own."""
    wanted = [server.host, server.port, server.user, server.private_key, server.host_key, action, remote, str(local)]
    answer = subprocess.run(
        [sys.executable, __file__, "--ours"], input=json.dumps(wanted), text=True, check=True, capture_output=True
    )
    seconds, processor, memory = json.loads(answer.stdout)
    return seconds, processor, memory


def ours() -> None:
    """The other process: sign in, move, tell."""
    host, port, user, key, host_key, action, remote, local = json.load(sys.stdin)
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    place = connect(host, port, user, private_key=key, known_host_key=host_key)
    if action == "send":
        place.send(Path(local), remote, resume=False)
    elif action == "fetch":
        place.fetch(remote, Path(local), resume=False)
    else:
        with place.open(remote) as file:
            while file.read(256 * 1024):
                pass
    seconds = time.perf_counter() - started
    place.close()
    after = resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps([seconds, processor, (after.ru_maxrss - before.ru_maxrss) / 1024]))


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def transfers(server: Sshd, megabytes: int) -> None:
    """Measure all directions in turns and print the ratios."""
    here, there = server.files.parent / "here.bin", server.files / "there.bin"
    with here.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))
    here.chmod(0o644)
    expected = checksum(here)
    target = server.files.parent / "target.bin"
    costs: dict[str, list[Cost]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, measure, arrival in (
            ("put", lambda: by_openssh(server, f"put {here} {there}"), there),
            ("send", lambda: by_us(server, "send", str(there), here), there),
            ("get", lambda: by_openssh(server, f"get {there} {target}"), target),
            ("fetch", lambda: by_us(server, "fetch", str(there), target), target),
            ("read", lambda: by_us(server, "read", str(there), target), None),
        ):
            if arrival is not None:
                arrival.unlink(missing_ok=True)
            costs[name].append(measure())
            if arrival is not None:
                assert checksum(arrival) == expected
    median = {name: [statistics.median(column) for column in zip(*found, strict=True)] for name, found in costs.items()}
    print(f"{'':14}{'median':>11}{'best':>11}{'processor':>11}{'memory':>9}")
    for name, found in costs.items():
        whose = "sftp" if name in ("put", "get") else "Causeway"
        best, memory = min(cost[0] for cost in found), max(cost[2] for cost in found)
        print(
            f"{whose + ' ' + name:14}{megabytes / median[name][0]:6.0f} MB/s{megabytes / best:6.0f} MB/s"
            f"{median[name][1]:9.2f} s" + ("" if math.isnan(memory) else f"{memory:6.0f} MB")
        )
    for name, (theirs, wanted) in WANTED.items():
        speed, processor = median[theirs][0] / median[name][0], median[name][1] / median[theirs][1]
        print(
            f"{name}: {speed:.2f} x the speed of {theirs} (wanted: {wanted} or more), "
            f"{processor:.2f} x its processor time (wanted: 2.5 or less)"
        )


def listing(server: Sshd) -> None:
    """Measure a large folder and print how long it took."""
    folder = server.files / "many"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"people_{number:05}.csv").touch()
    place = connect(
        server.host, server.port, server.user, private_key=server.private_key, known_host_key=server.host_key
    )
    started = time.perf_counter()
    entries = place.list(str(folder))
    seconds = time.perf_counter() - started
    place.close()
    assert len(entries) == FILES
    print(f"{FILES:,} files listed and ordered in {seconds:.2f} s (wanted: under 3)")


def main(megabytes: int) -> None:
    with run_sshd() as server:
        transfers(server, megabytes)
        listing(server)
    print("load of the machine at the end: {:.1f}, {:.1f}, {:.1f}".format(*os.getloadavg()))


if __name__ == "__main__":
    if sys.argv[1:] == ["--ours"]:
        ours()
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1000)
