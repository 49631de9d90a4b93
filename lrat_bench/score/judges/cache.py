"""The verdict cache: what an LLM judge has said once need not be paid for again, by whatever run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from lrat_bench.files import fingerprint
from lrat_bench.score.judges.base import NOTHING_USED, Judgement, storable
from lrat_bench.score.judges.reply_cache import CachedReply, ReplyCache

__all__ = ["VerdictCache"]


class _Entry(CachedReply):
    schema_: Literal["lrat-bench/cached-verdict/1"] = Field(default="lrat-bench/cached-verdict/1", alias="schema")
    outcome: Literal["correct", "incorrect"]
    extracted_answer: str | None
    confidence: float | None = Field(ge=0, le=1)
    reply: str | None


class VerdictCache:
    """Verdicts by what they depend on, in `folder/verdicts`, kept as `ReplyCache` keeps replies.

    Args:
        folder: the cache folder.
    """

    def __init__(self, folder: Path) -> None:
        self._kept = ReplyCache(folder, name="verdicts", what="verdicts", entry=_Entry)

    @staticmethod
    def key(judge: str, question: str, response: str, answers: Sequence[str]) -> str:
        """SHA-256 of all that a verdict depends on.

        Args:
            judge: its fingerprint: rubric, model, parameters.
            question: its text.
            response: what is judged.
            answers: the accepted ones.
        """
        return fingerprint([judge, question, response, list(answers)])

    def find(self, key: str, *, reported: str | None = None) -> Judgement | None:
        """What was said; it costs nothing now. Arguments as of `ReplyCache.find`."""
        entry = self._kept.find(key, reported=reported)
        if entry is None:
            return None
        return Judgement(entry.outcome, entry.extracted_answer, entry.confidence, entry.reply, usage=NOTHING_USED)

    def put(self, key: str, said: Judgement, *, reported: str | None = None) -> None:
        """Keep a verdict, with the model that the endpoint reported for it; one that is none is not kept."""
        if said.outcome == "ungraded":
            return
        self._kept.put(
            _Entry(
                key=key,
                reported=storable(reported),
                outcome=said.outcome,
                extracted_answer=storable(said.extracted_answer),
                confidence=said.confidence,
                reply=storable(said.reply),
            )
        )
