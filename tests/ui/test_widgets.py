"""The parts that pages are built from, used as a person uses them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QPoint, QSettings, QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QFontInfo, QGuiApplication, QHelpEvent, QImage
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from ui.theme import Theme, current_theme, font, icon_pixmap, mono_font, set_icon
from ui.widgets import (
    ActivityChart,
    Banner,
    Button,
    ChartBucket,
    ChipRow,
    Column,
    ComboBox,
    DataTable,
    EmptyState,
    FormField,
    JsonView,
    Page,
    PagedTableModel,
    PasswordField,
    PrimaryButton,
    ProgressLine,
    ProviderDelegate,
    Reply,
    Role,
    RowsModel,
    SearchField,
    StatusDelegate,
    StatusPill,
    StepBar,
    Tabs,
    TileData,
    TileGrid,
    TwoLineDelegate,
    confirm,
    initials,
    monogram,
    tone_of,
)


@dataclass(frozen=True)
class Job:
    """A row of the test tables."""

    id: int
    name: str
    status: str = "sleeping"
    done: float | None = None


COLUMNS = (
    Column("name", "Name", lambda job: job.name, second=lambda job: f"job {job.id}", width=200, fixed=True),
    Column("provider", "Provider", lambda job: "File Service", width=100),
    Column(
        "status",
        "Status",
        lambda job: job.status.capitalize(),
        status=lambda job: job.status,
        progress=lambda job: job.done,
        width=150,
    ),
    Column("number", "Number", lambda job: f"{job.id:,}", sort=lambda job: job.id, right=True, width=50, hidden=True),
)
JOBS = [Job(1, "Loyalty members"), Job(2, "newsletter"), Job(3, "Attendees", "failed")]


def checked(model: QAbstractItemModel) -> QAbstractItemModel:
    """Have Qt's own tester watch a model for broken promises."""
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal, model)
    return model


def table(qtbot: QtBot, model: RowsModel | PagedTableModel, **options: object) -> DataTable:
    delegates = {"name": TwoLineDelegate, "provider": ProviderDelegate, "status": StatusDelegate}
    made = DataTable(model, "jobs", delegates=delegates, **options)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(700, 400)
    made.show()
    return made


def names(model: RowsModel) -> list[str]:
    return [row.name for row in model.rows()]


# Tables


def test_a_click_on_the_header_sorts_as_people_read_and_the_selection_stays(qtbot: QtBot) -> None:
    model = RowsModel(COLUMNS, key=lambda job: job.id, rows=JOBS)
    checked(model)
    view = table(qtbot, model)
    view.select(1)
    view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert names(model) == ["Attendees", "Loyalty members", "newsletter"]
    assert view.selected() == [JOBS[1]]
    view.sortByColumn(3, Qt.SortOrder.DescendingOrder)
    assert names(model) == ["Attendees", "newsletter", "Loyalty members"]


def test_what_the_program_selects_is_all_that_is_selected_whatever_key_is_held(qtbot: QtBot) -> None:
    view = table(qtbot, RowsModel(COLUMNS, key=lambda job: job.id, rows=JOBS))
    QTest.keyPress(view, Qt.Key.Key_Control, Qt.KeyboardModifier.ControlModifier)
    view.select(0)
    view.select(2)
    assert view.selected() == [JOBS[2]]
    QTest.keyRelease(view, Qt.Key.Key_Control)


def test_new_gone_and_changed_rows_keep_selection_and_order(qtbot: QtBot) -> None:
    model = RowsModel(COLUMNS, key=lambda job: job.id, rows=JOBS)
    checked(model)
    view = table(qtbot, model, sort=("name", Qt.SortOrder.AscendingOrder))
    view.select(names(model).index("newsletter"))
    changed = replace(JOBS[1], status="running", done=0.5)
    model.set_rows([changed, JOBS[2], Job(4, "Birthdays")])
    assert names(model) == ["Attendees", "Birthdays", "newsletter"]
    assert view.selected() == [changed]
    assert view.rowHeight(2) > view.rowHeight(1), "a running row has room for its bar"
    model.replace_row(replace(changed, status="completed", done=None))
    assert view.rowHeight(2) == view.rowHeight(1)
    model.set_rows([])
    assert view.selected() == []


def test_columns_are_chosen_and_kept(qtbot: QtBot) -> None:
    view = table(qtbot, RowsModel(COLUMNS, rows=JOBS))
    entries = {action.text(): action for action in view.column_menu().actions()}
    assert not entries["Name"].isEnabled(), "a table without names is no use"
    assert not entries["Number"].isChecked()
    entries["Number"].trigger()
    entries["Provider"].trigger()
    view.horizontalHeader().moveSection(2, 0)
    view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    view.save_columns()

    again = table(qtbot, RowsModel(COLUMNS, rows=JOBS))
    header = again.horizontalHeader()
    assert again.isColumnHidden(1)
    assert not again.isColumnHidden(3)
    assert header.logicalIndex(0) == 2
    assert again.model().index(0, 0).data() == "newsletter"
    again.reset_columns()
    assert not again.isColumnHidden(1)
    assert header.logicalIndex(0) == 0


@pytest.mark.parametrize("kept", ["{", "[]", '{"order": ["gone"], "shares": {"name": "wide"}}'])
def test_kept_columns_that_cannot_be_read_are_passed_over(qtbot: QtBot, kept: str) -> None:
    QSettings().setValue("tables/jobs", kept)
    view = table(qtbot, RowsModel(COLUMNS, rows=JOBS))
    assert view.horizontalHeader().logicalIndex(0) == 0


def test_columns_fill_the_table_at_any_width(qtbot: QtBot) -> None:
    view = table(qtbot, RowsModel(COLUMNS, rows=JOBS))
    for width in (700, 460, 1300):
        view.resize(width, 400)
        assert view.horizontalHeader().length() == view.viewport().width()
    view.horizontalHeader().resizeSection(0, 300)
    assert view.columnWidth(0) == 300
    assert view.horizontalHeader().length() == view.viewport().width()


def test_spare_columns_step_aside_in_a_narrow_window_and_come_back(qtbot: QtBot) -> None:
    columns = [replace(column, spare=column.key in ("provider", "number")) for column in COLUMNS]
    view = table(qtbot, RowsModel(columns, rows=JOBS))
    view.set_column_shown("number", True)
    for width, hidden in ((700, []), (440, [3]), (330, [1, 3]), (700, [])):
        view.resize(width, 400)
        assert [at for at in range(4) if view.isColumnHidden(at)] == hidden
        assert view.horizontalHeader().length() == view.viewport().width()
    view.save_columns()
    assert json.loads(str(QSettings().value("tables/jobs")))["hidden"] == [], "stepping aside is not the user's choice"


def test_rows_are_opened_and_get_their_menu_by_mouse_and_by_keys(qtbot: QtBot) -> None:
    view = table(qtbot, RowsModel(COLUMNS, rows=JOBS))
    asked: list[list[Job]] = []

    def build(rows: list[Job]) -> QMenu:
        asked.append(rows)
        menu = QMenu(view)
        menu.addAction("Run now")
        return menu

    view.set_menu(build)
    view.select(0)
    with qtbot.waitSignal(view.opened) as opened:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert opened.args == [JOBS[0]]
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert view.selected() == JOBS[1:]
    with qtbot.waitSignal(view.opened) as opened:
        at = view.visualRect(view.model().index(0, 0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
        qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert opened.args == [JOBS[0]]

    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(), QPoint())
    view.contextMenuEvent(event)
    assert asked == [[JOBS[0]]]
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.close()


def test_an_empty_table_says_so_only_once_it_knows(qtbot: QtBot) -> None:
    model = RowsModel(COLUMNS, key=lambda job: job.id)
    view = table(qtbot, model, fit=True)
    empty = EmptyState(
        "inbox", "No jobs yet", "A job moves people from one place to another.", [PrimaryButton("New job")]
    )
    view.set_empty(empty)
    assert not empty.isVisible(), "nothing has been read yet"
    model.set_rows([])
    assert empty.isVisible()
    model.set_rows(JOBS)
    assert not empty.isVisible()
    assert view.maximumHeight() < 36 + 4 * 57, "a table that fits is no higher than its rows"


class Source:
    """A million rows behind a model that fetches pages; answers when told to."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked: list[tuple[int, int, Reply]] = []

    def fetch(self, offset: int, limit: int, reply: Reply) -> None:
        self.asked.append((offset, limit, reply))

    def answer(self) -> list[int]:
        asked, self.asked = self.asked, []
        for offset, limit, reply in asked:
            reply([Job(at, f"Person {at:,}") for at in range(offset, min(offset + limit, self.total))], self.total)
        return [offset for offset, _, _ in asked]


def test_a_million_rows_are_fetched_only_where_somebody_looks(qtbot: QtBot) -> None:
    source = Source(1_000_000)
    model = PagedTableModel(source.fetch, COLUMNS, pages_held=5)
    view = table(qtbot, model)
    model.refresh()
    assert source.answer() == [0]
    assert model.rowCount() == 1_000_000
    assert model.index(3, 0).data() == "Person 3"

    view.scrollToBottom()
    qtbot.waitUntil(lambda: bool(source.asked))
    assert model.index(999_999, 0).data() == "…", "what is not there yet says so"
    assert source.answer() == [999_900]
    assert model.index(999_999, 0).data() == "Person 999,999"
    assert model.index(999_999, 0).data(Role.ROW).id == 999_999

    for page in range(1, 10):
        model.index(page * 100, 0).data()
        qtbot.waitUntil(lambda: bool(source.asked))
        source.answer()
    assert model.row(50) is None, "only the last pages looked at are held"


def test_answers_to_an_older_search_are_passed_over(qtbot: QtBot) -> None:
    source = Source(500)
    model = PagedTableModel(source.fetch, COLUMNS)
    checked(model)
    model.refresh()
    (_, _, late), source.asked = source.asked[0], []
    source.total = 2
    model.refresh()
    source.answer()
    late([Job(9, "Old")], 500)
    assert model.rowCount() == 2
    assert model.index(0, 0).data() == "Person 0"
    assert not model.loading
    model.refresh()
    source.asked[0][2](None)
    source.asked.clear()
    model.refresh()
    source.answer()
    assert model.index(1, 0).data() == "Person 1", "after a failure the page is asked for again"


# What a person presses and types


def test_chips_filter_by_one_or_by_several(qtbot: QtBot) -> None:
    row = ChipRow([("all", "All"), ("running", "Running"), ("failed", "Failed")])
    qtbot.addWidget(row)
    row.set_counts({"all": 1204, "running": 3, "gone": 5})
    assert row.chip("all").text() == "All 1,204"
    assert row.chosen() == "all"
    with qtbot.waitSignal(row.changed) as changed:
        qtbot.keyClick(row.chip("failed"), Qt.Key.Key_Space)
    assert changed.args == ["failed"]
    qtbot.mouseClick(row.chip("failed"), Qt.MouseButton.LeftButton)
    assert row.chosen() == "failed", "one is always on"
    row.set_chips([("all", "All"), ("paused", "Paused")])
    assert row.chosen() == "all"

    several = ChipRow([("import", "Imports"), ("export", "Exports")], exclusive=False)
    qtbot.addWidget(several)
    for key in ("import", "export"):
        qtbot.mouseClick(several.chip(key), Qt.MouseButton.LeftButton)
    assert several.chosen() == frozenset({"import", "export"})


def test_chips_go_on_in_the_next_line_of_a_narrow_window(qtbot: QtBot) -> None:
    row = ChipRow([(str(at), f"Category {at}") for at in range(12)])
    qtbot.addWidget(row)
    wide, narrow = row.layout().heightForWidth(2000), row.layout().heightForWidth(300)
    assert wide < 30 < narrow


def test_a_search_is_told_when_typing_rests_and_escape_empties_it(qtbot: QtBot) -> None:
    field = SearchField("Search jobs", wait_ms=30)
    qtbot.addWidget(field)
    heard: list[str] = []
    field.searched.connect(heard.append)
    qtbot.keyClicks(field, " loyalty ")
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["loyalty"]
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert heard == ["loyalty", ""]


def test_a_choice_keeps_its_value_and_takes_what_is_typed(qtbot: QtBot) -> None:
    combo = ComboBox(editable=True)
    qtbot.addWidget(combo)
    combo.set_choices([("Comma", ","), ("Tab", "\t")])
    combo.set_value("\t")
    combo.set_choices([("Tab", "\t"), ("Semicolon", ";")])
    assert combo.value() == "\t"
    combo.setEditText("|")
    assert combo.value() == "|"
    combo.set_choices([("Comma", ",")])
    assert combo.value() == "|"

    plain = ComboBox(placeholder="Choose a stream")
    qtbot.addWidget(plain)
    plain.set_choices([("Orders", 7)])
    assert plain.value() is None
    plain.set_value(7)
    assert (plain.value(), plain.currentText()) == (7, "Orders")


def test_a_field_says_what_is_wrong_with_the_answer(qtbot: QtBot) -> None:
    edit = QLineEdit()
    field = FormField("Stream", edit, help="Events are kept under this name")
    qtbot.addWidget(field)
    field.set_error("A stream needs a name.")
    assert field.error == "A stream needs a name."
    assert edit.property("invalid") == "true"
    assert edit.accessibleDescription() == "A stream needs a name."
    field.set_error("")
    assert (field.error, edit.accessibleDescription()) == ("", "Events are kept under this name")
    assert edit.accessibleName() == "Stream"


def test_a_title_is_edited_where_it_stands(qtbot: QtBot) -> None:
    page = Page("Loyalty members")
    qtbot.addWidget(page)
    kept: list[str] = []
    editor = page.make_title_editable("Name of the job", kept.append)
    page.resize(900, 300)
    page.show()
    for typed, key in (
        ("Loyalty\t people", Qt.Key.Key_Return),
        ("other", Qt.Key.Key_Escape),
        ("  ", Qt.Key.Key_Return),
    ):
        qtbot.mouseClick(editor.pencil, Qt.MouseButton.LeftButton)
        assert editor.edit.selectedText() == editor.text()
        editor.edit.setText(typed)
        qtbot.keyClick(editor.edit, key)
    assert kept == ["Loyalty people"], "neither what was taken back nor nothing"
    assert (page.title, editor.label.text()) == ("Loyalty people", "Loyalty people")
    editor.begin()
    page.set_title("Renamed elsewhere")
    assert editor.edit.text() == "Loyalty people", "typing is not disturbed"
    qtbot.keyClick(editor.edit, Qt.Key.Key_Escape)
    assert editor.label.text() == "Renamed elsewhere"


def test_a_password_is_hidden_until_the_eye_is_pressed(qtbot: QtBot) -> None:
    field = PasswordField()
    qtbot.addWidget(field)
    assert field.echoMode() == QLineEdit.EchoMode.Password
    field.actions()[0].trigger()
    assert field.echoMode() == QLineEdit.EchoMode.Normal


def test_tabs_make_their_content_when_first_shown_and_move_by_keys(qtbot: QtBot) -> None:
    made: list[str] = []

    def configuration() -> QWidget:
        made.append("configuration")
        return QWidget()

    tabs = Tabs()
    qtbot.addWidget(tabs)
    tabs.add("logs", "Logs", QWidget())
    tabs.add("configuration", "Configuration", configuration)
    tabs.add("rejected", "Rejected rows", QWidget(), 17)
    assert made == []
    button = next(one for one in tabs.findChildren(QPushButton) if one.text() == "Logs")
    qtbot.keyClick(button, Qt.Key.Key_Right)
    assert (tabs.chosen(), made) == ("configuration", ["configuration"])
    tabs.set_count("rejected", 1_200)
    assert any(one.text() == "Rejected rows 1,200" for one in tabs.findChildren(QPushButton))


def test_tiles_are_chosen_by_mouse_and_by_keys_and_survive_a_search(qtbot: QtBot) -> None:
    tiles = [TileData(str(at), f"Provider {at}", "Something") for at in range(7)]
    grid = TileGrid(tiles)
    qtbot.addWidget(grid)
    grid.resize(620, 400)
    grid.show()
    first = grid._tiles[0]
    first.setFocus()
    with qtbot.waitSignal(grid.chosen) as chosen:
        qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert chosen.args == ["0"]
    qtbot.keyClick(first, Qt.Key.Key_Down)
    with qtbot.waitSignal(grid.went_on) as went_on:
        qtbot.keyClick(grid.focusWidget(), Qt.Key.Key_Return)
    assert went_on.args == ["3"], "three stand in a line, so the fourth is below the first"
    grid.set_tiles(tiles[:2])
    assert grid.key() == "3", "a search hides the choice, it does not take it back"
    grid.set_tiles(tiles)
    assert [tile.data.key for tile in grid._tiles if tile.isChecked()] == ["3"]


def test_only_done_steps_are_gone_back_to(qtbot: QtBot) -> None:
    bar = StepBar(["Provider", "Job type", "Authorization", "Configure", "Review"])
    qtbot.addWidget(bar)
    bar.set_step(2)
    asked: list[int] = []
    bar.asked.connect(asked.append)
    for step in bar._steps:
        qtbot.mouseClick(step, Qt.MouseButton.LeftButton)
    assert asked == [0, 1]
    assert bar._steps[2].accessibleName() == "Step 3, Authorization: the present step"


# What the window tells


class Refused(Exception):
    """An error as the program makes them."""

    message = "The server refused the password of “Agency SFTP”."
    advice = "Type it again, or ask the owner of the server."
    details = "530 Login incorrect"


def test_a_banner_says_what_happened_and_copies_all_of_it(qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.tell_error(Refused())
    assert banner.isVisible()
    assert not banner._details.isVisible(), "details are behind a disclosure"
    qtbot.mouseClick(banner._more, Qt.MouseButton.LeftButton)
    assert banner._details.isVisible()
    qtbot.mouseClick(banner._copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "\n".join((Refused.message, Refused.advice, Refused.details))
    banner.tell_error(KeyError("stream_id"))
    assert "KeyError" not in banner._message.text() + banner._advice.text(), "no traceback in anybody's face"
    assert "KeyError" in banner._details.text()
    banner.tell("success", "12 people exported.")
    assert banner.text() == "12 people exported."


def test_return_does_not_delete_by_accident(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    deleted: list[bool] = []
    for press in ("cancel", "go"):
        dialog = confirm(
            window, "Delete “Loyalty members”?", "14 runs are lost.", "Delete job", lambda: deleted.append(True)
        )
        assert dialog.focusWidget() is dialog.cancel
        qtbot.keyClick(getattr(dialog, press), Qt.Key.Key_Space)
        assert deleted == ([True] if press == "go" else [])


def test_the_chart_tells_its_figures_to_mouse_keys_and_screen_readers(qtbot: QtBot) -> None:
    card = ActivityChart()
    qtbot.addWidget(card)
    card.resize(900, 240)
    card.show()
    card.set_buckets([ChartBucket(f"{at} Nov", f"{at} Nov 2026", (at * 1000, at, 0)) for at in range(1, 29)])
    chart = card.chart
    assert chart.tip(1) == "2 Nov 2026\n2,000 added\n2 updated\n0 rejected"
    assert (chart.bar_at(0), chart.bar_at(chart.width() - 1), chart.bar_at(-5)) == (0, 27, -1)
    assert chart.accessibleDescription() == "1 Nov to 28 Nov: 406,000 added, 406 updated, 0 rejected"
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart._at == 1
    QApplication.sendEvent(chart, QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(5, 50), chart.mapToGlobal(QPoint(5, 50))))
    with qtbot.waitSignal(card.span_changed) as changed:
        qtbot.mouseClick(card.spans.chip("7d"), Qt.MouseButton.LeftButton)
    assert changed.args == ["7d"]
    card.set_buckets([ChartBucket("a", "a", (0, 0, 0))])
    assert card.empty.isVisible()


def test_one_rejected_row_among_a_million_is_seen(qtbot: QtBot) -> None:
    card = ActivityChart()
    qtbot.addWidget(card)
    card.resize(400, 240)
    card.show()
    card.set_buckets([ChartBucket("a", "a", (1_000_000, 0, 1))])
    image = card.chart.grab().toImage()
    red = current_theme().color("chart_rejected")
    middle = image.width() // 2
    assert any(image.pixelColor(middle, y) == red for y in range(image.height()))


def test_json_is_shown_in_colours_and_copied_whole(qtbot: QtBot) -> None:
    view = JsonView({"filename": "a 12.csv", "header": True})
    qtbot.addWidget(view)
    view.copy_all()
    assert json.loads(QGuiApplication.clipboard().text()) == {"filename": "a 12.csv", "header": True}
    formats = view.document().findBlockByNumber(1).layout().formats()
    used = {one.format.foreground().color().name() for one in formats}
    assert used == {current_theme().color(token).name() for token in ("code_key", "code_string")}
    assert view.isReadOnly()


def test_a_progress_line_says_how_far_it_is(qtbot: QtBot) -> None:
    line = ProgressLine()
    qtbot.addWidget(line)
    line.show()
    line.set_progress(0.4)
    assert line.accessibleName() == "40% done"
    line.set_progress(None)
    assert line.accessibleName() == "Working"
    line.set_progress(7.0)
    assert line.accessibleName() == "100% done"


def test_a_status_is_a_word_and_what_is_unknown_is_neutral(qtbot: QtBot) -> None:
    pill = StatusPill("failed", "Failing since 21 Nov")
    qtbot.addWidget(pill)
    assert pill.accessibleName() == "Failing since 21 Nov"
    assert (tone_of("interrupted"), tone_of("untested")) == ("paused", "neutral")
    pill.set_status("", "")
    assert pill.isHidden()


def test_two_letters_stand_for_what_has_no_mark() -> None:
    assert [monogram(name) for name in ("File Service", "S3", "(x)y")] == ["Fi", "S3", "Xy"]
    assert [initials(name) for name in ("Northbeam Coffee", "Solo", "a")] == ["NC", "SO", "A"]


# Look


def luminance(color: QColor) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(QColor(one)), luminance(QColor(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAIRS: Sequence[tuple[str, str]] = (
    *((ink, ground) for ink in ("text", "muted", "accent") for ground in ("window", "surface", "selected", "hover")),
    *((tone, f"{tone}_weak") for tone in ("running", "sleeping", "completed", "paused", "failed", "neutral")),
    ("accent", "accent_weak"),
    ("on_accent", "accent"),
    ("surface", "failed"),
    ("placeholder", "surface"),
    ("text", "failed_weak"),
    ("accent", "failed_weak"),
    *((ink, ground) for ink in ("rail_text", "rail_muted") for ground in ("rail", "rail_card")),
    ("rail_strong", "rail_active"),
    ("monogram_text", "monogram"),
    *((code, "sunken") for code in ("code_key", "code_string", "code_number", "code_word", "code_name", "muted")),
)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(mode: str) -> None:
    current_theme().choose(mode)  # type: ignore[arg-type]
    tokens = current_theme().tokens
    weak = {pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}


def test_a_change_of_theme_reaches_icons_and_painted_widgets(qtbot: QtBot) -> None:
    button, pill = Button("Copy"), StatusPill("failed", "Failed")
    set_icon(button, "copy")
    for widget in (button, pill):
        qtbot.addWidget(widget)
        widget.show()

    def look() -> tuple[QImage, QImage, QColor]:
        picture = button.icon().pixmap(QSize(16, 16)).toImage()
        return picture, pill.grab().toImage(), button.palette().window().color()

    light = look()
    with qtbot.waitSignal(current_theme().changed):
        current_theme().choose("dark")
    dark = look()
    assert all(before != after for before, after in zip(light, dark, strict=True))


def test_the_choice_of_a_theme_is_kept_and_system_means_the_system(qapp: QApplication) -> None:
    theme = Theme()
    assert (theme.choice, theme.mode) == ("system", "light")
    theme.choose("dark")
    assert Theme().mode == "dark"
    QSettings().setValue("appearance/theme", "pink")
    assert Theme().choice == "system"

    shown = current_theme()
    shown.choose("dark")
    shown.choose("system")
    dark = qapp.styleHints().colorScheme() == Qt.ColorScheme.Dark
    assert shown.mode == ("dark" if dark else "light")


def test_both_themes_have_the_same_tokens_and_the_sheet_uses_no_other() -> None:
    theme = current_theme()
    sets = theme._sets
    assert sets["light"].keys() == sets["dark"].keys()
    sheet = QApplication.instance().styleSheet()  # type: ignore[union-attr]
    assert not re.search(r"@\w", sheet)


def test_fonts_are_the_bundled_ones(qtbot: QtBot) -> None:
    assert QFontInfo(QApplication.font()).family() == "Inter"
    assert QFontInfo(mono_font()).family() == "JetBrains Mono"
    assert QFontInfo(font(13, 600)).weight() == 600


def test_icons_are_sharp_on_dense_screens(qtbot: QtBot) -> None:
    pixmap = icon_pixmap("search", "text", 16, 2.0)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (32, 2.0)


def test_importing_the_parts_starts_nothing() -> None:
    code = (
        "import sys, threading, ui.widgets, ui.shell.window, ui.shell.application\n"
        "from PySide6.QtWidgets import QApplication\n"
        "sys.exit(QApplication.instance() is not None or threading.active_count() > 1)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
