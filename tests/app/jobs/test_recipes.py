"""Recipes: what one workspace writes makes the same jobs in another, and a hostile file makes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peers.secret_service import SecretService

from app.authorizations import add_authorization
from app.catalog import Catalog
from app.engine import Engine
from app.errors import CausewayError, NotFound, Refused
from app.jobs import JobDraft, create_job, edit_job, get_job, list_jobs
from app.jobs.recipe_files import read_recipe, recipe_document, recipe_of, recipe_text
from app.jobs.recipes import export_recipe, import_recipe, make_recipe, plan_recipe
from app.jobs.schedule import read_schedule
from app.profiles import search_profiles
from app.schema.queries import published_schema
from app.workspace import create_workspace

ROWS = [("e-mail", "city", "visits"), ("maja@shop.example", "Gent", "3"), ("teo@shop.example", "Lille", "5")]
WORKING = """\
causeway_recipe: 1
jobs:
  - name: Members
    type: file-service-csv-import
    authorization: Files
    options:
      filename: a.csv
      stream: people
authorizations:
  - name: Files
    method: file-service-folder
fields:
  - name: email
    type: string
    identifier: true
mappings:
  - stream: people
    field: email
    expression: email(`e-mail`)
"""


def run(engine: Engine, job: int) -> None:
    async def scenario() -> None:
        await engine.start()
        assert engine.supervisor is not None
        await engine.supervisor.finished(await engine.supervisor.run(job))
        await engine.supervisor.stop()
        engine.supervisor = None

    asyncio.run(scenario())


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Engine]:
    """An engine on a second workspace."""
    create_workspace(tmp_path / "other", "Other").close()
    opened = Engine.open(tmp_path / "other")
    yield opened
    opened.close()


def test_a_recipe_makes_the_same_job_in_another_workspace(
    engine: Engine, other: Engine, import_job: Any, write_csv: Any, files: Path, tmp_path: Path
) -> None:
    write_csv("a.csv", ROWS)
    job = import_job("a.csv", stream="shop", identifiers=["e-mail"], targets={"city": "town"})
    edit_job(engine, job, schedule=read_schedule({"every": "daily", "at": "06:00", "zone": "Europe/Berlin"}))
    run(engine, job)
    file = tmp_path / "members.causeway-recipe.yaml"
    export_recipe(engine, [job], file)
    assert str(files) not in file.read_text("utf-8"), "settings of an authorization are not part of a recipe"

    recipe = read_recipe(file, other.catalog)
    assert recipe == make_recipe(engine, [job])
    plan = plan_recipe(other, recipe)
    assert [(wanted.name, wanted.fitting) for wanted in plan.authorizations] == [("Files", ())]
    assert [(entry.verb, entry.subject) for entry in plan.additions if entry.subject.startswith("field:")] == [
        ("added", "field:e_mail"),
        ("added", "field:town"),
        ("added", "field:visits"),
    ]
    with pytest.raises(Refused, match="needs an authorization of File Service for “Files”"):
        import_recipe(other, recipe, {})
    assert (list_jobs(other), published_schema(other).fields) == ([], ())

    mine = add_authorization(other, "file-service-folder", "My folder", {"folder": str(files)})
    (made,) = import_recipe(other, recipe, {"Files": mine})
    before, after = get_job(engine, job), get_job(other, made)
    assert (after.name, after.options, after.schedule) == (before.name, before.options, before.schedule)
    assert (after.status, after.reason) == ("paused", "Not started yet")
    run(other, made)
    for workspace in (engine, other):
        assert [person.fields for person in search_profiles(workspace, "maja@shop.example")] == [
            {"e_mail": "maja@shop.example", "town": "Gent", "visits": 3}
        ]
    assert plan_recipe(other, recipe).additions == ()


def test_what_is_there_already_stays_and_is_said(engine: Engine, import_job: Any, write_csv: Any) -> None:
    write_csv("a.csv", ROWS)
    run(engine, import_job("a.csv", stream="people", targets={"e-mail": "email"}))
    text = WORKING.replace("mappings:", "  - {name: visits, type: string}\nmappings:").replace("`e-mail`", "`other`")
    plan = plan_recipe(engine, recipe_of(text, "r", engine.catalog))
    assert plan.notes == (
        "The field visits holds whole number here, text in the recipe. It stays as it is.",
        "The stream people has mappings here already. They stay, and those of the recipe are added.",
    )
    assert [entry.subject.partition(":")[0] for entry in plan.additions] == ["mapping"]


def test_secrets_in_free_texts_are_taken_out(
    engine: Engine, import_job: Any, tmp_path: Path, secret_service: SecretService
) -> None:
    job = import_job("a.csv")
    add_authorization(
        engine, "file-service-sftp", "SFTP", {"host": "h", "port": "22", "user": "u", "password": 'hun"ter: 2000'}
    )
    edit_job(engine, job, description='The password is hun"ter: 2000, do not tell')
    export_recipe(engine, [job], tmp_path / "r.yaml")
    text = (tmp_path / "r.yaml").read_text("utf-8")
    assert "description: The password is •••, do not tell" in text
    assert "ter: 2000" not in text


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("type: file-service-csv-import", "type: mail", "line 4, jobs[0].type: this Causeway has no job type mail"),
        ("filename: a.csv", "file: a.csv", "line 7, jobs[0].options.file: CSV import has no option file; it has"),
        ("filename: a.csv", "filename: {}", "line 7, jobs[0].options.filename: this is no value of the option “File”"),
        ("      filename: a.csv\n", "", "line 6, jobs[0].options: the option filename is missing"),
        ("authorization: Files", "authorization: None", "jobs[0].authorization: there is no authorization None in"),
        ("method: file-service-folder", "method: x", "line 11, authorizations[0].method: this Causeway has no way"),
        ("    identifier: true", "    identifier: 1", "line 15, fields[0].identifier: 1 should be of the type boolean"),
        ("    identifier: true", "    colour: red", "line 15, fields[0].colour: the key colour is unknown here"),
        ("type: string", "type: texts", "line 13, fields[0]: email can't be of the kind “texts”"),
        ("field: email", "field: mail", "line 18, mappings[0].field: the recipe has no field mail"),
        ("email(`e-mail`)", "email(", "line 19, mappings[0].expression: "),
        ("      stream: people", "      stream: people\n    schedule: {every: now}", "A job can't run “now”"),
        ("causeway_recipe: 1", "causeway_recipe: 2", "a recipe of the format 2, which this Causeway does not know"),
        ("causeway_recipe: 1\n", "", "line 1, top level: the key causeway_recipe is missing"),
        ("  - name: Members", "  - name: Members\n    name: Again", "the key name is there twice"),
        ("name: Members", "name: &x Members", "line 3: a recipe has no aliases"),
        ("name: Members", "name: !!python/object:os.system Members", "line 3: a recipe has no tags"),
        ("name: Members", "name: " + "[" * 40, "line 3: it is nested deeper than 8 levels"),
        ("name: Members", "name: [" + "1," * 60_000 + "]", "line 3: it has more than 50,000 values"),
        ("name: Members", "name: " + "x" * 30_000, "line 3: a text is longer than 20,000 characters"),
        ("name: Members", 'name: "\\uD800"', "line 3: a text holds what is no character"),
        ("name: Members", "name: [", "line 5: expected ',' or ']'"),
        (WORKING, "", "the file is empty"),
        (WORKING, "- 1", "line 1, top level: [1] should be of the type object"),
    ],
)  # fmt: skip
def test_every_fault_is_told_with_its_line_and_key(before: str, after: str, fault: str) -> None:
    assert before in WORKING
    with pytest.raises(Refused) as refused:
        recipe_of(WORKING.replace(before, after, 1), "a.yaml", Catalog.load())
    assert fault in f"{refused.value.message}\n{refused.value.details}"
    assert len(refused.value.details) < 10_000


def test_an_alert_travels_without_the_numbers_of_what_it_is_about(engine: Engine, import_job: Any) -> None:
    engine.vault.create_file("correct horse battery")
    slack = add_authorization(engine, "slack-webhook", "Slack", {"webhook_url": "https://hooks.slack.com/x/y/z"})
    options = {"system_event_single_source": "work", "system_event_multiple_types": ["failed"]}
    draft = JobDraft(
        "Tell me", "slack-alerts", slack, options | {"system_event_single_source_ids": [import_job("a.csv")]}
    )
    recipe = make_recipe(engine, [create_job(engine, draft)])
    assert recipe.jobs[0].options == options
    assert plan_recipe(engine, recipe).notes == (
        "“Tell me” is about everything of its kind here; “Only these” in its configuration limits it.",
    )
    text = recipe_text(recipe_document(recipe)).replace("options:", "options:\n    system_event_single_source_ids: [1]")
    with pytest.raises(Refused, match="a recipe has no numbers of a workspace's own things"):
        recipe_of(text, "r", engine.catalog)


def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path) -> None:
    catalog = Catalog.load()
    with pytest.raises(NotFound, match="There is no file"):
        read_recipe(tmp_path / "none.yaml", catalog)
    (tmp_path / "big.yaml").write_bytes(b"#" * (1 << 21))
    (tmp_path / "raw.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("big.yaml", "raw.yaml"):
        with pytest.raises(CausewayError, match=name):
            read_recipe(tmp_path / name, catalog)
    with pytest.raises(Refused, match="can't be read"):
        read_recipe(tmp_path, catalog)


def test_words_that_yaml_takes_for_something_else_stay_text() -> None:
    text = WORKING.replace("name: Members", "name: 2026-11-22").replace("stream: people", "stream: no", 1)
    text = text.replace("      stream: no", "      stream: no\n    schedule: {every: daily, at: 06:00}")
    recipe = recipe_of(text, "r", Catalog.load())
    (job,) = recipe.jobs
    assert (job.name, job.options["stream"], job.schedule.document()["at"]) == ("2026-11-22", "no", "06:00")
    assert recipe_of(recipe_text(recipe_document(recipe)), "r", Catalog.load()) == recipe


def test_the_commands(engine: Engine, other: Engine, import_job: Any, files: Path, tmp_path: Path, capfd: Any) -> None:
    from app.cli import main

    import_job("a.csv")
    import_job("b.csv", stream="visits")
    file = tmp_path / "two.causeway-recipe.yaml"

    def call(engine: Engine, *words: object) -> Any:
        capfd.readouterr()
        code = main([*map(str, words), "--json", "--workspace", str(engine.workspace.folder)], lambda _: 0)
        return code, json.loads(capfd.readouterr().out)

    code, document = call(engine, "job", "export-recipe", "1", "Import b.csv", file)
    assert (code, document["jobs"]) == (0, ["Import a.csv", "Import b.csv"])
    add_authorization(other, "file-service-folder", "Client = files", {"folder": str(files)})
    other.close()
    code, document = call(other, "job", "import-recipe", file)
    assert (code, document["error"]["message"]) == (1, "The recipe needs an authorization of File Service for “Files”.")
    code, document = call(other, "job", "import-recipe", file, "--authorization", "Files=Client = files")
    assert (code, [job["name"] for job in document["jobs"]]) == (0, ["Import a.csv", "Import b.csv"])
