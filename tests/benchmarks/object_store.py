"""A large object to and from the three stores: `python tests/benchmarks/object_store.py [MB]`.

What counts is the memory: the highest of a whole process that does nothing else, and how much of it came with the
transfer. The servers are those of the tests, on the same machine; they keep whole objects in memory and cut each range
out of them, so the seconds say little of a real service.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from peers.azure import run_azure  # noqa: E402
from peers.gcs import run_gcs  # noqa: E402
from peers.s3 import ACCESS_KEY, SECRET_KEY, run_s3  # noqa: E402

from connectors.kit.places.object_store import ObjectPlace  # noqa: E402
from connectors.kit.places.object_store_azure import open_azure  # noqa: E402
from connectors.kit.places.object_store_gcs import open_gcs  # noqa: E402
from connectors.kit.places.object_store_s3 import S3Access, open_s3  # noqa: E402

Open = Callable[[], ObjectPlace]


def measured(act: Callable[[ObjectPlace], Any], opened: Open, answers: Any) -> None:
    """In a process of its own, since the peak of memory is one's whole life's."""
    with closing(opened()) as place:
        place.list("")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        act(place)
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answers.put((took, peak / 1024, (peak - before) / 1024))


def sent(file: Path, place: ObjectPlace) -> None:
    place.send(file, "big.bin")


def fetched(target: Path, place: ObjectPlace) -> None:
    place.fetch("big.bin", target)


def read(place: ObjectPlace) -> None:
    with place.open("big.bin") as stream:
        while stream.read(1 << 20):
            pass


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(megabytes: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        big = folder / "big.bin"
        with big.open("wb") as file:
            for _ in range(megabytes):
                file.write(os.urandom(1_000_000))
        s3, gcs, azure = (stack.enter_context(run()) for run in (run_s3, run_gcs, run_azure))
        access = S3Access(ACCESS_KEY, SECRET_KEY, address=s3.address)
        places: dict[str, Open] = {
            "S3": partial(open_s3, access, s3.bucket()),
            "Google": partial(open_gcs, json.dumps(gcs.service_account), gcs.bucket(), address=gcs.address),
            "Azure": partial(open_azure, azure.connection_string, azure.container()),
        }
        heads = "".join(f"{head:24}" for head in ("sent", "fetched", "read where it is"))
        print(f"{f'{megabytes} MB':14}{heads}")
        for name, opened in places.items():
            target = folder / f"{name}.bin"
            row = []
            for act in (partial(sent, big), partial(fetched, target), read):
                answers = spawn.Queue()
                process = spawn.Process(target=measured, args=(act, opened, answers))
                process.start()
                took, peak, more = answers.get()
                process.join()
                row.append(f"{took:6.1f} s {peak:4.0f} MB (+{more:3.0f})")
            assert digest(target) == digest(big)
            target.unlink()
            print(f"{name:12}", *row, sep="  ")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
