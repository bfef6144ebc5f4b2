"""Signing in to S3 with what the usual fields of an authorization hold: keys, a profile or a role, region, address."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from connectors.kit.errors import SignInError
from connectors.kit.places.object_store import ObjectPlace
from connectors.kit.places.object_store_s3 import S3Access, open_s3
from connectors.kit.types import Account, Choice, Credentials


def open_s3_account(credentials: Credentials, options: Mapping[str, Any]) -> ObjectPlace:
    """The bucket that the option `bucket` names, or all buckets of the account where none is chosen."""
    return open_s3(_access(credentials), str(options.get("bucket") or ""))


def reach_s3_account(credentials: Credentials, options: Mapping[str, Any]) -> ObjectPlace:
    """The same for an export: known to be there before anything is written for it."""
    return open_s3_account(credentials, options).reached()


async def check_s3_account(credentials: Credentials) -> Account:
    """Sign in, and ask for the buckets; keys that may not list them are good keys all the same."""
    with closing(open_s3_account(credentials, {})) as place:
        place.reach()
    access = _access(credentials)
    keys = f"access key {access.access_key}" if access.access_key else f"AWS profile {access.profile or 'default'}"
    return Account(f"role {access.role}, with {keys}" if access.role else keys)


async def list_s3_buckets(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The buckets of the account, by name."""
    with closing(open_s3_account(credentials, {})) as place:
        return [Choice(entry.name, entry.name) for entry in place.list()]


def _access(credentials: Credentials) -> S3Access:
    settings, secrets = credentials.settings, credentials.secrets
    access_key, secret_key = settings.get("access_key", "").strip(), secrets.get("secret_key", "").strip()
    if bool(access_key) != bool(secret_key):
        raise SignInError(
            f"There is {'no secret key' if access_key else 'no access key'} for Amazon S3.",
            advice="Enter both keys in the authorization; they belong together.",
        )
    return S3Access(
        access_key,
        secret_key,
        profile=settings.get("profile", "").strip(),
        role=settings.get("role_arn", "").strip(),
        external_id=settings.get("external_id", "").strip(),
        region=settings.get("region", "").strip(),
        address=settings.get("api_address", ""),
    )
