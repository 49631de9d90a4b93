"""Contamination: what training pairs share with the questions that a retriever is to be evaluated on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from lrat_bench.errors import UsageError
from lrat_bench.lrat.pair import Pair
from lrat_bench.lrat.pairs import Pairs
from lrat_bench.task.catalog import load_task
from lrat_bench.task.question import Question, same_wording
from lrat_bench.task.task import Task

__all__ = ["Contamination", "Shared", "scan"]

_SHINGLE = 8
"""Words in a row that two texts must share to count as near: chance does not make so many."""
_KINDS = ("question", "query", "near", "evidence")
_EXAMPLES = 5  # of each kind


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shared(_Record):
    """One pair and one question of the evaluation that it shares something with."""

    how: str = Field(
        description="question (the one it was mined on), query (the same text), near (words in a row), evidence (the "
        "positive)"
    )
    question_id: str = Field(description="of the evaluation")
    run: str = Field(description="of the pair")
    pair_question_id: str
    step: int = Field(description="of the pair's browse")


class Contamination(_Record):
    """What a scan has found."""

    task: str
    split: str
    pairs: int = Field(ge=0, description="read: kept, rejected and undecided")
    questions: int = Field(ge=0, description="questions of the evaluation that pairs were mined on, by id or by text")
    queries: int = Field(ge=0, description="questions whose text a pair has for a query, case and punctuation aside")
    near: int = Field(ge=0, description=f"questions that share {_SHINGLE} words in a row with a query")
    evidence: int = Field(ge=0, description="questions of which an evidence document is the positive of a pair")
    evidence_pairs: int = Field(ge=0, description="pairs with such a positive")
    unknown_questions: int = Field(
        ge=0, description="pairs whose question is known neither by id nor by text, since its task is not at hand"
    )
    other_corpus: int = Field(ge=0, description="pairs over another corpus, whose documents cannot be compared")
    examples: tuple[Shared, ...] = Field(description="the first questions of each kind, with the first pair")

    @property
    def clean(self) -> bool:
        """Whether no question is shared, in any wording; evidence is shared wherever the corpus is."""
        return not (self.questions or self.queries or self.near)


@dataclass
class _Scan:
    """One pass over pairs."""

    questions: Sequence[Question]
    evidence: dict[str, set[str]]
    found: dict[str, set[str]] = field(default_factory=lambda: {how: set() for how in _KINDS})
    examples: dict[str, list[Shared]] = field(default_factory=lambda: {how: [] for how in _KINDS})
    counted: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.ids = {question.qid for question in self.questions}
        self.texts: dict[str, str] = {}
        self.shingles: dict[str, set[str]] = {}
        for question in self.questions:
            text = same_wording(question.text)
            self.texts[text] = question.qid
            for shingle in _shingles(text):
                self.shingles.setdefault(shingle, set()).add(question.qid)

    def read(self, pair: Pair, origin: _Origin) -> None:
        """Hold one pair against all questions."""
        self.counted["pairs"] += 1
        self._asked(pair, origin)
        query = same_wording(pair.query)
        if (qid := self.texts.get(query)) is not None:
            self._note("query", qid, pair)
        for qid in sorted({qid for shingle in _shingles(query) for qid in self.shingles.get(shingle, ())}):
            self._note("near", qid, pair)
        if not origin.same_corpus:
            self.counted["other_corpus"] += 1
        elif supported := self.evidence.get(pair.pos_id):
            self.counted["evidence_pairs"] += 1
            for qid in sorted(supported):
                self._note("evidence", qid, pair)

    def _asked(self, pair: Pair, origin: _Origin) -> None:
        """The question that a pair was mined on: by its id within the same task, by its text elsewhere."""
        if pair.run.partition("/")[0] in origin.of_task:
            if pair.question_id in self.ids:
                self._note("question", pair.question_id, pair)
        elif (text := origin.asked.get(pair.question_id)) is None:
            self.counted["unknown_questions"] += 1
        elif (qid := self.texts.get(text)) is not None:
            self._note("question", qid, pair)

    def _note(self, how: str, qid: str, pair: Pair) -> None:
        if qid in self.found[how]:
            return
        self.found[how].add(qid)
        if len(self.examples[how]) < _EXAMPLES:
            self.examples[how].append(
                Shared(how=how, question_id=qid, run=pair.run, pair_question_id=pair.question_id, step=pair.step)
            )


@dataclass(frozen=True)
class _Origin:
    """Where the pairs of a folder come from.

    Attributes:
        of_task: names of those runs that were on the very task that is evaluated.
        asked: question id → its wording, of the task that they were mined on, where it is at hand.
        same_corpus: whether its documents are those of the evaluation.
    """

    of_task: frozenset[str]
    asked: Mapping[str, str]
    same_corpus: bool


def scan(folders: Iterable[str | Path], task: Task, *, split: str | None = None) -> Contamination:
    """Look for questions of an evaluation in training pairs, by id, by text, and by their evidence.

    Pairs are read as a stream; the questions are held in memory. Ids are compared where pairs were mined on the same
    task, documents where they are of the same corpus: elsewhere equal ids mean nothing.

    Args:
        folders: of pairs.
        task: whose questions are evaluated on.
        split: of the task; its default one unless given.

    Raises:
        UsageError: a folder holds no pairs, or the task has no such split.
    """
    chosen = split or task.default_split
    questions = task.select(chosen)
    evidence: dict[str, set[str]] = {}
    for question in questions:
        for docid in (task.evidence or {}).get(question.qid, ()):
            evidence.setdefault(docid, set()).add(question.qid)
    found = _Scan(questions, evidence)
    for pairs in [Pairs.open(folder) for folder in folders]:
        origin = _origin(pairs, task)
        for read in (pairs.kept(), pairs.rejected(), pairs.undecided()):
            for pair in read:
                found.read(pair, origin)
    return Contamination(
        task=task.name,
        split=chosen,
        **{name: found.counted[name] for name in ("pairs", "evidence_pairs", "unknown_questions", "other_corpus")},
        questions=len(found.found["question"]),
        queries=len(found.found["query"]),
        near=len(found.found["near"]),
        evidence=len(found.found["evidence"]),
        examples=tuple(one for how in _KINDS for one in found.examples[how]),
    )


def _origin(pairs: Pairs, task: Task) -> _Origin:
    manifest = pairs.manifest
    same_corpus = manifest.corpus == task.corpus.fingerprint
    of_task = frozenset(one.name for one in manifest.sources if one.task == task.name and same_corpus)
    asked: dict[str, str] = {}
    if manifest.task is not None and len(of_task) < len(manifest.sources):
        try:
            mined, _ = load_task(manifest.task, settings=manifest.task_settings or None)
        except UsageError:
            pass  # it is told how many pairs nothing is known of
        else:
            asked = {question.qid: same_wording(question.text) for question in mined.questions}
    return _Origin(of_task, asked, same_corpus)


def _shingles(text: str) -> set[str]:
    words = text.split()
    return {" ".join(words[start : start + _SHINGLE]) for start in range(len(words) - _SHINGLE + 1)}
