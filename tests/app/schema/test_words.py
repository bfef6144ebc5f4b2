"""Every kind and every merge operator has words, and the document for users has them all."""

from __future__ import annotations

from pathlib import Path

from app.schema.model import MERGE_OPERATORS, FieldDefinition
from app.schema.words import KIND_WORDS, OPERATOR_SENTENCES, OPERATOR_WORDS, field_words, listed, operator_word

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "schema.md"


def test_every_kind_and_operator_has_words_and_is_documented() -> None:
    operators = {operator for legal in MERGE_OPERATORS.values() for operator in legal}
    assert KIND_WORDS.keys() == MERGE_OPERATORS.keys()
    assert OPERATOR_WORDS.keys() == OPERATOR_SENTENCES.keys() == operators
    text = DOCUMENT.read_text(encoding="utf-8")
    for kind, word in KIND_WORDS.items():
        assert f"| {word} | `{kind}` |" in text
    for operator in operators:
        assert f"`{operator}`" in text


def test_a_field_in_a_line() -> None:
    assert field_words(FieldDefinition("a", type="[]string", merge="capped", capacity=1_000, keep_days=1)) == (
        "Set, union, limited, at most 1,000, kept 1 day"
    )
    assert field_words(FieldDefinition("a", is_identifier=True, merge="", rank=2)) == "Text, identifier of rank 2"
    assert operator_word("sum", "map[string]intsum") == "Sum per key"
    assert operator_word("sum", "int") == "Sum"
    assert [listed(["a"]), listed(["a", "b", "c"]), listed([])] == ["a", "a, b and c", ""]
