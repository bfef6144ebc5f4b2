"""How commands are put together: found and imported when called, each with the options that all of them take."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from app.cli.session import Session

COMMANDS = {
    "workspace": "app.cli.workspaces:workspace",
    "import": "app.cli.imports:import_file",
    "export": "app.cli.exports:export",
    "transfer": "app.cli.transfer:transfer",
    "job": "app.cli.jobs:job",
    "auth": "app.cli.auth:auth",
    "profile": "app.cli.profiles:profile",
    "stream": "app.cli.streams:stream",
    "schema": "app.cli.schema:schema",
    "lql": "app.cli.lql:lql",
    "catalog": "app.cli.catalog:catalog",
    "demo": "app.cli.demo:demo",
    "engine": "app.cli.keep_going:engine",
    "at-login": "app.cli.at_login:at_login",
    "doctor": "app.cli.doctor:doctor",
}
"""Command and where it lies, in the order of --help. A call imports the one that it needs."""

FOLDER = click.Path(file_okay=False, path_type=Path)
FOLDER_HELP = "The workspace's folder; else CAUSEWAY_WORKSPACE, else the one that was used last."
workspace_option = click.option("--workspace", type=FOLDER, metavar="DIR", help=FOLDER_HELP)


class Command(click.Command):
    """A command that takes --workspace, --json and --debug besides its own options."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params += [
            click.Option(["--workspace"], type=FOLDER, metavar="DIR", help=FOLDER_HELP),
            click.Option(["--json"], is_flag=True, help="Answer with one JSON document on standard output."),
            click.Option(["--debug"], is_flag=True, help="On an error, show the technical details."),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Hand the common options to the session; the function gets its own."""
        session: Session = ctx.obj
        folder: Path | None = ctx.params.pop("workspace")
        if folder is not None:
            session.workspace = folder
        session.json = ctx.params.pop("json")
        session.debug |= ctx.params.pop("debug")
        return super().invoke(ctx)


class Group(click.Group):
    """Commands about one kind of thing."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are written: the usual one first."""
        return list(self.commands)


class Program(click.Group):
    """The top: knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, name = place.split(":")
        command: click.Command = getattr(import_module(module), name)
        return command
