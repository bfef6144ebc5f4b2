"""What columns seem to hold; above all, what must not be taken for a number."""

from __future__ import annotations

import pytest

from connectors.kit.formats.guess import guess_timestamp, guess_types


@pytest.mark.parametrize(
    ("name", "samples", "kind"),
    [
        ("visits", ["1", "", "250", "-3"], "integer"),
        ("lifetime_value", ["12.50", "0", "-3.75", "1e3"], "number"),
        ("amount", ["1,50"], "text"),
        ("customer_id", ["1001", "1002"], "text"),
        ("loyalty", ["00017", "20001"], "text"),
        ("phone", ["493012345"], "text"),
        ("contact", ["+4930123456"], "text"),
        ("card", ["1234567890123456"], "text"),
        ("zip", ["10115", "80331"], "text"),
        ("PLZ", ["10115"], "text"),
        ("postalCode", ["10115"], "text"),
        ("signup", ["2026-01-31", "2025-12-01"], "date"),
        ("last_seen", ["2026-02-19T13:02:01Z", "2026-02-19 13:02:01.123456+01:00"], "date"),
        ("date", ["19970101", "19970112"], "date"),
        ("day", ["2026-02-31"], "text"),
        ("opted_in", ["true", "FALSE"], "boolean"),
        ("consent", ["yes", "no"], "text"),
        ("flag", ["0", "1"], "integer"),
        ("contact", ["ann@example.com", "b.o'neil+x@mail.example.org"], "email"),
        ("contact", ["ann@example.com", "none"], "text"),
        ("empty", ["", " "], "text"),
        ("score", ["NaN"], "text"),
        ("score", ["1_000"], "text"),
        ("score", ["١٢"], "text"),
    ],
)
def test_a_kind_holds_for_every_sample(name: str, samples: list[str], kind: str) -> None:
    (guess,) = guess_types([name], [[sample] for sample in samples])
    assert guess.kind == kind
    assert guess.sample == next((sample for sample in samples if sample.strip()), "")


def test_emails_identify_by_name_or_content() -> None:
    columns = ["E-Mail", "contact", "emailAddress", "email_opens", "mailing", "email"]
    rows = [["ann(at)example.com", "ann@example.com", "", "7", "yes", "n/a"]]
    identifiers = [guess.name for guess in guess_types(columns, rows) if guess.is_identifier]
    assert identifiers == ["contact", "emailAddress"]
    assert [guess.is_identifier for guess in guess_types(["E-Mail"], [])] == [True]


@pytest.mark.parametrize(
    ("columns", "samples", "expected"),
    [
        (["created_at", "lastSeen", "birthday"], ["2026-01-01", "2026-01-01", "1990-05-01"], "lastSeen"),
        (["updated_at", "last_seen"], ["n/a", "2026-01-01"], "last_seen"),
        (["birthday"], ["1990-05-01"], None),
        (["profile_updated_at", "birthday"], ["2026-01-01", "1990-05-01"], "profile_updated_at"),
        (["customer_id", "date"], ["1", "19970101"], "date"),
    ],
)
def test_the_time_of_a_row(columns: list[str], samples: list[str], expected: str | None) -> None:
    assert guess_timestamp(columns, guess_types(columns, [samples])) == expected
