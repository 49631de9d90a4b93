"""The verdict: what one judge said of one trajectory's answer, one JSON line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.task.question import Question
from lrat_bench.trajectory import Usage

__all__ = ["SCHEMA", "Grade", "Held", "Verdict", "current_verdicts", "held_verdicts", "under_accepted"]

SCHEMA = "lrat-bench/verdict/1"
"""Name and version of the format; the number grows when an old reader could misread a new file."""

Grade = Literal[
    "correct",
    "incorrect",
    "ungraded",  # the judge failed to say; never a synonym of incorrect
]


class Verdict(BaseModel):
    """One judgement.

    It counts only while `trajectory` is the hash of the question's current trajectory, and `accepts` that of the
    answers it accepts now.
    """

    schema_: Literal["lrat-bench/verdict/1"] = Field(default="lrat-bench/verdict/1", alias="schema")
    question_id: str
    repeat: int = Field(default=0, ge=0)
    trajectory: str = Field(description="hash of the trajectory that was judged")
    accepts: str = Field(description="hash of the question and the answers that were accepted then")
    judge: str = Field(description="fingerprint of the judge")
    judge_name: str
    outcome: Grade
    extracted_answer: str | None = Field(default=None, description="the final answer as the judge read it")
    confidence: float | None = Field(default=None, ge=0, le=1, description="as the agent stated it; null is unstated")
    reply: str | None = Field(default=None, description="the judge's raw reply; null for judges without one")
    error: str | None = Field(default=None, description="why it is ungraded")
    usage: Usage = Usage()
    seconds: float = 0.0

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    @property
    def key(self) -> tuple[str, int, str]:
        """(question_id, repeat, trajectory hash): what was judged."""
        return self.question_id, self.repeat, self.trajectory

    def to_json(self) -> str:
        """The record as one JSON line, without the line break."""
        return self.model_dump_json(by_alias=True)


class Held(NamedTuple):
    """What of a verdict enters the scores.

    Attributes:
        grade: the outcome.
        usage: what asking took.
        confidence: of the answer, between 0 and 1; None where none is stated.
        replied: whether the judge said anything, be it readable or not; false of judges that have no reply.
    """

    grade: Grade
    usage: Usage
    confidence: float | None = None
    replied: bool = False


def under_accepted(verdicts: Iterable[Verdict], questions: Iterable[Question]) -> Iterator[Verdict]:
    """Those that were given on these questions, under the answers that are accepted now."""
    accepts = {question.qid: question.accepts for question in questions}
    return (verdict for verdict in verdicts if accepts.get(verdict.question_id) == verdict.accepts)


def held_verdicts(verdicts: Iterable[Verdict], judge: str) -> dict[tuple[str, int, str], Held]:
    """What one judge holds of each trajectory, and what asking it took.

    The last verdict counts, except that a failure to say takes nothing back.

    Args:
        verdicts: of any judges, in the order they were given.
        judge: fingerprint of the judge.

    Returns:
        `Verdict.key` → grade and usage of the verdict that counts.
    """
    held: dict[tuple[str, int, str], Held] = {}
    for verdict in verdicts:
        if verdict.judge == judge and (verdict.outcome != "ungraded" or verdict.key not in held):
            held[verdict.key] = Held(verdict.outcome, verdict.usage, verdict.confidence, bool(verdict.reply))
    return held


def current_verdicts(verdicts: Iterable[Verdict], judge: str) -> dict[tuple[str, int, str], Grade]:
    """The grades of `held_verdicts`."""
    return {key: held.grade for key, held in held_verdicts(verdicts, judge).items()}
