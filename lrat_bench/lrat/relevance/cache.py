"""The cache of opinions: what a model has said once of a reasoning need not be paid for again, by whatever command."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from lrat_bench.files import fingerprint
from lrat_bench.lrat.relevance.base import Opinion
from lrat_bench.score.judges.base import NOTHING_USED, storable
from lrat_bench.score.judges.reply_cache import CachedReply, ReplyCache

__all__ = ["RelevanceCache"]


class _Entry(CachedReply):
    schema_: Literal["lrat-bench/cached-opinion/1"] = Field(default="lrat-bench/cached-opinion/1", alias="schema")
    outcome: Literal["relevant", "irrelevant"]
    reply: str | None


class RelevanceCache:
    """Opinions by what they depend on, in `folder/relevance`, kept as `ReplyCache` keeps replies.

    Args:
        folder: the cache folder.
    """

    def __init__(self, folder: Path) -> None:
        self._kept = ReplyCache(folder, name="relevance", what="opinions", entry=_Entry)

    @staticmethod
    def key(judge: str, query: str, docid: str, reasoning: str) -> str:
        """SHA-256 of all that an opinion depends on.

        Args:
            judge: its fingerprint: prompt, model, parameters.
            query: of the search.
            docid: what was read.
            reasoning: what is judged.
        """
        return fingerprint([judge, query, docid, reasoning])

    def find(self, key: str, *, reported: str | None = None) -> Opinion | None:
        """What was said; it costs nothing now. Arguments as of `ReplyCache.find`."""
        entry = self._kept.find(key, reported=reported)
        return None if entry is None else Opinion(entry.outcome, entry.reply, usage=NOTHING_USED)

    def put(self, key: str, said: Opinion, *, reported: str | None = None) -> None:
        """Keep an opinion, with the model that the endpoint reported for it; one that is none is not kept."""
        if said.outcome == "undecided":
            return
        self._kept.put(_Entry(key=key, reported=storable(reported), outcome=said.outcome, reply=storable(said.reply)))
