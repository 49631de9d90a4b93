"""The learning rate, step by step."""

from __future__ import annotations

__all__ = ["share_of_peak"]


def share_of_peak(step: int, *, warmup: int, steps: int) -> float:
    """Which part of the peak learning rate a step has: it rises linearly to 1, then falls linearly towards 0.

    The first step has a part of it, and the last one, too: a step of learning rate 0 would be a batch for nothing.

    Args:
        step: 0-based.
        warmup: steps in which it rises.
        steps: how many there are.
    """
    if step < warmup:
        return (step + 1) / warmup
    return max(0, steps - step) / max(1, steps - warmup)
