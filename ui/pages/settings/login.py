"""The card of the settings that has Causeway begin as the user logs in."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLabel

from app.login_start import AS_SERVICE, NO_DESKTOP, login_start, start_at_login, starts_at_login
from ui.shell.background import run_operation, run_query
from ui.widgets import Card, CheckBox, set_kind


class LoginCard(Card):
    """One box; what it shows is asked of the system, and `failed` is told what the system refused."""

    def __init__(self, failed: Callable[[BaseException], object]) -> None:
        super().__init__("With this computer")
        self._failed = failed
        self._keeper = keeper = login_start()
        self.box = CheckBox("Start at login")
        self.box.setEnabled(keeper is not None)
        self.box.clicked.connect(self._choose)
        self.add(self.box)
        self.said = set_kind(QLabel(f"{NO_DESKTOP} {AS_SERVICE}"), "muted")
        if keeper is not None:
            self.said.setText(
                "Causeway opens in the tray, on the workspace that was used last, and runs what falls due. "
                f"The system is told so in {keeper.place}."
            )
        self.said.setWordWrap(True)
        self.add(self.said)

    def refresh(self) -> None:
        """Ask the system what holds; somebody may have changed it there."""
        run_query(lambda: starts_at_login(self._keeper), done=self.box.setChecked, failed=self._failed, owner=self)

    def _choose(self, on: bool) -> None:
        run_operation(
            lambda task: start_at_login(self._keeper, on),
            done=lambda _: self.refresh(),
            failed=self._not_chosen,
            owner=self,
        )

    def _not_chosen(self, error: BaseException) -> None:
        self._failed(error)
        self.refresh()
