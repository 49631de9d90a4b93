"""Relevance intensity: how much a document served an agent, told by how long it thought once it had read it.

Section 5.3 of "Learning to Retrieve from Agent Trajectories" (SIGIR 2026), from its weight

    w = (1 − exp(−ln 2 · l / β)) / µ

with l the length of the reasoning behind the browse in tokens, β the median length, and µ the mean of the numerator, so
that weights are 1 on average. A length of β gives half of the largest raw weight. All in float64.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lrat_bench.errors import UsageError
from lrat_bench.lrat.pairs_manifest import Quantiles, Scale
from lrat_bench.task.tokenizer import Tokenizer

__all__ = ["fit", "quantiles", "raw_weight", "share_of", "tokens_of", "weight"]


def tokens_of(text: str, tokenizer: Tokenizer) -> int:
    """The length of a whole reasoning, in tokens.

    Args:
        text: all of it.
        tokenizer: counts it.
    """
    return sum(1 for _ in tokenizer.spans(text))


def share_of(tokens: int, shared: int) -> float:
    """The length that one of `shared` documents has of a reasoning about all of them, in tokens.

    Args:
        tokens: of the whole reasoning.
        shared: documents that were read just before it.
    """
    return tokens / shared


def raw_weight(length: float, beta: float) -> float:
    """The weight before it is divided by the mean: 1 − exp(−ln 2 · l / β), between 0 and 1.

    Args:
        length: l, in tokens.
        beta: β, in tokens; positive.
    """
    return float(-np.expm1(-np.log(2.0) * length / beta))


def weight(length: float, scale: Scale) -> float:
    """The weight w of a reasoning; 0 where it has no token.

    Args:
        length: l, in tokens; of a reasoning that was cut off, what there is of it, which makes w a lower bound.
        scale: β and µ.
    """
    return raw_weight(length, scale.beta) / scale.mu


def fit(lengths: Sequence[float] | NDArray[np.float64]) -> Scale:
    """β and µ of a set of pairs.

    Args:
        lengths: l of each, in tokens, shape (n,); measured, and of reasonings that were not cut off. Zeros count.

    Raises:
        UsageError: there is none, or most are 0.
    """
    values = np.asarray(lengths, dtype=np.float64)
    if not values.size:
        raise UsageError("no relevance intensity can be told: no pair has reasoning that was measured and not cut off")
    beta = float(np.median(values))
    if beta <= 0:
        raise UsageError(
            f"no relevance intensity can be told: most of {values.size} reasonings have 0 tokens by this tokenizer; "
            "give another one with --tokenizer"
        )
    mean = float(np.mean(-np.expm1(-np.log(2.0) * values / beta)))
    return Scale(beta=beta, mu=mean, n=int(values.size))


def quantiles(lengths: Sequence[float] | NDArray[np.float64]) -> Quantiles:
    """The distribution of lengths, in tokens, shape (n,), n > 0."""
    low, q25, median, q75, q95, high = np.quantile(np.asarray(lengths, dtype=np.float64), (0, 0.25, 0.5, 0.75, 0.95, 1))
    return Quantiles(
        low=float(low), q25=float(q25), median=float(median), q75=float(q75), q95=float(q95), high=float(high)
    )
