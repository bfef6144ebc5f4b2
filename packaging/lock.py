"""Write packaging/requirements/*.txt anew: every package the project needs, at one version, with hashes.

Run it with a Python that has `uv` (`pip install uv`); it changes no environment. The files hold for
Linux, macOS and Windows and for every Python from 3.11 on. They name no download host, so that any
mirror serves. Without arguments pinned versions stay where they still fit; `--upgrade` moves all of
them to the newest, `--upgrade-package NAME` one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "packaging" / "requirements"
HEADER = "# Written by packaging/lock.py; change pyproject.toml and run that instead.\n"
# Each lock contains the packages that the program itself runs on, at the same versions.
LOCKS: dict[str, tuple[str, ...]] = {
    "run": ("pyproject.toml",),
    "test": ("pyproject.toml", "--group", "test"),
    "build": ("pyproject.toml", "--group", "build"),
    # Only the data files of this package are read; what it would pull in is left out.
    "data": ("packaging/requirements/data.in", "--no-deps"),
}


def compile_lock(name: str, sources: tuple[str, ...], extra: list[str]) -> None:
    """Resolve one lock file with uv. Raises CalledProcessError with uv's own message printed."""
    target = REQUIREMENTS / f"{name}.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", *sources, *extra]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    command += ["--output-file", str(target)]
    if name in ("test", "build"):
        command += ["--constraints", str(REQUIREMENTS / "run.txt")]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    target.write_text(HEADER + target.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> int:
    """Compile all locks; `arguments` go to uv as they are. 0, or 1 when uv found no solution."""
    for name, sources in LOCKS.items():
        try:
            compile_lock(name, sources, arguments)
        except subprocess.CalledProcessError:
            print(f"No lock written for {name}: see uv's message above.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
