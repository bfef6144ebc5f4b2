"""The fourth step: the form of the job at the left, what the source holds at the right."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.alerts.options import objects_of, types_for
from app.authorizations import HostKeyChanged, HostKeyUnknown, confirm_host_key, get_authorization, open_credentials
from app.engine import Engine
from app.errors import NotFound
from app.jobs.columns import OWN_EXPRESSION
from app.jobs.export_preview import preview_export
from app.jobs.wizard import Choice, Preview, Wizard
from ui.forms.options import OptionsForm
from ui.pages.authorizations.vault import VaultHelp
from ui.pages.new_job.answers import Answers
from ui.pages.new_job.browse import BrowseDialog
from ui.pages.new_job.expression import ExpressionDialog
from ui.pages.new_job.host_key import ask_host_key
from ui.pages.new_job.preview import PreviewCard
from ui.pages.new_job.schedule import ScheduleForm
from ui.shell.background import run_operation, run_query
from ui.widgets import Banner, Card, FormField, Scroll

SOURCE = "system_event_single_source"
"""The option of alerts that says what they are about, and those whose values depend on it."""
TYPES, OBJECTS = "system_event_multiple_types", "system_event_single_source_ids"
REST_MS = 350
"""How long typing rests before the source is looked into again."""


class ConfigurePane(QWidget):
    """Edits the wizard it was given by `show_wizard`; `changed` follows each edit.

    `settled(bool)`: the source was looked into; False when it could not be read.
    """

    changed = Signal()
    settled = Signal(bool)

    def __init__(self, engine: Engine, banner: Banner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine, self._banner = engine, banner
        self._wizard: Wizard | None = None
        self._asked = 0
        self._seen: object = None
        self._looking = False
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._look)
        self.dialog: BrowseDialog | None = None
        self.expression: ExpressionDialog | None = None
        self.form: OptionsForm | None = None
        self._answers = Answers(engine, self)
        self.name = QLineEdit()
        self.name.textEdited.connect(self._named)
        self.name_field = FormField("Label", self.name, help="What the job is called in lists", required=True)
        inside = QWidget()
        self._slot = QVBoxLayout(inside)
        self._slot.setContentsMargins(18, 18, 18, 18)
        self._slot.setSpacing(14)
        self._slot.addWidget(self.name_field)
        self.schedule: ScheduleForm | None = None
        self._slot.addStretch(1)
        card = Card(flush=True)
        card.add(Scroll(inside), 1)
        card.setMinimumWidth(290)
        self.preview = PreviewCard(self._field_names)
        self.preview.edited.connect(self._column_edited)
        self._help = VaultHelp(engine, self, self.preview.banner, self.look_again)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(18)
        row.addWidget(card, 40)
        row.addWidget(self.preview, 60)

    def show_wizard(self, wizard: Wizard) -> None:
        """Ask for what this wizard's job type needs, starting with what it has."""
        self._wizard = wizard
        if self.form is not None:
            self._slot.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
            self.form = self.schedule = None
        if wizard.job_type is None:
            return
        local = wizard.authorization_id is not None and self._is_local(wizard.authorization_id)
        options = [option for option in wizard.job_type.options if option.name not in wizard.table_options()]
        self.form = OptionsForm(options, wizard.values, browse_text="Browse folder" if local else "Browse server")
        self.form.set_streams(sorted(wizard.streams))
        self.form.set_fields(list(wizard.fields.values()))
        self._ask_objects()
        self.form.changed.connect(self._edited)
        self.form.browse.connect(self._browse)
        self._slot.insertWidget(1, self.form)
        if wizard.may_run_again():
            self.schedule = ScheduleForm(
                "Repeat the export" if wizard.exports else "Keep importing", new=wizard.editing is None
            )
            self.form.add_above_advanced(self.schedule)
            self.form.add_advanced(self.schedule.quiet)
            # A part that is shown before it has its place would be a window of its own.
            self.schedule.set_document(wizard.schedule)
            self.schedule.changed.connect(self._scheduled)
        self._answers.serve(self.form, wizard)
        self._fill()
        self._seen = None
        self._asked += 1
        if wizard.preview is not None:
            self._show_columns()
            self._seen = self._source()
        else:
            self.preview.show_nothing(self._nothing())
        self.preview.setVisible(bool(wizard.job_type.preview))
        self._look()

    def show_problems(self) -> bool:
        """Say at each field what is missing; whether there is anything."""
        assert self._wizard is not None
        missing = self._wizard.missing()
        if self.form is not None:
            self.form.set_errors(missing)
        self.name_field.set_error(missing.get("name", ""))
        late = self._wizard.schedule_problem()
        if self.schedule is not None:
            self.schedule.set_error(late)
            if late and self.form is not None and self.schedule.quiet.document() is not None:
                self.form.show_advanced()
        if "name" in missing:
            self.name.setFocus()
        return bool(missing or late)

    def _is_local(self, authorization_id: int) -> bool:
        try:
            method = get_authorization(self._engine, authorization_id).method
        except NotFound:
            # It was deleted a moment ago: the preview says so.
            return False
        return any(field.type == "folder" for field in self._engine.catalog.method(method).fields)

    def _field_names(self) -> list[str]:
        return sorted(field.name for field in self._wizard.fields.values()) if self._wizard is not None else []

    # what the user enters

    def _named(self, text: str) -> None:
        if self._wizard is not None:
            self._wizard.set_name(text)
            self.name_field.set_error("")
            self.changed.emit()

    def _scheduled(self, document: dict[str, Any]) -> None:
        if self._wizard is not None:
            before = self._source()
            self._wizard.set_schedule(document)
            if self._source() != before:
                self._fill()
                self._rest.start()
            self.changed.emit()

    def _edited(self, name: str, value: object) -> None:
        if self._wizard is None:
            return
        self._wizard.set_value(name, value)
        if name == SOURCE:
            # Jobs and authorizations have numbers of their own, and other things happen to them.
            for option in self._wizard.asked():
                if option.name in (TYPES, OBJECTS):
                    self._wizard.set_value(option.name, [])
            self._ask_objects()
        self._fill()
        self.preview.update_columns(self._wizard)
        self._rest.start()
        self.changed.emit()

    def _ask_objects(self) -> None:
        """Offer the things of the workspace that an alert can be limited to."""
        wizard, engine = self._wizard, self._engine
        if wizard is None or SOURCE not in wizard.values:
            return
        source = str(wizard.values[SOURCE])
        if self.form is not None:
            self.form.limit_choices(TYPES, types_for(source))
        run_query(
            lambda: objects_of(engine, source),
            done=functools.partial(self._show_objects, source),
            failed=self._banner.tell_error,
            owner=self,
        )

    def _show_objects(self, source: str, choices: list[tuple[str, str]]) -> None:
        if self._wizard is not None and self.form is not None and self._wizard.values.get(SOURCE) == source:
            self.form.set_objects(choices)

    def _column_edited(self, column: str, what: str, value: object) -> None:
        wizard = self._wizard
        if wizard is None:
            return
        if what == "type" and value == OWN_EXPRESSION:
            self._write_expression(column)
            return
        if what == "type":
            wizard.set_type(column, str(value))
        elif what == "target":
            wizard.set_target(column, str(value))
        else:
            wizard.set_identifier(column, bool(value))
        self.preview.update_columns(wizard)
        self.changed.emit()

    def _write_expression(self, column: str) -> None:
        """Ask what becomes of a column, in the mapping language."""
        wizard = self._wizard
        choice = next((known for known in wizard.columns() if known.name == column), None) if wizard else None
        if wizard is None or choice is None:
            return

        def changed() -> None:
            self.preview.update_columns(wizard)
            self.changed.emit()

        self.expression = ExpressionDialog(self, wizard, choice, changed)
        self.expression.open()

    def _fill(self) -> None:
        """Show what the wizard suggests beside what was entered."""
        wizard = self._wizard
        if wizard is None or self.form is None:
            return
        self.form.set_values(wizard.values)
        if self.name.text() != wizard.name:
            self.name.setText(wizard.name)
            self.name_field.set_error("")

    def _browse(self, option_name: str) -> None:
        wizard = self._wizard
        if wizard is None or wizard.job_type is None or wizard.provider is None:
            return
        option = next(option for option in wizard.job_type.options if option.name == option_name)
        engine, authorization, provider = self._engine, wizard.authorization_id, wizard.provider.slug
        values = dict(wizard.values)

        def list_folder(path: str) -> list[Choice]:
            choices = engine.catalog.function(provider, option.choices_from)
            found: list[Choice] = asyncio.run(choices(open_credentials(engine, authorization), values, path))
            return found

        def chosen(value: str) -> None:
            if self.form is not None:
                self.form.set_values({**wizard.values, option_name: value})
            self._edited(option_name, value)

        self.dialog = BrowseDialog(
            self,
            engine,
            f"Choose: {option.label}",
            list_folder,
            chosen,
            start=self._place_name(),
            folders=option.type == "folder",
        )
        self.dialog.finished.connect(self._browsed)
        self.dialog.open()

    def _place_name(self) -> str:
        """What the place is called in which is looked for files."""
        try:
            number = self._wizard.authorization_id if self._wizard is not None else None
            return get_authorization(self._engine, number).name if number is not None else "Start"
        except NotFound:
            return "Start"

    def _browsed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    # what the source holds

    def _source(self) -> object:
        assert self._wizard is not None
        return (self._wizard.authorization_id, self._wizard.preview_options())

    def pending(self) -> bool:
        """Whether what the source holds is still being found out; if so, it is looked into now."""
        if self._rest.isActive():
            self._rest.stop()
            self._look()
        return self._looking

    def look_again(self) -> None:
        """Look into the source although nothing was entered anew (F5)."""
        self._seen = None
        self._look()

    def _nothing(self) -> str:
        """What there has to be before there is a preview."""
        if self._wizard is not None and self._wizard.exports:
            return "Say what is to be exported, and the first rows appear here as they will be sent."
        return "Choose a file and its first rows appear here."

    def _look(self) -> None:
        """Ask for a preview, unless the one shown is of the same source and options."""
        wizard, engine = self._wizard, self._engine
        if wizard is None or wizard.job_type is None or wizard.provider is None:
            return
        self._answers.rested()
        if not wizard.preview_wanted():
            self._asked += 1
            self._seen, self._looking = None, False
            wizard.forget_preview()
            why = self._nothing()
            if not wizard.job_type.preview:
                why = "This kind of job has no preview."
            elif wizard.authorization_id is None:
                why = "The job has no authorization any more, so nothing can be read."
            self.preview.show_nothing(why)
            return
        source = self._source()
        if source == self._seen:
            if wizard.preview is not None:
                self.preview.show_preview(wizard)
            return
        self._seen = source
        self._asked += 1
        number, authorization, options = self._asked, wizard.authorization_id, wizard.preview_options()
        provider, job_type, exports = wizard.provider.slug, wizard.job_type, wizard.exports
        self.preview.ask(exports)
        self._looking = True

        def look() -> Preview:
            if exports:
                return preview_export(engine, provider, job_type, options, authorization)
            function = engine.catalog.function(provider, job_type.preview)
            found: Preview = asyncio.run(function(open_credentials(engine, authorization), options))
            return found

        run_query(
            look,
            done=functools.partial(self._looked, number),
            failed=functools.partial(self._not_looked, number),
            owner=self,
        )

    def _looked(self, number: int, preview: Preview) -> None:
        if number != self._asked or self._wizard is None:
            return
        self._looking = False
        self._wizard.apply_preview(preview)
        self._fill()
        self._show_columns()
        self.changed.emit()
        self.settled.emit(True)

    def _show_columns(self) -> None:
        wizard = self._wizard
        if wizard is None or wizard.preview is None:
            return
        if self.form is not None and not wizard.exports:
            self.form.set_columns([column.name for column in wizard.preview.columns])
        self.preview.show_preview(wizard)

    def _not_looked(self, number: int, error: BaseException) -> None:
        if number != self._asked or self._wizard is None:
            return
        self._looking = False
        self._wizard.forget_preview()
        if isinstance(error, HostKeyUnknown | HostKeyChanged):
            ask_host_key(self, error, self._confirm(error.key))
        self.preview.show_nothing("Mend what is said above; then the preview is there.")
        self._help.tell_error(error)
        self.changed.emit()
        self.settled.emit(False)

    def _confirm(self, key: str) -> Callable[[], object]:
        """What is to be done when the user trusts the server's key."""
        engine, wizard = self._engine, self._wizard
        authorization = wizard.authorization_id if wizard is not None else None

        def keep() -> None:
            if authorization is not None:
                run_operation(
                    lambda task: confirm_host_key(engine, authorization, key),
                    done=lambda _: self.look_again(),
                    failed=self._banner.tell_error,
                    owner=self,
                )

        return keep
