"""The commands of bootstrap.py: demo, test, run. Each does the set-up that it needs first.

Standard library only. All messages of its own go to standard error: standard output is the program's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import environment
from environment import LAUNCHER, PYTHON, ROOT, SetupError, say
from system import SERVER_FOLDERS

USAGE = """\
python3 packaging/bootstrap.py demo           set up, then show Causeway on sample data
python3 packaging/bootstrap.py test           set up, then run all checks and tests
python3 packaging/bootstrap.py run -- ARGS    set up, then run "causeway ARGS"; no ARGS: open the window"""
# In this order, the quick ones first; the tests come last, so that their summary closes the output.
CHECKS = {
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "."],
    "mypy": ["-m", "mypy"],
    "import linter": ["-c", "from importlinter.cli import lint_imports_command as lint; lint(['--no-logo'])"],
}
TESTS = ["-m", "pytest", "-n", "2"]


def main(arguments: list[str]) -> int:
    """Run one command. Returns the program's exit code; 1 when set-up failed, 2 for wrong use."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command not in ("demo", "test", "run"):
        say(USAGE)
        return 0 if command in ("-h", "--help", "help") else 2
    if rest[:1] == ["--"]:
        rest = rest[1:]
    try:
        environment.set_up("test" if command == "test" else "run")
        if command == "test":
            return check_everything(rest)
        return start_program(["demo", *rest] if command == "demo" else rest)
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130


def start_program(arguments: list[str]) -> int:
    """Become `causeway ARGUMENTS`; on Windows, which knows no exec, run it and return its code."""
    if sys.platform == "win32":
        # Ctrl-C reaches the child by itself; this process has to outlive it to hand its exit code on.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return subprocess.call([str(PYTHON), str(LAUNCHER), *arguments])
    return os.execv(PYTHON, [str(PYTHON), str(LAUNCHER), *arguments])


def check_everything(arguments: list[str]) -> int:
    """Run all checks and the tests, whatever fails; `arguments` go to pytest. 0 when all is well."""
    path = os.environ.get("PATH", os.defpath) + os.pathsep + SERVER_FOLDERS
    settings = {**os.environ, "PATH": path}
    failed = []
    for name, command in CHECKS.items():
        say(f"— {name}")
        if subprocess.call([str(PYTHON), *command], cwd=ROOT, env=settings):
            failed.append(name)
    say("— tests" + (f" (failed before them: {', '.join(failed)})" if failed else ""))
    result = subprocess.call([str(PYTHON), *TESTS, *arguments], cwd=ROOT, env=settings)
    if failed:
        say(f"Failed besides the tests: {', '.join(failed)}." if result else f"Failed: {', '.join(failed)}.")
    return result or (1 if failed else 0)
