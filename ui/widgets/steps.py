"""The steps of a wizard: done ones with a tick, the present one with its number in the accent colour."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from ui.theme import current_theme, font, paint_icon


class _Step(QAbstractButton):
    def __init__(self, number: int, label: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.number, self.label = number, label
        self.state = "later"
        self.setText(label)

    def set_state(self, state: str) -> None:
        self.state = state
        self.setEnabled(state == "done")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if state == "done" else Qt.FocusPolicy.NoFocus)
        words = {"done": "done, go back to it", "now": "the present step", "later": "to come"}
        self.setAccessibleName(f"Step {self.number}, {self.label}: {words[state]}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round(QFontMetricsF(font(13, 600)).horizontalAdvance(self.label)) + 30, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = current_theme(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        disc = QRectF(0.75, self.height() / 2 - 10, 20, 20)
        painter.setPen(QPen(theme.color("line" if self.state == "later" else "accent"), 1.2))
        painter.setBrush(theme.color("accent" if self.state == "done" else "surface"))
        painter.drawEllipse(disc)
        if self.state == "done":
            paint_icon(painter, disc.adjusted(3, 3, -3, -3), "check", "on_accent")
        else:
            painter.setFont(font(11, 600))
            painter.setPen(theme.color("accent" if self.state == "now" else "muted"))
            painter.drawText(disc, int(Qt.AlignmentFlag.AlignCenter), str(self.number))
        painter.setFont(font(13, 600 if self.state == "now" else 400))
        painter.setPen(
            theme.color("text" if self.state == "now" or (self.underMouse() and self.isEnabled()) else "muted")
        )
        words = QRectF(28, 0, self.width() - 28, self.height())
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self.label)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


class _Dash(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMinimumSize(8, 24)
        self.setMaximumWidth(34)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(34, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(0, self.height() // 2, self.width(), 1, current_theme().color("line"))


class StepBar(QWidget):
    """`StepBar(["Provider", "Job type", …])`; `set_step(2)` (from 0); `asked(step)`: back to a done one."""

    asked = Signal(int)

    def __init__(self, labels: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        self._steps: list[_Step] = []
        for at, label in enumerate(labels):
            if at:
                row.addWidget(_Dash(self))
            step = _Step(at + 1, label, self)
            step.clicked.connect(lambda _=False, at=at: self.asked.emit(at))
            row.addWidget(step)
            self._steps.append(step)
        row.addStretch(1)
        self.setFixedHeight(24)
        self.step = 0
        self.set_step(0)

    def set_step(self, at: int) -> None:
        """Make a step the present one: those before it are done."""
        self.step = at
        for number, step in enumerate(self._steps):
            step.set_state("done" if number < at else "now" if number == at else "later")
