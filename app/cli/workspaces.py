"""`causeway workspace`: make, list, describe, back up, restore."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli import output
from app.cli.commands import Group
from app.cli.session import Session

NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=Group)
def workspace() -> None:
    """Make, list, describe, back up and restore workspaces."""


@workspace.command()
@click.argument("folder", type=NEW_FOLDER)
@click.option("--name", help="What to call it; else the folder's name.")
@click.pass_obj
def create(session: Session, folder: Path, name: str | None) -> None:
    """Make a workspace in FOLDER, a new or empty folder."""
    from app.workspace import create_workspace

    folder = folder.expanduser().absolute()
    made = create_workspace(folder, name or folder.name)
    document = {"id": made.id, "name": made.name, "folder": made.folder}
    made.close()
    session.answer(
        document, lambda: output.tell(f"Made the workspace {document['name']} in {output.path_text(folder)}.")
    )


@workspace.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Workspaces that were used on this computer, the last one first."""
    from app.workspace import recent_workspaces

    recent = recent_workspaces()
    session.answer(
        {"workspaces": recent},
        lambda: (
            output.print_table(
                ("Name", "Folder", "Last used"),
                [(entry.name, output.path_text(entry.folder), output.local_time(entry.opened_at)) for entry in recent],
            )
            if recent
            else output.tell("No workspace was used yet. `causeway workspace create DIR` makes one.")
        ),
    )


@workspace.command()
@click.pass_obj
def info(session: Session) -> None:
    """What the workspace holds, where it lies and where its secrets are kept."""
    from app.authorizations import list_authorizations
    from app.jobs import list_jobs
    from app.profiles import count_profiles
    from app.streams import list_streams

    with session.reading() as engine:
        streams = list_streams(engine)
        file = engine.workspace.database.path
        document = {
            "id": engine.workspace.id,
            "name": engine.workspace.name,
            "folder": engine.workspace.folder,
            "file": file,
            "bytes": file.stat().st_size,
            "people": count_profiles(engine),
            "events": sum(stream.events for stream in streams),
            "streams": len(streams),
            "jobs": len(list_jobs(engine)),
            "authorizations": len(list_authorizations(engine)),
            "secrets": engine.vault.state().sentence,
        }
    session.answer(
        document,
        lambda: output.print_facts(
            (
                ("Name", document["name"]),
                ("Folder", output.path_text(engine.workspace.folder)),
                ("File", f"{file.name}, {file.stat().st_size / 1e6:,.1f} MB"),
                ("People", f"{document['people']:,}"),
                ("Events", f"{document['events']:,} in {output.number(len(streams), 'stream')}"),
                ("Jobs", document["jobs"]),
                ("Authorizations", document["authorizations"]),
                ("Secrets", document["secrets"]),
            )
        ),
    )


@workspace.command()
@click.argument("archive", type=FILE)
@click.pass_obj
def backup(session: Session, archive: Path) -> None:
    """Write the whole workspace, without what lies in the keyring, to ARCHIVE, a zip file."""
    from app.workspace import back_up

    with session.reading() as engine:
        written = back_up(engine.workspace, archive.expanduser().absolute())
    size = written.stat().st_size
    session.answer(
        {"archive": written, "bytes": size},
        lambda: output.tell(
            f"Backed up to {output.path_text(written)} ({size / 1e6:,.1f} MB). "
            "Secrets in the keyring are not part of it."
        ),
    )


@workspace.command()
@click.argument("archive", type=FILE)
@click.argument("folder", type=NEW_FOLDER)
@click.pass_obj
def restore(session: Session, archive: Path, folder: Path) -> None:
    """Bring a workspace back from the file ARCHIVE into FOLDER, a new or empty folder."""
    from app.workspace import restore

    restored = restore(archive.expanduser().absolute(), folder.expanduser().absolute())
    document = {"id": restored.id, "name": restored.name, "folder": restored.folder}
    restored.close()
    session.answer(
        document,
        lambda: output.tell(
            f"Restored the workspace {document['name']} in {output.path_text(restored.folder)}. "
            "What lay in a keyring is not in a backup: `causeway auth list` shows what has to be signed in again."
        ),
    )
