"""What a provider.yaml says, as values. docs/provider-format.md describes every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class OptionChoice:
    """One of the values that an option can have."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that an authorization asks for. A secret one is kept in the vault, never in the workspace file."""

    name: str
    label: str
    type: str
    required: bool = False
    secret: bool = False
    default: str = ""
    help: str = ""
    advanced: bool = False
    choices: tuple[OptionChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a job. `when` names options and the values with which this one is asked for."""

    name: str
    label: str
    type: str
    required: bool = False
    default: Any = None
    choices: tuple[OptionChoice, ...] = ()
    choices_from: str = ""
    advanced: bool = False
    help: str = ""
    when: Mapping[str, Any] = field(default_factory=dict)

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether the option is asked for, the others having these values."""
        return all(values.get(name) == value for name, value in self.when.items())


@dataclass(frozen=True, slots=True)
class AuthorizationMethod:
    """One way to sign in. `check` names the function of jobs.py that tries it, `place` the one that opens its files."""

    slug: str
    name: str
    kind: str
    summary: str
    check: str
    fields: tuple[Field, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class JobType:
    """One thing a provider can do. `run` and `preview` name functions of jobs.py."""

    slug: str
    name: str
    kind: str
    summary: str
    data: tuple[str, ...]
    frequency: tuple[str, ...]
    authorizations: tuple[str, ...]
    steps: tuple[str, ...]
    options: tuple[Option, ...]
    run: str
    preview: str = ""
    rereads: bool = False
    """Whether rejected rows can be read again from where they were."""

    @property
    def runs_again(self) -> bool:
        """Whether it can be given a schedule."""
        return "continuous" in self.frequency


@dataclass(frozen=True, slots=True)
class Provider:
    """An outside system. `folder` is its folder in `connectors`, `sandbox` names the class that simulates it."""

    slug: str
    name: str
    category: str
    summary: str
    folder: str
    works_offline: bool
    sandbox: str
    authorizations: tuple[AuthorizationMethod, ...]
    jobs: tuple[JobType, ...]
