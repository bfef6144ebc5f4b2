"""Jobs as a recipe to hand on: writing them to a file, and making them from one in another workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.authorizations import AuthorizationInfo, list_authorizations
from app.catalog import JobType
from app.changes import Change
from app.errors import Refused
from app.jobs.blanking import Blanker
from app.jobs.model import JobDraft, JobInfo
from app.jobs.operations import create_job
from app.jobs.queries import get_job
from app.jobs.recipe_files import (
    OWN_OPTION,
    SECRET_OPTION,
    Recipe,
    RecipeAuthorization,
    RecipeJob,
    recipe_document,
    recipe_text,
)
from app.jobs.schedule import describe, read_schedule
from app.schema.differences import Difference, compare
from app.schema.model import Schema
from app.schema.patches import apply_additions, with_additions
from app.schema.queries import published_schema
from app.schema.words import kind_word
from app.user import user_name
from app.whole_file import whole_file

if TYPE_CHECKING:
    from app.engine import Engine


@dataclass(frozen=True, slots=True)
class WantedAuthorization:
    """An authorization that a recipe asks for. `fitting` are those that could be it, the likeliest first.

    `methods` are the ways to sign in that all jobs which use it can work with.
    """

    name: str
    method: str
    provider: str
    provider_name: str
    methods: tuple[str, ...]
    jobs: tuple[str, ...]
    fitting: tuple[AuthorizationInfo, ...]


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job that a recipe makes, in words."""

    name: str
    type_name: str
    provider: str
    provider_name: str
    schedule: str


@dataclass(frozen=True, slots=True)
class RecipePlan:
    """What importing a recipe would do: jobs, what is added to the schema, and sentences about what stays."""

    jobs: tuple[PlannedJob, ...]
    authorizations: tuple[WantedAuthorization, ...]
    additions: tuple[Difference, ...]
    notes: tuple[str, ...]


def export_recipe(engine: Engine, job_ids: Sequence[int], target: Path) -> Recipe:
    """Write jobs, with the fields and mappings of their streams, to one file; what was written.

    Raises NotFound, Refused, DiskFull, and VaultLocked where secrets can't be compared with what is written.
    """
    recipe = make_recipe(engine, job_ids)
    text = recipe_text(Blanker.of(engine).blank_all(recipe_document(recipe)))
    with whole_file(target) as part:
        part.write_text(text, "utf-8")
    return recipe


def make_recipe(engine: Engine, job_ids: Sequence[int]) -> Recipe:
    """The recipe of jobs. Raises NotFound."""
    infos = {info.id: info for info in list_authorizations(engine)}
    names: dict[int | None, str] = {}
    authorizations: list[RecipeAuthorization] = []
    jobs = []
    streams: set[str] = set()
    for job_id in dict.fromkeys(job_ids):
        job = get_job(engine, job_id)
        job_type = engine.catalog.job_type(job.job_type)
        if job_type.authorizations and job.authorization_id not in names:
            entry = _authorization(job, job_type, infos, {entry.name for entry in authorizations})
            names[job.authorization_id] = entry.name
            authorizations.append(entry)
        streams |= {str(job.options[name]) for name in _stream_options(job_type) if job.options.get(name)}
        jobs.append(_recipe_job(job, job_type, names.get(job.authorization_id, "")))
    schema = published_schema(engine)
    mappings = [mapping for mapping in schema.mappings if mapping.stream in streams]
    filled = {mapping.field.casefold() for mapping in mappings}
    return Recipe(
        tuple(jobs),
        tuple(authorizations),
        tuple(_handed_on(field, rank=None) for field in schema.fields if field.name.casefold() in filled),
        tuple(_handed_on(mapping, key="") for mapping in mappings),
    )


def _recipe_job(job: JobInfo, job_type: JobType, authorization: str) -> RecipeJob:
    known = {option.name for option in job_type.options if option.type not in (SECRET_OPTION, OWN_OPTION)}
    options = {name: value for name, value in job.options.items() if name in known and value is not None}
    return RecipeJob(job.name, job.job_type, authorization, options, job.description, read_schedule(job.schedule))


def _authorization(
    job: JobInfo, job_type: JobType, infos: Mapping[int, AuthorizationInfo], taken: set[str]
) -> RecipeAuthorization:
    """What the recipe calls the authorization of a job; one that was deleted is asked for all the same."""
    info = infos.get(job.authorization_id or 0)
    base = info.name if info is not None else job.provider_name
    name, number = base, 2
    while name in taken:
        name, number = f"{base} ({number})", number + 1
    return RecipeAuthorization(name, info.method if info is not None else job_type.authorizations[0])


def _stream_options(job_type: JobType) -> list[str]:
    return [option.name for option in job_type.options if option.type == "stream"]


def _handed_on(thing: Any, **changes: Any) -> Any:
    """A field or mapping without what belongs to the workspace that it comes from."""
    return replace(thing, managed_by="", **changes)


def plan_recipe(engine: Engine, recipe: Recipe) -> RecipePlan:
    """What importing would do, nothing changed yet. Raises Refused and LqlError where it can't be done."""
    schema = published_schema(engine)
    after, _ = with_additions(schema, recipe.fields, recipe.mappings)
    return RecipePlan(
        tuple(_planned(engine, job) for job in recipe.jobs),
        tuple(_wanted(engine, recipe, entry) for entry in recipe.authorizations),
        tuple(compare(schema, after)),
        (*_notes(recipe, schema, after), *_unlimited(engine, recipe)),
    )


def _planned(engine: Engine, job: RecipeJob) -> PlannedJob:
    provider = engine.catalog.provider_of_job_type(job.job_type)
    type_name = engine.catalog.job_type(job.job_type).name
    return PlannedJob(job.name, type_name, provider.slug, provider.name, describe(job.schedule))


def _wanted(engine: Engine, recipe: Recipe, entry: RecipeAuthorization) -> WantedAuthorization:
    jobs = [job for job in recipe.jobs if job.authorization == entry.name]
    methods = _methods(engine, recipe, entry.name) or (entry.method,)
    provider = engine.catalog.provider_of_method(methods[0])
    fitting = [info for info in list_authorizations(engine) if info.method in methods]
    fitting.sort(key=lambda info: (info.name != entry.name, info.method != entry.method, info.name.casefold()))
    return WantedAuthorization(
        entry.name,
        entry.method,
        provider.slug,
        provider.name,
        methods,
        tuple(job.name for job in jobs),
        tuple(fitting),
    )


def _methods(engine: Engine, recipe: Recipe, name: str) -> tuple[str, ...]:
    """The ways to sign in that every job with this authorization takes, in the order of the first one."""
    offered = [engine.catalog.job_type(job.job_type).authorizations for job in recipe.jobs if job.authorization == name]
    return tuple(method for method in offered[0] if all(method in others for others in offered)) if offered else ()


def _notes(recipe: Recipe, before: Schema, after: Schema) -> list[str]:
    """What is in the workspace already and stays as it is, where the recipe says otherwise."""
    found = []
    for field in recipe.fields:
        there = before.field(field.name)
        if there is not None and there.type != field.type:
            here, wanted = kind_word(there.type).lower(), kind_word(field.type).lower()
            found.append(f"The field {there.name} holds {here} here, {wanted} in the recipe. It stays as it is.")
    new = {mapping.stream for mapping in after.mappings if before.mapping(mapping.key) is None}
    return found + [
        f"The stream {stream} has mappings here already. They stay, and those of the recipe are added."
        for stream in sorted(new.intersection(before.streams()))
    ]


def _unlimited(engine: Engine, recipe: Recipe) -> list[str]:
    """Jobs that could be about some things of a workspace only, which no recipe can name."""
    return [
        f"“{job.name}” is about everything of its kind here; “{option.label}” in its configuration limits it."
        for job in recipe.jobs
        for option in engine.catalog.job_type(job.job_type).options
        if option.type == OWN_OPTION
    ]


def import_recipe(engine: Engine, recipe: Recipe, chosen: Mapping[str, int]) -> list[int]:
    """Make the jobs, not started yet, and add what they need to the schema; the numbers of the jobs.

    `chosen` are authorizations by their names in the recipe. Raises Refused where one is missing or does not fit,
    LqlError and NotFound; then nothing was changed.
    """
    engine.require_charge()
    for wanted in plan_recipe(engine, recipe).authorizations:
        if wanted.jobs and chosen.get(wanted.name) not in [info.id for info in wanted.fitting]:
            raise Refused(
                f"The recipe needs an authorization of {wanted.provider_name} for “{wanted.name}”.",
                advice="Choose one that fits, or make a new one.",
            )
    names = ", ".join(job.name for job in recipe.jobs[:3]) + (" …" if len(recipe.jobs) > 3 else "")
    with engine.workspace.database.write() as connection:
        apply_additions(connection, recipe.fields, recipe.mappings, comment=f"Recipe: {names}", by=user_name())
    made = [
        create_job(
            engine,
            JobDraft(job.name, job.job_type, chosen.get(job.authorization), job.options, job.description, job.schedule),
        )
        for job in recipe.jobs
    ]
    engine.changes.announce(Change("schema"))
    return made
