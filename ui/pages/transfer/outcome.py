"""What stands on the page while a transfer runs, and what it brought."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.jobs.model import RunProgress
from app.transfer.work import ArrivedFile, TransferResult
from ui.pages.work import WorkCard
from ui.theme import mono_font
from ui.widgets import (
    Button,
    Card,
    ElidedLabel,
    Icon,
    IconButton,
    InlineNote,
    LinkButton,
    set_kind,
    words,
)

SHOWN_FILES = 4
SHOWN_HASH = 12


class ProgressCard(WorkCard):
    """`begin()`, `show_progress(progress)`; `stopped` when the user wants it to end."""

    stopped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.stop = Button("Stop", clicked=self._stop)
        self.add_button(self.stop)
        self.setAccessibleName("Transfer under way")

    def begin(self) -> None:
        """Something has begun, its end unknown."""
        self.label.setText("Starting…")
        self.figures.setText("")
        self.line.set_progress(None)
        self.stop.setEnabled(True)
        self.show()

    def show_progress(self, progress: RunProgress) -> None:
        """How far it is."""
        if not self.stop.isEnabled():
            return
        self.label.setText(f"{progress.activity}…")
        self.line.set_progress(progress.fraction)
        said = []
        if progress.total:
            said.append(f"{words.size(progress.done)} of {words.size(progress.total)}")
        if progress.rows:
            said.append(words.count_of(progress.rows, "row"))
        if progress.rate:
            said.append(f"{words.size(progress.rate)}/s")
        if progress.seconds_left is not None and progress.seconds_left >= 1:
            said.append(f"{words.lasting(progress.seconds_left)} left")
        self.figures.setText(" · ".join(said))

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self.label.setText("Stopping…")
        self.stopped.emit()


class ResultCard(Card):
    """`show_result(result, seconds)`: files with sizes, rows and hashes, where they lie, what was rejected."""

    def __init__(self) -> None:
        super().__init__()
        self.body.setContentsMargins(14, 10, 10, 12)
        self.headline = set_kind(QLabel(), "heading")
        self.folder = Button("Show in folder", icon="folder-open", clicked=self._open_folder)
        self.close_button = IconButton("x", "Close", clicked=self.hide)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(Icon("circle-check", "completed", 18))
        top.addWidget(self.headline, 1)
        top.addWidget(self.folder)
        top.addWidget(self.close_button)
        self.add(top)
        self._slot = QVBoxLayout()
        self.add(self._slot)
        self._files: QWidget | None = None
        self._local = ""
        self._rejected = ""
        self.rejected_note = InlineNote("", "warning")
        self.rejected_link = LinkButton("Open them", clicked=self._open_rejected)
        row = QHBoxLayout()
        row.addWidget(self.rejected_note)
        row.addWidget(self.rejected_link)
        row.addStretch(1)
        self.add(row)
        self.hide()

    def show_result(self, result: TransferResult, seconds: float) -> None:
        """Show what arrived."""
        size = sum(file.size for file in result.files)
        said = [f"Transferred in {words.lasting(seconds)}"]
        if result.rows:
            said.append(words.count_of(result.rows, "row"))
        if len(result.files) > 1:
            said.append(words.count_of(len(result.files), "file"))
        said.append(words.size(size))
        if result.unchanged:
            said.append("the same bytes")
        self.headline.setText(" · ".join(said))
        self._local = result.local[0] if result.local else ""
        self.folder.setVisible(bool(self._local))
        if self._files is not None:
            self._slot.removeWidget(self._files)
            self._files.deleteLater()
        self._files = _files(result)
        self._slot.addWidget(self._files)
        self._rejected = result.rejected_file
        for widget in (self.rejected_note, self.rejected_link):
            widget.setVisible(bool(result.rejected))
        if result.rejected:
            said_rows = words.count_of(result.rejected, "row")
            self.rejected_note.set_note(
                f"{said_rows} could not be taken over; why is in {result.rejected_file}.", "warning"
            )
        self.show()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self._local).parent)))

    def _open_rejected(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._rejected))


def _files(result: TransferResult) -> QWidget:
    """A line for each file, of many for the first ones."""
    files = result.files
    frame = QWidget()
    grid = QGridLayout(frame)
    grid.setContentsMargins(26, 0, 0, 0)
    grid.setHorizontalSpacing(18)
    grid.setVerticalSpacing(2)
    grid.setColumnStretch(0, 1)
    for at, file in enumerate(files[:SHOWN_FILES]):
        path = ElidedLabel(file.path if result.local else f"{file.place}: {file.path}")
        path.setToolTip(file.path)
        path.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        grid.addWidget(path, at, 0)
        grid.addWidget(set_kind(QLabel(words.size(file.size)), "muted"), at, 1)
        grid.addWidget(set_kind(QLabel(words.count_of(file.rows, "row") if file.rows else ""), "muted"), at, 2)
        digest = set_kind(QLabel(f"SHA-256 {file.sha256[:SHOWN_HASH]}…"), "muted")
        digest.setFont(mono_font(12))
        digest.setToolTip(file.sha256)
        grid.addWidget(digest, at, 3)
        grid.addWidget(_copy_button(file), at, 4)
    if len(files) > SHOWN_FILES:
        more = set_kind(QLabel(f"and {words.count_of(len(files) - SHOWN_FILES, 'more file')}"), "muted")
        grid.addWidget(more, SHOWN_FILES, 0)
    return frame


def _copy_button(file: ArrivedFile) -> IconButton:
    button = IconButton("copy", f"Copy the SHA-256 of {file.path}")

    def copy() -> None:
        QGuiApplication.clipboard().setText(file.sha256)
        button.setToolTip("Copied")
        QTimer.singleShot(1500, button, lambda: button.setToolTip(f"Copy the SHA-256 of {file.path}"))

    button.clicked.connect(lambda: copy())  # noqa: PLW0108
    return button
