"""An arm: one way of training on the same pairs. The first one of a flywheel turns it; others are compared with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from lrat_bench.errors import UnknownName, UsageError
from lrat_bench.lrat.training.recipe import Stage

__all__ = ["ARMS", "Arm", "arms_of"]


@dataclass(frozen=True, slots=True)
class Arm:
    """A stage of the recipe, or a control.

    Attributes:
        name: as it stands in tables and folders.
        stage: which pairs are trained on, and whether weighted.
        shuffle: what is permuted among the pairs; what such a control gains was not learned from trajectories.
    """

    name: str
    stage: Stage
    shuffle: Literal["positives", "weights"] | None = None


ARMS: Mapping[str, Arm] = MappingProxyType(
    {
        arm.name: arm
        for arm in (
            Arm("reweight", "reweight"),
            Arm("filter", "filter"),
            Arm("naive", "naive"),
            Arm("shuffled-weights", "reweight", "weights"),
            Arm("shuffled-positives", "reweight", "positives"),
        )
    }
)
"""The stages of the paper's Figure 7, and two controls."""


def arms_of(names: Iterable[str]) -> tuple[Arm, ...]:
    """The arms of these names.

    Raises:
        UnknownName: there is no such arm.
        UsageError: one is named twice, or none is.
    """
    found: dict[str, Arm] = {}
    for name in names:
        if name not in ARMS:
            raise UnknownName("arm", name, ARMS)
        if name in found:
            raise UsageError(f"arm {name!r} is named twice")
        found[name] = ARMS[name]
    if not found:
        raise UsageError(f"a flywheel needs an arm to turn it: {', '.join(ARMS)}")
    return tuple(found.values())
