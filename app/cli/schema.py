"""`causeway schema`: what people can hold and what fills it; changes, publishing, versions, files in LQL."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import output
from app.cli.commands import Group
from app.cli.session import Session

if TYPE_CHECKING:
    from app.engine import Engine
    from app.profiles.rebuild import RebuildState
    from app.schema.differences import Difference
    from app.schema.model import Schema

MARKS = {"added": "+", "changed": "~", "removed": "-"}
draft_option = click.option("--draft", is_flag=True, help="With the unpublished changes.")


@click.group(cls=Group)
def schema() -> None:
    """Show the schema, change it as LQL files, publish changes, go back to earlier versions."""


@schema.command()
@click.option("--lql", is_flag=True, help="As LQL: one statement a stream.")
@draft_option
@click.pass_obj
def show(session: Session, lql: bool, draft: bool) -> None:
    """Fields, identifiers by rank first, and the mappings that fill them."""
    from app.schema.lql_files import export_lql
    from app.schema.model import schema_document
    from app.schema.queries import draft_schema, published_schema, unpublished_changes

    with session.reading() as engine:
        found = draft_schema(engine) if draft else published_schema(engine)
        changes = len(unpublished_changes(engine))
        texts = export_lql(engine, draft=draft) if lql else {}

    def people() -> None:
        if lql:
            output.tell("\n".join(texts.values()) or "No stream has a mapping yet.")
        else:
            _show(found)
        if changes and not draft:
            output.say(f"{output.number(changes, 'unpublished change')}: `causeway schema diff` shows them.")

    document: dict[str, Any] = {"lql": texts} if lql else schema_document(found)
    session.answer({**document, "unpublished_changes": changes}, people)


def _show(found: Schema) -> None:
    from app.schema.words import field_words

    if not found.fields:
        output.tell("There is no field yet. `causeway import FILE --stream NAME` makes some, or import an LQL file.")
        return
    sources: dict[str, list[str]] = {}
    for mapping in found.mappings:
        source = f"{mapping.stream}: {mapping.expression}"
        sources.setdefault(mapping.field, []).append(
            f"{source} if {mapping.condition}" if mapping.condition else source
        )
    output.print_table(
        ("Field", "Label", "Holds", "Filled by"),
        [
            (field.name, field.label, field_words(field), "; ".join(sources.get(field.name, ["nothing"])))
            for field in found.fields
        ],
    )


@schema.command()
@click.argument("a", type=click.IntRange(1), required=False)
@click.argument("b", type=click.IntRange(1), required=False)
@click.pass_obj
def diff(session: Session, a: int | None, b: int | None) -> None:
    """The unpublished changes; with A, what changed since version A; with A and B, from version A to version B."""
    from app.schema.differences import compare, needs_rebuild
    from app.schema.queries import compare_versions, published_schema, unpublished_changes, version_schema

    with session.reading() as engine:
        if a is None:
            found = unpublished_changes(engine)
        elif b is None:
            found = compare(version_schema(engine, a), published_schema(engine))
        else:
            found = compare_versions(engine, a, b)
    nothing = "There are no unpublished changes." if a is None else "Nothing is different."
    session.answer(
        {"changes": [asdict(difference) for difference in found], "needs_rebuild": needs_rebuild(found)},
        lambda: _tell_changes(found, nothing, to_come=a is None),
    )


def _tell_changes(found: Sequence[Difference], nothing: str, *, to_come: bool = True) -> None:
    from app.schema.differences import needs_rebuild

    if not found:
        output.tell(nothing)
    for difference in found:
        output.tell(f"{MARKS[difference.verb]} {difference.title}")
        for words in difference.words:
            output.tell(f"    {words}")
    if to_come and needs_rebuild(found):
        output.say("People who are there already get some of this only by a rebuild: `causeway schema rebuild`.")


@schema.command()
@click.option("--comment", metavar="TEXT", default="", help="What changes and why; else it is said from the changes.")
@click.pass_obj
def publish(session: Session, comment: str) -> None:
    """Put the unpublished changes in force, all of them or, where one is wrong, none."""
    from app.schema.queries import unpublished_changes

    published: dict[str, Any] = {}
    with session.changing() as engine:
        if unpublished_changes(engine):
            published = _publish(engine, comment)
    session.answer(
        {"version": None, **published},
        lambda: (
            output.tell(f"Published as version {published['version']}: {published['comment']}")
            if published
            else output.tell("There are no unpublished changes.")
        ),
    )


def _publish(engine: Engine, comment: str) -> dict[str, Any]:
    from app.schema.differences import needs_rebuild, suggested_comment
    from app.schema.operations import publish_schema
    from app.schema.queries import unpublished_changes

    changes = unpublished_changes(engine)
    comment = comment or suggested_comment(changes)
    number = publish_schema(engine, comment)
    return {"version": number, "comment": comment, "needs_rebuild": needs_rebuild(changes)}


@schema.command()
@click.option(
    "--limit", type=click.IntRange(1, 100_000), metavar="N", default=50, show_default=True, help="At most so many."
)
@click.pass_obj
def versions(session: Session, limit: int) -> None:
    """Versions of the published schema, the newest first."""
    from app.schema.queries import list_versions

    with session.reading() as engine:
        found = list_versions(engine, limit=limit)
    session.answer(
        {"versions": [asdict(version) for version in found]},
        lambda: (
            output.print_table(
                ("Version", "Published", "By", "Changes", "Comment"),
                [
                    (version.number, output.local_time(version.at), version.by, version.changes, version.comment)
                    for version in found
                ],
                right=("Version", "Changes"),
            )
            if found
            else output.tell("Nothing was published yet.")
        ),
    )


@schema.command()
@click.argument("number", type=click.IntRange(1))
@click.pass_obj
def load(session: Session, number: int) -> None:
    """Make version NUMBER the unpublished changes; `schema publish` then goes back to it."""
    from app.schema.operations import load_version
    from app.schema.queries import unpublished_changes

    with session.changing() as engine:
        load_version(engine, number)
        found = unpublished_changes(engine)
    session.answer(
        {"loaded": number, "changes": [asdict(difference) for difference in found]},
        lambda: _tell_changes(found, f"The schema is as it was in version {number}; there is nothing to publish."),
    )


@schema.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def discard(session: Session, yes: bool) -> None:
    """Take back all unpublished changes."""
    from app.schema.operations import discard_changes
    from app.schema.queries import unpublished_changes

    with session.changing() as engine:
        count = len(unpublished_changes(engine))
        if count:
            session.confirm(f"Take back {output.number(count, 'unpublished change')}?", yes)
        discard_changes(engine)
    session.answer(
        {"discarded": count},
        lambda: output.tell(
            f"{output.number(count, 'unpublished change')} taken back."
            if count
            else "There are no unpublished changes."
        ),
    )


@schema.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@draft_option
@click.pass_obj
def export(session: Session, folder: Path, draft: bool) -> None:
    """Write the mappings to FOLDER, one LQL file for each stream; files of these names are replaced."""
    from app.schema.lql_files import export_lql, lql_file_name
    from app.whole_file import whole_file

    with session.reading() as engine:
        texts = export_lql(engine, draft=draft)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for stream, text in texts.items():
        target = folder.absolute() / lql_file_name(stream)
        with whole_file(target) as part:
            part.write_text(text, encoding="utf-8")
        files.append(target)
    session.answer(
        {"files": files},
        lambda: output.tell(
            f"Written to {output.path_text(folder.absolute())}: {output.number(len(files), 'LQL file')}."
        ),
    )


@schema.command("import")
@click.argument("files", metavar="FILE", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--publish", "at_once", is_flag=True, help="Publish at once.")
@click.option("--comment", metavar="TEXT", default="", help="With --publish: what changes and why.")
@click.pass_obj
def import_(session: Session, files: tuple[Path, ...], at_once: bool, comment: str) -> None:
    """Read LQL from each FILE (- for standard input) into the unpublished changes.

    The text says all mappings of the streams that it names: a mapping of theirs that it lacks is removed.
    """
    from app.schema.lql_files import import_lql

    # Together, so that all of them count or none. A file may end in a comment, hence the line between.
    text = "\n".join(_sound(file) for file in files)
    published: dict[str, Any] = {}
    with session.changing() as engine:
        found = import_lql(engine, text, origin="LQL file")
        if at_once and found:
            published = _publish(engine, comment)

    def people() -> None:
        _tell_changes(found, "Nothing is different.")
        if published:
            output.tell(f"Published as version {published['version']}: {published['comment']}")
        elif found:
            output.say("`causeway schema publish` puts it in force.")

    session.answer({"changes": [asdict(difference) for difference in found], **published}, people)


def _sound(file: Path) -> str:
    """The text of a file that can be read as LQL. Raises Refused with its mistakes, each with file, line and column."""
    from app.errors import Refused
    from app.lql import check_statements

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file} is not text in UTF-8: {error}.") from error
    problems = [f"{file}:{one.line}:{one.column} {one.message}" for one in check_statements(text)]
    if problems:
        raise Refused(
            problems[0],
            advice=f"{output.number(len(problems), 'mistake')} in all: `causeway lql check {file}` shows every one.",
            details="\n".join(problems),
        )
    return text


@schema.command()
@click.option("--give-up", is_flag=True, help="Forget an interrupted rebuild; people stay as they are.")
@click.pass_obj
def rebuild(session: Session, give_up: bool) -> None:
    """Make all people anew from the raw events, as the published schema has it.

    Everybody stays as they are until it is done. Ctrl-C interrupts it; the same command goes on, also with the undoing
    of an import that was interrupted.
    """
    from app.cli.rebuilding import rebuild_people
    from app.jobs.rebuilding import forget_rebuild, start_rebuild

    with session.changing() as engine:
        if give_up:
            state = forget_rebuild(engine)
            session.answer(
                {"given_up": state is not None, "undone": state.undone if state is not None else ()},
                lambda: output.tell(_given_up(state)),
            )
            return
        result = rebuild_people(engine, start_rebuild, {})
    people_now = output.number(result.people, "person", "people")

    def people() -> None:
        if result.undone:
            output.tell(f"With it the import of {output.runs(result.undone)} was undone.")
        output.tell(f"Rebuilt: the workspace now holds {people_now}.")

    session.answer({"status": "completed", "undone": result.undone, "people": result.people}, people)


def _given_up(state: RebuildState | None) -> str:
    if state is None:
        return "No rebuild is unfinished; people are as they are."
    kept = f", and the import of {output.runs(state.undone)} stays" if state.undone else ""
    return f"The rebuild was given up: people stay as they are{kept}."
