"""For tests of the command line: a workspace of its own for each, and calls as a script makes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.workspace import create_workspace

ROOT = Path(__file__).resolve().parents[3]
START = "import sys; from app.cli import main; sys.exit(main(None, lambda engine: 0))"


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)


Call = Callable[..., Answer]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace that commands find by the environment."""
    folder = tmp_path / "workspace"
    create_workspace(folder, "Agency").close()
    monkeypatch.setenv("CAUSEWAY_WORKSPACE", str(folder))
    return folder


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Call:
    """Call a command in this process."""

    def run(*arguments: object) -> Answer:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments], lambda engine: 0)
        said = capfd.readouterr()
        return Answer(code, said.out, said.err)

    return run


class Started:
    """A command that runs as a process of its own."""

    def __init__(self, arguments: Sequence[object]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", START, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONUTF8": "1"},
        )

    def ended(self, given: str | None = None) -> Answer:
        """Hand over standard input and wait for the end."""
        out, err = self.process.communicate(given, timeout=60)
        return Answer(self.process.returncode, out, err)


@pytest.fixture
def start() -> Iterator[Callable[..., Started]]:
    """Start commands as processes; none outlives the test."""
    begun: list[Started] = []

    def begin(*arguments: object) -> Started:
        begun.append(Started(arguments))
        return begun[-1]

    yield begin
    for started in begun:
        if started.process.poll() is None:
            started.process.kill()
        started.process.communicate()


@pytest.fixture
def members(tmp_path: Path) -> Path:
    """Five rows about three people: two share an email in other letters, two a phone number; one row is ragged."""
    file = tmp_path / "members.csv"
    file.write_text(
        "email,phone,name,city,updated_at\n"
        "maja@shop.example,,Maja,Utrecht,2026-01-01\n"
        "MAJA@shop.example,112,Maja K.,Gent,2026-02-01\n"
        "teo@shop.example,113,Teo,Lille,2026-01-05\n"
        ",113,Teo B.,Lille,2026-01-04\n"
        "ana@shop.example,114,Ana,Porto,2026-01-07,too,many\n"
        "ana@shop.example,114,Ana,Porto,2026-01-07\n",
        encoding="utf-8",
    )
    return file
