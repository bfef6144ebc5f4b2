"""A text that is edited where it stands: a name, a description."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QWidget

from ui.widgets.buttons import IconButton
from ui.widgets.elided import ElidedLabel
from ui.widgets.fields import restyle


class InlineEdit(QWidget):
    """Shows a text with a pencil; a double click, the pencil or F2 edits it.

    Enter and leaving the field keep what was typed (`edited(text)`), Escape takes it back. `required` refuses an empty
    text by going back to the old one. `placeholder` stands there, in grey, while there is no text.
    """

    edited = Signal(str)

    def __init__(
        self,
        text: str = "",
        *,
        name: str,
        kind: str = "",
        placeholder: str = "",
        required: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """`name` is what is edited ("Name of the job"); `kind` the look of the text, as of labels."""
        super().__init__(parent)
        self._text, self._placeholder, self._required = text, placeholder, required
        self.label: QLabel = ElidedLabel()
        self._kind = kind
        self.edit = QLineEdit()
        self.edit.setProperty("kind", kind)
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText(placeholder)
        self.edit.hide()
        self.pencil = IconButton("pencil", f"Edit: {name}", clicked=self.begin)
        self.edit.installEventFilter(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for widget in (self.label, self.edit, self.pencil):
            row.addWidget(widget)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    def text(self) -> str:
        """The text as it was kept last."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show another text, unless the user is just editing it."""
        self._text = text
        if not self.edit.isVisible():
            self._show()

    def _show(self) -> None:
        self.label.setText(self._text or self._placeholder)
        self.label.setProperty("kind", self._kind if self._text else "muted")
        restyle(self.label)

    def begin(self) -> None:
        """Turn into a field, with the whole text selected."""
        self.edit.setText(self._text)
        self.edit.setMinimumWidth(min(460, max(260, self.label.sizeHint().width() + 36)))
        self.label.hide()
        self.pencil.hide()
        self.edit.show()
        self.edit.setFocus()
        self.edit.selectAll()

    def _end(self, *, keep: bool) -> None:
        if self.edit.isHidden():
            return
        typed = " ".join(self.edit.text().split())
        self.edit.hide()
        self.label.show()
        self.pencil.show()
        changed = keep and typed != self._text and (typed or not self._required)
        if changed:
            self._text = typed
        self._show()
        if changed:
            self.edited.emit(typed)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.begin()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F2:
            self.begin()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._end(keep=True)
                self.pencil.setFocus()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._end(keep=False)
                self.pencil.setFocus()
                return True
        elif event.type() == QEvent.Type.FocusOut:
            self._end(keep=True)
        return False
