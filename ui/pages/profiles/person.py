"""One person: what they are known by, every value with its origin, and the events behind it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.engine import Engine
from app.errors import NotFound
from app.profiles import FieldValue, PersonEvent, Profile, delete_profile, export_person, get_profile, profile_events
from ui.pages.events import EventsView
from ui.pages.files import ask_save, file_name
from ui.pages.live import Live
from ui.pages.profiles.identity import IdentityPicture
from ui.pages.profiles.page import PersonCell
from ui.pages.values import as_of, one_line, value_text
from ui.pages.work import WorkLine, tell_no_export
from ui.shell.background import Task, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Button,
    Card,
    Column,
    ConfirmDialog,
    DangerButton,
    DataTable,
    ElidedLabel,
    EmptyState,
    Page,
    PagedTableModel,
    Reply,
    RowsModel,
    Scroll,
    Tabs,
    confirm,
    set_kind,
    words,
)

CARD_WIDTH, NARROW_CARD_WIDTH = 330, 256
WIDE = 960


class PersonPage(Page):
    """The page of one person; `open(profile_id=…)`."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Person", crumb=("Profiles", lambda: shell.navigate("profiles")))
        self._engine, self._shell = engine, shell
        self._id = 0
        self.person: Profile | None = None
        self._task: Task | None = None
        self.export = Button("Export data", clicked=self._ask_export)
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
        self._known_by = QGridLayout()
        self._known_by.setHorizontalSpacing(12)
        self._known_by.setVerticalSpacing(5)
        self._known_by.setColumnStretch(1, 1)
        card.add(self._known_by)
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
            Column("value", "Value", self._value, tip=self._value, width=188, fixed=True),
            Column("from", "From", _origin, tip=_origin, tone=lambda row: "muted", width=204),
            Column(
                "as_of", "As of", lambda row: as_of(row.at), sort=lambda row: row.at,
                tip=lambda row: words.exact(row.at, seconds=True), tone=lambda row: "muted", width=142,
            ),
        ]  # fmt: skip
        self.fields_model = RowsModel(columns, key=lambda row: row.name)
        self.fields = DataTable(
            self.fields_model,
            "person-fields",
            delegates={"field": PersonCell},
            row_height=38,
            framed=False,
            accessible_name="Fields",
        )
        self.fields.set_empty(EmptyState("user", "No values", "No import has filled a field of this person."))
        self.events_model = PagedTableModel(
            self._fetch_events,
            [
                Column(
                    "at", "Time", lambda row: as_of(row.at), tip=lambda row: words.exact(row.at), width=148, fixed=True
                ),
                Column("stream", "Stream", lambda row: row.stream, tone=lambda row: "muted", width=132),
                Column("data", "What came", lambda row: one_line(row.data), width=350),
            ],
        )
        self.events = EventsView(self.events_model, "person-events")
        self.events.table.set_empty(
            EmptyState("history", "No events", "The raw events of this person are no longer in the workspace.")
        )
        self.tabs = Tabs()
        self.tabs.add("fields", "Fields", self.fields)
        self.tabs.add("events", "Events", self.events)
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
        run_query(lambda: get_profile(engine, wanted), done=self._show, failed=self._not_shown, owner=self)

    def _show(self, person: Profile) -> None:
        if person.id != self._id:
            return
        new = self.person is None or self.person.id != person.id
        changed = new or self.person is None or self.person.event_count != person.event_count
        self.person = person
        self.set_title(person.title)
        self.picture.set_person(person.title, person.identifiers)
        self.sentence.setText(identity_sentence(person))
        self._list_identifiers(person)
        self.fields_model.set_rows(person.fields)
        self.tabs.set_count("fields", len(person.fields))
        self.tabs.set_count("events", person.event_count)
        if changed:
            self.events_model.refresh(keep=not new)
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
        self.delete.setEnabled(on and self._engine.in_charge_elsewhere is None)

    def _list_identifiers(self, person: Profile) -> None:
        while (item := self._known_by.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for at, (name, value) in enumerate(person.identifiers):
            label = set_kind(QLabel(name), "secondary")
            shown = ElidedLabel(value)
            shown.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            shown.setAccessibleName(f"{name}: {value}")
            self._known_by.addWidget(label, at, 0)
            self._known_by.addWidget(shown, at, 1)

    def _value(self, field: FieldValue) -> str:
        named = {name for name, _ in self.person.identifiers} if self.person is not None else set()
        return value_text(field.value, field.type, identifier=field.name in named)

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

    def _ask_export(self) -> None:
        if self.person is not None:
            name = f"{file_name(self.person.title)}.json"
            ask_save(self, "Export everything known of this person", name, "JSON files (*.json)", self.export_to)

    def export_to(self, target: Path) -> None:
        """Write everything known of the person into a JSON file, in the background."""
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

    def ask_delete(self) -> ConfirmDialog | None:
        """Ask whether the person shall go, naming what goes with them."""
        person = self.person
        if person is None:
            return None
        lost = (
            f"{words.count_of(len(person.fields), 'field')}, {words.count_of(len(person.identifiers), 'identifier')} "
            f"and {words.count_of(person.event_count, 'event')} are deleted from this workspace. This can't be undone. "
            "If a source still holds this person, the next import brings them back."
        )
        return confirm(
            self, f"Delete “{person.title}”?", lost, "Delete profile", functools.partial(self._delete, person)
        )

    def _delete(self, person: Profile) -> None:
        engine = self._engine
        self._usable(False)
        run_operation(
            lambda task: delete_profile(engine, person.id),
            done=functools.partial(self._deleted, person.title),
            failed=self._not_deleted,
            owner=self,
        )

    def _deleted(self, title: str, _: None) -> None:
        self.person, self._id = None, 0
        self._shell.navigate("profiles", told=f"“{title}” was deleted.")
        self._shell.forget("profile")

    def _not_deleted(self, error: BaseException) -> None:
        self._usable(self.person is not None)
        self.banner.tell_error(error)


def identity_sentence(person: Profile) -> str:
    """ "4 identifiers from 2 streams, known since 14 Nov 2026"."""
    since = f"known since {words.exact(person.created_at).split(',')[0]}"
    if not person.identifiers:
        return f"No identifier, {since}"
    # Whatever stream brought a value, brought an identifier with it: without one it would be nobody's.
    streams = {field.stream for field in person.fields if field.stream}
    said = words.count_of(len(person.identifiers), "identifier")
    if streams:
        said += f" from {words.count_of(len(streams), 'stream')}"
    return f"{said}, {since}"


def _origin(field: FieldValue) -> str:
    return " · ".join(part for part in (field.job, field.stream) if part) or "No longer known"
