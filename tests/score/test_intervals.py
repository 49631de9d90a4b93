"""Intervals have the coverage they claim, and say nothing where the data cannot."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrat_bench.score.intervals import Interval, bootstrap, wilson

Z = 1.959963984540054


def ends(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def one_mean(values: NDArray[np.float64], *, seed: int = 0, resamples: int = 2000) -> Interval:
    """The bootstrap interval of values of shape (questions, repeats)."""
    totals = values.sum(axis=1, keepdims=True)
    counts = np.full_like(totals, values.shape[1])
    return bootstrap(totals, counts, seed=seed, resamples=resamples)[0]


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # 81 of 263 and 15 of 148: Newcombe (1998), Statistics in Medicine 17:857–872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_ends_are_the_rates_that_the_data_would_just_not_reject(case: tuple[int, int]) -> None:
    successes, n = case
    low, high = ends(wilson(successes, n))
    rate = successes / n
    assert 0 <= low <= rate <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(rate - end) == pytest.approx(Z * sqrt(end * (1 - end) / n), rel=1e-6, abs=1e-9)


def test_wilson_of_nothing_is_unknown() -> None:
    assert wilson(0, 0) == (None, None)


def test_wilson_is_exact_at_both_extremes() -> None:
    assert wilson(0, 300).low == 0.0
    assert wilson(300, 300).high == 1.0


def test_the_bootstrap_covers_the_true_mean_of_a_skewed_quantity_about_95_times_in_100() -> None:
    rng = np.random.default_rng(7)
    samples = rng.exponential(10.0, size=(300, 80, 1))
    covered = sum(low <= 10.0 <= high for low, high in (ends(one_mean(s, resamples=500)) for s in samples))
    assert 0.90 <= covered / 300 <= 0.98


def test_repeats_of_a_question_are_no_new_questions() -> None:
    rng = np.random.default_rng(3)
    once = rng.random((100, 1))
    assert one_mean(np.repeat(once, 8, axis=1)) == pytest.approx(one_mean(once))


def test_the_cluster_bootstrap_covers_where_treating_repeats_as_independent_does_not() -> None:
    rng = np.random.default_rng(11)
    clustered = independent = 0
    for _ in range(200):
        success = (rng.random((60, 5)) < rng.beta(0.3, 0.3, size=(60, 1))).astype(np.float64)
        low, high = ends(one_mean(success, resamples=500))
        clustered += low <= 0.5 <= high
        low, high = ends(wilson(int(success.sum()), success.size))
        independent += low <= 0.5 <= high
    assert clustered / 200 >= 0.90
    assert independent / 200 <= 0.80


def test_questions_with_fewer_repeats_weigh_less() -> None:
    totals, counts = np.array([[3.0], [0.0], [1.0]]), np.array([[3.0], [1.0], [1.0]])
    low, high = ends(bootstrap(totals, counts, seed=0, resamples=2000)[0])
    assert (low, high) == (0.0, 1.0)


def test_equal_seeds_give_equal_intervals_and_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).random((50, 1))
    whole = one_mean(values, seed=1)
    assert one_mean(values, seed=1) == whole
    assert one_mean(values, seed=2) != whole
    monkeypatch.setattr("lrat_bench.score.intervals._BLOCK", 7 * 50)
    assert one_mean(values, seed=1) == pytest.approx(whole)


def test_a_mean_does_not_depend_on_its_neighbours_but_for_the_draw() -> None:
    values = np.random.default_rng(5).random((40, 2))
    both = bootstrap(values, np.ones_like(values), seed=0, resamples=1000)
    assert both[1] == pytest.approx(bootstrap(values[:, 1:], np.ones((40, 1)), seed=0, resamples=1000)[0])


@pytest.mark.parametrize("supported", [0, 1])
def test_fewer_than_two_questions_say_nothing_of_others(supported: int) -> None:
    counts = np.zeros((5, 1))
    counts[:supported] = 1
    assert bootstrap(counts * 0.5, counts, seed=0, resamples=50) == [(None, None)]


def test_no_questions_give_no_interval() -> None:
    assert bootstrap(np.zeros((0, 2)), np.zeros((0, 2)), seed=0) == [(None, None)] * 2
