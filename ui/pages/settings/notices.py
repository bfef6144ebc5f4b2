"""Cards of the settings: which notifications the desktop shows, and how requests leave this computer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QLabel, QLineEdit

from app.workspace.settings import SETTINGS
from ui.widgets import Card, CheckBox, FormField, NumberField, set_kind

Keep = Callable[[str, str | int | bool], None]
KINDS = (
    ("notify_failed", "Jobs that fail, and quotas"),
    ("notify_completed", "Jobs that are completed"),
    ("notify_authorizations", "Authorizations that stop or begin to work"),
)
SHOWN = (*(name for name, _ in KINDS), "check_hours", "proxy")
"""The settings that these cards show."""


class DesktopCard(Card):
    """One box for each kind of notification; `keep(name, value)` saves a setting."""

    def __init__(self, keep: Keep) -> None:
        super().__init__("Notifications on the desktop")
        self.boxes: dict[str, CheckBox] = {}
        for name, word in KINDS:
            box = CheckBox(word, bool(SETTINGS[name].default))
            box.clicked.connect(lambda on=False, name=name: keep(name, on))
            self.boxes[name] = box
            self.add(box)
            self.add(_sentence(SETTINGS[name].sentence))

    def show_settings(self, values: Mapping[str, object]) -> None:
        """Show what is set."""
        for name, box in self.boxes.items():
            box.setChecked(bool(values[name]))


class NetworkCard(Card):
    """How often authorizations are tried, and the proxy."""

    def __init__(self, keep: Keep) -> None:
        super().__init__("Network")
        checked = SETTINGS["check_hours"]
        self.hours = NumberField(int(checked.default), checked.least, checked.most)
        self.hours.setFixedWidth(86)
        self.hours.setKeyboardTracking(False)
        self.hours.valueChanged.connect(lambda hours: keep("check_hours", hours))
        self.add(FormField("Try authorizations every … hours", self.hours, help=checked.sentence, required=True))
        self.proxy = QLineEdit()
        self.proxy.setPlaceholderText("http://proxy.agency.example:3128")
        self.proxy.editingFinished.connect(self._proxy_entered)
        self._keep, self._kept_proxy = keep, ""
        self.add(FormField("Proxy", self.proxy, help=SETTINGS["proxy"].sentence))

    def _proxy_entered(self) -> None:
        # Leaving the field is no change of it.
        entered = self.proxy.text().strip()
        if entered != self._kept_proxy:
            self._kept_proxy = entered
            self._keep("proxy", entered)

    def show_settings(self, values: Mapping[str, object]) -> None:
        """Show what is set, but for what is being edited."""
        if not self.hours.hasFocus():
            blocked = self.hours.blockSignals(True)
            self.hours.setValue(int(str(values["check_hours"])))
            self.hours.blockSignals(blocked)
        if not self.proxy.hasFocus():
            self._kept_proxy = str(values["proxy"])
            self.proxy.setText(self._kept_proxy)


def _sentence(text: str) -> QLabel:
    label = set_kind(QLabel(text), "muted")
    label.setWordWrap(True)
    return label
