"""Records of a submission: of each question as much as every number of it is recomputed from, and no more.

`records/TASK.jsonl` holds one line per (question, repeat): the searches with the ids that they showed, the documents
that were read, the answer, the verdict on it, and what it was measured by. Reasoning and document texts stay in the
trajectories. Of a guarded task every text is kept under its canary, which each line names; ids and outcomes lie open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import count, repeat
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from lrat_bench.guard import Guard
from lrat_bench.leaderboard.submission import Id
from lrat_bench.leaderboard.tracks import MOST_REPEATS
from lrat_bench.score.rows import Outcome
from lrat_bench.score.verdict import Grade, Verdict
from lrat_bench.task.question import Qrels, Question
from lrat_bench.trajectory import Browse, Notice, Search, Status, Trajectory, TurnRecord, Usage

__all__ = ["Browsed", "RankingRecord", "RolloutRecord", "Searched", "Verdicted", "judgements_of", "stand_in"]

_MOST_STEPS = 2_000
_MOST_HITS = 1_000
_LONG = 200_000
_SHORT = 10_000
"""Limits of one record: steps, documents of a list, characters of an answer or a judge's reply, of a query or an id."""

_MOST_SECONDS = 1e7
_MOST_TOKENS = 10**12
_MOST_USD = 1e6
"""What no question takes: sums of as much as this are still numbers."""


_ONE_BY_ONE: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[Id, ...])


def _each_once(docids: tuple[str, ...]) -> tuple[str, ...]:
    # There are millions of them: all at once, and one by one only to say which is none.
    if not ("".join(docids).isprintable() and all(map(str.strip, docids))):
        _ONE_BY_ONE.validate_python(docids)
    if len(set(docids)) < len(docids):
        twice = next(docid for docid in docids if docids.count(docid) > 1)
        raise ValueError(f"holds document {twice!r} twice")
    return docids


def _plausible(usage: Usage) -> Usage:
    tokens = (usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens, usage.llm_calls)
    if any(not 0 <= many <= _MOST_TOKENS for many in tokens if many is not None):
        raise ValueError(f"tokens and calls must lie between 0 and {_MOST_TOKENS:,}")
    if usage.cost_usd is not None and not 0 <= usage.cost_usd <= _MOST_USD:
        raise ValueError(f"cost_usd must lie between 0 and {_MOST_USD:,.0f}")
    return usage


_Id = Annotated[str, Field(min_length=1, max_length=512)]
"""As `Id`; that it is a line is seen to of the whole list."""

Docids = Annotated[tuple[_Id, ...], Field(max_length=_MOST_HITS), AfterValidator(_each_once)]
Spent = Annotated[Usage, AfterValidator(_plausible)]
Text = Annotated[str, Field(max_length=_LONG)]
ShortText = Annotated[str, Field(max_length=_SHORT)]
Turn = Annotated[int, Field(ge=0, le=1_000_000)] | None


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Searched(_Record):
    """One query of one search call."""

    turn: Turn
    call: int = Field(ge=0, le=1_000_000)
    query: ShortText
    hits: Docids = Field(description="the retriever's list, best first")
    hidden: Docids = Field(default=(), description="those of the list that the agent did not see")
    failed: bool = Field(default=False, description="whether it was not carried out")

    @model_validator(mode="after")
    def _of_the_list(self) -> Searched:
        if self.hidden and not set(self.hidden) <= set(self.hits):
            raise ValueError("hidden names a document that is not among hits")
        return self

    def with_query(self, query: str) -> Searched:
        """The same with another text for its query."""
        return Searched.model_construct(**{**self.__dict__, "query": query})  # a fifth of what model_copy takes


class Browsed(_Record):
    """One document of one browse call."""

    turn: Turn
    call: int = Field(ge=0, le=1_000_000)
    docid: Annotated[str, Field(max_length=_SHORT)] = Field(description="as the agent wrote it")
    found: bool
    failed: bool = Field(default=False, description="whether it was not carried out")


class Verdicted(_Record):
    """What the judge said of the answer."""

    outcome: Grade
    extracted_answer: Text | None
    confidence: float | None = Field(ge=0, le=1)
    reply: Text | None = Field(description="the judge's own words; null of a judge that has none")
    usage: Spent


class RolloutRecord(_Record):
    """One line of `records/TASK.jsonl` in a track of runs."""

    question_id: ShortText
    repeat: int = Field(ge=0, lt=MOST_REPEATS)
    outcome: Outcome
    status: Status | None
    origin: Annotated[str, Field(max_length=64)] | None = Field(
        description="source format of an import; null of what is ranked"
    )
    answer: Text | None
    searches: Annotated[tuple[Searched, ...], Field(max_length=_MOST_STEPS)]
    browses: Annotated[tuple[Browsed, ...], Field(max_length=_MOST_STEPS)]
    turns: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        description="completions of the model; null where they cannot be seen"
    )
    usage: Spent
    seconds: float = Field(ge=0, le=_MOST_SECONDS)
    trajectory: str = Field(pattern=r"^[0-9a-f]{64}$", description="hash of the trajectory that it is of")
    verdict: Verdicted | None = Field(description="null where there was nothing to judge")
    evidence: Docids | None = Field(description="documents that support the answer; null where the task cannot say")
    gold: Docids | None = Field(description="documents that state it; null where the task cannot say")
    canary: Annotated[str, Field(max_length=1_000)] | None = Field(
        description="of a guarded task: every text of the record is kept under it"
    )

    @classmethod
    def of(
        cls,
        trajectory: Trajectory,
        verdict: Verdict | None,
        *,
        outcome: Outcome,
        evidence: Qrels | None,
        gold: Qrels | None,
        canary: str | None,
    ) -> RolloutRecord:
        """The record of one trajectory.

        Args:
            trajectory: what happened.
            verdict: the one that counts; None where there was nothing to judge.
            outcome: of the question.
            evidence: of the task; None where it cannot say.
            gold: of the task; None where it cannot say.
            canary: of a guarded task.
        """
        seal = _Seal(canary)
        qid = trajectory.question_id
        return cls(
            question_id=qid,
            repeat=trajectory.repeat,
            outcome=outcome,
            status=trajectory.status,
            origin=trajectory.origin,
            answer=seal.close(trajectory.answer),
            searches=tuple(_searched(step, seal) for step in trajectory.steps if isinstance(step, Search)),
            browses=tuple(_browsed(step, seal) for step in trajectory.steps if isinstance(step, Browse)),
            turns=_turns(trajectory),
            usage=trajectory.usage,
            seconds=trajectory.seconds,
            trajectory=trajectory.hash,
            verdict=None
            if verdict is None
            else Verdicted(
                outcome=verdict.outcome,
                extracted_answer=seal.close(verdict.extracted_answer),
                confidence=verdict.confidence,
                reply=seal.close(verdict.reply),
                usage=verdict.usage,
            ),
            evidence=None if evidence is None else tuple(sorted(evidence.get(qid, ()))),
            gold=None if gold is None else tuple(sorted(gold.get(qid, ()))),
            canary=canary,
        )

    @property
    def key(self) -> tuple[str, int]:
        """(question_id, repeat)."""
        return self.question_id, self.repeat

    @property
    def clock(self) -> tuple[str, float, int, int] | None:
        """How long it took, to the last digit, over as many calls: no second run has that, of the same agent either.

        None where it was rounded, as other programs do.
        """
        if self.seconds == round(self.seconds, 3):
            return None
        return self.question_id, self.seconds, len(self.searches), len(self.browses)

    def opened(self) -> RolloutRecord:
        """The record with its texts in the open, for memory alone.

        Raises:
            ValueError: a text is not kept under the canary that the record names.
        """
        if self.canary is None:
            return self
        seal = _Seal(self.canary)
        said = self.verdict
        return self.model_copy(
            update={
                "canary": None,
                "answer": seal.open(self.answer),
                "searches": tuple(one.with_query(seal.open(one.query) or "") for one in self.searches),
                # What does not exist may be any words of the agent's.
                "browses": tuple(
                    one if one.found else one.model_copy(update={"docid": seal.open(one.docid) or ""})
                    for one in self.browses
                ),
                "verdict": said
                and said.model_copy(
                    update={"extracted_answer": seal.open(said.extracted_answer), "reply": seal.open(said.reply)}
                ),
            }
        )

    def as_trajectory(self) -> Trajectory:
        """What measures may look at, as the trajectory that they look at; the record's texts are in the open."""
        searches = [
            _Search(
                turn=one.turn,
                call=one.call,
                query=one.query,
                hits=_hits(one),
                error="failed" if one.failed else None,
            )
            for one in self.searches
        ]
        browses = [
            Browse(
                turn=one.turn,
                call=one.call,
                docid=one.docid,
                found=one.found,
                error="failed" if one.failed else None,
            )
            for one in self.browses
        ]
        return _Recorded(
            recorded=self.trajectory,
            task="",
            protocol="",
            question_id=self.question_id,
            repeat=self.repeat,
            agent="",
            retriever="",
            origin=self.origin,
            status=self.status,
            answer=self.answer,
            # A step of no turn says that turns cannot be seen.
            steps=(*searches, *browses, *([Notice(turn=None, text="")] if self.turns is None else [])),
            turns=(_TURN,) * (self.turns or 0),  # how many is all that is measured of them
            usage=self.usage,
            seconds=self.seconds,
        )

    def as_verdict(self, judge: str) -> Verdict | None:
        """The verdict on `as_trajectory`; None where nothing was judged."""
        said = self.verdict
        if said is None:
            return None
        return Verdict(
            question_id=self.question_id,
            repeat=self.repeat,
            trajectory=self.trajectory,
            accepts=stand_in(self.question_id).accepts,
            judge=judge,
            judge_name="",
            outcome=said.outcome,
            extracted_answer=said.extracted_answer,
            confidence=said.confidence,
            reply=said.reply,
            usage=said.usage,
        )


class RankingRecord(_Record):
    """One line of `records/TASK.jsonl` in a track of a retriever alone."""

    question_id: ShortText
    hits: Docids = Field(description="the retriever's list for the question itself, best first")
    evidence: Docids | None = Field(description="documents that support the answer; null where the task cannot say")
    gold: Docids | None = Field(description="documents that state it; null where the task cannot say")

    @property
    def key(self) -> tuple[str, int]:
        """(question_id, 0): a ranking is made once."""
        return self.question_id, 0


class _Recorded(Trajectory):
    """What a record tells of a trajectory, under the hash of the whole one: no hash is made of what is left of it."""

    recorded: str

    @property
    def hash(self) -> str:
        """Of the trajectory that the record is of."""
        return self.recorded


_TURN = TurnRecord(turn=0)


def stand_in(qid: str) -> Question:
    """A question of which nothing is known but its id: all that recomputing takes."""
    return Question(qid, "", (), "")


class _Seal:
    """Keeps texts under a canary, or as they are."""

    def __init__(self, canary: str | None) -> None:
        self._guard = None if canary is None else Guard(canary)

    def close(self, text: str | None) -> str | None:
        return text if text is None or self._guard is None else self._guard.encrypt(text)

    def open(self, text: str | None) -> str | None:
        return text if text is None or self._guard is None else self._guard.decrypt(text)


def _turns(trajectory: Trajectory) -> int | None:
    unseen = not trajectory.turns and any(step.turn is None for step in trajectory.steps)
    return None if unseen else len(trajectory.turns)


def _searched(step: Search, seal: _Seal) -> Searched:
    ranked = sorted(step.hits, key=lambda hit: hit.rank)
    return Searched(
        turn=step.turn,
        call=step.call,
        query=seal.close(step.query) or "",
        hits=_once(hit.docid for hit in ranked),
        hidden=_once(hit.docid for hit in ranked if not hit.shown),
        failed=step.error is not None,
    )


class _Listed(NamedTuple):
    """A document of a list, with what `Hit` has: records hold millions, and checking each again takes most of all."""

    docid: str
    score: None
    rank: int
    shown: bool


class _Search(Search):
    hits: Any = ()  # of `_Listed`


_listed = partial(tuple.__new__, _Listed)


def _hits(one: Searched) -> tuple[_Listed, ...]:
    hidden = frozenset(one.hidden)
    shown = [docid not in hidden for docid in one.hits] if hidden else repeat(True)
    return tuple(map(_listed, zip(one.hits, repeat(None), count(1), shown)))


def _browsed(step: Browse, seal: _Seal) -> Browsed:
    docid = step.docid if step.found else seal.close(step.docid) or ""
    return Browsed(turn=step.turn, call=step.call, docid=docid, found=step.found, failed=step.error is not None)


def _once(docids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(docids))


def judgements_of(records: Sequence[RolloutRecord | RankingRecord]) -> tuple[Qrels | None, Qrels | None]:
    """Evidence and gold, as the records hold them; None where they say that the task cannot tell."""
    evidence = {one.question_id: frozenset(one.evidence) for one in records if one.evidence is not None}
    gold = {one.question_id: frozenset(one.gold) for one in records if one.gold is not None}
    return evidence or None, gold or None
