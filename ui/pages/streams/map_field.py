"""Map this field: from a field seen in a stream to a field of people, tried on events before it is kept."""

from __future__ import annotations

import functools
from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.engine import Engine
from app.lql import LqlError
from app.schema.model import FIELD_NAME, IDENTIFIER_KINDS, FieldDefinition, MappingDefinition, Schema
from app.schema.operations import put_field, put_mapping
from app.schema.queries import draft_schema, unpublished_changes
from app.schema.words import KIND_WORDS, kind_word
from app.streams import StreamField, StreamInfo, stream_fields
from app.streams.mapping import Trial, suggest_mapping, try_on_events
from ui.pages.authorizations.dialogs import FormDialog
from ui.pages.schema.reading import suggestions
from ui.pages.trial import TrialTable
from ui.shell.background import run_operation, run_query
from ui.widgets import CheckBox, CodeField, ComboBox, FormField, InlineNote, set_kind

WIDTH = 600
NOTHING_YET = Trial("string", "", ())


class MapFieldDialog(FormDialog):
    """`mapped(target, changes)` follows when the mapping is kept; `changes` is how many are unpublished then."""

    def __init__(
        self,
        parent: QWidget,
        engine: Engine,
        stream: StreamInfo,
        field: StreamField,
        mapped: Callable[[str, int], object],
    ) -> None:
        super().__init__(parent, f"Map “{field.name}”", WIDTH)
        self._engine, self._stream, self._field, self._mapped = engine, stream, field, mapped
        self._schema: Schema | None = None
        self._trial = NOTHING_YET
        self._valid = False
        self._round = 0
        self._tried_kind = ""
        suggestion = suggest_mapping(field)
        self.expression = CodeField("Expression", lines=2, numbers=False)
        self.expression.edit.set_text(suggestion.expression)
        self.expression.edit.textChanged.connect(self._edited)
        self.expression.edit.rested.connect(self.check)
        self.add(FormField("Expression", self.expression, required=True))
        self.target = ComboBox(editable=True, placeholder="A field of people, or a new one")
        self.target.set_value(suggestion.field)
        self.target.value_changed.connect(lambda _: self._judge())
        self.target_field = FormField("Profile field", self.target, required=True)
        self.kind = ComboBox()
        self.kind.add_choices([("As it comes", ""), *((word, kind) for kind, word in KIND_WORDS.items())])
        self.kind.value_changed.connect(lambda _: self.check())
        self.kind_field = FormField("Type", self.kind, required=True)
        pair = QWidget()
        row = QHBoxLayout(pair)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        row.addWidget(self.target_field, 3)
        row.addWidget(self.kind_field, 2)
        self.add(pair)
        self.identifier = CheckBox("It says who somebody is: events that share a value are one person's")
        self.identifier.toggled.connect(lambda _: self._judge())
        self.add(self.identifier)
        self.note = InlineNote()
        self.add(self.note)
        self.add(set_kind(QLabel(f"On the newest events of {stream.name}"), "label"))
        self.table = TrialTable("In the stream", f"None of the newest events has a value of {field.name}.")
        self.add(self.table)
        self.finish("Add to unpublished changes")
        self.go.setEnabled(False)
        run_query(
            lambda: (draft_schema(engine), [(one.name, one.type) for one in stream_fields(engine, stream.id)]),
            done=self._read,
            failed=self.banner.tell_error,
            owner=self,
        )
        self.check()

    # what it would do

    def _read(self, found: tuple[Schema, list[tuple[str, str]]]) -> None:
        self._schema, keys = found
        self.expression.edit.set_suggestions(suggestions(keys))
        self.target.set_choices((field.name, field.name) for field in self._schema.fields)
        self._judge()

    def _edited(self) -> None:
        # An answer that is still on its way was about another text.
        self._round += 1
        self._valid = False
        self.go.setEnabled(False)

    def check(self) -> None:
        """Try what stands there now, off the UI thread; only the newest answer counts."""
        self._round += 1
        self._tried_kind = self._kept_kind()
        run_query(
            functools.partial(
                try_on_events,
                self._engine,
                self._stream.id,
                self._field.name,
                self.expression.edit.text(),
                kind=self._tried_kind,
            ),
            done=functools.partial(self._tried, self._round),
            failed=functools.partial(self._not_tried, self._round),
            owner=self,
        )

    def _tried(self, number: int, trial: Trial) -> None:
        if number == self._round:
            self._valid, self._trial = True, trial
            self.expression.set_problems([])
            self.table.show_trial(self._tried_kind or trial.kind, ((one.raw, one.value) for one in trial.events))
            self._judge()

    def _not_tried(self, number: int, error: BaseException) -> None:
        if number != self._round:
            return
        self._valid = False
        if isinstance(error, LqlError):
            self.expression.set_problems(error.problems)
        else:
            self.banner.tell_error(error)
        self.table.clear_trial()
        self._judge()

    def _target_name(self) -> str:
        return str(self.target.value() or "").strip()

    def _kept_kind(self) -> str:
        """The kind that the values are kept as: that of the field, or the chosen one; "" for what comes."""
        known = self._schema.field(self._target_name()) if self._schema is not None else None
        return known.type if known is not None else str(self.kind.value() or "")

    def _judge(self) -> None:
        """Say what keeping it would do, and whether it can be kept."""
        schema, name = self._schema, self._target_name()
        if schema is None:
            return
        known = schema.field(name)
        new_kind = str(self.kind.value() or "") or self._trial.kind
        # A field that is there has its type; only text and sets say who somebody is.
        self.kind_field.setEnabled(known is None)
        self.identifier.setEnabled(known is None and new_kind in IDENTIFIER_KINDS)
        named = FIELD_NAME.fullmatch(name) is not None
        self.target_field.set_error(
            "Use letters without accents, digits and underscores, and begin with a letter."
            if name and not named
            else ""
        )
        self.expression.set_note(f"Brings {kind_word(self._trial.kind).lower()}" if self._valid else "", "success")
        if known is None:
            self.note.set_note(f"A new profile field: {name or '…'}, {kind_word(new_kind).lower()}")
        elif known.type == self._trial.kind:
            self.note.set_note(f"{known.name} is a profile field already: {kind_word(known.type).lower()}")
        else:
            there, brought = kind_word(known.type).lower(), kind_word(self._trial.kind).lower()
            self.note.set_note(
                f"{known.name} is {there}, the expression brings {brought}: values are converted, and what can't be is "
                "left out.",
                "warning",
            )
        self.go.setEnabled(self._valid and named)
        if self._valid and self._kept_kind() != self._tried_kind:
            # Another field keeps the same values in another form.
            self.check()

    # keeping it

    def act(self) -> None:
        """Put the mapping, and the field if it is new, into the schema's draft."""
        schema, name, engine = self._schema, self._target_name(), self._engine
        if schema is None:
            return
        known = schema.field(name)
        new = None
        if known is None:
            kind = str(self.kind.value() or "") or self._trial.kind
            identifier = self.identifier.isChecked() and kind in IDENTIFIER_KINDS
            operator = "" if identifier or kind != self._trial.kind else self._trial.operator
            new = FieldDefinition(name, type=kind, merge=operator, is_identifier=identifier)
        mapping = MappingDefinition(
            "", self._stream.name, known.name if known is not None else name, self.expression.edit.text().strip()
        )

        def keep(_: object) -> int:
            if new is not None:
                put_field(engine, new)
            put_mapping(engine, mapping)
            return len(unpublished_changes(engine))

        self.set_busy(True)
        run_operation(keep, done=functools.partial(self._kept, mapping.field), failed=self._not_kept, owner=self)

    def _kept(self, target: str, changes: int) -> None:
        self._mapped(target, changes)
        self.accept()

    def _not_kept(self, error: BaseException) -> None:
        self.set_busy(False)
        self.banner.tell_error(error)
