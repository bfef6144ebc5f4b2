"""The answer to an access request: all that is known, as data and as a page."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.engine import Engine
from app.errors import NotFound, Refused
from app.profiles import export_person, find_profile

HOSTILE = '"><script>alert(1)</script>'


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def ann(engine: Engine, arrive: Callable[..., object]) -> int:
    """Ann, from two rows, a rejected one, and a conflict with Bob."""
    arrive(
        {"E-Mail": "Ann@x.example", "name": HOSTILE, "tag": "news", "visits": "2", "cookie": "c1"},
        {"E-Mail": "ann@x.example", "tag": "shoes", "Phone": "+49 30 1234567"},
        {"E-Mail": "bob@x.example", "cookie": "c1"},
        rejected=["ann@x.example,too,many", "joann@x.example,too,many"],
    )
    found = find_profile(engine, "ann@x.example")
    assert found is not None
    return found


def test_the_data_hold_everything(engine: Engine, ann: int, tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    assert export_person(engine, ann, tmp_path / "ann.json", lambda *done: reported.append(done)) == 2
    known = json.loads((tmp_path / "ann.json").read_text(encoding="utf-8"))
    assert [(one["field"], one["value"], one["rank"]) for one in known["identifiers"]] == [
        ("email", "ann@x.example", 1),
        ("phone", "+49301234567", 2),
        ("cookie", "c1", 3),
    ]
    fields = {field["name"]: field for field in known["fields"]}
    assert (fields["tags"]["value"], fields["tags"]["as_of"]) == (["news", "shoes"], "1970-01-03T00:00:00.000000Z")
    assert [event["data"].get("tag") for event in known["events"]] == ["shoes", "news"]
    assert [row["text"] for row in known["rejected_rows"]] == ["ann@x.example,too,many"]
    (run,) = known["runs"]
    assert (run["job"], run["provider"], run["source"]) == ("Shop import", "File Service", "shop.csv")
    assert run["events"] == 2
    assert {entry["what"] for entry in known["history"]} == {"created", "changed", "conflict"}
    assert reported == [(2, 2)]


def test_the_page_says_the_same_and_runs_nothing(engine: Engine, ann: int, tmp_path: Path) -> None:
    export_person(engine, ann, tmp_path / "ann.html")
    page = Page((tmp_path / "ann.html").read_text(encoding="utf-8"))
    for words in (
        "ann@x.example",
        HOSTILE,
        "news, shoes",
        "Shop import · shop",
        "ann@x.example,too,many",
        "cookie c1",
        "1970-01-03 00:00:00",
    ):
        assert words in page.words
    assert {"script", "link", "img", "a", "iframe"}.isdisjoint(page.tags)
    assert {"src", "href", "onclick"}.isdisjoint(page.attributes)
    assert page.tags.count("title") == 1


def test_an_archive_has_both(engine: Engine, ann: int, tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    export_person(engine, ann, tmp_path / "ann.zip", lambda *done: reported.append(done))
    with zipfile.ZipFile(tmp_path / "ann.zip") as archive:
        assert archive.testzip() is None
        assert len(json.loads(archive.read("person.json"))["events"]) == 2
        assert b"<!doctype html>" in archive.read("person.html")
    assert reported == [(2, 4), (4, 4)]


def test_an_answer_that_is_given_up_or_impossible_leaves_nothing(engine: Engine, ann: int, tmp_path: Path) -> None:
    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_person(engine, ann, tmp_path / "ann.zip", stop)
    with pytest.raises(NotFound):
        export_person(engine, 999, tmp_path / "nobody.json")
    with pytest.raises(Refused, match="can't be written"):
        export_person(engine, ann, tmp_path / "nowhere" / "ann.json")
    assert not list(tmp_path.glob("*ann*"))
    assert not list(tmp_path.glob("*nobody*"))
