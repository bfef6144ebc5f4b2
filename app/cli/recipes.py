"""`causeway job export-recipe` and `import-recipe`: jobs as a small file for another workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.passphrase import passphrase_option, unlock
from app.cli.resolve import authorization_named, job_named
from app.cli.session import Session
from app.errors import Refused

if TYPE_CHECKING:
    from app.engine import Engine
    from app.jobs.recipes import RecipePlan, WantedAuthorization


@click.command("export-recipe", cls=Command)
@click.argument("names", metavar="JOB...", nargs=-1, required=True)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@passphrase_option
@click.pass_obj
def export_recipe(session: Session, names: tuple[str, ...], file: Path) -> None:
    """Write one JOB or several to FILE, a recipe that makes them in another workspace.

    With the jobs go the mappings of their streams and the fields that these fill. Secrets and settings of
    authorizations do not.
    """
    from app.jobs import recipes

    target = file.expanduser().absolute()
    with session.reading() as engine:
        unlock(session, engine)
        recipe = recipes.export_recipe(engine, [job_named(engine, name).id for name in names], target)
    session.answer(
        {
            "file": target,
            "jobs": [job.name for job in recipe.jobs],
            "fields": len(recipe.fields),
            "mappings": len(recipe.mappings),
        },
        lambda: output.tell(
            f"{output.number(len(recipe.jobs), 'job')}, {output.number(len(recipe.fields), 'field')} and "
            f"{output.number(len(recipe.mappings), 'mapping')} written to {output.path_text(target)}."
        ),
    )


@click.command("import-recipe", cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--authorization",
    "pairs",
    multiple=True,
    metavar="NAME=AUTHORIZATION",
    help="Which authorization here stands for one of the recipe.",
)
@click.pass_obj
def import_recipe(session: Session, file: Path, pairs: tuple[str, ...]) -> None:
    """Make the jobs of the recipe FILE, not started yet, and add what they need to the schema.

    An authorization here of the same name stands for the one of the recipe; others are asked for, or named with
    --authorization. `causeway auth add` makes a new one.
    """
    from app.jobs import recipes
    from app.jobs.recipe_files import read_recipe

    with session.changing() as engine:
        recipe = read_recipe(file.expanduser().absolute(), engine.catalog)
        plan = recipes.plan_recipe(engine, recipe)
        chosen = _chosen(session, engine, plan, pairs)
        made = recipes.import_recipe(engine, recipe, chosen)
    listed = [{"id": number, "name": job.name} for number, job in zip(made, recipe.jobs, strict=True)]

    def people() -> None:
        for entry in listed:
            output.tell(f"Made job {entry['id']}, {entry['name']}. `causeway job run {entry['id']}` starts it.")
        for difference in plan.additions:
            output.tell(f"Schema: {difference.title} {difference.verb}")
        for note in plan.notes:
            output.say(note)

    session.answer({"jobs": listed, "schema": plan.additions, "notes": plan.notes}, people)


def _chosen(session: Session, engine: Engine, plan: RecipePlan, pairs: tuple[str, ...]) -> dict[str, int]:
    """The authorization for each one that the recipe names. Raises Refused."""
    known = {wanted.name for wanted in plan.authorizations}
    chosen: dict[str, int] = {}
    for pair in pairs:
        # The recipe's names are known, and may hold "=" themselves.
        name = next((name for name in sorted(known, key=len, reverse=True) if pair.startswith(f"{name}=")), None)
        if name is None:
            listed = ", ".join(sorted(known)) or "none"
            raise click.UsageError(f"“{pair}” names no authorization of the recipe; it has: {listed}.")
        chosen[name] = authorization_named(engine, pair[len(name) + 1 :]).id
    for wanted in plan.authorizations:
        if wanted.jobs and wanted.name not in chosen:
            chosen[wanted.name] = _ask(session, wanted)
    return chosen


def _ask(session: Session, wanted: WantedAuthorization) -> int:
    same = [info for info in wanted.fitting if info.name == wanted.name]
    if len(same) == 1:
        return same[0].id
    if not wanted.fitting or not session.interactive():
        methods = " or ".join(wanted.methods)
        raise Refused(
            f"The recipe needs an authorization of {wanted.provider_name} for “{wanted.name}”.",
            advice=f'Name one with --authorization "{wanted.name}=…"; `causeway auth add {methods}` makes a new one.',
        )
    for number, info in enumerate(wanted.fitting, start=1):
        output.say(f"  {number}  {info.name} ({info.method_name})")
    place = click.prompt(
        output.clean(f"Which of these is “{wanted.name}”"), type=click.IntRange(1, len(wanted.fitting)), err=True
    )
    return wanted.fitting[place - 1].id
