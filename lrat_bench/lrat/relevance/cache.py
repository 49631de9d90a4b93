"""The cache of opinions: what a model has said once of a reasoning need not be paid for again, by whatever command."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.files import fingerprint, write_atomic
from lrat_bench.lrat.relevance.base import Opinion
from lrat_bench.score.judges.base import NOTHING_USED, storable

__all__ = ["RelevanceCache"]

_log = logging.getLogger("lrat_bench.lrat")


class _Entry(BaseModel):
    """The content of one file; `key` stands in it so that a misplaced one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["lrat-bench/cached-opinion/1"] = Field(default="lrat-bench/cached-opinion/1", alias="schema")
    key: str
    reported: str | None = Field(description="what the endpoint said that it serves; null where it said nothing")
    outcome: Literal["relevant", "irrelevant"]
    reply: str | None


class RelevanceCache:
    """Opinions by what they depend on, one small file each, in `folder/relevance`.

    As `score.judges.cache`: a file appears whole or not at all, one that cannot be read counts as absent, and a cache
    that cannot be written is said once and passed over.

    Args:
        folder: the cache folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "relevance"
        self._writable = True

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
        """What was said; it costs nothing now.

        Args:
            key: of the opinion.
            reported: the model that the endpoint reports now; an entry of another is passed over. None is not known.
        """
        try:
            entry = _Entry.model_validate_json(self._path(key).read_bytes())
        except (OSError, ValueError):
            return None
        if entry.key != key or (reported is not None and entry.reported != storable(reported)):
            return None
        return Opinion(entry.outcome, entry.reply, usage=NOTHING_USED)

    def put(self, key: str, said: Opinion, *, reported: str | None = None) -> None:
        """Keep an opinion, with the model that the endpoint reported for it; one that is none is not kept."""
        if said.outcome == "undecided" or not self._writable:
            return
        entry = _Entry(key=key, reported=storable(reported), outcome=said.outcome, reply=storable(said.reply))
        try:
            write_atomic(self._path(key), entry.model_dump_json(by_alias=True))
        except OSError as error:
            self._writable = False
            _log.warning("opinions are not cached: cannot write %s: %s", self._folder, error.strerror or error)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
