"""Which people an audience is, and the bits that say who belongs to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audiences.selection import Members, read_selection
from connectors.kit.errors import InputError


def test_everybody_and_a_search_have_a_name_and_a_slug() -> None:
    assert read_selection("all").audience.slug == "all"
    found = read_selection("search:Ann Holm")
    assert (found.search, found.audience.slug, found.audience.id) == ("Ann Holm", "search_ann_holm", "search:Ann Holm")


@pytest.mark.parametrize("identity", ["", "search:", "search:  ", "vip"])
def test_what_names_nobody_is_refused(identity: str) -> None:
    with pytest.raises(InputError, match="There is no audience"):
        read_selection(identity)


@given(st.sets(st.integers(1, 300)), st.sets(st.integers(1, 300)))
def test_members_are_a_set_of_numbers(some: set[int], others: set[int]) -> None:
    first, second = Members(some, 300), Members(others, max(others, default=0))
    both = first | second
    assert list(both) == sorted(some | others)
    assert len(both) == len(some | others)
    assert {number for number in range(1, 301) if number in first} == some
