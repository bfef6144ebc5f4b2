"""The index of people's words: whatever becomes of people, a search finds whom a plain look at everybody finds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from contextlib import closing
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.engine import Engine
from app.profiles import (
    count_matches,
    count_unindexed,
    erase_person,
    find_profile,
    index_everybody,
    search_profiles,
)
from app.profiles import search as searching
from app.profiles.rebuild import rebuild
from app.profiles.search_words import wanted_words
from app.schema.operations import publish_schema, remove_field, remove_mapping
from app.store.database import open_connection

TEXT_FIELDS = ("email", "phone", "cookie", "name", "friend", "tags")
NAMES = (
    "Maja Lind",
    "Ole Strøm",
    "JÖRG  lind",
    "Mañana",
    "王小明",
    "",
    "x_y-Z",
    "straße 7",
    "Customer100",
    "customer107",
)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "E-Mail": st.sampled_from(["ann@x.example", "bob@x.example", "maja.lind@shop.example"]),
            "Phone": st.sampled_from(["+49 30 12", "+49 30 13"]),
            "cookie": st.sampled_from(["c-1", "c-2", "c-3"]),
            "name": st.sampled_from(NAMES),
            "tag": st.sampled_from(["news", "Schuhe, rot", "vip\nnew", 'a "b"']),
            "visits": st.just("1"),
        },
    ),
    min_size=1,
    max_size=6,
)
STEPS = st.lists(
    st.one_of(
        RECORDS,
        st.sampled_from(["index", "rebuild", "drop tags"]),
        st.integers(0, 5).map(lambda place: ("erase", place)),
    ),
    min_size=1,
    max_size=6,
)
SEARCHES = (
    "maja", "MAJA li", "lind", "ind", "strom", "jorg", "manana", "小明", "明王", "x y", "strasse", "custom",
    "b", "customer1", "customer10 7", "new", "rot schuhe", "example", "ann@x.example", "ann@x", "c", "30 1", "-", "zzz",
)  # fmt: skip
PLAIN = str.maketrans({"ø": "o"})


def folded(text: str) -> str:
    """A text without case and accents."""
    plain = unicodedata.normalize("NFD", text.casefold()).translate(PLAIN)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """Its words; each Chinese sign is one."""
    spaced = re.sub("([一-龥])", r" \1 ", folded(text))
    return "".join(letter if letter.isalnum() else " " for letter in spaced).split()


def look(engine: Engine, text: str) -> list[int]:
    """Whom a search has to find, by reading everybody, the newest first."""
    with engine.workspace.database.read() as connection:
        known = connection.execute("select value, profile_id from identifiers").fetchall()
        people = [dict(row) for row in connection.execute("select * from profiles order by _id desc")]
    owners = {person for value, person in known if value in (text, text.lower())}
    if owners:
        return sorted(owners, reverse=True)
    wanted = words(text)
    found = []
    for person in people:
        theirs: list[str] = []
        for name in TEXT_FIELDS:
            value = person.get(name)
            if value is not None:
                several = orjson.loads(value) if name in ("cookie", "tags") else [value]
                theirs += [word for one in several for word in words(one)]
        if wanted and all(any(word.startswith(beginning) for word in theirs) for beginning in wanted):
            found.append(person["_id"])
    return found


def act(engine: Engine, arrive: Any, step: Any) -> None:
    """One thing that befalls a workspace."""
    if step == "index":
        index_everybody(engine, lambda done, total: None)
    elif step == "rebuild":
        with closing(open_connection(engine.workspace.database.path)) as connection:
            rebuild(connection, [], lambda done, total: None)
    elif step == "drop tags":
        if "tags" in columns(engine):
            remove_mapping(engine, "m_tags")
            remove_field(engine, "tags")
            publish_schema(engine, "Without tags")
    elif isinstance(step, tuple):
        people = search_profiles(engine)
        if people:
            erase_person(engine, people[step[1] % len(people)].id)
    else:
        arrive(*step)


def columns(engine: Engine) -> list[str]:
    with engine.workspace.database.read() as connection:
        return [row[0] for row in connection.execute("select name from pragma_table_info('profiles')")]


def agree(engine: Engine) -> None:
    """Every search finds whom it has to, page by page, and counts them."""
    for text in SEARCHES:
        expected = look(engine, text)
        assert [row.id for row in search_profiles(engine, text)] == expected, text
        assert [row.id for row in search_profiles(engine, text, 1, 2)] == expected[1:3], text
        assert count_matches(engine, text) == len(expected), text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_a_search_finds_whom_a_look_at_everybody_finds(new_workspace: Callable[..., Any], steps: list[Any]) -> None:
    engine, arrive = new_workspace()
    for step in steps:
        act(engine, arrive, step)
        agree(engine)
    act(engine, arrive, "index")
    with engine.workspace.database.read() as connection:
        assert connection.execute("select count(*) from unindexed").fetchone()[0] == 0
    agree(engine)


@pytest.fixture
def crowd(engine: Engine, arrive: Callable[..., Any]) -> Engine:
    """1,200 people, nobody indexed."""
    arrive(*({"E-Mail": f"p{place}@x.example", "name": f"Customer{place:04} Lind"} for place in range(1, 1201)))
    return engine


def test_many_who_are_not_indexed_are_counted_and_the_newest_found(crowd: Engine) -> None:
    assert count_unindexed(crowd) == 1200
    assert [row.title for row in search_profiles(crowd, "lind", limit=2)] == ["Customer1200 Lind", "Customer1199 Lind"]
    assert len(search_profiles(crowd, "lind", limit=2000)) == count_matches(crowd, "lind") == 500
    reported: list[tuple[int, int]] = []
    index_everybody(crowd, lambda done, total: reported.append((done, total)))
    assert (reported, count_unindexed(crowd)) == ([(1200, 1200)], 0)
    assert len(search_profiles(crowd, "lind", limit=2000)) == count_matches(crowd, "lind") == 1200


def test_what_the_index_has_of_people_who_changed_since_is_looked_at(crowd: Engine) -> None:
    index_everybody(crowd, lambda done, total: None)
    with crowd.workspace.database.write() as connection:
        connection.execute("update profiles set name = 'Ole' where _id = 7")
        connection.execute("delete from profiles where _id = 8")
        connection.execute("insert into unindexed select _id from profiles union select 8")
    assert [row.id for row in search_profiles(crowd, "customer000 lind", limit=20)] == [9, 6, 5, 4, 3, 2, 1]


def test_a_long_beginning_that_many_share_is_found_whole(crowd: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    index_everybody(crowd, lambda done, total: None)
    monkeypatch.setattr(searching, "LOOKED_AT", 300)
    for text, number in (("customer", 1200), ("customer0", 999), ("customer000", 9), ("customer120 lind", 1)):
        found = [row.id for row in search_profiles(crowd, text, limit=2000)]
        assert (len(found), found) == (number, sorted(set(found), reverse=True)), text


def test_an_import_goes_on_while_everybody_is_indexed(crowd: Engine, arrive: Callable[..., Any]) -> None:
    def meanwhile(done: int, total: int) -> None:
        if total == 1200:
            arrive({"E-Mail": "late@x.example", "name": "Late Lind"})

    index_everybody(crowd, meanwhile)
    assert [row.title for row in search_profiles(crowd, "late lind")] == ["Late Lind"]


@pytest.mark.parametrize("indexed", [False, True])
def test_no_word_of_an_erased_person_stays_in_the_file(
    engine: Engine, arrive: Callable[..., Any], indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive({"E-Mail": "ann@x.example", "name": "Arborea"}, {"E-Mail": "bob@x.example", "friend": "ann@x.example"})
    index_everybody(engine, lambda done, total: None)
    # What she was called before is in the index until its parts are merged.
    arrive({"E-Mail": "ann@x.example", "name": "Zwetschge"}, at=9)
    if indexed:
        index_everybody(engine, lambda done, total: None)
    else:
        monkeypatch.setattr("app.profiles.search_index.PEOPLE_IN_AN_ERASURE", 2)
    found = find_profile(engine, "ann@x.example")
    assert found is not None
    erase_person(engine, found)
    agree(engine)
    engine.workspace.database.close()
    kept = b"".join(path.read_bytes() for path in engine.workspace.folder.glob("workspace.db*")).lower()
    assert b"bob" in kept
    assert [word for word in (b"arbor", b"zwetsch", b"ann") if word in kept] == []


def test_a_search_wants_each_beginning_once() -> None:
    assert wanted_words("Li Lindholm maja@x LIND m") == ["lindholm", "maja", "x"]
    assert wanted_words(" ' % _") == []
