"""What happened to a person, told from the traces that real chunks leave."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.engine import Engine
from app.errors import NotFound
from app.profiles import count_history, find_profile, get_profile, person_history

DAY = 86_400_000_000


def person(engine: Engine, identifier: str) -> int:
    found = find_profile(engine, identifier)
    assert found is not None
    return found


def told(engine: Engine, identifier: str) -> list[tuple[int, str, str]]:
    """(day, verb, sentence) of each entry."""
    return [(entry.at // DAY, entry.verb, entry.words) for entry in person_history(engine, person(engine, identifier))]


def test_a_person_is_first_known_then_joined_and_changed(engine: Engine, arrive: Callable[..., object]) -> None:
    arrive({"E-Mail": "ann@x.example", "name": "Ann"}, {"Phone": "+49 30 1", "visits": "2"})
    arrive({"E-Mail": "ann@x.example", "Phone": "+4930 1", "visits": "3"}, at=5)
    assert told(engine, "ann@x.example") == [
        (5, "changed", "1 event came from Shop import: email, phone, visits"),
        (5, "joined", "Joined with another person by phone +49301"),
        (2, "changed", "2 events came from Shop import: name"),
        (1, "created", "First known from Shop import"),
    ]
    entry = person_history(engine, person(engine, "ann@x.example"), 1, 1)[0]
    assert (entry.field, entry.value, entry.stream, entry.run_id) == ("phone", "+49301", "shop", 2)
    assert count_history(engine, person(engine, "ann@x.example")) == 4


def test_both_sides_of_a_conflict_say_so(engine: Engine, arrive: Callable[..., object]) -> None:
    arrive(
        {"cookie": "c1", "E-Mail": "ann@x.example"},
        {"cookie": "c9", "E-Mail": "bob@x.example"},
        {"cookie": "c1", "E-Mail": "bob@x.example", "tag": "shoes"},
    )
    assert (3, "conflict", "An event of somebody else also named cookie c1: the two were kept apart") in told(
        engine, "ann@x.example"
    )
    assert (
        3,
        "conflict",
        "An event also named cookie c1, which belongs to somebody else: the two were kept apart",
    ) in told(engine, "bob@x.example")


def test_a_value_that_many_share_is_told_to_be_held_back(engine: Engine, arrive: Callable[..., object]) -> None:
    arrive(*({"cookie": "kiosk", "E-Mail": f"guest{number}@x.example"} for number in range(51)))
    entries = [entry for entry in told(engine, "guest50@x.example") if entry[1] == "held back"]
    assert entries == [(51, "held back", "cookie kiosk came with 51 others and no longer ties people together")]


def test_values_say_where_they_came_from_sets_and_counters_too(engine: Engine, arrive: Callable[..., object]) -> None:
    arrive({"E-Mail": "ann@x.example", "tag": "news", "visits": "2"}, {"E-Mail": "ann@x.example", "tag": "shoes"})
    arrive({"E-Mail": "ann@x.example", "visits": "5"}, at=9)
    profile = get_profile(engine, person(engine, "ann@x.example"))
    values = {field.name: (field.value, field.at // DAY, field.run_id, field.stream) for field in profile.fields}
    assert values["tags"] == (["news", "shoes"], 2, 1, "shop")
    assert values["visits"] == (7, 9, 2, "shop")
    (known,) = profile.known_by
    assert (known.field, known.rank, known.at, known.run_id, known.job) == ("email", 1, DAY, 1, "Shop import")


def test_nobody_has_no_history(engine: Engine) -> None:
    with pytest.raises(NotFound):
        person_history(engine, 17)
