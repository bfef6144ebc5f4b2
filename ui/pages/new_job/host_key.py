"""The question that an SSH server's key asks: is this really the server?"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.authorizations import HostKeyChanged, HostKeyUnknown
from ui.theme import mono_font
from ui.widgets import Banner, Button, set_kind


class HostKeyDialog(QDialog):
    """Shows the fingerprint of a server's key; `trust` accepts it, `cancel` sends nothing to the server."""

    def __init__(self, parent: QWidget, error: HostKeyUnknown | HostKeyChanged) -> None:
        super().__init__(parent)
        self.setModal(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(12)
        port = "" if error.port == 22 else f", port {error.port}"
        changed = isinstance(error, HostKeyChanged)
        title = f"{error.host} shows another key" if changed else f"Is this {error.host}?"
        self.setWindowTitle(title)
        heading = set_kind(QLabel(title), "title")
        heading.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(heading)
        if isinstance(error, HostKeyChanged):
            warning = Banner()
            warning.tell(
                "warning",
                "This is not the key that was trusted before.",
                "Ask the server's owner whether the key was replaced. If it was not, somebody may be listening.",
            )
            layout.addWidget(warning)
            self._facts(layout, "Trusted until now", error.expected)
            self._facts(layout, "Shown now", error.fingerprint)
        else:
            self._say(
                layout,
                f"The server {error.host}{port} was not met before. Compare the fingerprint of its {error.key_type} "
                "key with the one that its owner gave you.",
            )
            self._facts(layout, "Fingerprint", error.fingerprint)
        self._say(layout, "Nothing was sent to the server so far: no user name, no password.")
        row = QHBoxLayout()
        row.setContentsMargins(0, 10, 0, 0)
        row.setSpacing(10)
        row.addStretch(1)
        self.cancel = Button("Cancel", clicked=self.reject)
        kind = "danger-primary" if changed else "primary"
        self.trust = Button("Trust the new key" if changed else "Trust", kind, clicked=self.accept)
        row.addWidget(self.cancel)
        row.addWidget(self.trust)
        layout.addLayout(row)
        # Trust is given by an answer, not by a Return that was meant for something else.
        self.cancel.setFocus()

    def _say(self, layout: QVBoxLayout, text: str) -> None:
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setMinimumWidth(460)
        layout.addWidget(label)

    def _facts(self, layout: QVBoxLayout, name: str, value: str) -> None:
        layout.addWidget(set_kind(QLabel(name), "secondary"))
        shown = QLabel(value)
        shown.setFont(mono_font(12))
        shown.setTextFormat(Qt.TextFormat.PlainText)
        shown.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        shown.setAccessibleName(f"{name}: {value}")
        layout.addWidget(shown)


def ask_host_key(
    parent: QWidget, error: HostKeyUnknown | HostKeyChanged, accepted: Callable[[], object]
) -> HostKeyDialog:
    """Ask without blocking; `accepted` is called when the user trusts the key, which is `error.key`."""
    dialog = HostKeyDialog(parent, error)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(accepted)
    dialog.open()
    return dialog
