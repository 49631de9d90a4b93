"""Weighing: once all pairs are kept, β and µ are known, and each pair gets its weight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrat_bench.lrat.intensity import fit, quantiles, weight
from lrat_bench.lrat.mining.harvest import KEPT, UNWEIGHED, Harvest, length_of
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs import read_pairs
from lrat_bench.lrat.pairs_manifest import Intensity, Scale

__all__ = ["weigh"]


def weigh(harvest: Harvest, scale: str) -> tuple[Intensity | None, int]:
    """Write the kept pairs again, with weights; holds two numbers for each.

    β and µ are those of the pairs whose reasoning was measured and not cut off. One that was cut off is weighed by what
    there is of it. A pair whose reasoning is missing or withheld has no weight.

    Args:
        harvest: with its drafts.
        scale: `pooled`, one for all pairs, or `agent`, one for each agent's.

    Returns:
        the fit, None where no length is known; and how many pairs have no weight.

    Raises:
        UsageError: most lengths are 0.
    """
    harvest.drafts.flush(UNWEIGHED)
    draft = harvest.drafts.path(UNWEIGHED)
    lengths = _lengths(draft, len(harvest.agent_of))
    agents = np.asarray(harvest.agent_of, dtype=np.int64)
    intensity = _fitted(lengths, agents, harvest.agents, scale)
    scales = _scales(intensity, harvest.agents)
    without = 0
    for place, pair in enumerate(read_pairs(draft, Pair)):
        by = scales[harvest.agent_of[place]]
        tokens = length_of(pair).tokens
        weighed = None if by is None or tokens is None else weight(tokens, by)
        without += weighed is None
        harvest.drafts.append(KEPT, pair.model_copy(update={"weight": weighed}))
    return intensity, without


def _fitted(lengths: NDArray[np.float64], agents: NDArray[np.int64], names: list[str], scale: str) -> Intensity | None:
    known = ~np.isnan(lengths)
    if not known.any():
        return None
    own = {name: lengths[known & (agents == place)] for place, name in enumerate(names)}
    return Intensity(
        scale=scale,  # type: ignore[arg-type]
        pooled=fit(lengths[known]),
        lengths=quantiles(lengths[known]),
        # An agent that mostly thinks nothing has no scale; that is no reason to refuse the others theirs.
        by_agent={name: fit(values) for name, values in own.items() if values.size and np.median(values) > 0},
    )


def _scales(intensity: Intensity | None, names: list[str]) -> list[Scale | None]:
    """The scale of each agent's pairs."""
    if intensity is None:
        return [None] * len(names)
    if intensity.scale == "pooled":
        return [intensity.pooled] * len(names)
    return [intensity.by_agent.get(name) for name in names]


def _lengths(draft: Path, many: int) -> NDArray[np.float64]:
    """Lengths that the scale is fitted to, in tokens, shape (pairs,); NaN for those that it is not."""
    lengths = np.full(many, np.nan)
    for place, pair in enumerate(read_pairs(draft, Pair)):
        length = length_of(pair)
        if length.tokens is not None and not length.censored:
            lengths[place] = length.tokens
    return lengths
