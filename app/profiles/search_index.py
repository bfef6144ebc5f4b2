"""The index of people's words, and who is not in it yet.

Whatever writes people puts their numbers in the table `unindexed`, and nothing more: an import must not wait for an
index. Bringing the index up to date is work of its own, in short transactions; until then a search looks through the
few that are left, and says so when there are many.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from app.profiles.people_table import as_json
from app.profiles.search_words import text_fields, words_of
from app.schema.fields import Field, list_fields
from app.store.database import transaction

if TYPE_CHECKING:
    from app.engine import Engine

LITTLE = 500
"""So many people that are not indexed are looked through by each search, which takes ten milliseconds."""
PEOPLE_AT_ONCE = 2_000
"""A transaction of so many lasts a tenth of a second, and an import that waits for it does not notice."""
PEOPLE_IN_AN_ERASURE = 20_000
CHECKPOINT_PAGES = 20_000


def count_unindexed(engine: Engine) -> int:
    """How many people a search can miss for the time being: none while they are so few that it looks at each."""
    with engine.workspace.database.read() as connection:
        left = int(connection.execute("select count(*) from unindexed").fetchone()[0])
    return left if left > LITTLE else 0


def index_everybody(engine: Engine, progress: Callable[[int, int], None]) -> None:
    """Index all who are left, here and now: for a program in which nothing else sees to it. `progress` as below."""
    with engine.workspace.database.read() as connection:
        index_people(connection, progress)


def index_people(
    connection: sqlite3.Connection, progress: Callable[[int, int], None], pause: Callable[[float], None] | None = None
) -> None:
    """Bring the index up to date, in short transactions.

    `progress` gets (done, to be done in all) after each, and what it raises ends the work, which can go on later.
    `pause` gets seconds in which to leave the file to a run or a rebuild that writes too.
    """
    connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
    done = 0
    while True:
        began = time.monotonic()
        with transaction(connection):
            people = [
                row[0] for row in connection.execute("select profile_id from unindexed limit ?", (PEOPLE_AT_ONCE,))
            ]
            index_these(connection, people)
        took = time.monotonic() - began
        left = int(connection.execute("select count(*) from unindexed").fetchone()[0])
        done += len(people)
        progress(done, done + left)
        if not left:
            return
        if pause is not None and _others_write(connection):
            pause(took)


def index_these(connection: sqlite3.Connection, people: Sequence[int]) -> None:
    """Bring the index up to date for these people, those who are gone included, in the caller's transaction."""
    listed = as_json(people)
    before = dict(
        connection.execute(
            "select profile_id, words from words where profile_id in (select value from json_each(?))", (listed,)
        ).fetchall()
    )
    now = read_words(connection, people)
    gone = [(one, words) for one, words in before.items() if now.get(one) != words]
    new = [(one, words) for one, words in now.items() if before.get(one) != words]
    # FTS5 finds what it has of somebody by the words that it was given.
    connection.executemany("insert into word_index (word_index, rowid, words) values ('delete', ?, ?)", gone)
    connection.executemany("delete from words where profile_id = ?", [(one,) for one, _ in gone])
    connection.executemany("insert into words (profile_id, words) values (?, ?)", new)
    connection.executemany("insert into word_index (rowid, words) values (?, ?)", new)
    connection.execute("delete from unindexed where profile_id in (select value from json_each(?))", (listed,))


def read_words(
    connection: sqlite3.Connection, people: Iterable[int], fields: Sequence[Field] | None = None
) -> dict[int, str]:
    """The words that these people have now, by number."""
    searched = text_fields(list_fields(connection) if fields is None else fields)
    columns = "".join(f', "{field.name}"' for field in searched)
    cursor = connection.cursor()
    cursor.row_factory = None
    rows = cursor.execute(
        f"select _id{columns} from profiles where _id in (select value from json_each(?))", (as_json(people),)
    )
    return {row[0]: words_of(row[1:], searched) for row in rows}


def start_over(connection: sqlite3.Connection) -> None:
    """Empty the index: all people are to be indexed. For when their numbers mean others than before."""
    connection.execute("insert into word_index (word_index) values ('delete-all')")
    connection.execute("delete from words")
    connection.execute("delete from unindexed")
    connection.execute("insert into unindexed select _id from profiles")


def forget_words(connection: sqlite3.Connection) -> None:
    """Leave no word in the file that only people had who are gone, in the transaction of their erasure.

    The index keeps what was taken out of it until its parts are merged; people who are not indexed yet may still be
    in it with what they were before.
    """
    left = [row[0] for row in connection.execute("select profile_id from unindexed limit ?", (PEOPLE_IN_AN_ERASURE,))]
    if len(left) == PEOPLE_IN_AN_ERASURE:
        start_over(connection)
    else:
        index_these(connection, left)
        connection.execute("insert into word_index (word_index) values ('optimize')")


def _others_write(connection: sqlite3.Connection) -> bool:
    return bool(
        connection.execute(
            "select exists (select 1 from runs where status = 'running') or exists (select 1 from rebuild)"
        ).fetchone()[0]
    )
