"""The text of a recipe: jobs with the fields and mappings that they need, written as YAML and read again with bounds.

A recipe comes from somebody else. It is small, flat, without aliases and tags; whatever is wrong with it is told with
its line and key, and nothing of it is taken over before all of it is right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator

from app.catalog import JobType, Option
from app.errors import CausewayError, NotFound, Refused
from app.jobs.schedule import ONCE, Schedule, read_schedule
from app.schema.checks import check_field, check_mapping
from app.schema.editing import completed, default_label
from app.schema.model import MERGE_OPERATORS, FieldDefinition, MappingDefinition
from app.yaml_faults import Path as Place
from app.yaml_faults import doubles, key_of, line_of, told

if TYPE_CHECKING:
    from app.catalog import Catalog

ENDING = ".causeway-recipe.yaml"
FORMAT = 1
MOST_BYTES = 1 << 20
MOST_NODES = 50_000
DEEPEST = 8
LONGEST_TEXT = 20_000
MOST_FAULTS = 20
"""More are not told: whoever mends these finds the rest at the next try."""
LONGEST_FAULT = 300
HEAD = "# Jobs of Causeway, without their secrets. “Import recipe…” makes them in another workspace.\n"
SECRET_OPTION, OWN_OPTION = "password", "objects"
"""Options that do not travel: secrets, and numbers of a workspace's own jobs or authorizations."""
LIST_OPTIONS = ("columns", "multiselect")
TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class RecipeJob:
    """A job to be made. `authorization` is a name within the recipe, "" where the job type needs none."""

    name: str
    job_type: str
    authorization: str
    options: dict[str, Any]
    description: str = ""
    schedule: Schedule = ONCE


@dataclass(frozen=True, slots=True)
class RecipeAuthorization:
    """What the jobs sign in with: what it was called where the recipe was made, and its method there."""

    name: str
    method: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a recipe holds. Identifiers stand by rank, mappings have no keys yet."""

    jobs: tuple[RecipeJob, ...]
    authorizations: tuple[RecipeAuthorization, ...] = ()
    fields: tuple[FieldDefinition, ...] = ()
    mappings: tuple[MappingDefinition, ...] = ()


def recipe_document(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values; what is empty is left out."""
    document: dict[str, Any] = {
        "causeway_recipe": FORMAT,
        "jobs": [_job_document(job) for job in recipe.jobs],
        "authorizations": [{"name": entry.name, "method": entry.method} for entry in recipe.authorizations],
        "fields": [_field_document(field) for field in recipe.fields],
        "mappings": [
            {"stream": mapping.stream, "field": mapping.field, "expression": mapping.expression}
            | ({"condition": mapping.condition} if mapping.condition else {})
            for mapping in recipe.mappings
        ],
    }
    return {key: value for key, value in document.items() if value}


def recipe_text(document: Mapping[str, Any]) -> str:
    """A recipe's values as the text of its file; `recipe_of` reads it."""
    return HEAD + yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _job_document(job: RecipeJob) -> dict[str, Any]:
    document: dict[str, Any] = {"name": job.name}
    if job.description:
        document["description"] = job.description
    document["type"] = job.job_type
    if job.authorization:
        document["authorization"] = job.authorization
    document["options"] = job.options
    if job.schedule != ONCE:
        document["schedule"] = job.schedule.document()
    return document


def _field_document(field: FieldDefinition) -> dict[str, Any]:
    document: dict[str, Any] = {"name": field.name}
    if field.label != default_label(field.name):
        document["label"] = field.label
    if field.description:
        document["description"] = field.description
    document["type"] = field.type
    if field.is_identifier:
        document["identifier"] = True
    elif field.merge != MERGE_OPERATORS[field.type][0]:
        document["merge"] = field.merge
    limits = {"capacity": field.capacity, "keep_days": field.keep_days}
    return document | {key: value for key, value in limits.items() if value is not None}


def read_recipe(file: Path, catalog: Catalog) -> Recipe:
    """The recipe of a file. Raises NotFound, and Refused with everything that is wrong, each with line and key."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.", advice="Check its name.") from None
    except OSError as error:
        raise Refused(f"{file} can't be read: {error.strerror}.", advice="Choose a recipe file.") from error
    if len(data) > MOST_BYTES:
        raise Refused(
            f"{file.name} is larger than a recipe can be ({MOST_BYTES >> 20} MB).", advice="Choose a recipe file."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{file.name} is no recipe: it is no text in UTF-8.", advice="Choose a recipe file.") from None
    return recipe_of(text, file.name, catalog)


def recipe_of(text: str, name: str, catalog: Catalog) -> Recipe:
    """The recipe of a text, which messages call `name`. Raises Refused."""
    found = list(_text_faults(text))
    root: yaml.Node | None = None
    document: Any = None
    if not found:
        try:
            loader = _Loader(text)
            root = loader.get_single_node()
            document = loader.construct_document(root) if root is not None else None
        except (yaml.YAMLError, ValueError) as error:
            found = [_yaml_fault(error)]
    if root is None:
        raise _refused(name, found or ["the file is empty"])

    def at(place: Place, message: str) -> str:
        return f"line {line_of(root, place)}, {key_of(place)}: {message}"

    if isinstance(document, dict) and document.get("causeway_recipe") not in (None, FORMAT):
        version = str(document["causeway_recipe"])[:20]
        raise Refused(
            f"{name} is a recipe of the format {version}, which this Causeway does not know.",
            advice="Install the newest version of Causeway, or ask for a recipe made with this one.",
        )
    found = [at(place, f"the key {key} is there twice") for place, key in doubles(root)]
    schema = json.loads(resources.files("app.jobs").joinpath("recipe.schema.json").read_text("utf-8"))
    flaws = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda flaw: list(map(str, flaw.path)))
    found += [at(place, message) for flaw in flaws for place, message in told(flaw)]
    if not found:
        recipe = _recipe(document)
        found = [at(place, message) for place, message in _inconsistencies(recipe, document, catalog)]
    if found:
        raise _refused(name, found)
    return _with_schedules(recipe, document)


def _refused(name: str, found: Sequence[str]) -> Refused:
    """Everything that is wrong, the first of it in the sentence."""
    bounded = [fault[:LONGEST_FAULT] for fault in found[:MOST_FAULTS]]
    return Refused(
        f"{name} can't be used as a recipe: {bounded[0]}.",
        advice="Correct the file, or ask for another one." if len(found) == 1 else "The details name all faults.",
        details="\n".join(bounded),
    )


# text to values


class _Loader(yaml.SafeLoader):
    """Reads YAML's plain words as JSON would: no dates, no sexagesimal numbers, no "yes" and "no"."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to be configured


_NUMBERS = list("-0123456789")
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(true|false)\Z"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(null|~|)\Z"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9]{0,17})\Z"), _NUMBERS)
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}\Z"), _NUMBERS)


class _Dumper(yaml.SafeDumper):
    """Writes the same object twice rather than with an alias, and long texts in lines of their own."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar(TEXT_TAG, text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _write_text)


def _text_faults(text: str) -> Iterator[str]:
    """What makes a text no recipe whatever it says: bounds are looked at before anything is built."""
    depth = nodes = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            line = _line(event.start_mark)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                yield f"line {line}: a recipe has no aliases (& and *)"
                return
            if isinstance(event, yaml.NodeEvent):
                nodes += 1
                if getattr(event, "tag", None):
                    yield f"line {line}: a recipe has no tags (!)"
                    return
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                yield f"line {line}: it is nested deeper than {DEEPEST} levels"
                return
            if nodes > MOST_NODES:
                yield f"line {line}: it has more than {MOST_NODES:,} values"
                return
            if isinstance(event, yaml.ScalarEvent):
                if len(event.value) > LONGEST_TEXT:
                    yield f"line {line}: a text is longer than {LONGEST_TEXT:,} characters"
                elif any("\ud800" <= sign <= "\udfff" or sign == "\0" for sign in event.value):
                    yield f"line {line}: a text holds what is no character"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        yield _yaml_fault(error)


def _line(mark: Any) -> int:
    return int(mark.line) + 1


def _yaml_fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    line = f"line {_line(mark)}: " if mark is not None else ""
    return f"{line}{getattr(error, 'problem', None) or 'it is no YAML'}"


# values to a recipe


def _recipe(document: Mapping[str, Any]) -> Recipe:
    """The recipe of a document that its schema finds right, its schedules left out."""
    return Recipe(
        tuple(
            RecipeJob(
                entry["name"].strip(),
                entry["type"],
                entry.get("authorization", ""),
                entry.get("options", {}),
                entry.get("description", ""),
            )
            for entry in document["jobs"]
        ),
        tuple(RecipeAuthorization(**entry) for entry in document.get("authorizations", ())),
        tuple(_field(entry) for entry in document.get("fields", ())),
        tuple(MappingDefinition(key="", **entry) for entry in document.get("mappings", ())),
    )


def _field(entry: Mapping[str, Any]) -> FieldDefinition:
    values = {key: value for key, value in entry.items() if key != "identifier"}
    return completed(FieldDefinition(**{"merge": ""} | values, is_identifier=entry.get("identifier", False)))


def _with_schedules(recipe: Recipe, document: Mapping[str, Any]) -> Recipe:
    jobs = tuple(
        RecipeJob(
            job.name, job.job_type, job.authorization, job.options, job.description, read_schedule(_schedule(entry))
        )
        for job, entry in zip(recipe.jobs, document["jobs"], strict=True)
    )
    return Recipe(jobs, recipe.authorizations, recipe.fields, recipe.mappings)


def _schedule(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    schedule: Mapping[str, Any] = entry.get("schedule", {})
    return schedule


def _inconsistencies(recipe: Recipe, document: Mapping[str, Any], catalog: Catalog) -> Iterator[tuple[Place, str]]:
    """Faults that the form of the file does not show: names that nothing has, values that do not fit."""
    signed_in = {entry.name: entry for entry in recipe.authorizations}
    if len(signed_in) < len(recipe.authorizations):
        yield ("authorizations",), "two authorizations have the same name"
    for index, job in enumerate(recipe.jobs):
        here = ("jobs", index)
        try:
            job_type = catalog.job_type(job.job_type)
        except NotFound:
            yield (*here, "type"), f"this Causeway has no job type {job.job_type}"
            continue
        if job.authorization and job.authorization not in signed_in:
            yield (*here, "authorization"), f"there is no authorization {job.authorization} in the recipe"
        if job_type.authorizations and not job.authorization:
            yield here, f"{job_type.name} needs an authorization"
        yield from _schedule_faults((*here, "schedule"), _schedule(document["jobs"][index]), job_type)
        yield from _option_faults((*here, "options"), job.options, job_type)
    for index, entry in enumerate(recipe.authorizations):
        try:
            catalog.method(entry.method)
        except NotFound:
            yield ("authorizations", index, "method"), f"this Causeway has no way to sign in called {entry.method}"
    yield from _schema_faults(recipe)


def _schedule_faults(
    place: tuple[str | int, ...], document: Mapping[str, Any], job_type: JobType
) -> Iterator[tuple[Place, str]]:
    try:
        schedule = read_schedule(document)
    except Refused as error:
        yield place, error.message.rstrip(".")
        return
    if schedule.again and not job_type.runs_again:
        yield place, f"{job_type.name} runs once only"


def _option_faults(
    place: tuple[str | int, ...], options: Mapping[str, Any], job_type: JobType
) -> Iterator[tuple[Place, str]]:
    known = {option.name: option for option in job_type.options}
    for name, value in options.items():
        option = known.get(name)
        if option is None:
            yield (*place, name), f"{job_type.name} has no option {name}; it has {', '.join(known)}"
        elif option.type == SECRET_OPTION:
            yield (*place, name), "a recipe has no secrets"
        elif option.type == OWN_OPTION:
            yield (*place, name), "a recipe has no numbers of a workspace's own things"
        elif not _fits(option, value):
            yield (*place, name), f"this is no value of the option “{option.label}”"
    for option in known.values():
        needed = option.required and option.default is None and option.type != SECRET_OPTION
        if needed and options.get(option.name) in (None, "", [], {}):
            yield place, f"the option {option.name} is missing"


def _fits(option: Option, value: Any) -> bool:
    match option.type:
        case "checkbox":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float | str) and not isinstance(value, bool)
        case "mapping":
            return isinstance(value, dict) and all(
                isinstance(key, str) and isinstance(entry, str) for key, entry in value.items()
            )
        case kind if kind in LIST_OPTIONS:
            return _are_texts(value)
        case "select" if option.choices:
            return value in [choice.value for choice in option.choices]
    return isinstance(value, str) or _are_texts(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _schema_faults(recipe: Recipe) -> Iterator[tuple[Place, str]]:
    fields = {field.name.casefold(): field for field in recipe.fields}
    if len(fields) < len(recipe.fields):
        yield ("fields",), "two fields have the same name"
    for index, field in enumerate(recipe.fields):
        try:
            check_field(field)
        except Refused as error:
            yield ("fields", index), error.message.rstrip(".")
    for index, mapping in enumerate(recipe.mappings):
        target = fields.get(mapping.field.casefold())
        if target is None:
            yield ("mappings", index, "field"), f"the recipe has no field {mapping.field}"
        elif target.type in MERGE_OPERATORS:
            try:
                check_mapping(mapping, target)
            except CausewayError as error:
                yield ("mappings", index, "expression"), error.message.rstrip(".")
