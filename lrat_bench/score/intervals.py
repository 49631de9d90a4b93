"""95 % intervals: how far off may a number be, given how many questions it stands on?

They speak of questions: another sample of the same kind would give a number in this range. They say nothing of what
changes when the same questions are run again.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESAMPLES", "Interval", "bootstrap", "unanimous", "wilson"]

RESAMPLES = 10_000
"""Bootstrap resamples: the Monte Carlo error of a percentile is then about a fiftieth of the interval's width."""

_BETWEEN_0_AND_1 = ("share", "nDCG", "reciprocal rank", "squared error")
"""Units of values that lie there."""

_Z = 1.959963984540054  # 97.5 % quantile of the standard normal distribution
_BLOCK = 1 << 20  # drawn indices held at a time: 8 MiB


class Interval(NamedTuple):
    """Both ends, or None where the data cannot say."""

    low: float | None
    high: float | None


def wilson(successes: float, n: int) -> Interval:
    """Wilson's score interval for a rate of independent questions.

    With p = successes / n and z = 1.96:

        (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)

    It keeps its coverage for small n and near 0 and 1, where the normal approximation has no width (E. B. Wilson,
    1927, "Probable inference, the law of succession, and statistical inference", JASA 22:209–212).

    Args:
        successes: between 0 and n; a sum of shares where a question was asked several times.
        n: number of trials; 0 gives no interval.
    """
    if n == 0:
        return Interval(None, None)
    p = successes / n
    centre = p + _Z**2 / (2 * n)
    half = _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    # At the extremes the ends are 0 and 1 exactly, which rounding would miss.
    low = 0.0 if successes == 0 else (centre - half) / scale
    high = 1.0 if successes == n else (centre + half) / scale
    return Interval(low, high)


def unanimous(values: Iterable[float], questions: int, *, unit: str) -> Interval | None:
    """Wilson's interval where all values are 0, or all are 1: a bootstrap of these has no width, however few they are.

    It is that of so many questions, all wrong or all right, and holds for any value between 0 and 1: one whose mean is
    p is 0 with probability 1 − p at most, which is how often a question is wrong that is right with probability p.

    Args:
        values: of a measure.
        questions: that they belong to; repeats of a question are not independent.
        unit: of the measure.

    Returns:
        None where the values differ, or are others, or may lie outside of 0 to 1.
    """
    found = set(values)
    if unit not in _BETWEEN_0_AND_1 or len(found) != 1 or not found <= {0.0, 1.0}:
        return None
    return wilson(questions * found.pop(), questions)


def bootstrap(
    totals: NDArray[np.float64], counts: NDArray[np.float64], *, seed: int, resamples: int = RESAMPLES
) -> list[Interval]:
    """Percentile cluster bootstrap of means, several at once.

    Whole questions are drawn with replacement, as many as there are, and carry all their repeats with them, which are
    not independent of one another. One draw serves every mean: the columns differ, the questions do not. A mean is
    the sum of the drawn totals over the sum of the drawn counts (B. Efron and R. Tibshirani, 1993, "An introduction
    to the bootstrap", ch. 13; C. Field and A. Welsh, 2007, "Bootstrapping clustered data", JRSS B 69:369–390).

    Args:
        totals: sum of a question's values, shape (questions, means).
        counts: number of a question's values, shape (questions, means).
        seed: equal seeds and inputs give equal intervals.
        resamples: how often to draw.

    Returns:
        one interval per mean: 2.5th to 97.5th percentile. A mean that rests on fewer than two questions has none:
        a single one says nothing about another.
    """
    questions, means = totals.shape
    rng = np.random.default_rng(seed)
    drawn = np.full((resamples, means), np.nan)
    rows = max(1, _BLOCK // max(1, questions))
    for start in range(0, resamples if questions else 0, rows):
        size = min(rows, resamples - start)
        times = _times_drawn(rng, size, questions)
        weight = times @ counts
        np.divide(times @ totals, weight, out=drawn[start : start + size], where=weight > 0)
    supported = np.count_nonzero(counts, axis=0) >= 2
    return [_percentiles(drawn[:, at]) if supported[at] else Interval(None, None) for at in range(means)]


def _times_drawn(rng: np.random.Generator, size: int, questions: int) -> NDArray[np.float64]:
    # How often each question is drawn in each resample, shape (size, questions).
    picks = rng.integers(questions, size=(size, questions))
    picks += np.arange(size)[:, None] * questions
    flat = np.bincount(picks.ravel(), minlength=size * questions)
    return flat.reshape(size, questions).astype(np.float64)


def _percentiles(values: NDArray[np.float64]) -> Interval:
    # A resample without any supported question has no mean and is left out.
    low, high = np.quantile(values[~np.isnan(values)], [0.025, 0.975])
    return Interval(float(low), float(high))
