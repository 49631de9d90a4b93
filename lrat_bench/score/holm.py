"""Holm's correction: what is one p-value worth among several?"""

from __future__ import annotations

from collections.abc import Sequence

from lrat_bench.errors import UsageError

__all__ = ["holm"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values.

    With p₍₁₎ ≤ … ≤ p₍ₘ₎,

        p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎)

    Rejecting what has p̃ ≤ α makes any false alarm at all among the m with probability α at most, however the tests hang
    together; it finds whatever Bonferroni's correction finds, and more (S. Holm, 1979, "A simple sequentially rejective
    multiple test procedure", Scandinavian Journal of Statistics 6:65–70).

    Args:
        p_values: of all tests of the family.

    Returns:
        adjusted, in the order given.

    Raises:
        UsageError: one is no probability.
    """
    if wrong := [p for p in p_values if not 0 <= p <= 1]:
        raise UsageError(f"a p-value lies between 0 and 1, got {wrong[0]}")
    adjusted = [0.0] * len(p_values)
    reached = 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = reached
    return adjusted
