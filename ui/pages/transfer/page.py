"""Quick transfer: from a file in a place to another place in one form, with the first rows before and after."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from app.authorizations import HostKeyChanged, HostKeyUnknown, confirm_host_key, get_authorization
from app.changes import Change
from app.engine import Engine
from app.errors import Refused
from app.jobs.worker import Outcome
from app.transfer.model import Transfer, at_target, by_names, check, describe, is_folder
from app.transfer.model import file_name as name_in
from app.transfer.opening import Offer, offered
from app.transfer.preview import Looked, TransferPreview, look, preview, replaced
from app.transfer.recipes import ENDING, TransferRecipe, read_recipe, write_recipe
from app.transfer.running import TransferRun
from app.transfer.saved import SavedTransfer, save_transfer
from ui.pages.authorizations.vault import VaultHelp
from ui.pages.files import ask_open, ask_save, file_name
from ui.pages.live import Live
from ui.pages.new_job.host_key import ask_host_key
from ui.pages.transfer.columns import ColumnsPane
from ui.pages.transfer.dialogs import AuthorizationsDialog, NameDialog
from ui.pages.transfer.ends import SourceCard, TargetCard
from ui.pages.transfer.outcome import ProgressCard, ResultCard
from ui.pages.transfer.recent import RecentPane
from ui.shell.background import into_ui, run_async, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Button,
    Card,
    EmptyState,
    InlineNote,
    MenuButton,
    Page,
    PrimaryButton,
    SampleTable,
    Scroll,
    Spinner,
    Tabs,
    set_kind,
)

REST_MS = 400
"""How long typing rests before the file is looked into again."""
RECIPES = "Transfer recipes (*.yaml *.yml);;All files (*)"
SHOWN_NOTES = 4
LEAST_TABS = 250
CHOOSE = "Choose a file and where it goes; its first rows appear here, before and after."


class TransferPage(Page):
    """One transfer at a time: a form, its preview, its progress, its result, and the last ones."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Quick transfer")
        self._engine = engine
        self._asked = 0
        self._looked: tuple[object, Looked] | None = None
        self._target_seen: object = None
        self._run: TransferRun | None = None
        self._starting = False
        self._began = 0.0
        self._name = ""
        menu = QMenu(self)
        menu.addAction("Keep it in this workspace…", self.ask_name)
        menu.addAction("Write a recipe file…", self._ask_recipe_target)
        self.save = MenuButton("Save", menu)
        self.open_recipe = Button("Open recipe…", clicked=self._ask_recipe)
        self.add_action(Button("Clear", clicked=self.clear), self.open_recipe, self.save)
        self.banner = Banner()
        self._help = VaultHelp(engine, self, self.banner, self.look_again)
        self.source, self.target = SourceCard(engine), TargetCard(engine)
        self.columns = ColumnsPane()
        for part in (self.source, self.target):
            part.changed.connect(self._edited)
        self.columns.edited.connect(self._edited)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._look)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        ends = QHBoxLayout()
        ends.setSpacing(14)
        ends.addWidget(self.source, 1)
        ends.addWidget(self.target, 1)
        column.addLayout(ends)
        column.addLayout(self._action())
        self.progress = ProgressCard()
        self.progress.stopped.connect(self._stop)
        self.result = ResultCard()
        column.addWidget(self.progress)
        column.addWidget(self.result)
        column.addWidget(self._below(), 1)
        self.add(self.banner)
        self.add(Scroll(content), 1)
        self._reader = engine.changes.subscribe(into_ui(self._changed, self))
        self.destroyed.connect(self._reader)
        Live(self, engine, ("authorizations",), self._ask_offer)
        self._show_nothing(CHOOSE)
        self._say()

    def _action(self) -> QHBoxLayout:
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        set_kind(self.sentence, "muted")
        self.spinner = Spinner()
        self.run_button = PrimaryButton("Run transfer", icon="arrow-right-left", clicked=self.run)
        row = QHBoxLayout()
        row.setContentsMargins(2, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.sentence, 1)
        row.addWidget(self.spinner)
        row.addWidget(self.run_button)
        return row

    def _below(self) -> Card:
        self.tabs = Tabs()
        self.after, self.before = SampleTable("First rows after"), SampleTable("First rows before")
        self.empty = EmptyState("file-text", "No preview yet", CHOOSE)
        self.notes = QVBoxLayout()
        self.notes.setContentsMargins(14, 0, 14, 0)
        self.notes.setSpacing(6)
        after = QWidget()
        column = QVBoxLayout(after)
        column.setContentsMargins(0, 0, 0, 10)
        column.setSpacing(8)
        column.addWidget(self.empty, 1)
        column.addWidget(self.after, 1)
        column.addLayout(self.notes)
        self.recent = RecentPane(self._engine, self.banner.tell_error)
        self.recent.opened.connect(lambda saved: self.show_transfer(saved.transfer))
        self.recent.again.connect(self._run_again)
        self.tabs.add("after", "After", after)
        self.tabs.add("before", "Before", self.before)
        self.tabs.add("columns", "Columns", self.columns)
        self.tabs.add("reading", "How to read", self.source.more)
        self.tabs.add("writing", "How to write", self.target.more)
        self.tabs.add("recent", "Last transfers", self.recent)
        card = Card(flush=True)
        card.setMinimumHeight(LEAST_TABS)
        card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        # As high as there is room, whatever its tabs would like.
        self.tabs.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        card.add(self.tabs, 1)
        return card

    # coming and going

    def open(self, **args: Any) -> None:
        self._ask_offer()
        self.source.path.setFocus()

    def refresh(self) -> None:
        self._ask_offer()
        self.look_again()

    def clear(self) -> None:
        """Begin anew with an empty form."""
        self.show_transfer(Transfer())
        self.banner.hide()
        self.result.hide()

    def _ask_offer(self) -> None:
        engine = self._engine
        run_query(lambda: offered(engine), done=self._offer, failed=self.banner.tell_error, owner=self)

    def _offer(self, offer: Offer) -> None:
        self.source.set_offer(offer)
        self.target.set_offer(offer)

    # the transfer

    def transfer(self) -> Transfer:
        """What is entered. Raises Refused where the names promise what is not done."""
        unpack, pack, auto = self.target.packing()
        rows, size = self.target.splitting()
        entered = Transfer(
            source=self.source.end(),
            target=self.target.end(),
            name=self._name,
            reading=self.source.reading(),
            columns=self.columns.columns(),
            writing=self.target.writing(),
            split_rows=rows,
            split_bytes=size,
            unpack=unpack,
            pack=pack,
            decrypt=self.source.decrypt(),
            encrypt=self.target.encrypt(),
        )
        named = by_names(entered)
        return named if auto else replace(named, unpack=unpack, pack=pack)

    def show_transfer(self, transfer: Transfer) -> None:
        """Show another transfer in the form, and look into its file."""
        self._name = transfer.name
        self.set_title("Quick transfer", transfer.name)
        bare = replace(transfer, unpack=False, pack="none")
        try:
            by_name = by_names(bare) == transfer
        except Refused:
            by_name = False
        self.columns.set_wanted(transfer.columns)
        self.source.fill(transfer)
        self.target.fill(transfer, by_name=by_name)
        self.look_again()

    def _edited(self) -> None:
        self.target.set_source_name(self.source.path.text())
        self.result.hide()
        self._say()
        self._rest.start()

    def _say(self) -> None:
        """What will happen, or what is missing; Run is there when nothing is."""
        fault, sentence = "", ""
        try:
            transfer = self.transfer()
            if not transfer.source.path or not transfer.target.path:
                sentence = "Say where the file is and where it is to go."
            elif self.columns.nothing_taken():
                fault = "No column is taken over. Take at least one."
            else:
                check(transfer)
                sentence = describe(transfer)
        except Refused as error:
            fault = f"{error.message} {error.advice}"
        busy = self._starting or self._run is not None
        ready = not fault and bool(self.source.path.text().strip() and self.target.path.text().strip())
        self.sentence.setText(fault or sentence)
        set_kind(self.sentence, "error" if fault else "muted")
        self.run_button.setEnabled(ready and not busy)

    # looking

    def look_again(self) -> None:
        """Look into the file although nothing was entered anew."""
        self._looked, self._target_seen = None, None
        self._say()
        self._look()

    def _look(self) -> None:
        try:
            transfer = self.transfer()
        except Refused:
            return
        self._look_at_target(transfer)
        if not transfer.source.path:
            self._show_nothing(CHOOSE)
            return
        passphrase = self.source.passphrase.text()
        key = (transfer.source, transfer.reading, transfer.decrypt, passphrase)
        if self._looked is not None and self._looked[0] == key:
            self._preview(self._looked[1])
            return
        self._asked += 1
        engine = self._engine
        self.spinner.start()
        run_query(
            lambda: look(engine, transfer, passphrase),
            done=functools.partial(self._have_looked, self._asked, key),
            failed=functools.partial(self._not_looked, self._asked, transfer),
            owner=self,
        )

    def _have_looked(self, number: int, key: object, looked: Looked) -> None:
        if number == self._asked:
            self.spinner.stop()
            self._looked = (key, looked)
            self.banner.hide()
            self._preview(looked)

    def _not_looked(self, number: int, transfer: Transfer, error: BaseException) -> None:
        if number != self._asked:
            return
        self.spinner.stop()
        self._show_nothing("Mend what is said above; then the first rows are here.")
        self._tell_error(error, transfer)

    def _tell_error(self, error: BaseException, transfer: Transfer) -> None:
        if isinstance(error, HostKeyUnknown | HostKeyChanged):
            ask_host_key(self, error, functools.partial(self._trust, error, transfer))
        self._help.tell_error(error)

    def _trust(self, error: HostKeyUnknown | HostKeyChanged, transfer: Transfer) -> None:
        """The user knows the server's key: remember it for those of the transfer's authorizations that go there."""
        engine = self._engine

        def keep() -> None:
            for number in transfer.authorizations():
                settings = get_authorization(engine, number).settings
                if settings.get("host") == error.host and settings.get("port", "22") == str(error.port):
                    confirm_host_key(engine, number, error.key)

        run_operation(lambda task: keep(), done=lambda _: self.look_again(), failed=self.banner.tell_error, owner=self)

    def _preview(self, looked: Looked) -> None:
        try:
            found = preview(looked, self.transfer())
        except Refused:
            return
        except Exception as error:
            self._show_nothing("Mend what is said above; then the first rows are here.")
            self.columns.show_columns(None if looked.unreadable else preview(looked, Transfer()).before)
            self.banner.tell_error(error)
            return
        self.banner.hide()
        self.columns.show_columns(found.before)
        self.tabs.set_count("columns", len(found.before.columns) if found.before is not None else None)
        self._show(found)

    def _show(self, found: TransferPreview) -> None:
        rows = found.after is not None
        self.empty.setVisible(not rows)
        self.after.setVisible(rows)
        self.empty.set_text("No rows to show", "What is no table and no JSON is transferred as it is.")
        for table, sample in ((self.after, found.after), (self.before, found.before)):
            table.show_rows(*((sample.columns, sample.rows) if sample is not None else ((), ())))
        summary = [" · ".join(found.summary)] if found.summary else []
        notes = [InlineNote(text, "info") for text in (*summary, *found.notes)]
        if found.rejected:
            first = found.rejected[0]
            many = "1 of these rows" if len(found.rejected) == 1 else f"{len(found.rejected)} of these rows"
            reason = f"{many} can't be taken over and will be kept apart. Line {first.line:,}: {first.reason}"
            notes.insert(0, InlineNote(reason, "warning"))
        self._say_notes(notes)

    def _show_nothing(self, why: str) -> None:
        self.empty.set_text("No preview yet", why)
        self.empty.show()
        self.after.hide()
        self.before.show_rows((), ())
        self.tabs.set_count("columns", None)
        self._say_notes([])

    def _say_notes(self, notes: list[InlineNote]) -> None:
        while (old := self.notes.takeAt(0)) is not None:
            widget = old.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for note in notes[:SHOWN_NOTES]:
            self.notes.addWidget(note)

    def _look_at_target(self, transfer: Transfer) -> None:
        """Say that there is a file of that name already."""
        form = transfer.writing.form
        seen = (transfer.target, transfer.source.path, transfer.opens, form, transfer.pack, transfer.encrypt is None)
        if seen == self._target_seen:
            return
        self._target_seen = seen
        self.target.path_field.set_help("")
        if not transfer.target.path or not transfer.source.path:
            return
        engine = self._engine
        run_query(
            lambda: replaced(engine, transfer),
            done=functools.partial(self._looked_at_target, seen, transfer),
            failed=functools.partial(self._target_failed, seen, transfer),
            owner=self,
        )

    def _looked_at_target(self, seen: object, transfer: Transfer, path: str) -> None:
        if seen != self._target_seen:
            return
        if path:
            self.target.path_field.set_help(f"{name_in(path)} is there already; it will be replaced.")
        elif is_folder(transfer.target):
            self.target.path_field.set_help(f"It will be called {name_in(at_target(transfer).target.path)}.")

    def _target_failed(self, seen: object, transfer: Transfer, error: BaseException) -> None:
        if seen != self._target_seen:
            return
        if isinstance(error, HostKeyUnknown | HostKeyChanged):
            self._tell_error(error, transfer)
        message = getattr(error, "message", "") or str(error)
        self.target.path_field.set_error(f"{message} {getattr(error, 'advice', '')}".strip())

    # running

    def run(self) -> None:
        """Make the transfer."""
        try:
            transfer = self.transfer()
        except Refused as error:
            self.banner.tell_error(error)
            return
        self.banner.hide()
        self.result.hide()
        self._starting = True
        self._began = time.monotonic()
        self.progress.begin()
        self._say()
        run_async(
            TransferRun.begin(self._engine, transfer, self.source.passphrase.text()),
            done=self._begun,
            failed=functools.partial(self._not_begun, transfer),
            owner=self,
        )

    def _begun(self, run: TransferRun) -> None:
        self._starting, self._run = False, run
        run_async(run.finished(), done=functools.partial(self._ended, run), failed=self.banner.tell_error, owner=self)

    def _not_begun(self, transfer: Transfer, error: BaseException) -> None:
        self._starting = False
        self.progress.hide()
        self._tell_error(error, transfer)
        self._say()

    def _changed(self, change: Change) -> None:
        if change.what == "progress" and self._run is not None and self._run.progress is not None:
            self.progress.show_progress(self._run.progress)

    def _stop(self) -> None:
        run = self._run
        if run is not None:
            run_async(run.stop(), done=lambda _: None, failed=self.banner.tell_error, owner=self)

    def _ended(self, run: TransferRun, outcome: Outcome) -> None:
        self._run = None
        self.progress.hide()
        if outcome.status == "completed" and run.result is not None:
            self.result.show_result(run.result, time.monotonic() - self._began)
        elif outcome.status == "cancelled":
            self.banner.tell("info", "The transfer was stopped. Nothing was written to its target.")
        else:
            advice = outcome.advice
            if outcome.remedy == "wait":
                advice = f"{advice} Run it again, and it goes on where it stopped.".strip()
            self.banner.tell("error", outcome.message, advice, outcome.details)
        self._target_seen = None
        self._say()

    def _run_again(self, saved: SavedTransfer) -> None:
        self.show_transfer(saved.transfer)
        self.tabs.choose("after")
        if self.run_button.isEnabled():
            self.run()

    # keeping

    def ask_name(self) -> None:
        """Keep the transfer under a name."""
        self._with_transfer(
            lambda transfer: NameDialog(self, self._name, functools.partial(self._keep, transfer)).open()
        )

    def _keep(self, transfer: Transfer, name: str) -> None:
        engine, named = self._engine, replace(transfer, name=name)
        self._name = name
        self.set_title("Quick transfer", name)
        run_operation(
            lambda task: save_transfer(engine, named),
            done=lambda _: self.banner.tell("success", f"“{name}” is kept; it stands among the last transfers."),
            failed=self.banner.tell_error,
            owner=self,
        )

    def _with_transfer(self, act: Callable[[Transfer], object]) -> None:
        try:
            transfer = self.transfer()
            check(transfer)
        except Refused as error:
            self.banner.tell_error(error)
            return
        act(transfer)

    def _ask_recipe_target(self) -> None:
        def ask(transfer: Transfer) -> None:
            name = f"{file_name(self._name or Path(transfer.source.path).stem)}{ENDING}"
            ask_save(self, "Write a recipe", name, RECIPES, functools.partial(self.write_recipe_to, transfer))

        self._with_transfer(ask)

    def write_recipe_to(self, transfer: Transfer, target: Path) -> None:
        """Write the transfer as a file for others."""
        engine = self._engine
        run_operation(
            lambda task: write_recipe(engine, transfer, target),
            done=lambda _: self.banner.tell("success", f"The transfer is written to {target}, without secrets."),
            failed=self._help.tell_error,
            owner=self,
        )

    def _ask_recipe(self) -> None:
        ask_open(self, "Which recipe?", RECIPES, self.open_recipe_file)

    def open_recipe_file(self, file: Path) -> None:
        """Show the transfer of a recipe; authorizations that it names otherwise are asked for."""
        engine = self._engine
        run_query(lambda: read_recipe(engine, file), done=self._recipe_read, failed=self.banner.tell_error, owner=self)

    def _recipe_read(self, recipe: TransferRecipe) -> None:
        self.banner.hide()
        if len(recipe.same()) == len(recipe.authorizations):
            self.show_transfer(recipe.transfer(recipe.same()))
        else:
            AuthorizationsDialog(self, recipe, self.show_transfer).open()
