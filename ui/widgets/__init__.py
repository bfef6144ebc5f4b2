"""The parts that pages are built from. A theme must have been applied before the first of them is made.

Import from here: `from ui.widgets import Page, DataTable, Column, RowsModel, ...`. Work off the UI thread goes
through `ui.shell.background` (`run_query`, `run_operation`, `run_async`; `into_ui` wraps subscribers).

A page (`ui.shell.pages.PageSpec` says how it gets into the window):

    class JobsPage(Page):
        def __init__(self, engine, shell):
            super().__init__("Jobs")            # sub-pages: crumb=("Jobs", lambda: shell.navigate("jobs"))
            self.add_action(SearchField("Search jobs"), Button("Import recipe…", clicked=self.load),
                            PrimaryButton("New job", clicked=lambda: shell.navigate("new_job")))
            self.add(self.banner); self.add(self.chips); self.add(self.table, 1); self.add_spring()
        def open(self, **args): ...             # at each visit; refresh() is F5; leave() -> bool may refuse
    page.set_title("Loyalty members", "File Service · CSV import"); page.set_status("running", "Running")
    page.add_lead(ProviderMark("File Service", "file-service"))
    page.make_title_editable("Name of the job", lambda text: ...)         # edited where it stands
    InlineEdit("", name="Description", placeholder="Add a description").edited(text)

Buttons: `Button(text, kind, icon=, clicked=)`, `PrimaryButton`, `DangerButton`, `LinkButton`,
`MenuButton("More", QMenu())`, `IconButton("copy", "Copy the logs", clicked=…)`.

Text and forms:

    field = FormField("Stream", QLineEdit(), help="Events are kept under this name", required=True)
    field.set_error("A stream with this name exists already; choose another."); field.set_error("")
    combo = ComboBox(editable=True); combo.set_choices([("Comma", ","), ("Tab", "\\t")])
    combo.value(); combo.set_value(";"); combo.value_changed
    code = CodeField("Expression", lines=3); code.edit.rested       # after typing rests: have the text checked
    code.set_problems(problems); code.set_note("Brings a date", "success"); code.edit.set_suggestions([Suggestion(…)])
    PasswordField("Password"); CheckBox("Keep importing new files"); TextArea(code=True)
    SearchField("Search jobs").searched(text)   # after typing rests

`NumberField(22, 1, 65_535)`. QLineEdit, QRadioButton, QMenu, QScrollBar are styled too. Looks of a QLabel:
`set_kind(label, "muted")` ("title", "heading", "muted", "secondary", "label", "error", "figure").

Filters: `ChipRow([("all", "All"), ("running", "Running")])`, `.set_counts({"running": 3})`, `.changed(key)`;
`ChipRow(..., exclusive=False).changed(frozenset)`. `ChipLabel("Sweden")`. `FlowLayout` wraps.

Status: `StatusPill("failed", "Failing since 21 Nov")`. Keys: running, sleeping, completed, paused, failed,
interrupted, the job events (started, synced, error, …), and ok, warn, bad, info; any other is neutral.

Surfaces: `Card("Identity")`, `Card(flush=True)` for tables and tabs, `FactsStrip([("Provider", "File Service")])`,
`Line()`, `Scroll(content)`, `Tabs().add("logs", "Logs", widget_or_function, count)`, `ElidedLabel`, `Icon("info")`.

Tables, never item widgets:

    columns = [
        Column("name", "Name", lambda j: j.name, second=lambda j: j.description, width=244, fixed=True),
        Column("provider", "Provider", lambda j: j.provider_name, mark=lambda j: j.provider, width=128),
        Column("status", "Status", word, status=lambda j: j.status, second=meaning, progress=share, width=225),
    ]
    model = RowsModel(columns, key=lambda j: j.id); model.set_rows(jobs)   # in memory: sorts, keeps the selection
    model = PagedTableModel(fetch, columns); model.refresh()               # fetch(offset, limit, reply)
    table = DataTable(model, "jobs", row_height=57, fit=True, delegates={
        "name": TwoLineDelegate, "provider": ProviderDelegate, "status": StatusDelegate})
    table.opened(row); table.chosen(rows); table.selected(); table.set_menu(lambda rows: menu)
    table.set_empty(EmptyState("inbox", "No jobs yet", "A job moves …", [PrimaryButton("New job")]))

Less important columns are `spare=True`: they step aside in a narrow window. In a flush Card:
`DataTable(..., framed=False)`. `SampleTable("First rows").show_rows(columns, rows)` for texts of any columns.
`MonoDelegate` for times and raw values; `Cell` is the plain one.

Telling the user:

    banner = Banner(); banner.tell("success", "12 people exported."); banner.tell_error(error)   # hidden until told
    InlineNote("186 MB, modified today"); Spinner().start(); ProgressLine().set_progress(0.4)    # None: no end known
    confirm(self, "Delete “Loyalty members”?", "Its 14 runs and logs go; people stay.", "Delete job", self._delete)

Others:

    chart = ActivityChart(); chart.span_changed("7d")
    chart.set_buckets([ChartBucket("25 Oct", "25 Oct 2026", (120, 80, 3))])       # added, updated, rejected
    view = JsonView({"filename": "a.csv"}); view.set_document(other); view.copy_all()
    steps = StepBar(["Provider", "Job type", "Authorization", "Configure", "Review"]); steps.set_step(3)
    steps.asked(step)                                                             # the user clicked a done step
    grid = TileGrid([TileData("file-service", "File Service", "CSV over SFTP or local", mark="file-service")])
    grid.chosen(key); grid.went_on(key); page.add(Scroll(grid), 1)
    ProviderMark("File Service", "file-service", size=34)

Words (`from ui.widgets import words`): `words.when(job.last_run_at)` "08:17" / "Yesterday" / "20 Nov" / "—",
`words.exact`, `words.clock` (logs), `words.ago`, `words.lasting(seconds)`, `words.size(bytes)`,
`words.count_of(3, "job")`, `words.status_word("untested")`.
"""

from PySide6.QtWidgets import QLabel

from ui.widgets import words
from ui.widgets.buttons import Button, DangerButton, IconButton, LinkButton, MenuButton, PrimaryButton
from ui.widgets.chart import ActivityChart, ChartBucket, Series, StackedBarChart
from ui.widgets.chips import Chip, ChipLabel, ChipRow, FlowLayout
from ui.widgets.code_edit import CodeEdit, CodeField, Suggestion
from ui.widgets.delegates import (
    Cell,
    CheckCell,
    MonoDelegate,
    ProviderDelegate,
    StatusDelegate,
    TwoLineDelegate,
    draw_text,
)
from ui.widgets.elided import ElidedLabel
from ui.widgets.feedback import (
    Banner,
    ConfirmDialog,
    EmptyState,
    Icon,
    InlineNote,
    ProgressLine,
    Spinner,
    confirm,
)
from ui.widgets.fields import CheckBox, ComboBox, FormField, NumberField, PasswordField, SearchField, TextArea, restyle
from ui.widgets.inline_edit import InlineEdit
from ui.widgets.json_view import JsonView
from ui.widgets.marks import ProviderMark, initials, monogram, paint_mark
from ui.widgets.models import Column, NamedRowsModel, PagedTableModel, Reply, Role, RowsModel
from ui.widgets.page import Card, FactsStrip, Line, Page, TabBar, Tabs
from ui.widgets.sample import SampleTable
from ui.widgets.scroll import Scroll
from ui.widgets.status import StatusPill, paint_pill, tone_of
from ui.widgets.steps import StepBar
from ui.widgets.table import DataTable
from ui.widgets.tiles import Tile, TileData, TileGrid


def set_kind(label: QLabel, kind: str) -> QLabel:
    """Give a label one of the looks: "title", "heading", "muted", "secondary", "label", "error", "figure"."""
    label.setProperty("kind", kind)
    restyle(label)
    return label


__all__ = [
    "ActivityChart",
    "Banner",
    "Button",
    "Card",
    "Cell",
    "ChartBucket",
    "CheckBox",
    "CheckCell",
    "Chip",
    "ChipLabel",
    "ChipRow",
    "CodeEdit",
    "CodeField",
    "Column",
    "ComboBox",
    "ConfirmDialog",
    "DangerButton",
    "DataTable",
    "ElidedLabel",
    "EmptyState",
    "FactsStrip",
    "FlowLayout",
    "FormField",
    "Icon",
    "IconButton",
    "InlineEdit",
    "InlineNote",
    "JsonView",
    "Line",
    "LinkButton",
    "MenuButton",
    "MonoDelegate",
    "NamedRowsModel",
    "NumberField",
    "Page",
    "PagedTableModel",
    "PasswordField",
    "PrimaryButton",
    "ProgressLine",
    "ProviderDelegate",
    "ProviderMark",
    "Reply",
    "Role",
    "RowsModel",
    "SampleTable",
    "Scroll",
    "SearchField",
    "Series",
    "Spinner",
    "StackedBarChart",
    "StatusDelegate",
    "StatusPill",
    "StepBar",
    "Suggestion",
    "TabBar",
    "Tabs",
    "TextArea",
    "Tile",
    "TileData",
    "TileGrid",
    "TwoLineDelegate",
    "confirm",
    "draw_text",
    "initials",
    "monogram",
    "paint_mark",
    "paint_pill",
    "restyle",
    "set_kind",
    "tone_of",
    "words",
]
