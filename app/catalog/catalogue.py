"""All providers together, found as folders of the `connectors` package."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib import resources
from typing import Any, Self, TypeVar

import yaml

from app.catalog.model import AuthorizationMethod, Field, JobType, Option, Provider
from app.catalog.reading import read_provider
from app.catalog.shared import UnknownName
from app.errors import CausewayError, NotFound

Entry = TypeVar("Entry")


class Catalog:
    """What can be chosen. Functions of providers are imported when they are asked for, by name."""

    def __init__(self, providers: tuple[Provider, ...]) -> None:
        self.providers = providers
        self._providers = {provider.slug: provider for provider in providers}
        self._jobs = {job.slug: (job, provider) for provider in providers for job in provider.jobs}
        self._methods = {
            method.slug: (method, provider) for provider in providers for method in provider.authorizations
        }

    @classmethod
    def load(cls) -> Self:
        """Read every provider.yaml. Raises CausewayError with the faults of one that can't be read."""
        providers = []
        for folder, text in provider_files():
            try:
                providers.append(read_provider(text, folder))
            except (KeyError, TypeError, ValueError, UnknownName, yaml.YAMLError) as error:
                from app.catalog.validation import faults

                raise CausewayError(
                    f"The description of the provider {folder} can't be read.",
                    advice="Install Causeway again; if you wrote the provider, mend the faults below.",
                    details="\n".join(faults(text, f"connectors/{folder}/provider.yaml", folder)),
                ) from error
        return cls(tuple(sorted(providers, key=lambda provider: provider.name.casefold())))

    def provider(self, slug: str) -> Provider:
        """Raises NotFound."""
        return _known(self._providers, slug, "provider")

    def job_type(self, slug: str) -> JobType:
        """Raises NotFound."""
        return _known(self._jobs, slug, "job type")[0]

    def provider_of_job_type(self, slug: str) -> Provider:
        """Raises NotFound."""
        return _known(self._jobs, slug, "job type")[1]

    def method(self, slug: str) -> AuthorizationMethod:
        """Raises NotFound."""
        return _known(self._methods, slug, "authorization method")[0]

    def provider_of_method(self, slug: str) -> Provider:
        """Raises NotFound."""
        return _known(self._methods, slug, "authorization method")[1]

    def function(self, provider: str, name: str) -> Callable[..., Any]:
        """The function of the provider's jobs.py that its description names."""
        module = importlib.import_module(f"connectors.{self.provider(provider).folder}.jobs")
        function: Callable[..., Any] = getattr(module, name)
        return function

    def sandbox(self, provider: str) -> Callable[..., Any] | None:
        """The class that simulates the provider on this computer, if it has one."""
        described = self.provider(provider)
        if not described.sandbox:
            return None
        module = importlib.import_module(f"connectors.{described.folder}.sandbox")
        simulated: Callable[..., Any] = getattr(module, described.sandbox)
        return simulated

    def default_mapping(self, provider: str, stream: str) -> str | None:
        """The LQL text that the provider ships for a stream: `mappings/<stream>.lql` in its folder."""
        return dict(mapping_files(self.provider(provider).folder)).get(stream)

    def as_json(self) -> list[dict[str, Any]]:
        """Every provider as JSON: the form that `causeway catalog --json` prints."""
        return [_provider_json(provider) for provider in self.providers]


def provider_files() -> list[tuple[str, str]]:
    """(folder, text of provider.yaml) of each provider, by folder."""
    found = []
    for folder in resources.files("connectors").iterdir():
        description = folder / "provider.yaml"
        if folder.is_dir() and description.is_file():
            found.append((folder.name, description.read_text("utf-8")))
    return sorted(found)


def mapping_files(folder: str) -> list[tuple[str, str]]:
    """(stream, LQL text) of each default mapping in a provider's folder, by stream."""
    mappings = resources.files(f"connectors.{folder}") / "mappings"
    if not mappings.is_dir():
        return []
    return sorted(
        (file.name.removesuffix(".lql"), file.read_text("utf-8"))
        for file in mappings.iterdir()
        if file.name.endswith(".lql")
    )


def _known(table: dict[str, Entry], slug: str, what: str) -> Entry:
    if slug not in table:
        raise NotFound(f"There is no {what} “{slug}”.", advice="`causeway catalog` lists what there is.")
    return table[slug]


def _provider_json(provider: Provider) -> dict[str, Any]:
    return {
        "provider": provider.slug,
        "name": provider.name,
        "category": provider.category,
        "summary": provider.summary,
        "works_offline": provider.works_offline,
        "authorizations": [
            {
                "slug": method.slug,
                "name": method.name,
                "kind": method.kind,
                "summary": method.summary,
                "fields": [_field_json(field) for field in method.fields if field.type != "hidden"],
                "serves": [job.slug for job in provider.jobs if method.slug in job.authorizations],
            }
            for method in provider.authorizations
        ],
        "jobs": [
            {
                "slug": job.slug,
                "name": job.name,
                "kind": job.kind,
                "summary": job.summary,
                "frequency": list(job.frequency),
                "authorizations": list(job.authorizations),
                "steps": list(job.steps),
                "streams": [],
                "export_fields": [],
                "config": [_option_json(option) for option in job.options],
            }
            for job in provider.jobs
        ],
    }


def _field_json(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "required": field.required,
        "secret": field.secret,
        "notes": field.help,
    }


def _option_json(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "label": option.label,
        "type": option.type,
        "required": option.required,
        "default": option.default,
        "choices": [choice.value for choice in option.choices],
        "choices_from": option.choices_from,
        "advanced": option.advanced,
        "notes": option.help,
    }
