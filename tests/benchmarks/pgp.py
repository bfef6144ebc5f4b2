"""Encrypting and decrypting against plain gpg, in one run on one machine: `python tests/benchmarks/pgp.py [MB]`.

Both take the same file to the same disk with the same options, in turns, five times; ours in a process of its own, so
that memory is told apart. The file is random bytes, as a compressed one is, and is not compressed again.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from peers.pgp import KeyPair, PgpPeer  # noqa: E402

from connectors.kit.pgp.streams import decrypted, encrypting  # noqa: E402

ROUNDS = 5
BLOCK_SIZE = 256 * 1024


def by_gpg(peer: PgpPeer, key: KeyPair, action: str, source: Path, target: Path) -> float:
    """Seconds that gpg itself takes, its keys being there already."""
    options = ("--yes", "--no-auto-key-locate", "--compress-algo", "none", "--output", str(target))
    what = ("--recipient", key.fingerprint, "--encrypt") if action == "encrypt" else ("--decrypt",)
    started = time.perf_counter()
    peer.run(*options, *what, str(source))
    return time.perf_counter() - started


def by_us(key: KeyPair, action: str, source: Path, target: Path) -> tuple[float, float]:
    """Seconds, and megabytes of memory on top of those before, in a process of its own, keys and home made anew."""
    answer = subprocess.run(
        [sys.executable, __file__, "--ours"],
        input=json.dumps([action, str(source), str(target), key.public, key.private]),
        text=True,
        check=True,
        capture_output=True,
    )
    seconds, memory = json.loads(answer.stdout)
    return seconds, memory


def ours() -> None:
    """The other process: read, pass through gpg, write, tell."""
    action, source, target, public, private = json.load(sys.stdin)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    if action == "encrypt":
        with Path(source).open("rb", buffering=0) as file, encrypting(Path(target), public, compress=False) as out:
            while block := file.read(BLOCK_SIZE):
                out.write(block)
    else:
        with (
            Path(source).open("rb", buffering=0) as file,
            decrypted(file, private, None) as plain,
            Path(target).open("wb", buffering=0) as out,
        ):
            while block := plain.read(BLOCK_SIZE):
                out.write(block)
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seconds: dict[str, list[float]] = defaultdict(list)
    memory = 0.0
    with tempfile.TemporaryDirectory(prefix="pgp-") as folder:
        peer = PgpPeer(Path(folder) / "home")
        peer.folder.mkdir(mode=0o700)
        key = peer.curve
        plain, packed, target = (Path(folder) / name for name in ("plain", "packed", "target"))
        with plain.open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(1_000_000))
        by_gpg(peer, key, "encrypt", plain, packed)
        for _ in range(ROUNDS):
            for action, source in (("encrypt", plain), ("decrypt", packed)):
                seconds[f"gpg {action}"].append(by_gpg(peer, key, action, source, target))
                target.unlink()
                taken, more = by_us(key, action, source, target)
                seconds[f"our {action}"].append(taken)
                memory = max(memory, more)
                target.unlink()
        subprocess.run(["gpgconf", "--homedir", peer.folder, "--kill", "all"], check=True)
    print(f"{megabytes} MB, {ROUNDS} rounds, medians")
    for action in ("encrypt", "decrypt"):
        theirs, we = statistics.median(seconds[f"gpg {action}"]), statistics.median(seconds[f"our {action}"])
        print(
            f"{action}: gpg {megabytes / theirs:6.0f} MB/s, Causeway {megabytes / we:6.0f} MB/s, "
            f"{theirs / we:.2f} of gpg (0.80 wanted)"
        )
    print(f"memory of Causeway's process: {memory:.0f} MB more than before")


if __name__ == "__main__":
    ours() if "--ours" in sys.argv else main()
