"""`causeway lql`: the mapping language by itself, without a workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from app.cli import output
from app.cli.commands import Group
from app.cli.session import Session
from app.errors import NotFound, Refused

if TYPE_CHECKING:
    from app.lql import Problem

FILE = click.Path(dir_okay=False, path_type=Path)
STANDARD_INPUT = Path("-")


@click.group(cls=Group)
def lql() -> None:
    """Try, check and tidy up texts of the mapping language (LQL)."""


@lql.command("eval")
@click.argument("expression", required=False)
@click.option("--event", metavar="JSON", help="The event as a JSON object; - reads it from standard input.")
@click.option("--event-ts", metavar="TIME", help="The event's own time; else --now, else the time now.")
@click.option("--now", metavar="TIME", help='What "now-3d" counts from; else the event\'s time.')
@click.option(
    "--cases",
    type=FILE,
    metavar="FILE",
    help="Answer many: a JSON object with expression, event, event_ts and now on each line; - is standard input.",
)
@click.pass_obj
def eval_(
    session: Session,
    expression: str | None,
    event: str | None,
    event_ts: str | None,
    now: str | None,
    cases: Path | None,
) -> None:
    """Tell what EXPRESSION answers for an event: {"value", "type"}.

    With --cases each line is answered by one line, {"value", "type"} or {"error"}, in order.
    """
    if cases is not None:
        if expression is not None or event is not None or event_ts is not None or now is not None:
            raise click.UsageError("--cases brings expressions, events and times of its own.")
        _answer_cases(cases)
        return
    if expression is None:
        raise click.UsageError("Write an expression, or name a file with --cases.")
    import orjson

    from app.lql.evaluation import as_json, evaluate

    at, now_at = _moment("--event-ts", event_ts), _moment("--now", now)
    value, kind = evaluate(expression, _event(event), at=at, now=now_at)
    answer = {"value": as_json(value), "type": kind}
    session.answer(answer, lambda: output.tell(orjson.dumps(answer).decode()))


def _answer_cases(cases: Path) -> None:
    import orjson

    from app.lql.evaluation import answer_case

    sys.stdout.flush()
    with _opened(cases) as lines:
        for line in lines:
            if line.strip():
                sys.stdout.buffer.write(orjson.dumps(answer_case(line), option=orjson.OPT_APPEND_NEWLINE))
                if cases == STANDARD_INPUT:
                    # Whoever writes a line may wait for its answer before the next.
                    sys.stdout.buffer.flush()
    sys.stdout.buffer.flush()


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") as opened:
            yield opened
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {output.path_text(file)}.") from error


def _event(text: str | None) -> dict[str, Any]:
    import orjson

    if text is None:
        return {}
    try:
        event = orjson.loads(sys.stdin.buffer.read() if text == "-" else text)
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"The event is no JSON: {error}.") from error
    if not isinstance(event, dict):
        raise click.UsageError('The event is a JSON object such as {"email": "ann@x.com"}.')
    return event


def _moment(option: str, text: str | None) -> Any:
    from app.lql.evaluation import moment_of_json

    if text is None:
        return None
    try:
        moment = moment_of_json(float(text) if "." in text else int(text))
    except ValueError:
        moment = moment_of_json(text)
    if moment is None:
        raise click.UsageError(f"{option} {text} can't be read as a time. Write it as 2026-11-22T08:30:00Z.")
    return moment


@lql.command()
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.pass_obj
def check(session: Session, files: tuple[Path, ...]) -> int:
    """Report every mistake of FILES as FILE:LINE:COLUMN and a sentence; the exit code is 1 when there is one."""
    from app.lql import check_statements

    found: list[tuple[str, Problem]] = []
    for file in files:
        found += ((output.path_text(file), problem) for problem in check_statements(_text(file)))
    document = {
        "problems": [
            {
                "file": name,
                "line": problem.line,
                "column": problem.column,
                "end_line": problem.end_line,
                "end_column": problem.end_column,
                "message": problem.message,
            }
            for name, problem in found
        ]
    }

    def people() -> None:
        for name, problem in found:
            output.tell(f"{name}:{problem.line}:{problem.column} {problem.message}")
        if not found:
            output.tell(f"No mistakes in {output.number(len(files), 'file')}.")

    session.answer(document, people)
    return 1 if found else 0


@lql.command("format")
@click.argument("file", type=FILE)
@click.option("--write", is_flag=True, help="Put the result into the file instead of printing it.")
@click.pass_obj
def format_(session: Session, file: Path, write: bool) -> None:
    """Print the statements of FILE with one column a line, aligned. Comments are not kept."""
    from app.lql import parse_statements, print_statement
    from app.lql.parser import has_comments
    from app.whole_file import whole_file

    text = _text(file)
    tidy = "\n".join(print_statement(statement) for statement in parse_statements(text))
    if write:
        if has_comments(text):
            raise Refused(
                f"{output.path_text(file)} was not changed: its comments would be lost.",
                advice="Remove the comments, or format without --write and copy what you need.",
            )
        with whole_file(file) as part:
            part.write_text(tidy, encoding="utf-8", newline="\n")
    session.answer(
        {"text": tidy, "written": write},
        lambda: output.tell(f"Wrote {output.path_text(file)}." if write else tidy.rstrip("\n")),
    )


def _text(file: Path) -> str:
    with _opened(file) as opened:
        data = opened.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{output.path_text(file)} is no text in UTF-8.", advice="Save it as UTF-8.") from error
