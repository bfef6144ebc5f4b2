"""One person: what they are known by, every value with its origin, the events behind it, and what happened."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.engine import Engine
from app.errors import NotFound
from app.profiles import (
    Erasure,
    FieldValue,
    HistoryEntry,
    PersonEvent,
    Profile,
    count_history,
    erase_person,
    export_person,
    get_profile,
    person_history,
    profile_events,
)
from ui.pages.events import EventsView
from ui.pages.files import ask_save, file_name
from ui.pages.live import Live
from ui.pages.profiles.erase import EraseDialog
from ui.pages.profiles.history import HistoryView
from ui.pages.profiles.identity import IdentityPicture
from ui.pages.profiles.known_by import KnownBy
from ui.pages.profiles.page import PersonCell
from ui.pages.profiles.value import ValueDialog, origin, whole_text
from ui.pages.values import as_of, one_line, value_text
from ui.pages.work import WorkLine, tell_no_export
from ui.shell.background import Cancelled, Task, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Card,
    Column,
    DangerButton,
    DataTable,
    EmptyState,
    Line,
    MenuButton,
    Page,
    PagedTableModel,
    Reply,
    RowsModel,
    Scroll,
    Tabs,
    set_kind,
    words,
)

CARD_WIDTH, NARROW_CARD_WIDTH = 330, 256
WIDE = 960
EXPORTS = (
    ("As a page to read…", ".html", "Pages (*.html)"),
    ("As data…", ".json", "JSON files (*.json)"),
    ("Both in one file…", ".zip", "Archives (*.zip)"),
)
"""What the menu says, the ending of the file, and the filter of the dialog."""


class FieldsTable(DataTable):
    """Tells when a value is to be copied: a table would copy the cell that the keyboard is at, shortened or not."""

    copied = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
            return
        super().keyPressEvent(event)


class PersonPage(Page):
    """The page of one person; `open(profile_id=…)`."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Person", crumb=("Profiles", lambda: shell.navigate("profiles")))
        self._engine, self._shell = engine, shell
        self._id = 0
        self.person: Profile | None = None
        self._task: Task | None = None
        formats = QMenu(self)
        for said, ending, kind in EXPORTS:
            formats.addAction(said, functools.partial(self._ask_export, ending, kind))
        self.export = MenuButton("Export data", formats)
        self.delete = DangerButton("Delete profile", clicked=self.ask_delete)
        self.add_action(self.export, self.delete)
        self.banner = Banner()
        self.work = WorkLine()
        self.add(self.banner)
        self.add(self.work)
        body = QHBoxLayout()
        body.setSpacing(14)
        body.addWidget(self._identity_card())
        body.addWidget(self._tabs_card(), 1)
        self.body = QWidget()
        self.body.setLayout(body)
        body.setContentsMargins(0, 0, 0, 0)
        self.add(self.body, 1)
        self._usable(False)
        Live(self, engine, ("profiles",), self.refresh)

    def _identity_card(self) -> QWidget:
        card = Card("Identity")
        self.picture = IdentityPicture()
        card.add(self.picture)
        self.sentence = set_kind(QLabel(), "muted")
        self.sentence.setWordWrap(True)
        card.add(self.sentence)
        card.add(Line())
        self.known_by = KnownBy()
        self.picture.shown.connect(self.known_by.mark)
        card.add(self.known_by)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card)
        column.addStretch(1)
        frame = QWidget()
        frame.setLayout(column)
        side = Scroll(frame)
        side.setFixedWidth(CARD_WIDTH)
        self.side = side
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.side.setFixedWidth(CARD_WIDTH if event.size().width() >= WIDE else NARROW_CARD_WIDTH)

    def _tabs_card(self) -> Card:
        columns = [
            Column("field", "Field", lambda row: row.name, tip=lambda row: row.label, width=132, fixed=True),
            Column("value", "Value", self._value, tip=self._value, width=208, fixed=True),
            Column("from", "From", origin, tip=_origin_in_full, tone=lambda row: "muted", width=206),
            Column(
                "as_of", "As of", lambda row: as_of(row.at), sort=lambda row: row.at,
                tip=lambda row: words.exact(row.at, seconds=True), tone=lambda row: "muted", width=124,
                spare=True,
            ),
        ]  # fmt: skip
        self.fields_model = RowsModel(columns, key=lambda row: row.name)
        self.fields = FieldsTable(
            self.fields_model,
            "person-fields",
            delegates={"field": PersonCell},
            row_height=38,
            framed=False,
            accessible_name="Fields",
        )
        self.fields.opened.connect(self.show_value)
        self.fields.set_menu(self._field_menu)
        self.fields.copied.connect(self._copy_value)
        self.fields.set_empty(EmptyState("user", "No values", "No import has filled a field of this person."))
        self.events_model = PagedTableModel(
            self._fetch_events,
            [
                Column(
                    "at", "Time", lambda row: as_of(row.at), tip=lambda row: words.exact(row.at), width=148, fixed=True
                ),
                Column(
                    "stream",
                    "Stream",
                    lambda row: row.stream,
                    tip=lambda row: " · ".join(part for part in (row.job, row.stream) if part),
                    tone=lambda row: "muted",
                    width=132,
                ),
                Column("data", "What came", lambda row: one_line(row.data), width=350),
            ],
        )
        self.events = EventsView(self.events_model, "person-events", about=self._given)
        self.events.table.set_empty(
            EmptyState("history", "No events", "The raw events of this person are no longer in the workspace.")
        )
        self.history = HistoryView(self._engine, self.banner)
        self.tabs = Tabs()
        self.tabs.add("fields", "Fields", self.fields)
        self.tabs.add("events", "Events", self.events)
        self.tabs.add("history", "History", self.history)
        card = Card(flush=True)
        card.add(self.tabs, 1)
        return card

    def open(self, **args: Any) -> None:
        wanted = int(args["profile_id"])
        if wanted != self._id:
            self._id, self.person = wanted, None
            self.set_title("Person")
            self.banner.dismiss()
            self.events.forget()
            self.tabs.choose("fields")
            self.body.hide()
            self._usable(False)
        self.refresh()

    def refresh(self) -> None:
        engine, wanted = self._engine, self._id

        def read() -> tuple[Profile, HistoryEntry | None, int]:
            person = get_profile(engine, wanted)
            joined = (one for one in person_history(engine, wanted) if one.verb == "joined")
            return person, next(joined, None), count_history(engine, wanted)

        run_query(read, done=self._show, failed=self._not_shown, owner=self)

    def _show(self, answer: tuple[Profile, HistoryEntry | None, int]) -> None:
        person, joined, happened = answer
        if person.id != self._id:
            return
        new = self.person is None or self.person.id != person.id
        changed = new or self.person != person
        self.person = person
        self.set_title(person.title)
        self.picture.set_person(person.title, person.known_by)
        self.sentence.setText(identity_sentence(person, joined))
        self.known_by.set_identifiers(person.known_by)
        self.fields_model.set_rows(person.fields)
        self.tabs.set_count("fields", len(person.fields))
        self.tabs.set_count("events", person.event_count)
        self.tabs.set_count("history", happened)
        if changed:
            self.events_model.refresh(keep=not new)
            self.history.show_person(person.id)
        self.body.show()
        self._usable(True)

    def _not_shown(self, error: BaseException) -> None:
        self.banner.tell_error(error)
        if isinstance(error, NotFound):
            self.person = None
            self.body.hide()
            self._usable(False)

    def _usable(self, on: bool) -> None:
        self.export.setEnabled(on and self._task is None)
        self.delete.setEnabled(on and self._task is None and self._engine.in_charge_elsewhere is None)

    # values

    def _is_identifier(self, field: FieldValue) -> bool:
        return self.person is not None and any(one.field == field.name for one in self.person.known_by)

    def _value(self, field: FieldValue) -> str:
        return value_text(field.value, field.type, identifier=self._is_identifier(field))

    def show_value(self, field: FieldValue) -> ValueDialog:
        """Show a value in full."""
        dialog = ValueDialog(self, field, identifier=self._is_identifier(field))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        return dialog

    def _field_menu(self, rows: list[FieldValue]) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Show the whole value", lambda: self.show_value(rows[0]))
        menu.addAction("Copy", self._copy_value)
        return menu

    def _copy_value(self) -> None:
        """Put the chosen values on the clipboard, in full."""
        chosen = self.fields.selected()
        texts = [whole_text(field, identifier=self._is_identifier(field)) for field in chosen]
        if texts:
            QGuiApplication.clipboard().setText("\n".join(texts))

    def _given(self, event: PersonEvent) -> str:
        """Which of the present values came with an event."""
        fields = self.person.fields if self.person is not None else ()
        names = [field.name for field in fields if field.event_id == event.id]
        if not names:
            return "Newer events have replaced what this one gave"
        return f"Gave {', '.join(names)}"

    def _fetch_events(self, offset: int, limit: int, reply: Reply) -> None:
        engine, wanted = self._engine, self._id
        total = self.person.event_count if self.person is not None else 0

        def found(events: list[PersonEvent]) -> None:
            reply(events, total)

        def failed(error: BaseException) -> None:
            reply(None)
            self.banner.tell_error(error)

        run_query(lambda: profile_events(engine, wanted, offset, limit), done=found, failed=failed, owner=self)

    # export and delete

    def _ask_export(self, ending: str, kind: str) -> None:
        if self.person is not None:
            name = file_name(self.person.title) + ending
            ask_save(self, "Export everything known of this person", name, kind, self.export_to)

    def export_to(self, target: Path) -> None:
        """Write everything known of the person, in the background; the file's ending says in which form."""
        engine, person = self._engine, self.person
        if person is None:
            return
        self.banner.dismiss()
        self.work.begin(f"Exporting {person.title}")
        self._task = run_operation(
            lambda task: export_person(engine, person.id, target, task.report),
            done=functools.partial(self._exported, person, target),
            failed=self._export_failed,
            progress=self.work.progress,
            owner=self,
        )
        self.work.set_task(self._task)
        self._usable(True)

    def _exported(self, person: Profile, target: Path, events: int) -> None:
        self._export_ended()
        what = f"{words.count_of(len(person.fields), 'field')} and {words.count_of(events, 'event')}"
        self.banner.tell("success", f"{person.title} exported with {what} to {target}")

    def _export_failed(self, error: BaseException) -> None:
        self._export_ended()
        tell_no_export(self.banner, error)

    def _export_ended(self) -> None:
        self._task = None
        self.work.end()
        self._usable(self.person is not None)

    def ask_delete(self) -> EraseDialog | None:
        """Show what goes and what can't be reached, and ask whether the person shall go."""
        person = self.person
        if person is None:
            return None
        dialog = EraseDialog(self, self._engine, person.id, person.title, functools.partial(self._delete, person))
        dialog.open()
        return dialog

    def _delete(self, person: Profile, others: bool) -> None:
        engine = self._engine
        self._usable(False)
        self.delete.setEnabled(False)
        self.work.begin(f"Deleting {person.title}")
        self._task = run_operation(
            lambda task: erase_person(engine, person.id, task.report, others=others),
            done=self._deleted,
            failed=self._not_deleted,
            progress=self.work.progress,
            owner=self,
        )
        self.work.set_task(self._task)

    def _deleted(self, erased: Erasure) -> None:
        self._task = None
        self.work.end()
        self.person, self._id = None, 0
        told = f"“{erased.title}” was deleted"
        if erased.people > 1:
            told += f" with {words.count_of(erased.people - 1, 'other person', 'other people')}"
        told += f", and {words.count_of(erased.events, 'event')}."
        self._shell.navigate("profiles", told=told, left="\n".join(erased.left))
        self._shell.forget("profile")

    def _not_deleted(self, error: BaseException) -> None:
        self._export_ended()
        if isinstance(error, Cancelled):
            self.banner.tell("info", "Nothing was deleted.")
        else:
            self.banner.tell_error(error)


def _origin_in_full(field: FieldValue) -> str:
    return f"{origin(field)}, as of {words.exact(field.at, seconds=True)}"


def identity_sentence(person: Profile, joined: HistoryEntry | None = None) -> str:
    """ "4 identifiers from 2 streams, joined on 14 Nov by email"; "known since 14 Nov" while nobody was joined."""
    since = f"known since {words.exact(person.created_at).split(',')[0]}"
    if joined is not None:
        day = f" on {words.when(joined.at)}" if joined.at else ""
        since = f"joined{day} by {joined.field}" if joined.field else f"joined{day}"
    if not person.known_by:
        return f"No identifier, {since}"
    # Whatever stream brought a value, brought an identifier with it: without one it would be nobody's.
    streams = {one.stream for one in person.known_by if one.stream} | {
        one.stream for one in person.fields if one.stream
    }
    said = words.count_of(len(person.known_by), "identifier")
    if streams:
        said += f" from {words.count_of(len(streams), 'stream')}"
    return f"{said}, {since}"
