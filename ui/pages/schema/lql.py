"""The schema as text: the mappings of one stream as a statement of the mapping language, edited and applied."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from app.engine import Engine
from app.errors import Refused
from app.lql import LqlError, Problem, check_statements
from app.schema.differences import Difference
from app.schema.lql_files import export_lql, import_lql, lql_file_name
from app.streams import stream_fields
from app.whole_file import whole_file
from ui.pages.files import ask_folder, ask_open, ask_save
from ui.pages.schema.reading import Contents, suggestions
from ui.shell.background import run_operation, run_query
from ui.widgets import Banner, Button, CodeField, ComboBox, MenuButton, set_kind, words

FILTER = "LQL files (*.lql)"
APPLY_KEYS = "Ctrl+Return"
MOST_BYTES = 2_000_000
"""A schema of a thousand fields is a tenth of this."""


class LqlView(QWidget):
    """The text of each stream; what is typed stays until it is applied or taken back, whatever is looked at meanwhile.

    `applied()` follows when a text became unpublished changes.
    """

    applied = Signal()

    def __init__(self, engine: Engine, banner: Banner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine, self._banner = engine, banner
        self._contents: Contents | None = None
        self._texts: dict[str, str] = {}
        self._typed: dict[str, str] = {}
        self._shown = ""
        self._wanted = ""
        self._round = 0
        self._filling = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        top = QHBoxLayout()
        top.setSpacing(8)
        label = set_kind(QLabel("Stream"), "label")
        self.stream = ComboBox()
        self.stream.setMinimumWidth(160)
        self.stream.setAccessibleName("Stream")
        label.setBuddy(self.stream)
        self.revert = Button("Take back", clicked=self._take_back)
        self.apply = Button("Apply", clicked=self.apply_text)
        self.apply.setToolTip(f"Make unpublished changes of the text ({APPLY_KEYS})")
        menu = QMenu(self)
        menu.addAction("Import a file…", self.ask_import)
        menu.addSeparator()
        menu.addAction("Export this stream…", self.ask_export)
        menu.addAction("Export all streams to a folder…", self.ask_export_all)
        self.files = MenuButton("Files", menu)
        top.addWidget(label)
        top.addWidget(self.stream)
        top.addStretch(1)
        for button in (self.revert, self.apply, self.files):
            top.addWidget(button)
        column.addLayout(top)
        self.code = CodeField("Mappings of the stream", lines=10)
        column.addWidget(self.code, 1)
        keys = QShortcut(QKeySequence(APPLY_KEYS), self)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self.apply.click)
        self.stream.value_changed.connect(lambda _: self._stream_chosen())
        self.code.edit.textChanged.connect(self._edited)
        self.code.edit.rested.connect(self.check)
        self._show_state()

    # showing

    def show_contents(self, contents: Contents) -> None:
        """Show the draft's text; read off the UI thread, for it is printed anew each time."""
        self._contents = contents
        engine = self._engine
        run_query(lambda: export_lql(engine, draft=True), done=self._read, failed=self._banner.tell_error, owner=self)

    def choose(self, stream: str) -> None:
        """Show the text of this stream, as soon as it is there."""
        if self.stream.findData(stream) >= 0:
            self.stream.set_value(stream)
        else:
            self._wanted = stream

    def _read(self, texts: dict[str, str]) -> None:
        assert self._contents is not None
        self._texts = texts
        names = sorted({*texts, *(stream.name for stream in self._contents.streams), *self._typed})
        self._filling = True
        self.stream.set_choices([(name, name) for name in names])
        if self._wanted in names:
            self.stream.set_value(self._wanted)
            self._wanted = ""
        if self.stream.value() is None and names:
            self.stream.setCurrentIndex(0)
        self._filling = False
        # What is typed and is the draft by now is not something typed any more.
        for name in [name for name, text in self._typed.items() if text == texts.get(name, "")]:
            del self._typed[name]
        self._stream_chosen()

    def _stream_chosen(self) -> None:
        if self._filling:
            return
        name = str(self.stream.value() or "")
        changed, self._shown = name != self._shown, name
        self._filling = True
        self.code.edit.set_text(self._typed.get(name, self._text_of(name)))
        self._filling = False
        self._show_state()
        self.check()
        if changed:
            self._ask_keys(name)

    def _text_of(self, name: str) -> str:
        """The draft's text of a stream; for one without mappings, how one begins."""
        return self._texts.get(name, "")

    def _ask_keys(self, name: str) -> None:
        contents, engine = self._contents, self._engine
        stream = next((one for one in contents.streams if one.name == name), None) if contents is not None else None
        if contents is None or stream is None:
            self.code.edit.set_suggestions(suggestions([], contents.draft.fields if contents is not None else ()))
            return
        run_query(
            lambda: [(one.name, one.type) for one in stream_fields(engine, stream.id)],
            done=lambda keys: self.code.edit.set_suggestions(suggestions(keys, contents.draft.fields)),
            failed=self._banner.tell_error,
            owner=self,
        )

    def _edited(self) -> None:
        if self._filling:
            return
        text = self.code.edit.text()
        if text == self._text_of(self._shown):
            self._typed.pop(self._shown, None)
        else:
            self._typed[self._shown] = text
        self._show_state()

    def _show_state(self) -> None:
        typed = self._shown in self._typed
        self.revert.setVisible(typed)
        self.apply.setEnabled(typed)
        self.code.set_note("No errors; not applied yet" if typed else "No errors", "success")

    # checking

    def check(self) -> None:
        """Mark what can't be read; only the newest answer counts."""
        self._round += 1
        asked, text = self._round, self.code.edit.text()
        if not text.strip():
            self.code.set_problems([])
            self.code.set_note(
                "No mapping yet: SELECT `a key` AS a_field FROM a_stream INTO user BY a_field ALIAS a_name"
            )
            return

        def done(problems: Sequence[Problem]) -> None:
            if asked == self._round:
                self.code.set_problems(problems)
                self._show_state()

        run_query(lambda: check_statements(text), done=done, failed=self._banner.tell_error, owner=self)

    # applying

    def _take_back(self) -> None:
        self._typed.pop(self._shown, None)
        self._stream_chosen()

    def apply_text(self) -> None:
        """Make unpublished changes of the text."""
        name, text, engine = self._shown, self.code.edit.text(), self._engine
        self.apply.setEnabled(False)
        run_operation(
            lambda _: import_lql(engine, text, origin="you"),
            done=functools.partial(self._was_applied, name),
            failed=self._not_applied,
            owner=self,
        )

    def _was_applied(self, name: str, differences: list[Difference]) -> None:
        self._typed.pop(name, None)
        self._show_state()
        said = words.count_of(len(differences), "change")
        self._banner.tell("success", f"{said} made of the text." if differences else "The text changes nothing.")
        self.applied.emit()

    def _not_applied(self, error: BaseException) -> None:
        self._show_state()
        if isinstance(error, LqlError):
            self.code.set_problems(error.problems)
            self.code.go_to_next()
        else:
            self._banner.tell_error(error)

    # files

    def ask_import(self) -> None:
        """Ask for a file; what it says becomes unpublished changes."""
        ask_open(self, "Import LQL", FILTER, self.import_file)

    def import_file(self, path: Path) -> None:
        """Make unpublished changes of a file."""
        engine = self._engine

        def work() -> list[Difference]:
            return import_lql(engine, read_text(path), origin=f"from {path.name}")

        run_operation(
            lambda _: work(),
            done=functools.partial(self._imported, path),
            failed=functools.partial(self._not_imported, path),
            owner=self,
        )

    def _imported(self, path: Path, differences: list[Difference]) -> None:
        said = words.count_of(len(differences), "change")
        self._banner.tell("success", f"{path.name} imported: {said} to publish.")
        self.applied.emit()

    def _not_imported(self, path: Path, error: BaseException) -> None:
        if isinstance(error, LqlError):
            self._banner.tell(
                "error",
                f"{path.name} was not imported. {error.message}",
                "Mend it in the file, then import it again. Nothing was changed.",
                error.details,
            )
        else:
            self._banner.tell_error(error)

    def ask_export(self) -> None:
        """Ask where to write the text of this stream."""
        ask_save(self, "Export LQL", lql_file_name(self._shown), FILTER, self.export_file)

    def export_file(self, path: Path) -> None:
        """Write the text as it stands here."""
        text = self.code.edit.text()
        run_operation(
            lambda _: write_texts({path: text}),
            done=lambda _: self._banner.tell("success", f"Exported to {path}"),
            failed=self._banner.tell_error,
            owner=self,
        )

    def ask_export_all(self) -> None:
        """Ask for the folder of all streams' files."""
        ask_folder(self, "Export LQL", self.export_all)

    def export_all(self, folder: Path) -> None:
        """Write a file for each stream, as the draft has it."""
        texts = {folder / lql_file_name(name): text for name, text in self._texts.items()}
        run_operation(
            lambda _: write_texts(texts),
            done=lambda _: self._banner.tell("success", f"{words.count_of(len(texts), 'file')} exported to {folder}"),
            failed=self._banner.tell_error,
            owner=self,
        )


def read_text(path: Path) -> str:
    """A text file for people. Raises Refused for one that can't be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Refused(f"{path.name} is too long for a schema.", advice="Choose a file in the mapping language.")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is no text in UTF-8.", advice="Save it as UTF-8, then import it again.") from error
    except OSError as error:
        raise Refused(f"{path} can't be read: {error.strerror}.", advice="Choose another file.") from error


def write_texts(texts: dict[Path, str]) -> None:
    """Write the files, each whole. Raises Refused and DiskFull."""
    for path, text in texts.items():
        with whole_file(path) as part:
            part.write_text(text, encoding="utf-8")
