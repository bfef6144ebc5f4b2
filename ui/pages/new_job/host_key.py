"""Asks whether a server is trusted, by the fingerprint of its key."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from connectors.kit.errors import HostKeyChanged, HostKeyUnknown
from ui.theme import mono_font
from ui.widgets import Button, set_kind

SSH_PORT = 22


class HostKeyDialog(QDialog):
    """Shows a server with its key; a key that changed is shown beside the one that was confirmed before."""

    def __init__(self, parent: QWidget, error: HostKeyUnknown | HostKeyChanged) -> None:
        super().__init__(parent)
        changed = isinstance(error, HostKeyChanged)
        title = "The server shows another key" if changed else "Do you know this server?"
        self.setWindowTitle(title)
        self.setModal(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(12)
        for text, kind in ((title, "title"), (_sentence(error), "muted")):
            label = set_kind(QLabel(text), kind)
            label.setWordWrap(True)
            label.setMinimumWidth(480)
            layout.addWidget(label)
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, (name, value) in enumerate(_facts(error)):
            grid.addWidget(set_kind(QLabel(name), "muted"), row, 0)
            shown = QLabel(value)
            shown.setFont(mono_font(12))
            shown.setTextFormat(Qt.TextFormat.PlainText)
            shown.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            shown.setAccessibleName(f"{name}: {value}")
            grid.addWidget(shown, row, 1)
        layout.addLayout(grid)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(0, 8, 0, 0)
        buttons.setSpacing(10)
        buttons.addStretch(1)
        self.cancel = Button("Cancel", clicked=self.reject)
        # Trusting a key that changed may let somebody listen: it looks as grave as it is.
        self.trust = Button("Trust this server", "danger-primary" if changed else "primary", clicked=self.accept)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.trust)
        layout.addLayout(buttons)
        self.cancel.setFocus()


def ask_host_key(
    parent: QWidget, error: HostKeyUnknown | HostKeyChanged, accepted: Callable[[], object]
) -> HostKeyDialog:
    """Ask without blocking; `accepted` is called when the user trusts `error.key`."""
    dialog = HostKeyDialog(parent, error)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(accepted)
    dialog.open()
    return dialog


def _sentence(error: HostKeyUnknown | HostKeyChanged) -> str:
    if isinstance(error, HostKeyChanged):
        return (
            "Nothing was sent to it. Ask the server's owner whether the key was replaced. If it was not, somebody "
            "may be listening: cancel."
        )
    return (
        "Causeway meets it for the first time. Compare the fingerprint with the one that the server's owner gave "
        "you. From then on only this key is accepted."
    )


def _facts(error: HostKeyUnknown | HostKeyChanged) -> list[tuple[str, str]]:
    server = error.host if error.port == SSH_PORT else f"{error.host}, port {error.port}"
    facts = [("Server", server), ("Key type", error.key.split()[0]), ("Fingerprint", error.fingerprint)]
    if isinstance(error, HostKeyChanged):
        facts.append(("Before", error.expected))
    return facts
