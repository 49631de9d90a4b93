"""Cells: what a baseline keeps of a question, and how two of them are paired."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum
from typing import NamedTuple

from lrat_bench.compare.side import LARGEST, Column
from lrat_bench.errors import UsageError

__all__ = ["Cell", "cells_of", "paired", "rounded"]

_DIGITS = 6


class Cell(NamedTuple):
    """A measure on one question.

    Attributes:
        mean: of what the question has values of: itself, or its queries where an agent's are replayed.
        weight: how many those are.
    """

    mean: float
    weight: int = 1

    @property
    def total(self) -> float:
        """The sum of the values."""
        return self.mean * self.weight


def cells_of(column: Column) -> dict[str, Cell]:
    """Question → cell, in order of the questions.

    A baseline and what is held against it pass through the same rounding, so that a run never differs from itself.

    Raises:
        UsageError: a value is so large that no mean can be taken.
    """
    found: dict[str, list[float]] = {}
    for key, value in column.values.items():
        if abs(value) > LARGEST:
            raise UsageError(
                f"{column.metric.name} of {key} is {value:g}, which is too large to be held to: mend the record, or "
                "leave out the rule"
            )
        found.setdefault(column.clusters[key], []).append(value)
    return {qid: Cell(rounded(fsum(found[qid]) / len(found[qid])), len(found[qid])) for qid in sorted(found)}


def rounded(number: float) -> float:
    """With six significant digits: all that a difference of means is looked at with, and short in a file."""
    return float(f"{number:.{_DIGITS}g}")


def paired(before: Mapping[str, Cell], now: Mapping[str, Cell]) -> list[str]:
    """The questions that both have values of, as many of either, in order."""
    return [qid for qid in sorted(before) if qid in now and now[qid].weight == before[qid].weight]
