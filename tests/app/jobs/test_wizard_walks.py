"""However a user goes back and forth in the wizard, what they entered is still there."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalog import Catalog
from app.jobs.columns import SET_TYPES
from app.jobs.wizard import STEPS, Wizard
from app.schema.column_types import COLUMN_TYPES
from connectors.kit.types import Preview, PreviewColumn

CATALOG = Catalog.load()
COLUMNS = ("email", "Points", "E-Mail 2")
NAMING = ("email", "E-Mail 2")
"""Columns that may say who somebody is, and so are text or sets."""
PREVIEW = Preview(
    columns=tuple(PreviewColumn(name, "", "text", identifier=name == "email") for name in COLUMNS),
    rows=(),
)
NAMES = st.text("abcdefgh ", min_size=1, max_size=8).filter(str.strip)
FIELDS = st.text("abcdefgh_", min_size=1, max_size=8).map(lambda text: f"f{text}")
ACTS = st.one_of(
    st.tuples(st.just("walk"), st.sampled_from(("on", "back", *STEPS))),
    st.tuples(st.just("again"), st.sampled_from(("provider", "job_type", "authorization"))),
    st.tuples(st.just("name"), NAMES),
    st.tuples(st.just("stream"), FIELDS),
    st.tuples(st.just("delimiter"), st.sampled_from((",", ";", "|"))),
    st.tuples(st.just("type"), st.just("Points"), st.sampled_from((*COLUMN_TYPES, *SET_TYPES))),
    st.tuples(st.just("type"), st.sampled_from(NAMING), st.sampled_from(("text", "email", *SET_TYPES))),
    st.tuples(st.just("target"), st.sampled_from(COLUMNS), FIELDS),
    st.tuples(st.just("identifier"), st.sampled_from(NAMING), st.booleans()),
)


def walk(wizard: Wizard, where: str) -> None:
    """One click on Continue, Back or a step; it may lead nowhere."""
    if where == "on":
        wizard.go_on()
    elif where == "back":
        wizard.go_back()
    else:
        wizard.go_to(where)


def choose_again(wizard: Wizard, what: str) -> None:
    """A click on the tile that is chosen already."""
    assert wizard.provider is not None
    assert wizard.job_type is not None
    if what == "provider":
        wizard.choose_provider(wizard.provider.slug)
    elif what == "job_type":
        wizard.choose_job_type(wizard.job_type.slug)
    else:
        wizard.choose_authorization(wizard.authorization_id)


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, max_size=25))
def test_back_and_forth_loses_nothing(acts: list[tuple[Any, ...]]) -> None:
    wizard = Wizard(CATALOG)
    wizard.choose_provider("file-service")
    wizard.choose_job_type("file-service-csv-import")
    wizard.choose_authorization(7)
    wizard.set_value("filename", "members.csv")
    wizard.apply_preview(PREVIEW)
    entered: dict[tuple[Any, ...], Any] = {}
    for kind, *rest in acts:
        match kind:
            case "walk":
                walk(wizard, rest[0])
                continue
            case "again":
                choose_again(wizard, rest[0])
                continue
            case "name":
                wizard.set_name(*rest)
            case "type":
                wizard.set_type(*rest)
            case "target":
                wizard.set_target(*rest)
            case "identifier":
                wizard.set_identifier(*rest)
            case option:
                wizard.set_value(option, *rest)
        entered[kind, *rest[:-1]] = rest[-1]
    while wizard.step != STEPS[-1]:
        assert wizard.go_on() == []
    draft = wizard.draft()
    columns = {column.name: column for column in wizard.columns()}
    assert (draft.job_type, draft.authorization_id, draft.options["filename"]) == (
        "file-service-csv-import",
        7,
        "members.csv",
    )
    for (kind, *column), value in entered.items():
        match kind:
            case "name":
                assert draft.name == value.strip()
            case "type" | "target" | "identifier":
                assert getattr(columns[column[0]], kind) == value
            case option:
                assert draft.options[option] == value
    assert draft.options["types"] == {name: column.plain for name, column in columns.items()}
    sets = {name: column.expression for name, column in columns.items() if column.type in SET_TYPES}
    assert draft.options.get("expressions", {}) == sets
    assert set(draft.options["identifiers"]) == {name for name, column in columns.items() if column.identifier}
