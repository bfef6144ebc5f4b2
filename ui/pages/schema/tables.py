"""The tables of fields and of mappings; what is not published yet is marked in both."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QKeySequence, QPainter, QShortcut
from PySide6.QtWidgets import QWidget

from app.schema.words import OPERATOR_SENTENCES, kind_word
from ui.pages.schema.reading import (
    MARK_TOKENS,
    MARK_WORDS,
    REMOVED,
    SIGNS,
    FieldRow,
    MappingRow,
    identity_word,
    merge_word,
    share_text,
    written,
)
from ui.theme import current_theme, font, mono_font
from ui.widgets import Cell, Column, DataTable, MonoDelegate, Role, RowsModel, draw_text
from ui.widgets.delegates import Index

ROW_HEIGHT = 38
SIGN_ROOM = 20.0


class MarkedCell(Cell):
    """A name, and behind it + ~ or − where it is new, changed or deleted, as the list of changes has them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, weight=500)

    def content(self, painter: QPainter, rect: QRectF, index: Index) -> None:
        name, mark = str(index.data() or ""), str(index.data(Role.STATUS) or "")
        face = font(13, self._weight)
        if mark:
            wide = min(QFontMetricsF(face).horizontalAdvance(name) + 1, max(30.0, rect.width() - SIGN_ROOM))
            sign = QRectF(rect.x() + wide, rect.y(), SIGN_ROOM, rect.height())
            color = current_theme().color(MARK_TOKENS[mark])
            draw_text(painter, sign, SIGNS[mark], mono_font(13, 600), color, Qt.AlignmentFlag.AlignCenter)
            rect = QRectF(rect.x(), rect.y(), wide, rect.height())
        draw_text(painter, rect, name, face, self.color(index))

    def wanted_width(self, index: Index) -> float:
        width = QFontMetricsF(font(13, self._weight)).horizontalAdvance(str(index.data() or ""))
        return width + (SIGN_ROOM if index.data(Role.STATUS) else 0)


def marked(mark: str, *lines: str) -> str:
    """What a marked name says when the mouse rests on it."""
    return "\n".join(line for line in (MARK_WORDS.get(mark, ""), *lines) if line)


def _mapping_text(row: FieldRow) -> str:
    if not row.mappings:
        return "no mapping"
    more = f"  +{len(row.mappings) - 1} more" if len(row.mappings) > 1 else ""
    return written(row.mappings[0]) + more


def _mapping_tip(row: FieldRow) -> str:
    return "\n".join(f"{mapping.stream}: {written(mapping)}" for mapping in row.mappings)


def _field_tip(row: FieldRow) -> str:
    field = row.field
    return marked(row.mark, field.label if field.label != field.name else "", field.description)


def _merge_tip(row: FieldRow) -> str:
    if row.field.is_identifier:
        return "A person can have several" if row.field.type.startswith("[]") else "A person has one at most"
    return OPERATOR_SENTENCES.get(row.field.merge, "")


def _filled_tip(row: FieldRow) -> str:
    if row.use is None:
        return ""
    return f"{row.use.filled:,} of {row.use.people:,} people"


def _field_tone(row: FieldRow) -> str:
    return "muted" if row.mark == REMOVED else "text"


def fields_table() -> DataTable:
    """The table of FieldRows."""
    model = RowsModel(
        [
            Column(
                "name",
                "Field",
                lambda row: row.field.name,
                status=lambda row: row.mark,
                tip=_field_tip,
                tone=_field_tone,
                roles={Qt.ItemDataRole.AccessibleTextRole: lambda row: marked(row.mark, row.field.name)},
                width=124,
                fixed=True,
            ),
            Column("type", "Type", lambda row: kind_word(row.field.type), tone=_field_tone, width=116),
            Column(
                "merge",
                "Merge",
                lambda row: merge_word(row.field),
                tip=_merge_tip,
                tone=_field_tone,
                width=99,
                spare=True,
            ),
            Column(
                "identity",
                "Identity",
                lambda row: identity_word(row.field),
                sort=lambda row: row.field.rank,
                tone=lambda row: "accent",
                width=93,
            ),
            Column(
                "filled",
                "Filled",
                lambda row: share_text(row.filled),
                sort=lambda row: row.filled,
                tip=_filled_tip,
                tone=_field_tone,
                width=58,
                spare=True,
            ),
            Column(
                "mapping",
                "Mapping",
                _mapping_text,
                tip=_mapping_tip,
                width=180,
            ),
        ],
        key=lambda row: row.field.name,
    )
    return DataTable(
        model,
        "schema-fields",
        delegates={"name": MarkedCell, "mapping": MonoDelegate},
        row_height=ROW_HEIGHT,
        accessible_name="Fields",
    )


def _mapping_tone(row: MappingRow) -> str:
    return "muted" if row.mark == REMOVED else "text"


def mappings_table(name: str = "schema-mappings", *, framed: bool = True) -> DataTable:
    """The table of MappingRows."""
    model = RowsModel(
        [
            Column(
                "stream",
                "Stream",
                lambda row: row.mapping.stream,
                status=lambda row: row.mark,
                tip=lambda row: marked(row.mark, row.mapping.stream),
                tone=_mapping_tone,
                width=176,
                fixed=True,
            ),
            Column("field", "Field", lambda row: row.mapping.field, tone=_mapping_tone, width=118),
            Column(
                "expression",
                "Expression",
                lambda row: " ".join(row.mapping.expression.split()),
                tip=lambda row: row.mapping.expression,
                tone=_mapping_tone,
                width=220,
                fixed=True,
            ),
            Column(
                "condition",
                "Only if",
                lambda row: " ".join(row.mapping.condition.split()),
                tip=lambda row: row.mapping.condition,
                width=150,
            ),
        ],
        # Mappings that are not saved yet have no key: what they say tells them apart.
        key=lambda row: row.mapping.key or (row.mapping.stream, row.mapping.expression, row.mapping.condition),
    )
    return DataTable(
        model,
        name,
        delegates={"stream": MarkedCell, "expression": MonoDelegate, "condition": MonoDelegate},
        row_height=ROW_HEIGHT,
        framed=framed,
        accessible_name="Mappings",
    )


def on_key(table: DataTable, keys: QKeySequence.StandardKey | str, act: object) -> None:
    """Let a key act while the table has the focus."""
    shortcut = QShortcut(QKeySequence(keys), table)
    shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
    shortcut.activated.connect(act)


def with_keys(text: str, keys: QKeySequence.StandardKey | str) -> str:
    """A menu's entry that shows its keys; a shortcut of its own would make those of the table ambiguous."""
    return f"{text}\t{QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)}"
