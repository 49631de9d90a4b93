"""Judging candidates: each browse is put to the relevance judge once, and what it says is written down at once."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.errors import FatalModelError, Halt, RolloutError, RunIncomplete, boundary
from lrat_bench.files import encodable
from lrat_bench.lrat.mining.candidate import Candidate
from lrat_bench.lrat.relevance.base import Opinion, Outcome, RelevanceJudge
from lrat_bench.model.redact import redact
from lrat_bench.runs.store import PLAIN, Codec, RecordStore
from lrat_bench.score.judges.base import storable
from lrat_bench.trajectory import Usage

__all__ = ["Judged", "Judgement", "RelevanceJudging"]

_log = logging.getLogger("lrat_bench.lrat")


class Judgement(BaseModel):
    """A line of `judgements.jsonl`: what the judge said of one browse. It is that of the manifest beside the file."""

    schema_: Literal["lrat-bench/relevance/1"] = Field(default="lrat-bench/relevance/1", alias="schema")
    trajectory: str = Field(description="hash of the trajectory")
    step: int = Field(ge=0, description="index of the browse in its steps")
    outcome: Literal["relevant", "irrelevant"]
    reply: str | None = Field(default=None, description="a model's raw reply")
    usage: Usage = Usage()

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True)

    @property
    def key(self) -> str:
        """What was judged."""
        return _key(self.trajectory, self.step)

    def to_json(self) -> str:
        """The record as one JSON line, without the line break."""
        return self.model_dump_json(by_alias=True)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a candidate's relevance.

    Attributes:
        outcome: as judged.
        reason: why it is undecided.
        owed: whether the judge failed, so that it should be asked again.
    """

    outcome: Outcome
    reason: str = ""
    owed: bool = False


@dataclass
class RelevanceJudging:
    """A judge at work, until it is down, and the record of what it has said.

    A judge is down once its model can answer no request, or nothing of its endpoint works any more, or the cost cap is
    reached. It is asked no more then, and what it has not judged is owed.

    Attributes:
        judge: left open.
        journal: `judgements.jsonl` of the folder.
        concurrency: how many browses are judged at once.
        codec: how the journal's lines are kept.
        down: why it is asked no more; None while it is asked.
        asked: how many times it was asked by this command.
    """

    judge: RelevanceJudge
    journal: Path
    concurrency: int = 16
    codec: Codec = PLAIN
    down: str | None = None
    asked: int = 0
    _known: dict[str, Outcome] = field(default_factory=dict)
    _places: asyncio.Semaphore | None = None

    @property
    def store(self) -> RecordStore[Judgement]:
        """The journal as records."""
        return RecordStore(self.journal, Judgement.model_validate_json, lambda said: said.key, self.codec)

    def resume(self) -> None:
        """Take over what was said before; the caller holds the folder.

        Raises:
            UsageError: the journal cannot be written.
        """
        self.store.open_for_writing()
        self._known = {said.key: said.outcome for said in self.store.scan()}

    async def one(self, trajectory: str, candidate: Candidate) -> Judged:
        """What the judge makes of a candidate.

        Args:
            trajectory: hash of the trajectory it was found in.
            candidate: the browse.

        Raises:
            RunIncomplete: what was said cannot be written down.
            LratBenchError: the judge is used wrongly.
        """
        reasoning = candidate.reasoning
        if reasoning is None:
            return Judged("undecided", "nothing was thought after it")
        if not reasoning.text.strip():
            return Judged("undecided", "the provider withholds the reasoning")
        known = self._known.get(_key(trajectory, candidate.step))
        if known is not None:
            return Judged(known)
        if self._places is None:
            self._places = asyncio.Semaphore(self.concurrency)
        async with self._places:
            if self.down is not None:
                return Judged("undecided", f"not judged: {self.down}", owed=True)
            return await self._ask(trajectory, candidate, reasoning.text)

    async def _ask(self, trajectory: str, candidate: Candidate, text: str) -> Judged:
        self.asked += 1
        try:
            with boundary("relevance judge"):
                said = _checked(await self.judge.judge(candidate.query, candidate.docid, text))
        except (Halt, FatalModelError) as failure:
            self._give_up(failure)
            return Judged("undecided", f"not judged: {self.down}", owed=True)
        except RolloutError as failure:
            reason = " ".join(str(failure).split()) or type(failure).__name__
            return Judged("undecided", redact(encodable(reason)), owed=True)
        if said.outcome == "undecided":
            return Judged("undecided", redact(encodable(said.error or "no reason given")), owed=True)
        record = Judgement(
            trajectory=trajectory,
            step=candidate.step,
            outcome=said.outcome,
            reply=storable(said.reply),
            usage=said.usage,
        )
        try:
            self.store.append(record.to_json())
        except OSError as error:
            raise RunIncomplete(f"cannot write {self.journal}: {error.strerror or error}") from error
        return Judged(said.outcome)

    def _give_up(self, failure: RolloutError) -> None:
        if self.down is None:
            self.down = redact(encodable(" ".join(str(failure).split()))) or type(failure).__name__
            _log.warning("the relevance judge is asked no more (%s); the same command goes on", self.down)


def _key(trajectory: str, step: int) -> str:
    return f"{trajectory[:32]}/{step}"


def _checked(said: object) -> Opinion:
    if not isinstance(said, Opinion) or said.outcome not in get_args(Outcome):
        raise TypeError(f"judge() returned {said!r}, not an Opinion that is relevant, irrelevant or undecided")
    for name in ("reply", "error"):
        if not isinstance(text := getattr(said, name), str | None):
            raise TypeError(f"judge() returned an Opinion whose {name} is {text!r}, which must be a text or None")
    if not isinstance(said.usage, Usage):
        raise TypeError(f"judge() returned an Opinion whose usage is {said.usage!r}, which must be a Usage")
    return said
