"""The dialog that makes an authorization, or enters the values of one anew; both can be tried before saving."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.authorizations import (
    HOST_KEY,
    Account,
    AuthorizationInfo,
    HostKeyChanged,
    HostKeyUnknown,
    add_authorization,
    check_values,
    edit_authorization,
)
from app.catalog import AuthorizationMethod
from app.engine import Engine
from ui.forms.fields import FieldsForm
from ui.pages.authorizations.dialogs import FormDialog
from ui.pages.authorizations.vault import VaultHelp
from ui.pages.new_job.host_key import ask_host_key
from ui.shell.background import run_operation
from ui.widgets import Button, ComboBox, FormField, Scroll

WIDTH = 540
TALLEST_FORM = 430
OF_THE_SERVER = ("host", "port")
"""What was confirmed as a server's key holds for one host and port."""


class AuthorizationDialog(FormDialog):
    """`saved(id)` follows when it is kept. With `info` it enters that authorization's values anew.

    `methods` limits a new one to these ways to sign in.
    """

    saved = Signal(int)

    def __init__(
        self, parent: QWidget, engine: Engine, info: AuthorizationInfo | None = None, methods: Sequence[str] = ()
    ) -> None:
        super().__init__(parent, f"Re-authorize “{info.name}”" if info is not None else "New authorization", WIDTH)
        self._engine, self._info = engine, info
        content = QWidget()
        self._content = QVBoxLayout(content)
        self._content.setContentsMargins(0, 0, 12, 0)
        self._content.setSpacing(14)
        self.method = ComboBox()
        self.name = QLineEdit()
        self.name.setPlaceholderText("For example Agency SFTP")
        self.name_field = FormField("Name", self.name, help="As jobs and lists show it", required=True)
        self.name.textChanged.connect(lambda _: self.name_field.set_error(""))
        if info is None:
            self.method.add_choices(
                (f"{provider.name}: {method.name}", method.slug)
                for provider in engine.catalog.providers
                for method in provider.authorizations
                if not methods or method.slug in methods
            )
            self.choice = FormField("Sign in to", self.method, help=" ", required=True)
            self._content.addWidget(self.choice)
            self._content.addWidget(self.name_field)
        self._content.addStretch(1)
        self.form = self._make_form()
        self.method.value_changed.connect(lambda _: self._method_chosen())
        self._scroll = Scroll(content)
        self.add(self._scroll, 1)
        self.test = Button("Test connection", clicked=self.try_values)
        self.finish("Save", self.test)
        self.help = VaultHelp(engine, self, self.banner, lambda: self._again())  # noqa: PLW0108
        self._again: Callable[[], object] = self.act
        self._fit()
        (self.name if info is None else next(iter(self.form.fields.values())).control).setFocus()

    @property
    def _chosen(self) -> AuthorizationMethod:
        return self._engine.catalog.method(self._info.method if self._info is not None else str(self.method.value()))

    def _make_form(self) -> FieldsForm:
        method, info = self._chosen, self._info
        if info is None:
            self.choice.set_help(method.summary)
        form = FieldsForm(method.fields, info.settings, info.secret_names) if info else FieldsForm(method.fields)
        form.changed.connect(self._edited)
        self._content.insertWidget(self._content.count() - 1, form)
        return form

    def _method_chosen(self) -> None:
        old = self.form
        self._content.removeWidget(old)
        old.hide()
        old.deleteLater()
        self.banner.hide()
        self.form = self._make_form()
        self._fit()

    def _fit(self) -> None:
        """As high as the form, up to where it scrolls."""
        self._content.activate()
        self._scroll.setMinimumHeight(min(self._content.sizeHint().height(), TALLEST_FORM))
        self.adjustSize()

    def _edited(self, name: str) -> None:
        if name in OF_THE_SERVER and any(field.name == HOST_KEY for field in self._chosen.fields):
            self.form.set_value(HOST_KEY, "")
        self.banner.hide()

    def _set_busy(self, busy: bool) -> None:
        self.set_busy(busy)
        self._scroll.setEnabled(not busy)

    def _complete(self) -> bool:
        if self.form.complete():
            return True
        missing = self.focusWidget()
        if missing is not None:
            self._scroll.ensureWidgetVisible(missing, 0, 80)
        return False

    # trying

    def try_values(self) -> None:
        """Really sign in with what was entered, saving nothing."""
        if not self._complete():
            return
        self._again = self.try_values
        engine, info, method, entered = self._engine, self._info, self._chosen.slug, self.form.values()

        def work() -> Account:
            kept = engine.vault.load(info.id, info.secret_names) if info is not None else {}
            return check_values(engine, method, kept | entered)

        self._set_busy(True)
        run_operation(lambda _: work(), done=self._works, failed=self._does_not_work, owner=self)

    def _works(self, account: Account) -> None:
        self._set_busy(False)
        self.banner.tell("success", f"It works: {account.description}.")

    def _does_not_work(self, error: BaseException) -> None:
        self._set_busy(False)
        if self._at_field(error):
            return
        if isinstance(error, HostKeyUnknown | HostKeyChanged):
            ask_host_key(self, error, functools.partial(self._trust, error.key))
        else:
            self.help.tell_error(error)

    def _trust(self, key: str) -> None:
        self.form.set_value(HOST_KEY, key)
        self.try_values()

    # saving

    def act(self) -> None:
        """Keep what was entered; the secrets go into the vault."""
        name = self.name.text().strip()
        complete = self._complete()
        if self._info is None and not name:
            self.name_field.set_error("The authorization needs a name. Enter one.")
            self.name.setFocus()
            self._scroll.ensureWidgetVisible(self.name_field)
            return
        if not complete:
            return
        self._again = self.act
        engine, info, method, entered = self._engine, self._info, self._chosen.slug, self.form.values()

        def work() -> int:
            if info is None:
                return add_authorization(engine, method, name, entered)
            edit_authorization(engine, info.id, values=entered)
            return info.id

        self._set_busy(True)
        run_operation(lambda _: work(), done=self._saved, failed=self._not_saved, owner=self)

    def _saved(self, authorization_id: int) -> None:
        self.saved.emit(authorization_id)
        self.accept()

    def _not_saved(self, error: BaseException) -> None:
        self._set_busy(False)
        if not self._at_field(error):
            self.help.tell_error(error)

    def _at_field(self, error: BaseException) -> bool:
        """Say what is wrong with a key where it was entered; False for other errors."""
        told = self.form.show_error(error)
        focused = self.focusWidget()
        if told and focused is not None:
            self._scroll.ensureWidgetVisible(focused, 0, 80)
        return told
