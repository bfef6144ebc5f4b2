"""What stands on a page while people are rebuilt, and after a rebuild was stopped or has failed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.changes import Change
from app.engine import Engine
from app.jobs.rebuilding import Rebuilder, RebuildProgress
from app.jobs.worker import Outcome
from app.profiles.rebuild import RebuildState
from ui.shell.background import into_ui, run_async, run_query
from ui.widgets import (
    Banner,
    Button,
    Card,
    LinkButton,
    Page,
    ProgressLine,
    confirm,
    set_kind,
    words,
)

AS_BEFORE = "Until it is done, people are as they were before."


class RebuildNotice(QObject):
    """`RebuildNotice(engine, page, page.banner)` adds itself to a page, hidden while there is nothing to say.

    `concerns(undone)` narrows it to rebuilds that leave out certain runs.
    """

    def __init__(
        self,
        engine: Engine,
        page: Page,
        errors: Banner,
        concerns: Callable[[tuple[int, ...]], bool] = lambda undone: True,
    ) -> None:
        super().__init__(page)
        self._engine, self._page, self._errors, self._concerns = engine, page, errors, concerns
        self._told: object = None
        self.banner = Banner()
        self.label = QLabel()
        self.figures = set_kind(QLabel(), "muted")
        self.line = ProgressLine()
        self.stop = Button("Stop", clicked=self._stop)
        self.give_up = Button("Give up…", clicked=self._ask_give_up)
        self.card = self._card()
        page.add(self.banner)
        page.add(self.card)
        self.destroyed.connect(engine.changes.subscribe(into_ui(self._changed, self)))
        self.refresh()

    def _card(self) -> Card:
        card = Card()
        card.body.setContentsMargins(14, 10, 10, 10)
        card.setAccessibleName("Rebuilding people")
        text = QHBoxLayout()
        text.setSpacing(10)
        text.addWidget(self.label)
        text.addWidget(self.figures)
        text.addStretch(1)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addLayout(text)
        left.addWidget(self.line)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addLayout(left, 1)
        row.addSpacing(6)
        row.addWidget(self.stop)
        row.addWidget(self.give_up)
        card.add(row)
        card.hide()
        return card

    def _changed(self, change: Change) -> None:
        if change.what == "rebuild":
            self.refresh()

    def refresh(self) -> None:
        """Show how it is now."""
        rebuilds = self._rebuilds()
        if rebuilds is None:
            return
        if rebuilds.progress is not None:
            self._show_progress(rebuilds.progress)
        else:
            self.card.hide()
            run_query(rebuilds.unfinished, done=self._show_rest, failed=self._errors.tell_error, owner=self)

    def _rebuilds(self) -> Rebuilder | None:
        return self._engine.supervisor.rebuilds if self._engine.supervisor is not None else None

    def _show_progress(self, progress: RebuildProgress) -> None:
        self._told = None
        self.banner.hide()
        if not self._concerns(progress.undone):
            return
        if not self.card.isVisibleTo(self._page):
            self.stop.setEnabled(True)
            self.give_up.setEnabled(True)
            self.label.setText(f"{title(progress.undone)}…")
        self.card.show()
        self.line.set_progress(progress.fraction)
        said = []
        if progress.total:
            said.append(f"{progress.done:,} of {words.count_of(progress.total, 'event')}")
        if progress.rate:
            said.append(f"{progress.rate:,.0f}/s")
        if progress.seconds_left is not None and progress.seconds_left >= 1:
            said.append(f"{words.lasting(progress.seconds_left)} left")
        self.figures.setText(" · ".join(said))

    def _show_rest(self, state: RebuildState | None) -> None:
        """What is told once nothing is under way: why it failed, or that it waits."""
        rebuilds = self._rebuilds()
        if rebuilds is None or rebuilds.progress is not None:
            return
        error = rebuilds.error
        undone = state.undone if state is not None else rebuilds.undone
        concerned = (error is not None or state is not None) and self._concerns(undone)
        told = (error, state, concerned)
        if told == self._told:
            # What the user has put away stays away.
            return
        self._told = told
        if not concerned:
            self.banner.hide()
        elif error is not None:
            self._tell_failure(error, undone)
        else:
            assert state is not None
            done = f"after {words.count_of(state.done, 'event')}"
            self.banner.tell("info", f"{title(undone)} was stopped {done}.", AS_BEFORE, action=self._links())

    def _tell_failure(self, error: Outcome, undone: tuple[int, ...]) -> None:
        advice = " ".join(part for part in (error.advice, AS_BEFORE) if part)
        self.banner.tell("error", f"{title(undone)} failed. {error.message}", advice, error.details, self._links())

    def _links(self) -> QWidget:
        links = QWidget()
        row = QHBoxLayout(links)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        row.addWidget(LinkButton("Go on", clicked=self._go_on))
        row.addWidget(LinkButton("Give up…", clicked=self._ask_give_up))
        return links

    def _go_on(self) -> None:
        rebuilds = self._rebuilds()
        if rebuilds is not None:
            self._act(rebuilds.go_on())

    def _stop(self) -> None:
        rebuilds = self._rebuilds()
        if rebuilds is not None:
            self._show_stopping()
            self._act(rebuilds.stop())

    def _ask_give_up(self) -> None:
        rebuilds = self._rebuilds()
        if rebuilds is None:
            return
        undone = rebuilds.progress.undone if rebuilds.progress is not None else rebuilds.undone
        kept = " The import that was to be undone stays." if undone else ""
        confirm(
            self._page,
            f"Give up {title(undone)[0].lower()}{title(undone)[1:]}?",
            f"What it has done so far is thrown away; people stay as they are.{kept}",
            "Give up",
            self._give_up,
        )

    def _give_up(self) -> None:
        rebuilds = self._rebuilds()
        if rebuilds is not None:
            self._show_stopping()
            self._act(rebuilds.give_up())

    def _show_stopping(self) -> None:
        self.stop.setEnabled(False)
        self.give_up.setEnabled(False)
        self.label.setText("Stopping…")

    def _act(self, work: Coroutine[Any, Any, None]) -> None:
        run_async(work, done=lambda _: self.refresh(), failed=self._errors.tell_error, owner=self)


def title(undone: tuple[int, ...]) -> str:
    """What a rebuild is called: an undone import is one to the program only."""
    return "Undoing an import" if undone else "Rebuilding people"
