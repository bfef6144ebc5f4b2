"""The list of people: found by any identifier or text, opened, and all of them as a file."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.engine import Engine
from app.profiles import (
    ProfileRow,
    count_matches,
    count_profiles,
    count_unindexed,
    export_profiles,
    search_profiles,
)
from app.profiles.person import stored_value
from app.schema.fields import Field, list_fields
from ui.pages.files import ask_save
from ui.pages.live import Live
from ui.pages.rebuilding import RebuildNotice
from ui.pages.values import as_of, value_text
from ui.pages.work import WorkLine, tell_no_export
from ui.shell.background import Task, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Button,
    Cell,
    Column,
    DataTable,
    EmptyState,
    Page,
    PagedTableModel,
    PrimaryButton,
    Reply,
    SearchField,
    words,
)

MOST_COLUMNS = 5
_NAMES = {
    "name", "full_name", "fullname", "display_name", "customer_name", "first_name", "firstname", "first", "given_name",
    "fname", "vorname", "last_name", "lastname", "last", "surname", "family_name", "lname", "nachname",
}  # fmt: skip


class PersonCell(Cell):
    """The name of a person, in bold."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, weight=600)


class ProfilesPage(Page):
    """Everybody in the workspace, newest first."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Profiles")
        self._engine, self._shell = engine, shell
        self._text = ""
        self._people: int | None = None
        self._matches: int | None = None
        self._unindexed = 0
        self._shown_fields: tuple[Field, ...] | None = None
        self._told = ""
        self._export_task: Task | None = None
        self.export = Button("Export all to CSV…", icon="file-down", clicked=self._ask_export)
        self.export.setEnabled(False)
        self.search = SearchField("Search people", wait_ms=250, width=280)
        self.search.setToolTip("An email address or any other identifier finds its person at once")
        self.search.searched.connect(self._searched)
        self.add_action(self.search, self.export)
        self.banner = Banner()
        self.work = WorkLine()
        self.add(self.banner)
        self.rebuild = RebuildNotice(engine, self, self.banner)
        self.add(self.work)
        self._place = QVBoxLayout()
        self.add(self._place, 1)
        self.table: DataTable | None = None
        self.model: PagedTableModel | None = None
        Live(self, engine, ("profiles", "schema", "progress", "index"), self.refresh)

    def open(self, **args: Any) -> None:
        """`told`: what happened to somebody on the way here; `left`: what the user has to see to."""
        told, left = str(args.get("told", "")), str(args.get("left", ""))
        if told and told != self._told:
            self.banner.tell("warning" if left else "success", told, left)
        self._told = told
        self.refresh()

    def refresh(self) -> None:
        engine = self._engine

        def ask() -> tuple[tuple[Field, ...], int, int]:
            with engine.workspace.database.read() as connection:
                fields = tuple(list_fields(connection))
            return fields, count_profiles(engine), count_unindexed(engine)

        run_query(ask, done=self._counted, failed=self.banner.tell_error, owner=self)

    def _counted(self, answer: tuple[tuple[Field, ...], int, int]) -> None:
        were_left = self._unindexed > 0
        fields, self._people, self._unindexed = answer
        shown = chosen_fields(fields)
        if self.model is None or shown != self._shown_fields:
            self._shown_fields = shown
            self._make_table(shown)
        elif self._text and were_left != (self._unindexed > 0):
            self._renew_empty()
        assert self.model is not None
        self.export.setEnabled(bool(self._people) and self._export_task is None)
        self._tell_count()
        # The rows of before stay until the new ones are there: a running import must not make the list flicker.
        self.model.refresh(keep=True)

    def _make_table(self, fields: Sequence[Field]) -> None:
        """The columns follow the schema, so another schema means another table."""
        if self.table is not None:
            self._place.removeWidget(self.table)
            self.table.hide()
            self.table.deleteLater()
        columns = [Column("person", "Person", lambda row: row.title, width=176, fixed=True)]
        for field in fields:
            columns.append(
                Column(
                    f"field:{field.name}",
                    field.label,
                    functools.partial(_field_text, field),
                    width=236 if field.name == "email" else 130,
                    spare=len(columns) > 2,
                )
            )
        columns.append(
            Column("updated", "Updated", lambda row: as_of(row.updated_at), tone=lambda row: "muted", width=128)
        )
        self.model = PagedTableModel(self._fetch, columns)
        self.table = DataTable(
            self.model, "people", delegates={"person": PersonCell}, row_height=39, many=False, accessible_name="People"
        )
        self.table.opened.connect(self._open_person)
        self.table.set_menu(self._menu)
        self.empty = EmptyState("users", "", "", [])
        self._empty_actions()
        self._place.addWidget(self.table, 1)
        self.setTabOrder(self.export, self.table)

    def _renew_empty(self) -> None:
        self.empty.hide()
        self.empty.deleteLater()
        self._empty_actions()

    def _empty_actions(self) -> None:
        assert self.table is not None
        if self._text:
            again = Button("Show everybody", clicked=self._clear_search)
            self.empty = EmptyState(
                "search",
                f"Nobody found for “{self._text}”",
                f"{self._left()}. They come up as soon as they are."
                if self._unindexed
                else "Every word must be one of the person's or its beginning, or the whole text one identifier.",
                [again],
            )
        else:
            start = PrimaryButton("New job", icon="plus", clicked=lambda: self._shell.navigate("new_job"))
            self.empty = EmptyState(
                "users",
                "Nobody here yet",
                "People appear when an import brings them in. A job reads them from a file or a tool and joins what "
                "belongs to the same person.",
                [start],
            )
        self.table.set_empty(self.empty)

    # searching

    def _searched(self, text: str) -> None:
        if text == self._text or self.model is None:
            return
        self._text, self._matches = text, None
        self._renew_empty()
        self._tell_count()
        self.model.refresh()

    def _clear_search(self) -> None:
        assert self.search is not None
        self.search.clear()
        self._searched("")

    def _fetch(self, offset: int, limit: int, reply: Reply) -> None:
        engine, text, model = self._engine, self._text, self.model

        def failed(error: BaseException) -> None:
            reply(None)
            self.banner.tell_error(error)

        def found(rows: list[ProfileRow]) -> None:
            ends = offset + len(rows)
            if not text:
                reply(rows, self._people if self._people is not None else ends)
            elif offset:
                reply(rows)
            elif len(rows) < limit:
                matched(rows, ends)
            else:
                # The first people are shown at once; counting goes through everybody whom the index has for it.
                reply(rows, ends)
                run_query(
                    lambda: count_matches(engine, text),
                    done=functools.partial(matched, rows),
                    failed=self.banner.tell_error,
                    owner=self,
                )

        def matched(rows: list[ProfileRow], total: int) -> None:
            reply(rows, total)
            if text == self._text and model is self.model:
                self._matches = total
                self._tell_count()

        run_query(lambda: search_profiles(engine, text, offset, limit), done=found, failed=failed, owner=self)

    def _tell_count(self) -> None:
        if self._people is None:
            return
        everybody = words.count_of(self._people, "person", "people")
        if not self._text:
            note = everybody if self._people else ""
        elif self._matches is None:
            note = f"counting matches among {everybody}…"
        else:
            note = f"{words.count_of(self._matches, 'match', 'matches')} among {everybody}"
        if self._text and self._unindexed:
            note += f"; {self._left()}"
        self.set_title("Profiles", note)

    def _left(self) -> str:
        """Whom a search may miss, and why."""
        people = words.count_of(self._unindexed, "person", "people")
        supervisor = self._engine.supervisor
        if supervisor is not None and supervisor.index.error is not None:
            return f"{people} are not indexed: {supervisor.index.error.message}"
        return f"{people} are still being indexed"

    # what can be done with people

    def _menu(self, rows: list[ProfileRow]) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Open", lambda: self._open_person(rows[0]))
        return menu

    def _open_person(self, row: ProfileRow) -> None:
        self._shell.navigate("profile", profile_id=row.id)

    def _ask_export(self) -> None:
        ask_save(self, "Export all people", "people.csv", "CSV files (*.csv)", self.export_to)

    def export_to(self, target: Path) -> None:
        """Write everybody into a CSV file, in the background."""
        engine = self._engine
        self.banner.dismiss()
        self.export.setEnabled(False)
        self.work.begin("Exporting people")
        self._export_task = run_operation(
            lambda task: export_profiles(engine, target, task.report),
            done=functools.partial(self._exported, target),
            failed=self._not_exported,
            progress=self.work.progress,
            owner=self,
        )
        self.work.set_task(self._export_task)

    def _exported(self, target: Path, count: int) -> None:
        self._export_ended()
        self.banner.tell("success", f"{words.count_of(count, 'person', 'people')} exported to {target}")

    def _not_exported(self, error: BaseException) -> None:
        self._export_ended()
        tell_no_export(self.banner, error)

    def _export_ended(self) -> None:
        self._export_task = None
        self.work.end()
        self.export.setEnabled(bool(self._people))


def chosen_fields(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields worth a column: identifiers first, then the oldest others but those that make up the name."""
    identifiers = [field for field in fields if field.is_identifier]
    others = [field for field in fields if not field.is_identifier and field.name not in _NAMES]
    return tuple((identifiers[:3] + others)[:MOST_COLUMNS])


def _field_text(field: Field, row: ProfileRow) -> str:
    value = row.fields.get(field.name)
    if value is None:
        return ""
    return value_text(stored_value(value, field.type), field.type, identifier=field.is_identifier)
