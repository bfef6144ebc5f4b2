"""`causeway doctor`: looks at everything that Causeway stands on, and says what to do about what is wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.screen import has_screen
from app.cli.session import Ended, Session
from app.errors import CausewayError
from connectors.kit.errors import ConnectorError

if TYPE_CHECKING:
    from app.vault import Vault
    from app.workspace import Workspace

State = Literal["ok", "warning", "problem"]
OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 35, 0)
LOW_SPACE, NO_SPACE = 2_000_000_000, 100_000_000
QT_PROBE = "import PySide6.QtWidgets, PySide6.QtSvg; print(PySide6.__version__)"
PROBE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, how it is, and what to do where it is not well."""

    name: str
    state: State
    found: str
    advice: str = ""


class ProblemsFound(CausewayError):
    """Something does not work as it is."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Not well: {', '.join(names)}.", advice="What to do stands beside each finding.")


@click.command(cls=Command)
@click.pass_obj
def doctor(session: Session) -> None:
    """Check this computer and the workspace; each line says ok, warning or problem, and what to do."""
    findings = list(examine(session))
    problems = [finding.name for finding in findings if finding.state == "problem"]
    document = {"ok": not problems, "findings": findings}
    if problems and session.json:
        raise Ended(ProblemsFound(problems), document)
    session.answer(document, lambda: _tell(findings))
    if problems:
        raise ProblemsFound(problems)


def _tell(findings: list[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        output.tell(f"{finding.state:<8} {finding.name:<{width}}  {finding.found}")
        if finding.advice:
            output.tell(f"{'':<8} {'':<{width}}  → {finding.advice}")


def examine(session: Session) -> Iterator[Finding]:
    """Look at one thing after the other; none of them stops the rest."""
    yield python()
    yield sqlite()
    yield qt()
    yield screen()
    yield pgp()
    yield from guarded("Catalogue", catalogue)
    folder = session.chosen_folder()
    yield disk(folder)
    if folder is None:
        yield Finding("Workspace", "ok", "none yet; the first command makes one")
    else:
        yield from guarded("Workspace", lambda: workspace(folder))


def guarded(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a look finds; the error that it meets is a finding too."""
    try:
        yield from look()
    except (CausewayError, ConnectorError) as error:
        yield Finding(name, "problem", error.message, error.advice or error.details)
    except OSError as error:
        yield Finding(name, "problem", f"{error.filename or name}: {error.strerror}", "Check that it can be read.")


def python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("Python", "problem", version, "Install Python 3.11 or newer.")
    return Finding("Python", "ok", version)


def sqlite() -> Finding:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return Finding(
            "SQLite", "problem", sqlite3.sqlite_version, "Install a Python that brings SQLite 3.35 or newer."
        )
    return Finding("SQLite", "ok", sqlite3.sqlite_version)


def qt() -> Finding:
    """Qt is loaded in a process of its own: a library that is missing must not end this one."""
    if getattr(sys, "frozen", False):
        return Finding("Qt", "ok", "part of this program")
    if find_spec("PySide6") is None:
        return Finding("Qt", "problem", "not installed", "`python3 packaging/bootstrap.py run` installs it.")
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    try:
        probe = subprocess.run(
            [sys.executable, "-c", QT_PROBE],
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("Qt", "problem", f"can't be tried: {error}", "Start the computer anew and try again.")
    if probe.returncode == 0:
        return Finding("Qt", "ok", probe.stdout.strip())
    reason = (probe.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    return Finding(
        "Qt",
        "problem",
        f"can't be loaded: {reason}",
        "`python3 packaging/bootstrap.py run` names the system libraries to install. Commands work without Qt.",
    )


def screen() -> Finding:
    if has_screen():
        return Finding("Screen", "ok", "there is one")
    return Finding("Screen", "warning", "none here", "The window needs one; all commands work without.")


def pgp() -> Finding:
    """GnuPG; only files that are encrypted with PGP need it."""
    from connectors.kit.pgp.gpg import GpgMissing, find_gpg, gpg_version

    try:
        return Finding("PGP", "ok", f"GnuPG {gpg_version()} ({output.path_text(find_gpg())})")
    except GpgMissing as error:
        return Finding("PGP", "warning", error.message, error.advice)


def catalogue() -> Iterator[Finding]:
    from app.catalog.catalogue import Catalog, provider_files
    from app.catalog.validation import faults

    found = [
        fault
        for folder, text in provider_files()
        for fault in faults(text, f"connectors/{folder}/provider.yaml", folder)
    ]
    if found:
        yield Finding("Catalogue", "problem", "; ".join(found[:5]), "Install Causeway again, or mend the description.")
        return
    catalog = Catalog.load()
    jobs = sum(len(provider.jobs) for provider in catalog.providers)
    providers = output.number(len(catalog.providers), "provider")
    yield Finding("Catalogue", "ok", f"{providers} with {output.number(jobs, 'job type')}")


def disk(folder: Path | None) -> Finding:
    place = folder if folder is not None else Path.home()
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:,.1f} GB free for {output.path_text(place)}"
    if free < NO_SPACE:
        return Finding("Disk", "problem", found, "Free some space: imports would stop.")
    if free < LOW_SPACE:
        return Finding("Disk", "warning", found, "A large import may need more.")
    return Finding("Disk", "ok", found)


def workspace(folder: Path) -> Iterator[Finding]:
    """The workspace's file, who is in charge of it, and where its secrets lie."""
    from app.vault import Vault
    from app.workspace import open_workspace

    opened = open_workspace(folder)
    try:
        with opened.database.read() as connection:
            complaints = [row[0] for row in connection.execute("pragma quick_check(5)")]
            orphans = connection.execute("pragma foreign_key_check").fetchall()
        if complaints != ["ok"] or orphans:
            told = "; ".join(complaints) if complaints != ["ok"] else f"{len(orphans)} rows point to nothing"
            yield Finding("Workspace", "problem", f"{opened.database.path}: {told}", "Restore the last backup.")
        else:
            size = opened.database.path.stat().st_size / 1e6
            yield Finding("Workspace", "ok", f"{opened.name} in {output.path_text(folder)}, {size:,.1f} MB, unharmed")
        if not os.access(folder, os.W_OK):
            yield Finding("Workspace", "problem", "can't be written to", "Check to whom the folder belongs.")
        yield secrets(Vault(opened.id, opened.folder))
        yield authorizations(opened)
    finally:
        opened.close()


def authorizations(opened: Workspace) -> Finding:
    """What the last checks found; nothing is tried now."""
    with opened.database.read() as connection:
        rows = connection.execute("select name, state, state_since, state_message from authorizations order by name")
        found = rows.fetchall()
    failing = [
        f"{row['name']} fails since {output.local_time(row['state_since'])}: {row['state_message']}"
        for row in found
        if row["state"] == "failing"
    ]
    if failing:
        advice = "`causeway auth test --all` tries them now; `causeway auth edit NAME` takes new values."
        return Finding("Authorizations", "warning", " ".join(failing), advice)
    works = sum(row["state"] == "works" for row in found)
    return Finding("Authorizations", "ok", f"{works} of {len(found)} worked when last tried" if found else "none yet")


def secrets(vault: Vault) -> Finding:
    state = vault.state()
    if state.kind == "keyring" and not state.locked:
        return Finding("Secrets", "ok", state.sentence)
    if state.kind == "file":
        return Finding("Secrets", "ok", state.sentence)
    advice = (
        "Unlock the keyring, then try again."
        if state.kind == "keyring"
        else "Install a keyring, or let `causeway auth add` make an encrypted file under a passphrase."
    )
    return Finding("Secrets", "warning", state.sentence, advice)
