"""Answers that a form of options asks for while it is filled: how many people, and what choices the provider has."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.authorizations import open_credentials
from app.engine import Engine
from app.jobs.export_preview import count_people
from app.jobs.wizard import Choice, Wizard
from ui.forms.options import BROWSED, OptionsForm
from ui.pages.live import Live
from ui.shell.background import run_query


class Answers(QObject):
    """`serve(form, wizard)`, and what the form asks for is found out off the UI thread; `rested()` after each edit."""

    def __init__(self, engine: Engine, page: QWidget) -> None:
        super().__init__(page)
        self._engine = engine
        self._form: OptionsForm | None = None
        self._wizard: Wizard | None = None
        self._asked: dict[str, object] = {}
        Live(page, engine, ("profiles",), self._count_again)

    def serve(self, form: OptionsForm, wizard: Wizard) -> None:
        """Answer to this form from now on."""
        self._form, self._wizard, self._asked = form, wizard, {}
        form.count_wanted.connect(self._count)
        form.choices_wanted.connect(self._ask)
        form.count_again()
        self.rested()

    def rested(self) -> None:
        """The user has stopped entering: ask for choices anew that depend on what was entered."""
        if self._form is None or self._wizard is None:
            return
        applying = {option.name for option in self._wizard.asked()}
        for name in self._form.listed():
            depends = self._depends(name)
            if name in applying and self._asked.get(name) != depends:
                self._ask(name)

    def _depends(self, name: str) -> object:
        """What the choices of an option may depend on: whose they are, and what else was chosen rather than typed."""
        assert self._wizard is not None
        chosen = (*BROWSED, "select", "checkbox")
        others = [option.name for option in self._wizard.asked() if option.type in chosen and option.name != name]
        return (self._wizard.authorization_id, [(other, self._wizard.values.get(other)) for other in others])

    def _count_again(self) -> None:
        if self._form is not None:
            self._form.count_again()

    def _count(self, audience: str) -> None:
        engine, form = self._engine, self._form
        if form is not None:
            run_query(
                lambda: count_people(engine, [audience]),
                done=functools.partial(form.show_count, audience),
                failed=lambda error: form.show_count(audience, None, _sentence(error)),
                owner=form,
            )

    def _ask(self, name: str) -> None:
        form, wizard, engine = self._form, self._wizard, self._engine
        if form is None or wizard is None or wizard.job_type is None or wizard.provider is None:
            return
        option = next(option for option in wizard.job_type.options if option.name == name)
        depends = self._asked[name] = self._depends(name)
        authorization, values = wizard.authorization_id, dict(wizard.values)
        choices = functools.partial(engine.catalog.function, wizard.provider.slug, option.choices_from)

        def ask() -> list[Choice]:
            found: list[Choice] = asyncio.run(choices()(open_credentials(engine, authorization), values, ""))
            return found

        def answered(found: list[Choice]) -> None:
            if self._asked.get(name) == depends:
                form.set_choices(name, [(choice.label, choice.value) for choice in found])

        def failed(error: BaseException) -> None:
            if self._asked.get(name) == depends:
                form.say_choices(name, f"{_sentence(error)} You can type it.")

        form.say_choices(name, "Looking what there is…")
        run_query(ask, done=answered, failed=failed, owner=form)


def _sentence(error: Any) -> str:
    return f"{getattr(error, 'message', error)} {getattr(error, 'advice', '')}".strip()
