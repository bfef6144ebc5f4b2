"""Where secrets are kept when it is not ready: a new secrets file, or one that is locked."""

from __future__ import annotations

import functools
from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.engine import Engine
from app.errors import VaultLocked, VaultMissing
from app.vault import VaultState
from app.vault.vault import PASSPHRASE_LEAST
from ui.pages.authorizations.dialogs import FormDialog
from ui.shell.background import run_operation, run_query
from ui.widgets import Banner, Button, FormField, LinkButton, PasswordField


class PassphraseDialog(FormDialog):
    """Makes a secrets file under a passphrase that is entered twice, or opens the one there is."""

    def __init__(self, parent: QWidget, engine: Engine, *, create: bool) -> None:
        super().__init__(parent, "Create a secrets file" if create else "Unlock the secrets file")
        self._engine, self._create = engine, create
        self.say(
            "Passwords and keys of this workspace go into one encrypted file that only this passphrase opens. Causeway "
            "asks for it after each start. Nobody can recover it: without it, the secrets have to be entered again."
            if create
            else "It stays open until Causeway is closed."
        )
        self.passphrase = PasswordField()
        self.first = FormField(
            "Passphrase",
            self.passphrase,
            help=f"At least {PASSPHRASE_LEAST} characters" if create else "",
            required=True,
        )
        self.add(self.first)
        self.again = PasswordField()
        self.second = FormField("The same once more", self.again, required=True)
        if create:
            self.add(self.second)
        self.passphrase.textChanged.connect(lambda _: self.first.set_error(""))
        self.again.textChanged.connect(lambda _: self.second.set_error(""))
        self.finish("Create secrets file" if create else "Unlock")
        self.passphrase.setFocus()

    def act(self) -> None:
        vault, passphrase = self._engine.vault, self.passphrase.text()
        if self._create and len(passphrase) < PASSPHRASE_LEAST:
            self.first.set_error(f"The passphrase is shorter than {PASSPHRASE_LEAST} characters. Choose a longer one.")
            self.passphrase.setFocus()
            return
        if self._create and passphrase != self.again.text():
            self.second.set_error("This differs from the passphrase above. Enter the same twice.")
            self.again.setFocus()
            return
        self.set_busy(True)
        # Making a key out of a passphrase takes a while, on purpose.
        run_operation(
            lambda _: vault.create_file(passphrase) if self._create else vault.unlock(passphrase),
            done=lambda _: self.accept(),
            failed=self._failed,
            owner=self,
        )

    def _failed(self, error: BaseException) -> None:
        self.set_busy(False)
        if isinstance(error, VaultLocked):
            self.first.set_error(f"{error.message} {error.advice}")
            self.passphrase.selectAll()
            self.passphrase.setFocus()
        else:
            self.banner.tell_error(error)


class VaultHelp:
    """Offers, under a message that secrets can't be reached, what makes them reachable; then calls `ready`."""

    def __init__(self, engine: Engine, owner: QWidget, banner: Banner, ready: Callable[[], object]) -> None:
        self._engine, self._owner, self._banner, self._ready = engine, owner, banner, ready

    def tell_state(self, state: VaultState) -> bool:
        """Say in the banner what is missing or locked; False, and the banner taken back, when nothing is."""
        action = self._action(state)
        if action is None:
            self._banner.hide()
            return False
        advice = (
            "Without either, only authorizations that need no secret can be added."
            if state.kind == "none"
            else "Unlock it to check authorizations and to run jobs that sign in."
        )
        self._banner.tell("warning", state.sentence, advice, action=action)
        return True

    def tell_error(self, error: BaseException) -> None:
        """Say an error; where the vault is the reason, with what helps."""
        self._banner.tell_error(error)
        if isinstance(error, VaultMissing | VaultLocked):
            run_query(
                self._engine.vault.state,
                done=lambda state: self._banner.tell_error(error, self._action(state)),
                failed=self._banner.tell_error,
                owner=self._owner,
            )

    def _action(self, state: VaultState) -> Button | None:
        if state.kind == "none":
            return LinkButton("Create secrets file…", clicked=functools.partial(self.ask, create=True))
        if not state.locked:
            return None
        if state.kind == "file":
            return LinkButton("Unlock…", clicked=functools.partial(self.ask, create=False))
        return LinkButton("Unlock…", clicked=self._unlock_keyring)

    def ask(self, *, create: bool) -> PassphraseDialog:
        """Open the dialog for the passphrase."""
        dialog = PassphraseDialog(self._owner, self._engine, create=create)
        dialog.accepted.connect(self._opened)
        dialog.open()
        return dialog

    def _unlock_keyring(self) -> None:
        """The keyring itself asks the user, in a window of its own."""
        run_operation(
            lambda _: self._engine.vault.make_ready(),
            done=lambda _: self._opened(),
            failed=self._banner.tell_error,
            owner=self._owner,
        )

    def _opened(self) -> None:
        self._banner.hide()
        self._ready()
