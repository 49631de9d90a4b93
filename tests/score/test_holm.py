"""Holm's correction: as statsmodels has it, and never below what it corrects."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from lrat_bench.errors import UsageError
from lrat_bench.score.holm import holm

FAMILIES = st.lists(st.floats(0, 1), max_size=12)


def test_it_agrees_with_statsmodels() -> None:
    draw = random.Random(0)
    for size in range(1, 30):
        # Some are equal, some tiny: both are what comparisons give.
        family = [round(draw.random() ** 4, 3) for _ in range(size)]
        assert holm(family) == pytest.approx(list(multipletests(family, method="holm")[1]))


@given(FAMILIES)
def test_it_never_makes_a_p_value_smaller_and_keeps_their_order(family: list[float]) -> None:
    adjusted = holm(family)
    assert all(raw <= corrected <= 1 for raw, corrected in zip(family, adjusted, strict=True))
    order = sorted(range(len(family)), key=lambda at: (family[at], at))
    assert [adjusted[at] for at in order] == sorted(adjusted)


@given(FAMILIES, st.randoms(use_true_random=False))
def test_the_order_of_the_family_changes_nothing(family: list[float], draw: random.Random) -> None:
    places = list(range(len(family)))
    draw.shuffle(places)
    shuffled = holm([family[at] for at in places])
    assert [shuffled[places.index(at)] for at in range(len(family))] == holm(family)


def test_a_single_one_stays_and_none_is_none() -> None:
    assert holm([0.04]) == [0.04]
    assert holm([]) == []
    assert holm([0.01, 0.04]) == [0.02, 0.04]


def test_any_false_alarm_among_ten_is_as_rare_as_one() -> None:
    families = np.random.default_rng(0).random((4_000, 10))
    assert np.mean([min(holm(list(family))) <= 0.05 for family in families]) <= 0.06


@pytest.mark.parametrize("wrong", [-0.1, 1.5, float("nan")])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1, got"):
        holm([0.5, wrong])
