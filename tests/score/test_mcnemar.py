"""McNemar's test: as published, as SciPy and statsmodels have it, and with the false alarms that it promises."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as exact

from lrat_bench.errors import UsageError
from lrat_bench.score.mcnemar import is_mcnemars, mcnemar

COUNTS = st.integers(0, 400)


def test_the_papers_own_example_comes_out() -> None:
    # Airway hyper-responsiveness before and after transplantation: 1 against 7 (Fagerland et al., Table 1).
    assert mcnemar(1, 7) == pytest.approx(0.0391, abs=5e-5)


def test_it_is_the_exact_test_less_the_chance_of_what_was_seen() -> None:
    draw = random.Random(0)
    for _ in range(200):
        b, c = draw.randrange(120), draw.randrange(120)
        if b == c:
            continue
        reference = exact([[50, b], [c, 50]], exact=True).pvalue
        assert mcnemar(b, c) == pytest.approx(reference - binom.pmf(b, b + c, 0.5), abs=1e-12)


def test_one_side_is_the_mid_p_of_its_tail() -> None:
    draw = random.Random(1)
    for _ in range(200):
        b, c = draw.randrange(60), draw.randrange(60)
        tail = binom.sf(b, b + c, 0.5) + 0.5 * binom.pmf(b, b + c, 0.5)
        assert mcnemar(b, c, alternative="greater") == pytest.approx(tail, abs=1e-12)
        assert mcnemar(b, c, alternative="less") == pytest.approx(1 - tail, abs=1e-12)


@given(COUNTS, COUNTS)
def test_it_does_not_matter_which_is_called_the_first(b: int, c: int) -> None:
    assert mcnemar(b, c) == mcnemar(c, b)
    assert mcnemar(b, c, alternative="greater") == mcnemar(c, b, alternative="less")
    assert 0 < mcnemar(b, c) <= 1


@given(COUNTS, COUNTS)
def test_the_further_apart_the_smaller(b: int, c: int) -> None:
    low, high = sorted((b, c))
    assert mcnemar(low, high + 1) < mcnemar(low, high)


@pytest.mark.parametrize("many", [0, 1, 7, 5000])
def test_as_many_on_either_side_is_no_difference(many: int) -> None:
    assert mcnemar(many, many) == 1.0
    assert mcnemar(many, many, alternative="greater") == 0.5


def test_ten_thousand_discordant_questions_are_no_trouble() -> None:
    assert mcnemar(5100, 4900) == pytest.approx(2 * binom.cdf(4900, 10_000, 0.5) - binom.pmf(4900, 10_000, 0.5))
    assert 0 <= mcnemar(10_000, 0) < 1e-300


def test_counts_below_zero_are_refused() -> None:
    with pytest.raises(UsageError, match="0 or more, got -1 and 3"):
        mcnemar(-1, 3)


@pytest.mark.parametrize(
    ("first", "second", "values", "so"),
    [
        ([1, 0, 1], [0, 0, 1], [1, 1, 1], True),
        ([1, 0, 1], [0, 0, 1], [1, 0, 1, 1], True),  # a question without any
        ([1, 0, 1], [0, 0, 1], [2, 1], False),  # two of one question
        ([1, 0, 0.5], [0, 0, 1], [1, 1, 1], False),
        ([1, 0, 1], [0, 0, 2], [1, 1, 1], False),
        ([], [], [], False),
    ],
)
def test_it_is_for_questions_with_one_value_of_each_that_is_0_or_1(
    first: list[float], second: list[float], values: list[float], *, so: bool
) -> None:
    assert is_mcnemars(np.array(first), np.array(second), np.array(values)) is so
    assert is_mcnemars(np.array(second), np.array(first), np.array(values)) is so


def rejected(difference: float, *, simulations: int = 2_000, questions: int = 830, discordance: float = 0.2) -> float:
    """How often p ≤ 5 %, over simulated pairs of runs."""
    draw = np.random.default_rng(6)
    shares = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    p = cache(mcnemar)
    seen = draw.multinomial(questions, shares, size=simulations)
    return float(np.mean([p(int(b), int(c)) <= 0.05 for b, c, _ in seen]))


def test_false_alarms_are_as_rare_as_promised() -> None:
    assert 0.03 <= rejected(0.0) <= 0.06


def test_five_points_are_found_at_830_questions() -> None:
    assert rejected(0.05) >= 0.85
