"""Who an export is about: everybody, or whom a search finds, each with how many people that are."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.audiences.selection import EVERYBODY, SEARCH
from ui.widgets import ComboBox, IconButton, LinkButton, SearchField, set_kind, words

COUNT_REST_MS = 300
_TOP = Qt.AlignmentFlag.AlignTop


class AudienceField(QWidget):
    """The value is what an option of the type `audience` holds, "" while nobody is chosen.

    `count_wanted(value)` asks how many people that are, once typing rests; answer with `show_count`.
    """

    changed = Signal(str)
    count_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked = ""
        self.choice = ComboBox(placeholder="Choose who")
        self.choice.add_choices([("Everybody", EVERYBODY), ("People found by a search", SEARCH)])
        self.choice.set_value(None)
        self.search = SearchField("Name, identifier or words of a field", wait_ms=COUNT_REST_MS, width=4000)
        self.search.setAccessibleName("What to search for")
        self.count = set_kind(QLabel(), "secondary")
        self.count.setWordWrap(True)
        self.choice.value_changed.connect(lambda _: self._chosen())
        self.search.textChanged.connect(lambda _: self._typed())
        self.search.searched.connect(lambda _: self._ask())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self.choice, self.search, self.count):
            layout.addWidget(widget)
        self.setFocusProxy(self.choice)
        self._arrange()

    def value(self) -> str:
        """The audience as options name it."""
        if self.choice.value() != SEARCH:
            return str(self.choice.value() or "")
        sought = self.search.text().strip()
        return f"{SEARCH}{sought}" if sought else ""

    def set_value(self, value: object) -> None:
        """Show an audience, without telling `changed`."""
        wanted = str(value or "")
        if wanted == self.value():
            return
        searched = wanted.startswith(SEARCH)
        for widget in (self.choice, self.search):
            widget.blockSignals(True)
        self.choice.set_value(SEARCH if searched else wanted or None)
        self.search.setText(wanted.removeprefix(SEARCH) if searched else "")
        for widget in (self.choice, self.search):
            widget.blockSignals(False)
        self._arrange()
        self._ask()

    def show_count(self, value: str, count: int | None, why: str = "") -> None:
        """Say how many people `value` names; None with a sentence where that can't be said."""
        if value == self.value():
            # A search for nobody is most often a typing error.
            nobody = "Nobody is found." if value != EVERYBODY else "There is nobody in the workspace yet."
            text = why if count is None else words.count_of(count, "person", "people") if count else nobody
            set_kind(self.count, "error" if count is None else "secondary").setText(text)
            self.count.show()

    def ask_again(self) -> None:
        """The people may be other ones now."""
        self._asked = ""
        self._ask()

    def _chosen(self) -> None:
        self._arrange()
        self.changed.emit(self.value())
        self._ask()
        if self.choice.value() == SEARCH:
            self.search.setFocus()

    def _typed(self) -> None:
        self.changed.emit(self.value())

    def _ask(self) -> None:
        value = self.value()
        if not value:
            self.count.hide()
        elif value != self._asked:
            set_kind(self.count, "secondary").setText("Counting…")
            self.count.show()
            self.count_wanted.emit(value)
        self._asked = value

    def _arrange(self) -> None:
        self.search.setVisible(self.choice.value() == SEARCH)
        if not self.value():
            self.count.hide()


class AudiencesField(QWidget):
    """Several audiences, one below the other; the value is the list of those that are chosen."""

    changed = Signal(list)
    count_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[AudienceField] = []
        self._frames: list[QWidget] = []
        self.add_button = LinkButton("Add people", icon="plus", clicked=self._add_by_hand)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        end = QHBoxLayout()
        end.addWidget(self.add_button)
        end.addStretch(1)
        self._layout.addLayout(end)
        self.setFocusProxy(self.add_button)

    def value(self) -> list[str]:
        """The audiences that are chosen, each once."""
        return list(dict.fromkeys(row.value() for row in self.rows if row.value()))

    def set_value(self, values: object) -> None:
        """Show these, without telling `changed`."""
        wanted = [str(value) for value in values] if isinstance(values, Sequence) and values else []
        if wanted == self.value():
            return
        while self.rows:
            self._remove(self.rows[-1], tell=False)
        for value in wanted:
            self._add().set_value(value)

    def show_count(self, value: str, count: int | None, why: str = "") -> None:
        """As AudienceField."""
        for row in self.rows:
            row.show_count(value, count, why)

    def ask_again(self) -> None:
        """As AudienceField."""
        for row in self.rows:
            row.ask_again()

    def _add_by_hand(self) -> None:
        self._add().choice.setFocus()

    def _add(self) -> AudienceField:
        field = AudienceField()
        field.choice.setAccessibleName(f"{self.accessibleName()} {len(self.rows) + 1}".strip())
        field.changed.connect(lambda _: self.changed.emit(self.value()))
        field.count_wanted.connect(self.count_wanted)
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(field, 1)
        away = IconButton("x", "Leave these people out", clicked=lambda: self._remove(field))
        row.addWidget(away)
        row.setAlignment(away, _TOP)
        self._layout.insertWidget(len(self.rows), frame)
        self.rows.append(field)
        self._frames.append(frame)
        return field

    def _remove(self, field: AudienceField, *, tell: bool = True) -> None:
        at = self.rows.index(field)
        self.rows.pop(at)
        frame = self._frames.pop(at)
        self._layout.removeWidget(frame)
        frame.hide()
        frame.deleteLater()
        if tell:
            self.add_button.setFocus()
            self.changed.emit(self.value())
