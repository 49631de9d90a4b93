"""Reach: what a baseline can catch at all, so that a gate which always passes is not taken for one that holds."""

from __future__ import annotations

from lrat_bench.gate.baseline import Baseline
from lrat_bench.score.metrics.success import SUCCESS_RATE
from lrat_bench.score.power import mcnemar_difference

__all__ = ["DISCORDANCE", "POWER", "detectable", "powerless", "reaches"]

POWER = 0.8
"""How often what is called detectable is found."""

DISCORDANCE = 0.2
"""Share of questions that just one of two runs answers right, as two retrievers under one agent often have."""


def powerless(baseline: Baseline) -> tuple[str, ...]:
    """The measures whose rules ask for a significant fall alone, and can find none, however bad a run is.

    Were all n questions worse, the one-sided mid-p value of McNemar's test would be 2^-(n + 1), and no test of signs
    has a smaller one; Holm's correction multiplies the smallest p by the number of rules that ask for significance.
    """
    rules = [rule for rule in baseline.rules if rule.significant]
    return tuple(
        rule.measure
        for rule in rules
        if not rule.bounded and len(rules) * 0.5 ** (len(baseline.cells(rule.measure)) + 1) > baseline.alpha
    )


def reaches(baseline: Baseline) -> int | None:
    """The questions on which a fall of success is tested by McNemar's test; None where it is not."""
    if not any(rule.measure == SUCCESS_RATE.name and rule.significant for rule in baseline.rules):
        return None
    cells = baseline.cells(SUCCESS_RATE.name).values()
    if any(cell.weight != 1 or cell.mean not in (0, 1) for cell in cells) or 2 * _level(baseline) >= POWER:
        return None
    return len(cells) or None


def detectable(baseline: Baseline) -> float | None:
    """The smallest fall of the success rate that is found with `POWER`, at the first step of Holm's correction.

    Returns:
        a share; None where there is no such test, or even a fall of `DISCORDANCE` is found less often.
    """
    n = reaches(baseline)
    # Two-sided at twice the level is one-sided at it, but for falls that look like gains, which hardly happens.
    return None if n is None else mcnemar_difference(n, DISCORDANCE, power=POWER, alpha=2 * _level(baseline))


def _level(baseline: Baseline) -> float:
    return baseline.alpha / sum(rule.significant for rule in baseline.rules)
