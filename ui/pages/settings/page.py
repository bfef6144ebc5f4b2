"""Settings: the workspace, how the window looks, how much runs at once, backups, and where secrets lie."""

from __future__ import annotations

import functools
import platform
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QUrl, qVersion
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from app import __version__
from app.changes import Change
from app.engine import Engine
from app.vault import VaultState
from app.workspace import back_up, restore
from app.workspace.settings import SETTINGS
from ui.pages.files import ask_folder, ask_open, ask_save, file_name
from ui.pages.live import Live
from ui.pages.settings.login import LoginCard
from ui.pages.settings.notices import SHOWN, DesktopCard, NetworkCard
from ui.pages.work import WorkLine
from ui.shell.background import run_operation, run_query
from ui.shell.pages import Shell
from ui.theme import Choice, current_theme
from ui.widgets import Banner, Button, Card, FormField, InlineNote, NumberField, Page, Scroll, set_kind

BACKUPS = "Backups (*.zip)"
THEMES: tuple[tuple[Choice, str], ...] = (("system", "System"), ("light", "Light"), ("dark", "Dark"))
FORM_WIDTH = 720
NUMBERS = {
    "workers": "Jobs at once",
    "run_memory_mb": "Megabytes of memory that one run may use",
    "fail_after_hours": "Hours of errors until a job gives up",
    "keep_ended_days": "Days that a job is kept which does nothing any more",
    "keep_log_lines": "Lines that a job's log keeps",
}
"""Settings of jobs, and what they are called to who can't see the page."""


class SettingsPage(Page):
    """What can be set; everything but the name takes effect as it is chosen."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Settings")
        self._engine = engine
        self.banner = Banner()
        self.numbers: dict[str, NumberField] = {}
        self.work = WorkLine()
        self.add(self.banner)
        self.add(self.work)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        self.desktop, self.network = DesktopCard(self._keep), NetworkCard(self._keep)
        self.login = LoginCard(self.banner.tell_error)
        kept = (self._workspace(), self._look(), self._jobs(), self.login, self.desktop, self.network)
        for card in (*kept, self._backup(), self._secrets(), self._about()):
            column.addWidget(card)
        column.addStretch(1)
        form = QWidget()
        form.setLayout(column)
        form.setMaximumWidth(FORM_WIDTH)
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(form, 1)
        row.addStretch(0)
        self.add(Scroll(frame), 1)
        Live(self, engine, ("workspace", "settings", "authorizations"), self.refresh)

    def open(self, **args: object) -> None:
        self.refresh()

    def refresh(self) -> None:
        engine = self._engine

        def ask() -> tuple[VaultState, dict[str, object]]:
            values: dict[str, object] = {name: engine.workspace.setting(name) for name in (*SHOWN, *NUMBERS)}
            return engine.vault.state(), values

        run_query(ask, done=self._show, failed=self.banner.tell_error, owner=self)
        self.login.refresh()

    def _show(self, answer: tuple[VaultState, dict[str, object]]) -> None:
        vault, values = answer
        self.desktop.show_settings(values)
        self.network.show_settings(values)
        if not self.name.isModified():
            self.name.setText(self._engine.workspace.name)
        self._name_edited()
        for name, field in self.numbers.items():
            if not field.hasFocus():
                blocked = field.blockSignals(True)
                field.setValue(int(str(values[name])))
                field.blockSignals(blocked)
        self._themes[current_theme().choice].setChecked(True)
        self.vault.set_note(vault.sentence, "warning" if vault.locked or vault.kind == "none" else "info")

    # the workspace

    def _workspace(self) -> Card:
        engine = self._engine
        card = Card("Workspace")
        self.name = QLineEdit(engine.workspace.name)
        self.name.setMaxLength(80)
        self.name.textEdited.connect(self._name_edited)
        self.name.returnPressed.connect(self._rename)
        self.rename = Button("Rename", clicked=self._rename)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(10)
        line.addWidget(self.name, 1)
        line.addWidget(self.rename)
        both = QWidget()
        both.setLayout(line)
        self.name.setAccessibleName("Name of the workspace")
        self.name_field = FormField("Name", both, required=True)
        card.add(self.name_field)
        folder = QLineEdit(str(engine.workspace.folder))
        folder.setReadOnly(True)
        folder.setCursorPosition(0)
        folder.setAccessibleName("Folder of the workspace")
        self.show_folder = Button("Open folder", icon="folder-open", clicked=self._open_folder)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(10)
        line.addWidget(folder, 1)
        line.addWidget(self.show_folder)
        both = QWidget()
        both.setLayout(line)
        card.add(FormField("Folder", both, required=True, help="Everything of this workspace lies in this one folder."))
        return card

    def _name_edited(self, _: str = "") -> None:
        name = self.name.text().strip()
        self.rename.setEnabled(bool(name) and name != self._engine.workspace.name)
        self.name_field.set_error("" if name else "The workspace needs a name.")

    def _rename(self) -> None:
        name, engine = self.name.text().strip(), self._engine
        if not self.rename.isEnabled():
            return
        run_operation(
            lambda task: engine.workspace.rename(name), done=self._renamed, failed=self.banner.tell_error, owner=self
        )

    def _renamed(self, _: None) -> None:
        self.name.setModified(False)
        self._name_edited()
        self._engine.changes.announce(Change("workspace"))
        self.banner.tell("success", f"The workspace is called “{self._engine.workspace.name}” now.")

    def _open_folder(self) -> None:
        folder = self._engine.workspace.folder
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.banner.tell("warning", "The folder can't be shown.", f"Open {folder} in your file manager.")

    # look and work

    def _look(self) -> Card:
        card = Card("Theme")
        card.add(_sentence(SETTINGS["theme"].sentence))
        self._themes: dict[str, QRadioButton] = {}
        self._theme_group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(22)
        for choice, word in THEMES:
            button = QRadioButton(word)
            button.setChecked(current_theme().choice == choice)
            button.clicked.connect(functools.partial(self._choose_theme, choice))
            self._themes[choice] = button
            self._theme_group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        card.add(row)
        return card

    def theme_button(self, choice: str) -> QRadioButton:
        """The button of "system", "light" or "dark"."""
        return self._themes[choice]

    def _choose_theme(self, choice: Choice, _: bool = False) -> None:
        current_theme().choose(choice)
        self._keep("theme", choice)

    def _jobs(self) -> Card:
        card = Card("Jobs")
        for name, title in NUMBERS.items():
            setting = SETTINGS[name]
            field = self.numbers[name] = NumberField(int(setting.default), setting.least, setting.most)
            field.setAccessibleName(title)
            field.setFixedWidth(72)
            # Each arrow key or digit would be a change; what counts is where the user stops.
            field.setKeyboardTracking(False)
            field.valueChanged.connect(functools.partial(self._set_number, name))
            row = QHBoxLayout()
            row.setSpacing(12)
            row.addWidget(field)
            row.addWidget(set_kind(QLabel(f"{setting.least:,} to {setting.most:,}"), "muted"))
            row.addStretch(1)
            card.add(_sentence(setting.sentence))
            card.add(row)
        return card

    def _set_number(self, name: str, number: int) -> None:
        self._keep(name, number)
        if name == "workers" and self._engine.supervisor is not None:
            self._engine.supervisor.limit = number

    def _keep(self, name: str, value: str | int | bool) -> None:
        engine = self._engine
        run_operation(
            lambda task: engine.workspace.change_setting(name, value),
            done=self._kept,
            failed=self.banner.tell_error,
            owner=self,
        )

    def _kept(self, _: None) -> None:
        self._engine.changes.announce(Change("settings"))

    # backups

    def _backup(self) -> Card:
        card = Card("Backup")
        card.add(
            _sentence(
                "One file with everything of this workspace: jobs, people, events. Jobs may go on running meanwhile. "
                "Passwords and keys in the keyring of this computer are not in it; after restoring it elsewhere, "
                "authorizations ask for them again."
            )
        )
        self.back_up = Button("Back up…", icon="save", clicked=self._ask_backup)
        self.restore = Button("Restore into a new folder…", icon="rotate-ccw", clicked=self._ask_archive)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.back_up)
        row.addWidget(self.restore)
        row.addStretch(1)
        card.add(row)
        return card

    def _ask_backup(self) -> None:
        name = f"{file_name(self._engine.workspace.name)}-{datetime.now(UTC).astimezone():%Y-%m-%d}.zip"
        ask_save(self, "Back up the workspace", name, BACKUPS, self.back_up_to)

    def back_up_to(self, target: Path) -> None:
        """Write a backup, in the background."""
        workspace = self._engine.workspace
        self._begin(f"Backing up “{workspace.name}”")
        run_operation(
            lambda task: back_up(workspace, target), done=self._backed_up, failed=self._work_failed, owner=self
        )

    def _backed_up(self, target: Path) -> None:
        self._end()
        self.banner.tell("success", f"The workspace was backed up to {target}")

    def _ask_archive(self) -> None:
        ask_open(self, "Which backup?", BACKUPS, self._ask_restore_folder)

    def _ask_restore_folder(self, archive: Path) -> None:
        ask_folder(self, "A new or empty folder for the workspace", functools.partial(self.restore_from, archive))

    def restore_from(self, archive: Path, folder: Path) -> None:
        """Make a second workspace of a backup, in the background; the open one stays as it is."""

        def work() -> str:
            workspace = restore(archive, folder)
            try:
                return workspace.name
            finally:
                workspace.close()

        self._begin(f"Restoring {archive.name}")
        run_operation(
            lambda task: work(),
            done=functools.partial(self._restored, folder),
            failed=self._work_failed,
            owner=self,
        )

    def _restored(self, folder: Path, name: str) -> None:
        self._end()
        self._engine.changes.announce(Change("workspace"))
        self.banner.tell(
            "success", f"“{name}” was restored into {folder}", "Open it from the menu of workspaces, at the top left."
        )

    def _begin(self, what: str) -> None:
        self.banner.dismiss()
        self.work.begin(what)
        self._free_for_work(False)

    def _end(self) -> None:
        self.work.end()
        self._free_for_work(True)

    def _free_for_work(self, free: bool) -> None:
        self.back_up.setEnabled(free)
        self.restore.setEnabled(free)

    def _work_failed(self, error: BaseException) -> None:
        self._end()
        self.banner.tell_error(error)

    # what is only told

    def _secrets(self) -> Card:
        card = Card("Passwords and keys")
        self.vault = InlineNote("Asking the keyring…")
        card.add(self.vault)
        return card

    def _about(self) -> Card:
        card = Card("About")
        system = f"{platform.system()} {platform.release()}"
        self.about = set_kind(
            QLabel(f"Causeway {__version__} · Python {platform.python_version()} · Qt {qVersion()} · {system}"), "muted"
        )
        self.about.setWordWrap(True)
        card.add(self.about)
        return card


def _sentence(text: str) -> QLabel:
    label = set_kind(QLabel(text), "muted")
    label.setWordWrap(True)
    return label
