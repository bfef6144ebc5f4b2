"""The Files tab of a job: what it has read and what it has sent, when, how large, and by which hash it is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.authorizations import get_authorization
from app.engine import Engine
from app.errors import NotFound
from app.jobs import JobFile, get_job, list_files
from ui.shell.background import run_query
from ui.widgets import (
    Banner,
    Button,
    Column,
    DataTable,
    EmptyState,
    MonoDelegate,
    RowsModel,
    StatusDelegate,
    TwoLineDelegate,
    set_kind,
    words,
)

SHOWN = 1_000
HASH_SHOWN = 12


class FilesView(QWidget):
    """The newest files, the last one first."""

    def __init__(self, engine: Engine, banner: Banner) -> None:
        super().__init__()
        self._engine, self._banner = engine, banner
        self._job_id = 0
        self._folder = ""
        """The folder of this computer that the job reads from, if it does."""
        self.model = RowsModel(
            [
                Column("name", "File", _name, second=_where, tip=_whole, width=300, fixed=True),
                Column(
                    "way",
                    "",
                    lambda file: "Sent" if file.sent else "Read",
                    status=lambda file: "ok" if file.sent else "info",
                    width=86,
                ),
                Column(
                    "at",
                    "When",
                    lambda file: words.when(file.at),
                    sort=lambda file: file.at,
                    tip=lambda file: words.exact(file.at),
                    width=110,
                ),
                Column(
                    "size",
                    "Size",
                    lambda file: words.size(file.size),
                    sort=lambda file: file.size,
                    right=True,
                    width=86,
                ),
                Column(
                    "rows",
                    "Rows",
                    lambda file: "—" if file.rows is None else f"{file.rows:,}",
                    sort=lambda file: file.rows or 0,
                    right=True,
                    width=86,
                ),
                Column("run", "Run", _run, sort=lambda file: file.run_id or 0, width=56, spare=True),
                Column(
                    "hash",
                    "SHA-256",
                    lambda file: file.sha256[:HASH_SHOWN],
                    tip=lambda file: file.sha256,
                    width=130,
                    spare=True,
                ),
            ]
        )
        self.table = DataTable(
            self.model,
            "job-files",
            delegates={"name": TwoLineDelegate, "way": StatusDelegate, "hash": MonoDelegate},
            row_height=50,
            framed=False,
            many=False,
            accessible_name="Files",
        )
        self.table.set_empty(
            EmptyState("file", "No files yet", "Files that the job reads or sends are listed here, with their hashes.")
        )
        self.table.chosen.connect(self._chosen)
        self.table.opened.connect(self.show_in_folder)
        self.table.set_menu(self._menu)
        self.count = set_kind(QLabel(), "muted")
        self.copy = Button("Copy hash", icon="copy", clicked=lambda: self._copy(self.table.selected()))
        self.folder = Button(
            "Show in folder", icon="folder-open", clicked=lambda: self.show_in_folder(*self.table.selected()[:1])
        )
        row = QHBoxLayout()
        row.setContentsMargins(12, 10, 12, 8)
        row.setSpacing(10)
        row.addWidget(self.count)
        row.addStretch(1)
        row.addWidget(self.copy)
        row.addWidget(self.folder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)
        self._chosen([])

    def set_job(self, job_id: int) -> None:
        """Show another job's files."""
        self._job_id = job_id
        self._show([])

    def refresh(self) -> None:
        """Read the list."""
        engine, job_id = self._engine, self._job_id

        def read() -> tuple[list[JobFile], str]:
            return list_files(engine, job_id, limit=SHOWN), _folder_of(engine, job_id)

        run_query(read, done=self._was_read, failed=self._banner.tell_error, owner=self)

    def show_in_folder(self, file: JobFile | None = None) -> None:
        """Open the folder of a file that is on this computer."""
        local = self._local(file) if file is not None else ""
        if not local:
            return
        folder = Path(local).parent
        if not folder.is_dir():
            self._banner.tell("warning", f"The folder {folder} is not there any more.", "It was moved or deleted.")
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._banner.tell("warning", f"The folder can't be shown here: {folder}", "Open it with your file manager.")

    def _local(self, file: JobFile) -> str:
        """Where a file is on this computer, "" for one that is not."""
        return file.local or (str(Path(self._folder, file.path)) if self._folder and not file.sent else "")

    def _was_read(self, read: tuple[list[JobFile], str]) -> None:
        files, self._folder = read
        self._show(files)

    def _show(self, files: Sequence[JobFile]) -> None:
        if list(files) != self.model.rows():
            self.model.set_rows(files)
        many = f"The newest {SHOWN:,} files." if len(files) == SHOWN else words.count_of(len(files), "file")
        self.count.setText(many if files else "")
        self._chosen(self.table.selected())

    def _chosen(self, files: Sequence[JobFile]) -> None:
        self.copy.setEnabled(bool(files))
        self.folder.setEnabled(bool(files) and bool(self._local(files[0])))

    def _copy(self, files: Sequence[JobFile]) -> None:
        if files:
            QGuiApplication.clipboard().setText(files[0].sha256)

    def _menu(self, files: list[JobFile]) -> QMenu | None:
        if len(files) != 1:
            return None
        menu = QMenu(self)
        menu.addAction("Show in folder", lambda: self.show_in_folder(files[0])).setEnabled(bool(self._local(files[0])))
        menu.addAction("Copy hash", lambda: self._copy(files))
        return menu


def _folder_of(engine: Engine, job_id: int) -> str:
    """The folder of this computer that a job's authorization stands for, "" for a place elsewhere."""
    try:
        authorization = get_job(engine, job_id).authorization_id
        info = get_authorization(engine, authorization) if authorization is not None else None
    except NotFound:
        # Either was deleted a moment ago.
        info = None
    if info is None:
        return ""
    fields = engine.catalog.method(info.method).fields
    folders = [info.settings.get(field.name, "") for field in fields if field.type == "folder"]
    return str(Path(folders[0]).expanduser()) if folders and folders[0] else ""


def _name(file: JobFile) -> str:
    return file.path.rpartition("/")[2] or file.path


def _where(file: JobFile) -> str:
    """The place and the folder in it."""
    folder = file.path.rpartition("/")[0]
    return " · ".join(part for part in (file.place, folder) if part)


def _whole(file: JobFile) -> str:
    return file.local or "\n".join(part for part in (file.place, file.path) if part)


def _run(file: JobFile) -> str:
    return "—" if file.run_id is None else str(file.run_id)
