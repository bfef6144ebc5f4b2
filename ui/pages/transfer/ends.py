"""The two halves of the form: which file from where, read how; and where to, written how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.authorizations import AuthorizationInfo
from app.engine import Engine
from app.transfer.model import End, Key, Pack, Reading, Transfer, Writing, file_name
from app.transfer.opening import THIS_COMPUTER, Choice, Offer, list_folder
from ui.pages.files import ask_open, ask_save
from ui.pages.new_job.browse import BrowseDialog
from ui.widgets import Card, CheckBox, ComboBox, FormField, NumberField, PasswordField, Scroll

ALL_FILES = "All files (*)"
KEYS = "PGP keys (*.asc *.pgp *.gpg *.key *.txt);;All files (*)"
OWN_KEY, KEY_FILE = "own", "file"
"""Values of the choice of a key, beside the numbers of authorizations: that of the place, and a file."""
FORMS = (("By name", ""), ("CSV", "csv"), ("JSON lines", "json"))
READ_FORMS = (("Look at it", ""), ("CSV", "csv"), ("JSON", "json"))
PACKING = (
    ("By name", "auto"),
    ("As it comes", "keep"),
    ("Unpack", "open"),
    ("Pack as gz", "gz"),
    ("Pack as zip", "zip"),
)
ENCODINGS = (
    ("As it comes", ""),
    ("UTF-8", "utf-8"),
    ("UTF-8 with a mark, for Excel", "utf-8-sig"),
    ("UTF-16", "utf-16"),
    ("Windows-1252", "cp1252"),
)
READ_ENCODINGS = (("Look at it", ""), *((label, value) for label, value in ENCODINGS[1:] if value != "utf-8-sig"))
DELIMITERS = (("Comma", ","), ("Semicolon", ";"), ("Tab", "\t"), ("Pipe", "|"))
QUOTES = (("Double quote", '"'), ("Single quote", "'"), ("None", "none"))
LINE_ENDS = (("As it comes", ""), ("LF (Linux, macOS)", "lf"), ("CRLF (Windows)", "crlf"))
HEADERS = (("As it comes", None), ("With a header row", True), ("Without one", False))
MEGABYTE = 1_000_000
COLUMNS = 4
"""Settings side by side, so that all of them are seen at once."""


class _EndCard(Card):
    """A place, a path in it and what is asked most often; `more` are further settings. `changed` follows each edit."""

    changed = Signal()

    def __init__(self, title: str, engine: Engine, path_label: str) -> None:
        super().__init__(title)
        self._engine = engine
        self._filling = False
        self.dialog: BrowseDialog | None = None
        self.place = ComboBox()
        self.place.add_choices([(THIS_COMPUTER, None)])
        self.place.value_changed.connect(self._edited)
        # Both halves have these; who only hears them has to know which is which.
        self.place.setAccessibleName(f"{title}: place")
        self.place_field = FormField("Place", self.place, required=True)
        self.path = QLineEdit()
        self.path.textChanged.connect(self._edited)
        self.path.setAccessibleName(f"{title}: {path_label.lower()}")
        # A file that is dropped would be written into it as an address.
        self.path.setAcceptDrops(False)
        self.setAcceptDrops(True)
        self.path_field = FormField(path_label, self.path, required=True, action=("Browse…", self.browse))
        self.add(self.place_field)
        self.add(self.path_field)
        self.extra = QVBoxLayout()
        self.extra.setSpacing(10)
        self.add(self.extra)
        self.body.addStretch(1)
        inside = QWidget()
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(16, 14, 16, 14)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(12)
        self._grid.setRowStretch(9, 1)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self.more = Scroll(inside)

    def _combo(self, choices: Sequence[tuple[str, object]], *, editable: bool = False) -> ComboBox:
        combo = ComboBox(editable=editable)
        # Both halves are to be equally wide, also in a narrow window.
        combo.setMinimumContentsLength(3)
        combo.add_choices(choices)
        combo.value_changed.connect(self._edited)
        return combo

    def _line(self) -> QLineEdit:
        line = QLineEdit()
        line.textChanged.connect(self._edited)
        return line

    def _put(self, label: str, control: QWidget, row: int, column: int) -> None:
        # None of these has to be answered, so the word "optional" at each would only be noise.
        self._grid.addWidget(FormField(label, control, required=True), row, column)

    def _ask_often(self, *asked: tuple[str, QWidget]) -> None:
        row = QHBoxLayout()
        row.setSpacing(12)
        for label, control in asked:
            control.setAccessibleName(f"{self.title.text()}: {label.lower()}")
            row.addWidget(FormField(label, control, required=True), 1)
        self.extra.addLayout(row)

    def _edited(self, *_: object) -> None:
        if not self._filling:
            self.path_field.set_error("")
            self.changed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_path(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.take(dropped_path(event.mimeData()))
        event.acceptProposedAction()

    def take(self, path: str) -> None:
        """Take a path of this computer, as it was dropped."""
        self.place.set_value(None)
        self.path.setText(path)

    def end(self) -> End:
        """The place and the path."""
        return End(self.path.text().strip(), _number(self.place.value()))

    def set_end(self, end: End) -> None:
        """Show another place and path."""
        self.place.set_value(end.authorization)
        self.path.setText(end.path)

    def set_places(self, places: Sequence[AuthorizationInfo]) -> None:
        """Offer these, and this computer."""
        self.place.set_choices([(THIS_COMPUTER, None), *((info.name, info.id) for info in places)])
        if self.place.currentIndex() < 0:
            self.place.setCurrentIndex(0)

    def browse(self) -> None:
        """Choose the path from what is there."""
        raise NotImplementedError

    def _browse_place(self, title: str, *, folders: bool) -> None:
        authorization = _number(self.place.value())
        engine = self._engine
        if authorization is None:
            return

        def listed(path: str) -> list[Choice]:
            found = list_folder(engine, authorization, path)
            return [Choice(f"{path}/" if path else "./", "(this folder)"), *found] if folders else found

        self.dialog = BrowseDialog(self, engine, title, listed, self._chosen)
        self.dialog.finished.connect(self._browsed)
        self.dialog.open()

    def _chosen(self, path: str) -> None:
        self.path.setText(path.removeprefix("./") if path != "./" else "./")

    def _browsed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None


class SourceCard(_EndCard):
    """Where the file is, and how it is read."""

    def __init__(self, engine: Engine) -> None:
        super().__init__("From", engine, "File")
        self.form = self._combo(READ_FORMS)
        self.encoding = self._combo(READ_ENCODINGS, editable=True)
        self.delimiter = self._combo((("Look at it", ""), *DELIMITERS), editable=True)
        self.quote = self._combo(QUOTES, editable=True)
        self.names = self._line()
        self.names.setPlaceholderText("Of a file without a header row, with commas")
        self.member = self._line()
        self.member.setPlaceholderText("In an archive with several")
        self.has_header = CheckBox("The first row names the columns", checked=True)
        self.has_header.toggled.connect(self._edited)
        self.key = self._combo(())
        self.key_file = self._line()
        self.passphrase = PasswordField()
        self.passphrase.textChanged.connect(self._edited)
        self._ask_often(("Content", self.form), ("Decrypt with", self.key))
        self.key_field = FormField("Key file", self.key_file, required=True, action=("Choose…", self._ask_key))
        self.passphrase_field = FormField("Passphrase of the key, not kept", self.passphrase, required=True)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.key_field, 1)
        row.addWidget(self.passphrase_field, 1)
        self.extra.addLayout(row)
        self._put("Encoding", self.encoding, 0, 0)
        self._put("Delimiter", self.delimiter, 0, 1)
        self._put("Quote character", self.quote, 0, 2)
        self._put("File in the archive", self.member, 0, 3)
        self._grid.addWidget(self.has_header, 1, 0, 1, 2)
        self._grid.addWidget(FormField("Names of the columns", self.names, required=True), 2, 0, 1, 4)
        self.key.value_changed.connect(self._key_changed)
        self.set_offer(Offer((), (), ()))
        self.key.setCurrentIndex(0)

    def set_offer(self, offer: Offer) -> None:
        """Offer what the workspace has."""
        self._filling = True
        self.set_places(offer.places)
        keys = [(f"Key of “{info.name}”", info.id) for info in offer.private_keys]
        self.key.set_choices([("Key of the place", OWN_KEY), *keys, ("A key in a file…", KEY_FILE)])
        if self.key.currentIndex() < 0:
            self.key.setCurrentIndex(0)
        self._filling = False
        self._key_changed()

    def reading(self) -> Reading:
        """How the file is read."""
        names = tuple(name.strip() for name in self.names.text().split(",") if name.strip())
        return Reading(
            form="json" if self.form.value() == "json" else "csv" if self.form.value() == "csv" else "",
            encoding=str(self.encoding.value() or "").strip(),
            delimiter=_sign(self.delimiter),
            quote=str(self.quote.value() or "none"),
            header=self.has_header.isChecked(),
            columns=names,
            member=self.member.text().strip(),
        )

    def decrypt(self) -> Key | None:
        """The key, None for that of the place."""
        return _key(self.key, self.key_file)

    def fill(self, transfer: Transfer) -> None:
        """Show this transfer's half."""
        self._filling = True
        reading = transfer.reading
        self.set_end(transfer.source)
        self.form.set_value(reading.form)
        self.encoding.set_value(reading.encoding)
        self.delimiter.set_value(reading.delimiter)
        self.quote.set_value(reading.quote)
        self.names.setText(", ".join(reading.columns))
        self.member.setText(reading.member)
        self.has_header.setChecked(reading.header)
        _show_key(self.key, self.key_file, transfer.decrypt, OWN_KEY)
        self.passphrase.clear()
        self._filling = False
        self._key_changed()

    def browse(self) -> None:
        if self.place.value() is None:
            ask_open(self, "Which file?", ALL_FILES, lambda path: self.path.setText(str(path)))
        else:
            self._browse_place("Choose the file", folders=False)

    def _key_changed(self, *_: object) -> None:
        in_file = self.key.value() == KEY_FILE
        self.key_field.setVisible(in_file)
        self.passphrase_field.setVisible(in_file)

    def _ask_key(self) -> None:
        ask_open(self, "Which private key?", KEYS, lambda path: self.key_file.setText(str(path)))


class TargetCard(_EndCard):
    """Where the file goes, and how it is written."""

    def __init__(self, engine: Engine) -> None:
        super().__init__("To", engine, "File or folder")
        self._source_name = ""
        self.form = self._combo(FORMS)
        self.pack = self._combo(PACKING)
        self.key = self._combo(())
        self.key_file = self._line()
        self._ask_often(("Content", self.form), ("Packing", self.pack), ("Encrypt for", self.key))
        self.key_field = FormField("PGP public key", self.key_file, required=True, action=("Choose…", self._ask_key))
        self.extra.addWidget(self.key_field)
        self.encoding = self._combo(ENCODINGS, editable=True)
        self.delimiter = self._combo((("As it comes", ""), *DELIMITERS), editable=True)
        self.quote = self._combo((("As it comes", ""), *QUOTES), editable=True)
        self.line_end = self._combo(LINE_ENDS)
        self.has_header = self._combo(HEADERS)
        self.quote_all = CheckBox("Quote all values")
        self.quote_all.toggled.connect(self._edited)
        self.split_rows = NumberField(0, 0, 1_000_000_000)
        self.split_size = NumberField(0, 0, 1_000_000)
        for field in (self.split_rows, self.split_size):
            field.setSpecialValueText("Any number")
            field.setGroupSeparatorShown(True)
            field.valueChanged.connect(self._edited)
        self._put("Encoding", self.encoding, 0, 0)
        self._put("Delimiter", self.delimiter, 0, 1)
        self._put("Quote character", self.quote, 0, 2)
        self._put("End of lines", self.line_end, 0, 3)
        self._put("Header row", self.has_header, 1, 0)
        self._put("Rows in one file", self.split_rows, 1, 1)
        self._put("Megabytes in one file", self.split_size, 1, 2)
        self._grid.addWidget(self.quote_all, 2, 0, 1, 2)
        self.place.value_changed.connect(self._place_chosen)
        self._public: frozenset[int] = frozenset()
        self.key.value_changed.connect(self._key_changed)
        self.set_offer(Offer((), (), ()))

    def set_offer(self, offer: Offer) -> None:
        """Offer what the workspace has."""
        self._filling = True
        self.set_places(offer.places)
        self._public = frozenset(info.id for info in offer.public_keys)
        keys = [(info.name, info.id) for info in offer.public_keys]
        self.key.set_choices([("Nobody", None), *keys, ("A key in a file…", KEY_FILE)])
        if self.key.currentIndex() < 0:
            self.key.setCurrentIndex(0)
        self._filling = False
        self._key_changed()

    def _place_chosen(self, place: object) -> None:
        """Who gave us a key for files wants them encrypted."""
        if not self._filling and place in self._public:
            self.key.set_value(place)

    def writing(self) -> Writing:
        """How the file is written."""
        form, line_end, header = self.form.value(), self.line_end.value(), self.has_header.value()
        return Writing(
            form="json" if form == "json" else "csv" if form == "csv" else "",
            encoding=str(self.encoding.value() or "").strip(),
            delimiter=_sign(self.delimiter),
            quote=str(self.quote.value() or ""),
            quote_all=self.quote_all.isChecked(),
            line_end="lf" if line_end == "lf" else "crlf" if line_end == "crlf" else "",
            header=header if isinstance(header, bool) else None,
        )

    def packing(self) -> tuple[bool, Pack, bool]:
        """Whether to unpack, how to pack, and whether the names of the files may say more."""
        chosen = self.pack.value()
        pack: Pack = "gz" if chosen == "gz" else "zip" if chosen == "zip" else "none"
        return chosen in ("open", "gz", "zip"), pack, chosen == "auto"

    def encrypt(self) -> Key | None:
        """The key of whoever receives the file."""
        return _key(self.key, self.key_file)

    def splitting(self) -> tuple[int, int]:
        """Rows and bytes of a part, 0 for no limit."""
        return self.split_rows.value(), self.split_size.value() * MEGABYTE

    def fill(self, transfer: Transfer, *, by_name: bool) -> None:
        """Show this transfer's half. `by_name`: what it does to packings is what the names say."""
        self._filling = True
        writing = transfer.writing
        self.set_end(transfer.target)
        self.form.set_value(writing.form)
        packed = transfer.pack if transfer.pack != "none" else "open" if transfer.unpack else "keep"
        self.pack.set_value("auto" if by_name else packed)
        _show_key(self.key, self.key_file, transfer.encrypt, None)
        self.encoding.set_value(writing.encoding)
        self.delimiter.set_value(writing.delimiter)
        self.quote.set_value(writing.quote)
        self.quote_all.setChecked(writing.quote_all)
        self.line_end.set_value(writing.line_end)
        self.has_header.set_value(writing.header)
        self.split_rows.setValue(transfer.split_rows)
        self.split_size.setValue(transfer.split_bytes // MEGABYTE)
        self._filling = False
        self._key_changed()

    def set_source_name(self, path: str) -> None:
        """What the file is called where it comes from: a name to offer."""
        self._source_name = file_name(path)

    def browse(self) -> None:
        if self.place.value() is None:
            name = Path(self.path.text().strip()).name or self._source_name
            ask_save(self, "Where to?", name, ALL_FILES, lambda path: self.path.setText(str(path)))
        else:
            self._browse_place("Choose a folder, or a file to replace", folders=True)

    def _key_changed(self, *_: object) -> None:
        self.key_field.setVisible(self.key.value() == KEY_FILE)

    def _ask_key(self) -> None:
        ask_open(self, "Which public key?", KEYS, lambda path: self.key_file.setText(str(path)))


def dropped_path(data: QMimeData) -> str:
    """The path of the one file or folder that is dropped, "" for anything else."""
    urls = data.urls()
    return urls[0].toLocalFile() if len(urls) == 1 and urls[0].isLocalFile() else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _sign(combo: ComboBox) -> str:
    """A delimiter as it was chosen or typed; a tab can't be typed."""
    text = str(combo.value() or "")
    return "\t" if text in ("\\t", "tab") else text


def _key(combo: ComboBox, file: QLineEdit) -> Key | None:
    value = combo.value()
    if value == KEY_FILE:
        return Key(file=file.text().strip())
    number = _number(value)
    return None if number is None else Key(number)


def _show_key(combo: ComboBox, file: QLineEdit, key: Key | None, none: object) -> None:
    file.setText(key.file if key is not None else "")
    combo.set_value(none if key is None else KEY_FILE if key.authorization is None else key.authorization)
