"""What a judge is: a question and an answer in, a grade out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lrat_bench.errors import UsageError
from lrat_bench.files import encodable
from lrat_bench.score.verdict import Grade
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question
from lrat_bench.trajectory import Usage

__all__ = ["NOTHING_USED", "Judge", "Judgement", "refuse_settings", "storable"]

NOTHING_USED = Usage(prompt_tokens=0, completion_tokens=0, cost_usd=0.0)
"""Usage of a judge that asks no model."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge says of one answer; the fields are those of `Verdict`."""

    outcome: Grade
    extracted_answer: str | None = None
    confidence: float | None = None
    reply: str | None = None
    error: str | None = None
    usage: Usage = Usage()


@runtime_checkable
class Judge(Protocol):
    """Grades answers; may be asked about several at once.

    Attributes:
        name: as it stands in tables.
        fingerprint: of all that changes its verdicts: rubric, model, parameters, version of its rules.
    """

    name: str
    fingerprint: str

    async def judge(self, question: Question, answer: str) -> Judgement:
        """Grade one answer; it is never blank.

        A failure of the judge's own is `ungraded` or raised as a `RolloutError`, and never `incorrect`.

        Args:
            question: with its accepted answers.
            answer: the agent's final text, whole.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; called once, when judging ends."""
        ...


def storable(text: str | None) -> str | None:
    """A text of a judgement as a file can hold it."""
    return None if text is None else encodable(text)


def refuse_settings(scoring: Scoring) -> None:
    """Refuse a rubric or parameters, for judges that take none.

    Raises:
        UsageError: some are given.
    """
    given = [*(["rubric"] if scoring.rubric is not None else []), *(f"parameters.{key}" for key in scoring.parameters)]
    if given:
        raise UsageError(f"judge {scoring.judge!r} takes no settings, got {', '.join(given)}: remove them")
