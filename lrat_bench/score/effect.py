"""Effect sizes: how large is a difference, apart from how many questions it was seen on?"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Counts", "cohen_dz", "cohen_g", "counts"]


class Counts(NamedTuple):
    """On how many questions one side's value is higher than, equal to, or lower than the other's."""

    higher: int
    equal: int
    lower: int


def counts(differences: NDArray[np.float64]) -> Counts:
    """How often which side is ahead.

    Args:
        differences: per question, shape (questions,).
    """
    higher, lower = int(np.count_nonzero(differences > 0)), int(np.count_nonzero(differences < 0))
    return Counts(higher, len(differences) - higher - lower, lower)


def cohen_g(only_first: int, only_second: int) -> float | None:
    """Cohen's g of paired successes: g = b / (b + c) − ½, between −½ and ½.

    How far the questions on which two systems part are from falling to either alike; conventionally 0.05 is small, 0.15
    medium, 0.25 large (J. Cohen, 1988, "Statistical power analysis for the behavioral sciences", 2nd ed., ch. 5). The
    odds ratio b / c says the same but has no value where c = 0, as often on few questions. Cohen's h compares two
    independent rates, and would forget that the questions are the same.

    Args:
        only_first: b, questions that the first alone answers right.
        only_second: c, those that the second alone answers right.

    Returns:
        None where there is no such question.
    """
    apart = only_first + only_second
    return only_first / apart - 0.5 if apart else None


def cohen_dz(differences: NDArray[np.float64]) -> float | None:
    """Cohen's d_z: the mean of paired differences over their standard deviation (n − 1 in the denominator).

    Conventionally 0.2 is small, 0.5 medium, 0.8 large (Cohen, 1988, ch. 2).

    Args:
        differences: per question, shape (questions,).

    Returns:
        None below two questions, or where all differ by the same.
    """
    if len(differences) < 2 or np.ptp(differences) == 0:
        return None
    return float(differences.mean()) / sqrt(float(differences.var(ddof=1)))
