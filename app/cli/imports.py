"""`causeway import`: one file, from this computer or a server, becomes people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.passphrase import passphrase_option, unlock_for_job
from app.cli.resolve import authorization_named
from app.cli.session import Session

if TYPE_CHECKING:
    from app.engine import Engine

CSV_IMPORT, JSON_IMPORT = "file-service-csv-import", "file-service-json-import"
JSON_KINDS = (".json", ".jsonl", ".ndjson")
FOLDER_METHOD = "file-service-folder"
DELIMITERS = {"tab": "\t", "\\t": "\t"}
"""A tab is hard to type; these stand for it."""


@click.command("import", cls=Command)
@click.argument("file")
@click.option("--stream", required=True, help="The stream that keeps the rows; made when it is new.")
@click.option(
    "--identifier",
    "identifiers",
    multiple=True,
    metavar="COLUMN",
    help="A column that says who somebody is; repeatable.",
)
@click.option("--no-identifier", is_flag=True, help="No column says who somebody is: keep rows as events only.")
@click.option(
    "--timestamp-field", metavar="COLUMN", help="The column with the time of each row: the newest value wins."
)
@click.option("--field", "fields", multiple=True, metavar="COLUMN", help="Import only this column; repeatable.")
@click.option("--type", "types", multiple=True, metavar="COLUMN=TYPE", help="What a column holds: text, email, date …")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="The profile field that a column fills; COLUMN= leaves it out of profiles.",
)
@click.option(
    "--delimiter", help="What stands between columns, if it is not found out: a character, tab or whitespace."
)
@click.option("--encoding", help="The file's encoding, if it is not found out: utf-8, utf-16, cp1252 …")
@click.option("--columns", metavar="NAMES", help="Names of the columns, with commas, for a file without a header row.")
@click.option("--no-header", is_flag=True, help="The first row is data.")
@click.option(
    "--authorization", metavar="NAME", help="Take FILE from there, e.g. an SFTP server, not from this computer."
)
@click.option("--name", help="What to call the job; else the file's name.")
@passphrase_option
@click.pass_obj
def import_file(
    session: Session,
    file: str,
    stream: str,
    identifiers: tuple[str, ...],
    no_identifier: bool,
    timestamp_field: str | None,
    fields: tuple[str, ...],
    types: tuple[str, ...],
    targets: tuple[str, ...],
    delimiter: str | None,
    encoding: str | None,
    columns: str | None,
    no_header: bool,
    authorization: str | None,
    name: str | None,
) -> None:
    """Import FILE to its end: CSV or, by its name, JSON (.json, .jsonl, .ndjson), also packed.

    It makes a job, or finds the one that imported the same file into the same stream before; an import that was
    interrupted goes on where it was. Without --identifier, columns that hold emails are taken.
    """
    from app.cli.running import run_and_tell
    from app.jobs import get_job
    from connectors.kit.files.stamps import kind_of

    job_type = JSON_IMPORT if kind_of(Path(file).name) in JSON_KINDS else CSV_IMPORT
    if job_type == JSON_IMPORT and (delimiter or encoding or columns or no_header):
        raise click.UsageError("--delimiter, --encoding, --columns and --no-header are for CSV files, not for JSON.")
    if identifiers and no_identifier:
        raise click.UsageError("--identifier and --no-identifier exclude each other.")
    options: dict[str, Any] = {"stream": stream}
    if identifiers or no_identifier:
        options["identifiers"] = list(identifiers)
    given = {
        "timestamp_field": timestamp_field,
        "fields": list(fields),
        "types": pairs("--type", types),
        "targets": pairs("--target", targets),
        "delimiter": DELIMITERS.get(delimiter or "", delimiter),
        "encoding": encoding,
        "columns": columns,
    }
    options |= {key: value for key, value in given.items() if value}
    if no_header or columns:
        options["header"] = False
    with session.changing() as engine:
        if authorization is not None:
            where = authorization_named(engine, authorization).id
            options["filename"] = file
        else:
            path = readable(file)
            where = folder_authorization(engine, path.parent)
            options["filename"] = path.name
        job_id = job_for(engine, job_type, where, options, name)
        unlock_for_job(session, engine, get_job(engine, job_id))
        run_and_tell(session, engine, job_id)


def readable(file: str) -> Path:
    """The file's whole path. Raises Refused for what is no file here."""
    from app.errors import Refused

    path = Path(file).expanduser().absolute()
    if path.is_dir():
        raise Refused(f"{output.path_text(path)} is a folder.", advice="Name the file in it that is to be imported.")
    if not path.is_file():
        raise Refused(
            f"There is no file {output.path_text(path)}.",
            advice="Check its name. A file on a server needs --authorization NAME.",
        )
    return path


def folder_authorization(engine: Engine, folder: Path) -> int:
    """The authorization for a folder of this computer, made when there is none yet."""
    from app.authorizations import add_authorization, list_authorizations

    known = list_authorizations(engine)
    for entry in known:
        if entry.method == FOLDER_METHOD and entry.settings.get("folder") == str(folder):
            return entry.id
    method = engine.catalog.method(FOLDER_METHOD)
    name = method.name
    if any(entry.name == name for entry in known):
        name = f"{method.name}: {folder}"
    return add_authorization(engine, FOLDER_METHOD, name, {"folder": str(folder)})


def job_for(engine: Engine, job_type: str, authorization_id: int, options: Mapping[str, Any], name: str | None) -> int:
    """The job that imports this file into this stream, with these options: the one there is, or a new one."""
    from app.jobs import JobDraft, create_job, edit_job, list_jobs

    for job in list_jobs(engine):
        same = job.job_type == job_type and job.authorization_id == authorization_id
        if same and all(job.options.get(key) == options[key] for key in ("filename", "stream")):
            if job.options != options or (name is not None and name != job.name):
                edit_job(engine, job.id, name=name, options=options)
            return job.id
    title = name or Path(options["filename"]).name
    return create_job(engine, JobDraft(title, job_type, authorization_id, dict(options)))


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """COLUMN=VALUE texts as a table; a column's own name may hold "=", the value can't."""
    table = {}
    for text in given:
        column, equals, value = text.rpartition("=")
        if not equals or not column:
            raise click.UsageError(f"{option} wants COLUMN=VALUE, not “{text}”.")
        table[column] = value
    return table
