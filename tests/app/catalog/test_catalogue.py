"""The catalogue of the providers that ship, and what is said about a description with faults."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import connectors
from app.catalog import Catalog, Option, Provider
from app.catalog.catalogue import provider_files
from app.catalog.validation import faults, mapping_faults
from app.errors import CausewayError, NotFound

ROOT = Path(__file__).resolve().parents[3]
PROVIDERS = provider_files()
FILE_SERVICE = dict(PROVIDERS)["file_service"]


def faults_with(before: str, after: str) -> list[str]:
    """The faults of File Service's description after one change."""
    assert before in FILE_SERVICE
    return faults(FILE_SERVICE.replace(before, after, 1), "provider.yaml", "file_service")


def line_of(text: str) -> int:
    """The line on which `text` first stands in File Service's description."""
    return FILE_SERVICE[: FILE_SERVICE.index(text)].count("\n") + 1


@pytest.mark.parametrize(("folder", "text"), PROVIDERS, ids=[folder for folder, _ in PROVIDERS])
def test_every_provider_describes_itself_without_a_fault(folder: str, text: str) -> None:
    assert faults(text, f"connectors/{folder}/provider.yaml", folder) == []


def test_slugs_are_unique_in_the_whole_catalogue() -> None:
    providers = Catalog.load().providers
    for slugs in (
        [provider.slug for provider in providers],
        [job.slug for provider in providers for job in provider.jobs],
        [method.slug for provider in providers for method in provider.authorizations],
    ):
        assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize(
    ("before", "after", "place", "message"),
    [
        ("category: Files", "category: Filez", "category: Files", "category: 'Filez' is none of Files, Email"),
        ("kind: sftp", "kind: sftp\n    colour: red", "", "authorizations[0].colour: the key colour is unknown here"),
        ("    check: check_folder\n", "", "- slug: file-service-folder", "authorizations[3]: the key check is missing"),
        ("check: check_sftp", "check: check_ftp", "check: check_sftp", "jobs.py has no fitting function check_ftp"),
        ("run: csv_import", "run: csv_preview", "run: csv_import", "jobs.py has no fitting function csv_preview"),
        ("choices_from: list_files", "choices_from: list_all", "{name: filename", "no fitting function list_all"),
        ("{use: csv_columns", "{use: csv_columns, when: {heading: false}", "{use: csv_columns", "no option heading"),
        ("{use: csv_quote", "{use: csv_quote, default: x", "{use: csv_quote", "default: 'x' is not among the choices"),
        ("{use: password}", "{use: password, secret: false}", "{use: password", "password must be secret"),
        ("{use: passphrase}", "{use: passfrase}", "{use: passphrase", "passfrase is not in connectors/kit/shared.yaml"),
        ("name: File Service", "name: File Service\nname: Files", "slug: file", "the key name is there twice"),
        ("{use: member,", "{use: member, name: header,", "options:", "header is there twice"),
        ("slug: file-service\n", "slug: files\n", "slug: file", "the folder file_service does not fit the slug files"),
        ("works_offline: true", "works_offline: yes please", "works_offline", "should be of the type boolean"),
        ("sandbox: FileServiceSandbox", "sandbox: Another", "sandbox:", "sandbox.py has no class Another"),
        ("      - file-service-folder\n", "      - file-service-f\n", "      - file-service-folder\n", "no author"),
        ("slug: file-service-folder", "slug: File_Service", "slug: file-service-folder", "does not have the form"),
        ("summary: Reads", "summary: [Reads", "", "line"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_file_line_and_key(before: str, after: str, place: str, message: str) -> None:
    found = faults_with(before, after)
    assert len(found) == 1, found
    assert message in found[0]
    assert re.match(r"provider\.yaml, line \d+", found[0])
    if place:
        assert found[0].startswith(f"provider.yaml, line {line_of(place)},"), found[0]


@pytest.mark.parametrize("text", ["", "just text", "- a list", "slug: [", "\tslug: x", "a: &a [*a]"])
def test_what_is_no_description_at_all(text: str) -> None:
    assert faults(text, "provider.yaml", "file_service")


def test_a_description_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = FILE_SERVICE.replace("    check: check_sftp\n", "")
    monkeypatch.setattr("app.catalog.catalogue.provider_files", lambda: [("file_service", broken)])
    with pytest.raises(CausewayError, match="The description of the provider file_service can't be read") as caught:
        Catalog.load()
    assert "the key check is missing" in caught.value.details


def test_functions_are_found_by_name_and_unknown_slugs_are_told() -> None:
    catalog = Catalog.load()
    job = catalog.job_type("file-service-csv-import")
    assert catalog.function("file-service", job.run).__name__ == job.run
    assert catalog.provider_of_job_type(job.slug) is catalog.provider_of_method(job.authorizations[0])
    with pytest.raises(NotFound, match="no job type “nothing”"):
        catalog.job_type("nothing")


def test_the_catalogue_as_json_has_the_published_shape() -> None:
    (provider,) = [entry for entry in Catalog.load().as_json() if entry["provider"] == "file-service"]
    assert json.loads(json.dumps(provider)) == provider
    methods = {method["slug"]: method for method in provider["authorizations"]}
    fields = {field["name"]: field for field in methods["file-service-sftp"]["fields"]}
    assert list(fields) == ["host", "port", "user", "password", "privatekey", "passphrase", "folder"]
    assert {name for name, field in fields.items() if field["secret"]} == {"password", "privatekey", "passphrase"}
    assert methods["file-service-folder-pgp-private"]["serves"] == [
        "file-service-csv-import",
        "file-service-json-import",
    ]
    job = provider["jobs"][0]
    assert (job["kind"], job["frequency"]) == ("import", ["one-time", "continuous"])
    options = {option["name"]: option for option in job["config"]}
    assert {"stream", "filename", "delimiter", "timestamp_field", "fields", "identifiers"} <= set(options)
    assert [name for name, option in options.items() if option["required"]] == ["filename", "stream"]


def test_an_option_is_asked_for_when_others_say_so() -> None:
    options = {option.name: option for option in Catalog.load().job_type("file-service-csv-import").options}
    assert not options["columns"].applies({"header": True})
    assert options["columns"].applies({"header": False})
    assert Option("a", "A", "text").applies({})


def test_loading_reads_data_only() -> None:
    """A start of the program pays neither for the providers' libraries nor for the checks of their descriptions."""
    code = (
        "import sys; from app.catalog import Catalog; Catalog.load();"
        "print(sorted({'paramiko', 'jsonschema', 'connectors.file_service.jobs'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_default_mappings_lie_beside_the_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "paper_mail"
    (folder / "mappings").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "connectors.paper_mail", raising=False)
    provider = Provider("paper-mail", "Paper Mail", "Email", "Letters", "paper_mail", True, "", (), ())
    catalog = Catalog((provider,))
    assert catalog.default_mapping("paper-mail", "letters") is None
    text = "SELECT tolower(mail) AS email, set(tag) AS tags FROM letters INTO user BY email ALIAS letters_user"
    (folder / "mappings" / "letters.lql").write_text(text)
    assert catalog.default_mapping("paper-mail", "letters") == text
    assert catalog.default_mapping("paper-mail", "../letters") is None
    assert mapping_faults("paper_mail") == []
    (folder / "mappings" / "letters.lql").write_text(text.replace("set(tag)", "\n  sett(tag)"))
    (folder / "mappings" / "cards.lql").write_text(text)
    assert mapping_faults("paper_mail") == [
        "connectors/paper_mail/mappings/cards.lql: the stream letters has a file of its own",
        "connectors/paper_mail/mappings/letters.lql, line 2, column 3: There is no function sett. Did you mean set?",
    ]


def test_every_key_is_documented() -> None:
    schema: dict[str, Any] = json.loads(resources.files("app.catalog").joinpath("provider.schema.json").read_text())
    text = (ROOT / "docs" / "provider-format.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    sections = {part.partition("\n")[0]: part for part in parts}
    for title, entry in (
        ("The provider", schema),
        ("An authorization", schema["$defs"]["authorization"]),
        ("A field", schema["$defs"]["field"]),
        ("A job type", schema["$defs"]["job"]),
        ("An option", schema["$defs"]["option"]),
    ):
        documented = set(re.findall(r"^\| `(\w+)` \| (?:yes )?\|", sections[title], re.MULTILINE))
        assert documented == set(entry["properties"]), title
        for key, rule in entry["properties"].items():
            for value in rule.get("enum", ()) or rule.get("items", {}).get("enum", ()):
                assert f"`{value}`" in sections[title], f"{title}: {key} {value}"
