"""What is wrong with a provider.yaml, each fault as a sentence with file, line and key.

It is run by the tests and by `causeway doctor`, and when a file can't be read; a normal start does not pay for it.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from app.catalog.catalogue import mapping_files
from app.catalog.model import Provider
from app.catalog.reading import read_provider
from app.catalog.shared import UnknownName, spread
from app.yaml_faults import Path, doubles, key_of, line_of, told

RUNS = {"import": inspect.isasyncgenfunction}
"""What moves data in brings it in batches; the others answer once."""


def faults(text: str, name: str, folder: str) -> list[str]:
    """Every fault of a provider.yaml whose text is given and which messages call `name`."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        return [f"{name}{line}: {getattr(error, 'problem', None) or error}"]
    if root is None:
        return [f"{name}: the file is empty"]

    def at(path: Path, message: str) -> str:
        return f"{name}, line {line_of(root, path)}, {key_of(path)}: {message}"

    found = [at(path, f"the key {key} is there twice") for path, key in doubles(root)]
    try:
        spread(document)
    except UnknownName as error:
        return [*found, at((*error.path, "use"), f"{error.name} is not in connectors/kit/shared.yaml")]
    except (AttributeError, TypeError):
        pass  # the schema says which part has the wrong form
    schema = json.loads(resources.files("app.catalog").joinpath("provider.schema.json").read_text("utf-8"))
    flaws = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda flaw: list(map(str, flaw.path)))
    found += [at(path, message) for flaw in flaws for path, message in told(flaw)]
    if found:
        return found
    provider = read_provider(text, folder)
    return [at(path, message) for path, message in _inconsistencies(provider)] + mapping_faults(folder)


def mapping_faults(folder: str) -> list[str]:
    """Every fault of a provider's default mappings, with file, line and column where it has a place."""
    # Imported here: the mapping language is no part of what a provider.yaml needs.
    from app.lql import check_statements
    from app.schema.checks import faults as schema_faults
    from app.schema.lql_files import brought_schema

    found: list[str] = []
    for stream, text in mapping_files(folder):
        name = f"connectors/{folder}/mappings/{stream}.lql"
        problems = check_statements(text)
        found += [f"{name}, line {one.line}, column {one.column}: {one.message}" for one in problems]
        if problems:
            continue
        brought = brought_schema(text, folder.replace("_", "-"))
        found += [f"{name}: {fault}" for fault in schema_faults(brought)]
        found += [f"{name}: the stream {other} has a file of its own" for other in brought.streams() if other != stream]
    return found


def _inconsistencies(provider: Provider) -> list[tuple[Path, str]]:
    """Faults that a schema can't see: names that nothing has."""
    found: list[tuple[Path, str]] = []
    functions = vars(importlib.import_module(f"connectors.{provider.folder}.jobs"))

    def function(path: Path, name: str, check: Any) -> None:
        if name and not check(functions.get(name)):
            found.append((path, f"jobs.py has no fitting function {name}"))

    if provider.folder.replace("_", "-") != provider.slug:
        found.append((("slug",), f"the folder {provider.folder} does not fit the slug {provider.slug}"))
    if provider.sandbox:
        simulated = vars(importlib.import_module(f"connectors.{provider.folder}.sandbox"))
        if not inspect.isclass(simulated.get(provider.sandbox)):
            found.append((("sandbox",), f"sandbox.py has no class {provider.sandbox}"))
    found += _twice(("authorizations",), [method.slug for method in provider.authorizations])
    found += _twice(("jobs",), [job.slug for job in provider.jobs])
    slugs = {method.slug for method in provider.authorizations}
    for index, method in enumerate(provider.authorizations):
        here = ("authorizations", index)
        function((*here, "check"), method.check, inspect.iscoroutinefunction)
        function((*here, "place"), method.place, inspect.isfunction)
        found += _twice((*here, "fields"), [field.name for field in method.fields])
        for number, field in enumerate(method.fields):
            if field.type in ("password", "pgp-private-key") and not field.secret:
                found.append(((*here, "fields", number), f"the {field.type} {field.name} must be secret"))
            if field.type == "select" and field.default not in [choice.value for choice in field.choices]:
                found.append(((*here, "fields", number), "a select needs choices and one of them as its default"))
    for index, job in enumerate(provider.jobs):
        here = ("jobs", index)
        function((*here, "run"), job.run, RUNS.get(job.kind, inspect.iscoroutinefunction))
        function((*here, "preview"), job.preview, inspect.iscoroutinefunction)
        found += [
            ((*here, "authorizations", number), f"there is no authorization {slug}")
            for number, slug in enumerate(job.authorizations)
            if slug not in slugs
        ]
        names = {option.name for option in job.options}
        found += _twice((*here, "options"), [option.name for option in job.options])
        for number, option in enumerate(job.options):
            there = (*here, "options", number)
            function((*there, "choices_from"), option.choices_from, inspect.iscoroutinefunction)
            found += [((*there, "when"), f"there is no option {name}") for name in option.when if name not in names]
            values = [choice.value for choice in option.choices]
            defaults = option.default if isinstance(option.default, list) else [option.default]
            found += [
                ((*there, "default"), f"{default!r} is not among the choices")
                for default in defaults
                if values and default is not None and default not in values
            ]
            if option.type == "select" and not values and not option.choices_from:
                found.append((there, "a select needs choices or choices_from"))
    return found


def _twice(path: Path, names: Sequence[str]) -> list[tuple[Path, str]]:
    return [(path, f"{name} is there twice") for name in sorted({name for name in names if names.count(name) > 1})]
