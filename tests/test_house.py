"""The house keeps its promises: doors, locks, notices and documents that agree with what is there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "packaging" / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

# Imports every module of the engine and of all providers, then says which modules of Qt came along.
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in ("app", "connectors"):
    package = importlib.import_module(name)
    for found in pkgutil.walk_packages(package.__path__, name + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
print(sorted(set(sys.modules) & {"PySide6", "shiboken6", "qasync", "ui"}))
"""


def bare_name(requirement: str) -> str:
    """The package a requirement is about, as locks write it: "PyYAML>=6.0.2" -> "pyyaml"."""
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def locked(name: str) -> dict[str, str]:
    """Package -> version in one of the locks."""
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_engine_and_connectors_load_no_qt() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.strip() == "[]", result.stdout + result.stderr


def test_locks_hold_every_dependency_at_one_version_with_hashes_and_no_host() -> None:
    run, test, build = locked("run"), locked("test"), locked("build")
    assert {bare_name(text) for text in PROJECT["project"]["dependencies"]} <= set(run)
    assert {bare_name(text) for text in PROJECT["dependency-groups"]["test"]} <= set(test)
    assert {bare_name(text) for text in PROJECT["dependency-groups"]["build"]} <= set(build)
    assert run.items() <= test.items()
    assert run.items() <= build.items()
    for lock in REQUIREMENTS.glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        for block in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]:
            assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_program_says_the_version_of_the_project() -> None:
    assert app.__version__ == PROJECT["project"]["version"]


def test_notices_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    import notices

    # Said by the package itself where it is installed, so a licence that changed is noticed too.
    assert notices.TARGET.read_text(encoding="utf-8") == notices.document(), "run packaging/notices.py"


def test_everything_of_others_lies_beside_its_licence() -> None:
    for folder in (ROOT / "resources" / "fonts", *(ROOT / "resources" / "icons").glob("*/")):
        names = [file.name for file in folder.iterdir()]
        assert any("LICENSE" in name or "OFL" in name for name in names) or not names, folder


def test_readme_explains_exactly_the_dependencies() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("## What it is built on", 1)[1].split("\n## ", 1)[0]
    explained = re.findall(r"^\| ([\w.-]+) \|", table.split("---", 1)[1], re.MULTILINE)
    declared = [bare_name(text) for text in PROJECT["project"]["dependencies"]]
    assert sorted(bare_name(name) for name in explained) == sorted(declared)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    broken = [
        target for target in targets if target and "://" not in target and not (document.parent / target).exists()
    ]
    assert broken == []
