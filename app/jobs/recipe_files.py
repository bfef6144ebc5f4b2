"""The text of a recipe: jobs with the fields and mappings that they need, written as YAML and read again with bounds.

A recipe comes from somebody else. It is small, flat, without aliases and tags; whatever is wrong with it is told with
its line and key, and nothing of it is taken over before all of it is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import bounded_yaml
from app.bounded_yaml import Kind
from app.catalog import JobType, Option
from app.errors import CausewayError, NotFound, Refused
from app.jobs.schedule import ONCE, Schedule, read_schedule
from app.schema.checks import check_field, check_mapping
from app.schema.editing import completed, default_label
from app.schema.model import MERGE_OPERATORS, FieldDefinition, MappingDefinition
from app.yaml_faults import Path as Place

if TYPE_CHECKING:
    from app.catalog import Catalog

ENDING = ".causeway-recipe.yaml"
FORMAT = 1
KIND = Kind("causeway_recipe", FORMAT, "recipe", "app.jobs", "recipe.schema.json")
HEAD = "# Jobs of Causeway, without their secrets. “Import recipe…” makes them in another workspace.\n"
SECRET_OPTION, OWN_OPTION = "password", "objects"
"""Options that do not travel: secrets, and numbers of a workspace's own jobs or authorizations."""
LIST_OPTIONS = ("columns", "multiselect")


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
    return bounded_yaml.write(HEAD, document)


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
    return recipe_of(bounded_yaml.load(file, KIND), file.name, catalog)


def recipe_of(text: str, name: str, catalog: Catalog) -> Recipe:
    """The recipe of a text, which messages call `name`. Raises Refused."""
    document = bounded_yaml.read(text, name, KIND)
    recipe = _recipe(document.values)
    document.refuse(list(_inconsistencies(recipe, document.values, catalog)))
    return _with_schedules(recipe, document.values)


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
