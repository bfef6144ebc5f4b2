"""What a person is known by, in a list below the picture: each value with its field and since when."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.profiles import Identifier
from ui.pages.profiles.identity import Node, since
from ui.pages.values import as_of
from ui.widgets import ElidedLabel, LinkButton, restyle, set_kind, words

SHOWN = 20


class _Entry(QWidget):
    """One value over its field and where it came from."""

    def __init__(self, identifier: Identifier) -> None:
        super().__init__()
        self.identifier = identifier
        self.value = ElidedLabel(identifier.value)
        self.value.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.value.setAccessibleName(f"{identifier.field}: {identifier.value}{since(identifier)}")
        day = f" · since {as_of(identifier.at)}" if identifier.at is not None else ""
        origin = f" · {identifier.job or identifier.stream}" if identifier.job or identifier.stream else ""
        about = ElidedLabel(f"{identifier.field}{day}{origin}")
        about.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.value)
        column.addWidget(set_kind(about, "secondary"))

    def mark(self, on: bool) -> None:
        """Bold while the picture points at it."""
        self.value.setProperty("kind", "heading" if on else "")
        restyle(self.value)


class KnownBy(QWidget):
    """`set_identifiers(person.known_by)`; `mark(node)` follows the picture. Of many, the first are shown at first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._identifiers: tuple[Identifier, ...] = ()
        self._all = False
        self.entries: list[_Entry] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self.more = LinkButton("", clicked=self._show_all)
        self._column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)

    def set_identifiers(self, identifiers: Sequence[Identifier]) -> None:
        """Show these, the strongest first."""
        if tuple(identifiers) == self._identifiers:
            return
        self._identifiers, self._all = tuple(identifiers), False
        self._build()

    def mark(self, node: Node | None) -> None:
        """Stress the values that the picture points at."""
        pointed = node.identifiers if node is not None else ()
        for entry in self.entries:
            entry.mark(entry.identifier in pointed)

    def _show_all(self) -> None:
        self._all = True
        self._build()

    def _build(self) -> None:
        for entry in self.entries:
            self._column.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
        shown = self._identifiers if self._all else self._identifiers[:SHOWN]
        self.entries = [_Entry(identifier) for identifier in shown]
        for at, entry in enumerate(self.entries):
            self._column.insertWidget(at, entry)
        left = len(self._identifiers) - len(shown)
        self.more.setText(f"Show {words.count_of(left, 'more identifier')}")
        self.more.setVisible(left > 0)
