"""Chips: filters in a row, with how many things each would leave; and a layout that wraps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QLayout, QLayoutItem, QPushButton, QSizePolicy, QWidget


class FlowLayout(QLayout):
    """Puts widgets side by side and goes on in the next line, `leading` below, when one does not fit."""

    def __init__(self, parent: QWidget | None = None, spacing: int = 6, leading: int = 6) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._leading = leading
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        width = sum(item.sizeHint().width() for item in self._items) + self.spacing() * max(0, len(self._items) - 1)
        height = max((item.sizeHint().height() for item in self._items), default=0)
        return QSize(width, height)

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, rect: QRect, *, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            size = item.sizeHint()
            if line and x + size.width() > rect.right() + 1:
                x, y, line = rect.x(), y + line + self._leading, 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), size))
            x += size.width() + self.spacing()
            line = max(line, size.height())
        return y + line - rect.y()


class Chip(QPushButton):
    """One filter that is on or off, with a count beside its word once it is known."""

    def __init__(self, key: str, label: str, count: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key, self.label = key, label
        self.setProperty("kind", "chip")
        self.setCheckable(True)
        self.set_count(count)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_count(self, count: int | None) -> None:
        """Show a count; None shows the word alone."""
        self.setText(self.label if count is None else f"{self.label} {count:,}")


class ChipLabel(QLabel):
    """A chip that only says something, such as the audience a person is in."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("kind", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


class ChipRow(QWidget):
    """A row of filter chips.

    Exclusive (the default): exactly one is on, `changed` tells its key. Otherwise any number is, `changed` tells the
    frozenset of their keys.
    """

    changed = Signal(object)

    def __init__(
        self,
        chips: Iterable[tuple[str, str]],
        *,
        exclusive: bool = True,
        chosen: str | Iterable[str] | None = None,
        name: str = "Filter",
        parent: QWidget | None = None,
    ) -> None:
        """`chips` are (key, label); an exclusive row starts with `chosen` or its first chip."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self._exclusive = exclusive
        self._chips: dict[str, Chip] = {}
        self._layout = FlowLayout(self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_chips(chips)
        wanted = {chosen} if isinstance(chosen, str) else set(chosen or ())
        if exclusive and not wanted:
            wanted = set(list(self._chips)[:1])
        for key in wanted:
            self._chips[key].setChecked(True)

    def set_chips(self, chips: Iterable[tuple[str, str]]) -> None:
        """Replace the chips; what was on stays on where it still exists."""
        chosen = self._on()
        for chip in self._chips.values():
            self._layout.removeWidget(chip)
            chip.deleteLater()
        self._chips = {}
        for key, label in chips:
            chip = Chip(key, label, parent=self)
            chip.setChecked(key in chosen)
            chip.clicked.connect(lambda _=False, key=key: self._clicked(key))
            self._chips[key] = chip
            self._layout.addWidget(chip)
        if self._exclusive and self._chips and not self._on() and chosen:
            next(iter(self._chips.values())).setChecked(True)

    def chip(self, key: str) -> Chip:
        """One chip by its key."""
        return self._chips[key]

    def set_counts(self, counts: Mapping[str, int | None]) -> None:
        """Show how many things each chip would leave; keys without a chip are passed over."""
        for key, count in counts.items():
            if key in self._chips:
                self._chips[key].set_count(count)
        self._layout.invalidate()

    def chosen(self) -> str | frozenset[str]:
        """The key that is on, or all that are on where the row is not exclusive."""
        on = self._on()
        return next(iter(on), "") if self._exclusive else frozenset(on)

    def choose(self, key: str, on: bool = True) -> None:
        """Turn a chip on (or off in a row of toggles) without telling `changed`."""
        if self._exclusive:
            for other, chip in self._chips.items():
                chip.setChecked(other == key)
        else:
            self._chips[key].setChecked(on)

    def _on(self) -> set[str]:
        return {key for key, chip in self._chips.items() if chip.isChecked()}

    def _clicked(self, key: str) -> None:
        if self._exclusive:
            self.choose(key)
        self.changed.emit(self.chosen())
