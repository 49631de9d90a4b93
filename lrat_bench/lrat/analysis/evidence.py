"""How often agents are right, by how much evidence they read (LRAT, Figure 4b)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.lrat.analysis.seen import Seen
from lrat_bench.score.intervals import Interval, bootstrap, wilson

__all__ = ["AccuracyByEvidence", "EvidenceBin"]


class EvidenceBin(BaseModel):
    """The graded trajectories that read so many evidence documents of their question."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    browsed: int = Field(ge=0, description="distinct evidence documents read")
    n: int = Field(ge=1, description="trajectories")
    questions: int = Field(ge=1, description="questions among them")
    correct: int = Field(ge=0)
    accuracy: float = Field(ge=0, le=1)
    low: float | None = Field(description="lower end of the 95 % interval; null when the data cannot say")
    high: float | None


class AccuracyByEvidence:
    """Sorts trajectories by the evidence that they read.

    Intervals are Wilson's where each question occurs once. Trajectories of the same question are not independent: then
    it is the percentile bootstrap over questions, or Wilson's for the number of questions where all are right or all
    are wrong (as `score.summarise` has it).
    """

    def __init__(self) -> None:
        self._graded: dict[int, dict[tuple[str, str], list[int]]] = {}

    def add(self, seen: Seen) -> None:
        """Count one trajectory; one that is not graded, or of a question without evidence, does not count."""
        if not seen.has_evidence or seen.grade == "ungraded":
            return
        browsed = sum(1 for read in seen.reads if read.evidence)
        tally = self._graded.setdefault(browsed, {}).setdefault(seen.question, [0, 0])
        tally[0] += 1
        tally[1] += seen.grade == "correct"

    def result(self, *, seed: int = 0) -> tuple[EvidenceBin, ...]:
        """A row per number of evidence documents that occurs."""
        return tuple(_bin(browsed, self._graded[browsed], seed) for browsed in sorted(self._graded))


def _bin(browsed: int, tallies: dict[tuple[str, str], list[int]], seed: int) -> EvidenceBin:
    # In a fixed order, so that the order in which runs are given changes no interval.
    table = np.array([tallies[question] for question in sorted(tallies)], dtype=np.float64)
    n, correct = (int(total) for total in table.sum(axis=0))
    interval = _interval(table, n, correct, seed)
    return EvidenceBin(
        browsed=browsed,
        n=n,
        questions=len(tallies),
        correct=correct,
        accuracy=correct / n,
        low=interval.low,
        high=interval.high,
    )


def _interval(table: NDArray[np.float64], n: int, correct: int, seed: int) -> Interval:
    questions = len(table)
    if questions == n:
        return wilson(correct, n)
    if correct in (0, n):
        return wilson(questions if correct else 0, questions)
    (interval,) = bootstrap(table[:, 1:], table[:, :1], seed=seed)
    return interval
