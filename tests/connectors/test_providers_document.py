"""docs/providers.md names every provider that moves people or events."""

from __future__ import annotations

from pathlib import Path

from app.catalog import Catalog

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "providers.md"


def test_every_provider_has_its_row() -> None:
    rows = [line.split("|")[1].strip() for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| ")]
    moving = [one.name for one in Catalog.load().providers if any(job.kind in ("import", "export") for job in one.jobs)]
    assert sorted(rows[2:]) == sorted(moving)
    assert rows[2:] == sorted(rows[2:])
