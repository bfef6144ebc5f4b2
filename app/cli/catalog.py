"""`causeway catalog`: what the program can talk to."""

from __future__ import annotations

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.session import Session


@click.command(cls=Command)
@click.argument("provider", required=False)
@click.pass_obj
def catalog(session: Session, provider: str | None) -> None:
    """List providers with their job types; with PROVIDER, everything about one."""
    from app.catalog import Catalog

    known = Catalog.load()
    if provider is None:
        session.answer(
            known.as_json(),
            lambda: output.print_table(
                ("Provider", "Name", "Job type", "What it does"),
                [
                    (entry.slug, entry.name, job_type.slug, job_type.summary)
                    for entry in known.providers
                    for job_type in entry.jobs
                ],
            ),
        )
        return
    entry = known.provider(provider)

    def people() -> None:
        output.tell(f"{entry.name} ({entry.category})\n{entry.summary}")
        output.tell("\nAuthorizations")
        for method in entry.authorizations:
            output.tell(f"  {method.slug}  {method.name}")
        for job_type in entry.jobs:
            output.tell(f"\nJob type {job_type.slug}  {job_type.name}\n{job_type.summary}")
            output.print_table(
                ("Option", "Kind", "Required", "What it is"),
                [
                    (f"  {option.name}", option.type, "yes" if option.required else "", option.label)
                    for option in job_type.options
                ],
            )

    session.answer(next(item for item in known.as_json() if item["provider"] == entry.slug), people)
