"""`contains`: an accepted answer occurs in the text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from lrat_bench.files import fingerprint
from lrat_bench.score.extract import extract
from lrat_bench.score.judges.base import NOTHING_USED, Judgement, refuse_settings
from lrat_bench.score.judges.normalise import ARTICLES, words
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question

__all__ = ["Contains"]


class Contains:
    """Correct when the words of an accepted answer, leading articles aside, follow one another anywhere in the text.

    Lenient: a text that names several candidates is correct when one of them is. An upper bound on `exact`, for
    agents that do not keep to the answer format. Deterministic, offline.
    """

    name = "contains"
    fingerprint = fingerprint({"judge": "contains", "version": 1})

    def __init__(self, scoring: Scoring) -> None:
        refuse_settings(scoring)

    async def judge(self, question: Question, answer: str) -> Judgement:
        """Grade one answer."""
        final = extract(answer)
        text = words(answer)
        correct = any(_occurs(_core(accepted), text) for accepted in question.answers)
        return Judgement("correct" if correct else "incorrect", final.answer, final.confidence, usage=NOTHING_USED)

    async def close(self) -> None:
        """Nothing is held."""


def _core(accepted: str) -> list[str]:
    found = words(accepted)
    return list(dropwhile(ARTICLES.__contains__, found)) or found


def _occurs(part: Sequence[str], whole: Sequence[str]) -> bool:
    return bool(part) and any(
        whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1) if whole[at] == part[0]
    )
