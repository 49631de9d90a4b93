"""Judges that ask a language model, by a rubric."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lrat_bench.errors import RolloutError, boundary
from lrat_bench.files import fingerprint
from lrat_bench.model.access import remote
from lrat_bench.model.lite.payload import sent
from lrat_bench.model.seam import Message, Model, Request, Turn
from lrat_bench.score.extract import extract
from lrat_bench.score.judges.base import NOTHING_USED, Judgement
from lrat_bench.score.judges.cache import VerdictCache
from lrat_bench.score.judges.presets import preset_of
from lrat_bench.score.judges.reply import READER_VERSION, read_reply
from lrat_bench.score.judges.rubrics import load_rubric
from lrat_bench.task.protocol import Scoring
from lrat_bench.task.question import Question

__all__ = ["TRIES", "LlmJudge"]

TRIES = 3
"""How often a model is asked until its reply states a verdict."""


class LlmJudge:
    """Asks a model whether an answer is right, and reads the verdict that its reply states.

    A reply that states none is asked for again, with another seed so that neither a cassette nor a deterministic
    server gives the same one. A verdict that was given once, by the same judge on the same question, answer and
    accepted answers, is taken from the cache, unless the endpoint is known to report another model now.

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
        if (known := self._cache.find(key, reported=self._reported)) is not None:
            return known
        said = await self._ask(question, answer)
        self._cache.put(key, said, reported=self._reported)
        return said

    @property
    def _reported(self) -> str | None:
        """The model that the endpoint reports; None before its first reply, or where there is no endpoint."""
        model = remote(self.model)
        return None if model is None else model.reported

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
        prompt = (Message("user", self._rubric.fill(question.text, answer, question.answers)),)
        used, last, why = NOTHING_USED, "", ""
        for attempt in range(TRIES):
            try:
                with boundary("model"):
                    turn = await self.model.complete(self._request(prompt, attempt))
            except RolloutError as failure:
                if not attempt:
                    raise
                # What is down now is met again by the next answer; what was paid for must be on record.
                return Judgement("ungraded", reply=last, error=f"no verdict: {why}; then: {failure}", usage=used)
            used = used + turn.usage if attempt else turn.usage
            reply = read_reply(turn.text)
            # Where the form does not go on behind the verdict of a reply that was cut off, it may be half a word, or
            # half a thought.
            whole = turn.finish_reason != "length" or "confidence" in reply.stated
            if reply.outcome is not None and whole:
                stated = reply.confidence
                confidence = extract(answer).confidence if stated is None else stated
                return Judgement(reply.outcome, reply.extracted_answer, confidence, turn.text, usage=used)
            last, why = turn.text, self._failing(turn)
        return Judgement("ungraded", reply=last, error=f"no verdict in {TRIES} tries: {why}", usage=used)

    def _request(self, prompt: tuple[Message, ...], attempt: int) -> Request:
        seed = self._sampling.seed
        return Request(prompt, sampling=replace(self._sampling, seed=None if seed is None else seed + attempt))

    def _failing(self, turn: Turn) -> str:
        """Why a reply holds no verdict."""
        if turn.finish_reason == "length":
            return f"the reply was cut off at {self._sampling.max_tokens} tokens (--set judge.max_tokens=… allows more)"
        if turn.finish_reason == "content_filter":
            return "the provider withheld the reply"
        return "the reply states none" if turn.text.strip() else "the reply is empty"
