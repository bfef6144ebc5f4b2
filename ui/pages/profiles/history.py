"""What happened to a person: first known, joined with others, kept apart, values held back, changed by runs."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.engine import Engine
from app.errors import NotFound
from app.profiles import HistoryEntry, count_history, person_history
from ui.pages.values import as_of
from ui.shell.background import run_query
from ui.theme import current_theme, font
from ui.widgets import (
    Banner,
    Cell,
    Column,
    DataTable,
    EmptyState,
    PagedTableModel,
    Reply,
    Role,
    StatusDelegate,
    draw_text,
    words,
)

VERBS = {
    "created": ("First known", "info"),
    "joined": ("Joined", "ok"),
    "conflict": ("Kept apart", "warn"),
    "held back": ("Held back", "warn"),
    "changed": ("Changed", "edited"),
}


class _Sentence(Cell):
    """A sentence, with what it lists in a muted line below."""

    def content(self, painter: QPainter, rect: QRectF, index: QModelIndex | QPersistentModelIndex) -> None:
        second = index.data(Role.SECONDARY)
        if not second:
            super().content(painter, rect, index)
            return
        middle = rect.center().y()
        super().content(painter, QRectF(rect.x(), middle - 18, rect.width(), 19), index)
        below = QRectF(rect.x(), middle + 1, rect.width(), 16)
        draw_text(painter, below, str(second), font(11.5), current_theme().color("muted"))


class HistoryView(QWidget):
    """`show_person(id)` reads anew."""

    def __init__(self, engine: Engine, banner: Banner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine, self._banner = engine, banner
        self._id = 0
        self.model = PagedTableModel(
            self._fetch,
            [
                Column(
                    "at",
                    "When",
                    lambda row: as_of(row.at) if row.at else "—",
                    tip=lambda row: words.exact(row.at, seconds=True) if row.at else "",
                    tone=lambda row: "muted",
                    width=122,
                    fixed=True,
                ),
                Column(
                    "verb",
                    "What",
                    lambda row: VERBS[row.verb][0],
                    status=lambda row: VERBS[row.verb][1],
                    width=124,
                    fixed=True,
                ),
                Column("words", "How", _how, second=_details, tip=lambda row: row.words, width=420, fixed=True),
                Column("from", "From", origin, tip=origin, tone=lambda row: "muted", width=190, hidden=True),
            ],
        )
        self.table = DataTable(
            self.model,
            "person-history",
            delegates={"verb": StatusDelegate, "words": _Sentence},
            row_height=46,
            framed=False,
            many=False,
            accessible_name="History",
        )
        self.table.set_empty(EmptyState("history", "No history", "What happens to this person is noted here."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)

    def show_person(self, profile_id: int) -> None:
        """The history of this person, as it is now."""
        keep = profile_id == self._id
        self._id = profile_id
        self.model.refresh(keep=keep)

    def _fetch(self, offset: int, limit: int, reply: Reply) -> None:
        engine, wanted = self._engine, self._id

        def found(answer: tuple[list[HistoryEntry], int]) -> None:
            reply(*answer)

        def failed(error: BaseException) -> None:
            reply(None)
            # The page itself says that somebody is gone.
            if not isinstance(error, NotFound):
                self._banner.tell_error(error)

        run_query(
            lambda: (person_history(engine, wanted, offset, limit), count_history(engine, wanted)),
            done=found,
            failed=failed,
            owner=self,
        )


def _how(entry: HistoryEntry) -> str:
    """What a sentence says before it begins to list."""
    return entry.words.partition(": ")[0]


def _details(entry: HistoryEntry) -> str:
    return entry.words.partition(": ")[2]


def origin(entry: HistoryEntry) -> str:
    """The job and stream that something came from."""
    return " · ".join(part for part in (entry.job, entry.stream) if part)
