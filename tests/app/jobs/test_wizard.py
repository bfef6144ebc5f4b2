"""Setting up jobs without a window: whole flows over real previews of real files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.authorizations import add_authorization, open_credentials
from app.catalog import Catalog
from app.engine import Engine
from app.errors import Refused
from app.jobs import create_job, edit_job, get_job
from app.jobs.columns import OWN_EXPRESSION, Attempt, Kept
from app.jobs.file_names import file_stem
from app.jobs.wizard import STEPS, Wizard, load_wizard
from app.lql import LqlError
from app.profiles import find_profile, get_profile
from connectors.kit.types import Preview

WriteCsv = Callable[[str, Any], Path]


def look(engine: Engine, wizard: Wizard) -> Preview:
    """What the provider says of the source as the wizard stands."""
    assert wizard.job_type is not None
    assert wizard.provider is not None
    preview = engine.catalog.function(wizard.provider.slug, wizard.job_type.preview)
    credentials = open_credentials(engine, wizard.authorization_id)
    found: Preview = asyncio.run(preview(credentials, wizard.preview_options()))
    wizard.apply_preview(found)
    return found


@pytest.fixture
def folder(engine: Engine, files: Path, write_csv: WriteCsv) -> int:
    write_csv(
        "loyalty-20261122.csv",
        [("email", "member_id", "Points", "updated_at"), ("maja@example.com", "NB-1", "1840", "2026-11-21T18:02:11Z")],
    )
    return add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})


@pytest.fixture
def wizard(engine: Engine, folder: int) -> Wizard:
    """At its configuration, the file chosen and looked into."""
    wizard = load_wizard(engine)
    wizard.choose_provider("file-service")
    wizard.choose_job_type("file-service-csv-import")
    wizard.choose_authorization(folder)
    wizard.step = "configure"
    wizard.set_value("filename", "loyalty-20261122.csv")
    look(engine, wizard)
    return wizard


def test_the_only_job_type_is_no_choice(engine: Engine) -> None:
    provider = engine.catalog.provider("file-service")
    wizard = Wizard(Catalog((replace(provider, jobs=provider.jobs[:1]),)))
    wizard.choose_provider("file-service")
    assert wizard.job_type == provider.jobs[0]


def test_a_job_from_the_first_step_to_the_last(engine: Engine, folder: int) -> None:
    wizard = load_wizard(engine)
    assert wizard.go_on() == ["Choose a provider."]
    wizard.choose_provider("file-service")
    assert wizard.go_on() == []
    assert wizard.go_on() == ["Choose what the job is to do."]
    wizard.choose_job_type("file-service-csv-import")
    assert wizard.go_on() == []
    assert wizard.go_on() == ["Choose an authorization, or make a new one."]
    wizard.choose_authorization(folder)
    assert wizard.go_on() == []
    assert wizard.step == "configure"
    assert not wizard.preview_wanted()
    assert set(wizard.missing()) == {"name", "filename", "stream"}
    wizard.set_value("filename", "loyalty-20261122.csv")
    assert wizard.preview_wanted()
    look(engine, wizard)
    assert (wizard.name, wizard.values["stream"], wizard.values["timestamp_field"]) == (
        "Loyalty",
        "loyalty",
        "updated_at",
    )
    assert wizard.new_fields() == ["email", "member_id", "points", "updated_at"]
    assert wizard.go_on() == []
    assert wizard.step == STEPS[-1]
    draft = wizard.draft()
    assert draft.options == {
        "filename": "loyalty-20261122.csv",
        "stream": "loyalty",
        "timestamp_field": "updated_at",
        "identifiers": ["email"],
        "types": {"email": "email", "member_id": "text", "Points": "integer", "updated_at": "date"},
    }
    assert get_job(engine, create_job(engine, draft)).options == draft.options


def test_columns_become_what_the_user_says(wizard: Wizard) -> None:
    wizard.set_type("Points", "number")
    wizard.set_target("Points", "loyalty_points")
    wizard.set_target("updated_at", "")
    wizard.set_identifier("member_id", True)
    wizard.set_value("fields", ["Points"])
    assert [column.imported for column in wizard.columns()] == [True, True, True, False], "identifiers always come"
    options = wizard.draft().options
    assert options["identifiers"] == ["email", "member_id"]
    assert options["types"] == {"email": "email", "member_id": "text", "Points": "number"}
    assert options["targets"] == {"Points": "loyalty_points"}
    with pytest.raises(Refused, match="no type"):
        wizard.set_type("Points", "colour")


def test_a_column_becomes_a_set_or_what_an_expression_says(engine: Engine, wizard: Wizard) -> None:
    wizard.set_type("member_id", "set:;")
    wizard.set_expression("Points", "toint(`Points`) * 2")
    columns = {column.name: column for column in wizard.columns()}
    assert (columns["member_id"].type, columns["member_id"].kind) == ("set:;", "[]string")
    assert (columns["Points"].type, columns["Points"].kind) == (OWN_EXPRESSION, "int")
    options = wizard.draft().options
    assert options["expressions"] == {
        "member_id": 'set(split(`member_id`, ";"))',
        "Points": "toint(`Points`) * 2",
    }
    assert options["types"]["Points"] == "integer", "what its values look like stays known"
    assert "kinds" not in options
    wizard.set_expression("Points", "toint(`Points`)", "number")
    assert wizard.draft().options["kinds"] == {"Points": "number"}
    editing = load_wizard(engine, create_job(engine, wizard.draft()))
    look(engine, editing)
    assert editing.columns() == wizard.columns()
    wizard.set_type("member_id", "text")
    wizard.set_expression("Points", "")
    assert "expressions" not in wizard.draft().options


def test_an_expression_is_tried_on_the_first_rows(wizard: Wizard) -> None:
    assert wizard.try_expression("Points", "toint(`Points`) + 1").rows == (("1840", 1841),)
    assert wizard.try_expression("Points", "toint(`Points`)", "string") == Attempt("string", (("1840", "1840"),))
    assert wizard.try_expression("updated_at", "yymm(`updated_at`)").rows[0][0] == "2026-11-21T18:02:11Z"
    with pytest.raises(LqlError, match="toin"):
        wizard.try_expression("Points", "toin(`Points`)")
    with pytest.raises(LqlError):
        wizard.set_expression("Points", "toint(")
    assert wizard.columns()[2].type == "integer", "what can't be read changes nothing"


def test_an_expression_of_old_that_cannot_be_read_is_said(engine: Engine, wizard: Wizard) -> None:
    draft = wizard.draft()
    job_id = create_job(engine, replace(draft, options=draft.options | {"expressions": {"Points": "toin(`Points`)"}}))
    editing = load_wizard(engine, job_id)
    look(engine, editing)
    assert editing.problems("configure")[0].startswith("The expression of Points can't be read.")


def test_what_was_chosen_for_columns_is_what_people_get(engine: Engine, folder: int, write_csv: WriteCsv) -> None:
    write_csv(
        "visits.csv",
        [("email", "Stores", "Points"), ("maja@example.com", "Berlin;Malmö", "20"), ("maja@example.com", "Gent", "7")],
    )
    wizard = load_wizard(engine)
    wizard.choose_job_type("file-service-csv-import")
    wizard.choose_authorization(folder)
    wizard.set_value("filename", "visits.csv")
    look(engine, wizard)
    wizard.set_type("Stores", "set:;")
    wizard.set_target("Stores", "stores_visited")
    wizard.set_expression("Points", "toint(`Points`) * 2")
    job = create_job(engine, wizard.draft())

    async def run() -> None:
        await engine.start()
        assert engine.supervisor is not None
        assert (await engine.supervisor.finished(await engine.supervisor.run(job))).status == "completed"
        await engine.supervisor.stop()

    asyncio.run(run())
    person = find_profile(engine, "maja@example.com")
    assert person is not None
    values = {field.name: field.value for field in get_profile(engine, person).fields}
    assert values == {"email": "maja@example.com", "stores_visited": ["Berlin", "Gent", "Malmö"], "points": 14}
    again = load_wizard(engine, job)
    look(engine, again)
    shown = {column.name: (column.type, column.target, column.kept) for column in again.columns()}
    assert shown["Stores"] == ("set:;", "stores_visited", True)
    assert shown["Points"] == (OWN_EXPRESSION, "points", True)
    assert again.draft().options == wizard.draft().options


def test_what_says_who_somebody_is_is_text(wizard: Wizard) -> None:
    wizard.set_identifier("Points", True)
    assert wizard.columns()[2].type == "text"
    wizard.set_type("Points", "number")
    assert wizard.problems("configure") == [
        "The identifier Points must be text or a set; as number it can't say who somebody is. Change its type."
    ]


def test_a_field_of_another_kind_stays_what_it_is_and_says_so(engine: Engine, wizard: Wizard) -> None:
    with engine.workspace.database.write() as connection:
        connection.execute(
            "insert into fields (name, type, is_identifier, rank, created_at) values ('points', 'string', 0, null, ''),"
            " ('member_id', 'string', 1, 1, '')"
        )
    again = load_wizard(engine)
    again.choose_job_type("file-service-csv-import")
    again.choose_authorization(wizard.authorization_id)
    again.set_value("filename", "loyalty-20261122.csv")
    look(engine, again)
    assert len(again.notes()) == 1
    assert again.notes()[0].startswith(
        "points is text in the schema and Points would bring whole number: the field stays"
    )
    assert again.columns()[1].identifier, "a field that names people does so for every stream"
    again.set_expression("updated_at", "oneof(`seen`, `updated_at`)")
    assert again.notes()[-1] == "The expression of updated_at reads seen, which is not imported."


def test_names_that_cannot_be_are_said(wizard: Wizard) -> None:
    wizard.set_target("Points", "2 points")
    assert "“2 points” can't be the name" in wizard.problems("configure")[0]
    wizard.set_target("Points", "points")
    wizard.set_target("email", "")
    assert wizard.problems("configure") == ["The identifier email must fill a profile field. Name one for it."]
    with pytest.raises(Refused, match="identifier email"):
        wizard.draft()
    wizard.set_identifier("email", False)
    assert "no people come of them" in wizard.notes()[0]


def test_going_back_loses_nothing(wizard: Wizard, folder: int) -> None:
    wizard.set_name("Members")
    wizard.set_type("Points", "number")
    while wizard.go_back():
        pass
    assert wizard.step == "provider"
    wizard.choose_provider("file-service")
    wizard.choose_authorization(folder)
    assert [wizard.go_on() for _ in range(4)] == [[], [], [], []]
    assert wizard.draft().name == "Members"
    assert wizard.draft().options["types"]["Points"] == "number"
    assert wizard.go_to("job_type")
    assert not wizard.go_to("review")


def test_what_the_user_named_is_not_renamed(engine: Engine, wizard: Wizard, write_csv: WriteCsv) -> None:
    wizard.set_name("Members")
    write_csv("orders.csv", [("email", "total"), ("maja@example.com", "4.5")])
    wizard.set_value("filename", "orders.csv")
    assert wizard.preview is None, "what was seen was another file"
    look(engine, wizard)
    assert (wizard.name, wizard.values["stream"]) == ("Members", "orders")
    assert wizard.values["timestamp_field"] == "", "the new file has no such column"


def test_a_stream_that_exists_keeps_its_fields(engine: Engine, wizard: Wizard) -> None:
    again = Wizard(engine.catalog, wizard.fields.values(), {"loyalty": {"Points": Kept("score", "tonumber(`Points`)")}})
    again.choose_job_type("file-service-csv-import")
    again.choose_authorization(wizard.authorization_id)
    again.set_value("filename", "loyalty-20261122.csv")
    look(engine, again)
    again.set_target("Points", "other")
    points = again.columns()[2]
    assert (points.target, points.type, points.kept) == ("score", "number", True)
    assert again.new_fields() == ["email", "member_id", "updated_at"]
    assert any("exists already" in note for note in again.notes())


def test_a_job_is_edited_as_it_was_saved(engine: Engine, wizard: Wizard) -> None:
    wizard.set_type("Points", "text")
    wizard.set_identifier("email", False)
    wizard.set_value("delimiter", ",")
    job_id = create_job(engine, wizard.draft())
    editing = load_wizard(engine, job_id)
    assert (editing.step, editing.editing, editing.name) == ("configure", job_id, "Loyalty")
    assert not editing.go_back()
    assert not editing.go_to("provider")
    assert editing.draft().options == get_job(engine, job_id).options, "also before the file was looked into"
    look(engine, editing)
    assert editing.draft().options == get_job(engine, job_id).options
    editing.set_type("Points", "integer")
    edit_job(engine, job_id, options=editing.draft().options)
    assert get_job(engine, job_id).options["types"]["Points"] == "integer"


@pytest.mark.parametrize(
    ("file", "stem"),
    [
        ("/outgoing/loyalty-20261122.csv.gz", "loyalty"),
        ("orders_2026-11-22.zip", "orders"),
        ("web shop.txt", "web shop"),
        ("20261122.csv", "20261122"),
        ("v1.2 members.csv", "v1.2 members"),
    ],
)
def test_the_telling_part_of_a_file(file: str, stem: str) -> None:
    assert file_stem(file) == stem


def test_what_is_imported_again_from_a_dated_file_goes_on_with_the_next(wizard: Wizard) -> None:
    assert wizard.values["continuous_update"] is False
    wizard.set_schedule({"every": "daily"})
    assert wizard.values["continuous_update"] is True, "loyalty-20261122.csv will have another date tomorrow"
    wizard.set_value("filename", "loyalty.csv.gz.pgp")
    assert wizard.values["continuous_update"] is False, "it is the same file each time"
    wizard.set_value("filename", "loyalty_2026-11-22.csv.gz.pgp")
    assert (wizard.values["continuous_update"], wizard.name) == (True, "Loyalty")
    wizard.set_value("continuous_update", False)
    wizard.set_schedule({"every": "hourly"})
    assert wizard.values["continuous_update"] is False, "what the user said stays"
