"""The small dialogs of quick transfers: a name, and which authorizations a recipe means."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.errors import CausewayError
from app.transfer.model import Transfer
from app.transfer.recipes import TransferRecipe
from ui.pages.authorizations.dialogs import FormDialog
from ui.widgets import ComboBox, FormField


class NameDialog(FormDialog):
    """Asks what a transfer is to be called."""

    def __init__(self, parent: QWidget, name: str, chosen: Callable[[str], object]) -> None:
        super().__init__(parent, "Keep this transfer")
        self._chosen = chosen
        self.name = QLineEdit(name)
        self.name.setMaxLength(200)
        self.field = FormField("Name", self.name, required=True, help="A transfer of that name is replaced")
        self.add(self.field)
        self.finish("Keep")
        self.name.setFocus()

    def act(self) -> None:
        name = self.name.text().strip()
        if not name:
            self.field.set_error("Give it a name.")
            return
        self.accept()
        self._chosen(name)


class AuthorizationsDialog(FormDialog):
    """Asks which authorizations here stand for those of a recipe."""

    def __init__(self, parent: QWidget, recipe: TransferRecipe, chosen: Callable[[Transfer], object]) -> None:
        super().__init__(parent, "Which authorizations?")
        self._recipe, self._chosen = recipe, chosen
        self.say("The recipe was made elsewhere and names authorizations of its own.")
        self.choices: dict[str, ComboBox] = {}
        for wanted in recipe.authorizations:
            combo = ComboBox(placeholder="None fits; make one under Authorizations" if not wanted.fitting else "")
            combo.add_choices((info.name, info.id) for info in wanted.fitting)
            self.choices[wanted.name] = combo
            self.add(FormField(wanted.name, combo, required=True))
        self.finish("Take these")

    def act(self) -> None:
        chosen = {name: value for name, combo in self.choices.items() if isinstance(value := combo.value(), int)}
        try:
            transfer = self._recipe.transfer(chosen)
        except CausewayError as error:
            self.banner.tell_error(error)
            return
        self.accept()
        self._chosen(transfer)
