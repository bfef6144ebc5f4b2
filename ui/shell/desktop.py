"""Notifications of the desktop: what happened while somebody looks elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from app.alerts import SystemEvent
from app.alerts.notifications import Popping
from app.changes import Change
from app.engine import Engine
from ui.shell.background import into_ui, run_query

REST_MS = 1_000
"""Changes come in showers; what they bring is told at once, in one notification."""
MOST_LINES = 3
ABOUT = ("jobs", "runs", "authorizations", "schema")
Tell = Callable[[str, str, bool], None]
"""Title, text, and whether somebody has to do something."""


class Desktop(QObject):
    """Tells of new events, those of the kinds that are switched on in the settings, by `tell`."""

    def __init__(self, engine: Engine, tell: Tell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tell = tell
        self._popping = Popping(engine)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.look)
        self.destroyed.connect(engine.changes.subscribe(into_ui(self._changed, self)))

    def _changed(self, change: Change) -> None:
        if change.what in ABOUT and not self._rest.isActive():
            self._rest.start()

    def look(self) -> None:
        """Ask for what is new, off the UI thread."""
        run_query(self._popping.new, done=self._told, failed=self._not_read, owner=self, every=True)

    def _told(self, events: Sequence[SystemEvent]) -> None:
        if events:
            self._tell(*message(events), any(event.wording.bad for event in events))

    def _not_read(self, error: BaseException) -> None:
        """A workspace that can't be read is told by the window's rail; the next look tells what is new."""


def message(events: Sequence[SystemEvent]) -> tuple[str, str]:
    """Title and text of one notification for all of these events, the oldest first."""
    if len(events) == 1:
        return events[0].title, events[0].message
    lines = [event.title for event in reversed(events)][:MOST_LINES]
    if len(events) > MOST_LINES:
        lines.append(f"and {len(events) - MOST_LINES} more")
    return f"{len(events)} notifications", "\n".join(lines)


class Tray(QObject):
    """The program's icon in the tray, where the desktop has one.

    `clicked` follows a click on a message, `opened` one on the icon, `ended` the wish to end the program.
    """

    def __init__(
        self,
        clicked: Callable[[], object],
        opened: Callable[[], object],
        ended: Callable[[], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon: QSystemTrayIcon | None = None
        self._menu = QMenu()
        self._menu.addAction("Open Causeway", opened)
        self._menu.addAction("Stop and close", ended)
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._icon = QSystemTrayIcon(QApplication.windowIcon(), self)
            self._icon.setToolTip("Causeway")
            self._icon.setContextMenu(self._menu)
            self._icon.activated.connect(
                lambda reason: opened() if reason == QSystemTrayIcon.ActivationReason.Trigger else None
            )
            self._icon.messageClicked.connect(clicked)
            self._icon.show()

    @property
    def present(self) -> bool:
        """Whether there is one."""
        return self._icon is not None

    def tell(self, title: str, text: str, bad: bool) -> None:
        """Show a message; nothing happens on a desktop without a tray."""
        if self._icon is not None:
            kind = QSystemTrayIcon.MessageIcon.Warning if bad else QSystemTrayIcon.MessageIcon.Information
            self._icon.showMessage(title, text, kind)
