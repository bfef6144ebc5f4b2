"""What Lotame does: it takes up files of email addresses and the segments behind them.

Their form is the one that Lotame publishes as “Onboarding - File Specifications”: a JSON object in each line, in a
folder named by the client, under a name that ends by what the identifier is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.errors import InputError
from connectors.kit.files.exporting import export_people, preview_export
from connectors.kit.files.layout import Audiences, FieldValue, Layout, Made, require_field, standard_layout
from connectors.kit.places.base import Place
from connectors.kit.places.s3_account import check_s3_account as check_s3_account
from connectors.kit.places.s3_account import list_s3_buckets, open_s3_account, reach_s3_account
from connectors.kit.types import Choice, Credentials, ExportContext, ExportSource, Preview

_SUM = re.compile("[0-9a-f]{64}")


def open_place(credentials: Credentials, options: Mapping[str, Any]) -> Place:
    """The bucket of a job, or all buckets of the account where none is chosen."""
    return open_s3_account(credentials, options)


async def list_buckets(credentials: Credentials, options: Mapping[str, Any], path: str) -> list[Choice]:
    """The buckets of the account, by name."""
    return await list_s3_buckets(credentials, options, path)


async def people_export(context: ExportContext) -> None:
    """Everybody in the audiences who has an email address, with the names of the audiences."""
    layout = _layout(context.source, context.options)
    await export_people(context, lambda: reach_s3_account(context.credentials, context.options), layout)


async def people_export_preview(source: ExportSource, options: Mapping[str, Any]) -> Preview:
    """The first people as they will be in the file."""
    return preview_export(source, _layout(source, options))


def _layout(source: ExportSource, options: Mapping[str, Any]) -> Layout:
    base = standard_layout(source, options, "json")
    identifier = require_field({field.name: field for field in source.fields}, str(options["identifier_field"])).name
    client = str(options["client"]).strip()
    if not re.fullmatch("[A-Za-z0-9_-]+", client):
        raise InputError(f"“{client}” is no client ID of Lotame.", advice="Copy it from what Lotame gave you.")
    hashed = options.get("email_form") != "EMAIL"
    return replace(
        base,
        columns=(
            Made("userid", (FieldValue(identifier),), _hashed if hashed else str.strip),
            Audiences("segments", base.audiences, "name"),
        ),
        needed=(identifier,),
        folder=f"onboarding/in/client_id={client}/type=DATA",
        name="{segment_slug}_{TIMESTAMP}_EMAIL" + ("_SHA256" if hashed else ""),
        time_format="YYYYMMDDHHmmss",
        zone=base.zone or "UTC",
    )


def _hashed(email: str) -> str:
    """The SHA-256 of an address; what is one already stays."""
    text = email.strip().lower()
    return text if _SUM.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()
