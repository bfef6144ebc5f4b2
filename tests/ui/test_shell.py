"""The window around the pages, and the two ways off the UI thread."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import pytest
from PySide6.QtCore import QObject, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from ui.shell.background import Cancelled, Task, into_ui, run_async, run_operation, run_query
from ui.shell.mishap import Mishaps
from ui.shell.pages import EngineState, PageSpec, Recent, Shell
from ui.shell.window import MainWindow
from ui.widgets import Page, SearchField


class FakeEngine:
    """Stands for the engine: figures that a test sets, and who wants to hear of changes."""

    workspace_name = "Northbeam Coffee"
    workspace_place = "On this computer"

    def __init__(self) -> None:
        self.figures: dict[str, int | str] = {"jobs": 9, "people": 48_213, "streams": 0}
        self.now = EngineState("ok", "2 of 4 workers busy", "Next run at 09:00")
        self.listeners: list[Callable[[], object]] = []
        self.asked_in: set[str] = set()
        self.error: Exception | None = None

    def counts(self) -> Mapping[str, int | str]:
        self.asked_in.add(threading.current_thread().name)
        if self.error is not None:
            raise self.error
        return dict(self.figures)

    def state(self) -> EngineState:
        return self.now

    def recent_workspaces(self) -> Sequence[Recent]:
        return [Recent("Harbour Books", "/work/harbour")]

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)


class NotedPage(Page):
    """A page that notes what the window asks of it."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.visits: list[dict[str, Any]] = []
        self.refreshed = 0
        self.may_leave = True
        self.edit = QLineEdit()
        self.add_action(SearchField(f"Search {title.lower()}"))
        self.add(self.edit)

    def open(self, **args: Any) -> None:
        self.visits.append(args)

    def refresh(self) -> None:
        self.refreshed += 1

    def leave(self) -> bool:
        return self.may_leave


class Pages:
    """The pages of the test window, made when first visited."""

    def __init__(self) -> None:
        self.made: dict[str, NotedPage] = {}

    def specs(self) -> list[PageSpec]:
        def build(key: str, title: str) -> Callable[[Shell], Page]:
            def make(shell: Shell) -> Page:
                self.made[key] = NotedPage(title)
                return self.made[key]

            return make

        return [
            PageSpec("jobs", "Jobs", "workflow", build("jobs", "Jobs")),
            PageSpec("people", "Profiles", "users", build("people", "Profiles"), group=1),
            PageSpec("streams", "Streams", "waves", build("streams", "Streams"), group=1),
            PageSpec("job", "Job", build=build("job", "One job"), under="jobs"),
            PageSpec("new_job", "New job", build=build("new_job", "New job"), under="jobs"),
        ]


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def window(qtbot: QtBot, engine: FakeEngine, pages: Pages) -> MainWindow:
    window = MainWindow(engine, pages.specs())
    qtbot.addWidget(window)
    window.start()
    window.resize(1024, 700)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: window.rail.items["jobs"].count == "9")
    return window


def test_pages_are_made_when_first_visited_and_told_where_they_are(window: MainWindow, pages: Pages) -> None:
    assert list(pages.made) == ["jobs"]
    window.navigate("job", job_id=7)
    window.navigate("job", job_id=8)
    assert pages.made["job"].visits == [{"job_id": 7}, {"job_id": 8}]
    assert window.page_key == "job"
    assert window.rail.items["jobs"].isChecked(), "a page below Jobs marks Jobs"
    assert window.windowTitle().startswith("One job – Northbeam Coffee")


def test_back_by_key_and_by_mouse_goes_through_what_was_visited(window: MainWindow, pages: Pages, qtbot: QtBot) -> None:
    window.navigate("job", job_id=7)
    window.navigate("job", job_id=8)
    window.navigate("people")
    qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert pages.made["job"].visits[-1] == {"job_id": 8}
    # As the system does it: to the window, over a field that takes mouse presses for itself.
    edit = pages.made["job"].edit
    at = edit.mapTo(window, edit.rect().center())
    QTest.mouseClick(window.windowHandle(), Qt.MouseButton.BackButton, pos=at)
    assert pages.made["job"].visits[-1] == {"job_id": 7}
    window.back()
    window.back()
    assert window.page_key == "jobs"


def test_the_same_place_twice_is_one_step_back(window: MainWindow) -> None:
    window.navigate("people")
    window.navigate("people")
    window.back()
    assert window.page_key == "jobs"


def test_a_page_that_has_work_to_lose_is_not_left(window: MainWindow, pages: Pages, qtbot: QtBot) -> None:
    window.navigate("new_job")
    pages.made["new_job"].may_leave = False
    qtbot.mouseClick(window.rail.items["people"], Qt.MouseButton.LeftButton)
    window.back()
    assert window.page_key == "new_job"
    assert window.rail.items["jobs"].isChecked()
    assert not window.close()
    pages.made["new_job"].may_leave = True
    assert window.close()


def test_a_finished_wizard_starts_afresh_and_is_not_gone_back_into(window: MainWindow, pages: Pages) -> None:
    window.navigate("new_job")
    first = pages.made["new_job"]
    window.navigate("job", job_id=1)
    window.forget("new_job")
    window.back()
    assert window.page_key == "jobs"
    window.navigate("new_job")
    assert pages.made["new_job"] is not first


def test_every_page_is_reached_by_keys(window: MainWindow, pages: Pages, qtbot: QtBot) -> None:
    ctrl = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(window, Qt.Key.Key_2, ctrl)
    assert window.page_key == "people"
    qtbot.keyClick(window, Qt.Key.Key_F, ctrl)
    assert QApplication.focusWidget() is pages.made["people"].search
    qtbot.keyClick(window, Qt.Key.Key_F5)
    assert pages.made["people"].refreshed == 1
    qtbot.keyClick(window, Qt.Key.Key_N, ctrl)
    assert window.page_key == "new_job"
    window.rail.items["jobs"].setFocus()
    qtbot.keyClick(window.rail.items["jobs"], Qt.Key.Key_Down)
    qtbot.keyClick(window.rail.items["people"], Qt.Key.Key_Return)
    assert window.page_key == "people"


def test_the_rail_shows_what_the_engine_says_and_asks_in_another_thread(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    assert window.rail.items["people"].count == "48,213"
    assert window.rail.items["streams"].count == "", "nothing is shown for none"
    assert window.rail.items["people"].accessibleName() == "Profiles 48,213"
    assert window.rail.foot.accessibleName() == "2 of 4 workers busy. Next run at 09:00"
    assert threading.current_thread().name not in engine.asked_in

    engine.figures["jobs"] = 10
    announcing = threading.Thread(target=lambda: [listener() for listener in engine.listeners])
    announcing.start()
    qtbot.waitUntil(lambda: window.rail.items["jobs"].count == "10")
    announcing.join()


def test_a_workspace_that_cannot_be_read_is_said_at_the_foot(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    class Unreadable(Exception):
        message = "The workspace file is locked by another program."

    engine.error = Unreadable()
    window.update_rail()
    qtbot.waitUntil(lambda: window.rail.foot.state.tone == "warn")
    assert window.rail.foot.state.line == "The workspace file is locked by another program."


def test_the_switcher_offers_other_workspaces(window: MainWindow, qtbot: QtBot) -> None:
    menu = window.rail.workspace_menu()
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert texts == ["Harbour Books", "Open…", "New workspace…"]
    with qtbot.waitSignal(window.workspace_chosen) as chosen:
        menu.actions()[0].trigger()
    assert chosen.args == ["/work/harbour"]


def test_page_and_size_are_kept(window: MainWindow, engine: FakeEngine, pages: Pages, qtbot: QtBot) -> None:
    window.resize(1111, 701)
    window.navigate("people")
    window.navigate("job", job_id=3)
    window.close()
    assert not engine.listeners, "a closed window listens no more"
    again = MainWindow(engine, pages.specs())
    qtbot.addWidget(again)
    again.start()
    assert again.page_key == "people", "a page below another needs arguments that are gone"
    # The offscreen screen is 800 wide, and Qt brings a window back no wider than the screen.
    assert again.height() == 701


def test_a_kept_page_that_is_gone_leads_to_the_first(engine: FakeEngine, pages: Pages, qtbot: QtBot) -> None:
    QSettings().setValue("window/page", "audiences")
    window = MainWindow(engine, pages.specs())
    qtbot.addWidget(window)
    window.start()
    assert window.page_key == "jobs"


def test_a_query_reads_in_a_thread_and_answers_in_this_one(qtbot: QtBot) -> None:
    answers: list[tuple[object, bool]] = []
    here = threading.current_thread()

    def note(answer: object) -> None:
        answers.append((answer, threading.current_thread() is here))

    def refuse() -> None:
        raise ValueError("no such list")

    run_query(lambda: threading.current_thread() is here, done=note, failed=note)
    qtbot.waitUntil(lambda: len(answers) == 1)
    assert answers == [(False, True)]
    run_query(refuse, done=note, failed=note)
    qtbot.waitUntil(lambda: len(answers) == 2)
    error, in_ui = answers[1]
    assert isinstance(error, ValueError)
    assert in_ui


def test_the_answer_to_a_deleted_page_is_dropped(qtbot: QtBot) -> None:
    class Listener(QWidget):
        heard: ClassVar[list[object]] = []

        def hear(self, answer: object) -> None:
            Listener.heard.append(answer)

    listener = Listener()
    gate = threading.Event()
    others: list[object] = []
    run_query(lambda: gate.wait(5), done=listener.hear, failed=listener.hear)
    run_query(lambda: gate.wait(5), done=lambda _: Listener.heard.append("lambda"), failed=print, owner=listener)
    listener.deleteLater()
    qtbot.waitSignal(listener.destroyed).wait()
    gate.set()
    run_query(lambda: gate.wait(5), done=others.append, failed=others.append)
    qtbot.waitUntil(lambda: len(others) == 1)
    assert Listener.heard == []


def test_an_answer_that_is_out_of_date_when_it_comes_is_dropped(qtbot: QtBot) -> None:
    class Page(QWidget):
        def __init__(self) -> None:
            super().__init__()
            self.shown: list[object] = []

        def show_rows(self, rows: object) -> None:
            self.shown.append(rows)

        def add_rows(self, rows: object) -> None:
            self.shown.append(rows)

    page = Page()
    qtbot.addWidget(page)
    gate = threading.Event()
    run_query(lambda: (gate.wait(5), "before")[1], done=page.show_rows, failed=print)
    run_query(lambda: (gate.wait(5), "other method")[1], done=page.add_rows, failed=print)
    run_query(lambda: (gate.wait(5), "wanted all the same")[1], done=page.show_rows, failed=print, every=True)
    run_query(lambda: "now", done=page.show_rows, failed=print)
    qtbot.waitUntil(lambda: page.shown == ["now"])
    gate.set()
    qtbot.waitUntil(lambda: len(page.shown) == 3)
    assert set(page.shown) == {"now", "other method", "wanted all the same"}
    run_query(lambda: "later", done=page.show_rows, failed=print)
    qtbot.waitUntil(lambda: page.shown[-1] == "later")
    assert "before" not in page.shown


def test_an_operation_tells_its_progress_and_can_be_cancelled(qtbot: QtBot) -> None:
    told: list[int] = []
    ended: list[BaseException] = []

    def count(task: Task) -> None:
        for at in itertools.count(1):
            task.report(at, 1_000_000)

    task = run_operation(count, done=print, failed=ended.append, progress=lambda at, total: told.append(at))
    qtbot.waitUntil(lambda: len(told) >= 3)
    task.cancel()
    qtbot.waitUntil(lambda: bool(ended))
    assert isinstance(ended[0], Cancelled)
    assert len(told) < told[-1] / 10, "reports are passed on ten times a second, not each"


def test_an_operation_without_interest_in_progress_just_ends(qtbot: QtBot) -> None:
    ended: list[object] = []
    run_operation(lambda task: "saved", done=ended.append, failed=ended.append)
    qtbot.waitUntil(lambda: ended == ["saved"])


def test_a_subscriber_is_called_in_the_ui_thread_whatever_thread_announces(qtbot: QtBot) -> None:
    owner = QObject()
    heard: list[tuple[str, bool]] = []
    here = threading.current_thread()
    tell = into_ui(lambda what: heard.append((what, threading.current_thread() is here)), owner)
    announcing = threading.Thread(target=tell, args=("jobs",))
    announcing.start()
    announcing.join()
    qtbot.waitUntil(lambda: heard == [("jobs", True)])


def test_what_nobody_foresaw_is_told_once_with_its_details(
    qapp: QApplication, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    mishaps = Mishaps(qapp)
    for number in range(3):
        error = KeyError(f"column {number}")
        mishaps.caught(KeyError, error, None)
    qtbot.waitUntil(lambda: mishaps._open is not None)
    dialog = mishaps._open
    assert dialog is not None
    assert "KeyError" not in dialog.banner._message.text()
    assert "column 0" in dialog.banner.text(), "the first of them; what follows is often its consequence"
    assert len(caplog.records) == 3
    dialog.close()
    assert mishaps._open is None


def test_a_coroutine_of_the_engine_runs_on_the_shared_loop(qapp: QApplication) -> None:
    import qasync

    heard: list[object] = []

    async def run_job() -> int:
        await asyncio.sleep(0)
        return 41

    async def refuse() -> int:
        raise ValueError("paused")

    async def both() -> None:
        for work in (run_job(), refuse()):
            task = run_async(work, done=heard.append, failed=heard.append)
            await asyncio.wait([task])
        await asyncio.sleep(0)

    loop = qasync.QEventLoop(qapp, already_running=False)
    with loop:
        loop.run_until_complete(both())
    assert heard[0] == 41
    assert isinstance(heard[1], ValueError)
