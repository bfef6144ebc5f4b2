"""What the connections of a workspace file promise."""

from __future__ import annotations

import threading
from pathlib import Path

from app.store.database import Database

NUMBERS = "with recursive n(x) as (select 1 union all select x + 1 from n limit 300000) select x from n"


def test_closing_waits_for_what_another_thread_reads(tmp_path: Path) -> None:
    database = Database(tmp_path / "workspace.db")
    begun = threading.Event()
    sums: list[int] = []

    def read() -> None:
        with database.read() as connection:
            total = 0
            for row in connection.execute(NUMBERS):
                total += row[0]
                begun.set()
            sums.append(total)

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(10)
    database.close()
    reader.join()
    assert sums == [sum(range(300_001))]
