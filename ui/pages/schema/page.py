"""The Schema page: what a person can hold, what fills it, who is who, and what is not published yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QStackedWidget, QWidget

from app.engine import Engine
from app.errors import CausewayError
from app.jobs.rebuilding import start_rebuild
from app.schema.effect import Effect, estimate_effect
from app.schema.model import FieldDefinition, MappingDefinition
from app.schema.operations import (
    accept_offer,
    decline_offer,
    discard_changes,
    load_version,
    put_mapping,
    rank_identifiers,
    remove_field,
    remove_mapping,
    set_shared_limit,
)
from app.schema.queries import FieldUse, field_use
from ui.pages.live import Live
from ui.pages.rebuilding import RebuildNotice
from ui.pages.schema.changes import ChangesPanel
from ui.pages.schema.field_dialog import FieldDialog
from ui.pages.schema.identifiers import IdentifiersView
from ui.pages.schema.lql import LqlView
from ui.pages.schema.mapping_dialog import MappingDialog
from ui.pages.schema.publish import PublishDialog
from ui.pages.schema.reading import (
    REMOVED,
    Contents,
    FieldRow,
    MappingRow,
    field_rows,
    field_text,
    mapping_rows,
    read_contents,
    written,
)
from ui.pages.schema.tables import fields_table, mappings_table, on_key, with_keys
from ui.pages.schema.versions import VersionsView
from ui.shell.background import Cancelled, Task, run_async, run_operation, run_query
from ui.shell.pages import Shell
from ui.widgets import (
    Banner,
    Button,
    ChipRow,
    EmptyState,
    LinkButton,
    Page,
    PrimaryButton,
    SearchField,
    confirm,
    words,
)

VIEWS = (
    ("fields", "Fields"),
    ("mappings", "Mappings"),
    ("identifiers", "Identifiers"),
    ("lql", "LQL"),
    ("versions", "Versions"),
)
_VIEW = "schema/view"
DELETE = QKeySequence.StandardKey.Delete


class SchemaPage(Page):
    """`open(view="lql", stream="shop_orders")` shows a view and a stream's text, `open(field="email")` a field."""

    def __init__(self, engine: Engine, shell: Shell) -> None:
        super().__init__("Schema")
        self._engine, self._shell = engine, shell
        self.contents: Contents | None = None
        self._use: dict[str, FieldUse] = {}
        self._effect: Effect | None = None
        self._estimated: tuple[Any, ...] | None = None
        self._estimate: Task | None = None
        self._wanted: dict[str, str] = {}
        self.search = SearchField("Search fields and mappings")
        self.search.searched.connect(lambda _: self._show_rows())
        self.new = Button("New field", clicked=self.add_new)
        self.publish = PrimaryButton("Publish", clicked=self.ask_publish)
        self.add_action(self.search, self.new, self.publish)
        self.banner = Banner()
        self.add(self.banner)
        self.rebuild = RebuildNotice(engine, self, self.banner)
        kept = str(QSettings().value(_VIEW, "fields"))
        self.chips = ChipRow(VIEWS, chosen=kept if kept in dict(VIEWS) else "fields", name="View")
        self.chips.changed.connect(self._view_chosen)
        self.rebuild_people = LinkButton("Rebuild people…", clicked=self.ask_rebuild)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.chips, 1)
        row.addWidget(self.rebuild_people)
        self.add(row)
        self.stack = QStackedWidget()
        self.views: dict[str, QWidget] = {}
        self._make_views()
        self.panel = ChangesPanel()
        self.panel.undo.connect(lambda subject: self.change(lambda: discard_changes(engine, subject)))
        self.panel.undo_all.connect(self.ask_discard)
        self.panel.accept.connect(lambda number: self.change(lambda: accept_offer(engine, number)))
        self.panel.decline.connect(lambda number: self.change(lambda: decline_offer(engine, number)))
        self.panel.stop_asked.connect(self._stop_estimate)
        self.panel.estimate_asked.connect(self._start_estimate)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setHandleWidth(14)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.stack)
        self.split.addWidget(self.panel)
        self.split.setStretchFactor(0, 2)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([672, 330])
        self.add(self.split, 1)
        self._show_view()
        self._show_publish()
        engine.at_stop(self._drop_estimate)
        Live(self, engine, ("schema", "streams"), self.refresh)
        Live(self, engine, ("profiles", "runs"), self._figures_changed)

    def _make_views(self) -> None:
        engine = self._engine
        self.fields = fields_table()
        self.fields.opened.connect(lambda row: self.edit_field(row.field.name))
        self.fields.set_menu(self.fields_menu)
        on_key(self.fields, DELETE, lambda: self.delete_fields(self.fields.selected()))
        self.no_fields = EmptyState("table", "", "", [Button("New field", clicked=self.add_new)])
        self.fields.set_empty(self.no_fields)
        self.mappings = mappings_table()
        self.mappings.opened.connect(lambda row: self.edit_mapping(row.mapping))
        self.mappings.set_menu(self.mappings_menu)
        on_key(self.mappings, DELETE, lambda: self.delete_mappings(self.mappings.selected()))
        self.no_mappings = EmptyState("workflow", "", "")
        self.mappings.set_empty(self.no_mappings)
        self.identifiers = IdentifiersView(engine, self.banner)
        self.identifiers.ranked.connect(lambda names: self.change(lambda: rank_identifiers(engine, names)))
        self.identifiers.limit_chosen.connect(lambda limit: self.change(lambda: set_shared_limit(engine, limit)))
        self.identifiers.opened.connect(lambda row: self.edit_field(row.field.name))
        self.identifiers.person_asked.connect(lambda person: self._shell.navigate("profile", profile_id=person))
        self.lql = LqlView(engine, self.banner)
        self.lql.applied.connect(self.refresh)
        self.versions = VersionsView(engine, self.banner)
        self.versions.load_asked.connect(self.load)
        made = (self.fields, self.mappings, self.identifiers, self.lql, self.versions)
        for (key, _), view in zip(VIEWS, made, strict=True):
            self.views[key] = view
            self.stack.addWidget(view)

    # reading

    def open(self, **args: Any) -> None:
        self._wanted = {key: str(value) for key, value in args.items()}
        if self._wanted.get("view") in self.views:
            self.choose_view(self._wanted["view"])
        self.refresh()
        self._ask_use()

    def refresh(self) -> None:
        engine = self._engine
        run_query(lambda: read_contents(engine), done=self._read, failed=self.banner.tell_error, owner=self)

    def _read(self, contents: Contents) -> None:
        changed = self.contents is None or contents.published != self.contents.published
        self.contents = contents
        self.chips.set_counts(
            {
                "fields": len(contents.draft.fields),
                "mappings": len(contents.draft.mappings),
                "identifiers": len(contents.draft.ranking()),
            }
        )
        newest = contents.versions[0] if contents.versions else None
        self.set_status(
            "sleeping", f"Version {newest.number} published {words.when(newest.at)}" if newest is not None else ""
        )
        providers = {provider.slug: provider.name for provider in self._engine.catalog.providers}
        self.panel.show_contents(contents, providers)
        self._show_publish()
        self._show_rows()
        self.identifiers.show_contents(contents)
        self.versions.show_versions(contents.versions)
        if self.chips.chosen() == "lql" or "stream" in self._wanted:
            self.lql.show_contents(contents)
        if changed:
            self._ask_use()
        if contents.changes != self._estimated:
            self._start_estimate()
        self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        wanted, self._wanted = self._wanted, {}
        if wanted.get("stream"):
            self.lql.choose(wanted["stream"])
        if wanted.get("field"):
            self.edit_field(wanted["field"])

    def _show_rows(self) -> None:
        if self.contents is None:
            return
        assert self.search is not None
        text = self.search.text().strip()
        sought = text.casefold().split()
        fields = [row for row in field_rows(self.contents, self._use) if _has(field_text(row), sought)]
        self.fields.model().set_rows(fields)  # type: ignore[attr-defined]
        mappings = [row for row in mapping_rows(self.contents) if _has(_mapping_text(row), sought)]
        self.mappings.model().set_rows(mappings)  # type: ignore[attr-defined]
        if text:
            for state in (self.no_fields, self.no_mappings):
                state.set_text(f"Nothing found for “{text}”", "Search by field, label, stream or expression.")
        else:
            self.no_fields.set_text(
                "No fields yet",
                "A field is something known of people, such as their country. Imports make fields for their columns; "
                "you can make your own.",
            )
            self.no_mappings.set_text(
                "No mappings yet", "A mapping takes a value from the events of a stream and fills a field with it."
            )

    def _show_publish(self) -> None:
        count = len(self.contents.changes) if self.contents is not None else 0
        self.publish.setVisible(count > 0)
        self.publish.setText(f"Publish {words.count_of(count, 'change')}")

    # views

    def choose_view(self, key: str) -> None:
        """Show one of the views."""
        self.chips.choose(key)
        self._view_chosen(key)

    def _view_chosen(self, key: str | Any) -> None:
        QSettings().setValue(_VIEW, key)
        self._show_view()
        if key == "lql" and self.contents is not None:
            self.lql.show_contents(self.contents)

    def _show_view(self) -> None:
        key = str(self.chips.chosen())
        self.stack.setCurrentWidget(self.views[key])
        assert self.search is not None
        self.search.setVisible(key in ("fields", "mappings"))
        self.new.setText(
            "New mapping" if key == "mappings" else "New identifier" if key == "identifiers" else "New field"
        )
        self.new.setVisible(key in ("fields", "mappings", "identifiers"))
        if key == "identifiers":
            self.identifiers.count()

    def _figures_changed(self) -> None:
        self._ask_use()
        if self.chips.chosen() == "identifiers":
            self.identifiers.count()

    def _ask_use(self) -> None:
        engine = self._engine
        run_query(lambda: field_use(engine), done=self._use_known, failed=self.banner.tell_error, owner=self)

    def _use_known(self, use: dict[str, FieldUse]) -> None:
        self._use = use
        self._show_rows()

    # what the changes would do

    def _start_estimate(self) -> None:
        self._drop_estimate()
        contents, engine = self.contents, self._engine
        if contents is None:
            return
        self._estimated = contents.changes
        if not contents.changes:
            self.panel.set_effect(None)
            return
        self.panel.estimating()

        def ended(task: Task, effect: Effect | None) -> None:
            # One that was cancelled for a newer one has nothing to say any more.
            if task is self._estimate:
                self._estimate, self._effect = None, effect
                self.panel.set_effect(effect, stopped=effect is None)

        def failed(error: BaseException) -> None:
            ended(task, None)
            # A draft with faults is said once, in its place; publishing it says all of them.
            if isinstance(error, CausewayError):
                self.panel.set_effect(None, stopped=True, why=error.message)
            elif not isinstance(error, Cancelled):
                self.banner.tell_error(error)

        def work(task: Task) -> Effect:
            effect = estimate_effect(engine, cancelled=lambda: task.cancelled)
            task.report()
            return effect

        task = run_operation(work, done=lambda effect: ended(task, effect), failed=failed, owner=self)
        self._estimate = task

    def _drop_estimate(self) -> None:
        task, self._estimate, self._effect = self._estimate, None, None
        if task is not None:
            task.cancel()

    def _stop_estimate(self) -> None:
        self._drop_estimate()
        self.panel.set_effect(None, stopped=True)

    # acts

    def change(self, work: Callable[[], object], done: Callable[[], object] | None = None) -> None:
        """Change the schema off the UI thread, then read it anew."""

        def ended(_: object) -> None:
            self.refresh()
            if done is not None:
                done()

        def failed(error: BaseException) -> None:
            # What was shown before it was refused goes back to what is.
            self.refresh()
            self.banner.tell_error(error)

        self.banner.hide()
        run_operation(lambda _: work(), done=ended, failed=failed, owner=self)

    def add_new(self) -> FieldDialog | MappingDialog | None:
        """Ask for a new field, or on the mappings a new mapping."""
        if self.chips.chosen() == "mappings":
            return self.edit_mapping(None)
        dialog = self._field_dialog(None)
        if dialog is not None and self.chips.chosen() == "identifiers":
            dialog.identifier.setChecked(True)
        return dialog

    def edit_field(self, name: str) -> FieldDialog | None:
        """Open a field's dialog; one that is deleted in the draft has none."""
        field = self.contents.draft.field(name) if self.contents is not None else None
        return self._field_dialog(field) if field is not None else None

    def _field_dialog(self, field: FieldDefinition | None) -> FieldDialog | None:
        if self.contents is None:
            return None
        dialog = FieldDialog(self, self._engine, self.contents, field, self.refresh)
        dialog.open()
        return dialog

    def edit_mapping(self, mapping: MappingDefinition | None) -> MappingDialog | None:
        """Open a mapping's dialog, or that of a new one."""
        engine, contents = self._engine, self.contents
        if contents is None or (mapping is not None and contents.draft.mapping(mapping.key) is None):
            return None
        if not contents.draft.fields:
            self.banner.tell("info", "A mapping needs a field to fill.", "Make a field first: New field.")
            self.choose_view("fields")
            return None
        dialog = MappingDialog(
            self,
            engine,
            contents.streams,
            contents.draft.fields,
            lambda entered: put_mapping(engine, entered),
            mapping=mapping,
            saved=self.refresh,
        )
        dialog.open()
        return dialog

    def fields_menu(self, rows: Sequence[FieldRow]) -> QMenu | None:
        """The context menu over chosen fields."""
        menu = QMenu(self)
        there = [row for row in rows if row.mark != REMOVED]
        if len(there) == 1 == len(rows):
            name = there[0].field.name
            menu.addAction(with_keys("Edit…", "Return"), lambda: self.edit_field(name))
        self._undo_action(menu, [f"field:{row.field.name}" for row in rows])
        if there:
            menu.addSeparator()
            menu.addAction(with_keys("Delete…", DELETE), lambda: self.delete_fields(there))
        return menu

    def mappings_menu(self, rows: Sequence[MappingRow]) -> QMenu | None:
        """The context menu over chosen mappings."""
        menu = QMenu(self)
        there = [row for row in rows if row.mark != REMOVED]
        if len(there) == 1 == len(rows):
            menu.addAction(with_keys("Edit…", "Return"), lambda: self.edit_mapping(there[0].mapping))
            menu.addAction("Open as LQL", lambda: self.open(view="lql", stream=there[0].mapping.stream))
        self._undo_action(menu, [f"mapping:{row.mapping.key}" for row in rows])
        if there:
            menu.addSeparator()
            menu.addAction(with_keys("Delete…", DELETE), lambda: self.delete_mappings(there))
        return menu

    def _undo_action(self, menu: QMenu, subjects: Sequence[str]) -> None:
        unpublished = {change.subject for change in self.contents.changes} if self.contents is not None else set()
        chosen = [subject for subject in subjects if subject in unpublished]

        def work() -> None:
            for subject in chosen:
                discard_changes(self._engine, subject)

        if chosen:
            menu.addAction(f"Undo {words.count_of(len(chosen), 'change')}", lambda: self.change(work))

    def delete_fields(self, rows: Sequence[FieldRow]) -> None:
        """Ask, naming what is lost, then delete the fields in the draft."""
        chosen = [row for row in rows if row.mark != REMOVED]
        if not chosen:
            return
        names = [row.field.name for row in chosen]
        mappings = sum(len(row.mappings) for row in chosen)
        filled = max((row.use.filled for row in chosen if row.use is not None), default=0)
        its = "Its" if len(chosen) == 1 else "Their"
        lost = f"{its} values of {words.count_of(filled, 'person', 'people')}" if filled else f"{its} values"
        if mappings:
            lost += f" and {words.count_of(mappings, 'mapping')}"
        sentence = (
            f"{lost} go once this is published. Raw events stay, so that the values can be had back by a rebuild."
        )
        if any(row.field.is_identifier for row in chosen):
            sentence += " An identifier that goes ties nobody together any more."

        def work() -> None:
            for name in names:
                remove_field(self._engine, name)

        title = f"Delete “{names[0]}”?" if len(names) == 1 else f"Delete {len(names)} fields?"
        confirm(
            self, title, sentence, "Delete field" if len(names) == 1 else "Delete fields", lambda: self.change(work)
        )

    def delete_mappings(self, rows: Sequence[MappingRow]) -> None:
        """Ask, then delete the mappings in the draft."""
        chosen = [row.mapping for row in rows if row.mark != REMOVED]
        if not chosen:
            return

        def work() -> None:
            for mapping in chosen:
                remove_mapping(self._engine, mapping.key)

        one = chosen[0]
        title = "Delete the mapping?" if len(chosen) == 1 else f"Delete {len(chosen)} mappings?"
        what = (
            f"{written(one)} of {one.stream} no longer fills {one.field}" if len(chosen) == 1 else "They fill nothing"
        )
        confirm(
            self,
            title,
            f"{what} once this is published. Values that people have already stay until a rebuild.",
            "Delete mapping" if len(chosen) == 1 else "Delete mappings",
            lambda: self.change(work),
        )

    def ask_discard(self) -> None:
        """Ask before all unpublished changes are taken back."""
        count = len(self.contents.changes) if self.contents is not None else 0
        confirm(
            self,
            "Undo all changes?",
            f"{words.count_of(count, 'unpublished change')} will be lost; the published schema stays as it is.",
            "Undo all",
            lambda: self.change(lambda: discard_changes(self._engine)),
        )

    def load(self, number: int) -> None:
        """Make unpublished changes that lead back to an old version."""
        said = f"Version {number} is loaded as unpublished changes. Publish them to have it back."
        self.change(lambda: load_version(self._engine, number), lambda: self.banner.tell("success", said))

    def ask_publish(self) -> PublishDialog | None:
        """Show what would be published and ask for a comment."""
        if self.contents is None or not self.contents.changes:
            return None
        dialog = PublishDialog(self, self._engine, self.contents, self._effect, self._published)
        dialog.open()
        return dialog

    def _published(self, number: int, rebuild: bool) -> None:
        self.refresh()
        self.banner.tell("success", f"Version {number} is published.")
        if rebuild:
            self._rebuild()

    def ask_rebuild(self) -> None:
        """Say what a rebuild does, then begin it."""
        sentence = (
            "Everybody is made anew from the raw events, as the published schema has it. That goes on in the "
            "background; until it is done, people are as they are now."
        )
        if self.contents is not None and self.contents.changes:
            sentence += " Unpublished changes have no part in it."
        confirm(self, "Rebuild people?", sentence, "Rebuild people", self._rebuild, danger=False)

    def _rebuild(self) -> None:
        run_async(
            start_rebuild(self._engine),
            done=lambda _: self.rebuild.refresh(),
            failed=self.banner.tell_error,
            owner=self,
        )


def _has(text: str, sought: Sequence[str]) -> bool:
    return all(word in text for word in sought)


def _mapping_text(row: MappingRow) -> str:
    mapping = row.mapping
    return f"{mapping.stream} {mapping.field} {written(mapping)}".casefold()
