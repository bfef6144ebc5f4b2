"""The catalogue: which providers there are and what each of them offers, read from `connectors/*/provider.yaml`."""

from app.catalog.catalogue import Catalog
from app.catalog.model import AuthorizationMethod, Field, JobType, Option, OptionChoice, Provider

__all__ = ["AuthorizationMethod", "Catalog", "Field", "JobType", "Option", "OptionChoice", "Provider"]
