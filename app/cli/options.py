"""Options of a job type as a script writes them: NAME=VALUE pairs and a JSON file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from app.catalog import JobType

LISTS = ("columns", "multiselect", "objects")


def read_options(job_type: JobType, pairs: Sequence[str], file: Path | None) -> dict[str, Any]:
    """The options of a job; pairs win over the file. Raises click.UsageError for what can't be an option."""
    import orjson

    types = {option.name: option.type for option in job_type.options}
    options: dict[str, Any] = {}
    if file is not None:
        try:
            text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
            options = orjson.loads(text)
        except (UnicodeDecodeError, orjson.JSONDecodeError) as error:
            raise click.UsageError(f"{file} is no JSON document: {error}.") from error
        if not isinstance(options, dict):
            raise click.UsageError(f'{file} must hold a JSON object, like {{"stream": "members"}}.')
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"“{pair}” is no option; write NAME=VALUE.")
        options[name] = _read(name, types.get(name, ""), value)
    unknown = [name for name in options if name not in types]
    if unknown:
        raise click.UsageError(f"{job_type.name} has no option “{unknown[0]}”. It has: {', '.join(sorted(types))}.")
    return options


def _read(name: str, kind: str, value: str) -> Any:
    import orjson

    match kind:
        case "checkbox":
            return truth(name, value)
        case "number":
            try:
                return int(value)
            except ValueError:
                raise click.UsageError(f"“{value}” is no number for the option “{name}”.") from None
        case "mapping":
            try:
                table = orjson.loads(value)
            except orjson.JSONDecodeError:
                table = None
            if not isinstance(table, dict):
                raise click.UsageError(f'The option “{name}” wants a JSON object, like {{"column": "value"}}.')
            return table
        case kind if kind in LISTS:
            return names(value)
    return value


def truth(name: str, value: str) -> bool:
    """ "true" or "false" as a checkbox."""
    if value.lower() not in ("true", "false"):
        raise click.UsageError(f"The option “{name}” is either true or false.")
    return value.lower() == "true"


def names(value: str) -> list[str]:
    """A list of columns: a JSON array, or names with commas between them."""
    import orjson

    if value.startswith("["):
        try:
            listed = orjson.loads(value)
        except orjson.JSONDecodeError:
            listed = None
        if isinstance(listed, list) and all(isinstance(name, str) for name in listed):
            return listed
    return [name.strip() for name in value.split(",") if name.strip()]
