"""Tie groups: a shared letter means "not told apart", and nothing else does."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from lrat_bench.compare.ties import tie_groups, tie_letters

SIDES = ["a", "b", "c", "d", "e", "f", "g"]
DIFFER = st.sets(st.sampled_from([frozenset(pair) for pair in combinations(SIDES, 2)]))


@given(DIFFER)
def test_two_sides_share_a_letter_just_when_they_do_not_differ(differ: set[frozenset[str]]) -> None:
    letters = tie_letters(SIDES, differ)
    for one, other in combinations(SIDES, 2):
        assert bool(set(letters[one]) & set(letters[other])) == (frozenset((one, other)) not in differ)
    assert all(letters.values())


@given(DIFFER)
def test_no_group_lies_within_another(differ: set[frozenset[str]]) -> None:
    groups = [set(group) for group in tie_groups(SIDES, differ)]
    assert not any(
        one < other or (one == other and at < place)
        for at, one in enumerate(groups)
        for place, other in enumerate(groups)
        if at != place
    )


def test_a_chain_of_ties_overlaps() -> None:
    assert tie_groups(["a", "b", "c"], {frozenset("ac")}) == [("a", "b"), ("b", "c")]
    assert tie_letters(["a", "b", "c"], {frozenset("ac")}) == {"a": ("a",), "b": ("a", "b"), "c": ("b",)}


def test_none_differ_or_all_do() -> None:
    assert tie_groups(["x", "y", "z"], set()) == [("x", "y", "z")]
    assert tie_groups(["x", "y"], {frozenset("xy")}) == [("x",), ("y",)]
    assert tie_groups([], set()) == []


def test_there_are_letters_enough() -> None:
    sides = [f"side {at}" for at in range(60)]
    letters = tie_letters(sides, {frozenset(pair) for pair in combinations(sides, 2)})
    assert [letters[sides[at]] for at in (0, 25, 26, 59)] == [("a",), ("z",), ("a2",), ("h3",)]


def test_a_tangle_of_many_sides_is_no_trouble() -> None:
    # Twenty pairs that differ, and nothing else: 2^20 cliques, of which nobody needs more than a few.
    sides = [f"{at}" for at in range(40)]
    differ = {frozenset((sides[2 * at], sides[2 * at + 1])) for at in range(20)}
    letters = tie_letters(sides, differ)
    assert all(
        bool(set(letters[a]) & set(letters[b])) == (frozenset((a, b)) not in differ) for a, b in combinations(sides, 2)
    )
