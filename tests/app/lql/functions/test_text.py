"""Functions of text, hashes and encodings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.lql.functions import FUNCTIONS, BadArgument


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("tolower", ("Apple",), "apple"),
        ("string.lowercase", ("ÄPFEL",), "äpfel"),
        ("tolower", (["Apple", "Pear"],), "apple"),
        ("tolower", ("",), ""),
        ("tolower", (None,), None),
        ("tolower", ([],), None),
        ("tolower", ({"a": 1},), None),
        ("tolower", (True,), "true"),
        ("string.uppercase", ("Apple Lemmings",), "APPLE LEMMINGS"),
        ("string.uppercase", (None,), None),
        ("string.titlecase", ("android nexus",), "Android Nexus"),
        ("string.titlecase", ("don't STOP-me now",), "Don't STOP-Me Now"),
        ("string.titlecase", ("émile zola",), "Émile Zola"),
        ("string.titlecase", (None,), None),
        ("string.index", ("apple", "p"), 1),
        ("string.index", ("apple", "z"), None),
        ("string.index", ("äpfel", "p"), 1),
        ("string.index", (None, "z"), None),
        ("string.index", ("apple", None), None),
        ("string.substr", ("android", 0, 3), "and"),
        ("string.substr", ("android", 2), "droid"),
        ("string.substr", ("android", "2", "4"), "dr"),
        ("string.substr", ("android", 7), ""),
        ("string.substr", ("android", -1, -2), None),
        ("string.substr", ("android", 0, "hello"), None),
        ("string.substr", ("android", 0, 20), None),
        ("string.substr", ("android", 3, 1), None),
        ("string.substr", ("android", None, 2), None),
        ("string.substr", (None, 1, 2), None),
        ("contains", ("Hello", "hello"), False),
        ("contains", ("5tem", 5), True),
        ("contains", (["abc", "x"], "x"), False),
        ("contains", (None, "a"), False),
        ("contains", ("abc", ""), None),
        ("contains", ("", "a"), None),
        ("hasprefix", ("hello", "he"), True),
        ("hasprefix", ("hello", "lo"), False),
        ("hasprefix", (None, "he"), False),
        ("hasprefix", ("hello", ""), None),
        ("hassuffix", ("hello", "lo"), True),
        ("hassuffix", ("", "5y"), False),
        ("hassuffix", ("hello", ""), None),
        ("split", ("a,b", ","), ["a", "b"]),
        ("string.split", ("b, a", ","), ["b", " a"]),
        ("split", ("a,b",), ["a,b"]),
        ("split", ("", ","), None),
        ("split", ("hello", ""), None),
        ("split", (None, ","), None),
        ("split", ("hello", None), None),
        ("strip", ("  a b \t\r\n",), "a b"),
        ("string.strip", ([" a", "b\n"],), ["a", "b"]),
        ("strip", (None,), None),
        ("replace", ("M20:30", "M"), "20:30"),
        ("replace", ("M20:30", "M", "Hour "), "Hour 20:30"),
        ("replace", ("aXbXc", "X", "-"), "a-b-c"),
        ("replace", (None, "M"), ""),
        ("join", ("x", 5, "-"), "x-5"),
        ("join", (["apple", "", "peach"], ","), "apple,,peach"),
        ("join", ("apple", "", None, "peach", ","), "apple,peach"),
        ("join", (2.0, 1.5, " "), "2 1.5"),
        ("join", (None, ","), None),
        ("join", ("a", None), None),
        ("len", ("abc",), 3),
        ("char_length", ("äöü",), 6),
        ("len", (["a", "b"],), 2),
        ("len", ({"a": 1},), 1),
        ("len", ("",), 0),
        ("len", (True,), 0),
        ("len", (10.6,), 0),
        ("len", (None,), None),
        ("tostring", (5.5,), "5.5"),
        ("tostring", (5.0,), "5"),
        ("tostring", (1_000_000.0,), "1000000"),
        ("tostring", (True,), "true"),
        ("tostring", (["a", "b"],), "a,b"),
        ("tostring", (None,), ""),
        ("regex.match", ("A12", "^A[0-9]+$"), True),
        ("regex.match", ("xA12", "[0-9]"), True),
        ("regex.match", ("B12", "^A"), False),
        ("regex.match", (None, "^A"), None),
        ("regex.match", ("A", "("), None),
        ("phone.e164", ("(503) 555-0100",), "+15035550100"),
        ("phone.e164", (5035550100,), "+15035550100"),
        ("phone.e164", ("030 901820", "DE"), "+4930901820"),
        ("phone.e164", ("+49 30 901820",), "+4930901820"),
        ("phone.e164", ("12",), None),
        ("phone.e164", ("call me",), None),
        ("phone.e164", (None,), None),
        ("phone.e164", ("5035550100", "XX"), None),
    ],
)
def test_text(call: Callable[..., Any], name: str, arguments: tuple[Any, ...], answer: Any) -> None:
    assert call(name, *arguments) == answer


SHA256_OF_ADDRESS = "fb98d44ad7501a959f3f4f4a3f004fe2d9e581ea6207e218c4b02c08a4d75adf"


@pytest.mark.parametrize(
    ("name", "value", "answer"),
    [
        ("hash.sip", "hello", -8380129865243219425),
        ("hash", "http://www.google.com?q=123", 5673948842516703987),
        ("hash.sip", ["http://go.gl", "x"], 4903078846009498015),
        ("hash.sip", 5, None),
        ("hash.sip", "", None),
        ("hash.sip", [], None),
        ("hash.md5", "hello", "5d41402abc4b2a76b9719d911017c592"),
        ("hash.sha1", "hello", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
        ("hash.sha256", "a@b.com", SHA256_OF_ADDRESS),
        ("hash.sha256", ["a@b.com", "x"], SHA256_OF_ADDRESS),
        ("hash.md5", "", None),
        ("hash.sha1", None, None),
        ("hash.sha256", "", None),
        ("hash.sha512", None, None),
        ("encoding.b64encode", "hello world", "aGVsbG8gd29ybGQ="),
        ("encoding.b64encode", "", None),
        ("encoding.b64decode", "aGk=", "hi"),
        ("encoding.b64decode", "xx", None),
        ("encoding.b64decode", "a!Gk=", None),
        ("encoding.b64decode", "/w==", None),
        ("encoding.b64decode", "", None),
        ("unsign", -794, "18446744073709550822"),
        ("unsign", "-7941778727260920248", "10504965346448631368"),
        ("unsign", 794, "794"),
        ("unsign", 5.5, None),
        ("unsign", False, None),
        ("unsign", "howdy", None),
        ("unsign", None, None),
    ],
)
def test_hashes_and_encodings(call: Callable[..., Any], name: str, value: Any, answer: Any) -> None:
    assert call(name, value) == answer


def test_a_long_hash_and_a_number_as_text(call: Callable[..., Any]) -> None:
    assert call("string.substr", call("hash.sha512", "hello"), 0, 16) == "9b71d224bd62f378"
    assert call("hash.md5", 5) == call("hash.md5", "5")


def test_identifiers_are_new_each_time(call: Callable[..., Any]) -> None:
    assert call("uuid") != call("uuid")
    assert not FUNCTIONS["uuid"].pure


def test_a_pattern_is_read_once_and_refused_when_broken(call: Callable[..., Any]) -> None:
    assert call("regex.match", "A12", "^A[0-9]+$", literal=True) is True
    assert call("regex.match", "a" * 100_000, "(a+)+$b", literal=True) is False
    with pytest.raises(BadArgument, match=r"The pattern \( can't be read"):
        call("regex.match", "A12", "(", literal=True)
    with pytest.raises(BadArgument, match="XX is no country code"):
        call("phone.e164", "5035550100", "XX", literal=True)
