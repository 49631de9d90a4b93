"""Relevance intensity: w = (1 − exp(−ln 2 · l / β)) / µ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lrat_bench.errors import UsageError
from lrat_bench.lrat.intensity import fit, quantiles, raw_weight, share_of, weight


def test_the_median_length_has_half_of_the_largest_raw_weight() -> None:
    assert raw_weight(138.0, 138.0) == pytest.approx(0.5, abs=1e-15)
    assert raw_weight(2 * 138.0, 138.0) == pytest.approx(0.75, abs=1e-15)
    assert raw_weight(1e9, 138.0) == 1.0


def test_no_reasoning_has_no_weight() -> None:
    assert raw_weight(0.0, 138.0) == 0.0


def test_a_short_length_loses_no_digits() -> None:
    assert raw_weight(1e-12, 100.0) == pytest.approx(math.log(2) * 1e-14, rel=1e-12)


def test_beta_is_the_median_and_weights_are_one_on_average() -> None:
    lengths = np.random.default_rng(0).lognormal(5, 1, 1001)
    scale = fit(lengths)
    assert scale.beta == float(np.median(lengths))
    assert scale.n == 1001
    assert np.mean([weight(length, scale) for length in lengths]) == pytest.approx(1.0, abs=1e-12)


def test_the_fit_is_that_of_the_formula_written_out() -> None:
    lengths = [10, 20, 40]
    raw = [1 - math.exp(-math.log(2) * one / 20) for one in lengths]
    scale = fit(lengths)
    assert (scale.beta, scale.n) == (20, 3)
    assert scale.mu == pytest.approx(sum(raw) / 3, abs=1e-15)
    assert weight(40, fit(lengths)) == pytest.approx(0.75 / (sum(raw) / 3))


def test_one_pair_is_enough_and_its_weight_is_one() -> None:
    scale = fit([7])
    assert (scale.beta, scale.mu, weight(7, scale)) == (7, 0.5, 1.0)


def test_zeros_count() -> None:
    assert fit([0, 10, 20]).beta == 10
    assert weight(0, fit([0, 10, 20])) == 0


def test_without_lengths_there_is_no_scale() -> None:
    with pytest.raises(UsageError, match="no pair has reasoning that was measured"):
        fit([])
    with pytest.raises(UsageError, match="most of 3 reasonings have 0 tokens"):
        fit([0, 0, 10])


def test_documents_share_a_reasoning_in_equal_parts() -> None:
    assert share_of(90, 3) == 30


def test_the_distribution_is_told_by_its_quantiles() -> None:
    found = quantiles(list(range(101)))
    assert (found.low, found.q25, found.median, found.q75, found.q95, found.high) == (0, 25, 50, 75, 95, 100)
