"""PGP keys in the form of an authorization: what they are or what is wrong with them, said where they are entered."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.authorizations import BadKey, check_key
from app.catalog import Field
from ui.forms.fields import FieldsForm
from ui.widgets import TextArea

OWNER = "Maja Holm <maja@northbeam.example>"
PASSPHRASE = "oat milk"
PUBLIC = Field("pgppublickey", "PGP public key", "pgp-public-key", required=True, help="Whose files they are")
PRIVATE = Field("pgpprivatekey", "PGP private key", "pgp-private-key", required=True, secret=True)
SECRET = Field("pgppassphrase", "Passphrase", "password", secret=True)


@dataclass(frozen=True)
class Keys:
    public: str
    private: str


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    """A key of gpg's own, with a passphrase."""
    # Not in pytest's folder: the path of the agent's socket would become too long.
    home = Path(tempfile.mkdtemp(prefix="gpg-"))

    def gpg(*arguments: str) -> str:
        base = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", PASSPHRASE]
        return subprocess.run([*base, *arguments], check=True, capture_output=True, text=True).stdout

    gpg("--quick-generate-key", OWNER, "future-default", "default", "2038-01-01")
    yield Keys(gpg("--armor", "--export"), gpg("--armor", "--export-secret-keys"))
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


def shown(qtbot: QtBot, *fields: Field) -> FieldsForm:
    form = FieldsForm(fields)
    qtbot.addWidget(form)
    form.show()
    form.activateWindow()
    qtbot.waitUntil(form.isActiveWindow)
    return form


def area(form: FieldsForm, name: str) -> TextArea:
    found = form.control(name)
    assert isinstance(found, TextArea)
    return found


def note(form: FieldsForm, name: str) -> str:
    return form.fields[name]._note.text()


def test_a_public_key_says_whose_it_is(qtbot: QtBot, keys: Keys) -> None:
    form = shown(qtbot, PUBLIC, Field("note", "Note", "text"))
    area(form, "pgppublickey").setFocus()
    area(form, "pgppublickey").setPlainText(keys.public)
    form.control("note").setFocus()
    qtbot.waitUntil(lambda: note(form, "pgppublickey").startswith("Curve 25519"))
    assert note(form, "pgppublickey") == f"Curve 25519 · {OWNER} · expires 2038-01-01"
    area(form, "pgppublickey").setPlainText(keys.public[:-40])
    assert note(form, "pgppublickey") == PUBLIC.help, "of a text that is being edited nothing is known"
    form.look_at_keys()
    qtbot.waitUntil(lambda: bool(form.fields["pgppublickey"].error))
    assert "was cut off" in form.fields["pgppublickey"].error


def test_a_private_key_is_looked_at_with_its_passphrase(qtbot: QtBot, keys: Keys) -> None:
    form = shown(qtbot, PRIVATE, SECRET, Field("note", "Note", "text"))
    area(form, "pgpprivatekey").setFocus()
    area(form, "pgpprivatekey").setPlainText(keys.private)
    while not form.control("pgppassphrase").hasFocus():
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        QApplication.processEvents()
    assert not form._looked_at, "its passphrase was not entered yet"
    QTest.keyClicks(form.control("pgppassphrase"), "wrong")
    QTest.keyClick(form.control("pgppassphrase"), Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: "does not open the private key" in form.fields["pgpprivatekey"].error)
    form.set_value("pgppassphrase", PASSPHRASE)
    assert not form.fields["pgpprivatekey"].error
    form.look_at_keys()
    qtbot.waitUntil(lambda: note(form, "pgpprivatekey") == f"Curve 25519 · {OWNER} · expires 2038-01-01")


def test_a_key_from_a_file_and_one_that_is_of_the_wrong_half(qtbot: QtBot, keys: Keys, tmp_path: Path) -> None:
    form = shown(qtbot, PUBLIC)
    file = tmp_path / "maja.asc"
    file.write_text(keys.private)
    form.read_file("pgppublickey", file)
    qtbot.waitUntil(lambda: "Never give a private key to anybody" in form.fields["pgppublickey"].error)
    file.write_bytes(b"\x99\x02\r\xff\xfe")
    form.read_file("pgppublickey", file)
    assert "armored PGP form" in form.fields["pgppublickey"].error
    with pytest.raises(BadKey) as refused:
        check_key(PUBLIC, keys.private)
    assert form.show_error(refused.value)
    assert form.control("pgppublickey").hasFocus()


def test_without_gpg_the_form_says_how_to_get_it(
    qtbot: QtBot, keys: Keys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    form = shown(qtbot, PUBLIC)
    form.set_value("pgppublickey", keys.public)
    form.look_at_keys()
    qtbot.waitUntil(lambda: note(form, "pgppublickey").startswith("The key was not checked."))
    assert "GnuPG" in note(form, "pgppublickey")
    assert not form.fields["pgppublickey"].error, "the key may be a good one"
