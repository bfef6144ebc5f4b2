"""What differs between two schemas, in sentences; and the draft, kept as differences to the published schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from app.schema.model import (
    FieldDefinition,
    MappingDefinition,
    Schema,
    field_document,
    make_schema,
    mapping_document,
)
from app.schema.words import field_words, kind_word, listed, operator_word

Verb = Literal["added", "changed", "removed"]
Entries = Mapping[str, Any]
"""Subject to its document after the change, None where it is removed."""

SHARED_LIMIT = "setting:shared_limit"
RANKING = "setting:ranking"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs.

    `subject` names it for programs ("field:email", "mapping:m_0123456789ab", "setting:ranking"), `title` for people;
    `words` are what is different. `origin` and `at` say whose change it is and since when, for unpublished changes.
    `needs_rebuild`: people who are there already get it only by a rebuild.
    """

    subject: str
    verb: Verb
    title: str
    words: tuple[str, ...]
    origin: str = ""
    at: str = ""
    needs_rebuild: bool = False


def needs_rebuild(differences: Iterable[Difference]) -> bool:
    """Whether one of them reaches people who are there already only by a rebuild."""
    return any(difference.needs_rebuild for difference in differences)


def compare(before: Schema, after: Schema) -> list[Difference]:
    """What is different in `after`: fields, then mappings, then settings."""
    found = [
        _field_difference(one, other)
        for one, other in _pairs(before.fields, after.fields, lambda field: field.name.casefold())
        if one is None or other is None or not _same_field(one, other)
    ]
    found += [
        _mapping_difference(one, other)
        for one, other in _pairs(before.mappings, after.mappings, lambda mapping: mapping.key)
        if one != other
    ]
    ranking = after.ranking()
    if ranking != _default_ranking(before, after.fields):
        words = (f"The strongest first: {', '.join(ranking)}.",)
        found.append(Difference(RANKING, "changed", "Order of identifiers", words, needs_rebuild=True))
    if before.shared_limit != after.shared_limit:
        words = (
            f"A value ties people together up to {after.shared_limit:,} others, until now {before.shared_limit:,}.",
        )
        found.append(Difference(SHARED_LIMIT, "changed", "Limit of shared identifiers", words, needs_rebuild=True))
    return found


def delta(before: Schema, after: Schema) -> dict[str, Any]:
    """The entries that make `after` of `before`: overlay(before, delta(before, after)) == after."""
    entries: dict[str, Any] = {}
    for field, other in _pairs(before.fields, after.fields, lambda field: field.name.casefold()):
        if other is None:
            entries[f"field:{field.name}"] = None  # type: ignore[union-attr]
        elif field is None or not _same_field(field, other):
            entries[f"field:{other.name}"] = field_document(replace(other, rank=None))
    for mapping, now in _pairs(before.mappings, after.mappings, lambda mapping: mapping.key):
        if now is None:
            entries[f"mapping:{mapping.key}"] = None  # type: ignore[union-attr]
        elif mapping != now:
            entries[f"mapping:{now.key}"] = mapping_document(now)
    ranking = after.ranking()
    if ranking != _default_ranking(before, after.fields):
        entries[RANKING] = list(ranking)
    if before.shared_limit != after.shared_limit:
        entries[SHARED_LIMIT] = after.shared_limit
    return entries


def overlay(before: Schema, entries: Entries) -> Schema:
    """The schema with these entries over it. Entries that say what is so already change nothing."""
    kept = {field.name.casefold(): field for field in before.fields}
    mappings = {mapping.key: mapping for mapping in before.mappings}
    for subject, after in entries.items():
        room, _, name = subject.partition(":")
        if room == "field":
            there = kept.pop(name.casefold(), None)
            if after is not None:
                field = FieldDefinition(**after)
                rank = there.rank if there is not None and there.is_identifier else None
                kept[name.casefold()] = replace(field, rank=rank)
        elif room == "mapping":
            mappings.pop(name, None)
            if after is not None:
                mappings[name] = MappingDefinition(**after)
    return make_schema(
        kept.values(), mappings.values(), entries.get(SHARED_LIMIT, before.shared_limit), entries.get(RANKING)
    )


def _default_ranking(before: Schema, after: Sequence[FieldDefinition]) -> tuple[str, ...]:
    """The identifiers of `after` as they come without anybody ranking them: as before, new ones last."""
    ranks = {field.name.casefold(): field.rank for field in before.fields if field.is_identifier}
    return make_schema((replace(field, rank=ranks.get(field.name.casefold())) for field in after), ()).ranking()


def _same_field(one: FieldDefinition, other: FieldDefinition) -> bool:
    return replace(one, rank=None) == replace(other, rank=None)


def _pairs(
    before: Sequence[Any], after: Sequence[Any], key: Callable[[Any], str]
) -> list[tuple[Any | None, Any | None]]:
    """Things of both sides by their key: those that were there, in their order, then the new ones."""
    new = {key(thing): thing for thing in after}
    pairs = [(thing, new.pop(key(thing), None)) for thing in before]
    return [*pairs, *((None, thing) for thing in new.values())]


def _field_difference(before: FieldDefinition | None, after: FieldDefinition | None) -> Difference:
    if before is None:
        assert after is not None
        words = (field_words(replace(after, rank=None)) + ".",)
        return Difference(f"field:{after.name}", "added", f"Field {after.name}", words)
    subject, title = f"field:{before.name}", f"Field {before.name}"
    if after is None:
        words = ("The field and its values go from all people.",)
        return Difference(subject, "removed", title, words, needs_rebuild=before.is_identifier)
    told: list[str] = []
    if before.type != after.type:
        told.append(
            f"{kind_word(before.type)} becomes {kind_word(after.type)}: values that can be read as such stay, "
            "the others come back with a rebuild."
        )
    if before.is_identifier != after.is_identifier:
        told.append("Becomes an identifier." if after.is_identifier else "Is no identifier any more.")
    if before.merge != after.merge and not after.is_identifier:
        was = operator_word(before.merge, before.type) if before.merge else ""
        rule = operator_word(after.merge, after.type)
        told.append(f"{was} becomes {rule}." if was else f"Merge rule: {rule}.")
    if before.capacity != after.capacity:
        told.append(
            f"Keeps at most {after.capacity:,} values, until now {_limit(before.capacity)}."
            if after.capacity is not None
            else f"Keeps any number of values, until now {_limit(before.capacity)}."
        )
    if before.keep_days != after.keep_days:
        told.append(f"Values are kept {_days(after.keep_days)}, until now {_days(before.keep_days)}.")
    deep = bool(told)
    if before.label != after.label:
        told.append(f"The label “{before.label}” becomes “{after.label}”.")
    if before.description != after.description:
        told.append(f"The description becomes “{after.description}”." if after.description else "Has no description.")
    if before.managed_by != after.managed_by:
        told.append(f"Kept up to date by {after.managed_by}." if after.managed_by else "Not kept up to date any more.")
    return Difference(subject, "changed", title, tuple(told), needs_rebuild=deep)


def _limit(capacity: int | None) -> str:
    return "any number" if capacity is None else f"{capacity:,}"


def _days(days: int | None) -> str:
    return "for good" if days is None else "1 day" if days == 1 else f"{days:,} days"


def _mapping_difference(before: MappingDefinition | None, after: MappingDefinition | None) -> Difference:
    thing = after or before
    assert thing is not None
    subject = f"mapping:{thing.key}"
    if before is None or after is None:
        title = f"Mapping of {thing.stream} to {thing.field}"
        words = (f"{thing.field}: {_source(thing)}",)
        return Difference(subject, "added" if before is None else "removed", title, words, needs_rebuild=True)
    title = f"Mapping of {before.stream} to {before.field}"
    told: list[str] = []
    if before.field != after.field:
        told.append(f"{before.expression} fills {after.field}, until now {before.field}")
    if before.stream != after.stream:
        told.append(f"{before.field}: filled by the stream {after.stream}, until now {before.stream}")
    if before.expression != after.expression:
        told.append(f"{after.field}: {before.expression} becomes {after.expression}")
    if before.condition != after.condition:
        told.append(
            f"{after.field}: only if {after.condition}"
            if not before.condition
            else f"{after.field}: no condition any more, until now if {before.condition}"
            if not after.condition
            else f"{after.field}: if {before.condition} becomes if {after.condition}"
        )
    deep = bool(told)
    if before.managed_by != after.managed_by:
        told.append(f"Kept up to date by {after.managed_by}" if after.managed_by else "Not kept up to date any more")
    return Difference(subject, "changed", title, tuple(told), needs_rebuild=deep)


def _source(mapping: MappingDefinition) -> str:
    return f"{mapping.expression} if {mapping.condition}" if mapping.condition else mapping.expression


def suggested_comment(differences: Sequence[Difference]) -> str:
    """A comment for a version that brings these: "Adds country and city; changes email"."""
    parts = []
    for verb, word in (("added", "adds"), ("changed", "changes"), ("removed", "removes")):
        names = [difference.subject.partition(":")[2] for difference in differences
                 if difference.verb == verb and difference.subject.startswith("field:")]  # fmt: skip
        mappings = sum(d.verb == verb and d.subject.startswith("mapping:") for d in differences)
        things = names if len(names) <= 3 else [f"{len(names):,} fields"]
        if mappings and (not names or verb != "added"):
            things = [*things, "1 mapping" if mappings == 1 else f"{mappings:,} mappings"]
        if things:
            parts.append(f"{word} {listed(things)}")
    for difference in differences:
        if difference.subject == RANKING:
            parts.append("orders the identifiers")
        elif difference.subject == SHARED_LIMIT:
            parts.append("limits shared identifiers")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]
