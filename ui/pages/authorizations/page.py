"""The Authorizations page: which there are, whether they work, who uses them and where their secrets lie."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QWidget

from app.authorizations import (
    Account,
    AuthorizationInfo,
    HostKeyChanged,
    HostKeyUnknown,
    check_authorization,
    confirm_host_key,
    delete_authorization,
    jobs_using,
    list_authorizations,
    scan_for_secrets,
)
from app.engine import Engine
from app.errors import VaultLocked, VaultMissing
from app.vault import VaultState
from ui.pages.authorizations.dialogs import HowCheckedDialog, RenameDialog
from ui.pages.authorizations.form import AuthorizationDialog
from ui.pages.authorizations.vault import VaultHelp
from ui.pages.authorizations.words import (
    STATUS,
    listed,
    settings_tip,
    state_meaning,
    state_tip,
    state_word,
    used_by,
)
from ui.pages.live import Live
from ui.pages.new_job.host_key import ask_host_key
from ui.shell.background import Task, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Button,
    Column,
    DataTable,
    EmptyState,
    LinkButton,
    Page,
    PrimaryButton,
    ProviderDelegate,
    RowsModel,
    SearchField,
    StatusDelegate,
    TwoLineDelegate,
    confirm,
    set_kind,
    words,
)
from ui.widgets.delegates import Cell

MINUTE_MS = 60_000
CHECK_KEYS = "Ctrl+T"


@dataclass(frozen=True, slots=True)
class Row:
    """An authorization in the table; `checking` while somebody waits for its check."""

    info: AuthorizationInfo
    checking: bool


class SmallCell(Cell):
    """A cell in the size of second lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, size=11.5)


class AuthorizationsPage(Page):
    """All authorizations; Enter re-authorizes one, F2 renames it, Delete asks to delete, Ctrl+T checks."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Authorizations")
        self._engine, self._shell = engine, shell
        self._infos: list[AuthorizationInfo] = []
        self._checking: set[int] = set()
        self._failed: list[str] = []
        self._round = 0
        self._questions: list[tuple[int, HostKeyUnknown | HostKeyChanged]] = []
        self._asking = False
        self._scanned_at: datetime | None = None
        self._scanned = 0
        self.search = SearchField("Search authorizations")
        self.search.searched.connect(lambda _: self._show())
        self.check_all = Button("Check all", clicked=self._check_all)
        self.new = PrimaryButton("New authorization", clicked=self.add_new)
        self.add_action(self.search, self.check_all, self.new)
        self.vault_banner = Banner()
        self.banner = Banner()
        self.help = VaultHelp(engine, self, self.banner, self._vault_opened)
        self.vault_help = VaultHelp(engine, self, self.vault_banner, self._vault_opened)
        self.add(self.vault_banner)
        self.add(self.banner)
        self.table = self._table()
        self.add(self.table, 1)
        line = QHBoxLayout()
        line.setSpacing(6)
        self.promise = set_kind(QLabel(), "muted")
        self.how = LinkButton("How this is checked", clicked=self._explain)
        line.addWidget(self.promise)
        line.addWidget(self.how)
        line.addStretch(1)
        self.how.hide()
        self.add(line)
        self.add_spring()
        Live(self, engine, ("authorizations", "jobs"), self.refresh)
        # "4 min ago" grows old while it is looked at.
        self._minute = QTimer(self, interval=MINUTE_MS)
        self._minute.timeout.connect(self._time_passed)
        self._minute.start()

    def _table(self) -> DataTable:
        self.model = RowsModel(
            [
                Column(
                    "name",
                    "Name",
                    lambda row: row.info.name,
                    second=lambda row: row.info.method_name,
                    tip=lambda row: settings_tip(row.info),
                    width=195,
                    fixed=True,
                ),
                Column(
                    "provider",
                    "Provider",
                    lambda row: row.info.provider_name,
                    mark=lambda row: row.info.provider,
                    width=150,
                ),
                Column(
                    "state",
                    "State",
                    lambda row: "Checking…" if row.checking else state_word(row.info),
                    second=lambda row: "" if row.checking else state_meaning(row.info),
                    status=lambda row: "running" if row.checking else STATUS.get(row.info.state, ""),
                    tip=lambda row: state_tip(row.info),
                    width=205,
                    fixed=True,
                ),
                Column("used", "Used by", lambda row: used_by(row.info), sort=lambda row: row.info.used_by, width=78),
                Column(
                    "where",
                    "Where the secret lies",
                    lambda row: row.info.where,
                    tip=lambda row: row.info.where,
                    tone=lambda row: "muted",
                    width=260,
                ),
            ],
            key=lambda row: row.info.id,
        )
        table = DataTable(
            self.model,
            "authorizations",
            delegates={
                "name": TwoLineDelegate,
                "provider": ProviderDelegate,
                "state": StatusDelegate,
                "where": SmallCell,
            },
            row_height=57,
            fit=True,
            accessible_name="Authorizations",
        )
        table.opened.connect(lambda row: self.re_authorize(row.info))
        table.set_menu(self.menu)
        self.start = PrimaryButton("New authorization", icon="plus", clicked=self.add_new)
        self.empty = EmptyState("key-round", "", "", [self.start])
        table.set_empty(self.empty)
        for keys, act in (
            (CHECK_KEYS, lambda: self.check(self._selected())),
            ("F2", lambda: self._on_one(self.rename)),
            (QKeySequence.StandardKey.Delete, lambda: self.delete(self._selected())),
        ):
            shortcut = QShortcut(QKeySequence(keys), table)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(act)
        return table

    # reading

    def open(self, **args: Any) -> None:
        """Read the authorizations, and look whether their secrets stand anywhere in plain text."""
        self.refresh()
        self._ask_vault()
        self._scan()

    def refresh(self) -> None:
        """Read the authorizations anew."""
        run_query(lambda: list_authorizations(self._engine), done=self._read, failed=self.banner.tell_error, owner=self)

    def _read(self, infos: list[AuthorizationInfo]) -> None:
        self._infos = infos
        self._show()

    def _show(self) -> None:
        assert self.search is not None
        text = self.search.text().strip()
        sought = text.casefold().split()
        if self._infos:
            self.empty.set_text(f"Nothing found for “{text}”", "Search by name, provider, way to sign in or host.")
        else:
            self.empty.set_text(
                "No authorizations yet",
                "An authorization lets jobs sign in to a server, or read a folder. Passwords and keys stay in the "
                "keyring of this computer or in an encrypted file, never in the workspace.",
            )
        self.start.setVisible(not self._infos)
        self.check_all.setEnabled(bool(self._infos) and not self._checking)
        self.model.set_rows(
            Row(info, info.id in self._checking)
            for info in self._infos
            if all(word in _searched(info) for word in sought)
        )

    def _time_passed(self) -> None:
        if self.isVisible():
            self.table.viewport().update()
            self._tell_promise()

    # the vault and its promise

    def _ask_vault(self) -> None:
        run_query(self._engine.vault.state, done=self._vault_known, failed=self.vault_banner.tell_error, owner=self)

    def _vault_known(self, state: VaultState) -> None:
        self.vault_help.tell_state(state)

    def _vault_opened(self) -> None:
        self.banner.hide()
        self.open()

    def _scan(self) -> None:
        engine = self._engine

        def work() -> tuple[int, list[str]]:
            count = len(list_authorizations(engine))
            return count, scan_for_secrets(engine) if count else []

        if self._scanned_at is None:
            self.promise.setText("Looking whether the workspace file and logs hold a secret…")
        run_query(work, done=self._was_scanned, failed=self._not_scanned, owner=self)

    def _was_scanned(self, outcome: tuple[int, list[str]]) -> None:
        self._scanned, found = outcome
        self._scanned_at = datetime.now(UTC)
        self._tell_promise()
        if found:
            self._scanned_at = None
            set_kind(self.promise, "error")
            self.promise.setText("A secret stands in plain text in the workspace.")
            self.banner.tell(
                "error",
                f"A secret stands in plain text in {', '.join(found)}.",
                "Change that password or key at its provider, then re-authorize with the new one. Delete the file if "
                "you put it there yourself.",
            )

    def _not_scanned(self, error: BaseException) -> None:
        self._scanned_at = None
        set_kind(self.promise, "muted")
        self.how.show()
        if isinstance(error, VaultLocked | VaultMissing):
            self.promise.setText(f"Whether the workspace holds a secret was not checked: {error}")
        else:
            self.promise.setText("Whether the workspace holds a secret was not checked.")
            self.banner.tell_error(error)

    def _tell_promise(self) -> None:
        self.how.setVisible(self._scanned > 0)
        if self._scanned_at is None and self._scanned:
            return
        set_kind(self.promise, "muted")
        whose = "this authorization" if self._scanned == 1 else f"these {self._scanned} authorizations"
        self.promise.setText(
            f"Checked {words.ago(self._scanned_at)}: the workspace file and logs hold no secret of {whose}."
            if self._scanned and self._scanned_at is not None
            else ""
        )

    def _explain(self) -> None:
        HowCheckedDialog(self, str(self._engine.workspace.folder)).open()

    # checking

    def _check_all(self) -> None:
        self.check(self._infos)

    def check(self, infos: Sequence[AuthorizationInfo]) -> None:
        """Really sign in with each; what is wrong is told once all of them answered."""
        waiting = [info for info in infos if info.id not in self._checking]
        if not waiting:
            return
        if not self._checking:
            self._failed, self._round = [], 0
            self.banner.hide()
        self._checking |= {info.id for info in waiting}
        self._round += len(waiting)
        self._show()
        for info in waiting:
            run_operation(
                functools.partial(self._sign_in, info.id),
                done=functools.partial(self._works, info),
                failed=functools.partial(self._does_not_work, info),
                owner=self,
            )

    def _sign_in(self, authorization_id: int, _: Task) -> Account:
        return check_authorization(self._engine, authorization_id)

    def _works(self, info: AuthorizationInfo, account: Account) -> None:
        self._checked(info)
        if self._round == 1:
            self.banner.tell("success", f"“{info.name}” works: {account.description}.")

    def _does_not_work(self, info: AuthorizationInfo, error: BaseException) -> None:
        if isinstance(error, HostKeyUnknown | HostKeyChanged):
            self._questions.append((info.id, error))
        else:
            self._failed.append(info.name)
        self._checked(info)
        if isinstance(error, HostKeyUnknown | HostKeyChanged):
            self._ask_next()
        elif self._round == 1 or isinstance(error, VaultLocked | VaultMissing):
            self.help.tell_error(error)

    def _checked(self, info: AuthorizationInfo) -> None:
        self._checking.discard(info.id)
        self.refresh()
        if self._round > 1 and not self._checking:
            if self._failed:
                self.banner.tell(
                    "error",
                    f"{len(self._failed)} of {words.count_of(self._round, 'authorization')} did not work: "
                    f"{listed(sorted(self._failed))}.",
                    "The table says what is wrong with each.",
                )
            elif not self._questions:
                self.banner.tell("success", f"All {self._round} authorizations work.")

    def _ask_next(self) -> None:
        """One question at a time: several servers may show keys at once."""
        if self._asking or not self._questions:
            return
        self._asking = True
        authorization_id, error = self._questions.pop(0)
        dialog = ask_host_key(self, error, functools.partial(self._trust, authorization_id, error.key))
        dialog.finished.connect(self._answered)

    def _answered(self, _: int) -> None:
        self._asking = False
        self._ask_next()

    def _trust(self, authorization_id: int, key: str) -> None:
        run_operation(
            lambda _: confirm_host_key(self._engine, authorization_id, key),
            done=lambda _: self._check_id(authorization_id),
            failed=self.banner.tell_error,
            owner=self,
        )

    def _check_id(self, authorization_id: int) -> None:
        """Check one that may not be in the table yet."""

        def read(infos: list[AuthorizationInfo]) -> None:
            self._infos = infos
            self.check([info for info in infos if info.id == authorization_id])

        run_query(lambda: list_authorizations(self._engine), done=read, failed=self.banner.tell_error, owner=self)

    # acts

    def menu(self, rows: Sequence[Row]) -> QMenu | None:
        """The context menu over chosen authorizations."""
        if not rows:
            return None
        infos = [row.info for row in rows]
        menu = QMenu(self)
        menu.addAction(_with_keys("Check", CHECK_KEYS), lambda: self.check(infos))
        if len(infos) == 1:
            menu.addAction(_with_keys("Re-authorize…", "Return"), lambda: self.re_authorize(infos[0]))
            menu.addAction(_with_keys("Rename…", "F2"), lambda: self.rename(infos[0]))
        menu.addSeparator()
        menu.addAction(_with_keys("Delete…", "Del"), lambda: self.delete(infos))
        return menu

    def _selected(self) -> list[AuthorizationInfo]:
        return [row.info for row in self.table.selected()]

    def _on_one(self, act: Any) -> None:
        chosen = self._selected()
        if len(chosen) == 1:
            act(chosen[0])

    def add_new(self) -> AuthorizationDialog:
        """Ask for a new authorization; it is checked once it is saved."""
        return self._open_form(None)

    def re_authorize(self, info: AuthorizationInfo) -> AuthorizationDialog:
        """Enter its values anew; secrets left empty stay as they are."""
        return self._open_form(info)

    def _open_form(self, info: AuthorizationInfo | None) -> AuthorizationDialog:
        dialog = AuthorizationDialog(self, self._engine, info)
        dialog.saved.connect(self._saved)
        dialog.finished.connect(self._form_closed)
        dialog.open()
        return dialog

    def _saved(self, authorization_id: int) -> None:
        self._check_id(authorization_id)
        self._scanned_at = None

    def _form_closed(self, _: int) -> None:
        """In the form, secrets may have been saved, and the vault unlocked even where nothing was."""
        self._ask_vault()
        if self._scanned_at is None:
            self._scan()

    def rename(self, info: AuthorizationInfo) -> RenameDialog:
        """Ask for another name."""
        dialog = RenameDialog(self, self._engine, info)
        dialog.accepted.connect(self.refresh)
        dialog.open()
        return dialog

    def delete(self, infos: Sequence[AuthorizationInfo]) -> None:
        """Ask, naming the jobs that stop, then delete."""
        if not infos:
            return
        chosen = list(infos)
        run_query(
            lambda: [name for info in chosen for name in jobs_using(self._engine, info.id)],
            done=functools.partial(self._ask_delete, chosen),
            failed=self.banner.tell_error,
            owner=self,
        )

    def _ask_delete(self, infos: list[AuthorizationInfo], jobs: list[str]) -> None:
        title = f"Delete “{infos[0].name}”?" if len(infos) == 1 else f"Delete {len(infos)} authorizations?"
        its = "Its" if len(infos) == 1 else "Their"
        sentence = f"{its} secrets are removed from where they are kept." if any(i.secret_names for i in infos) else ""
        if jobs:
            stop = f"{listed(jobs)} can't run without {'it' if len(infos) == 1 else 'them'}."
        else:
            stop = "No job uses it." if len(infos) == 1 else "No job uses them."

        def work() -> None:
            for info in infos:
                delete_authorization(self._engine, info.id)

        def act() -> None:
            run_operation(lambda _: work(), done=lambda _: self._deleted(), failed=self._not_deleted, owner=self)

        confirm(
            self,
            title,
            f"{stop} {sentence}".strip(),
            "Delete authorization" if len(infos) == 1 else "Delete authorizations",
            act,
        )

    def _deleted(self) -> None:
        self.refresh()
        self._scan()

    def _not_deleted(self, error: BaseException) -> None:
        self.refresh()
        self.help.tell_error(error)


def _searched(info: AuthorizationInfo) -> str:
    return f"{info.name} {info.provider_name} {info.method_name} {settings_tip(info)} {info.where}".casefold()


def _with_keys(text: str, keys: str) -> str:
    """A menu's entry that shows its keys; a shortcut of its own would make those of the table ambiguous."""
    return f"{text}\t{QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)}"
