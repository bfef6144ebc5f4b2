"""Workspace files of every released version must open with today's program, with everything in them."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.store.migrations import MIGRATIONS, current_version, migrate, newest_version

RELEASED = Path(__file__).parent / "released"


@pytest.mark.parametrize("packed", sorted(RELEASED.glob("*.db.gz")), ids=lambda path: path.name)
def test_a_file_of_every_released_version_opens(packed: Path, tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    migrate(path)
    assert current_version(path) == newest_version()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select email, name, points from profiles order by email").fetchall() == [
            ("ann@shop.example", "Anna", 5),
            ("bob@shop.example", "Bob", 4),
        ]
        assert connection.execute("select count(*) from events").fetchone() == (3,)
        assert connection.execute(
            "select name, rank, merge from fields where is_identifier order by rank"
        ).fetchall() == [
            ("email", 1, ""),
            ("phone", 2, ""),
        ]
        assert connection.execute("select count(distinct key) from mappings where key like 'm_%'").fetchone() == (5,)
        assert connection.execute("select number from schema_versions").fetchall() == [(1,)]
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("pragma foreign_key_check").fetchall() == []


def test_every_released_version_has_its_file() -> None:
    assert len(list(RELEASED.glob("*.db.gz"))) >= len(MIGRATIONS) - 1
