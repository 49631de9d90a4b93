"""How often agents are right, by how much evidence they read (LRAT, Figure 4b)."""

from __future__ import annotations

from fractions import Fraction

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.lrat.analysis.seen import Seen
from lrat_bench.score.intervals import wilson

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

    Accuracy is the mean over the bin's questions of the share of their trajectories that are right, which is the plain
    share where each question occurs once. Trajectories of one question are not independent, so the interval is Wilson's
    for that mean and the number of questions, however often they are repeated: the bootstrap is too narrow for bins of
    few questions.
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

    def result(self) -> tuple[EvidenceBin, ...]:
        """A row per number of evidence documents that occurs."""
        return tuple(_bin(browsed, self._graded[browsed]) for browsed in sorted(self._graded))


def _bin(browsed: int, tallies: dict[tuple[str, str], list[int]]) -> EvidenceBin:
    n, correct = (sum(column) for column in zip(*tallies.values(), strict=True))
    questions = len(tallies)
    # Exact, so that the order in which runs are given changes no digit.
    right = sum((Fraction(one_correct, one_n) for one_n, one_correct in tallies.values()), Fraction())
    interval = wilson(float(right), questions)
    return EvidenceBin(
        browsed=browsed,
        n=n,
        questions=questions,
        correct=correct,
        accuracy=float(right / questions),
        low=interval.low,
        high=interval.high,
    )
