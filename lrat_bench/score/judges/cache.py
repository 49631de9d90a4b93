"""The verdict cache: what an LLM judge has said once need not be paid for again, by whatever run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.files import fingerprint, write_atomic
from lrat_bench.score.judges.base import NOTHING_USED, Judgement, storable

__all__ = ["VerdictCache"]

_log = logging.getLogger("lrat_bench.score")


class _Entry(BaseModel):
    """The content of one file; `key` stands in it so that a misplaced one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    schema_: Literal["lrat-bench/cached-verdict/1"] = Field(default="lrat-bench/cached-verdict/1", alias="schema")
    key: str
    reported: str | None = Field(description="what the endpoint said that it serves; null where it said nothing")
    outcome: Literal["correct", "incorrect"]
    extracted_answer: str | None
    confidence: float | None = Field(ge=0, le=1)
    reply: str | None


class VerdictCache:
    """Verdicts by what they depend on, one small file each, in `folder/verdicts`.

    Files rather than a database: home folders lie on network disks, where SQLite's locks do not hold. A file appears
    whole or not at all, two processes that write the same one write the same thing, and one that cannot be read counts
    as absent. A cache that cannot be written is said once and passed over. Nothing is touched before the first use.

    A key holds the model that was asked for. Which one answered is what its endpoint reports, and stands in the entry:
    a server that was started with the wrong weights must not have its verdicts taken for another's.

    Args:
        folder: the cache folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "verdicts"
        self._writable = True

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
        """What was said; it costs nothing now.

        Args:
            key: of the verdict.
            reported: the model that the endpoint reports now; an entry of another is passed over. None is not known.
        """
        try:
            entry = _Entry.model_validate_json(self._path(key).read_bytes())
        except (OSError, ValueError):
            return None
        if entry.key != key or (reported is not None and entry.reported != storable(reported)):
            return None
        return Judgement(entry.outcome, entry.extracted_answer, entry.confidence, entry.reply, usage=NOTHING_USED)

    def put(self, key: str, said: Judgement, *, reported: str | None = None) -> None:
        """Keep a verdict, with the model that the endpoint reported for it; one that is none is not kept."""
        if said.outcome == "ungraded" or not self._writable:
            return
        entry = _Entry(
            key=key,
            reported=storable(reported),
            outcome=said.outcome,
            extracted_answer=storable(said.extracted_answer),
            confidence=said.confidence,
            reply=storable(said.reply),
        )
        try:
            write_atomic(self._path(key), entry.model_dump_json(by_alias=True))
        except OSError as error:
            self._writable = False
            _log.warning("verdicts are not cached: cannot write %s: %s", self._folder, error.strerror or error)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
