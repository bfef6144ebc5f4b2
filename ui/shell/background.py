"""The two ways off the UI thread, and one for what is already asynchronous.

`run_query` reads, `run_operation` changes something and can report and be cancelled. Both call back in the UI
thread, and drop the callback when its owner was deleted meanwhile. The owner is the widget whose method `done` is,
or the one given.

    run_query(lambda: list_jobs(engine), done=self.model.set_rows, failed=self.banner.tell_error, owner=self)

    task = run_operation(lambda task: export_profiles(engine, target, task.report),
                         done=self._exported, failed=self.banner.tell_error, progress=self._shown)
    cancel_button.clicked.connect(task.cancel)

`run_async` starts a coroutine on the asyncio loop that Qt and the engine's supervisor share:

    run_async(engine.supervisor.run(job_id), done=self._started, failed=self.banner.tell_error, owner=self)

They need nothing but a Qt event loop; only `run_async` needs an asyncio loop in this thread.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal
from shiboken6 import isValid

Result = TypeVar("Result")
_COURIER = "causewayCourier"
_REPORT_EVERY = 0.1


class Cancelled(Exception):
    """The user cancelled; `failed` receives it like any error and usually says nothing."""

    message = "Cancelled."
    advice = ""
    details = ""


class _Courier(QObject):
    """Lives in the UI thread and calls what other threads hand to it."""

    deliver = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName(_COURIER)
        self.deliver.connect(self._call, Qt.ConnectionType.QueuedConnection)

    def _call(self, call: Callable[[], object]) -> None:
        call()


def _courier() -> _Courier:
    application = QCoreApplication.instance()
    if application is None:
        raise RuntimeError("background work needs a running application")
    found = application.findChild(_Courier, _COURIER, Qt.FindChildOption.FindDirectChildrenOnly)
    return found if isinstance(found, _Courier) else _Courier(application)


@functools.cache
def _pool(kind: str, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix=f"causeway-{kind}")


def _owner_of(done: Callable[..., object] | None, owner: QObject | None) -> QObject | None:
    found = owner if owner is not None else getattr(done, "__self__", None)
    return found if isinstance(found, QObject) else None


def _deliver(courier: _Courier, owner: QObject | None, call: Callable[[], object]) -> None:
    """Have `call` called in the UI thread, unless the owner or the application is gone by then."""

    def guarded() -> None:
        if owner is None or isValid(owner):
            call()

    if isValid(courier):
        courier.deliver.emit(guarded)


def into_ui(callback: Callable[..., object], owner: QObject | None = None) -> Callable[..., None]:
    """Wrap a callback so that it may be called in any thread and runs in the UI thread; call this in the UI thread.

    For what the engine announces: `engine.changes.subscribe(into_ui(self._changed))`.
    """
    courier, keeper = _courier(), _owner_of(callback, owner)

    def call(*args: Any) -> None:
        _deliver(courier, keeper, functools.partial(callback, *args))

    return call


_numbers = itertools.count(1)
_answered: WeakKeyDictionary[QObject, dict[str, int]] = WeakKeyDictionary()
"""By owner and the name of its method, the newest query that was answered."""


def run_query(
    fn: Callable[[], Result],
    *,
    done: Callable[[Result], object],
    failed: Callable[[BaseException], object],
    owner: QObject | None = None,
    every: bool = False,
) -> None:
    """Read something in a thread. `done(result)` or `failed(error)` follows in the UI thread.

    Where `done` is a method, what comes after the answer of a later query with the same method is out of date and
    dropped, unless `every` answer counts.
    """
    courier, keeper, number = _courier(), _owner_of(done, owner), next(_numbers)
    name = getattr(done, "__name__", "") if getattr(done, "__self__", None) is keeper else ""

    def answer(call: Callable[[], object]) -> None:
        if name and keeper is not None and not every:
            newest = _answered.setdefault(keeper, {})
            if newest.get(name, 0) > number:
                return
            newest[name] = number
        call()

    def work() -> None:
        try:
            result = fn()
        except Exception as error:
            _deliver(courier, keeper, functools.partial(answer, functools.partial(failed, error)))
        else:
            _deliver(courier, keeper, functools.partial(answer, functools.partial(done, result)))

    _pool("query", 4).submit(work)


class Task:
    """An operation under way: `cancel()` from the window; `report(...)` and `cancelled` for the work itself."""

    def __init__(self, tell: Callable[..., None] | None) -> None:
        self._tell = tell
        self._stop = threading.Event()
        self._told = 0.0

    @property
    def cancelled(self) -> bool:
        """Whether the user wants it to stop."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Ask it to stop at its next report; `failed(Cancelled())` follows."""
        self._stop.set()

    def report(self, *figures: Any) -> None:
        """Tell how far it is; passed on at most ten times a second. Raises Cancelled when the user wants it to stop."""
        if self._stop.is_set():
            raise Cancelled
        now = time.monotonic()
        if self._tell is not None and now - self._told >= _REPORT_EVERY:
            self._told = now
            self._tell(*figures)


def run_operation(
    fn: Callable[[Task], Result],
    *,
    done: Callable[[Result], object],
    failed: Callable[[BaseException], object],
    progress: Callable[..., object] | None = None,
    owner: QObject | None = None,
) -> Task:
    """Change something in a thread. `fn` gets the Task, to report to and to be cancelled by.

    `progress(*figures)` receives what `task.report(*figures)` was given, in the UI thread.
    """
    courier, keeper = _courier(), _owner_of(done, owner)

    def tell(*figures: Any) -> None:
        assert progress is not None
        _deliver(courier, keeper, functools.partial(progress, *figures))

    task = Task(tell if progress is not None else None)

    def work() -> None:
        try:
            if task.cancelled:
                raise Cancelled
            result = fn(task)
        except Exception as error:
            _deliver(courier, keeper, functools.partial(failed, error))
        else:
            _deliver(courier, keeper, functools.partial(done, result))

    _pool("operation", 4).submit(work)
    return task


_running: set[asyncio.Task[Any]] = set()


def run_async(
    work: Coroutine[Any, Any, Result],
    *,
    done: Callable[[Result], object],
    failed: Callable[[BaseException], object],
    owner: QObject | None = None,
) -> asyncio.Task[Result]:
    """Start a coroutine of the engine on the loop that it shares with the window; it must not block.

    Raises RuntimeError where no asyncio loop runs in this thread.
    """
    keeper = _owner_of(done, owner)
    task = asyncio.get_event_loop().create_task(work)
    # The loop itself holds tasks only weakly.
    _running.add(task)

    def ended(task: asyncio.Task[Result]) -> None:
        _running.discard(task)
        if keeper is not None and not isValid(keeper):
            return
        if task.cancelled():
            failed(Cancelled())
        elif (error := task.exception()) is not None:
            failed(error)
        else:
            done(task.result())

    task.add_done_callback(ended)
    return task
