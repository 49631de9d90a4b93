"""Power: how many questions does it take to find a difference, and what can so many find?

A difference is *found* when a two-sided test at level α has p ≤ α; power is how often that happens where the difference
is there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import ceil, floor, inf, isfinite, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from lrat_bench.errors import UsageError

__all__ = [
    "mcnemar_difference",
    "mcnemar_power",
    "mcnemar_questions",
    "mean_difference",
    "mean_power",
    "mean_questions",
]

_ENUMERATED = 2_000
"""Expected discordant questions up to which every outcome is summed; beyond, the normal approximation is as good."""

_REACH, _MORE = 8.0, 12.0
"""Standard deviations of the number of discordant questions, and questions beside, that are summed: misses 1e-12."""

_CLOSE = 5e-4
"""How near a difference that is looked for is come, relative to itself."""

_SMOOTH = 4.0
"""Variance of the number of discordant questions from which power rises with each further question."""

_MOST = 10**15
"""Questions: more than anybody asks, and few enough for floats to count."""

_STANDARD = NormalDist()


def mcnemar_power(questions: int, difference: float, discordance: float, *, alpha: float = 0.05) -> float:
    """How often McNemar's mid-p test finds a difference of two success rates.

    With ψ the share of questions that just one side answers right, and δ the difference, M ~ Binomial(n, ψ) questions
    are discordant and B ~ Binomial(M, (ψ + δ) / 2ψ) of them fall to the better side. The power is the chance that the
    test rejects at (B, M − B), summed over both: exact, and unconditional, since nobody knows M beforehand. From some
    thousands of discordant questions on it is

        Φ( (δ√n − z √ψ) / √(ψ − δ²) ),    z = Φ⁻¹(1 − α/2)

    (O. S. Miettinen, 1968, "The matched pairs design in the case of all-or-none responses", Biometrics 24:339–352;
    R. J. Connor, 1987, "Sample size for testing differences in proportions for the paired-sample design", Biometrics
    43:207–211).

    Args:
        questions: n.
        difference: δ, a share, above 0 and at most ψ.
        discordance: ψ, a share.
        alpha: of the two-sided test.

    Raises:
        UsageError: a value does not fit.
    """
    _refuse_rates(difference, discordance, alpha)
    _refuse_count(questions)
    return _mcnemar_power(questions, difference, discordance, alpha)


def mcnemar_questions(difference: float, discordance: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many questions it takes to find a difference of two success rates with that power.

    So many, or any more of them: where nearly all questions are discordant, power does not rise with each further one,
    since p takes few values, and may fall short again after it was reached.

    Args:
        difference: δ, a share, above 0 and at most ψ.
        discordance: ψ, the share of questions that just one side answers right.
        power: how often it is to be found.
        alpha: of the two-sided test.

    Raises:
        UsageError: a value does not fit.
    """
    _refuse_rates(difference, discordance, alpha)
    _refuse_power(power, alpha)
    spread = _z_of(alpha) * sqrt(discordance) + _z(power) * sqrt(max(0.0, discordance - difference**2))
    _refuse_small(spread / difference)

    def enough(n: int) -> bool:
        return _mcnemar_power(n, difference, discordance, alpha) >= power

    found = _fewest(enough, near=(spread / difference) ** 2)
    at = found
    # The teeth are two or three questions wide, and their depths come back after some √n of them.
    while at * discordance * (1 - discordance) < _SMOOTH and at < found + 3 * sqrt(found) + 10:
        at += 1
        if not enough(at):
            found = at + 1
    return found


def mcnemar_difference(questions: int, discordance: float, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """The difference of two success rates that so many questions find with that power.

    Args:
        questions: how many.
        discordance: ψ, the share of them that just one side answers right.
        power: how often it is to be found.
        alpha: of the two-sided test.

    Returns:
        a share, to three digits; None where even the largest, ψ itself, is found less often.

    Raises:
        UsageError: a value does not fit.
    """
    _refuse_rates(discordance, discordance, alpha)
    _refuse_power(power, alpha)
    _refuse_count(questions)

    def enough(difference: float) -> bool:
        return _mcnemar_power(questions, difference, discordance, alpha) >= power

    if not enough(discordance):
        return None
    near = min(discordance, (_z_of(alpha) + _z(power)) * sqrt(discordance / questions))
    below, above = 0.8 * near, min(discordance, 1.25 * near)
    if enough(below):
        below, above = 0.0, below
    elif above < discordance and not enough(above):
        below, above = above, discordance
    while above - below > _CLOSE * above:
        middle = (below + above) / 2
        below, above = (below, middle) if enough(middle) else (middle, above)
    return above


def mean_power(questions: int, difference: float, sd: float, *, alpha: float = 0.05) -> float:
    """How often a paired test of a mean finds a difference: Φ(√(n − z²/2) δ/σ − z), z = Φ⁻¹(1 − α/2).

    The t test's power but for the small n that no benchmark has; the randomisation test's is the same for large n
    (W. C. Guenther, 1981, "Sample size formulas for normal theory t tests", The American Statistician 35:243–244).

    Args:
        questions: n.
        difference: δ, above 0, in the unit of the measure.
        sd: σ, standard deviation over questions of the paired differences, in the same unit.
        alpha: of the two-sided test.

    Raises:
        UsageError: a value does not fit.
    """
    _refuse_mean(difference, sd, alpha)
    _refuse_count(questions)
    z = _z_of(alpha)
    return _STANDARD.cdf(sqrt(max(0.0, questions - z**2 / 2)) * difference / sd - z)


def mean_questions(difference: float, sd: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many questions it takes to find a difference of two means: ((z + z_β) σ/δ)² + z²/2, rounded up.

    Arguments and source are those of `mean_power`; `power` is how often it is to be found.
    """
    _refuse_mean(difference, sd, alpha)
    _refuse_power(power, alpha)
    z = _z_of(alpha)
    _refuse_small((z + _z(power)) * sd / difference)
    return ceil(((z + _z(power)) * sd / difference) ** 2 + z**2 / 2 - 1e-9)


def mean_difference(questions: int, sd: float, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """The difference of two means that so many questions find with that power: (z + z_β) σ / √(n − z²/2).

    Arguments and source are those of `mean_power`. None where questions are too few to say.
    """
    _refuse_mean(1.0, sd, alpha)
    _refuse_power(power, alpha)
    _refuse_count(questions)
    z = _z_of(alpha)
    left = questions - z**2 / 2
    return (z + _z(power)) * sd / sqrt(left) if left > 0 else None


def _mcnemar_power(questions: int, difference: float, discordance: float, alpha: float) -> float:
    if questions * discordance > _ENUMERATED:
        shift = difference * sqrt(questions) - _z_of(alpha) * sqrt(discordance)
        return _STANDARD.cdf(shift / sqrt(max(discordance - difference**2, 1e-300)))
    first, chances = _discordant(questions, discordance)
    towards = min(1.0, (discordance + difference) / (2 * discordance))
    rejected = 0.0
    for m, chance in enumerate(chances, first):
        edge = _edge(m, alpha)
        if edge >= 0:
            tails = _binomial(m, towards, 0, edge).sum() + _binomial(m, towards, m - edge, m).sum()
            rejected += float(chance * tails)
    return min(1.0, rejected)


def _discordant(questions: int, discordance: float) -> tuple[int, NDArray[np.float64]]:
    """The least m that matters, and P(M = m) from there on, as long as it matters."""
    if discordance >= 1:
        return questions, np.ones(1)
    spread = _REACH * sqrt(questions * discordance * (1 - discordance)) + _MORE
    first = max(0, floor(questions * discordance - spread))
    last = min(questions, ceil(questions * discordance + spread))
    m = np.arange(first + 1, last + 1)
    ratios = np.log(questions - m + 1) - np.log(m) + np.log(discordance) - np.log1p(-discordance)
    # Each relative to the first; of n there may be more than anybody has factorials for.
    logs = np.concatenate(([0.0], np.cumsum(ratios)))
    weights = np.exp(logs - logs.max())
    return first, weights / weights.sum()


@lru_cache(maxsize=16_384)
def _edge(m: int, alpha: float) -> int:
    """The largest b at which McNemar's mid-p test of b against m − b rejects; −1 where none does."""
    # All that can reject lies below m/2 − z √m / 2, or so; a little room costs nothing.
    last = m // 2
    pmf = _binomial(m, 0.5, 0, last)
    mid_p = 2 * np.cumsum(pmf) - pmf
    if 2 * last == m:
        mid_p[last] = 1.0
    return int(np.count_nonzero(mid_p <= alpha)) - 1


def _binomial(n: int, p: float, first: int, last: int) -> NDArray[np.float64]:
    """P(X = k) of X ~ Binomial(n, p), for k from first to last, shape (last − first + 1,)."""
    k = np.arange(first, last + 1)
    if p >= 1:
        return np.where(k == n, 1.0, 0.0)
    logs = _log_factorials(n)
    chances: NDArray[np.float64] = np.exp(logs[n] - logs[k] - logs[n - k] + k * np.log(p) + (n - k) * np.log1p(-p))
    return chances


def _log_factorials(n: int) -> NDArray[np.float64]:
    """The logarithm of k! for k from 0 to n at least, shape (≥ n + 1,)."""
    return _log_factorials_to(1 << max(10, int(n).bit_length()))


@lru_cache(maxsize=4)
def _log_factorials_to(n: int) -> NDArray[np.float64]:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))


def _fewest(enough: Callable[[int], bool], *, near: float) -> int:
    """The n at which `enough` begins to hold."""
    below, above = 0, max(1, ceil(near))
    while not enough(above):
        below, above = above, 2 * above
    return _first(enough, below, above)


def _first(enough: Callable[[int], bool], below: int, above: int) -> int:
    """By bisection, the first that is enough; `below` is not, `above` is."""
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if enough(middle) else (middle, above)
    return above


def _refuse_small(root: float) -> None:
    """A difference that takes more questions than there could be, given their square root."""
    if root > sqrt(_MOST):
        raise UsageError(f"so small a difference takes more than {_MOST:,} questions: give a larger one")


def _z(quantile: float) -> float:
    return _STANDARD.inv_cdf(quantile)


def _z_of(alpha: float) -> float:
    """Quantile of a two-sided test; from below, since 1 less a tiny level is 1."""
    return -_STANDARD.inv_cdf(alpha / 2)


def _refuse_rates(difference: float, discordance: float, alpha: float) -> None:
    _refuse_alpha(alpha)
    if not 0 < discordance <= 1:
        raise UsageError(f"discordance is a share of questions above 0 and at most 1, got {discordance:g}")
    if not 0 < difference <= 1:
        raise UsageError(f"a difference to be found lies above 0 and is at most 1, got {difference:g}")
    if difference > discordance:
        raise UsageError(
            f"a difference of {100 * difference:g} points needs at least {100 * difference:g} % discordant questions, "
            f"got {100 * discordance:g} %: give a larger discordance"
        )


def _refuse_mean(difference: float, sd: float, alpha: float) -> None:
    _refuse_alpha(alpha)
    for name, value in (("difference", difference), ("standard deviation", sd)):
        if not 0 < value < inf:
            raise UsageError(f"a {name} is a finite number above 0, got {value:g}")


def _refuse_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise UsageError(f"alpha lies between 0 and 1, got {alpha:g}")


def _refuse_power(power: float, alpha: float) -> None:
    if not (isfinite(power) and alpha < power < 1):
        raise UsageError(f"power lies above alpha ({alpha:g}) and below 1, got {power:g}")


def _refuse_count(questions: int) -> None:
    if questions < 1:
        raise UsageError(f"questions are 1 or more, got {questions}")
    if questions > _MOST:
        raise UsageError(f"questions are {_MOST:,} at most, got more")
