"""The panel at the right of the page: what is not published yet, and what providers offer."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.schema.differences import Difference
from app.schema.effect import Effect, Example
from app.schema.queries import Offer
from ui.pages.schema.difference_list import DifferenceList, Told, codes_of
from ui.pages.schema.reading import Contents
from ui.pages.values import value_text
from ui.widgets import Button, Card, EmptyState, Line, LinkButton, Scroll, Spinner, set_kind, words

MOST_OFFERS = 20
"""More are shown once some of these are decided."""


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


class _FittingScroll(Scroll):
    """As high as its content where there is room, and scrolled where there is not."""

    def __init__(self, content: QWidget) -> None:
        super().__init__(content)
        self._content = content
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        content.installEventFilter(self)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._content.sizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


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
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.card = Card("Unpublished changes", flush=True)
        self.discard = LinkButton("Undo all", clicked=self.undo_all.emit)
        self.discard.setAccessibleName("Undo all unpublished changes")
        self.card.header.addWidget(self.discard)
        self.card.add(Line())
        self.changes = DifferenceList("Unpublished changes", undo=True)
        self.changes.undo.connect(self.undo)
        self.card.add(self.changes, 1)
        self._foot_line = Line()
        self.card.add(self._foot_line)
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
        self._offer_list.setContentsMargins(0, 0, 0, 6)
        self._offer_list.setSpacing(0)
        self.offers.add(_FittingScroll(offered), 1)
        self.offers.setMinimumHeight(190)
        column.addWidget(self.offers)
        column.addStretch(1)
        self.set_effect(None)
        self.offers.hide()

    def show_contents(self, contents: Contents, providers: Mapping[str, str]) -> None:
        """Show the changes and offers of this moment; `providers` are names by slug."""
        if contents.changes != self._shown:
            self._shown = contents.changes
            self.changes.show_differences(
                Told(change, tuple(codes_of(contents, change.subject)), _whose(change)) for change in contents.changes
            )
            some = bool(contents.changes)
            self.empty.setVisible(not some)
            self.changes.setVisible(some)
            self.discard.setVisible(len(contents.changes) > 1)
            self._show_foot(False)
        if contents.offers != self._offered:
            self._offered = contents.offers
            self._fill_offers(contents.offers[:MOST_OFFERS], providers)

    def _fill_offers(self, offers: Sequence[Offer], providers: Mapping[str, str]) -> None:
        while (item := self._offer_list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for offer in offers:
            if self._offer_list.count():
                self._offer_list.addWidget(Line())
            self._offer_list.addWidget(self._offer(offer, providers.get(offer.provider, offer.provider)))
        self._offer_list.addStretch(1)
        self.offers.setVisible(bool(offers))

    def _offer(self, offer: Offer, provider: str) -> QWidget:
        frame = QWidget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(2)
        said = DifferenceList(f"Offered by {provider}", scrolls=False)
        said.show_differences([Told(offer.difference, (), f"{provider} changed what was edited here")])
        column.addWidget(said)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(38, 0, 10, 0)
        buttons.setSpacing(8)
        for text, wish in (("Accept", self.accept), ("Keep mine", self.decline)):
            button = Button(text, clicked=functools.partial(wish.emit, offer.id))
            button.setAccessibleDescription(offer.difference.title)
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addLayout(buttons)
        return frame

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
        told = []
        for one in self.changes.told():
            count = effect.by_subject.get(one.change.subject, 0)
            about = "" if effect.people_sampled >= effect.people_in_all else "about "
            reach = f"changes {about}{words.count_of(count, 'person', 'people')}" if count else ""
            told.append(replace(one, note=" · ".join(part for part in (_whose(one.change), reach) if part)))
        self.changes.show_differences(told)

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
