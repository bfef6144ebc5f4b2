"""The dialog of a field: what it holds, how values meet, whether it says who somebody is, and what fills it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.engine import Engine
from app.schema.model import IDENTIFIER_KINDS, MERGE_OPERATORS, FieldDefinition, MappingDefinition, holds_several
from app.schema.operations import put_field, put_mapping, remove_mapping
from app.schema.words import KIND_WORDS, OPERATOR_SENTENCES, kind_word, operator_word
from ui.pages.authorizations.dialogs import FormDialog
from ui.pages.schema.mapping_dialog import MappingDialog
from ui.pages.schema.reading import Contents, MappingRow
from ui.pages.schema.tables import mappings_table, on_key
from ui.shell.background import run_operation
from ui.widgets import CheckBox, ComboBox, EmptyState, FormField, LinkButton, Scroll, set_kind

WIDTH = 660
TALLEST_FORM = 530


def _pair(*fields: QWidget) -> QWidget:
    frame = QWidget()
    row = QHBoxLayout(frame)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(14)
    for field in fields:
        row.addWidget(field, 1, Qt.AlignmentFlag.AlignTop)
    return frame


class FieldDialog(FormDialog):
    """Makes a field or edits one; its mappings are saved with it. All of it is unpublished until it is published."""

    def __init__(
        self,
        parent: QWidget,
        engine: Engine,
        contents: Contents,
        field: FieldDefinition | None,
        saved: Callable[[], object],
    ) -> None:
        super().__init__(parent, f"Field “{field.name}”" if field is not None else "New field", WIDTH)
        self._engine, self._contents, self._field, self._saved = engine, contents, field, saved
        self._before: tuple[MappingDefinition, ...] = ()
        if field is not None:
            self._before = tuple(mapping for mapping in contents.draft.mappings if mapping.field == field.name)
        self._mappings = list(self._before)
        base = field if field is not None else FieldDefinition("")
        provider = next((one.name for one in engine.catalog.providers if one.slug == base.managed_by), base.managed_by)
        if provider:
            self.say(f"{provider} brought this field. Once it is changed here, its updates are offered, not applied.")
        content = QWidget()
        form = QVBoxLayout(content)
        form.setContentsMargins(0, 0, 12, 0)
        form.setSpacing(12)
        self.name = QLineEdit(base.name)
        self.name.setReadOnly(field is not None)
        self.name_field = FormField(
            "Name",
            self.name,
            required=True,
            help="Letters, digits and _; it can't be changed later" if field is None else "The name can't be changed",
        )
        self.name.textChanged.connect(lambda _: self.name_field.set_error(""))
        self.label = QLineEdit(base.label)
        form.addWidget(_pair(self.name_field, FormField("Label", self.label, help="As lists and pages show it")))
        self.description = QLineEdit(base.description)
        form.addWidget(FormField("Description", self.description))
        self.identifier = CheckBox("Identifier: events with the same value belong to one person", base.is_identifier)
        form.addWidget(self.identifier)
        self.kind = ComboBox()
        self.merge = ComboBox()
        self.kind_field = FormField("Type", self.kind, required=True, help=" ")
        self.merge_field = FormField("When values meet", self.merge, required=True, help=" ")
        form.addWidget(_pair(self.kind_field, self.merge_field))
        self.capacity = self._number(base.capacity, "No limit")
        self.keep_days = self._number(base.keep_days, "For good")
        self.capacity_field = FormField("Keeps at most", self.capacity, help="How many values; the oldest go first")
        self.days_field = FormField("Keeps for days", self.keep_days, help="Older values are dropped")
        form.addWidget(_pair(self.days_field, self.capacity_field))
        form.addLayout(self._mappings_part())
        form.addStretch(1)
        self._scroll = Scroll(content)
        self.add(self._scroll, 1)
        self.finish("Save")
        self._kind_choices(base.type)
        self._merge_choices(base.merge)
        self.identifier.toggled.connect(lambda _: self._kind_choices(str(self.kind.value() or "string")))
        self.kind.value_changed.connect(lambda kind: self._merge_choices(base.merge if kind == base.type else ""))
        self.merge.value_changed.connect(lambda _: self._explain())
        content.adjustSize()
        self._scroll.setMinimumHeight(min(content.sizeHint().height(), TALLEST_FORM))
        (self.label if field is not None else self.name).setFocus()

    def _number(self, value: int | None, placeholder: str) -> QLineEdit:
        edit = QLineEdit("" if value is None else str(value))
        edit.setPlaceholderText(placeholder)
        edit.setValidator(QIntValidator(1, 1_000_000, edit))
        return edit

    def _mappings_part(self) -> QVBoxLayout:
        part = QVBoxLayout()
        part.setSpacing(6)
        self.table = mappings_table("schema-field-mappings")
        self.table.set_column_shown("field", False)
        self.table.setFixedHeight(36 + 3 * 38 + 2)
        self.table.setAccessibleName("Mappings of the field")
        self.table.set_empty(
            EmptyState(
                "workflow", "Nothing fills this field yet", "A mapping takes a value from the events of a stream."
            )
        )
        self.table.opened.connect(lambda row: self.edit_mapping(row.mapping))
        on_key(self.table, QKeySequence.StandardKey.Delete, self.remove_mappings)
        self.table.chosen.connect(lambda _: self._show_buttons())
        self.new_mapping = LinkButton("Add…", clicked=lambda: self.edit_mapping(None))
        self.new_mapping.setAccessibleName("Add a mapping")
        self.change = LinkButton("Edit…", clicked=self._edit_chosen)
        self.remove = LinkButton("Remove", clicked=self.remove_mappings)
        head = QHBoxLayout()
        head.setSpacing(14)
        head.addWidget(set_kind(QLabel("Mappings"), "label"))
        head.addStretch(1)
        for button in (self.change, self.remove, self.new_mapping):
            head.addWidget(button)
        part.addLayout(head)
        part.addWidget(self.table)
        self._show_mappings()
        return part

    # choices that hang together

    def _kind_choices(self, kind: str) -> None:
        """An identifier is a text or a set of texts, and has no rule."""
        kinds: Sequence[str] = IDENTIFIER_KINDS if self.identifier.isChecked() else tuple(MERGE_OPERATORS)
        words = {"string": "Text: one value", "[]string": "Set: several values"} if self.identifier.isChecked() else {}
        self.kind.set_choices([(words.get(one, KIND_WORDS.get(one, one)), one) for one in kinds])
        self.kind.set_value(kind if kind in kinds else "string")
        self._merge_choices(str(self.merge.value() or ""))

    def _merge_choices(self, merge: str) -> None:
        kind = str(self.kind.value() or "string")
        operators = MERGE_OPERATORS[kind]
        self.merge.set_choices([(operator_word(one, kind), one) for one in operators])
        self.merge.set_value(merge if merge in operators else operators[0])
        self.merge_field.setVisible(not self.identifier.isChecked())
        self.capacity_field.setVisible(holds_several(kind))
        self.days_field.setVisible(not self.identifier.isChecked())
        self._explain()

    def _explain(self) -> None:
        kind = str(self.kind.value() or "string")
        self.merge_field.set_help(OPERATOR_SENTENCES.get(str(self.merge.value() or ""), " "))
        if self.identifier.isChecked():
            self.kind_field.set_help(
                "A person can have several of these" if holds_several(kind) else "A person has one of these at most"
            )
        elif self._field is not None and kind != self._field.type:
            was = kind_word(self._field.type).lower()
            self.kind_field.set_help(f"It holds {was} now; what can't be read as the new type comes with a rebuild")
        else:
            self.kind_field.set_help(" ")

    # mappings

    def _show_mappings(self) -> None:
        model = self.table.model()
        model.set_rows(MappingRow(mapping, "") for mapping in self._mappings)  # type: ignore[attr-defined]
        self._show_buttons()

    def _show_buttons(self) -> None:
        chosen = len(self.table.selected())
        self.change.setVisible(chosen == 1)
        self.remove.setVisible(chosen > 0)

    def _edit_chosen(self) -> None:
        chosen = self.table.selected()
        if len(chosen) == 1:
            self.edit_mapping(chosen[0].mapping)

    def edit_mapping(self, mapping: MappingDefinition | None) -> MappingDialog:
        """Open one of the mappings, or a new one; it is kept here until the field is saved."""
        made: list[MappingDefinition] = []
        dialog = MappingDialog(
            self,
            self._engine,
            self._contents.streams,
            self._contents.draft.fields,
            made.append,
            mapping=mapping,
            field=self.definition(),
            saved=lambda: self._keep(mapping, made[-1]),
        )
        dialog.open()
        return dialog

    def _keep(self, before: MappingDefinition | None, after: MappingDefinition) -> None:
        if before is None:
            self._mappings.append(after)
        else:
            self._mappings[self._mappings.index(before)] = after
        self._show_mappings()

    def remove_mappings(self) -> None:
        """Take the chosen mappings away; Cancel still brings them back."""
        gone = [row.mapping for row in self.table.selected()]
        self._mappings = [mapping for mapping in self._mappings if mapping not in gone]
        self._show_mappings()

    # saving

    def definition(self) -> FieldDefinition:
        """What was entered."""
        kind = str(self.kind.value() or "string")
        several, identifier = holds_several(kind), self.identifier.isChecked()
        base = self._field if self._field is not None else FieldDefinition("")
        return replace(
            base,
            name=self.name.text().strip(),
            label=self.label.text().strip(),
            description=self.description.text().strip(),
            type=kind,
            merge="" if identifier else str(self.merge.value() or ""),
            is_identifier=identifier,
            rank=base.rank if identifier else None,
            capacity=int(self.capacity.text()) if several and self.capacity.text() else None,
            keep_days=int(self.keep_days.text()) if not identifier and self.keep_days.text() else None,
        )

    def act(self) -> None:
        """Keep the field and its mappings as unpublished changes."""
        entered = self.definition()
        if not entered.name:
            self.name_field.set_error("The field needs a name. Enter one.")
            self.name.setFocus()
            return
        known = {field.name.casefold() for field in self._contents.draft.fields}
        if self._field is None and entered.name.casefold() in known:
            self.name_field.set_error(f"There is a field {entered.name} already. Choose another name.")
            self.name.setFocus()
            return
        engine, before, after = self._engine, self._before, list(self._mappings)

        def work() -> None:
            put_field(engine, entered)
            kept = {mapping.key for mapping in after}
            for mapping in before:
                if mapping.key not in kept:
                    remove_mapping(engine, mapping.key)
            for mapping in after:
                if mapping not in before:
                    put_mapping(engine, replace(mapping, field=entered.name))

        self.set_busy(True)
        run_operation(lambda _: work(), done=self._was_saved, failed=self._not_saved, owner=self)

    def _was_saved(self, _: object) -> None:
        self._saved()
        self.accept()

    def _not_saved(self, error: BaseException) -> None:
        self.set_busy(False)
        self.banner.tell_error(error)
