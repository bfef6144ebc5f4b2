"""Writes the tables of docs/lql.md from the language itself: `python -m app.lql.reference`. The rest of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.lql.functions import Function
from app.lql.functions.aggregates import AGGREGATES
from app.lql.functions.casts import CASTING
from app.lql.functions.containers import CONTAINERS
from app.lql.functions.dates import DATES
from app.lql.functions.filters import FILTERS
from app.lql.functions.hashes import HASHES
from app.lql.functions.logic import LOGIC
from app.lql.functions.numbers import NUMERIC
from app.lql.functions.text import TEXT
from app.lql.functions.web import WEB
from app.lql.kinds import MERGE_OPERATORS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lql.md"
FAMILIES = {
    "Tests and presence": LOGIC,
    "Text": TEXT,
    "Hashes and encodings": HASHES,
    "From one type to another": CASTING,
    "Dates": DATES,
    "Lists and maps": CONTAINERS,
    "Email, URL, network": WEB,
    "Numbers": NUMERIC,
    "Over all events of a person": AGGREGATES,
    "In audiences only": FILTERS,
}
HOLDS = {
    "string": "text",
    "int": "a whole number of 64 bits",
    "number": "a number",
    "bool": "true or false",
    "date": "a moment, in UTC",
    "[]string": "a set of texts; kept sorted, so positions are lost",
    "ts[]string": "a set of texts in the order of time",
    "[]time": "a set of dates",
    "map[string]string": "texts by key; dots in keys are no levels",
    "map[string]int": "whole numbers by key",
    "map[string]number": "numbers by key",
    "map[string]bool": "true or false by key",
    "map[string]time": "dates by key",
    "map[string]intsum": "running sums by key",
    "map[string]value": "anything by key",
    "[]timebucket": "numbers of events by day",
    "geolocation": "a place as latitude and longitude: 52.09,5.12",
}


def function_tables() -> str:
    """Every function, a table for each family."""
    return "\n".join("\n".join(_family(title, functions)) for title, functions in FAMILIES.items())


def kind_table() -> str:
    """Every kind with what it holds and how it may be merged."""
    rows = [
        f"| `{kind}` | {HOLDS[kind]} | {', '.join(f'`{operator}`' for operator in operators)} |"
        for kind, operators in MERGE_OPERATORS.items()
    ]
    head = "| kind | holds | merge operators, the usual one first |\n| --- | --- | --- |"
    return "\n".join([head, *rows, ""])


def _family(title: str, functions: tuple[Function, ...]) -> Iterator[str]:
    yield f"### {title}\n\n| function | arguments | brings | what it does |\n| --- | --- | --- | --- |"
    for function in functions:
        names = ", ".join(f"`{name}`" for name in (function.name, *function.aliases))
        brings = f"`{function.result}`" if function.result else "what it is given"
        yield f"| {names} | {_arguments(function)} | {brings} | {function.summary.replace('|', chr(92) + '|')} |"
    yield ""


def _arguments(function: Function) -> str:
    if function.most is None:
        return f"{function.least} or more"
    return str(function.least) if function.least == function.most else f"{function.least} to {function.most}"


def document() -> str:
    """The page with its tables made anew."""
    page = PAGE.read_text(encoding="utf-8")
    for what, table in (("kinds", kind_table()), ("functions", function_tables())):
        begin, end = f"<!-- {what}: written by python -m app.lql.reference -->", f"<!-- end of {what} -->"
        head, rest = page.split(begin)
        page = f"{head}{begin}\n\n{table}\n{end}{rest.split(end)[1]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8", newline="\n")
