"""The dialog of a mapping: its expression and condition, checked while they are typed and tried on real events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.engine import Engine
from app.lql import LqlError, Problem, compile_expression
from app.lql.events import flatten
from app.schema.model import FieldDefinition, MappingDefinition
from app.schema.queries import try_mapping
from app.schema.words import kind_word
from app.streams import StreamInfo, stream_events, stream_fields
from ui.pages.authorizations.dialogs import FormDialog
from ui.pages.schema.reading import suggestions
from ui.pages.values import as_of, value_text
from ui.shell.background import run_operation, run_query
from ui.widgets import CodeField, Column, ComboBox, DataTable, FormField, MonoDelegate, RowsModel, set_kind

WIDTH = 640
TRIED = 5
"""How many events a mapping is tried on."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What the mapping makes of one event: the keys it looks at, and the value in words."""

    event: int
    at: int
    keys: str
    value: str
    empty: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found."""

    expression: tuple[Problem, ...] = ()
    condition: tuple[Problem, ...] = ()
    brings: str = ""
    trials: tuple[Trial, ...] = ()


def shown(value: Any, kind: str) -> str:
    """A stored value as people read it: sets as a list, maps as "key: value"."""
    if value is None:
        return "no value"
    if isinstance(value, list):
        return ", ".join(value_text(one, "date" if kind == "[]time" else "") for one in value)
    if isinstance(value, dict):
        inside = "date" if kind == "map[string]time" else ""
        return ", ".join(f"{key}: {value_text(one, inside)}" for key, one in value.items())
    return value_text(value, kind)


def check_mapping(engine: Engine, stream: StreamInfo | None, mapping: MappingDefinition, kind: str) -> Outcome:
    """Compile both parts and try them on the last events of the stream."""
    wrong: tuple[Problem, ...] = ()
    wrong_condition: tuple[Problem, ...] = ()
    brings = ""
    columns: tuple[str, ...] = ()
    try:
        brings = compile_expression(mapping.expression).kind
        columns = compile_expression(mapping.expression, kind=kind).columns
    except LqlError as error:
        wrong = error.problems
    if mapping.condition.strip():
        try:
            condition = compile_expression(mapping.condition, kind="bool").columns
            columns = (*columns, *(column for column in condition if column not in columns))
        except LqlError as error:
            wrong_condition = error.problems
    if wrong or wrong_condition or stream is None:
        return Outcome(wrong, wrong_condition, brings)
    trials = []
    for event in stream_events(engine, stream.id, limit=TRIED):
        value, made = try_mapping(engine, mapping.expression, mapping.condition, event.data, event.at, kind=kind)
        data = flatten(event.data)
        keys = " · ".join(
            f"{column}: {value_text(data[column], identifier=True)}" if column in data else f"{column} is missing"
            for column in columns
        )
        trials.append(Trial(event.id, event.at, keys, shown(value, made), value is None))
    return Outcome(brings=brings, trials=tuple(trials))


class MappingDialog(FormDialog):
    """Makes or edits a mapping. `save(definition)` is called off the UI thread; it may raise what it refuses.

    `field` fixes the field that is filled (the dialog was opened from that field's own).
    """

    def __init__(
        self,
        parent: QWidget,
        engine: Engine,
        streams: Sequence[StreamInfo],
        fields: Sequence[FieldDefinition],
        save: Callable[[MappingDefinition], object],
        *,
        mapping: MappingDefinition | None = None,
        field: FieldDefinition | None = None,
        saved: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(parent, "Edit mapping" if mapping is not None else "New mapping", WIDTH)
        self._engine, self._save, self._saved = engine, save, saved
        self._streams = {stream.name: stream for stream in streams}
        self._fields = {one.name: one for one in fields}
        self._mapping, self._field = mapping, field
        self._round = 0
        self.stream = ComboBox(editable=mapping is None, placeholder="Stream")
        self.stream.set_choices([(name, name) for name in sorted(self._streams)])
        self.target = ComboBox()
        names = sorted(self._fields) if field is None else [field.name]
        self.target.set_choices(
            [(f"{name or 'The new field'} ({kind_word(self._kind_of(name)).lower()})", name) for name in names]
        )
        self.target.setEnabled(field is None)
        self.stream_field = FormField(
            "Stream", self.stream, required=True, help="A mapping stays with its stream" if mapping is not None else ""
        )
        self.target_field = FormField("Fills the field", self.target, required=True)
        pair = QWidget()
        row = QHBoxLayout(pair)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        for one in (self.stream_field, self.target_field):
            row.addWidget(one, 1, Qt.AlignmentFlag.AlignTop)
        self.add(pair)
        self.expression = CodeField("Expression", lines=2, numbers=False)
        self.expression_field = FormField("Expression", self.expression, required=True)
        self.add(self.expression_field)
        self.condition = CodeField("Only if", lines=1, numbers=False)
        self.add(FormField("Only if", self.condition))
        self._heading = set_kind(QLabel(), "label")
        self.add(self._heading)
        self.trials = self._table()
        self.add(self.trials)
        self.finish("Save")
        if mapping is not None:
            self.stream.set_value(mapping.stream)
            self.stream.setEnabled(False)
            self.expression.edit.set_text(mapping.expression)
            self.condition.edit.set_text(mapping.condition)
        if field is not None or mapping is not None:
            self.target.set_value(field.name if field is not None else mapping.field)  # type: ignore[union-attr]
        self.stream.value_changed.connect(lambda _: self._stream_chosen())
        self.target.value_changed.connect(lambda _: self.check())
        self.expression.edit.rested.connect(self.check)
        self.condition.edit.rested.connect(self.check)
        self._stream_chosen()
        (self.expression.edit if mapping is not None else self.stream).setFocus()

    def _table(self) -> DataTable:
        self.trials_model = RowsModel(
            [
                Column("at", "Event of", lambda row: as_of(row.at), tone=lambda row: "muted", width=104, fixed=True),
                Column("keys", "Looks at", lambda row: row.keys, tip=lambda row: row.keys, width=270),
                Column(
                    "value",
                    "Becomes",
                    lambda row: row.value,
                    tip=lambda row: row.value,
                    tone=lambda row: "muted" if row.empty else "text",
                    width=190,
                    fixed=True,
                ),
            ],
            key=lambda row: row.event,
        )
        table = DataTable(
            self.trials_model,
            delegates={"keys": MonoDelegate, "value": MonoDelegate},
            row_height=30,
            many=False,
            accessible_name="What the mapping makes of the last events",
        )
        table.setSortingEnabled(False)
        table.setFixedHeight(36 + TRIED * 30 + 4)
        return table

    def _kind_of(self, name: str) -> str:
        if self._field is not None and self._field.name == name:
            return self._field.type
        return self._fields[name].type if name in self._fields else "string"

    def definition(self) -> MappingDefinition:
        """What was entered."""
        base = self._mapping if self._mapping is not None else MappingDefinition("", "", "", "")
        return replace(
            base,
            stream=str(self.stream.value() or "").strip(),
            field=str(self.target.value() or ""),
            expression=self.expression.edit.text().strip(),
            condition=self.condition.edit.text().strip(),
        )

    # the stream

    def _stream_chosen(self) -> None:
        stream = self._streams.get(self.definition().stream)
        if stream is None:
            self._keys_known([])
        else:
            engine = self._engine
            run_query(
                lambda: [(one.name, one.type) for one in stream_fields(engine, stream.id)],
                done=self._keys_known,
                failed=self.banner.tell_error,
                owner=self,
            )
        self.check()

    def _keys_known(self, keys: list[tuple[str, str]]) -> None:
        offered = suggestions(keys)
        self.expression.edit.set_suggestions(offered)
        self.condition.edit.set_suggestions(offered)

    # checking

    def check(self) -> None:
        """Check what stands there now, off the UI thread; only the newest answer counts."""
        self._round += 1
        asked, engine, entered = self._round, self._engine, self.definition()
        stream = self._streams.get(entered.stream)
        kind = self._kind_of(entered.field)
        self.stream_field.set_error("")
        if not entered.expression:
            self.expression.set_problems([])
            self.expression.set_note(
                "A key of the stream, a text in quotes, or functions of them; Ctrl+Space shows them"
            )
            self._show(stream, ())
            return

        def done(outcome: Outcome) -> None:
            if asked == self._round:
                self._checked(stream, kind, outcome)

        run_query(
            lambda: check_mapping(engine, stream, entered, kind),
            done=done,
            failed=self.banner.tell_error,
            owner=self,
        )

    def _checked(self, stream: StreamInfo | None, kind: str, outcome: Outcome) -> None:
        self.expression.set_problems(outcome.expression)
        self.condition.set_problems(outcome.condition)
        brings = kind_word(outcome.brings).lower()
        kept = "" if outcome.brings == kind else f", kept as {kind_word(kind).lower()}"
        self.expression.set_note(f"Brings {brings}{kept}" if brings else "", "success")
        self._show(stream, outcome.trials)

    def _show(self, stream: StreamInfo | None, trials: Sequence[Trial]) -> None:
        self.trials_model.set_rows(trials)
        if stream is None:
            self._heading.setText("Choose a stream with events to try the mapping on")
        elif not stream.events:
            self._heading.setText(f"Nothing has arrived in {stream.name} yet")
        else:
            newest = "newest event" if stream.events == 1 else f"{min(TRIED, stream.events)} newest events"
            self._heading.setText(f"On the {newest} of {stream.name}")

    # saving

    def act(self) -> None:
        """Keep the mapping."""
        entered = self.definition()
        if not entered.stream:
            self.stream_field.set_error("The mapping needs a stream. Choose one.")
            self.stream.setFocus()
            return
        if not entered.expression:
            self.expression_field.set_error("The mapping needs an expression, such as the name of a key.")
            self.expression.edit.setFocus()
            return
        self.expression_field.set_error("")
        self.set_busy(True)
        run_operation(lambda _: self._save(entered), done=self._was_saved, failed=self._not_saved, owner=self)

    def _was_saved(self, _: object) -> None:
        if self._saved is not None:
            self._saved()
        self.accept()

    def _not_saved(self, error: BaseException) -> None:
        self.set_busy(False)
        self.banner.tell_error(error)
