"""The small dialogs of authorizations: the frame they share, a new name, how secrets are looked for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.authorizations import SHORTEST_SOUGHT, AuthorizationInfo, edit_authorization
from app.engine import Engine
from ui.shell.background import run_operation
from ui.widgets import Banner, Button, FormField, Spinner, set_kind

WIDTH = 460
HOW_CHECKED = (
    (
        "Each time this page opens, Causeway takes every password, key and token out of the place where it is kept "
        "and looks for it, as plain text, in every file that Causeway writes."
    ),
    (
        "These are the workspace file, with all people, events and logs, and everything else in {folder}. Only files "
        "that jobs downloaded are left out: what they hold is yours."
    ),
    (
        f"Secrets shorter than {SHORTEST_SOUGHT} characters are not looked for; they would be found by chance. "
        "Nothing leaves this computer."
    ),
)


class FormDialog(QDialog):
    """A title, what is asked, a place for errors, Cancel and one button that acts.

    A subclass adds its fields with `add`, ends with `finish("Save")` and does its work in `act`.
    """

    def __init__(self, parent: QWidget, title: str, width: int = WIDTH) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setMinimumWidth(width)
        self._body = QVBoxLayout(self)
        self._body.setContentsMargins(24, 22, 24, 20)
        self._body.setSpacing(14)
        self._body.addWidget(set_kind(QLabel(title), "title"))
        self.banner = Banner()
        self.spinner = Spinner()
        self.left: list[QWidget] = []
        self.cancel = Button("Cancel", clicked=self.reject)
        self.go = Button("", "primary", clicked=self.act)

    def say(self, sentence: str) -> None:
        """Append a sentence."""
        label = set_kind(QLabel(sentence), "muted")
        label.setWordWrap(True)
        self._body.addWidget(label)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Append a field."""
        self._body.addWidget(widget, stretch)

    def finish(self, action: str, *left: QWidget) -> None:
        """Append the place for errors and the row of buttons; `left` are those at the other side."""
        self._body.addWidget(self.banner)
        row = QHBoxLayout()
        row.setContentsMargins(0, 4, 0, 0)
        row.setSpacing(10)
        for widget in left:
            row.addWidget(widget)
        self.left = list(left)
        row.addWidget(self.spinner)
        row.addStretch(1)
        row.addWidget(self.cancel)
        self.go.setText(action)
        self.go.setDefault(True)
        row.addWidget(self.go)
        self._body.addLayout(row)

    def set_busy(self, busy: bool) -> None:
        """While it works, only Cancel can be pressed."""
        for widget in (self.go, *self.left):
            widget.setEnabled(not busy)
        if busy:
            self.banner.hide()
            self.spinner.start()
        else:
            self.spinner.stop()

    def act(self) -> None:
        """What the button does; `accept()` when it is done."""
        raise NotImplementedError


class RenameDialog(FormDialog):
    """Another name for an authorization."""

    def __init__(self, parent: QWidget, engine: Engine, info: AuthorizationInfo) -> None:
        super().__init__(parent, f"Rename “{info.name}”")
        self._engine, self._info = engine, info
        self.name = QLineEdit(info.name)
        self.field = FormField("Name", self.name, required=True)
        self.name.textChanged.connect(lambda _: self.field.set_error(""))
        self.add(self.field)
        self.finish("Rename")
        self.name.selectAll()
        self.name.setFocus()

    def act(self) -> None:
        name = self.name.text().strip()
        if not name:
            self.field.set_error("The authorization needs a name. Enter one.")
            return
        self.set_busy(True)
        run_operation(
            lambda _: edit_authorization(self._engine, self._info.id, name=name),
            done=lambda _: self.accept(),
            failed=self._failed,
            owner=self,
        )

    def _failed(self, error: BaseException) -> None:
        self.set_busy(False)
        self.banner.tell_error(error)


class HowCheckedDialog(QDialog):
    """Explains what stands behind “no secret was found”."""

    def __init__(self, parent: QWidget, folder: str) -> None:
        super().__init__(parent)
        title = "How this is checked"
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setModal(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(set_kind(QLabel(title), "title"))
        for text in HOW_CHECKED:
            label = QLabel(text.format(folder=folder))
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setMinimumWidth(WIDTH)
            layout.addWidget(label)
        row = QHBoxLayout()
        row.setContentsMargins(0, 8, 0, 0)
        row.addStretch(1)
        self.close_button = Button("Close", "primary", clicked=self.accept)
        row.addWidget(self.close_button)
        layout.addLayout(row)
