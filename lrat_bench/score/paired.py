"""Paired differences: how much better is one than the other on the same questions?

Two systems that answer the same questions are hard and easy in the same places, so the difference of a question says
more than the difference of two means with an interval each.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.score.intervals import RESAMPLES, Interval, bootstrap
from lrat_bench.score.metrics.catalogue import MEASURES
from lrat_bench.score.metrics.measure import Measure
from lrat_bench.score.rows import Row

__all__ = ["Difference", "are_alike", "paired_difference", "paired_means", "paired_rows"]

K = TypeVar("K", bound=Hashable)

_BLOCK = 1 << 20  # signs held at a time: 8 MiB

_ROUNDING = 1e-9
"""What sums of floats may be off, relative to the numbers."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference, first minus second.

    Attributes:
        value: in the measure's unit; None where nothing could be paired.
        low: lower end of the 95 % interval; None where the data cannot say.
        high: upper end.
        n: pairs that it is the mean of.
        clusters: independent units among them (questions).
        p: two-sided, of the hypothesis that it makes no difference which is which; None where the data cannot say.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    clusters: int
    p: float | None


def paired_difference(
    a: Mapping[K, float],
    b: Mapping[K, float],
    *,
    cluster: Callable[[K], Hashable] | Mapping[K, Hashable] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Difference:
    """The mean of a − b over the keys, with what it stands on.

    The interval is the percentile bootstrap of whole clusters (`intervals.bootstrap`). The p-value is that of the
    randomisation test which flips the sign of whole clusters, (1 + flips at least as far from 0) / (1 + flips)
    (E. J. G. Pitman, 1937, "Significance tests which may be applied to samples from any populations", JRSS Suppl.
    4:119–130; M. Smucker, J. Allan and B. Carterette, 2007, "A comparison of statistical significance tests for
    information retrieval evaluation", CIKM). Where all clusters differ by the same, no interval is given: it would
    have no width, however few they are.

    Args:
        a: key → value of the first; all finite.
        b: of the second, under the same keys.
        cluster: key → what it is part of (a question, whose repeats are not independent); each key alone unless given.
        seed: equal seeds and inputs give equal results, whatever the order of the keys.
        resamples: of the bootstrap, and flips of the test.

    Raises:
        UsageError: the keys differ, or a value is not finite.
    """
    if a.keys() != b.keys():
        alone = sorted(map(str, a.keys() ^ b.keys()))
        raise UsageError(
            f"only what both have can be paired: {len(alone)} are in one of them alone, as {', '.join(alone[:3])}"
        )
    if broken := [key for key in a if not (isfinite(a[key]) and isfinite(b[key]))]:
        raise UsageError(
            f"{broken[0]} has the values {a[broken[0]]} and {b[broken[0]]}: only finite ones can be paired"
        )
    of = _identity if cluster is None else cluster if callable(cluster) else cluster.__getitem__
    parts: dict[Hashable, list[float]] = {}
    for key in sorted(a, key=repr):
        parts.setdefault(of(key), []).append(a[key] - b[key])
    totals = np.array([fsum(values) for values in parts.values()])
    counts = np.array([len(values) for values in parts.values()], dtype=np.float64)
    (found,) = paired_means(totals[:, None], counts[:, None], seed=seed, resamples=resamples)
    return found


def paired_means(
    totals: NDArray[np.float64],
    counts: NDArray[np.float64],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    flips: int | None = None,
) -> list[Difference]:
    """Several mean differences over the same questions at once, each as `paired_difference` gives it.

    The questions are drawn, and the signs flipped, for all of them together: it takes hardly longer than one, and none
    hangs on which others there are.

    Args:
        totals: sum of a question's differences, shape (questions, means).
        counts: how many differences that is the sum of, shape (questions, means); 0 where a question has none.
        seed: equal seeds and inputs give equal results.
        resamples: of the bootstrap.
        flips: of the test; as many unless given.
    """
    varied = [at for at in range(totals.shape[1]) if not are_alike(totals[:, at], counts[:, at])]
    drawn = bootstrap(totals[:, varied], counts[:, varied], seed=seed, resamples=resamples) if varied else []
    intervals = dict(zip(varied, drawn, strict=True))
    clusters = np.count_nonzero(counts, axis=0)
    p_values = _randomisation(totals, seed, resamples if flips is None else flips)
    found = []
    for at in range(totals.shape[1]):
        n = int(counts[:, at].sum())
        interval = intervals.get(at, Interval(None, None))
        found.append(
            Difference(
                value=fsum(totals[:, at]) / n if n else None,
                low=interval.low,
                high=interval.high,
                n=n,
                clusters=int(clusters[at]),
                p=p_values[at] if clusters[at] > 1 else None,
            )
        )
    return found


def are_alike(totals: NDArray[np.float64], counts: NDArray[np.float64]) -> bool:
    """Whether all questions that have differences have the same mean difference, but for rounding.

    Args:
        totals: sum of a question's differences, shape (questions,).
        counts: how many differences that is the sum of, shape (questions,).
    """
    there = counts > 0
    means = totals[there] / counts[there]
    return not len(means) or bool(np.ptp(means) <= _ROUNDING * np.abs(means).max())


def paired_rows(pairs: Sequence[tuple[Sequence[Row], Sequence[Row]]], measure: str, *, seed: int = 0) -> Difference:
    """The mean difference of a measure between runs of the same questions, pooled over several pairs of runs.

    A question counts with all its repeats; in each pair of runs (say, each agent) it is a question of its own. What has
    no value on one side is left out on both, so that n may be smaller than the number of rows; a question that errored
    or is ungraded is not correct, as in `success_rate`.

    Args:
        pairs: rows of a first and of a second run (`score.rows.per_question`), once or more.
        measure: name of the catalogue, as `success_rate`, `evidence_recall`, `steps`.
        seed: of the bootstrap and the test.

    Raises:
        UnknownName: there is no such measure.
        UsageError: two runs of a pair were not asked the same questions as often.
    """
    by_name = {one.name: one for one in MEASURES}
    if measure not in by_name:
        raise UnknownName("measure", measure, by_name)
    first: dict[tuple[int, str, int], float] = {}
    second: dict[tuple[int, str, int], float] = {}
    for at, (rows_a, rows_b) in enumerate(pairs):
        values_a, values_b = _values(rows_a, by_name[measure]), _values(rows_b, by_name[measure])
        if values_a.keys() != values_b.keys():
            question, repeat = min(values_a.keys() ^ values_b.keys())
            raise UsageError(
                f"runs that are paired must be of the same questions and repeats: question {question!r}, repeat "
                f"{repeat}, is in one of them alone"
            )
        for key, value in values_a.items():
            other = values_b[key]
            if value is not None and other is not None:
                first[at, *key], second[at, *key] = value, other
    return paired_difference(first, second, cluster=lambda key: key[:2], seed=seed)


def _values(rows: Sequence[Row], measure: Measure) -> dict[tuple[str, int], float | None]:
    found: dict[tuple[str, int], float | None] = {}
    for row in rows:
        value = row.values[measure.name]
        found[row.question_id, row.repeat] = measure.absent if value is None else value
    return found


def _identity(key: Hashable) -> Hashable:
    return key


def _randomisation(totals: NDArray[np.float64], seed: int, flips: int) -> list[float]:
    """The p-value of each column of totals, shape (questions, means)."""
    questions, means = totals.shape
    whole = totals.sum(axis=0)
    # Rounding must not make an outcome that is as far from 0 look nearer.
    bars = np.array([abs(fsum(column)) - _ROUNDING * fsum(abs(column)) for column in totals.T])
    rng = np.random.default_rng((seed, 1))
    rows = max(1, _BLOCK // max(1, questions))
    far = np.zeros(means, dtype=np.int64)
    for start in range(0, flips, rows):
        kept = rng.integers(2, size=(min(rows, flips - start), questions), dtype=np.int8).astype(np.float64)
        far += np.count_nonzero(abs(2 * (kept @ totals) - whole) >= bars, axis=0)
    return [float(p) for p in (1 + far) / (1 + flips)]
