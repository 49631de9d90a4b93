"""How long agents reason over what they have just read: the signal that LRAT weighs pairs by (Section 5.3)."""

from __future__ import annotations

from collections import Counter
from typing import Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.lrat.analysis.seen import GROUPS, Group, Seen, groups_of

__all__ = ["Document", "LengthRow", "Lengths", "ReasoningLengths"]

Document = Literal["evidence", "other", "any"]
"""What was read; "any" holds documents of questions without evidence, too."""


class LengthRow(BaseModel):
    """Lengths of the reasoning after one kind of browse, in tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    group: Group
    document: Document
    n: int = Field(ge=0, description="documents read whose reasoning can be measured and was not cut off")
    mean: float | None
    q1: float | None = Field(description="a quarter is shorter")
    median: float | None
    q3: float | None = Field(description="a quarter is longer")


class Lengths(BaseModel):
    """Lengths of post-browse reasoning; what several documents of one turn share is divided among them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    rows: tuple[LengthRow, ...]
    without: int = Field(ge=0, description="documents read that no reasoning follows")
    withheld: int = Field(ge=0, description="documents read whose reasoning is hidden or only summarised")
    censored: int = Field(ge=0, description="documents read whose reasoning an output limit cut off")


class ReasoningLengths:
    """Counts how often each length occurs: memory grows with the different lengths, not with the browses."""

    def __init__(self) -> None:
        self._counts: dict[tuple[Group, Document], Counter[float]] = {
            (group, document): Counter() for group in GROUPS for document in get_args(Document)
        }
        self._special: Counter[str] = Counter()

    def add(self, seen: Seen) -> None:
        """Count the documents that one trajectory read."""
        for read in seen.reads:
            if read.length.why != "measured" or read.length.tokens is None:
                self._special[read.length.why] += 1
                continue
            kinds: list[Document] = ["any"]
            if read.evidence is not None:
                kinds.append("evidence" if read.evidence else "other")
            for group in groups_of(seen):
                for kind in kinds:
                    self._counts[group, kind][read.length.tokens] += 1

    def result(self) -> Lengths:
        """A row per group and kind of document."""
        return Lengths(
            rows=tuple(_row(group, document, counts) for (group, document), counts in self._counts.items()),
            without=self._special["none"],
            withheld=self._special["withheld"],
            censored=self._special["censored"],
        )


def _row(group: Group, document: Document, counts: Counter[float]) -> LengthRow:
    if not counts:
        return LengthRow(group=group, document=document, n=0, mean=None, q1=None, median=None, q3=None)
    values = np.repeat(list(counts), list(counts.values()))
    q1, median, q3 = (float(at) for at in np.quantile(values, [0.25, 0.5, 0.75]))
    mean = float(np.sort(values).mean())
    return LengthRow(group=group, document=document, n=len(values), mean=mean, q1=q1, median=median, q3=q3)
