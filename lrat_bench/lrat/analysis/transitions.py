"""What follows a search, and what follows a browse (LRAT, Figure 4a)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.lrat.analysis.seen import GROUPS, Call, Group, Seen, groups_of

__all__ = ["Following", "Transitions"]

_Next = Literal["search", "browse", "answer", "nothing"]


class Following(BaseModel):
    """What follows the steps of one kind, in one group of trajectories.

    The shares are over the steps that another step follows, as in the figure: they add up to 1. A step is a call of
    which a query or document succeeded; all steps of the group count alike, so long trajectories count for more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    group: Group
    after: Call
    n: int = Field(ge=0, description="steps of this kind")
    search: int = Field(ge=0, description="of these, followed by a search")
    browse: int = Field(ge=0, description="followed by a browse")
    answer: int = Field(ge=0, description="the last ones, with an answer after them")
    nothing: int = Field(ge=0, description="the last ones of trajectories without an answer")
    to_search: float | None = Field(description="share followed by a search, of those that a step follows")
    to_browse: float | None = Field(description="share followed by a browse, of those that a step follows")
    to_answer: float | None = Field(description="share followed by the answer, of all")


class Transitions:
    """Counts which step follows which."""

    def __init__(self) -> None:
        self._counts: dict[Group, Counter[tuple[Call, _Next]]] = {group: Counter() for group in GROUPS}

    def add(self, seen: Seen) -> None:
        """Count the steps of one trajectory."""
        found: Counter[tuple[Call, _Next]] = Counter(pairwise(seen.calls))
        if seen.calls:
            found[seen.calls[-1], "answer" if seen.answered else "nothing"] += 1
        for group in groups_of(seen):
            self._counts[group].update(found)

    def result(self) -> tuple[Following, ...]:
        """A row per group and kind of step."""
        return tuple(self._row(group, after) for group in GROUPS for after in get_args(Call))

    def _row(self, group: Group, after: Call) -> Following:
        counts = {following: self._counts[group][after, following] for following in get_args(_Next)}
        n, steps = sum(counts.values()), counts["search"] + counts["browse"]
        return Following(
            group=group,
            after=after,
            n=n,
            search=counts["search"],
            browse=counts["browse"],
            answer=counts["answer"],
            nothing=counts["nothing"],
            to_search=counts["search"] / steps if steps else None,
            to_browse=counts["browse"] / steps if steps else None,
            to_answer=counts["answer"] / n if n else None,
        )
