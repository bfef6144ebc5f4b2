"""The third step: with whose account, one that is kept or a new one."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from app.authorizations import (
    HOST_KEY,
    Account,
    AuthorizationInfo,
    ConnectorError,
    HostKeyChanged,
    HostKeyUnknown,
    add_authorization,
    check_authorization,
    check_values,
    list_authorizations,
)
from app.catalog import Provider
from app.engine import Engine
from app.errors import CausewayError
from ui.forms.fields import FieldsForm
from ui.pages.authorizations.vault import VaultHelp
from ui.pages.new_job.host_key import ask_host_key
from ui.shell.background import run_operation, run_query
from ui.widgets import (
    Banner,
    Button,
    Card,
    ComboBox,
    FormField,
    LinkButton,
    Scroll,
    Spinner,
    TileData,
    TileGrid,
    set_kind,
    words,
)


class AuthorizationPane(QWidget):
    """The authorizations that fit, and a form for a new one. `chosen(id)`; `went_on(id)` also asks to continue.

    `form_shown(bool)`: the form for a new one came or went.
    """

    chosen = Signal(int)
    went_on = Signal(int)
    form_shown = Signal(bool)
    lost = Signal()
    """The chosen one is not there any more."""

    def __init__(self, engine: Engine, banner: Banner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._engine, self._banner = engine, banner
        self._methods: tuple[str, ...] = ()
        self._provider: Provider | None = None
        self._wanted: int | None = None
        self.form: FieldsForm | None = None
        self._again: Callable[[], object] = self.show_form
        self._help = VaultHelp(engine, self, banner, lambda: self._again())  # noqa: PLW0108
        self.grid = TileGrid(name="Authorizations", least_width=300, tile_height=110)
        self.grid.chosen.connect(lambda key: self.chosen.emit(int(key)))
        self.grid.went_on.connect(lambda key: self.went_on.emit(int(key)))
        self.add_button = Button("New authorization", icon="plus", clicked=self.show_form)
        top = QHBoxLayout()
        top.addWidget(set_kind(QLabel("Which account is the job to use?"), "muted"))
        top.addStretch(1)
        top.addWidget(self.add_button)
        listed = QWidget()
        column = QVBoxLayout(listed)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(Scroll(self.grid), 1)
        self.stack = QStackedWidget()
        self.stack.addWidget(listed)
        self.stack.addWidget(self._form_card())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack, 1)

    def _form_card(self) -> QWidget:
        card = Card("New authorization")
        self.method = ComboBox()
        self.method.value_changed.connect(self._method_chosen)
        self.name = QLineEdit()
        self.name_field = FormField("Name", self.name, help="What it is called in lists", required=True)
        self.name.textChanged.connect(lambda _: self.name_field.set_error(""))
        self._slot = QVBoxLayout()
        self.test = Button("Test connection", clicked=lambda: self._try(self._tested))
        self.save = Button("Save and use", "primary", clicked=lambda: self._try(self._keep))
        self.back = Button("Cancel", clicked=self.hide_form)
        self.spinner = Spinner()
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        for widget in (self.save, self.test, self.spinner, self.back):
            buttons.addWidget(widget)
        buttons.addStretch(1)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(14)
        self.method_field = FormField("Kind", self.method, required=True)
        column.addWidget(self.method_field)
        column.addWidget(self.name_field)
        column.addLayout(self._slot)
        column.addStretch(1)
        card.add(Scroll(inside), 1)
        card.add(buttons)
        card.setMaximumWidth(620)
        return card

    def show_methods(self, provider: Provider, methods: tuple[str, ...], chosen: int | None) -> None:
        """Offer the authorizations of these methods."""
        if methods != self._methods:
            self._methods = methods
            self.hide_form()
        self._provider, self._wanted = provider, chosen
        engine = self._engine
        run_query(lambda: list_authorizations(engine), done=self._listed, failed=self._banner.tell_error, owner=self)

    def _listed(self, found: list[AuthorizationInfo]) -> None:
        fitting = [info for info in found if info.method in self._methods]
        provider = self._provider
        if provider is None:
            return
        self.grid.set_tiles(
            TileData(
                str(info.id),
                info.name,
                f"{info.method_name}. {_state(info)}",
                mark=provider.slug,
                mark_name=provider.name,
                status=_pill(info),
            )
            for info in fitting
        )
        ids = {info.id for info in fitting}
        if self._wanted is not None and self._wanted not in ids:
            self.lost.emit()
        if self._wanted not in ids and len(fitting) == 1:
            self._wanted = fitting[0].id
            self.chosen.emit(self._wanted)
        self.grid.choose(str(self._wanted) if self._wanted in ids else "")
        if not fitting:
            self.show_form()
        self.back.setVisible(bool(fitting))

    def show_form(self) -> None:
        """Ask for a new authorization."""
        engine = self._engine
        self.method.set_choices((engine.catalog.method(slug).name, slug) for slug in self._methods)
        self.method_field.setVisible(len(self._methods) > 1)
        if self.method.value() is None and self._methods:
            self.method.set_value(self._methods[0])
        if self.form is None:
            self._method_chosen(self.method.value())
        self.stack.setCurrentIndex(1)
        self.form_shown.emit(True)

    def hide_form(self) -> None:
        """Back to the list."""
        self._banner.hide()
        self.stack.setCurrentIndex(0)
        self.form_shown.emit(False)

    @property
    def asking(self) -> bool:
        """Whether the form for a new one is shown."""
        return self.stack.currentIndex() == 1

    def _method_chosen(self, slug: object) -> None:
        if not isinstance(slug, str):
            return
        method = self._engine.catalog.method(slug)
        self.method_field.set_help(method.summary)
        if self.form is not None:
            self._slot.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
        self.form = FieldsForm(method.fields)
        self._slot.addWidget(self.form)

    # trying and keeping

    def _try(self, done: Callable[[str, dict[str, str], Account], object]) -> None:
        """Sign in with what was entered; `done` gets the method, the values and the account."""
        form, method = self.form, self.method.value()
        if form is None or not isinstance(method, str):
            return
        named = bool(self.name.text().strip())
        self.name_field.set_error("" if named else "The authorization needs a name.")
        if not form.complete() or not named:
            return
        self._banner.hide()
        values, engine = form.values(), self._engine
        self._busy(True)
        run_operation(
            lambda task: check_values(engine, method, values),
            done=functools.partial(done, method, values),
            failed=functools.partial(self._refused, done, method, values),
            owner=self,
        )

    def _refused(
        self,
        done: Callable[[str, dict[str, str], Account], object],
        method: str,
        values: dict[str, str],
        error: BaseException,
    ) -> None:
        self._busy(False)
        if self.form is not None and self.form.show_error(error):
            return
        if isinstance(error, HostKeyUnknown | HostKeyChanged):
            key = error.key

            def trusted() -> None:
                if self.form is not None:
                    self.form.set_value(HOST_KEY, key)
                    self._try(done)

            ask_host_key(self, error, trusted)
            return
        anyway = None
        if done == self._keep:
            anyway = LinkButton("Save it anyway", clicked=lambda: self._keep(method, values, None))
        self._banner.tell_error(error, anyway)

    def _tested(self, method: str, values: dict[str, str], account: Account) -> None:
        self._busy(False)
        self._banner.tell("success", "It works.", account.description)

    def _keep(self, method: str, values: dict[str, str], account: Account | None) -> None:
        name, engine = self.name.text().strip(), self._engine
        self._again = functools.partial(self._keep, method, values, account)
        self._busy(True)

        def keep(_: object) -> int:
            kept = add_authorization(engine, method, name, values)
            # What it says is remembered and shown in the list; the user has just been told.
            with contextlib.suppress(ConnectorError, CausewayError):
                check_authorization(engine, kept)
            return kept

        run_operation(keep, done=self._kept, failed=self._not_kept, owner=self)

    def _not_kept(self, error: BaseException) -> None:
        self._busy(False)
        if self.form is not None and self.form.show_error(error):
            return
        self._help.tell_error(error)

    def _kept(self, authorization_id: int) -> None:
        self._busy(False)
        self.name.clear()
        if self.form is not None:
            # What was entered may be secret: it is not kept in a form that nobody sees.
            self._slot.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
            self.form = None
        self.hide_form()
        self.went_on.emit(authorization_id)

    def _busy(self, busy: bool) -> None:
        for button in (self.save, self.test, self.back):
            button.setEnabled(not busy)
        if busy:
            self.spinner.start()
        else:
            self.spinner.stop()


def _pill(info: AuthorizationInfo) -> tuple[str, str]:
    return {"works": ("ok", "Works"), "failing": ("bad", "Failing")}.get(info.state, ("idle", "Never tested"))


def _state(info: AuthorizationInfo) -> str:
    if info.state == "failing":
        return info.state_message
    if info.checked_at is None:
        return "It was not tried yet."
    return f"{info.state_message}, checked {words.ago(info.checked_at)}"
