"""How much agents search and browse (LRAT, Table 1)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.lrat.analysis.seen import GROUPS, Group, Seen, groups_of

__all__ = ["Counting", "Counts"]


class Counts(BaseModel):
    """Searches and browses of one group of trajectories."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    group: Group
    n: int = Field(ge=0, description="trajectories")
    searches: float | None = Field(description="mean search calls that succeeded (S); null when n is 0")
    browses: float | None = Field(description="mean browse calls that succeeded (B)")
    ratio: float | None = Field(description="B / S, of the means; null without searches")
    steps: float | None = Field(description="mean steps (T): S + B")


class Counting:
    """Adds up what trajectories did."""

    def __init__(self) -> None:
        self._n = dict.fromkeys(GROUPS, 0)
        self._searches = dict.fromkeys(GROUPS, 0)
        self._browses = dict.fromkeys(GROUPS, 0)

    def add(self, seen: Seen) -> None:
        """Count one trajectory."""
        for group in groups_of(seen):
            self._n[group] += 1
            self._searches[group] += seen.calls.count("search")
            self._browses[group] += seen.calls.count("browse")

    def result(self) -> tuple[Counts, ...]:
        """A row per group."""
        return tuple(self._row(group) for group in GROUPS)

    def _row(self, group: Group) -> Counts:
        n, searches, browses = self._n[group], self._searches[group], self._browses[group]
        return Counts(
            group=group,
            n=n,
            searches=searches / n if n else None,
            browses=browses / n if n else None,
            ratio=browses / searches if searches else None,
            steps=(searches + browses) / n if n else None,
        )
