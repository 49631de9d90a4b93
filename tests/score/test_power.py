"""Power: what it promises is what simulated runs show, and questions and differences turn into one another."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm
from statsmodels.stats.power import TTestPower

from lrat_bench.errors import UsageError
from lrat_bench.score.mcnemar import mcnemar
from lrat_bench.score.power import (
    mcnemar_difference,
    mcnemar_power,
    mcnemar_questions,
    mean_difference,
    mean_power,
    mean_questions,
)


def by_simulation(questions: int, difference: float, discordance: float, *, alpha: float = 0.05) -> float:
    draw = np.random.default_rng(0)
    shares = [(discordance + difference) / 2, (discordance - difference) / 2, 1 - discordance]
    p = cache(mcnemar)
    return float(np.mean([p(int(b), int(c)) <= alpha for b, c, _ in draw.multinomial(questions, shares, size=8_000)]))


@pytest.mark.parametrize(
    ("questions", "difference", "discordance"),
    [(830, 0.05, 0.2), (300, 0.074, 0.21), (100, 0.1, 0.3), (30, 0.2, 0.4), (20, 0.3, 0.3), (12, 0.9, 1.0)],
)
def test_it_is_how_often_the_test_rejects(questions: int, difference: float, discordance: float) -> None:
    promised = mcnemar_power(questions, difference, discordance)
    assert promised == pytest.approx(by_simulation(questions, difference, discordance), abs=0.016)


def test_it_is_the_sum_over_all_outcomes() -> None:
    n, difference, discordance, alpha = 14, 0.3, 0.5, 0.1
    total = 0.0
    for m in range(n + 1):
        for b in range(m + 1):
            if mcnemar(b, m - b) <= alpha:
                total += binom.pmf(m, n, discordance) * binom.pmf(b, m, (discordance + difference) / 2 / discordance)
    assert mcnemar_power(n, difference, discordance, alpha=alpha) == pytest.approx(total, rel=1e-9)


def test_where_sums_end_the_normal_approximation_takes_over_without_a_step() -> None:
    below, above = (mcnemar_power(n, 0.0125, 0.2) for n in (9_990, 10_010))
    assert below == pytest.approx(above, abs=0.004)


def test_the_formula_of_large_samples_is_connors() -> None:
    # Connor (1987): n = (z √ψ + z_β √(ψ − δ²))² / δ².
    z, z_power, difference, discordance = norm.ppf(0.975), norm.ppf(0.8), 0.01, 0.2
    n = (z * discordance**0.5 + z_power * (discordance - difference**2) ** 0.5) ** 2 / difference**2
    assert mcnemar_questions(difference, discordance) == pytest.approx(n, rel=1e-3)


def test_a_large_difference_narrows_the_normal_approximation() -> None:
    # δ² is as much as a twentieth of ψ, at a level at which the power is not 1 all the same.
    n, difference, discordance, z = 10_100, 0.1, 0.2, 21.6
    shift = difference * n**0.5 - z * discordance**0.5
    expected = norm.cdf(shift / (discordance - difference**2) ** 0.5)
    assert 0.7 < expected < 0.9
    assert mcnemar_power(n, difference, discordance, alpha=2 * norm.sf(z)) == pytest.approx(expected, rel=1e-6)


def test_the_project_asks_for_830_questions_to_see_five_points() -> None:
    assert mcnemar_questions(0.05, 0.2) < 830 < mcnemar_questions(0.04, 0.2)
    assert mcnemar_power(830, 0.05, 0.2) >= 0.85


@settings(max_examples=25, deadline=None)
@given(st.floats(0.03, 0.6), st.floats(0.2, 0.95), st.floats(0.6, 0.95))
def test_so_many_questions_are_enough_and_one_less_is_not(share: float, discordance: float, power: float) -> None:
    difference = max(0.02, share * discordance)
    n = mcnemar_questions(difference, discordance, power=power)
    assert mcnemar_power(n, difference, discordance) >= power
    assert n == 1 or mcnemar_power(n - 1, difference, discordance) < power


@pytest.mark.parametrize("questions", [50, 100, 300, 830, 5_000, 100_000])
def test_the_difference_that_is_found_needs_so_many_questions(questions: int) -> None:
    found = mcnemar_difference(questions, 0.2)
    assert found is not None
    assert mcnemar_power(questions, found, 0.2) >= 0.8
    assert mcnemar_power(questions, found - 0.0002, 0.2) < 0.8


@pytest.mark.parametrize(("difference", "discordance"), [(0.5, 1.0), (0.3, 1.0), (0.7, 0.95), (0.2, 0.9)])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.9])
def test_more_questions_than_are_asked_for_are_enough_too(difference: float, discordance: float, power: float) -> None:
    n = mcnemar_questions(difference, discordance, power=power)
    assert mcnemar_power(n - 1, difference, discordance) < power
    assert all(mcnemar_power(more, difference, discordance) >= power for more in range(n, 2 * n + 20))


@pytest.mark.parametrize(
    ("questions", "discordance"), [(300, 0.2), (20, 0.9), (10**6, 0.2), (10**12, 0.2), (10**15, 1)]
)
def test_the_difference_that_is_found_is_the_least_however_many_are_asked(questions: int, discordance: float) -> None:
    found = mcnemar_difference(questions, discordance)
    assert found is not None
    assert mcnemar_power(questions, found, discordance) >= 0.8
    assert mcnemar_power(questions, 0.999 * found, discordance) < 0.8


def test_too_few_questions_find_nothing() -> None:
    assert mcnemar_difference(4, 1.0) is None
    assert mcnemar_difference(5, 1.0) == pytest.approx(0.91, abs=0.01)
    assert mcnemar_power(1, 0.5, 0.5) == 0.0
    assert mean_difference(1, 2.0) is None


@pytest.mark.parametrize(("difference", "sd"), [(1.0, 8.0), (0.02, 0.3), (5.0, 6.0), (400.0, 900.0)])
def test_questions_of_a_mean_are_those_of_the_t_test(difference: float, sd: float) -> None:
    reference = TTestPower().solve_power(difference / sd, power=0.8, alpha=0.05)
    n = mean_questions(difference, sd)
    assert abs(n - reference) <= 1
    assert mean_power(n, difference, sd) == pytest.approx(TTestPower().power(difference / sd, n, 0.05), abs=0.01)
    assert mean_difference(n, sd) == pytest.approx(difference, rel=0.04)


def test_any_size_is_answered_at_once() -> None:
    assert 3_900 < mcnemar_questions(0.05, 0.1, alpha=1e-20) < 4_500
    assert mcnemar_questions(1e-7, 0.2) > 1e13
    found = mcnemar_difference(10**12, 1e-7)
    assert found is not None
    assert 0 < found < 1e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mcnemar_power(100, 0.3, 0.2), "30 points needs at least 30 % discordant questions, got 20 %"),
        (lambda: mcnemar_power(0, 0.1, 0.2), "questions are 1 or more, got 0"),
        (lambda: mcnemar_power(10, 0.1, 0.2, alpha=0), "alpha lies between 0 and 1"),
        (lambda: mcnemar_questions(0.1, 0.2, power=0.04), "power lies above alpha"),
        (lambda: mcnemar_questions(float("nan"), 0.2), "a difference to be found"),
        (lambda: mcnemar_questions(1e-200, 0.2), "takes more than 1,000,000,000,000,000 questions: give a larger one"),
        (lambda: mean_questions(1e-200, 2.0), "takes more than 1,000,000,000,000,000 questions: give a larger one"),
        (lambda: mcnemar_difference(10**400, 0.2), "questions are 1,000,000,000,000,000 at most"),
        (lambda: mcnemar_difference(10, 0.0), "discordance is a share"),
        (lambda: mean_questions(-1.0, 2.0), "a difference is a finite number above 0, got -1"),
        (lambda: mean_difference(10, float("inf")), "a standard deviation is a finite number above 0, got inf"),
    ],
)
def test_what_cannot_be_is_refused(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(UsageError, match=words):
        call()
