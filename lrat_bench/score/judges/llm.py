"""Judges that ask a language model, by a rubric."""

from __future__ import annotations

from typing import Any

from lrat_bench.files import fingerprint
from lrat_bench.model.lite.payload import sent
from lrat_bench.model.seam import Model, Turn
from lrat_bench.score.extract import extract
from lrat_bench.score.judges.asking import TRIES, Asking
from lrat_bench.score.judges.base import Judgement
from lrat_bench.score.judges.cache import VerdictCache
from lrat_bench.score.judges.presets import preset_of
from lrat_bench.score.judges.reply import READER_VERSION, Reply, read_reply
from lrat_bench.score.judges.rubrics import load_rubric
from lrat_bench.score.verdict import Grade
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question

__all__ = ["LlmJudge"]


class LlmJudge:
    """Asks a model whether an answer is right, and reads the verdict that its reply states.

    A reply that states none is asked for again. A verdict that was given once, by the same judge on the same question,
    answer and accepted answers, is taken from the cache, unless the endpoint is known to report another model now.

    Args:
        scoring: names the judge, a preset or a LiteLLM id; its rubric and parameters stand in place of the preset's.
        model: what is asked; who opened it closes it.
        cache: of verdicts.

    Attributes:
        model: as given.

    Raises:
        UsageError: there is no such judge or rubric, or a parameter does not fit.
    """

    def __init__(self, scoring: Scoring, model: Model, cache: VerdictCache | None = None) -> None:
        preset = preset_of(scoring)
        self.name = scoring.judge
        self.model = model
        self._rubric = load_rubric(scoring.rubric or preset.rubric)
        self._sampling = preset.sampling()
        self._spec = preset.spec()
        self._cache = cache
        self._asking = Asking(model, self._sampling, wanted="verdict", room="judge")
        self.fingerprint = fingerprint(
            {
                "judge": "llm",
                "rubric": self._rubric.text,
                "reader": READER_VERSION,
                "model": model.fingerprint,
                "sampling": self._sampling.fingerprint,
                "tries": TRIES,
            }
        )

    async def judge(self, question: Question, answer: str) -> Judgement:
        """Grade one answer.

        Raises:
            RolloutError: the model failed, and nothing was paid for yet; else the answer is ungraded.
        """
        if self._cache is None:
            return await self._ask(question, answer)
        key = self._cache.key(self.fingerprint, question.text, answer, question.answers)
        if (known := self._cache.find(key, reported=self._asking.reported)) is not None:
            return known
        said = await self._ask(question, answer)
        self._cache.put(key, said, reported=self._asking.reported)
        return said

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it beside name and fingerprint: presets may change, what was sent may not."""
        return {
            "model": self._spec.model,
            "rubric": self._rubric.name,
            "rubric_text": self._rubric.text,
            "sent": sent(self._spec, self._sampling),
            "tries": TRIES,
        }

    async def close(self) -> None:
        """Nothing is held."""

    async def _ask(self, question: Question, answer: str) -> Judgement:
        asked = await self._asking.ask(self._rubric.fill(question.text, answer, question.answers), _read)
        if asked.stated is None:
            return Judgement("ungraded", reply=asked.reply, error=asked.error, usage=asked.usage)
        outcome, reply = asked.stated
        confidence = extract(answer).confidence if reply.confidence is None else reply.confidence
        return Judgement(outcome, reply.extracted_answer, confidence, asked.reply, usage=asked.usage)


def _read(turn: Turn) -> tuple[Grade, Reply] | None:
    reply = read_reply(turn.text)
    # Where the form does not go on behind the verdict of a reply that was cut off, it may be half a word, or half a
    # thought.
    whole = turn.finish_reason != "length" or "confidence" in reply.stated
    return (reply.outcome, reply) if reply.outcome is not None and whole else None
