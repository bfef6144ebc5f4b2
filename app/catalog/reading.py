"""From the text of a provider.yaml to a Provider."""

from __future__ import annotations

from typing import Any

import yaml

from app.catalog.model import AuthorizationMethod, Field, JobType, Option, OptionChoice, Provider
from app.catalog.shared import Loader, spread


def read_provider(text: str, folder: str) -> Provider:
    """Build the provider of a valid file. Raises KeyError, TypeError, UnknownName or yaml.YAMLError for any other."""
    document: dict[str, Any] = spread(yaml.load(text, Loader=Loader))
    return Provider(
        slug=document["slug"],
        name=document["name"],
        category=document["category"],
        summary=document["summary"],
        folder=folder,
        works_offline=document.get("works_offline", False),
        sandbox=document.get("sandbox", ""),
        authorizations=tuple(_method(entry) for entry in document["authorizations"]),
        jobs=tuple(_job_type(entry) for entry in document["jobs"]),
    )


def _method(entry: dict[str, Any]) -> AuthorizationMethod:
    return AuthorizationMethod(**entry | {"fields": tuple(_field(field) for field in entry["fields"])})


def _job_type(entry: dict[str, Any]) -> JobType:
    lists = {key: tuple(entry.get(key, ())) for key in ("data", "frequency", "authorizations", "steps")}
    return JobType(**entry | lists | {"options": tuple(_option(option) for option in entry["options"])})


def _option(entry: dict[str, Any]) -> Option:
    return Option(**entry | {"choices": _choices(entry)})


def _field(entry: dict[str, Any]) -> Field:
    return Field(**entry | {"choices": _choices(entry)})


def _choices(entry: dict[str, Any]) -> tuple[OptionChoice, ...]:
    return tuple(OptionChoice(**choice) for choice in entry.get("choices", ()))
