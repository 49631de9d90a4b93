"""The relevance judge that asks a language model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lrat_bench.errors import RolloutError, boundary
from lrat_bench.files import fingerprint
from lrat_bench.lrat.relevance import prompt
from lrat_bench.lrat.relevance.base import Opinion
from lrat_bench.lrat.relevance.cache import RelevanceCache
from lrat_bench.model.access import remote
from lrat_bench.model.lite.payload import sent
from lrat_bench.model.seam import Message, Model, Request, Turn
from lrat_bench.score.judges.base import NOTHING_USED
from lrat_bench.score.judges.presets import Preset

__all__ = ["TRIES", "LlmRelevance"]

TRIES = 3
"""How often a model is asked until its reply states an opinion."""


class LlmRelevance:
    """Asks a model whether a reasoning takes its document for relevant, and reads the one word of its reply.

    A reply that states none is asked for again, with another seed so that neither a cassette nor a deterministic
    server gives the same one. What was said once, by the same model and prompt of the same reasoning, is taken from
    the cache, unless the endpoint is known to report another model now.

    Args:
        preset: the model and its sampling values; its rubric is of no use here.
        model: what is asked; who opened it closes it.
        cache: of opinions.

    Attributes:
        model: as given.
    """

    def __init__(self, preset: Preset, model: Model, cache: RelevanceCache | None = None) -> None:
        self.name = preset.name
        self.model = model
        self._sampling = preset.sampling()
        self._spec = preset.spec()
        self._cache = cache
        self.fingerprint = fingerprint(
            {
                "relevance": "llm",
                "prompt": prompt.TEXT,
                "reader": prompt.READER_VERSION,
                "model": model.fingerprint,
                "sampling": self._sampling.fingerprint,
                "tries": TRIES,
            }
        )

    async def judge(self, query: str, docid: str, reasoning: str) -> Opinion:
        """Ask about one reasoning.

        Raises:
            RolloutError: the model failed, and nothing was paid for yet; else it is undecided.
        """
        if self._cache is None:
            return await self._ask(query, docid, reasoning)
        key = self._cache.key(self.fingerprint, query, docid, reasoning)
        if (known := self._cache.find(key, reported=self._reported)) is not None:
            return known
        said = await self._ask(query, docid, reasoning)
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
            "prompt": prompt.NAME,
            "prompt_text": prompt.TEXT,
            "sent": sent(self._spec, self._sampling),
            "tries": TRIES,
        }

    async def close(self) -> None:
        """Nothing is held."""

    async def _ask(self, query: str, docid: str, reasoning: str) -> Opinion:
        message = (Message("user", prompt.fill(query, docid, reasoning)),)
        used, last, why = NOTHING_USED, "", ""
        for attempt in range(TRIES):
            try:
                with boundary("model"):
                    turn = await self.model.complete(self._request(message, attempt))
            except RolloutError as failure:
                if not attempt:
                    raise
                # What is down now is met again by the next question; what was paid for must be on record.
                return Opinion("undecided", last, f"no opinion: {why}; then: {failure}", used)
            used = used + turn.usage if attempt else turn.usage
            outcome = prompt.read_reply(turn.text)
            # The end of a reply that was cut off may be half a thought.
            if outcome != "undecided" and turn.finish_reason != "length":
                return Opinion(outcome, turn.text, usage=used)
            last, why = turn.text, self._failing(turn)
        return Opinion("undecided", last, f"no opinion in {TRIES} tries: {why}", used)

    def _request(self, message: tuple[Message, ...], attempt: int) -> Request:
        seed = self._sampling.seed
        return Request(message, sampling=replace(self._sampling, seed=None if seed is None else seed + attempt))

    def _failing(self, turn: Turn) -> str:
        """Why a reply holds no opinion."""
        if turn.finish_reason == "length":
            return (
                f"the reply was cut off at {self._sampling.max_tokens} tokens (--set filter.max_tokens=… allows more)"
            )
        if turn.finish_reason == "content_filter":
            return "the provider withheld the reply"
        return "the reply states none, or two" if turn.text.strip() else "the reply is empty"
