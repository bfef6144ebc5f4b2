"""JSON in every form that exports come in, and with what is wrong in some of them."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.errors import InputError, WaitError
from connectors.kit.formats.json import JsonBatch, JsonPosition, open_json

PEOPLE: list[dict[str, Any]] = [
    {
        "id": number,
        "email": f"p{number}@example.com",
        "name": 'Jürgen "J" {[ \\',
        "address": {"city": "Köln", "lines": [{"a": "}"}, {"a": "],"}]},
        "tags": ["a", "b,", None, True, 1.5],
    }
    for number in range(6_000)
]


def in_lines(people: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(person) + b"\n" for person in people)


FORMS: dict[str, tuple[Callable[[list[dict[str, Any]]], bytes], str]] = {
    "lines": (in_lines, "lines"),
    "lines of Windows": (lambda people: in_lines(people).replace(b"\n", b"\r\n"), "lines"),
    "no last line end, blank lines": (lambda people: in_lines(people).replace(b"\n", b"\n\n").rstrip(), "lines"),
    "byte order mark": (lambda people: b"\xef\xbb\xbf" + in_lines(people), "lines"),
    "array": (orjson.dumps, "array"),
    "array, an element a line": (
        lambda people: b"[\n" + in_lines(people)[:-1].replace(b"\n", b",\n") + b"\n]",
        "array",
    ),
    "pretty array": (lambda people: json.dumps(people, indent=2).encode(), "array"),
    "pretty objects": (lambda people: "\n".join(json.dumps(one, indent=1) for one in people).encode(), "objects"),
    "objects without line ends": (lambda people: b"".join(map(orjson.dumps, people)), "objects"),
    "UTF-16": (lambda people: in_lines(people).decode().encode("utf-16"), "lines"),
    "UTF-16 array": (lambda people: orjson.dumps(people).decode().encode("utf-16-be"), "array"),
    "Windows-1252": (lambda people: json.dumps(people, ensure_ascii=False).encode("windows-1252"), "array"),
}


def read(data: bytes, position: JsonPosition | None = None, max_rows: int = 10_000) -> JsonBatch:
    """Everything in one batch."""
    whole = JsonBatch()
    for batch in open_json(io.BytesIO(data), position=position).batches(max_rows):
        assert len(batch.records) + len(batch.rejected) <= max_rows
        whole.records += batch.records
        whole.lines += batch.lines
        whole.rejected += batch.rejected
        whole.rows_seen, whole.position = batch.rows_seen, batch.position
    return whole


def faults(data: bytes) -> list[tuple[int, str]]:
    return [(rejected.line, rejected.reason) for rejected in read(data).rejected]


@pytest.mark.parametrize(("make", "form"), FORMS.values(), ids=FORMS)
def test_each_form_is_recognised_and_gone_on_with(make: Callable[[list[dict[str, Any]]], bytes], form: str) -> None:
    data = make(PEOPLE)
    assert open_json(io.BytesIO(data)).form == form
    whole = read(data)
    assert (whole.records, whole.rejected, whole.rows_seen) == (PEOPLE, [], len(PEOPLE))
    some = list(open_json(io.BytesIO(data)).batches(700))
    for batch in random.Random(3).sample(some, 3):
        rest = read(data, batch.position, 900)
        assert rest.records == PEOPLE[batch.rows_seen :]
        assert rest.lines == whole.lines[batch.rows_seen :]


def test_one_object_is_one_record() -> None:
    for data in (b'{"a": 1}', b'{\n  "a": 1\n}\n', b'\n\n{"a":1}\n'):
        assert read(data).records == [{"a": 1}]
    assert read(b"[]").records == read(b" [\n]\n").records == []


BAD = [
    (b'{"a":2,}', "The record is no JSON: it can't be read from character 7 on."),
    (b"[1]", "The record is no object, but a list."),
    (b"3", "The record is no object, but a number."),
    (b'"x"', "The record is no object, but a text."),
    (b"null", "The record is no object, but null."),
    (b'{"a":"x\\u0000"}', "The record contains NUL characters, which no text has."),
    (b'{"a":[{"\\u0000":1}]}', "The record contains NUL characters, which no text has."),
    (b'{"a":' + b"[" * 150 + b"]" * 150 + b"}", "The record is nested more than 100 levels deep."),
    (b'{"a":' + b"[" * 3_000 + b"]" * 3_000 + b"}", "The record is nested too deeply."),
    (orjson.dumps({str(n): n for n in range(3_000)}), "The record has 3,000 fields; more than 2,000 can't be read."),
    (b'{"a":"' + b"x" * 4_200_000 + b'"}', "The record is longer than 4,194,304 bytes."),
    (b'{"a":"' + b'\\"}' * 3_000_000 + b'"}', "The record is longer than 4,194,304 bytes."),
    (b'{"a":"\\ud800"}', "The record is no JSON"),
]


def test_bad_records_are_told_and_the_others_read() -> None:
    good = [b'{"n":%d,"t":"\\\\u0000 \xc3\xa4"}' % n for n in range(len(BAD) + 1)]
    records = [piece for pair in zip(good, [text for text, _ in BAD], strict=False) for piece in pair] + [good[-1]]
    wanted = [(2 * place + 2, reason) for place, (_, reason) in enumerate(BAD)]
    for data in (b"\n".join(records), b"[" + b",".join(records) + b"]", b"[\n" + b" ,\n".join(records) + b"\n]\n"):
        whole = read(data)
        assert [record["n"] for record in whole.records] == list(range(len(good)))
        assert whole.records[0]["t"] == "\\u0000 ä"
        for rejected, (line, reason) in zip(whole.rejected, wanted, strict=True):
            assert (rejected.line, rejected.reason[: len(reason)]) == (line, reason)
            assert len(rejected.text) <= 4_000


def test_bytes_that_are_no_text_are_told() -> None:
    good = '{"a":"äöü äöü äöü äöü"}\n'.encode() * 20
    assert faults(good + b'{"a":"\xff"}\n' + good) == [(21, "The record contains bytes that are no UTF-8 text.")]


def test_a_quotation_mark_without_partner_costs_one_record() -> None:
    lines = [b'{"a":1}', b'{"a":"2}', b'{"a":[{"b":3}]}', b'{"a":"4}']
    reason = "A quotation mark in this record has no partner."
    whole = read(b"[\n" + b",\n".join(lines) + b"\n]")
    assert whole.records == [{"a": 1}, {"a": [{"b": 3}]}]
    assert [(rejected.line, rejected.reason) for rejected in whole.rejected] == [(2, reason), (4, reason)]
    pretty = json.dumps([{"a": "x"}, {"a": "y", "b": [{"c": 1}]}, {"a": "z"}], indent=2).replace('"y"', '"y')
    assert read(pretty.encode()).records == [{"a": "x"}, {"a": "z"}]


@pytest.mark.parametrize(
    ("data", "before", "sentence"),
    [
        (b'[{"a":1},{"a":2}', 2, "at record 3, the array is not closed: the file was cut off"),
        (b'[{"a":1},{"a":', 1, "at record 2, it is not complete: the file was cut off"),
        (b'[{"a":1},{"a":"2},\n{"a":3}]', 1, "at record 2, a quotation mark in it has no partner"),
        (b'[{"a":1}] {"a":2}', 1, "at record 2, the array is closed, but something follows it"),
        (b'{\n"a":1', 0, "at record 1, it is not complete: the file was cut off"),
    ],
)
def test_what_can_not_be_read_any_further_is_told_after_the_records_before(
    data: bytes, before: int, sentence: str
) -> None:
    records: list[dict[str, Any]] = []
    with pytest.raises(InputError, match=re.escape(sentence)):
        records.extend(record for batch in open_json(io.BytesIO(data)).batches() for record in batch.records)
    assert len(records) == before


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty"),
        (b" \n\n", "nothing but blank lines"),
        (b"id,email\n1,a@b.c\n", "This file is no JSON: it does not begin with { or ["),
        (b"<html><body>Sign in", "This file is no JSON: it is a web page or XML"),
        (b"PAR1\x00\x01", "This file is no JSON: it is a Parquet file"),
    ],
)
def test_what_is_no_json_is_refused_in_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        open_json(io.BytesIO(data))


class Failing(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= 700_000:
            raise WaitError("The connection was lost.")
        return super().read(min(size or 0, 100_000))


@pytest.mark.parametrize("make", [in_lines, orjson.dumps])
def test_what_came_before_a_lost_connection_is_read(make: Callable[[list[dict[str, Any]]], bytes]) -> None:
    records: list[dict[str, Any]] = []
    with pytest.raises(WaitError, match="connection was lost"):
        records.extend(record for batch in open_json(Failing(make(PEOPLE))).batches() for record in batch.records)
    assert len(records) > 4_000
    assert records == PEOPLE[: len(records)]


def test_a_gigabyte_in_one_field_takes_no_memory() -> None:
    """A stream that makes its bytes as they are read; the parts that are kept are bounded by the limit of a record."""

    class Endless(io.RawIOBase):
        left = 200_000_000
        head = b'[{"a":1},{"a":"'

        def read(self, size: int = -1, /) -> bytes:
            if self.head:
                data, self.head = self.head, b""
                return data
            if self.left > 0:
                self.left -= size
                return b"x" * size
            data, self.left = (b"", self.left) if self.left == -(10**9) else (b'"},{"a":2}]', -(10**9))
            return data

    import tracemalloc

    tracemalloc.start()
    try:
        batches = list(open_json(Endless()).batches())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [record for batch in batches for record in batch.records] == [{"a": 1}, {"a": 2}]
    assert peak < 20_000_000


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('a"\\{}[],:\n ä', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"}', max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.dictionaries(st.text("ab]", max_size=3), VALUES, max_size=4), min_size=1, max_size=8),
    st.sampled_from([None, 0, 1, 3]),
    st.integers(1, 5),
)
def test_any_records_come_out_equal(records: list[dict[str, Any]], indent: int | None, max_rows: int) -> None:
    array = json.dumps(records, indent=indent).encode()
    assert read(array, max_rows=max_rows).records == records
    row = "\n".join(json.dumps(record, indent=indent) for record in records).encode()
    assert read(row, max_rows=max_rows).records == records
