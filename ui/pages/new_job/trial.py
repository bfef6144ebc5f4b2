"""A test run, shown: the people whom the first rows would become, their fields, and the rows that can't be read."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from app.engine import Engine
from app.jobs.trial import Trial, TrialField, TrialPerson, try_import
from app.jobs.wizard import Rejected, Wizard
from app.schema.words import kind_word
from ui.pages.values import value_text
from ui.shell.background import run_query
from ui.widgets import (
    Banner,
    Button,
    Card,
    Column,
    DataTable,
    EmptyState,
    FactsStrip,
    InlineNote,
    MonoDelegate,
    RowsModel,
    Spinner,
    StatusDelegate,
    Tabs,
    TwoLineDelegate,
    set_kind,
    words,
)


@dataclass(frozen=True, slots=True)
class _Value:
    field: str
    text: str


class TrialDialog(QDialog):
    """Lets the rows of the wizard's preview become people in memory, and shows them."""

    def __init__(self, parent: QWidget, engine: Engine, wizard: Wizard) -> None:
        super().__init__(parent)
        self.setWindowTitle("Test run")
        self.setModal(True)
        self.resize(900, 620)
        self.trial: Trial | None = None
        self._kinds: dict[str, str] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(set_kind(QLabel("Test run"), "title"))
        self.said = set_kind(
            QLabel("Nothing is kept of it: it shows what the import would make of these rows."), "muted"
        )
        layout.addWidget(self.said)
        self.banner = Banner()
        layout.addWidget(self.banner)
        self.facts = FactsStrip()
        layout.addWidget(self.facts)
        self.notes = QVBoxLayout()
        self.notes.setSpacing(4)
        layout.addLayout(self.notes)
        self.tabs = Tabs()
        self.tabs.add("people", "People", self._people())
        self.tabs.add("fields", "Fields", self._fields())
        self.tabs.add("rejected", "Rejected rows", self._rejected())
        card = Card(flush=True)
        card.add(self.tabs, 1)
        layout.addWidget(card, 1)
        self.spinner = Spinner()
        self.close_button = Button("Close", "primary", clicked=self.accept)
        foot = QHBoxLayout()
        foot.addWidget(self.spinner)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        layout.addLayout(foot)
        self.close_button.setFocus()
        self._run(engine, wizard)

    def _run(self, engine: Engine, wizard: Wizard) -> None:
        assert wizard.provider is not None
        assert wizard.preview is not None
        self.spinner.start()
        # What the wizard says is taken here: while the rows are looked at, nobody changes it.
        run_query(
            functools.partial(try_import, engine, wizard.provider.slug, wizard.draft().options, wizard.preview),
            done=self._show,
            failed=self._failed,
            owner=self,
        )

    def _failed(self, error: BaseException) -> None:
        self.spinner.stop()
        self.banner.tell_error(error)

    def _show(self, trial: Trial) -> None:
        self.trial = trial
        self.spinner.stop()
        self._kinds = {field.name: field.kind for field in trial.fields}
        count = len(trial.people)
        self.facts.set_facts(
            [
                ("Rows read", f"{trial.rows:,}"),
                ("People", f"{count:,}"),
                ("New here", f"{count - trial.known:,}"),
                ("Here already", f"{trial.known:,}"),
                ("Joined rows", f"{trial.joined:,}"),
                ("Rows of nobody", f"{trial.nobody:,}"),
                ("Rejected rows", f"{len(trial.rejected):,}"),
            ]
        )
        for sentence, tone in notes_of(trial):
            self.notes.addWidget(InlineNote(sentence, tone))
        self.people_model.set_rows(trial.people)
        self.fields_model.set_rows(trial.fields)
        self.rejected_model.set_rows(trial.rejected)
        self.tabs.set_count("people", count)
        self.tabs.set_count("fields", len(trial.fields))
        self.tabs.set_count("rejected", len(trial.rejected) or None)
        if trial.people:
            self.people.select(0)
            self.people.setFocus()

    # the three tabs

    def _people(self) -> QWidget:
        self.people_model = RowsModel(
            [
                Column(
                    "who", "Person", lambda one: one.title, second=_identifiers, tip=_identifiers, width=250, fixed=True
                ),
                Column(
                    "state", "", _state_word, status=lambda one: "info" if one.known else "ok", width=110, fixed=True
                ),
                Column("rows", "Rows", lambda one: f"{one.rows:,}", sort=lambda one: one.rows, right=True, width=60),
            ]
        )
        self.people = DataTable(
            self.people_model,
            delegates={"who": TwoLineDelegate, "state": StatusDelegate},
            row_height=52,
            framed=False,
            many=False,
            accessible_name="People of the test run",
        )
        self.people.set_empty(
            EmptyState("users", "Nobody comes of these rows", "Tick the columns that say who somebody is.")
        )
        self.people.chosen.connect(self._chosen)
        self.values_model = RowsModel(
            [
                Column("field", "Field", lambda one: one.field, width=130, fixed=True),
                Column("value", "Value", lambda one: one.text, tip=lambda one: one.text, width=190, fixed=True),
            ]
        )
        self.values = DataTable(
            self.values_model,
            delegates={"value": MonoDelegate},
            row_height=34,
            framed=False,
            many=False,
            accessible_name="Values of the chosen person",
        )
        self.values.set_empty(EmptyState("user", "No values", "Choose somebody at the left."))
        both = QSplitter()
        both.setChildrenCollapsible(False)
        both.addWidget(self.people)
        both.addWidget(self.values)
        both.setSizes([500, 350])
        return both

    def _chosen(self, people: Sequence[TrialPerson]) -> None:
        values: Mapping[str, Any] = people[0].values if people else {}
        named = {field for field, _ in people[0].identifiers} if people else set()
        self.values_model.set_rows(
            _Value(name, value_text(value, self._kinds.get(name, ""), identifier=name in named))
            for name, value in values.items()
        )

    def _fields(self) -> QWidget:
        self.fields_model = RowsModel(
            [
                Column(
                    "name",
                    "Field",
                    lambda field: field.name,
                    second=lambda field: "new" if field.new else "",
                    width=170,
                    fixed=True,
                ),
                Column("kind", "Type", lambda field: kind_word(field.kind), width=110),
                Column(
                    "people",
                    "People with a value",
                    self._share,
                    sort=lambda field: field.people,
                    right=True,
                    width=120,
                ),
                Column("samples", "For example", _samples, tip=_samples, tone=lambda field: "muted", width=270),
                Column(
                    "unreadable",
                    "Do not fit",
                    lambda field: f"{field.unreadable:,}" if field.unreadable else "",
                    sort=lambda field: field.unreadable,
                    right=True,
                    width=80,
                ),
            ]
        )
        table = DataTable(
            self.fields_model,
            delegates={"name": TwoLineDelegate, "samples": MonoDelegate},
            row_height=44,
            framed=False,
            many=False,
            accessible_name="Fields of the test run",
        )
        table.set_empty(EmptyState("table", "No field is filled", "Name a profile field for a column."))
        return table

    def _share(self, field: TrialField) -> str:
        return f"{field.people:,} of {len(self.trial.people):,}" if self.trial is not None else ""

    def _rejected(self) -> QWidget:
        self.rejected_model = RowsModel(
            [
                Column("line", "Line", lambda row: f"{row.line:,}", sort=lambda row: row.line, right=True, width=60),
                Column("reason", "Reason", _reason, tip=_reason, width=340, fixed=True),
                Column("text", "Row", lambda row: row.text[:200], tip=lambda row: row.text[:600], width=380),
            ]
        )
        table = DataTable(
            self.rejected_model,
            delegates={"text": MonoDelegate},
            row_height=38,
            framed=False,
            many=False,
            accessible_name="Rejected rows of the test run",
        )
        table.set_empty(EmptyState("check", "Every row can be read", ""))
        return table


def notes_of(trial: Trial) -> list[tuple[str, str]]:
    """What the figures mean, in sentences, each with its tone."""
    found = []
    proved = sum(person.known > 1 for person in trial.people)
    if proved:
        people = words.count_of(proved, "person", "people")
        found.append((f"{people} of the file are several people here, whom the import would join.", "info"))
    if trial.nobody:
        rows = "1 row has" if trial.nobody == 1 else f"{trial.nobody:,} rows have"
        found.append((f"{rows} no identifier: kept as events, they belong to nobody.", "warning"))
    if trial.timeless:
        rows = "1 row has" if trial.timeless == 1 else f"{trial.timeless:,} rows have"
        found.append((f"{rows} no readable time; the time of the import stands for it.", "warning"))
    if trial.erased:
        rows = "1 row names" if trial.erased == 1 else f"{trial.erased:,} rows name"
        found.append((f"{rows} somebody who was erased, at a time before that: not kept.", "warning"))
    bad = [field for field in trial.fields if field.unreadable]
    if bad:
        listed = ", ".join(f"{field.unreadable:,} of {field.name}" for field in bad)
        found.append((f"Values that do not fit their field's type are left out of people: {listed}.", "warning"))
    return found


def _identifiers(person: TrialPerson) -> str:
    return " · ".join(f"{field} {value}" for field, value in person.identifiers)


def _state_word(person: TrialPerson) -> str:
    return "Joins" if person.known > 1 else "Here already" if person.known else "New"


def _samples(field: TrialField) -> str:
    return " · ".join(value_text(value, field.kind) for value in field.samples)


def _reason(row: Rejected) -> str:
    return row.reason
