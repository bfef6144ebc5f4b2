"""Finding people, one person's page, everybody as a file: asked of a workspace that a real run filled."""

import asyncio
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.engine import Engine
from app.errors import NotFound, Refused
from app.profiles import (
    count_matches,
    export_profiles,
    find_profile,
    get_profile,
    profile_events,
    search_profiles,
)
from app.streams import list_streams, stream_events, stream_fields

ROWS = [
    ("E-Mail", "first_name", "last_name", "points", "updated_at", "note"),
    ("Maja@example.com", "Maja", "Lindholm", "1840", "2026-11-21T18:02:11Z", "=1+1"),
    ("ole@example.com", "Ole", "Strøm", "17", "2026-11-20", "100% wool"),
    ("maja@example.com", "", "Lind", "1200", "2026-11-01", "+49 30 1234"),
]


@pytest.fixture
def people(engine: Engine, import_job: Callable[..., int], write_csv: Callable[..., Path]) -> Engine:
    """Two people from three rows."""
    write_csv("members.csv", ROWS)
    job = import_job("members.csv", timestamp_field="updated_at", targets={"E-Mail": "email", "updated_at": ""})

    async def scenario() -> None:
        await engine.start()
        assert engine.supervisor is not None
        assert (await engine.supervisor.finished(await engine.supervisor.run(job))).status == "completed"
        await engine.supervisor.stop()

    asyncio.run(scenario())
    return engine


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["Ole Strøm", "Maja Lindholm"]),
        ("MAJA@example.com", ["Maja Lindholm"]),
        ("lindh", ["Maja Lindholm"]),
        ("ole str", ["Ole Strøm"]),
        ("STROM", ["Ole Strøm"]),
        ("holm", []),
        ("maja@exam", ["Maja Lindholm"]),
        ("100%", ["Ole Strøm"]),
        ("%", []),
        ("_", []),
        ("ole lindholm", []),
        ("' or 1 --", []),
    ],
)
def test_people_are_found_by_identifier_and_by_any_text(people: Engine, text: str, found: list[str]) -> None:
    assert [row.title for row in search_profiles(people, text)] == found
    assert count_matches(people, text) == len(found)


def test_people_are_found_by_a_member_of_a_set(people: Engine) -> None:
    with people.workspace.database.write() as connection:
        connection.execute("alter table profiles add column stores text")
        connection.execute(
            "insert into fields (name, type, merge, created_at) values ('stores', '[]string', 'merge', '')"
        )
        connection.execute("""update profiles set stores = '["Berlin","Malmö"]' where first_name = 'Ole'""")
    assert [row.title for row in search_profiles(people, "malmö")] == ["Ole Strøm"]


def test_pages_of_a_search_follow_each_other(people: Engine) -> None:
    assert [row.title for row in search_profiles(people, "", 1, 1)] == ["Maja Lindholm"]
    assert search_profiles(people, "", 2, 1) == []


def test_a_person_shows_each_value_with_where_it_came_from(people: Engine) -> None:
    person = find_profile(people, "maja@example.com")
    assert person is not None
    profile = get_profile(people, person)
    assert profile.title == "Maja Lindholm"
    assert profile.identifiers == (("email", "maja@example.com"),)
    assert profile.event_count == 2
    values = {field.name: field for field in profile.fields}
    assert (values["points"].value, values["points"].type) == (1840, "int")
    assert (values["points"].stream, values["points"].job) == ("people", "Import members.csv")
    # 2026-11-21 18:02:11 UTC
    assert values["points"].at == 1_795_284_131_000_000
    assert [event.data["points"] for event in profile_events(people, person)] == ["1840", "1200"]


def test_nobody_is_found_for_an_unknown_identifier(people: Engine) -> None:
    assert find_profile(people, "nobody@example.com") is None
    with pytest.raises(NotFound):
        get_profile(people, 999)


def test_the_export_has_everybody_and_no_formula(people: Engine, tmp_path: Path) -> None:
    target = tmp_path / "people.csv"
    reported: list[tuple[int, int]] = []
    assert export_profiles(people, target, lambda done, total: reported.append((done, total))) == 2
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["email"] for row in rows] == ["maja@example.com", "ole@example.com"]
    assert rows[0]["note"] == "'=1+1"
    assert rows[0]["points"] == "1840"
    assert reported == [(2, 2)]
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_an_export_to_nowhere_is_refused_in_a_sentence(people: Engine, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="can't be written"):
        export_profiles(people, tmp_path / "missing" / "people.csv")


def test_a_stream_shows_fields_seen_and_raw_events_newest_first(people: Engine) -> None:
    (stream,) = list_streams(people)
    assert (stream.name, stream.events, stream.fields) == ("people", 3, 6)
    fields: dict[str, Any] = {field.name: field for field in stream_fields(people, stream.id)}
    assert (fields["first_name"].seen, fields["E-Mail"].seen) == (2, 3)
    assert fields["E-Mail"].mapped_to == ("email",)
    assert fields["updated_at"].mapped_to == ()
    assert fields["points"].samples == ("1840", "17", "1200")
    events = stream_events(people, stream.id, limit=2)
    assert [event.data["first_name"] for event in events] == ["Maja", "Ole"]
    older = stream_events(people, stream.id, before=(events[-1].at, events[-1].id))
    assert [event.data["first_name"] for event in older] == [""]
