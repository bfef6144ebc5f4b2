"""Chunks of records become events and people in the workspace file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.profiles.ingest import Ingest, Target
from app.schema.generated import Wishes, generate_mapping
from app.store import migrate
from app.store.database import open_connection, transaction
from app.streams.seen import ensure_stream
from connectors.kit.types import Batch, Rejected

TYPES = {"email": "email", "phone": "text", "name": "text", "visits": "integer"}


class Workspace:
    """A workspace file with one job whose stream has the columns of TYPES."""

    def __init__(self, path: Path, identifiers: tuple[str, ...]) -> None:
        migrate(path)
        self.connection = open_connection(path)
        with transaction(self.connection):
            self.connection.execute(
                """insert into jobs (id, name, provider, job_type, kind, status, created_by, created_at, updated_at)
                values (1, 'job', 'p', 't', 'import', 'running', '', '', '')"""
            )
            self.stream = ensure_stream(self.connection, "people", "")
            generate_mapping(self.connection, "people", TYPES, Wishes(TYPES, identifiers), comment="test")
        self.runs = 0

    def run(self, records: list[dict[str, Any]], times: list[int | None] | None = None, chunk: int = 100) -> Ingest:
        """Import the records in a run of their own."""
        self.runs += 1
        with transaction(self.connection):
            self.connection.execute(
                """insert into runs (id, job_id, trigger, status, started_at, first_event_at)
                values (?, 1, 'by hand', 'running', '', ?)""",
                (self.runs, self.runs * 1_000_000),
            )
        target = Target(self.runs, 1, self.stream, "people", TYPES)
        ingest = Ingest(self.connection, target, self.runs * 1_000_000)
        for start in range(0, len(records), chunk):
            part = slice(start, start + chunk)
            ingest.write(Batch(records[part], {"row": start}, times=(times or [])[part]))
        return ingest

    def people(self) -> list[dict[str, Any]]:
        """Field values of each person."""
        rows = self.connection.execute("select * from profiles order by _id").fetchall()
        return [{key: row[key] for key in row.keys() if key[0] != "_" and row[key] is not None} for row in rows]  # noqa: SIM118

    def one(self, question: str) -> Any:
        return self.connection.execute(question).fetchone()[0]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace.db", ("email",))
    yield made
    made.connection.close()


@pytest.fixture
def two_identifiers(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path / "workspace.db", ("email", "phone"))
    yield made
    made.connection.close()


def test_rows_with_the_same_email_become_one_person(workspace: Workspace) -> None:
    workspace.run(
        [{"email": "Ann@x.com", "name": "Ann"}, {"email": "ann@x.com", "visits": "3"}, {"email": "bob@x.com"}]
    )
    assert workspace.people() == [{"email": "ann@x.com", "name": "Ann", "visits": 3}, {"email": "bob@x.com"}]
    assert workspace.one("select count(*) from events") == 3


def test_without_times_the_later_row_wins(workspace: Workspace) -> None:
    workspace.run([{"email": "a@x.com", "name": "first"}, {"email": "a@x.com", "name": "second"}], chunk=1)
    workspace.run([{"email": "a@x.com", "name": "third"}])
    assert workspace.people() == [{"email": "a@x.com", "name": "third"}]


def test_an_older_event_does_not_overwrite_but_fills_gaps(workspace: Workspace) -> None:
    workspace.run([{"email": "a@x.com", "name": "new"}, {"email": "a@x.com", "name": "old", "visits": "1"}], [200, 100])
    assert workspace.people() == [{"email": "a@x.com", "name": "new", "visits": 1}]


def test_an_event_that_names_two_people_joins_them(two_identifiers: Workspace) -> None:
    two_identifiers.run([{"email": "a@x.com", "name": "Ann"}, {"phone": "+1", "visits": "7"}])
    assert len(two_identifiers.people()) == 2
    two_identifiers.run([{"email": "a@x.com", "phone": "+1"}])
    assert two_identifiers.people() == [{"email": "a@x.com", "name": "Ann", "phone": "+1", "visits": 7}]
    assert two_identifiers.one("select count(*) from profile_events") == 3
    assert two_identifiers.one("select count(distinct profile_id) from identifiers") == 1


def test_rows_without_identifier_are_kept_as_events_only(workspace: Workspace) -> None:
    workspace.run([{"name": "nobody"}, {"email": "not an address", "name": "x"}])
    assert workspace.people() == []
    assert workspace.one("select count(*) from events") == 2


def test_a_value_that_does_not_fit_its_field_is_counted_and_stays_in_the_event(workspace: Workspace) -> None:
    ingest = workspace.run([])
    result = ingest.write(Batch([{"email": "a@x.com", "visits": "many"}], {}))
    assert result.unreadable == {"visits": 1}
    assert orjson.loads(workspace.one("select data from events")) == {"email": "a@x.com", "visits": "many"}


def test_a_chunk_is_stored_with_its_cursor_counts_and_rejected_rows(workspace: Workspace) -> None:
    ingest = workspace.run([])
    ingest.write(Batch([{"email": "a@x.com"}], {"row": 2}, rejected=[Rejected(3, "too many fields", "a,b,c")]))
    row = workspace.connection.execute("select cursor, read, added, updated, rejected from runs").fetchone()
    assert tuple(row) == ('{"row":2}', 2, 1, 0, 1)
    assert tuple(workspace.connection.execute("select line, reason, text from rejected_rows").fetchone()) == (
        3,
        "too many fields",
        "a,b,c",
    )


def test_a_chunk_that_fails_leaves_nothing_behind(workspace: Workspace) -> None:
    ingest = workspace.run([{"email": "a@x.com"}])
    with pytest.raises(orjson.JSONEncodeError):
        ingest.write(Batch([{"email": "b@x.com"}], {"row": object()}))
    assert workspace.people() == [{"email": "a@x.com"}]
    assert workspace.one("select count(*) from events") == 1
    ingest.write(Batch([{"email": "c@x.com"}], {"row": 1}))
    assert workspace.people() == [{"email": "a@x.com"}, {"email": "c@x.com"}]


def test_a_field_made_by_another_run_meanwhile_keeps_its_origin(workspace: Workspace) -> None:
    ingest = workspace.run([{"email": "a@x.com", "name": "Ann"}])
    with transaction(workspace.connection):
        generate_mapping(workspace.connection, "people", ["town"], Wishes({"town": "text"}), comment="test")
    other = workspace.run([{"email": "a@x.com", "town": "Turku"}])
    origin = workspace.one("select _origin_event from profiles")
    ingest.write(Batch([{"email": "a@x.com", "name": "Anna"}], {}, times=[9_000_000]))
    row = workspace.connection.execute("select town, name, _origins from profiles").fetchone()
    assert tuple(row)[:2] == ("Turku", "Anna")
    town = workspace.one("select id from fields where name = 'town'")
    assert orjson.loads(row[2])[str(town)][1] == origin
    assert other is not ingest


def test_records_by_column_and_by_key_give_the_same(tmp_path: Path) -> None:
    rows = [("a@x.com", "+1", "Ann", "3"), ("", "", "", ""), ("b@x.com", "", "Bob", "x"), ("a@x.com", "+2", "", "4")]
    outcome = []
    for columns in ((), tuple(TYPES)):
        workspace = Workspace(tmp_path / f"{len(columns)}.db", ("email", "phone"))
        ingest = workspace.run([])
        result = ingest.write(Batch([dict(zip(TYPES, row, strict=True)) for row in rows], {}, columns=columns))
        seen = workspace.connection.execute("select name, seen from stream_fields order by name").fetchall()
        outcome.append((workspace.people(), result, [tuple(row) for row in seen]))
        workspace.connection.close()
    assert outcome[0] == outcome[1]


RECORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "email": st.sampled_from(["a@x.com", "b@x.com", "c@x.com"]),
            "phone": st.sampled_from(["1", "2"]),
            "name": st.sampled_from(["Ann", "Bob"]),
            "visits": st.sampled_from(["1", "2"]),
        },
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECORDS, st.randoms(use_true_random=False), st.integers(1, 8))
def test_same_events_in_any_order_and_chunks_give_the_same_people(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, str]], random: Any, chunk: int
) -> None:
    events = list(zip(records, range(100, 100 + len(records)), strict=True))
    outcome = []
    for arrival, size in ((events, 100), (random.sample(events, len(events)), chunk)):
        workspace = Workspace(tmp_path_factory.mktemp("ingest") / "workspace.db", ("email", "phone"))
        workspace.run([record for record, _ in arrival], [at for _, at in arrival], size)
        outcome.append(sorted(map(repr, workspace.people())))
        assert workspace.one("select count(*) from events") == len(records)
        workspace.connection.close()
    assert outcome[0] == outcome[1]


def test_a_person_is_one_row_in_any_sqlite_tool(workspace: Workspace, tmp_path: Path) -> None:
    workspace.run([{"email": "a@x.com", "name": "Ann", "visits": "3"}])
    plain = sqlite3.connect(tmp_path / "workspace.db")
    assert plain.execute("select email, name, visits from profiles").fetchall() == [("a@x.com", "Ann", 3)]
    plain.close()
