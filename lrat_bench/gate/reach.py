"""Reach: what a baseline can catch at all, so that a gate which always passes is not taken for one that holds."""

from __future__ import annotations

import numpy as np

from lrat_bench.compare.contrast import POWER
from lrat_bench.gate.baseline import Baseline
from lrat_bench.score.intervals import RESAMPLES
from lrat_bench.score.mcnemar import is_mcnemars
from lrat_bench.score.metrics.success import SUCCESS_RATE
from lrat_bench.score.power import mcnemar_difference

__all__ = ["DISCORDANCE", "POWER", "detectable", "powerless", "reaches"]

DISCORDANCE = 0.2
"""Share of questions that just one of two runs answers right, as two retrievers under one agent often have."""


def powerless(baseline: Baseline) -> tuple[str, ...]:
    """The measures whose rules ask for a significant fall alone, and can find none, however bad a run is.

    Were all n questions worse, the one-sided mid-p value of McNemar's test would be 2^-(n + 1), and no test of signs
    has a smaller one; that of the randomisation is half of one in so many flips at least. Holm's correction multiplies
    the smallest p by the number of rules that ask for significance.
    """
    rules = [rule for rule in baseline.rules if rule.significant]
    return tuple(
        rule.measure
        for rule in rules
        if not rule.bounded and len(rules) * _least_p(baseline, rule.measure) > baseline.alpha
    )


def reaches(baseline: Baseline) -> int | None:
    """The questions on which a fall of success is tested by McNemar's test; None where it is not."""
    if not any(rule.measure == SUCCESS_RATE.name and rule.significant for rule in baseline.rules):
        return None
    if not _is_binary(baseline, SUCCESS_RATE.name) or 2 * _level(baseline) >= POWER:
        return None
    return len(baseline.cells(SUCCESS_RATE.name))


def detectable(baseline: Baseline) -> float | None:
    """The smallest fall of the success rate that is found with `POWER`, at the first step of Holm's correction.

    Returns:
        a share; None where there is no such test, or even a fall of `DISCORDANCE` is found less often.
    """
    n = reaches(baseline)
    # Two-sided at twice the level is one-sided at it, but for falls that look like gains, which hardly happens.
    return None if n is None else mcnemar_difference(n, DISCORDANCE, power=POWER, alpha=2 * _level(baseline))


def _least_p(baseline: Baseline, measure: str) -> float:
    all_worse = 0.5 ** (len(baseline.cells(measure)) + 1)
    return all_worse if _is_binary(baseline, measure) else max(all_worse, 0.5 / (1 + RESAMPLES))


def _is_binary(baseline: Baseline, measure: str) -> bool:
    """Whether a run that has no other values either is held to it by McNemar's test."""
    cells = baseline.cells(measure).values()
    means = np.array([cell.mean for cell in cells], dtype=np.float64)
    return is_mcnemars(means, means, np.array([cell.weight for cell in cells], dtype=np.float64))


def _level(baseline: Baseline) -> float:
    return baseline.alpha / sum(rule.significant for rule in baseline.rules)
