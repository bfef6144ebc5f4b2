"""The Notifications page: what happened that is worth a look, the newest first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QMenu

from app.alerts import Notification, list_notifications, mark_read
from app.engine import Engine
from app.errors import NotFound
from app.jobs import get_job
from ui.pages.live import Live
from ui.shell.background import run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Button,
    ChipRow,
    Column,
    DataTable,
    EmptyState,
    Page,
    RowsModel,
    StatusDelegate,
    TwoLineDelegate,
    words,
)

PILLS = {
    "failed": ("bad", "Failed"),
    "completed": ("ok", "Completed"),
    "unhealthy": ("bad", "Failing"),
    "healthy": ("ok", "Works"),
    "published": ("info", "Published"),
    "reached": ("warn", "Quota"),
}
SHOWN = (("all", "All"), ("unread", "Unread"))
NOTHING = (
    "Jobs that fail or are completed, authorizations that stop working, and new versions of the schema are told here."
)


class NotificationsPage(Page):
    """Enter opens what a notification is about, and marks it as read."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Notifications")
        self._engine, self._shell = engine, shell
        self._all: list[Notification] = []
        self._shown = "all"
        self.banner = Banner()
        self.read_all = Button("Mark all as read", icon="check", clicked=lambda: self._mark(None, read=True))
        self.add_action(self.read_all)
        self.filter = ChipRow(list(SHOWN))
        self.filter.choose(self._shown)
        self.filter.changed.connect(self._chosen)
        self.add(self.banner)
        self.add(self.filter)
        self.model = RowsModel(
            [
                Column(
                    "title",
                    "What happened",
                    lambda row: row.event.title,
                    second=lambda row: row.event.message,
                    tip=lambda row: row.event.message,
                    tone=lambda row: "muted" if row.read else "text",
                    width=520,
                    fixed=True,
                ),
                Column(
                    "kind",
                    "Kind",
                    lambda row: _pill(row)[1],
                    status=lambda row: _pill(row)[0],
                    width=130,
                ),
                Column(
                    "new",
                    "Read",
                    lambda row: "Read" if row.read else "New",
                    tone=lambda row: "muted" if row.read else "accent",
                    width=72,
                ),
                Column(
                    "at",
                    "When",
                    lambda row: words.when(row.event.at),
                    sort=lambda row: row.event.at,
                    tip=lambda row: words.exact(row.event.at),
                    tone=lambda row: "muted",
                    width=96,
                ),
            ],
            key=lambda row: row.event.id,
        )
        self.table = DataTable(
            self.model,
            "notifications",
            delegates={"title": TwoLineDelegate, "kind": StatusDelegate},
            row_height=57,
            fit=True,
            accessible_name="Notifications",
        )
        self.table.opened.connect(self._open)
        self.table.set_menu(self._menu)
        self.empty = EmptyState("bell", "Nothing has happened yet", NOTHING)
        self.table.set_empty(self.empty)
        self.add(self.table, 1)
        self.add_spring()
        Live(self, engine, ("jobs", "runs", "authorizations", "schema", "notifications"), self.refresh)

    def open(self, **args: object) -> None:
        """Read the notifications."""
        self.refresh()

    def refresh(self) -> None:
        """Read them anew."""
        run_query(lambda: list_notifications(self._engine), done=self._show, failed=self.banner.tell_error, owner=self)

    def _show(self, found: Sequence[Notification]) -> None:
        self._all = list(found)
        unread = sum(not one.read for one in found)
        self.filter.set_counts({"all": len(found), "unread": unread})
        self.read_all.setEnabled(bool(unread))
        self._filter()

    def _filter(self) -> None:
        if self._all:
            self.empty.set_text("Everything is read", "What happens next stands here.")
        else:
            self.empty.set_text("Nothing has happened yet", NOTHING)
        self.model.set_rows(one for one in self._all if self._shown == "all" or not one.read)

    def _chosen(self, key: str) -> None:
        self._shown = key
        self._filter()

    def _menu(self, rows: Sequence[Notification]) -> QMenu | None:
        if not rows:
            return None
        menu = QMenu(self)
        if len(rows) == 1:
            menu.addAction("Open", lambda: self._open(rows[0]))
            menu.addSeparator()
        menu.addAction("Mark as read", lambda: self._mark(rows, read=True))
        menu.addAction("Mark as unread", lambda: self._mark(rows, read=False))
        return menu

    def _mark(self, rows: Sequence[Notification] | None, *, read: bool) -> None:
        ids = None if rows is None else [row.event.id for row in rows]
        run_operation(
            lambda _: mark_read(self._engine, ids, read=read),
            done=lambda _: self.refresh(),
            failed=self.banner.tell_error,
            owner=self,
        )

    def _open(self, row: Notification) -> None:
        event, engine = row.event, self._engine
        if not row.read and engine.in_charge_elsewhere is None:
            self._mark([row], read=True)
        if event.subject == "authorization":
            self._shell.navigate("authorizations")
        elif event.subject == "schema":
            self._shell.navigate("schema")
        elif event.subject_id is not None:
            job_id = event.subject_id
            run_query(
                lambda: get_job(engine, job_id),
                done=lambda job: self._shell.navigate("job", job_id=job.id),
                failed=self._not_opened,
                owner=self,
            )

    def _not_opened(self, error: BaseException) -> None:
        if isinstance(error, NotFound):
            self.banner.tell("info", "That job was deleted meanwhile.")
        else:
            self.banner.tell_error(error)


def _pill(row: Notification) -> tuple[str, str]:
    return PILLS.get(row.event.event, ("info", "News"))
