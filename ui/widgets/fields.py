"""What a form is made of: text, password, choice, check and the frame that names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from ui.theme import mono_font, set_icon
from ui.widgets.buttons import LinkButton


class SearchField(QLineEdit):
    """A search box that waits until typing rests before it says so: `searched(text)`. Escape empties it."""

    searched = Signal(str)

    def __init__(
        self, placeholder: str, *, wait_ms: int = 150, width: int = 230, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setProperty("kind", "search")
        self.setClearButtonEnabled(True)
        self.setMinimumWidth(min(width, 140))
        self.setMaximumWidth(width)
        glass = QAction(self)
        set_icon(glass, "search", "muted")
        self.addAction(glass, QLineEdit.ActionPosition.LeadingPosition)
        self._timer = QTimer(self, singleShot=True, interval=wait_ms)
        self._timer.timeout.connect(lambda: self.searched.emit(self.text().strip()))
        self.textChanged.connect(lambda _: self._timer.start())
        self.returnPressed.connect(self._now)

    def sizeHint(self) -> QSize:
        return QSize(self.maximumWidth(), super().sizeHint().height())

    def _now(self) -> None:
        self._timer.stop()
        self.searched.emit(self.text().strip())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            self._now()
            return
        super().keyPressEvent(event)


class PasswordField(QLineEdit):
    """A secret being typed, hidden until the eye is pressed."""

    def __init__(self, placeholder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(placeholder)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self._eye = QAction("Show", self)
        self._eye.setCheckable(True)
        set_icon(self._eye, "eye", "muted")
        self._eye.toggled.connect(self._show)
        self.addAction(self._eye, QLineEdit.ActionPosition.TrailingPosition)

    def _show(self, shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        self._eye.setText("Hide" if shown else "Show")
        set_icon(self._eye, "eye-off" if shown else "eye", "muted")


class ComboBox(QComboBox):
    """A choice of one. `add_choices([("Daily", "daily"), …])`; `value()` is the chosen value, or what was typed.

    `editable` lets the user type a value that is not on offer.
    """

    value_changed = Signal(object)

    def __init__(self, *, editable: bool = False, placeholder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditable(editable)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setMaxVisibleItems(14)
        # Qt's own delegate of the list looks to the style sheet for nothing but colours.
        self.setItemDelegate(QStyledItemDelegate(self))
        if editable:
            self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            edit = self.lineEdit()
            if edit is not None:
                edit.setPlaceholderText(placeholder)
            self.editTextChanged.connect(lambda _: self.value_changed.emit(self.value()))
        else:
            self.setPlaceholderText(placeholder)
            self.currentIndexChanged.connect(lambda _: self.value_changed.emit(self.value()))

    def add_choices(self, choices: Iterable[tuple[str, object]]) -> None:
        """Append (label, value) pairs."""
        for label, value in choices:
            self.addItem(label, value)

    def set_choices(self, choices: Iterable[tuple[str, object]]) -> None:
        """Replace all choices, keeping the value where it is still possible."""
        value = self.value()
        blocked = self.blockSignals(True)
        self.clear()
        self.add_choices(choices)
        self.set_value(value)
        self.blockSignals(blocked)

    def value(self) -> object:
        """The value of the chosen entry; the typed text where it is no entry; None where nothing is chosen."""
        if self.isEditable():
            at = self.findText(self.currentText())
            return self.itemData(at) if at >= 0 else self.currentText()
        return self.currentData() if self.currentIndex() >= 0 else None

    def set_value(self, value: object) -> None:
        """Choose the entry with this value; an editable box also takes any other text."""
        at = self.findData(value)
        if at >= 0 or not self.isEditable():
            self.setCurrentIndex(at)
        if at < 0 and self.isEditable():
            self.setEditText("" if value is None else str(value))

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Scrolling a long form must not change an answer under the pointer.
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NumberField(QSpinBox):
    """A whole number, typed or moved by the arrow keys: `NumberField(22, 1, 65_535)`."""

    def __init__(self, value: int = 0, least: int = 0, most: int = 2**31 - 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(least, most)
        self.setValue(value)
        # The style sheet gives the buttons no width. Told to have none, Qt gives the edit inside no width either.
        self.setButtonSymbols(QSpinBox.ButtonSymbols.UpDownArrows)
        # Qt gives the edit inside no padding from the style sheet.
        self.lineEdit().setTextMargins(8, 0, 8, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class CheckBox(QCheckBox):
    """A yes or no: `CheckBox("Keep importing new files", checked=True)`."""

    def __init__(self, text: str, checked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setChecked(checked)


class TextArea(QPlainTextEdit):
    """Several lines of text; `code` sets it in the monospaced face. Tab moves on instead of typing a tab."""

    def __init__(
        self, placeholder: str = "", *, code: bool = False, lines: int = 4, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        if code:
            self.setProperty("kind", "code")
            self.setFont(mono_font())
        self.setMinimumHeight(lines * self.fontMetrics().lineSpacing() + 18)


class FormField(QWidget):
    """A control with its label above and help or an error below.

    `FormField("Stream", edit, help="Events are kept under this name", required=True)`; `set_error("…")` shows a
    sentence in red and outlines the control; `set_error("")` takes it back.
    `action` puts a link at the right of the label.
    """

    def __init__(
        self,
        label: str,
        control: QWidget,
        *,
        help: str = "",  # noqa: A002 (the word that job types' options use)
        required: bool = False,
        action: tuple[str, Callable[[], object]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.control = control
        self._help = help
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        if label:
            self.label = QLabel(label)
            self.label.setProperty("kind", "label")
            self.label.setBuddy(control)
            top = QHBoxLayout()
            top.addWidget(self.label)
            if not required and not isinstance(control, QCheckBox):
                optional = QLabel("optional")
                optional.setProperty("kind", "secondary")
                top.addWidget(optional)
            top.addStretch(1)
            if action is not None:
                top.addWidget(LinkButton(action[0], clicked=action[1]))
            layout.addLayout(top)
        layout.addWidget(control)
        self._note = QLabel(help)
        self._note.setProperty("kind", "secondary")
        self._note.setWordWrap(True)
        self._note.setVisible(bool(help))
        layout.addWidget(self._note)
        if label and not control.accessibleName():
            control.setAccessibleName(label)
        control.setAccessibleDescription(help)

    def set_help(self, text: str) -> None:
        """Replace the sentence below the control."""
        self._help = text
        if self._note.property("kind") != "error":
            self._note.setText(text)
            self._note.setVisible(bool(text))

    def set_error(self, sentence: str) -> None:
        """Say what is wrong with the answer; an empty sentence takes it back."""
        self._note.setProperty("kind", "error" if sentence else "secondary")
        self._note.setText(sentence or self._help)
        self._note.setVisible(bool(sentence or self._help))
        self.control.setProperty("invalid", "true" if sentence else "false")
        self.control.setAccessibleDescription(sentence or self._help)
        for widget in (self._note, self.control):
            restyle(widget)

    @property
    def error(self) -> str:
        """The sentence shown now, or an empty text."""
        return self._note.text() if self._note.property("kind") == "error" else ""


def restyle(widget: QWidget) -> None:
    """Make the style sheet look again at a widget whose dynamic property changed."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
