"""The editor for code, typed into as a person types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.lql import check_statements
from app.lql.problems import Problem
from ui.theme import current_theme
from ui.widgets import CodeEdit, CodeField, Suggestion

STATEMENT = """SELECT
    email(`e-mail`)  AS email -- lower case
  , tonumbr(total)   AS spend IF event == "order"
/* two
lines */ FROM shop
INTO user BY email ALIAS shop_user"""

OFFERS = [
    Suggestion("tolower", "tolower()", "Lower case", 1),
    Suggestion("tonumber", "tonumber()", "A number", 1),
    Suggestion("First name", "`First name`", "Key, text"),
]


@pytest.fixture
def field(qtbot: QtBot) -> Iterator[CodeField]:
    frame = QWidget()
    layout = QVBoxLayout(frame)
    made = CodeField("Mappings")
    layout.addWidget(made)
    layout.addWidget(QLineEdit())
    qtbot.addWidget(frame)
    frame.resize(700, 400)
    frame.show()
    made.edit.set_suggestions(OFFERS)
    made.edit.setFocus()
    yield made
    frame.close()


def colors(edit: CodeEdit) -> dict[str, str]:
    """The token of each coloured piece of the text."""
    names = {
        current_theme().color(token).name(): token
        for token in ("code_key", "code_word", "code_string", "code_number", "code_name", "muted")
    }
    found = {}
    block = edit.document().firstBlock()
    while block.isValid():
        for piece in block.layout().formats():
            text = block.text()[piece.start : piece.start + piece.length]
            found[text] = names[piece.format.foreground().color().name()]
        block = block.next()
    return found


def test_each_part_of_the_language_has_its_colour_in_both_themes(field: CodeField) -> None:
    field.edit.set_text(STATEMENT + "\n, count(x) + 12.5 -- 😀")
    wanted = {
        "SELECT": "code_word",
        "AS": "code_word",
        "BY": "code_word",
        "email": "code_key",
        "tonumbr": "code_key",
        "`e-mail`": "code_name",
        '"order"': "code_string",
        "12.5": "code_number",
        "-- lower case": "muted",
        "/* two": "muted",
        "lines */": "muted",
    }
    for theme in ("light", "dark"):
        current_theme().choose(theme)  # type: ignore[arg-type]
        found = colors(field.edit)
        assert {text: found.get(text) for text in wanted} == wanted
        assert "spend" not in found, "a plain name has the colour of text"


def test_what_is_wrong_is_marked_and_said_where_the_cursor_is(field: CodeField) -> None:
    field.edit.set_text(STATEMENT)
    problems = check_statements(STATEMENT)
    field.set_problems([*problems, Problem(6, 40, 6, 40, "Something is missing.")])
    marks = field.edit.extraSelections()
    assert [mark.cursor.selectedText() for mark in marks] == ["tonumbr", "r"], (
        "nothing is marked at the end by its last sign"
    )
    wave = QTextCharFormat.UnderlineStyle.WaveUnderline
    assert all(mark.format.underlineStyle() == wave for mark in marks)
    assert field.said.text().startswith("Line 3, column 5: ")
    assert "tonumbr" in field.said.text()
    field.go_to_next()
    assert field.edit.textCursor().blockNumber() == 2
    field.go_to_next()
    assert field.said.text() == "Line 6, column 40: Something is missing. (2 errors in all)"
    assert field.edit.accessibleDescription() == field.said.text()
    field.set_problems([])
    field.set_note("No errors", "success")
    assert field.said.text() == "No errors"
    assert field.next.isHidden()
    assert field.edit.extraSelections() == []


def test_columns_count_signs_and_not_the_units_of_qt(field: CodeField) -> None:
    field.edit.set_text('"😀😀", wrong')
    field.set_problems([Problem(1, 7, 1, 12, "No such key.")])
    assert field.edit.extraSelections()[0].cursor.selectedText() == "wrong"


def test_words_are_completed_while_they_are_typed(field: CodeField) -> None:
    QTest.keyClicks(field.edit, "to")
    assert field.edit.offered() == ["tolower", "tonumber"]
    QTest.keyClick(field.edit._popup, Qt.Key.Key_Down)
    QTest.keyClick(field.edit._popup, Qt.Key.Key_Return)
    assert field.edit.text() == "tonumber()"
    QTest.keyClicks(field.edit, "name")
    assert field.edit.offered() == ["First name"], "found by a part too"
    QTest.keyClick(field.edit._popup, Qt.Key.Key_Tab)
    assert field.edit.text() == "tonumber(`First name`)", "the cursor stood between the brackets"
    assert field.edit.offered() == []


def test_completion_can_be_asked_for_and_sent_away_and_leaves_texts_alone(field: CodeField) -> None:
    QTest.keyClick(field.edit, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert field.edit.offered() == ["tolower", "tonumber", "First name"]
    QTest.keyClick(field.edit._popup, Qt.Key.Key_Escape)
    assert field.edit.offered() == []
    QTest.keyClicks(field.edit, '"to')
    assert field.edit.offered() == []
    assert field.edit.text() == '"to'


def test_tab_leads_on_to_the_next_field(qtbot: QtBot, field: CodeField) -> None:
    field.window().activateWindow()
    field.edit.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is field.edit)
    QTest.keyClick(field.edit, Qt.Key.Key_Tab)
    assert field.edit.text() == ""
    assert QApplication.focusWidget() is not field.edit


def test_it_tells_when_typing_rests(qtbot: QtBot, field: CodeField) -> None:
    with qtbot.waitSignal(field.edit.rested):
        QTest.keyClicks(field.edit, "email")


def test_line_numbers_have_room_for_the_last_line(field: CodeField) -> None:
    narrow = field.edit.viewportMargins().left()
    field.edit.set_text("\n" * 1_200)
    assert field.edit.viewportMargins().left() > narrow
    assert not field.grab().isNull()
