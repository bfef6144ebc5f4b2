"""What commands print: one JSON document, or text and tables for people. Messages go to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click

MAX_CELL = 60
"""A longer value is cut in a table; --json has all of it."""


def say(text: str) -> None:
    """A message for the person at the terminal, on standard error."""
    click.echo(clean(text, keep="\n"), err=True)


def tell(text: str) -> None:
    """A result for people, on standard output."""
    click.echo(clean(text, keep="\n"))


def clean(text: str, keep: str = "") -> str:
    """Without control characters: a value from a file or a server must not steer the terminal."""
    return "".join(c if c in keep or c.isprintable() else "�" if c not in "\t\r\n" else " " for c in text)


def print_json(document: Any) -> None:
    """The one JSON document of a command, UTF-8 whatever the terminal's encoding."""
    import orjson

    data = orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    sys.stdout.flush()
    binary: IO[bytes] | None = getattr(sys.stdout, "buffer", None)
    if binary is not None:
        binary.write(data)
        binary.flush()
    else:
        sys.stdout.write(data.decode())


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return path_text(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def path_text(path: Path) -> str:
    """The path as text that can be printed even where its bytes are not valid."""
    return os.fsencode(path).decode("utf-8", "replace")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Rows under their headings: on a terminal wrapped to its width, in a pipe one line a row."""
    cells = [[_cell(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _draw_table(columns, cells, right)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in (columns, *cells):
        line = "  ".join(
            f"{cell:>{width}}" if column in right else f"{cell:<{width}}"
            for column, cell, width in zip(columns, row, widths, strict=True)
        )
        click.echo(line.rstrip())


def _draw_table(columns: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[str]) -> None:
    # Imported here: drawing takes longer to load than all that most commands do.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    for row in cells:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    text = clean(text)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def value(held: Any) -> str:
    """A value of a person or an event in a table: of a set its members, of a map or row its entries."""
    if isinstance(held, list):
        return ", ".join(map(value, held))
    if isinstance(held, dict):
        return ", ".join(f"{key} {value(one)}" for key, one in held.items())
    if isinstance(held, bool):
        return "yes" if held else "no"
    return "" if held is None else str(held)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Labels and values, one a line; empty ones are left out."""
    told = [(label, clean(str(value))) for label, value in facts if value not in (None, "")]
    width = max((len(label) for label, _ in told), default=0)
    for label, value in told:
        click.echo(f"{label:<{width}}  {value}")


def local_time(text: str | None) -> str:
    """A kept time ("2026-11-22T04:15:00.000000Z") in the user's zone, to the second."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def local_microseconds(at: int | None) -> str:
    """An event's time in the user's zone."""
    return local_time(utc_text(at))


def utc_text(at: int | None) -> str | None:
    """An event's time (microseconds since 1970) as JSON has it."""
    from connectors.kit.times import format_time

    return None if at is None else format_time(at)


def number(count: int, one: str, many: str = "") -> str:
    """ "1 row", "2,400 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def runs(numbers: Sequence[int]) -> str:
    """ "run 3", "runs 3, 4 and 6"."""
    if len(numbers) == 1:
        return f"run {numbers[0]}"
    return f"runs {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error to be called with (done, total); None where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
