"""`exact`: the final answer equals an accepted one."""

from __future__ import annotations

from lrat_bench.files import fingerprint
from lrat_bench.score.extract import extract
from lrat_bench.score.judges.base import NOTHING_USED, Judgement, refuse_settings
from lrat_bench.score.judges.normalise import normalise
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question

__all__ = ["Exact"]


class Exact:
    """Correct when the extracted final answer and an accepted answer are equal after `normalise`.

    Strict: "Paris, France" is not "Paris", and an answer buried in prose without an `Exact Answer:` line is
    incorrect. Deterministic, offline.
    """

    name = "exact"
    fingerprint = fingerprint({"judge": "exact", "version": 1})

    def __init__(self, scoring: Scoring) -> None:
        refuse_settings(scoring)

    async def judge(self, question: Question, answer: str) -> Judgement:
        """Grade one answer."""
        final = extract(answer)
        said = normalise(final.answer)
        correct = bool(said) and any(said == normalise(accepted) for accepted in question.answers)
        return Judgement("correct" if correct else "incorrect", final.answer, final.confidence, usage=NOTHING_USED)

    async def close(self) -> None:
        """Nothing is held."""
