"""A JSON document to read: coloured, in the monospaced face, with Copy and Save."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QRegularExpression, Qt
from PySide6.QtGui import QGuiApplication, QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from ui.theme import current_theme, mono_font

_PARTS = (
    ("code_string", r'"(?:[^"\\]|\\.)*"'),
    ("code_number", r"-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b"),
    ("code_word", r"\b(?:true|false|null)\b"),
    ("code_key", r'"(?:[^"\\]|\\.)*"(?=\s*:)'),
)


class _JsonColors(QSyntaxHighlighter):
    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._parts = [(token, QRegularExpression(pattern)) for token, pattern in _PARTS]

    def highlightBlock(self, text: str) -> None:
        theme = current_theme()
        inside: list[tuple[int, int]] = []
        for token, pattern in self._parts:
            form = QTextCharFormat()
            form.setForeground(theme.color(token))
            matches = pattern.globalMatch(text)
            while matches.hasNext():
                match = matches.next()
                start, length = match.capturedStart(), match.capturedLength()
                if token == "code_string":
                    inside.append((start, start + length))
                elif token != "code_key" and any(first <= start < last for first, last in inside):
                    continue
                self.setFormat(start, length, form)


class JsonView(QPlainTextEdit):
    """`JsonView(document)`; `set_document(document)` shows another. `copy_all()` puts the text on the clipboard."""

    def __init__(self, document: Any = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setProperty("kind", "code")
        self.setFont(mono_font(12))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setAccessibleName("JSON")
        self._colors = _JsonColors(self.document())
        current_theme().changed.connect(self._colors.rehighlight)
        if document is not None:
            self.set_document(document)

    def set_document(self, document: Any) -> None:
        """Show a value that JSON can hold; times and paths are shown as text."""
        self.setPlainText(json.dumps(document, indent=2, ensure_ascii=False, default=str))

    def copy_all(self) -> None:
        """Put the whole text on the clipboard."""
        QGuiApplication.clipboard().setText(self.toPlainText())
