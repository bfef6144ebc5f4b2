"""The panel at the right of the page: what is not published yet, and what providers offer."""

from __future__ import annotations

import functools
import html
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.schema.differences import Difference
from app.schema.effect import Effect, Example
from app.schema.queries import Offer
from ui.pages.schema.reading import ADDED, CHANGED, MARK_TOKENS, REMOVED, SIGNS, Contents
from ui.pages.values import value_text
from ui.theme import current_theme, mono_font
from ui.theme.fonts import MONO
from ui.widgets import (
    Button,
    Card,
    EmptyState,
    IconButton,
    Line,
    LinkButton,
    Scroll,
    Spinner,
    set_kind,
    words,
)

MOST_SHOWN = 100
_MARGINS = (14, 9, 10, 9)


class Sign(QLabel):
    """+, ~ or − in the colour of what it means; the words beside it say it too."""

    def __init__(self, verb: str, parent: QWidget | None = None) -> None:
        super().__init__(SIGNS.get(verb, "~"), parent)
        self._verb = verb
        self.setFont(mono_font(13, 600))
        self.setFixedWidth(18)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName({ADDED: "New", CHANGED: "Changed", REMOVED: "Deleted"}.get(verb, ""))
        current_theme().changed.connect(self._look)
        self._look()

    def _look(self) -> None:
        # The style sheet of the application colours all text; a label of its own colour says so itself.
        token = MARK_TOKENS.get(self._verb, "paused")
        self.setStyleSheet(f"color: {current_theme().color(token).name()};")


def rich(text: str, codes: Sequence[str] = (), *, strong: str = "") -> str:
    """A sentence as HTML, with pieces of code in the monospaced face and one name in bold."""
    head, colon, rest = text.partition(": ") if codes else ("", "", text)
    shown = html.escape(rest)
    pieces = sorted({code for code in codes if code}, key=len, reverse=True)
    for at, code in enumerate(pieces):
        shown = shown.replace(html.escape(code), f"\x00{at}\x00")
    for at, code in enumerate(pieces):
        # A long expression may break anywhere, or it would make the panel wider than its room.
        piece = html.escape(code)
        shown = shown.replace(f"\x00{at}\x00", f"<span style=\"font-family:'{MONO}'; font-size:12px\">{piece}</span>")
    if strong:
        shown = shown.replace(html.escape(strong), f"<b>{html.escape(strong)}</b>", 1)
    return f"{html.escape(head)}{colon}{shown}"


def codes_of(contents: Contents, subject: str) -> list[str]:
    """The expressions and conditions that the words of a change may hold."""
    key = subject.removeprefix("mapping:")
    both = (contents.published.mapping(key), contents.draft.mapping(key))
    return [code for one in both if one is not None for code in (one.expression, one.condition)]


class DifferenceLines(QWidget):
    """The words of one difference, wrapped, in a row with its sign."""

    def __init__(self, change: Difference, codes: Sequence[str], note: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.change = change
        row = QHBoxLayout(self)
        row.setContentsMargins(*_MARGINS)
        row.setSpacing(6)
        row.addWidget(Sign(change.verb), 0, Qt.AlignmentFlag.AlignTop)
        self.column = QVBoxLayout()
        self.column.setSpacing(2)
        row.addLayout(self.column, 1)
        self.row = row
        for at, text in enumerate(_lines(change)):
            label = QLabel(rich(text, codes if ": " in text else (), strong=_name(change) if at == 0 else ""))
            label.setTextFormat(Qt.TextFormat.RichText)
            self._add(label)
        self.note = set_kind(QLabel(note), "muted")
        self._add(self.note)
        self.set_note(note)
        self.setAccessibleName(" ".join((change.verb, change.title, *change.words)))

    def _add(self, label: QLabel) -> None:
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.column.addWidget(label)

    def set_note(self, note: str) -> None:
        """Say something else below the words; nothing hides the line."""
        self.note.setText(note)
        self.note.setVisible(bool(note))


def _lines(change: Difference) -> list[str]:
    """What to say: a mapping's words name its field, anything else begins with its title."""
    if change.subject.startswith("mapping:"):
        return list(change.words) if change.verb != REMOVED else [f"No longer {word}" for word in change.words]
    if change.subject.startswith("field:") and change.verb == ADDED and change.words:
        first, *others = change.words
        return [f"{change.title}, {first[:1].lower()}{first[1:].rstrip('.')}", *others]
    return [change.title, *change.words]


def _name(change: Difference) -> str:
    return change.title.removeprefix("Field ") if change.subject.startswith("field:") else ""


def effect_sentence(effect: Effect) -> str:
    """What a rebuild would change, as a guess from the people looked at."""
    if not effect.people_in_all:
        return "There is nobody yet whom this could change."
    everybody = words.count_of(effect.people_in_all, "person", "people")
    if not effect.people_changed:
        seen = "" if effect.people_sampled >= effect.people_in_all else ", as far as a sample shows"
        return f"Changes nobody of {everybody} after a rebuild{seen}."
    about = "" if effect.people_sampled >= effect.people_in_all else "about "
    return f"Changes {about}{effect.people_changed:,} of {everybody} after a rebuild."


def example_text(example: Example) -> str:
    """One value as it is and as it would be: "Maja Lindholm, country: se → SE"."""
    before, after = (_brief(value) for value in (example.before, example.after))
    return f"{example.person}, {example.field}: {before} → {after}"


def _brief(value: Any) -> str:
    text = value_text(value) if not isinstance(value, list) else ", ".join(map(str, value))
    return text if len(text) <= 60 else f"{text[:59]}…"


class FittingScroll(Scroll):
    """As high as its content where there is room, and scrolled where there is not."""

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(content, parent)
        self._content = content
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        content.installEventFilter(self)

    def sizeHint(self) -> QSize:
        content, width = self._content, self.viewport().width()
        height = content.heightForWidth(width) if content.hasHeightForWidth() else content.sizeHint().height()
        return QSize(super().sizeHint().width(), height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()


class ChangesPanel(QWidget):
    """What is not published yet, with what it would do, and offers below it.

    `undo(subject)`, `undo_all()`, `accept(id)`, `decline(id)`, `stop_asked()` and `estimate_asked()` are the user's
    wishes.
    """

    undo = Signal(str)
    undo_all = Signal()
    accept = Signal(int)
    decline = Signal(int)
    stop_asked = Signal()
    estimate_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(236)
        self._shown: tuple[Difference, ...] | None = None
        self._offered: tuple[Offer, ...] | None = None
        self.rows: dict[str, DifferenceLines] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.card = Card("Unpublished changes", flush=True)
        self.discard = LinkButton("Undo all", clicked=self.undo_all.emit)
        self.discard.setAccessibleName("Undo all unpublished changes")
        self.card.header.addWidget(self.discard)
        self.card.add(Line())
        content = QWidget()
        self._list = QVBoxLayout(content)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(0)
        self._scroll = FittingScroll(content)
        self.card.add(self._scroll, 1)
        self.foot = QWidget()
        foot = QHBoxLayout(self.foot)
        foot.setContentsMargins(14, 9, 12, 11)
        foot.setSpacing(8)
        self.spinner = Spinner(14)
        foot.addWidget(self.spinner, 0, Qt.AlignmentFlag.AlignTop)
        self.effect = set_kind(QLabel(), "muted")
        self.effect.setWordWrap(True)
        foot.addWidget(self.effect, 1)
        self.stop = LinkButton("Stop", clicked=self._stop_clicked)
        foot.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignTop)
        self._foot_line = Line()
        self.card.add(self._foot_line)
        self.card.add(self.foot)
        self.empty = EmptyState(
            "circle-check",
            "Nothing to publish",
            "What you change here is collected first, and works once it is published.",
        )
        self.card.add(self.empty)
        column.addWidget(self.card)
        self.offers = Card("Offered by providers", flush=True)
        self.offers.add(Line())
        offered = QWidget()
        self._offer_list = QVBoxLayout(offered)
        self._offer_list.setContentsMargins(0, 0, 0, 0)
        self._offer_list.setSpacing(0)
        self.offers.add(FittingScroll(offered), 1)
        column.addWidget(self.offers)
        column.addStretch(1)
        self.set_effect(None)
        self.offers.hide()

    def show_contents(self, contents: Contents, providers: Mapping[str, str]) -> None:
        """Show the changes and offers of this moment; `providers` are names by slug."""
        if contents.changes != self._shown:
            self._shown = contents.changes
            self._fill(contents)
        if contents.offers != self._offered:
            self._offered = contents.offers
            self._fill_offers(contents.offers, providers)

    def _fill(self, contents: Contents) -> None:
        _clear(self._list)
        self.rows = {}
        for change in contents.changes[:MOST_SHOWN]:
            if self.rows:
                self._list.addWidget(Line())
            lines = DifferenceLines(change, codes_of(contents, change.subject), _whose(change))
            back = IconButton(
                "rotate-ccw", f"Undo: {change.title}", clicked=functools.partial(self.undo.emit, change.subject)
            )
            back.setFixedSize(24, 24)
            lines.row.addWidget(back, 0, Qt.AlignmentFlag.AlignTop)
            self.rows[change.subject] = lines
            self._list.addWidget(lines)
        if len(contents.changes) > MOST_SHOWN:
            more = set_kind(QLabel(f"… and {len(contents.changes) - MOST_SHOWN:,} more"), "muted")
            more.setContentsMargins(38, 6, 10, 10)
            self._list.addWidget(Line())
            self._list.addWidget(more)
        some = bool(contents.changes)
        self.empty.setVisible(not some)
        self._scroll.setVisible(some)
        self.discard.setVisible(len(contents.changes) > 1)
        self._show_foot(False)

    def _fill_offers(self, offers: Sequence[Offer], providers: Mapping[str, str]) -> None:
        _clear(self._offer_list)
        for offer in offers:
            if self._offer_list.count():
                self._offer_list.addWidget(Line())
            name = providers.get(offer.provider, offer.provider)
            lines = DifferenceLines(offer.difference, (), f"{name} changed what was edited here")
            buttons = QHBoxLayout()
            buttons.setContentsMargins(0, 6, 0, 2)
            buttons.setSpacing(8)
            buttons.addWidget(Button("Accept", clicked=functools.partial(self.accept.emit, offer.id)))
            buttons.addWidget(Button("Keep mine", clicked=functools.partial(self.decline.emit, offer.id)))
            buttons.addStretch(1)
            lines.column.addLayout(buttons)
            self._offer_list.addWidget(lines)
        self.offers.setVisible(bool(offers))

    # what the changes would do

    def estimating(self) -> None:
        """Say that it is being worked out."""
        self._show_foot(True)
        self.spinner.start()
        self.effect.setText("Looking at a sample of people…")
        self.stop.setText("Stop")
        self.stop.setVisible(True)

    def set_effect(self, effect: Effect | None, *, stopped: bool = False, why: str = "") -> None:
        """What the changes would do; None takes the line away, or says that it was stopped, or why it can't be."""
        self.spinner.stop()
        self._show_foot(effect is not None or stopped)
        self.stop.setVisible(stopped)
        self.stop.setText("Estimate")
        if effect is None:
            self.effect.setText(why or ("What this changes was not worked out." if stopped else ""))
            return
        self.effect.setText(effect_sentence(effect))
        self.effect.setToolTip("\n".join(example_text(one) for one in effect.examples))
        for subject, lines in self.rows.items():
            count = effect.by_subject.get(subject, 0)
            whose = _whose(lines.change)
            reach = f"changes about {words.count_of(count, 'person', 'people')}" if count else ""
            lines.set_note(" · ".join(part for part in (whose, reach) if part))

    def _show_foot(self, shown: bool) -> None:
        self.foot.setVisible(shown)
        self._foot_line.setVisible(shown)

    def _stop_clicked(self) -> None:
        (self.stop_asked if self.stop.text() == "Stop" else self.estimate_asked).emit()


def _whose(change: Difference) -> str:
    """ "from members.lql, Yesterday", "by you, 08:17"."""
    origin = change.origin
    whose = "by you" if origin == "you" else origin
    when = words.when(change.at) if change.at else ""
    return ", ".join(part for part in (whose, when) if part)


def _clear(layout: QVBoxLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
