"""What the source holds, beside the form: its columns with what becomes of each, or its first rows."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.jobs.wizard import Preview, Rejected, Wizard
from ui.pages.new_job.columns import ColumnsModel, ColumnsTable
from ui.theme import current_theme
from ui.widgets import (
    Banner,
    Card,
    ElidedLabel,
    EmptyState,
    InlineNote,
    LinkButton,
    SampleTable,
    Scroll,
    Spinner,
    set_kind,
    words,
)

_REJECTED_SHOWN = 5


class _Named(QLabel):
    """A line with names of fields or files, these in the colour of text."""

    def __init__(self, said: str, names: Sequence[str]) -> None:
        super().__init__()
        self._said, self._names = said, tuple(names)
        self.setWordWrap(True)
        self.setAccessibleName(f"{said} {', '.join(names)}")
        set_kind(self, "muted")
        current_theme().changed.connect(self._tell)
        self._tell()

    def _tell(self) -> None:
        color = current_theme().color("text").name()
        listed = ", ".join(f'<span style="color: {color}">{html.escape(name)}</span>' for name in self._names)
        self.setText(f"{self._said} {listed}")


class PreviewCard(Card):
    """`ask()`, then `show_preview(wizard)`, or `show_nothing(why)` with a word in `banner`.

    `edited(column, what, value)` follows what the user changes, as ColumnsModel tells it.
    """

    def __init__(self, fields: Callable[[], list[str]], parent: QWidget | None = None) -> None:
        super().__init__("Preview", flush=True, parent=parent)
        self.about = ElidedLabel("")
        set_kind(self.about, "muted")
        self.about.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        # The heading's own spring would leave the line beside it no room.
        self.header.takeAt(1)
        self.header.addWidget(self.about, 1)
        self.spinner = Spinner()
        self.header.addWidget(self.spinner)
        self.toggle = LinkButton("Show rows", clicked=self._turn)
        self.toggle.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.header.addWidget(self.toggle)
        self.columns_model = ColumnsModel()
        self.edited = self.columns_model.edited
        self.columns = ColumnsTable(self.columns_model, fields)
        self.rows = SampleTable("First rows")
        self.empty = EmptyState("file-text", "Nothing to show yet", "")
        self.stack = QStackedWidget()
        for page in (self.empty, self.columns, self.rows):
            self.stack.addWidget(page)
        self.banner = Banner()
        around = QVBoxLayout()
        around.setContentsMargins(14, 0, 14, 0)
        around.addWidget(self.banner)
        self.add(around)
        self.add(self.stack, 1)
        self._foot = QWidget()
        self._foot_lines = QVBoxLayout(self._foot)
        self._foot_lines.setContentsMargins(14, 10, 14, 12)
        self._foot_lines.setSpacing(6)
        self._foot_scroll = Scroll(self._foot)
        self.add(self._foot_scroll)
        self.show_nothing("Choose a file and its first rows appear here.")

    def ask(self, exports: bool = False) -> None:
        """A new answer is on its way."""
        self.spinner.start()
        if self.stack.currentWidget() is self.empty:
            looking = "Preparing the first rows…" if exports else "Looking into the file…"
            self.empty.set_text(looking, "" if exports else "The first rows are being read.")

    def show_nothing(self, why: str) -> None:
        """There is nothing to look into."""
        self.spinner.stop()
        self.banner.hide()
        self.about.setText("")
        self.toggle.hide()
        self.empty.set_text("No preview yet", why)
        self.stack.setCurrentWidget(self.empty)
        self._say([])

    def show_preview(self, wizard: Wizard) -> None:
        """Show the wizard's preview and columns as they stand."""
        preview = wizard.preview
        if preview is None:
            return
        self.spinner.stop()
        self.banner.hide()
        if wizard.exports:
            self._show_export(wizard, preview)
            return
        count = len(preview.rows)
        rows = f"first {count} rows" if count > 1 else words.count_of(count, "row")
        size = () if preview.size is None else (words.size(preview.size),)
        self.about.setText(" · ".join((rows, *preview.summary, *size)))
        self.rows.show_rows([column.name for column in preview.columns], preview.rows)
        if self.stack.currentWidget() is self.empty:
            self.stack.setCurrentWidget(self.columns)
            self._even_widths()
        self.toggle.show()
        self.update_columns(wizard)

    def _show_export(self, wizard: Wizard, preview: Preview) -> None:
        """The first rows as they will be sent, under what is known of all of them."""
        noun = ("person", "people") if "people" in (wizard.job_type.data if wizard.job_type else ()) else ("event", "")
        count = () if preview.total is None else (words.count_of(preview.total, *noun),)
        self.about.setText(" · ".join((*count, *preview.summary)))
        before = self.rows.columns()
        self.rows.show_rows([column.name for column in preview.columns], preview.rows)
        self.toggle.hide()
        if preview.rows:
            self.stack.setCurrentWidget(self.rows)
            if self.rows.columns() != before:
                self._even_widths()
        else:
            self.empty.set_text("Nothing would be sent", "Nobody is chosen, or there is nothing of them yet.")
            self.stack.setCurrentWidget(self.empty)
        lines: list[QWidget] = []
        if preview.file:
            lines.append(_Named("The file will be called", (preview.file,)))
        self._say([*lines, *(InlineNote(note, "info") for note in preview.notes)])

    def _even_widths(self) -> None:
        count = max(self.rows.columns(), 1)
        wide = max(140, (self.rows.viewport().width() or self.width()) // count)
        for at in range(count):
            self.rows.setColumnWidth(at, wide)

    def update_columns(self, wizard: Wizard) -> None:
        """The user changed something that the columns depend on."""
        if wizard.preview is None or wizard.exports:
            return
        new = wizard.new_fields()
        self.columns_model.show_columns(wizard.columns(), frozenset(name.lower() for name in new))
        lines: list[QWidget] = []
        lines += [InlineNote(problem, "error") for problem in wizard.column_problems()]
        if new:
            noun = "profile field" if len(new) == 1 else "profile fields"
            lines.append(_Named(f"{len(new)} new {noun} will be added to the schema:", new))
        lines += [InlineNote(note, "info") for note in (*wizard.preview.notes, *wizard.notes())]
        lines += _rejected(wizard.preview.rejected)
        self._say(lines)

    def _turn(self) -> None:
        rows = self.stack.currentWidget() is self.columns
        self.stack.setCurrentWidget(self.rows if rows else self.columns)
        self.toggle.setText("Show columns" if rows else "Show rows")

    def _say(self, lines: Sequence[QWidget]) -> None:
        while (old := self._foot_lines.takeAt(0)) is not None:
            widget = old.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for line in lines:
            self._foot_lines.addWidget(line)
        self._foot_scroll.setVisible(bool(lines))
        # A layout knows nothing of the height of new lines before they are shown.
        QTimer.singleShot(0, self, self._fit_foot)

    def _fit_foot(self) -> None:
        """As high as its lines; many of them are scrolled, so that the table keeps its room."""
        lines = self._foot_lines
        wide = lines.hasHeightForWidth()
        wanted = lines.totalHeightForWidth(self.width() - 2) if wide else lines.sizeHint().height()
        self._foot_scroll.setFixedHeight(min(wanted, max(90, self.height() // 3)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_foot()


def _line(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return set_kind(label, "muted")


def _rejected(rejected: Sequence[Rejected]) -> list[QWidget]:
    if not rejected:
        return []
    said = "1 of these rows can't be read" if len(rejected) == 1 else f"{len(rejected)} of these rows can't be read"
    lines = [f"Line {row.line}: {row.reason} {row.text[:80]}" for row in rejected[:_REJECTED_SHOWN]]
    return [InlineNote(f"{said}; the import will keep them apart.", "warning"), *map(_line, lines)]
