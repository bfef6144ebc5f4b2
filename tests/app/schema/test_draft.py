"""Any edits: the draft over the published schema says what editing the schema itself says, and versions come back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine import Engine
from app.errors import CausewayError
from app.schema import editing, operations
from app.schema.differences import compare, delta, overlay
from app.schema.model import (
    MERGE_OPERATORS,
    FieldDefinition,
    MappingDefinition,
    Schema,
    schema_document,
    schema_of_document,
)
from app.schema.queries import draft_schema, list_versions, published_schema, unpublished_changes, version_schema
from app.workspace import create_workspace

NAMES = st.sampled_from(["email", "phone", "city", "tags", "spent", "Seen"])
EXPRESSIONS = st.sampled_from(["`a`", "email(`a`)", "toint(`b`)", "todate(`c`)"])
CONDITIONS = st.sampled_from(["", '`b` == "x"'])


@st.composite
def fields(draw: st.DrawFn) -> FieldDefinition:
    name = draw(NAMES)
    if draw(st.integers(0, 2)) == 0:
        kind = draw(st.sampled_from(["string", "[]string"]))
        return FieldDefinition(name, type=kind, merge="", is_identifier=True, rank=draw(st.sampled_from([None, 1, 2])))
    kind = draw(st.sampled_from(["string", "int", "date", "[]string", "map[string]int"]))
    merge = draw(st.sampled_from(MERGE_OPERATORS[kind]))
    limited = merge == "capped" or (kind.startswith("[]") and draw(st.booleans()))
    return FieldDefinition(name, draw(st.sampled_from(["", "A label"])), type=kind, merge=merge,
                           capacity=7 if limited else None)  # fmt: skip


Edit = tuple[str, Any]
EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.tuples(st.just("field"), fields()),
    st.tuples(st.just("drop field"), NAMES),
    st.tuples(st.just("mapping"), st.tuples(st.sampled_from(["shop", "news"]), NAMES, EXPRESSIONS, CONDITIONS)),
    st.tuples(st.just("change mapping"), st.tuples(st.integers(0, 5), EXPRESSIONS)),
    st.tuples(st.just("drop mapping"), st.integers(0, 5)),
    st.tuples(st.just("rank"), st.lists(NAMES, max_size=3)),
    st.tuples(st.just("limit"), st.integers(1, 60)),
)


def edited(schema: Schema, edit: Edit) -> Schema:
    """The schema after one edit of the plain data; what is refused changes nothing."""
    what, given_ = edit
    keys = [mapping.key for mapping in schema.mappings]
    try:
        match what:
            case "field":
                return editing.with_field(schema, given_)
            case "drop field":
                return editing.without_field(schema, given_)
            case "mapping":
                return editing.with_mapping(schema, MappingDefinition("", *given_))[0]
            case "change mapping" if keys:
                mapping = schema.mapping(keys[given_[0] % len(keys)])
                assert mapping is not None
                return editing.with_mapping(schema, replace(mapping, expression=given_[1]))[0]
            case "drop mapping" if keys:
                return editing.without_mapping(schema, keys[given_ % len(keys)])
            case "rank":
                return editing.with_ranking(schema, given_)
            case "limit":
                return editing.with_shared_limit(schema, given_)
    except CausewayError:
        pass
    return schema


def operate(engine: Engine, edit: Edit) -> None:
    """The same edit through the operations."""
    what, given_ = edit
    keys = [mapping.key for mapping in draft_schema(engine).mappings]
    try:
        match what:
            case "field":
                operations.put_field(engine, given_)
            case "drop field":
                operations.remove_field(engine, given_)
            case "mapping":
                operations.put_mapping(engine, MappingDefinition("", *given_))
            case "change mapping" if keys:
                mapping = draft_schema(engine).mapping(keys[given_[0] % len(keys)])
                assert mapping is not None
                operations.put_mapping(engine, replace(mapping, expression=given_[1]))
            case "drop mapping" if keys:
                operations.remove_mapping(engine, keys[given_ % len(keys)])
            case "rank":
                operations.rank_identifiers(engine, given_)
            case "limit":
                operations.set_shared_limit(engine, given_)
    except CausewayError:
        pass


def without_keys(schema: Schema) -> dict[str, Any]:
    """The schema but for the random keys of its mappings, which two ways of editing can't share."""
    document = schema_document(schema)
    mappings = [{name: value for name, value in entry.items() if name != "key"} for entry in document["mappings"]]
    return {**document, "mappings": sorted(mappings, key=str)}


@settings(deadline=None)
@given(st.lists(EDITS, max_size=12), st.lists(EDITS, max_size=12))
def test_an_overlay_of_the_differences_is_the_edited_schema(before: list[Edit], after: list[Edit]) -> None:
    published = Schema()
    for edit in before:
        published = edited(published, edit)
    draft = published
    for edit in after:
        draft = edited(draft, edit)
    assert schema_of_document(schema_document(published)) == published
    assert overlay(published, delta(published, draft)) == draft
    assert delta(draft, draft) == {}
    assert bool(compare(published, draft)) == (published != draft) == bool(delta(published, draft))
    assert {found.subject for found in compare(published, draft)} == set(delta(published, draft))
    assert [field.rank for field in draft.fields if field.is_identifier] == [
        *range(1, len([field for field in draft.fields if field.is_identifier]) + 1)
    ]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "workspace"
    create_workspace(folder, "Test").close()
    return folder


@pytest.fixture
def reopened(empty: Path, tmp_path: Path) -> Callable[[], Engine]:
    """Opens the same empty workspace anew each time."""
    numbers = iter(range(1_000_000))

    def make() -> Engine:
        return Engine.open(Path(shutil.copytree(empty, tmp_path / str(next(numbers)))))

    return make


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.lists(EDITS, min_size=1, max_size=5), min_size=1, max_size=4))
def test_a_version_comes_back_as_it_was(reopened: Callable[[], Engine], steps: list[list[Edit]]) -> None:
    with reopened() as engine:
        plain = Schema()
        for edits in steps:
            for edit in edits:
                operate(engine, edit)
                plain = edited(plain, edit)
            if unpublished_changes(engine):
                operations.publish_schema(engine, "A step")
            assert unpublished_changes(engine) == []
            published = published_schema(engine)
            assert published == draft_schema(engine)
            assert without_keys(published) == without_keys(plain)
        versions = list_versions(engine)
        for version in versions:
            operations.load_version(engine, version.number)
            wanted = version_schema(engine, version.number)
            if unpublished_changes(engine):
                operations.publish_schema(engine, f"Back to {version.number}")
            assert published_schema(engine) == wanted
