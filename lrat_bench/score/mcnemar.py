"""McNemar's test: does one system answer more of the same questions right than the other?"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lrat_bench.errors import UsageError

__all__ = ["Alternative", "is_mcnemars", "mcnemar"]

Alternative = Literal[
    "two-sided",
    "greater",  # the first is better
    "less",  # the first is worse
]


def mcnemar(only_first: int, only_second: int, *, alternative: Alternative = "two-sided") -> float:
    """The mid-p value of McNemar's test.

    Questions on which both are right or both are wrong say nothing of a difference. Of the b + c others, each falls to
    either side like a fair coin if there is none: with X ~ Binomial(b + c, ½),

        p(greater) = P(X > b) + ½ P(X = b)
        p(less)    = P(X < b) + ½ P(X = b)
        p          = 2 min(p(greater), p(less))

    (Q. McNemar, 1947, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12:153–157; mid-p: M. W. Fagerland, S. Lydersen and P. Laake, 2013, "The McNemar test for binary
    matched-pairs data: mid-p and asymptotic are better than exact conditional", BMC Medical Research Methodology
    13:91). The exact test counts all of P(X = b) and finds too little; the mid-p test kept its level in all cases that
    they tried. Where b = c it is 1 here, which a difference of 0 deserves; they take half of P(X = b) off.

    Computed in whole numbers, so that it is the same on every machine.

    Args:
        only_first: b, questions that the first alone answers right.
        only_second: c, those that the second alone answers right.
        alternative: what is to be shown.

    Raises:
        UsageError: a count is below 0.
    """
    if only_first < 0 or only_second < 0:
        raise UsageError(f"counts of questions are 0 or more, got {only_first} and {only_second}")
    lower = _mid_tail(min(only_first, only_second), only_first + only_second)
    if alternative == "two-sided":
        return 2 * lower
    towards = only_first > only_second if alternative == "greater" else only_first < only_second
    return lower if towards else 1 - lower


def is_mcnemars(first: NDArray[np.float64], second: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Whether these pairs are a case for McNemar's test: each of a question of its own, and both of it 0 or 1.

    It hangs on what was seen, and on no name of a measure, so that whoever has the same numbers takes the same test.
    That costs nothing: to swap the two systems on any question changes neither the answer nor what would be expected
    if they were alike.

    Args:
        first: what was paired of the first system, shape (pairs,).
        second: of the second.
        values: how many pairs each question has, shape (questions,); 0 where it has none.

    Returns:
        false where there is no pair.
    """
    single = len(first) > 0 and bool(np.all(values <= 1))
    return single and all(bool(np.all((side == 0) | (side == 1))) for side in (first, second))


def _mid_tail(k: int, n: int) -> float:
    """P(X < k) + ½ P(X = k) of X ~ Binomial(n, ½), for k ≤ n / 2."""
    ways, below = 1, 0  # of choosing at, and fewer than at, of n
    for at in range(k):
        below += ways
        ways = ways * (n - at) // (at + 1)
    return (2 * below + ways) / (1 << (n + 1))
