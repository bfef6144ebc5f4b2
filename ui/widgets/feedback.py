"""What the window tells the user: nothing here yet, something went wrong, please wait, are you sure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.theme import current_theme, mono_font, paint_icon
from ui.widgets.buttons import Button, IconButton, LinkButton
from ui.widgets.fields import restyle


class Icon(QWidget):
    """A bundled icon as a widget, in the colour of a token."""

    def __init__(self, name: str, role: str = "muted", size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._role = name, role
        self.setFixedSize(size, size)

    def set_icon(self, name: str, role: str) -> None:
        """Show another icon."""
        self._name, self._role = name, role
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_icon(QPainter(self), QRectF(self.rect()), self._name, self._role)


ROOM_FOR_ICON = 140
"""Pixels of height from which on the icon of an empty state is shown."""


class EmptyState(QWidget):
    """What stands where nothing is yet: an icon, a title, a sentence and what to do next."""

    def __init__(
        self,
        icon: str,
        title: str,
        sentence: str,
        actions: Sequence[QWidget] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(8)
        layout.addStretch(1)
        self._icon = Icon(icon, "muted", 28)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        self.title = QLabel(title)
        self.title.setProperty("kind", "heading")
        self.sentence = QLabel(sentence)
        self.sentence.setProperty("kind", "muted")
        self.sentence.setWordWrap(True)
        self.sentence.setMaximumWidth(440)
        for label in (self.title, self.sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            # Between two springs the label wraps at its greatest width and still gets the height it needs.
            line = QHBoxLayout()
            line.addStretch(1)
            line.addWidget(label, 100)
            line.addStretch(1)
            layout.addLayout(line)
        if actions:
            row = QHBoxLayout()
            row.setSpacing(10)
            row.setContentsMargins(0, 8, 0, 0)
            row.addStretch(1)
            for action in actions:
                row.addWidget(action)
            row.addStretch(1)
            layout.addLayout(row)
        layout.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # In a low window the words need the room more.
        self._icon.setVisible(self.height() >= ROOM_FOR_ICON)

    def set_text(self, title: str, sentence: str) -> None:
        """Say something else, for instance that a search found nothing."""
        self.title.setText(title)
        self.sentence.setText(sentence)


_TONE_ICONS = {
    "error": ("circle-alert", "failed"),
    "warning": ("triangle-alert", "paused"),
    "info": ("info", "accent"),
    "success": ("circle-check", "completed"),
}


class Banner(QFrame):
    """A message across the page: what happened, to which thing, what to do next; details behind a disclosure.

    Hidden until `tell("error", message, advice, details)`. `tell_error(error)` takes an exception that has `.message`,
    `.advice` and `.details`, as the program's own errors do; any other becomes "Something went wrong" with its text
    behind the disclosure.
    """

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "notice")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(14, 11, 10, 11)
        outer.setSpacing(10)
        self._icon = Icon("info", "accent", 18)
        outer.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        middle = QVBoxLayout()
        middle.setSpacing(4)
        self._message = QLabel()
        self._message.setProperty("kind", "heading")
        self._advice = QLabel()
        self._details = QLabel()
        self._details.setFont(mono_font(11))
        for label in (self._message, self._advice, self._details):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            middle.addWidget(label)
        self._links = QHBoxLayout()
        self._links.setSpacing(14)
        self._more = LinkButton("Details", clicked=self._disclose)
        self._copy = LinkButton("Copy", clicked=self.copy)
        self._action_slot = QHBoxLayout()
        self._links.addLayout(self._action_slot)
        self._links.addWidget(self._more)
        self._links.addWidget(self._copy)
        self._links.addStretch(1)
        middle.addLayout(self._links)
        outer.addLayout(middle, 1)
        dismiss = IconButton("x", "Dismiss", clicked=self.dismiss)
        dismiss.setFixedSize(26, 26)
        outer.addWidget(dismiss, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def tell(self, tone: str, message: str, advice: str = "", details: str = "", action: QWidget | None = None) -> None:
        """Show a message. `tone`: "error", "warning", "info" or "success"; `action` is a link or button under it."""
        self.setProperty("tone", tone)
        restyle(self)
        self._icon.set_icon(*_TONE_ICONS[tone])
        self._message.setText(message)
        self._advice.setText(advice)
        self._advice.setVisible(bool(advice))
        self._details.setText(details)
        self._details.hide()
        self._more.setText("Details")
        self._more.setVisible(bool(details))
        self._copy.setVisible(tone in ("error", "warning"))
        while (old := self._action_slot.takeAt(0)) is not None:
            widget = old.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if action is not None:
            self._action_slot.addWidget(action)
        self.setAccessibleName(f"{message} {advice}".strip())
        self.show()

    def tell_error(self, error: BaseException, action: QWidget | None = None) -> None:
        """Show an error that a query or operation ended with."""
        message = getattr(error, "message", "")
        if message:
            self.tell("error", message, getattr(error, "advice", ""), getattr(error, "details", ""), action)
        else:
            advice = "Try again; if it happens again, copy the details and send them to the developers."
            self.tell(
                "error", "Something went wrong in the program.", advice, f"{type(error).__name__}: {error}", action
            )

    def text(self) -> str:
        """Everything the message says, as Copy puts it on the clipboard."""
        parts = (self._message.text(), self._advice.text(), self._details.text())
        return "\n".join(part for part in parts if part)

    def copy(self) -> None:
        """Put the whole message on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())
        self._copy.setText("Copied")
        QTimer.singleShot(1500, self._copy, lambda: self._copy.setText("Copy"))

    def dismiss(self) -> None:
        """Hide the message."""
        self.hide()
        self.closed.emit()

    def _disclose(self) -> None:
        shown = self._details.isHidden()
        self._details.setVisible(shown)
        self._more.setText("Hide details" if shown else "Details")


class InlineNote(QWidget):
    """A small sentence with an icon, inside a form or under a table: `InlineNote("Checked just now …", "info")`."""

    def __init__(self, text: str = "", tone: str = "info", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(7)
        self._icon = Icon("info", "muted", 14)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setProperty("kind", "muted")
        row.addWidget(self._label, 1)
        self.set_note(text, tone)

    def set_note(self, text: str, tone: str = "info") -> None:
        """Say something else."""
        name, role = _TONE_ICONS[tone]
        self._icon.set_icon(name, "muted" if tone == "info" else role)
        self._label.setText(text)


class Spinner(QWidget):
    """A turning arc while something is fetched; still and hidden when stopped."""

    def __init__(self, size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(size, size)
        self.setAccessibleName("Please wait")
        self._angle = 0
        self._timer = QTimer(self, interval=40)
        self._timer.timeout.connect(self._turn)
        self.hide()

    def start(self) -> None:
        """Show and turn."""
        self.show()

    def stop(self) -> None:
        """Hide."""
        self.hide()

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def _turn(self) -> None:
        self._angle = (self._angle - 14) % 360
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        painter.setPen(QPen(current_theme().color("line"), 2))
        painter.drawEllipse(rect)
        painter.setPen(QPen(current_theme().color("accent"), 2, c=Qt.PenCapStyle.RoundCap))
        painter.drawArc(rect, self._angle * 16, 100 * 16)


class ProgressLine(QWidget):
    """A thin bar: `set_progress(0.4)`, or None while the end is unknown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(4)
        self.setMinimumWidth(60)
        self._value: float | None = 0.0
        self._phase = 0.0
        self._timer = QTimer(self, interval=40)
        self._timer.timeout.connect(self._move)

    def set_progress(self, value: float | None) -> None:
        """Show a share between 0 and 1, or movement without an end for None."""
        self._value = None if value is None else min(1.0, max(0.0, value))
        self.setAccessibleName("Working" if self._value is None else f"{self._value:.0%} done")
        if self._value is None and self.isVisible():
            self._timer.start()
        elif self._value is not None:
            self._timer.stop()
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        if self._value is None:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()

    def _move(self) -> None:
        self._phase = (self._phase + 0.02) % 1
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(150, 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_progress(QPainter(self), QRectF(self.rect()), self._value, self._phase)


def paint_progress(painter: QPainter, rect: QRectF, value: float | None, phase: float = 0.35) -> None:
    """Paint a progress bar; without a value a piece of it stands at `phase`."""
    theme = current_theme()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("track"))
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    done = QRectF(rect)
    if value is None:
        done.setLeft(rect.left() + rect.width() * phase)
        done.setWidth(min(rect.width() * 0.25, rect.right() - done.left()))
    else:
        done.setWidth(rect.width() * value)
    painter.setBrush(theme.color("running"))
    if done.width() > 0:
        painter.drawRoundedRect(done, rect.height() / 2, rect.height() / 2)
    painter.restore()


class ConfirmDialog(QDialog):
    """Asks before something is lost, and names it. `other` is a harmless way out, with what it does."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        lost: str,
        action: str,
        *,
        danger: bool = True,
        other: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(10)
        heading = QLabel(title)
        heading.setProperty("kind", "title")
        text = QLabel(lost)
        for label in (heading, text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setMinimumWidth(420)
            layout.addWidget(label)
        row = QHBoxLayout()
        row.setContentsMargins(0, 10, 0, 0)
        row.setSpacing(10)
        row.addStretch(1)
        self.cancel = Button("Cancel", clicked=self.reject)
        self.go = Button(action, "danger-primary" if danger else "primary", clicked=self.accept)
        row.addWidget(self.cancel)
        if other is not None:
            word, act = other
            instead = Button(word, clicked=self.reject)
            instead.clicked.connect(act)
            row.addWidget(instead)
        row.addWidget(self.go)
        layout.addLayout(row)
        # Return must not delete by accident: the harmless answer has the focus.
        (self.cancel if danger else self.go).setFocus()


def confirm(
    parent: QWidget,
    title: str,
    lost: str,
    action: str,
    accepted: Callable[[], object],
    *,
    danger: bool = True,
    other: tuple[str, Callable[[], object]] | None = None,
) -> ConfirmDialog:
    """Ask without blocking; `accepted` is called when the user agrees, `other` is a third answer.

    `confirm(self, "Delete “Loyalty members”?", "Its 14 runs and logs go; people stay.", "Delete job", self._delete)`
    """
    dialog = ConfirmDialog(parent, title, lost, action, danger=danger, other=other)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(accepted)
    dialog.open()
    return dialog
