"""The set-up, really done: in a project folder of its own whose locks are empty, so that it needs no network."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Stands for the program: says what it was given, on standard output, and ends with the code 7.
PROGRAM = """
import sys

def main():
    print(sys.argv[1:])
    return 7
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A project folder with the real set-up, nothing to install, and a program of three lines."""
    root = tmp_path / "a house with ümlaut"
    shutil.copytree(ROOT / "packaging", root / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
    for lock in (root / "packaging" / "requirements").glob("*.txt"):
        lock.write_text("# nothing\n", encoding="utf-8")
    (root / "ui").mkdir()
    (root / "ui" / "main.py").write_text(PROGRAM, encoding="utf-8")
    return root


def start(house: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin bootstrap.py in that folder, with another folder as the current one."""
    return subprocess.Popen(
        [sys.executable, str(house / "packaging" / "bootstrap.py"), *arguments],
        cwd=house.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ends(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """(exit code, standard output, standard error)."""
    output, messages = process.communicate(timeout=60)
    return process.returncode, output, messages


def test_from_two_first_starts_at_once_to_locks_that_changed(house: Path) -> None:
    both = start(house, "run", "--", "import", "--json"), start(house, "demo", "--headless")
    results = [ends(process) for process in both]
    assert [result[:2] for result in results] == [(7, "['import', '--json']\n"), (7, "['demo', '--headless']\n")]
    assert sum("Ready." in messages for _, _, messages in results) == 1

    assert ends(start(house, "run", "--", "job", "--", "x")) == (7, "['job', '--', 'x']\n", "")

    lock = house / "packaging" / "requirements" / "run.txt"
    lock.write_text("# still nothing\n", encoding="utf-8")
    code, _, messages = ends(start(house, "run"))
    assert (code, "Making" in messages, "Ready." in messages) == (7, False, True)

    lock.write_text("click==8.5.1\n", encoding="utf-8")
    code, output, messages = ends(start(house, "run"))
    assert (code, output) == (1, "")
    assert "The Python packages could not be installed." in messages
    assert "Traceback" not in messages


def test_a_set_up_that_was_cut_off_is_begun_anew(house: Path) -> None:
    first = start(house, "run")
    assert first.stderr is not None
    assert any("Downloading" in line for line in first.stderr)
    first.send_signal(signal.SIGKILL)
    ends(first)
    remains = house / ".venv" / "remains"
    remains.touch()

    code, output, messages = ends(start(house, "run"))
    assert (code, output) == (7, "[]\n"), messages
    assert "Ready." in messages
    assert not remains.exists()


def test_wrong_use_says_how(house: Path) -> None:
    code, output, messages = ends(start(house, "dmeo"))
    assert (code, output) == (2, "")
    assert "bootstrap.py demo" in messages
    assert not (house / ".venv").exists()
