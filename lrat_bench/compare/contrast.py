"""The contrast: one measure of two sides, tested, before it is held against the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from lrat_bench.compare.aligned import Aligned, Paired
from lrat_bench.score.effect import Counts, cohen_dz, cohen_g, counts
from lrat_bench.score.holm import holm
from lrat_bench.score.mcnemar import mcnemar
from lrat_bench.score.paired import Difference, paired_means
from lrat_bench.score.power import mcnemar_difference, mean_difference

__all__ = ["ALPHA", "POWER", "Contrast", "Pair", "adjusted", "contrasts"]

ALPHA = 0.05
"""Level of every statement: any false alarm at all among the comparisons of one measure, in one of 20 cases."""

POWER = 0.8
"""How often what is called detectable is found."""

_FINER = 2
"""How many times below the level the least p-value lies, after Holm's correction over all pairs."""

_TOGETHER = 512  # means whose resamples are held at a time: 40 MB

Pair = tuple[int, int]
"""Places of a baseline and of another side."""


@dataclass(frozen=True)
class Contrast:
    """One measure of one pair.

    Attributes:
        paired: the differences.
        found: their mean, with bootstrap and randomisation.
    """

    paired: Paired
    found: Difference

    @property
    def counts(self) -> Counts:
        """On how many pairs the other side's value is higher than the baseline's, equal, or lower."""
        return counts(self.paired.differences)

    @property
    def p(self) -> float | None:
        """McNemar's where it applies, else that of the randomisation; None where there is no second question."""
        if self.found.p is None or not self.paired.binary:
            return self.found.p
        return mcnemar(self.counts.higher, self.counts.lower)

    @property
    def effect(self) -> float | None:
        """Cohen's g or d_z."""
        if self.paired.binary:
            return cohen_g(self.counts.higher, self.counts.lower)
        return cohen_dz(self.paired.by_question)

    @property
    def sd(self) -> float | None:
        """Standard deviation of the differences over questions; None below two."""
        means = self.paired.by_question
        return float(means.std(ddof=1)) if len(means) > 1 else None

    def detectable(self, alpha: float) -> float | None:
        """The difference that is found with `POWER`; None where nothing parts the sides, or questions are too few."""
        found, paired = self.found, self.paired
        if paired.binary:
            parted = self.counts.higher + self.counts.lower
            return mcnemar_difference(found.n, parted / found.n, power=POWER, alpha=alpha) if parted else None
        if found.value is None or found.clusters < 2 or paired.alike:
            return None
        # The spread that a mean over questions would have which is as uncertain as this one, whatever their weights.
        residuals = paired.totals - found.value * paired.counts
        spread = sqrt(float(np.sum(residuals**2)) / (found.clusters - 1)) * found.clusters / found.n
        return mean_difference(found.clusters, spread, power=POWER, alpha=alpha) if spread > 0 else None


def contrasts(
    aligned: Mapping[str, Aligned], pairs: Sequence[Pair], *, seed: int, resamples: int
) -> dict[str, dict[Pair, Contrast]]:
    """Measure → pair → contrast; the same questions are drawn for all of them.

    Args:
        aligned: measure → its values on all sides.
        pairs: what Holm's method is taken over at most.
        seed: of bootstrap and randomisation.
        resamples: of the bootstrap, and flips of the test at least: p-values are not below one of so many, and Holm's
            method multiplies them by the number of pairs.
    """
    by_measure: dict[str, dict[Pair, Contrast]] = {name: {} for name in aligned}
    asked = [(name, pair) for name in aligned for pair in pairs]
    for start in range(0, len(asked), _TOGETHER):
        some = asked[start : start + _TOGETHER]
        paired = [aligned[name].pair(*pair) for name, pair in some]
        found = paired_means(
            np.column_stack([one.totals for one in paired]),
            np.column_stack([one.counts for one in paired]),
            seed=seed,
            resamples=resamples,
            flips=max(resamples, ceil(_FINER * len(pairs) / ALPHA)),
        )
        for (name, pair), one, difference in zip(some, paired, found, strict=True):
            by_measure[name][pair] = Contrast(one, difference)
    return by_measure


def adjusted(tested: Mapping[Pair, Contrast], pairs: Sequence[Pair]) -> dict[Pair, float | None]:
    """p-values of these pairs after Holm; what has none is no part of the family."""
    p_values = {pair: p for pair in pairs if (p := tested[pair].p) is not None}
    return {**dict.fromkeys(pairs), **dict(zip(p_values, holm(list(p_values.values())), strict=True))}
