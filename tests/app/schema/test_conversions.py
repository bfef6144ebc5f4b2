"""What generated mappings make of a raw value: the form in which people keep it."""

import pytest

from app.lql import compile_expression
from app.schema.column_types import COLUMN_TYPES, column_expression
from app.schema.model import MERGE_OPERATORS


@pytest.mark.parametrize(
    ("expression", "raw", "value"),
    [
        ("`E-Mail`", " Ann ", " Ann "),
        ("`x`", "", None),
        ("`x`", 5, "5"),
        ("email(`x`)", "Bob <Bob@Bob.com>", "bob@bob.com"),
        ("email(`x`)", "a@b.com, c@d.com", None),
        ("email(`x`)", "nobody", None),
        ("toint(`x`)", "€ 5,555.90", 5555),
        ("toint(`x`)", "-3", -3),
        ("toint(`x`)", "9" * 30, None),
        ("toint(`x`)", "abc", None),
        ("toint(`x`)", "1_000", None),
        ("toint(`x`)", True, None),
        ("toint(`x`)", 2.9, 2),
        ("tonumber(`x`)", "$ 5.22", 5.22),
        ("tonumber(`x`)", "nan", None),
        ("tonumber(`x`)", "1e999", None),
        ("tobool(`x`)", "t", True),
        ("tobool(`x`)", "False", False),
        ("tobool(`x`)", "yes", None),
        ("todate(`x`)", "2026-01-02", "2026-01-02T00:00:00.000000Z"),
        ("todate(`x`)", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("todate(`x`)", "2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000000Z"),
        ("todate(`x`)", "1438445529707", "2015-08-01T16:12:09.707000Z"),
        ("todate(`x`)", "2026-13-02", None),
        ("todate(`x`)", "soon", None),
    ],
)
def test_conversions(expression: str, raw: object, value: object) -> None:
    assert compile_expression(expression).call(raw) == value


@pytest.mark.parametrize("column_type", COLUMN_TYPES)
def test_a_generated_expression_reads_its_own_column(column_type: str) -> None:
    expression, kind = column_expression("signup date", column_type)
    compiled = compile_expression(expression)
    assert (compiled.columns, compiled.kind) == (("signup date",), kind)
    assert kind in MERGE_OPERATORS
