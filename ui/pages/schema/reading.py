"""What the Schema page shows, read in one go off the UI thread; and rows made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.engine import Engine
from app.lql.functions import FUNCTIONS
from app.schema.differences import Difference
from app.schema.model import FieldDefinition, MappingDefinition, Schema
from app.schema.queries import (
    FieldUse,
    Offer,
    Version,
    draft_schema,
    list_offers,
    list_versions,
    published_schema,
    unpublished_changes,
)
from app.schema.words import kind_word, operator_word
from app.streams import StreamInfo, list_streams
from ui.widgets import Suggestion

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
MARK_WORDS = {
    ADDED: "New, not published yet",
    CHANGED: "Changed, not published yet",
    REMOVED: "Deleted, not published yet",
}
SIGNS = {ADDED: "+", CHANGED: "~", REMOVED: "−"}
MARK_TOKENS = {ADDED: "completed", CHANGED: "paused", REMOVED: "failed"}


@dataclass(frozen=True, slots=True)
class Contents:
    """The schema with everything around it, as it was at one moment."""

    published: Schema
    draft: Schema
    changes: tuple[Difference, ...]
    versions: tuple[Version, ...]
    offers: tuple[Offer, ...]
    streams: tuple[StreamInfo, ...]


def read_contents(engine: Engine) -> Contents:
    """Read all of it; some queries over small tables."""
    return Contents(
        published_schema(engine),
        draft_schema(engine),
        tuple(unpublished_changes(engine)),
        tuple(list_versions(engine)),
        tuple(list_offers(engine)),
        tuple(list_streams(engine)),
    )


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field in the table, with its mappings; `mark` is "added", "changed", "removed" or ""."""

    field: FieldDefinition
    mappings: tuple[MappingDefinition, ...]
    mark: str
    use: FieldUse | None

    @property
    def filled(self) -> float | None:
        """The share of people who have a value, None while unknown."""
        return self.use.filled / self.use.people if self.use is not None and self.use.people else None


@dataclass(frozen=True, slots=True)
class MappingRow:
    """A mapping in the table; `mark` as of FieldRow."""

    mapping: MappingDefinition
    mark: str


def field_rows(contents: Contents, use: dict[str, FieldUse]) -> list[FieldRow]:
    """The draft's fields in its order, then those that the draft takes away."""
    fields = [*contents.draft.fields]
    known = {field.name for field in fields}
    gone = [field for field in contents.published.fields if field.name not in known]
    verbs = {change.subject: change.verb for change in contents.changes}
    ordered = [(field, contents.draft.mappings) for field in fields]
    ordered += [(field, contents.published.mappings) for field in gone]
    changed = changed_mappings(contents)
    rows = []
    for field, mappings in ordered:
        own = tuple(mapping for mapping in mappings if mapping.field == field.name)
        mark = verbs.get(f"field:{field.name}", "")
        if not mark and field.name in changed:
            mark = CHANGED
        rows.append(FieldRow(field, own, mark, use.get(field.name)))
    return rows


def changed_mappings(contents: Contents) -> set[str]:
    """The fields of which a mapping is new, changed or gone."""
    keys = {change.subject.removeprefix("mapping:") for change in contents.changes if change.subject[:8] == "mapping:"}
    both = (*contents.draft.mappings, *contents.published.mappings)
    return {mapping.field for mapping in both if mapping.key in keys}


def mapping_rows(contents: Contents) -> list[MappingRow]:
    """The draft's mappings, then those that it takes away."""
    verbs = {change.subject: change.verb for change in contents.changes}
    known = {mapping.key for mapping in contents.draft.mappings}
    gone = [mapping for mapping in contents.published.mappings if mapping.key not in known]
    return [
        MappingRow(mapping, verbs.get(f"mapping:{mapping.key}", "")) for mapping in (*contents.draft.mappings, *gone)
    ]


def written(mapping: MappingDefinition) -> str:
    """A mapping in one line: "valuect(list_name) IF event == "open""."""
    text = mapping.expression
    if mapping.condition:
        text += f" IF {mapping.condition}"
    return " ".join(text.split())


def merge_word(field: FieldDefinition) -> str:
    """How values meet; an identifier has one or several and no rule."""
    if field.is_identifier:
        return "Several" if field.type.startswith("[]") else "One value"
    return operator_word(field.merge, field.type)


def identity_word(field: FieldDefinition) -> str:
    """ "Identifier 2" by rank, or nothing."""
    if not field.is_identifier:
        return ""
    return f"Identifier {field.rank}" if field.rank is not None else "Identifier"


def field_text(row: FieldRow) -> str:
    """What a search looks at."""
    field = row.field
    parts = (field.name, field.label, field.description, kind_word(field.type), *map(written, row.mappings))
    return " ".join((*parts, *(mapping.stream for mapping in row.mappings))).casefold()


def share_text(share: float | None) -> str:
    """A share as people read it; neither "100%" for almost all nor "0%" for a few."""
    if share is None:
        return ""
    if share in (0, 1):
        return f"{share:.0%}"
    return "> 99%" if share > 0.99 else "< 1%" if share < 0.01 else f"{share:.0%}"


def suggestions(keys: Sequence[tuple[str, str]], fields: Sequence[FieldDefinition] = ()) -> list[Suggestion]:
    """What completion offers: keys of the stream (name, type), functions, and for whole statements fields."""
    offered = [Suggestion(name, quoted(name), f"Key, {kind}") for name, kind in keys]
    for name, function in sorted(FUNCTIONS.items()):
        takes = function.most is None or function.most > 0
        offered.append(Suggestion(name, f"{name}()", function.summary, 1 if takes else 0))
    known = {one.label for one in offered}
    offered += [
        Suggestion(field.name, field.name, f"Field, {kind_word(field.type).lower()}")
        for field in fields
        if field.name not in known
    ]
    return offered


def quoted(key: str) -> str:
    """A key as the language has it: in backticks unless it is a plain name."""
    plain = key.isascii() and all(part.isidentifier() for part in key.split("."))
    return key if plain else f"`{key}`"
