"""Test runs: what the first rows of a file would become, beside what its import then makes of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.authorizations import add_authorization, open_credentials
from app.engine import Engine
from app.jobs import create_job
from app.jobs.trial import Trial, try_import
from app.jobs.wizard import Wizard, load_wizard
from app.profiles import find_profile, get_profile, search_profiles
from connectors.kit.types import Preview

WriteCsv = Callable[[str, Any], Path]


@pytest.fixture
def place(engine: Engine, files: Path) -> int:
    return add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})


def prepared(engine: Engine, place: int, job_type: str, filename: str) -> Wizard:
    wizard = load_wizard(engine)
    wizard.choose_provider("file-service")
    wizard.choose_job_type(job_type)
    wizard.choose_authorization(place)
    wizard.step = "configure"
    wizard.set_value("filename", filename)
    assert wizard.job_type is not None
    function = engine.catalog.function("file-service", wizard.job_type.preview)
    found: Preview = asyncio.run(function(open_credentials(engine, place), wizard.preview_options()))
    wizard.apply_preview(found)
    return wizard


def tried(engine: Engine, wizard: Wizard) -> Trial:
    assert wizard.preview is not None
    return try_import(engine, "file-service", wizard.draft().options, wizard.preview)


def run(engine: Engine, wizard: Wizard) -> None:
    async def go() -> None:
        await engine.start()
        assert engine.supervisor is not None
        job = create_job(engine, wizard.draft())
        ended = await engine.supervisor.finished(await engine.supervisor.run(job))
        assert ended.status == "completed", ended.message
        await engine.supervisor.stop()

    asyncio.run(go())


def test_the_rows_of_a_table_become_the_people_that_the_import_makes(
    engine: Engine, place: int, write_csv: WriteCsv
) -> None:
    write_csv(
        "loyalty.csv",
        [
            ("email", "member_id", "points", "updated"),
            ("maja@example.com", "NB-1", "12", "2026-11-20T10:00:00Z"),
            ("", "NB-1", "40", "2026-11-21T10:00:00Z"),
            ("ann@example.com", "NB-2", "many", "last week"),
            ("", "", "5", "2026-11-21T10:00:00Z"),
            ("too", "few"),
        ],
    )
    wizard = prepared(engine, place, "file-service-csv-import", "loyalty.csv")
    wizard.set_type("points", "integer")
    wizard.set_identifier("member_id", True)
    wizard.set_value("timestamp_field", "updated")
    before = len(search_profiles(engine))
    trial = tried(engine, wizard)
    assert (trial.rows, len(trial.people), trial.joined, trial.known, trial.nobody) == (4, 2, 1, 0, 1)
    assert (trial.timeless, trial.erased, [row.line for row in trial.rejected]) == (1, 0, [6])
    maja, ann = trial.people
    assert maja.identifiers == (("email", "maja@example.com"), ("member_id", "NB-1"))
    assert (maja.rows, maja.values["points"], ann.values.get("points")) == (2, 40, None)
    points = next(field for field in trial.fields if field.name == "points")
    assert (points.kind, points.new, points.people, points.samples, points.unreadable) == ("int", True, 1, (40,), 1)
    assert len(search_profiles(engine)) == before == 0
    assert load_wizard(engine).fields == {}, "not even the schema has changed"

    run(engine, wizard)
    for person in trial.people:
        found = find_profile(engine, person.identifiers[0][1])
        assert found is not None
        made = {field.name: field.value for field in get_profile(engine, found).fields if field.value is not None}
        assert made == person.values
    again = tried(engine, prepared_like(wizard, engine, place))
    assert (again.known, [person.known for person in again.people]) == (2, [1, 1])
    assert not any(field.new for field in again.fields)


def prepared_like(wizard: Wizard, engine: Engine, place: int) -> Wizard:
    """The same choices over the schema as it is now."""
    found = prepared(engine, place, "file-service-csv-import", "loyalty.csv")
    found.set_value("timestamp_field", "updated")
    return found


def test_objects_with_levels_and_lists(engine: Engine, place: int, files: Path) -> None:
    people = [
        {"email": "maja@example.com", "user": {"city": "Malmö"}, "tags": ["gold", "club"], "orders": [{"no": 1}]},
        {"email": "maja@example.com", "user": {"city": "Lund"}, "tags": ["news"]},
    ]
    (files / "people.json").write_text("\n".join(json.dumps(one) for one in people))
    wizard = prepared(engine, place, "file-service-json-import", "people.json")
    columns = {column.name: column for column in wizard.columns()}
    assert (columns["tags"].type, columns["tags"].kind, columns["tags"].target) == ("set:", "[]string", "tags")
    assert columns["orders"].target == "", "a list of objects fits no field"
    trial = tried(engine, wizard)
    (maja,) = trial.people
    assert (maja.rows, maja.values["user_city"]) == (2, "Lund")
    assert sorted(maja.values["tags"]) == ["club", "gold", "news"]
    assert "orders" not in maja.values
    wizard.set_type("tags", "text")
    assert wizard.draft().options["expressions"] == {"tags": "`tags`"}, "left alone, a list becomes a set"

    run(engine, prepared(engine, place, "file-service-json-import", "people.json"))
    found = find_profile(engine, "maja@example.com")
    assert found is not None
    made = {field.name: field.value for field in get_profile(engine, found).fields if field.value is not None}
    assert made == maja.values
