"""The relevance judge that asks a language model."""

from __future__ import annotations

from typing import Any

from lrat_bench.files import fingerprint
from lrat_bench.lrat.relevance import prompt
from lrat_bench.lrat.relevance.base import Opinion, Outcome
from lrat_bench.lrat.relevance.cache import RelevanceCache
from lrat_bench.model.lite.payload import sent
from lrat_bench.model.seam import Model, Turn
from lrat_bench.score.judges.asking import TRIES, Asked, Asking
from lrat_bench.score.judges.presets import Preset

__all__ = ["LlmRelevance"]


class LlmRelevance:
    """Asks a model whether a reasoning takes its document for relevant, and reads the one word of its reply.

    A reply that states none is asked for again. What was said once, by the same model and prompt of the same reasoning,
    is taken from the cache, unless the endpoint is known to report another model now.

    Args:
        preset: the model and its sampling values; its rubric is of no use here.
        model: what is asked; who opened it closes it.
        cache: of opinions.

    Attributes:
        preset: as given.
        model: as given.
    """

    def __init__(self, preset: Preset, model: Model, cache: RelevanceCache | None = None) -> None:
        self.name = preset.name
        self.preset = preset
        self.model = model
        self._sampling = preset.sampling()
        self._spec = preset.spec()
        self._cache = cache
        self._asking = Asking(
            model, self._sampling, wanted="opinion", room="filter", unstated="the reply states none, or two"
        )
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
        if (known := self._cache.find(key, reported=self._asking.reported)) is not None:
            return known
        said = await self._ask(query, docid, reasoning)
        self._cache.put(key, said, reported=self._asking.reported)
        return said

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
        asked: Asked[Outcome] = await self._asking.ask(prompt.fill(query, docid, reasoning), _read)
        outcome: Outcome = "undecided" if asked.stated is None else asked.stated
        return Opinion(outcome, asked.reply, asked.error, asked.usage)


def _read(turn: Turn) -> Outcome | None:
    outcome = prompt.read_reply(turn.text)
    # The end of a reply that was cut off may be half a thought.
    return None if outcome == "undecided" or turn.finish_reason == "length" else outcome
