"""Rows: one line of numbers per (question, repeat); every mean and every comparison is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.score.judging import has_answer
from lrat_bench.score.metrics.catalogue import MEASURES
from lrat_bench.score.metrics.failures import FAILURE_RATE
from lrat_bench.score.metrics.measure import Measure, Observation
from lrat_bench.score.peers.browsecomp_plus import CONFIDENCE
from lrat_bench.score.peers.catalogue import PEER_MEASURES
from lrat_bench.score.verdict import Grade, Held, Verdict, held_verdicts, under_accepted
from lrat_bench.task.question import Qrels, Question
from lrat_bench.trajectory import Status, Trajectory

__all__ = ["Outcome", "Row", "RowLine", "RowStatus", "per_question"]

Outcome = Literal[
    "correct",
    "incorrect",
    "ungraded",  # there is an answer and the judge has not said
    "errored",  # infrastructure failed, or there is no trajectory yet: the next run owes it
]

_OF_PEERS = (*PEER_MEASURES, CONFIDENCE)

RowStatus = Status | Literal["unknown", "missing"]
"""The trajectory's status; "unknown" where an import cannot say, "missing" where there is no trajectory."""


@dataclass(frozen=True, slots=True)
class Row:
    """The numbers of one (question, repeat).

    Attributes:
        question_id: the question.
        repeat: from 0.
        outcome: what became of it.
        status: how it ended.
        values: measure name → value, every measure; None where there is none.
        peers: the same for the numbers of other evaluators (`score.peers`).
    """

    question_id: str
    repeat: int
    outcome: Outcome
    status: RowStatus
    values: Mapping[str, float | None]
    peers: Mapping[str, float | None] = field(default_factory=dict)

    def flat(self) -> dict[str, str | float | None]:
        """The row for a dataframe: one column per measure after the four that identify it."""
        return {
            "question_id": self.question_id,
            "repeat": self.repeat,
            "outcome": self.outcome,
            "status": self.status,
            **self.values,
        }


class RowLine(BaseModel):
    """One line of a run's `per_question.jsonl`: a row without what is not known of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    question_id: str
    repeat: int = Field(ge=0)
    outcome: Outcome
    status: RowStatus
    values: dict[str, float] = Field(description="measure → value; one that has none is not there")
    peers: dict[str, float] = Field(default={}, description="the same for the numbers of other evaluators")

    @classmethod
    def of(cls, row: Row) -> RowLine:
        """The line of a row."""
        values, peers = _known(row.values), _known(row.peers)
        return cls(
            question_id=row.question_id,
            repeat=row.repeat,
            outcome=row.outcome,
            status=row.status,
            values=values,
            peers=peers,
        )

    def row(self) -> Row:
        """The row again; a measure that has no value is None in it."""
        return Row(
            self.question_id,
            self.repeat,
            self.outcome,
            self.status,
            {**_unknown(MEASURES), **self.values},
            {**_unknown(_OF_PEERS), **self.peers},
        )


def per_question(
    questions: Sequence[Question],
    repeats: int,
    trajectories: Iterable[Trajectory],
    verdicts: Iterable[Verdict],
    *,
    judge_fingerprint: str,
    evidence: Qrels | None,
    gold: Qrels | None,
) -> list[Row]:
    """A row for every selected question and repeat, in that order, whether or not there is a trajectory.

    Args:
        questions: the selected ones.
        repeats: how often each is asked.
        trajectories: read as a stream; the last of a (question, repeat) counts, others than those asked for do not.
        verdicts: of any judges; those of `judge_fingerprint` on current trajectories count.
        judge_fingerprint: whose verdicts count.
        evidence: None where the task cannot say.
        gold: None where the task cannot say.

    Of a trajectory that does not name the documents it was shown, no recall is known, whatever the task says.
    """
    held = held_verdicts(under_accepted(verdicts, questions), judge_fingerprint)
    owed = {
        (question.qid, repeat): _missing(question.qid, repeat) for question in questions for repeat in range(repeats)
    }
    for trajectory in trajectories:
        if trajectory.key in owed:
            owed[trajectory.key] = _row(
                trajectory,
                held.get((*trajectory.key, trajectory.hash)),
                evidence.get(trajectory.question_id, frozenset()) if evidence else None,
                gold.get(trajectory.question_id, frozenset()) if gold else None,
            )
    return list(owed.values())


def _missing(question_id: str, repeat: int) -> Row:
    return Row(question_id, repeat, "errored", "missing", _errored(), _unknown(_OF_PEERS))


def _row(
    trajectory: Trajectory,
    held: Held | None,
    evidence: frozenset[str] | None,
    gold: frozenset[str] | None,
) -> Row:
    grade: Grade = "incorrect"
    if has_answer(trajectory):
        grade = "ungraded" if held is None else held.grade
    if not trajectory.names_documents:
        evidence = gold = None
    seen = Observation(trajectory, grade, evidence, gold, held if has_answer(trajectory) else None)
    peers = _values(_OF_PEERS, seen)
    if trajectory.status == "error":
        return Row(*trajectory.key, "errored", "error", _errored(), peers)
    return Row(*trajectory.key, grade, trajectory.status or "unknown", _values(MEASURES, seen), peers)


def _values(measures: Sequence[Measure], seen: Observation) -> dict[str, float | None]:
    return {measure.name: measure.of(seen) for measure in measures}


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _errored() -> dict[str, float | None]:
    """All that is known of what infrastructure failed is that it did."""
    return {**_unknown(MEASURES), FAILURE_RATE.name: 1.0}


def _unknown(measures: Sequence[Measure]) -> dict[str, float | None]:
    return dict.fromkeys(measure.name for measure in measures)
