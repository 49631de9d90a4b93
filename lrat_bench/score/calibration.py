"""Calibration: is the confidence that answers state the share of them that is correct?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrat_bench.score.intervals import RESAMPLES, Interval
from lrat_bench.score.metric import Metric

__all__ = ["FEW", "Stated", "bin_size", "calibration"]

FEW = 100
"""Below so many answers, chance alone gives an error that is not small; the definition then says how large."""

_MOST, _LEAST, _BINS = 100, 10, 5
_BLOCK = 1000  # resamples at a time


@dataclass(frozen=True, slots=True)
class Stated:
    """A graded answer that states a confidence.

    Attributes:
        question_id: whose it is; repeats of a question are not independent.
        confidence: between 0 and 1.
        correct: what the judge said.
    """

    question_id: str
    confidence: float
    correct: bool


def bin_size(n: int) -> int:
    """How many of n answers are in a bin: 100, as with BrowseComp-Plus; of fewer than 500 a fifth, at least 10."""
    return min(_MOST, max(_LEAST, n // _BINS))


def calibration(stated: Sequence[Stated], *, seed: int = 0, resamples: int = RESAMPLES) -> Metric:
    """The calibration error of answers (root mean square over bins of equal count), for any number of them.

    Answers are sorted by confidence and cut into bins of `bin_size`, the last of which takes the remainder. With N
    answers, and in bin b n_b answers of mean confidence conf_b of which a share acc_b is correct:

        √( Σ_b n_b/N · (conf_b − acc_b)² )

    over **all** bins (D. Hendrycks, M. Mazeika and T. Dietterich, 2019, "Deep anomaly detection with outlier exposure",
    ICLR, app. on calibration). Where answers of equal confidence fall into two bins, each part has the accuracy of all
    of them, so that their order does not matter.

    Small bins have an error even where confidence is right: what chance alone gives, √( Σ_b conf_b (1 − conf_b) / N ),
    is said in the definition below 100 answers.

    Args:
        stated: the answers; several of one question are its repeats.
        seed: of the bootstrap.
        resamples: of it.

    Returns:
        a metric named `calibration_error`. Its interval is the percentile bootstrap over questions, binned anew in each
        resample. It reaches down to 0 where an agent whose confidence is right would show as much in one of 40 runs. It
        is None with fewer than two questions, and where it would have no width.
    """
    n = len(stated)
    levels, level = np.unique([one.confidence for one in stated], return_inverse=True)
    place = {qid: at for at, qid in enumerate(dict.fromkeys(one.question_id for one in stated))}
    counts, right = (np.zeros((len(place), len(levels))) for _ in range(2))
    rows = np.array([place[one.question_id] for one in stated], dtype=np.int64)
    np.add.at(counts, (rows, level), 1.0)
    np.add.at(right, (rows, level), [float(one.correct) for one in stated])
    value = float(_errors(levels, counts.sum(axis=0)[None], right.sum(axis=0)[None])[0]) if n else None
    interval = Interval(None, None)
    if value is not None and len(place) > 1:
        interval = _interval(value, levels, counts, right, seed=seed, resamples=resamples)
    return Metric(
        name="calibration_error",
        value=value,
        n=n,
        low=interval.low,
        high=interval.high,
        unit="share",
        direction="lower",
        definition=_definition(n, levels, counts.sum(axis=0)),
    )


def _definition(n: int, levels: NDArray[np.float64], counts: NDArray[np.float64]) -> str:
    said = (
        "Root mean square, over bins of graded answers of about equal stated confidence, of the difference between "
        f"mean confidence and share correct; bins hold {bin_size(n)} answers, all bins count"
    )
    if not 0 < n < FEW:
        return f"{said}."
    sizes, confidence, _ = _bins(levels, counts[None], np.zeros_like(counts)[None])
    mean = np.divide(confidence, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    chance = float(np.sqrt(np.sum((mean * (1 - mean))[sizes > 0]) / n))
    return f"{said}; {n} answers are few, and chance alone gives a calibrated agent about {100 * chance:.0f} %."


def _bins(
    levels: NDArray[np.float64], counts: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Answers, sum of confidences and correct answers of each bin, of several samples at once.

    Args:
        levels: the different confidences, rising, shape (levels,).
        counts: answers at each level, shape (samples, levels).
        right: correct ones among them, shape (samples, levels).

    Returns:
        three arrays of shape (samples, bins); samples that have fewer bins than others have empty ones.
    """
    n = counts.sum(axis=1).astype(np.int64)
    size = np.clip(n // _BINS, _LEAST, _MOST)
    bins = np.maximum(1, n // size)
    steps = np.arange(bins.max() + 1)
    edges = np.where(steps < bins[:, None], steps * size[:, None], n[:, None])  # (samples, bins + 1)
    found = np.empty((3, *edges.shape))
    kinds = (counts, levels * counts, right)
    sums = [np.cumsum(kind, axis=1) for kind in kinds]
    for column in range(edges.shape[1]):
        # The first level that reaches up to the edge; the answers of a level are alike, so what lies below the edge
        # grows evenly within it.
        level = np.argmax(sums[0] >= edges[:, column, None], axis=1)[:, None]
        there, end = (np.take_along_axis(values, level, axis=1)[:, 0] for values in (counts, sums[0]))
        beyond = np.divide(end - edges[:, column], there, out=np.zeros_like(end), where=there > 0)
        for at, kind in enumerate(kinds):
            below, own = (np.take_along_axis(values, level, axis=1)[:, 0] for values in (sums[at], kind))
            found[at, :, column] = below - beyond * own
    sizes, confidence, correct = np.diff(found, axis=2)
    return sizes, confidence, correct


def _errors(
    levels: NDArray[np.float64], counts: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The error of each sample; the arguments are those of `_bins`."""
    sizes, confidence, correct = _bins(levels, counts, right)
    squares = np.divide((confidence - correct) ** 2, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    errors: NDArray[np.float64] = np.sqrt(squares.sum(axis=1) / sizes.sum(axis=1))
    return errors


def _interval(
    value: float,
    levels: NDArray[np.float64],
    counts: NDArray[np.float64],
    right: NDArray[np.float64],
    *,
    seed: int,
    resamples: int,
) -> Interval:
    rng = np.random.default_rng(seed)
    # All that counts is how often each row was drawn, and there are few different ones.
    rows, times = np.unique(np.hstack([counts, right]), axis=0, return_counts=True)
    in_all = counts.sum(axis=0)

    def resampled(size: int) -> NDArray[np.float64]:
        drawn = rng.multinomial(times.sum(), times / times.sum(), size=size) @ rows
        return _errors(levels, *np.hsplit(drawn, 2))

    def calibrated(size: int) -> NDArray[np.float64]:
        correct = rng.binomial(in_all.astype(np.int64), levels, size=(size, len(levels))).astype(np.float64)
        return _errors(levels, np.broadcast_to(in_all, correct.shape), correct)

    def in_blocks(draw: Callable[[int], NDArray[np.float64]], many: int) -> NDArray[np.float64]:
        return np.concatenate([draw(min(_BLOCK, many - start)) for start in range(0, many, _BLOCK)])

    low, high = (float(end) for end in np.quantile(in_blocks(resampled, resamples), [0.025, 0.975]))
    # No resample has an error of 0, whatever the truth is; and most have a larger one than what they are drawn from.
    by_chance = np.quantile(in_blocks(calibrated, min(resamples, _BLOCK)), 0.975)
    low = 0.0 if value <= by_chance else min(low, value)
    high = max(high, value)
    return Interval(low, high) if low < high else Interval(None, None)
